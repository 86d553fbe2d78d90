package tokenhubmedia

import (
	"bytes"
	"context"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// step is how long a task is queued, and how long it runs.
const step = 10 * time.Second

// The calls.
const (
	submit     = "/v1/api/image/submit"
	query      = "/v1/api/image/query"
	lite       = "/v1/api/image/lite"
	wand       = "/v1/wand/hunyuan-image/v3-generation"
	clipSubmit = "/v1/api/video/submit"
	clipQuery  = "/v1/api/video/query"
)

// bench is a simulator behind a listener, with a clock that only the test moves.
type bench struct {
	t   *testing.T
	sim *Simulator
	url string
	now atomic.Int64
}

func start(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t}
	b.now.Store(time.Unix(1_800_000_000, 0).UnixNano())
	b.sim = New(studio.Options{Step: step, Now: b.clock, StallFor: time.Millisecond})
	server := httptest.NewServer(b.sim)
	t.Cleanup(server.Close)
	b.url = server.URL
	return b
}

func (b *bench) clock() time.Time        { return time.Unix(0, b.now.Load()) }
func (b *bench) advance(d time.Duration) { b.now.Add(int64(d)) }

// reply is what came back; err is that of sending or reading.
type reply struct {
	status int
	header http.Header
	body   string
	err    error
}

func (r reply) at(p string) gjson.Result { return gjson.Get(r.body, p) }
func (r reply) code() string             { return r.at("error.code").Str }

// send posts a body as a well-behaved client does, unless spoiled.
func (b *bench) send(path, body string, spoil func(*http.Request)) reply {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.url+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatalf("making a request: %v", err)
	}
	req.Header.Set("Authorization", "Bearer "+b.sim.Key())
	req.Header.Set("Content-Type", "application/json")
	if spoil != nil {
		spoil(req)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		return reply{err: err}
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, res.Header, string(data), err}
}

func (b *bench) ask(path, body string) reply {
	b.t.Helper()
	return b.send(path, body, nil)
}

// body is one with a prompt, more members, and the model of the path.
func body(path, prompt, more string) string {
	model := map[string]string{submit: "hy-image-v3.0", lite: "hy-image-lite", wand: "hy-image-v3", clipSubmit: "hy-video-1.5"}[path]
	if path == lite {
		more += `,"rsp_img_type":"url"`
	}
	return `{"model":"` + model + `","prompt":"` + prompt + `"` + more + `}`
}

// task expects a submit to be accepted and returns the id.
func (b *bench) task(path, prompt, more string) string {
	b.t.Helper()
	r := b.ask(path, body(path, prompt, more))
	if r.status != http.StatusOK || r.at("id").Str == "" || r.at("status").Str != "queued" || r.at("id").Str == r.at("request_id").Str {
		b.t.Fatalf("submitting: %+v", r)
	}
	return r.at("id").Str
}

func (b *bench) image(id string) reply {
	b.t.Helper()
	return b.ask(query, `{"model":"hy-image-v3.0","id":"`+id+`"}`)
}

func (b *bench) clip(id string) reply {
	b.t.Helper()
	return b.ask(clipQuery, `{"model":"hy-video-1.5","id":"`+id+`"}`)
}

// download gets a result by its address alone.
func (b *bench) download(address string) (status int, data []byte) {
	b.t.Helper()
	res, err := http.Get(address)
	if err != nil {
		b.t.Fatalf("downloading: %v", err)
	}
	defer res.Body.Close()
	if data, err = io.ReadAll(res.Body); err != nil {
		b.t.Fatalf("downloading: %v", err)
	}
	return res.StatusCode, data
}

// look opens an image and says how large it is.
func look(t *testing.T, data []byte) [2]int {
	t.Helper()
	m, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("the image does not open: %v", err)
	}
	return [2]int{m.Bounds().Dx(), m.Bounds().Dy()}
}

// last is the newest entry of the ledger. A handler books after its client has read the answer.
func (b *bench) last() studio.Entry {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 5*time.Second)
	defer cancel()
	ticks := time.NewTicker(time.Millisecond)
	defer ticks.Stop()
	for b.sim.InFlight() > 0 {
		select {
		case <-ticks.C:
		case <-ctx.Done():
			b.t.Fatal("a request is still being served")
		}
	}
	entries := b.sim.Ledger()
	return entries[len(entries)-1]
}
