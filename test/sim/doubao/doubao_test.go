package doubao_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/test/sim/doubao"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

const (
	pathV1  = "/api/v1/tts"
	pathV3  = "/api/v3/tts/unidirectional"
	pathSSE = "/api/v3/tts/unidirectional/sse"
)

// bench is one simulator behind a real listener.
type bench struct {
	*doubao.Simulator
	t   *testing.T
	url string
}

func start(t *testing.T, opts studio.Options) *bench {
	t.Helper()
	s := doubao.New(opts)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return &bench{Simulator: s, t: t, url: server.URL}
}

// reply is what a test looks at.
type reply struct {
	status int
	header http.Header
	body   string
	err    error // of sending the request or reading the body
}

func (r reply) get(path string) gjson.Result { return gjson.Get(r.body, path) }

// problem returns code and message of any of the error bodies, an SSE event among them.
func (r reply) problem() (code int64, message string) {
	body := gjson.Parse(r.body)
	if data, ok := strings.CutPrefix(r.body, "event: 153\ndata: "); ok {
		body = gjson.Parse(data)
	}
	if inner := body.Get("header"); inner.Exists() {
		body = inner
	}
	return body.Get("code").Int(), body.Get("message").Str
}

// send posts; headers are names and values by turns, an empty value removes one.
func (b *bench) send(ctx context.Context, method, path, body string, header ...string) reply {
	b.t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, b.url+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatalf("making a request: %v", err)
	}
	req.Header.Set("Content-Type", "application/json")
	if path == pathV1 {
		req.Header.Set("Authorization", "Bearer;"+b.AccessToken())
	} else {
		req.Header.Set("X-Api-Key", b.Key())
		req.Header.Set("X-Api-Resource-Id", "seed-tts-2.0")
		req.Header.Set("X-Api-Request-Id", "01234567-89ab-cdef-0123-456789abcdef")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Del(header[i])
		if header[i+1] != "" {
			req.Header.Set(header[i], header[i+1])
		}
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		return reply{err: err}
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	return reply{status: res.StatusCode, header: res.Header, body: string(data), err: err}
}

func (b *bench) post(path, body string, header ...string) reply {
	b.t.Helper()
	return b.send(b.t.Context(), http.MethodPost, path, body, header...)
}

// last waits until no request is being served, and returns the newest entry of the ledger.
func (b *bench) last() studio.Entry {
	b.t.Helper()
	deadline := time.After(5 * time.Second)
	for tick := time.NewTicker(time.Millisecond); b.InFlight() > 0; {
		select {
		case <-tick.C:
		case <-deadline:
			b.t.Fatal("a request is still being served")
		}
	}
	entries := b.Ledger()
	if len(entries) == 0 {
		b.t.Fatal("the ledger is empty")
	}
	return entries[len(entries)-1]
}

// with returns the body with members replaced, each as path and raw JSON; an empty value removes a member.
func with(t *testing.T, body string, pairs ...string) string {
	t.Helper()
	var document map[string]any
	if err := json.Unmarshal([]byte(body), &document); err != nil {
		t.Fatalf("the test's own body: %v", err)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		at, path := document, strings.Split(pairs[i], ".")
		for _, name := range path[:len(path)-1] {
			next, ok := at[name].(map[string]any)
			if !ok {
				next = map[string]any{}
				at[name] = next
			}
			at = next
		}
		name := path[len(path)-1]
		if pairs[i+1] == "" {
			delete(at, name)
			continue
		}
		at[name] = json.RawMessage(pairs[i+1])
	}
	data, err := json.Marshal(document)
	if err != nil {
		t.Fatalf("the test's own value: %v", err)
	}
	return string(data)
}

func quote(s string) string { return fmt.Sprintf("%q", s) }

func TestSimulator_hasThreeAddresses(t *testing.T) {
	b := start(t, studio.Options{})
	for name, tc := range map[string]struct {
		method, path string
		want         int
	}{
		"an unknown path":       {http.MethodPost, pathV3 + "/", http.StatusNotFound},
		"the binary protocol":   {http.MethodPost, pathV3 + "/stream", http.StatusNotFound},
		"V1 by GET":             {http.MethodGet, pathV1, http.StatusMethodNotAllowed},
		"V3 by GET":             {http.MethodGet, pathV3, http.StatusMethodNotAllowed},
		"SSE by GET":            {http.MethodGet, pathSSE, http.StatusMethodNotAllowed},
		"a file that was never": {http.MethodGet, "/files/1.mp3?sign=x", http.StatusNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			if got := b.send(t.Context(), tc.method, tc.path, "{}"); got.status != tc.want {
				t.Errorf("= %d %s, want %d", got.status, got.body, tc.want)
			}
		})
	}
}

func TestHandles_namesTheSameAddresses(t *testing.T) {
	for path, want := range map[string]bool{
		pathV1: true, pathV3: true, pathSSE: true, "/files/1.mp3": true,
		pathV3 + "/stream": false, "/api/v3/chat/completions": false, "/": false,
	} {
		if got := doubao.Handles(path); got != want {
			t.Errorf("Handles(%q) = %v", path, got)
		}
	}
}
