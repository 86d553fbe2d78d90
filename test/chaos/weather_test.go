package chaos_test

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// page is a failure on the way: something between the gateway and the vendor answers for it, although the vendor did all of the work.
const page studio.Mode = "page"

// pageHeader marks a request whose answer is replaced, for the ledger.
const pageHeader = "X-Weather"

// pause lets time pass.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// weather is the way between gateways and the vendor: it takes its time in both directions, so that there is always something under way
// that can be broken off, and it brings failures.
type weather struct {
	vendor http.Handler
	studio *studio.Studio

	mu     sync.Mutex
	random *rand.Rand
	// modes are what may befall a submit, storms how many of ten it does. Page is one more of them.
	modes  []studio.Mode
	storms int
	// awaited are requests that somebody waits for, by their markers.
	awaited map[string]func()
}

// newWeather returns fair weather. Its seed is in the test's log.
func newWeather(t *testing.T, vendor http.Handler, s *studio.Studio) *weather {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return &weather{vendor: vendor, studio: s, random: rand.New(rand.NewPCG(seed, 0)), awaited: map[string]func(){}}
}

// when calls a function once the request with a marker is on its way to the vendor.
func (w *weather) when(marker string, call func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.awaited[marker] = call
}

// notice looks at a request that passes.
func (w *weather) notice(r *http.Request) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	w.mu.Lock()
	defer w.mu.Unlock()
	if call := w.awaited[string(markerPattern.Find(body))]; call != nil {
		call()
	}
	return nil
}

// storm makes some of ten submits fail, and every tenth other call.
func (w *weather) storm(ofTen int, modes ...studio.Mode) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.storms, w.modes = ofTen, modes
}

// calm ends failures, also those that wait for the next call.
func (w *weather) calm() {
	w.storm(0)
	w.studio.Heal()
}

// upTo is a random time.
func (w *weather) upTo(most time.Duration) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Duration(w.random.Int64N(int64(most)))
}

// oneOf is a random number below n.
func (w *weather) oneOf(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.random.IntN(n)
}

// brew queues a failure for a call that comes now, or for one beside it, and says whether it is one on the way of this call.
func (w *weather) brew(r *http.Request) (onTheWay bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	likely := w.storms
	if r.Method != http.MethodPost {
		likely = min(likely, 1)
	}
	if len(w.modes) == 0 || w.random.IntN(10) >= likely {
		return false
	}
	mode := w.modes[w.random.IntN(len(w.modes))]
	if mode != page {
		w.studio.FailNext(1, mode)
	}
	return mode == page
}

// ServeHTTP implements http.Handler.
func (w *weather) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if !strings.Contains(r.URL.Path, "/api/") { // files
		w.vendor.ServeHTTP(rw, r)
		return
	}
	if w.notice(r) != nil {
		panic(http.ErrAbortHandler)
	}
	pause(r.Context(), w.upTo(20*time.Millisecond))
	if w.brew(r) {
		r.Header.Set(pageHeader, string(page))
		w.vendor.ServeHTTP(httptest.NewRecorder(), r)
		rw.Header().Set("Content-Type", "text/html")
		rw.WriteHeader([]int{http.StatusBadGateway, http.StatusGatewayTimeout}[w.oneOf(2)])
		_, _ = io.WriteString(rw, "<html><body><h1>The server is away</h1></body></html>") // who has left reads nothing
		return
	}
	w.vendor.ServeHTTP(&late{ResponseWriter: rw, by: w.upTo(20 * time.Millisecond)}, r)
}

// late delays an answer whose effects have come about already.
type late struct {
	http.ResponseWriter
	by time.Duration
}

// WriteHeader implements http.ResponseWriter.
func (l *late) WriteHeader(status int) {
	<-time.After(l.by)
	l.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController find what the connection can do.
func (l *late) Unwrap() http.ResponseWriter { return l.ResponseWriter }
