package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

const (
	// largeBytes is the size of each image and each speech.
	largeBytes = 10_000_000
	// speechPiece is how much audio stands in one event.
	speechPiece = 16 << 10
)

// mediaUpstream answers with large results, as fast as it can: images in Ark's answers, images in files that DashScope's tasks lead to, and
// MiniMax's speech. It speaks just enough of their protocols.
func mediaUpstream() http.Handler {
	file := noise(largeBytes)
	answer := []byte(`{"model":"bench","created":1,"data":[{"size":"2048x2048","b64_json":"` + base64.StdEncoding.EncodeToString(file) +
		`"}],"usage":{"generated_images":1,"output_tokens":16384,"total_tokens":16384}}`)
	speech := speechEvents(file)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v3/images/generations", func(w http.ResponseWriter, r *http.Request) {
		send(w, "application/json", answer, r.Header.Get(sizedHeader) != "")
	})
	mux.HandleFunc("POST /api/v1/services/aigc/", func(w http.ResponseWriter, _ *http.Request) {
		send(w, "application/json", []byte(`{"output":{"task_id":"bench","task_status":"PENDING"},"request_id":"bench"}`), true)
	})
	mux.HandleFunc("GET /api/v1/tasks/bench", func(w http.ResponseWriter, r *http.Request) {
		send(w, "application/json", fmt.Appendf(nil, `{"output":{"task_id":"bench","task_status":"SUCCEEDED","choices":[{"message":{"content":`+
			`[{"type":"image","image":"http://%s/file.png"}]}}]},"usage":{"image_count":1,"size":"2048*2048"},"request_id":"bench"}`, r.Host), true)
	})
	mux.HandleFunc("GET /file.png", func(w http.ResponseWriter, _ *http.Request) { send(w, "image/png", file, true) })
	mux.HandleFunc("POST /v1/t2a_v2", func(w http.ResponseWriter, _ *http.Request) { send(w, "text/event-stream", speech, false) })
	return mux
}

// sizedHeader in a request asks for an answer with a Content-Length; a credential can add it. Vendors do it either way.
const sizedHeader = "X-Bench-Sized"

// send answers.
func send(w http.ResponseWriter, contentType string, body []byte, sized bool) {
	w.Header().Set("Content-Type", contentType)
	if sized {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	for len(body) > 0 { // in pieces, of which nobody can tell how many there are
		n, err := w.Write(body[:min(len(body), 64<<10)])
		if err != nil {
			return
		}
		body = body[n:]
	}
}

// noise is data without patterns, always the same.
func noise(n int) []byte {
	data := make([]byte, 0, n+sha256.Size)
	for block := sha256.Sum256(nil); len(data) < n; block = sha256.Sum256(block[:]) {
		data = append(data, block[:]...)
	}
	return data[:n]
}

// speechEvents is a stream of T2A v2.
func speechEvents(audio []byte) []byte {
	var b bytes.Buffer
	for len(audio) > 0 {
		piece := audio[:min(len(audio), speechPiece)]
		audio = audio[len(piece):]
		fmt.Fprintf(&b, `data: {"data":{"audio":"%s","status":1},"trace_id":"bench","base_resp":{"status_code":0,"status_msg":""}}`+"\n\n",
			hex.EncodeToString(piece))
	}
	b.WriteString(`data: {"data":{"audio":"","status":2},"extra_info":{"usage_characters":100},"trace_id":"bench","base_resp":` +
		`{"status_code":0,"status_msg":""}}` + "\n\n")
	return b.Bytes()
}

// mediaManifests are the objects of the memory measurement.
func mediaManifests(up string) string {
	var b strings.Builder
	for _, m := range []struct{ name, provider, modality, model, header string }{
		{"inline", "Ark", "Image", "doubao-seedream-4-5-251128", ""},
		{"inline-sized", "Ark", "Image", "doubao-seedream-4-5-251128", sizedHeader},
		{"fetched", "Qwen", "Image", "wan2.7-image", ""},
		{"spoken", "MiniMax", "Speech", "speech-02-turbo", ""},
	} {
		header := ""
		if m.header != "" {
			header = "headers: {" + m.header + `: "1"}`
		}
		fmt.Fprintf(&b, `---
apiVersion: vipcloud.ai/v1alpha1
kind: ProviderCredential
metadata: {name: %[1]s, namespace: vipcloud-system}
spec:
  provider: %[2]s
  endpoint: http://%[3]s
  allowInsecure: true
  allowPrivate: true
  secretRef: {name: bench}
  %[4]s
---
apiVersion: vipcloud.ai/v1alpha1
kind: ModelRoute
metadata: {name: %[1]s, namespace: vipcloud-system}
spec:
  modality: %[5]s
  timeouts: {response: 10m}
  targets: [{name: a, credential: {name: %[1]s}, model: %[6]s}]
`, m.name, m.provider, up, header, m.modality, m.model)
	}
	return gatewayManifests(up) + b.String()
}
