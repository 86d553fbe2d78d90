package minimaxmedia_test

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

	"vipcloud.ai/vipcloud/test/sim/minimaxmedia"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

const (
	speech = "/v1/t2a_v2"
	video  = "/v1/video_generation"
	hello  = `{"model":"speech-02-hd","text":"Hello, world. This is a test.","voice_setting":{"voice_id":"English_Graceful_Lady"}}`
)

// bench is one simulator behind a real listener.
type bench struct {
	*minimaxmedia.Simulator
	t   *testing.T
	url string
}

func start(t *testing.T, opts studio.Options) *bench {
	t.Helper()
	s := minimaxmedia.New(opts)
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
func (r reply) code() int64                  { return r.get("base_resp.status_code").Int() }

// send makes a request; headers are names and values by turns, an empty value removes one.
func (b *bench) send(ctx context.Context, method, path, body string, header ...string) reply {
	b.t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, b.url+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatalf("making a request: %v", err)
	}
	req.Header.Set("Authorization", "Bearer "+b.Key())
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Del(header[i])
		if header[i+1] != "" {
			req.Header.Set(header[i], header[i+1])
		}
	}
	// A connection of its own: on a kept one the client would repeat a GET whose answer was lost.
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := client.Do(req)
	if err != nil {
		return reply{err: err}
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	return reply{status: res.StatusCode, header: res.Header, body: string(data), err: err}
}

func (b *bench) post(path, body string) reply {
	b.t.Helper()
	return b.send(b.t.Context(), http.MethodPost, path, body)
}

// get makes a request without body; path may be a whole URL of this server.
func (b *bench) get(path string) reply {
	b.t.Helper()
	return b.send(b.t.Context(), http.MethodGet, strings.TrimPrefix(path, b.url), "")
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

func TestSimulator_refusesWhoeverHasNoKey(t *testing.T) {
	for name, tc := range map[string]struct {
		path   string
		header []string
		want   int64
		says   string
	}{
		"no key at all":            {speech, []string{"Authorization", ""}, 1004, "Authorization"},
		"another scheme":           {speech, []string{"Authorization", "Token sk-api-sim-minimax"}, 1004, "Authorization"},
		"a wrong key":              {speech, []string{"Authorization", "Bearer sk-api-other"}, 2049, "invalid api key"},
		"the group of another key": {speech + "?GroupId=1", nil, 1004, "token not match group"},
		"a video without key":      {video, []string{"Authorization", ""}, 1004, "Authorization"},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t, studio.Options{})
			got := b.send(t.Context(), http.MethodPost, tc.path, hello, tc.header...)
			if got.status != http.StatusOK || got.code() != tc.want || !strings.Contains(got.get("base_resp.status_msg").Str, tc.says) {
				t.Errorf("= %d %s, want 200 with %d %q", got.status, got.body, tc.want, tc.says)
			}
			if e := b.last(); e.Reason == "" || len(b.Charges()) != 0 {
				t.Errorf("the ledger has %+v, charges %v", e, b.Charges())
			}
		})
	}
}

func TestSimulator_acceptsItsOwnGroup(t *testing.T) {
	b := start(t, studio.Options{})
	if got := b.post(speech+"?GroupId="+b.GroupID(), hello); got.code() != 0 || got.get("data.audio").Str == "" {
		t.Errorf("= %s", got.body)
	}
}

func TestSimulator_hasFourAddresses(t *testing.T) {
	b := start(t, studio.Options{})
	for name, tc := range map[string]struct {
		method, path string
		want         int
	}{
		"an unknown path":     {http.MethodPost, "/v1/t2a_v2/", http.StatusNotFound},
		"the chat API":        {http.MethodPost, "/v1/chat/completions", http.StatusNotFound},
		"a speech by GET":     {http.MethodGet, speech, http.StatusMethodNotAllowed},
		"a video by GET":      {http.MethodGet, video, http.StatusMethodNotAllowed},
		"a query by POST":     {http.MethodPost, "/v1/query/video_generation?task_id=1", http.StatusMethodNotAllowed},
		"a file by POST":      {http.MethodPost, "/v1/files/retrieve?file_id=1", http.StatusMethodNotAllowed},
		"a file that is none": {http.MethodGet, "/files/1.mp4?sign=x", http.StatusNotFound},
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
		speech: true, video: true, "/v1/query/video_generation": true, "/v1/files/retrieve": true, "/files/1.mp4": true,
		"/v1/chat/completions": false, "/v1/models": false, "/v1/t2a_v2/x": false, "/": false,
	} {
		if got := minimaxmedia.Handles(path); got != want {
			t.Errorf("Handles(%q) = %v", path, got)
		}
	}
}

func TestSimulator_wantsStrictJSON(t *testing.T) {
	for name, tc := range map[string]struct{ body, contentType, says string }{
		"nothing":              {"", "", ""},
		"half a document":      {hello[:20], "", ""},
		"two documents":        {hello + hello, "", ""},
		"an array":             {"[]", "", ""},
		"a doubled member":     {`{"model":"speech-02-hd","model":"speech-02-hd"}`, "", `duplicate field "model"`},
		"an unknown member":    {with(t, hello, "voice", `"x"`), "", `unknown field "voice"`},
		"a nested unknown":     {with(t, hello, "voice_setting.english_normalization", "true"), "", "english_normalization"},
		"another case":         {strings.Replace(hello, "model", "Model", 1), "", `unknown field "Model"`},
		"a number for a text":  {with(t, hello, "text", "5"), "", "text"},
		"a string for a flag":  {with(t, hello, "stream", `"true"`), "", "stream"},
		"a string for a speed": {with(t, hello, "voice_setting.speed", `"1"`), "", "speed"},
		"a fraction for pitch": {with(t, hello, "voice_setting.pitch", "1.0"), "", "pitch"},
		"bytes for text":       {strings.Replace(hello, "Hello", "\xff", 1), "", "UTF-8"},
		"a form":               {hello, "application/x-www-form-urlencoded", "Content-Type"},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t, studio.Options{})
			var header []string
			if tc.contentType != "" {
				header = []string{"Content-Type", tc.contentType}
			}
			got := b.send(t.Context(), http.MethodPost, speech, tc.body, header...)
			if got.status != http.StatusOK || got.code() != 2013 || !strings.Contains(got.get("base_resp.status_msg").Str, tc.says) {
				t.Errorf("= %d %s, want 2013 with %q", got.status, got.body, tc.says)
			}
		})
	}
}
