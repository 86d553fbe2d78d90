package sdk_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"image"
	_ "image/jpeg" // the vendors' formats
	_ "image/png"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"

	"vipcloud.ai/vipcloud/test/sim"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

// call calls what the SDK has for a path, a method or its generic post, and returns the answer's body.
func call(t *testing.T, client openai.Client, path string, body map[string]any, opts ...option.RequestOption) ([]byte, error) {
	t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	raw := json.RawMessage(data)
	switch path {
	case "/images/generations":
		got, err := client.Images.Generate(t.Context(), param.Override[openai.ImageGenerateParams](raw), opts...)
		if err != nil {
			return nil, err
		}
		return []byte(got.RawJSON()), nil
	case "/audio/speech":
		resp, err := client.Audio.Speech.New(t.Context(), param.Override[openai.AudioSpeechNewParams](raw), opts...)
		if err != nil {
			return nil, err
		}
		return readAll(t, resp), nil
	}
	var got json.RawMessage
	err = client.Post(t.Context(), path, body, &got, opts...)
	return got, err
}

// readAll reads an answer to its end.
func readAll(t *testing.T, resp *http.Response) []byte {
	t.Helper()
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("reading the answer: %v", err)
	}
	return data
}

// plain is an HTTP request of somebody without an SDK; key is the name of a key, or empty for none.
func (w *world) plain(t *testing.T, method, address, key string, body any, header ...string) *http.Response {
	t.Helper()
	var content io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		content = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, w.resolve(t, address), content)
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+w.keys[key])
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	client := http.Client{Timeout: patience}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// resolve makes an address absolute, as links are: poll_url is relative to the gateway.
func (w *world) resolve(t *testing.T, address string) string {
	t.Helper()
	base, err := url.Parse(w.base)
	if err != nil {
		t.Fatal(err)
	}
	u, err := base.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.String()
}

// download gets a result from where it is, as anybody would who has the address.
func (w *world) download(t *testing.T, address string) (data []byte, contentType string) {
	t.Helper()
	resp := w.plain(t, http.MethodGet, address, "", nil)
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: status %d", address, resp.StatusCode)
	}
	return readAll(t, resp), resp.Header.Get("Content-Type")
}

// kindOf is what a file is by its first bytes; pcm is everything else.
func kindOf(data []byte) string {
	if len(data) > 8 && string(data[4:8]) == "ftyp" {
		return "mp4"
	}
	begins := map[string]string{"jpeg": "\xff\xd8\xff", "png": "\x89PNG\r\n\x1a\n", "flac": "fLaC", "wav": "RIFF", "mp3": "\xff\xfb"}
	for kind, head := range begins {
		if bytes.HasPrefix(data, []byte(head)) {
			return kind
		}
	}
	return "pcm"
}

// wantOpens says whether a file is of a kind, and whole as far as its kind tells.
func wantOpens(t *testing.T, data []byte, kind string) {
	t.Helper()
	if len(data) == 0 || kindOf(data) != kind {
		t.Fatalf("%d bytes are %s, want %s: %.16q", len(data), kindOf(data), kind, data)
	}
	switch kind {
	case "jpeg", "png":
		if _, format, err := image.Decode(bytes.NewReader(data)); err != nil || format != kind {
			t.Errorf("the image is %s: %v", format, err)
		}
	case "wav":
		if string(data[8:16]) != "WAVEfmt " {
			t.Errorf("the file begins with %.16q", data)
		}
	case "mp3":
		for at := 0; at < len(data); at += len(studio.MP3(0)) {
			if !bytes.HasPrefix(data[at:], []byte("\xff\xfb")) {
				t.Fatalf("no frame at %d of %d", at, len(data))
			}
		}
	case "mp4":
		var boxes []string
		for rest := data; len(rest) > 0; rest = rest[min(int(binary.BigEndian.Uint32(rest)), len(rest)):] {
			boxes = append(boxes, string(rest[4:8]))
		}
		if !slices.Equal(boxes, []string{"ftyp", "moov", "mdat"}) {
			t.Errorf("boxes are %q", boxes)
		}
	}
}

// kindOfType is the kind of files of a content type.
func kindOfType(contentType string) string {
	return map[string]string{
		"video/mp4": "mp4", "audio/mpeg": "mp3", "audio/flac": "flac", "image/jpeg": "jpeg", "image/png": "png",
	}[contentType]
}

// vendorCalls counts what all vendors of media were asked, files and polls apart.
func (w *world) vendorCalls() int {
	n := 0
	for _, v := range sim.MediaVendors() {
		for _, e := range w.vendors.Media(v).Ledger() {
			if e.Method == http.MethodPost {
				n++
			}
		}
	}
	return n
}

// charges are what all vendors of media bill so far.
func (w *world) charges() []studio.Charge {
	var all []studio.Charge
	for _, v := range sim.MediaVendors() {
		all = append(all, w.vendors.Media(v).Charges()...)
	}
	return all
}

// chargesSince are those that were not there before.
func (w *world) chargesSince(before []studio.Charge) []studio.Charge {
	return slices.DeleteFunc(w.charges(), func(c studio.Charge) bool { return slices.Contains(before, c) })
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	end := time.Now().Add(patience)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		if time.Now().After(end) {
			t.Fatalf("%s: not in time", what)
		}
		<-tick.C
	}
}

// with is a body with other members.
func with(body, members map[string]any) map[string]any {
	changed := maps.Clone(body)
	maps.Copy(changed, members)
	return changed
}

// prompted is a body whose prompt steers the vendor.
func prompted(body map[string]any, directive string) map[string]any {
	prompt, _ := body["prompt"].(string)
	return with(body, map[string]any{"prompt": strings.TrimSpace(prompt + " " + directive)})
}
