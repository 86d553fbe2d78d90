package mureka

import (
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

// want checks a status and a piece of the body.
func (b *bench) want(r reply, status int, piece string) {
	b.t.Helper()
	if r.status != status || !strings.Contains(r.body, piece) {
		b.t.Errorf("= %d %s %v, want %d with %q", r.status, r.body, r.err, status, piece)
	}
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

// wantFile opens a result, which needs no credential.
func (b *bench) wantFile(address, magic string) {
	b.t.Helper()
	r := b.send(http.MethodGet, strings.TrimPrefix(address, b.url), "", "Authorization", "")
	if r.status != http.StatusOK || !strings.HasPrefix(r.body, magic) {
		b.t.Errorf("%q = %d, %d bytes, want a file that begins with %q", address, r.status, len(r.body), magic)
	}
}

// wantRefusal checks an error in the form of the platform, and that the ledger knows why.
func (b *bench) wantRefusal(r reply, status int, says string) {
	b.t.Helper()
	if r.status != status || !strings.Contains(r.get("error.message"), says) || r.get("trace_id") == "" || r.get("error.code") != "" {
		b.t.Errorf("= %d %s %v\nwant %d and %q", r.status, r.body, r.err, status, says)
	}
	if e := b.last(); e.Reason == "" || e.Status != status {
		b.t.Errorf("the ledger has status %d, reason %q", e.Status, e.Reason)
	}
}

// wantSongs checks how many songs are billed in the end.
func (b *bench) wantSongs(n int64) {
	b.t.Helper()
	b.ends()
	songs := int64(0)
	for _, c := range b.sim.Charges() {
		songs += c.Units
	}
	if songs != n {
		b.t.Errorf("charges = %v, want %d songs", b.sim.Charges(), n)
	}
}

func long(n int) string { return strings.Repeat("雨", n) }
