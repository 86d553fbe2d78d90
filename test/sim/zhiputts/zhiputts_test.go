package zhiputts_test

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

	"vipcloud.ai/vipcloud/test/sim/studio"
	"vipcloud.ai/vipcloud/test/sim/zhiputts"
)

const (
	speech = "/api/paas/v4/audio/speech"
	hello  = `{"model":"glm-tts","input":"你好, world","voice":"tongtong"}`
)

// bench is one simulator behind a real listener.
type bench struct {
	*zhiputts.Simulator
	t   *testing.T
	url string
}

func start(t *testing.T, opts studio.Options) *bench {
	t.Helper()
	s := zhiputts.New(opts)
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

func (r reply) code() string    { return gjson.Get(r.body, "error.code").Str }
func (r reply) message() string { return gjson.Get(r.body, "error.message").Str }

// send makes a request; headers are names and values by turns, an empty value removes one.
func (b *bench) send(ctx context.Context, method, path, body string, header ...string) reply {
	b.t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, b.url+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatalf("making a request: %v", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+b.Key())
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

func (b *bench) post(body string, header ...string) reply {
	b.t.Helper()
	return b.send(b.t.Context(), http.MethodPost, speech, body, header...)
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

// with returns the body with members replaced, each as name and raw JSON; an empty value removes a member.
func with(t *testing.T, body string, pairs ...string) string {
	t.Helper()
	var document map[string]json.RawMessage
	if err := json.Unmarshal([]byte(body), &document); err != nil {
		t.Fatalf("the test's own body: %v", err)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			delete(document, pairs[i])
			continue
		}
		document[pairs[i]] = json.RawMessage(pairs[i+1])
	}
	data, err := json.Marshal(document)
	if err != nil {
		t.Fatalf("the test's own value: %v", err)
	}
	return string(data)
}

func quote(s string) string { return fmt.Sprintf("%q", s) }

func TestSimulator_hasOneAddress(t *testing.T) {
	b := start(t, studio.Options{})
	for name, tc := range map[string]struct {
		method, path string
		want         int
	}{
		"the chat API":          {http.MethodPost, "/api/paas/v4/chat/completions", http.StatusNotFound},
		"a slash too many":      {http.MethodPost, speech + "/", http.StatusNotFound},
		"a speech by GET":       {http.MethodGet, speech, http.StatusMethodNotAllowed},
		"a file that was never": {http.MethodGet, "/files/1.wav?sign=x", http.StatusNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			if got := b.send(t.Context(), tc.method, tc.path, hello); got.status != tc.want {
				t.Errorf("= %d %.100s, want %d", got.status, got.body, tc.want)
			}
		})
	}
}

func TestHandles_namesTheSameAddress(t *testing.T) {
	for path, want := range map[string]bool{
		speech: true, "/files/1.wav": true, "/api/paas/v4/chat/completions": false, "/api/paas/v4/models": false, speech + "/x": false,
	} {
		if got := zhiputts.Handles(path); got != want {
			t.Errorf("Handles(%q) = %v", path, got)
		}
	}
}

func TestSimulator_refusesWhoeverHasNoKey(t *testing.T) {
	b := start(t, studio.Options{})
	for name, tc := range map[string]struct{ header, want string }{
		"no key": {"", "1001"}, "another scheme": {"Basic x", "1001"}, "the bare key": {b.Key(), "1001"}, "a wrong key": {"Bearer x", "1000"},
	} {
		if got := b.post(hello, "Authorization", tc.header); got.status != http.StatusUnauthorized || got.code() != tc.want ||
			got.message() == "" {
			t.Errorf("%s = %d %s", name, got.status, got.body)
		}
	}
}
