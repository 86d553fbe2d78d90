package proxy

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// How long an upstream is read on for nobody, so that its own count of what it made is known rather than an estimate.
const (
	// defaultTailAnswer is for an answer under way: what has been sent already arrives, and one that is about to end does. More than that
	// costs more than it tells.
	defaultTailAnswer = 250 * time.Millisecond
	// defaultTailUsage is for an answer that was told whole: nothing but the count is still to come, and it costs nothing.
	defaultTailUsage = 2 * time.Second
	// tailBytes is what is read at most.
	tailBytes = 256 << 10
)

// tail ends an attempt whose client has left: at once while nothing was answered, else after a bounded time.
type tail struct {
	cancel context.CancelCauseFunc
	// gone says that the client has left.
	gone atomic.Bool

	// mu guards all that follows.
	mu sync.Mutex
	// wait is how long the upstream is read on now.
	wait  time.Duration
	since time.Time // when the client left; zero: it has not
	timer *time.Timer
}

// extend sets how long the upstream is read on from the client's leaving. It never gets shorter.
func (t *tail) extend(wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.wait >= wait {
		return
	}
	t.wait = wait
	if t.timer != nil && t.timer.Stop() {
		t.timer.Reset(max(wait-time.Since(t.since), 0))
	}
}

// left says that the client has, and why nothing is read for it any more. It may be said again.
func (t *tail) left(cause error) {
	t.gone.Store(true)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.wait == 0 {
		t.cancel(cause)
		return
	}
	if t.timer == nil {
		t.since = time.Now()
		t.timer = time.AfterFunc(t.wait, func() { t.cancel(cause) })
	}
}

// stop ends the wait.
func (t *tail) stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.timer != nil {
		t.timer.Stop()
	}
}
