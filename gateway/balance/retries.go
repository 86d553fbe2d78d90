package balance

import (
	"sync"
	"time"
)

const (
	// retryPercent is how many requests of a route are repeated at most, in percent of those that are made.
	retryPercent = 20
	// retryFloor is how many are in any case, within the window.
	retryFloor = 10
	// The window: ten seconds.
	retryBuckets = 10
	retryWidth   = time.Second
)

// retries bounds how many attempts of a route follow another: a vendor in trouble must not get more requests for it. It is safe for
// concurrent use.
type retries struct {
	// mu makes looking and counting one step for those who repeat; those who begin only count.
	mu     sync.Mutex
	window window // first attempts, further attempts
}

// newRetries returns a budget that nothing was taken from.
func newRetries() *retries { return &retries{window: newWindow(retryBuckets, int64(retryWidth))} }

// began counts a first attempt.
func (r *retries) began(now int64) { r.window.add(now, true) }

// take says whether a further attempt may be made, and counts it.
func (r *retries) take(now int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	made, repeated := r.window.sum(now)
	if (repeated+1)*100 > max(made*retryPercent, retryFloor*100) {
		return false
	}
	r.window.add(now, false)
	return true
}
