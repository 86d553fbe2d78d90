package cluster_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// chunksUntilLeft is how many chunks the vendor sends, and a client reads, before it leaves.
const chunksUntilLeft = 4

// load is clients at work. How many requests they make in a second is bounded.
type load struct {
	w    *world
	keys []string
	stop context.CancelFunc
	wg   sync.WaitGroup

	mu sync.Mutex
	// targets are the replicas that clients know of.
	targets []*replica

	n                               atomic.Int64
	served, refused, failed, leaver atomic.Int64
}

// begin starts clients that make so many requests in a second altogether.
func (w *world) begin(perSecond int, keys []string, targets ...*replica) *load {
	ctx, cancel := context.WithCancel(w.t.Context())
	l := &load{w: w, keys: keys, stop: cancel, targets: targets}
	l.wg.Go(func() {
		ticker := time.NewTicker(time.Second / time.Duration(perSecond))
		defer ticker.Stop()
		slots := make(chan struct{}, 64)
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			select {
			case slots <- struct{}{}:
				l.wg.Go(func() { defer func() { <-slots }(); l.one(l.n.Add(1)) })
			default: // all clients are busy
			}
		}
	})
	w.t.Cleanup(l.end)
	return l
}

// end stops the clients and waits for them.
func (l *load) end() {
	l.stop()
	l.wg.Wait()
}

// direct tells clients where to go from now on.
func (l *load) direct(targets ...*replica) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.targets = targets
}

// pick chooses a replica.
func (l *load) pick() *replica {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.targets[rand.IntN(len(l.targets))]
}

// one makes a request of one of several kinds.
func (l *load) one(n int64) {
	id, key := fmt.Sprintf("order-%d", n), l.keys[n%int64(len(l.keys))]
	prompt, extra := "Tell me more, 你好, "+id+".", ""
	switch n % 4 {
	case 1:
		extra = `,"stream":true,"stream_options":{"include_usage":true}`
	case 2:
		extra = `,"stream":true`
	case 3: // a stream that the client leaves
		prompt, extra = fmt.Sprintf("%s [[chunks 9]] [[fail stall_mid %d]]", prompt, chunksUntilLeft), `,"stream":true`
	}
	status, err := l.w.ask(l.pick(), key, id, prompt, extra, n%4 == 3)
	switch {
	case err != nil:
		l.failed.Add(1)
	case status == http.StatusOK && n%4 == 3:
		l.leaver.Add(1)
	case status == http.StatusOK:
		l.served.Add(1)
	case status == http.StatusTooManyRequests || status == http.StatusPaymentRequired:
		l.refused.Add(1)
	default:
		l.failed.Add(1)
	}
}

// ask makes a chat request and reads its answer to the end, or leaves in the middle.
func (w *world) ask(r *replica, key, id, prompt, extra string, leave bool) (status int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience) // what was begun is ended, or a ledger could not be compared
	defer cancel()
	body := fmt.Sprintf(`{"model":%q,"max_tokens":100,"messages":[{"role":"user","content":%q}]%s}`, model, prompt, extra)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.base+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("X-Request-Id", id)
	resp, err := w.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	if leave && resp.StatusCode == http.StatusOK {
		lines := bufio.NewScanner(resp.Body)
		for chunks := 0; chunks < chunksUntilLeft && lines.Scan(); {
			if strings.HasPrefix(lines.Text(), "data: ") {
				chunks++
			}
		}
		return resp.StatusCode, lines.Err()
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// figures is what clients saw.
func (l *load) figures() string {
	return fmt.Sprintf("%d requests: %d served, %d left by their clients, %d refused, %d failed", l.n.Load(), l.served.Load(), l.leaver.Load(), l.refused.Load(),
		l.failed.Load())
}
