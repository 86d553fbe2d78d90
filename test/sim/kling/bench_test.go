package kling

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/gif"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// clock is what the simulator believes the time to be.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// bench is a simulator behind a real listener. A task is queued for a second and runs for another.
type bench struct {
	t     *testing.T
	sim   *Simulator
	url   string
	clock *clock
}

func start(t *testing.T) *bench {
	t.Helper()
	c := &clock{now: time.Unix(1_790_000_000, 0)}
	sim := New(studio.Options{Step: time.Second, Now: c.Now, StallFor: time.Millisecond, KeepBodies: true})
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	return &bench{t: t, sim: sim, url: server.URL, clock: c}
}

// reply is what came back.
type reply struct {
	status int
	body   string
	err    error // of the connection
}

func (r reply) get(path string) string { return gjson.Get(r.body, path).String() }

// send asks with the API key, unless the headers, in pairs, say otherwise; an empty value takes a header away.
func (b *bench) send(method, path, body string, header ...string) reply {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatalf("making a request: %v", err)
	}
	req.Header.Set("Authorization", "Bearer "+b.sim.Key())
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Del(header[i])
		if header[i+1] != "" {
			req.Header.Set(header[i], header[i+1])
		}
	}
	// On a connection that was used before, a client repeats by itself a GET that got no answer.
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
	return reply{status: res.StatusCode, body: string(data), err: err}
}

func (b *bench) post(path, body string) reply {
	b.t.Helper()
	return b.send(http.MethodPost, path, body)
}

func (b *bench) get(path string) reply { b.t.Helper(); return b.send(http.MethodGet, path, "") }

// submit returns the id of a new task.
func (b *bench) submit(path, body string) string {
	b.t.Helper()
	r := b.post(path, body)
	id := r.get("data.id") + r.get("data.task_id")
	if r.status != http.StatusOK || r.get("code") != "0" || id == "" {
		b.t.Fatalf("submitting = %d %s %v", r.status, r.body, r.err)
	}
	return id
}

// ends lets every ordinary task come to its end.
func (b *bench) ends() { b.clock.advance(2 * time.Second) }

// last is the newest entry of the ledger.
func (b *bench) last() studio.Entry {
	b.t.Helper()
	for deadline := time.Now().Add(5 * time.Second); b.sim.InFlight() > 0; {
		if time.Now().After(deadline) {
			b.t.Fatal("a request does not end")
		}
	}
	entries := b.sim.Ledger()
	if len(entries) == 0 {
		b.t.Fatal("the ledger is empty")
	}
	return entries[len(entries)-1]
}

// wantVideo opens a result, which needs no credential.
func (b *bench) wantVideo(address string) {
	b.t.Helper()
	r := b.send(http.MethodGet, strings.TrimPrefix(address, b.url), "", "Authorization", "")
	if r.status != http.StatusOK || len(r.body) < 8 || r.body[4:8] != "ftyp" {
		b.t.Errorf("%s = %d, %d bytes, want a video", address, r.status, len(r.body))
	}
}

func long(n int) string { return strings.Repeat("雨", n) }

// wantRefusal checks an error in the vendor's form, and that the ledger knows why.
func (b *bench) wantRefusal(r reply, status int, code, says string) {
	b.t.Helper()
	if r.status != status || r.get("code") != code || !strings.Contains(r.get("message"), says) || r.get("request_id") == "" {
		b.t.Errorf("= %d %s %v\nwant %d, code %s and %q", r.status, r.body, r.err, status, code, says)
	}
	if e := b.last(); e.Reason == "" || e.Status != status {
		b.t.Errorf("the ledger has status %d, reason %q", e.Status, e.Reason)
	}
}

// wantBilled checks how many tasks are billed in the end.
func (b *bench) wantBilled(n int) {
	b.t.Helper()
	b.ends()
	if got := b.sim.Charges(); len(got) != n {
		b.t.Errorf("charges = %v, want %d", got, n)
	}
}

func b64(data []byte) string { return base64.StdEncoding.EncodeToString(data) }

// gifPicture is an image that opens, of a format that the vendor does not take.
func gifPicture(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := gif.Encode(&b, image.NewPaletted(image.Rect(0, 0, 400, 400), color.Palette{color.White}), nil); err != nil {
		t.Fatalf("encoding a picture: %v", err)
	}
	return b.Bytes()
}
