package balance

import (
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"vipcloud.ai/vipcloud/gateway/table"
)

const (
	// The window of requests per minute has one second more than a minute, so that no minute, wherever it begins, sees more than
	// the limit.
	minuteBuckets = 61
	minuteWidth   = time.Second
	// busyWait is what to wait when a credential has as many requests under way as it may: one of them may end any time.
	busyWait = time.Second
)

// Credential is what requests show of a credential, for all routes that use it. Safe for concurrent use.
type Credential struct {
	id string
	// declared is what it stands for. Another endpoint or Secret makes it another Credential: what was shown no longer counts.
	declared table.Credential
	gate     gate
	// refusals counts those in a row, refused is when the last one was.
	refusals atomic.Int32
	refused  atomic.Int64
	// load is shared with the Credential before and after this one: what is under way at the account stays so.
	load *load
	gone atomic.Bool
}

// newCredential returns the state of a credential.
func newCredential(c *table.Credential, l *load) *Credential {
	return &Credential{id: c.ID(), declared: declared(c), load: l}
}

// declared is a credential without what does not matter to its health.
func declared(c *table.Credential) table.Credential {
	d := *c
	d.Limits = table.Limits{}
	return d
}

// same says whether a credential of another table is this one.
func (c *Credential) same(o *table.Credential) bool {
	return reflect.DeepEqual(c.declared, declared(o))
}

// load is what is under way at an account, and how much there was in the last minute.
type load struct {
	inFlight atomic.Int64
	// mu makes looking and counting one step. It is taken only if requests per minute are limited.
	mu     sync.Mutex
	minute window
}

// newLoad returns a load of nothing.
func newLoad() *load { return &load{minute: newWindow(minuteBuckets, int64(minuteWidth))} }

// limits of a credential as they are in a table, and who shares them.
type limits struct {
	concurrent, perMinute table.Limit
	replicas              func() int
}

// share is this replica's part of a limit: all replicas together may use at least the whole.
func (l *limits) share(limit table.Limit) int64 {
	if n := int64(l.replicas()); n > 1 && limit.Value > 0 {
		return (limit.Value + n - 1) / n
	}
	return limit.Value
}

// take counts a request, unless that would exceed a limit.
func (o *load) take(now int64, l *limits) bool {
	if !o.enter(l) {
		return false
	}
	if l.perMinute.Set && !o.count(now, l.share(l.perMinute)) {
		o.inFlight.Add(-1)
		return false
	}
	return true
}

// enter counts a request as under way.
func (o *load) enter(l *limits) bool {
	if !l.concurrent.Set {
		o.inFlight.Add(1)
		return true
	}
	most := l.share(l.concurrent)
	for {
		n := o.inFlight.Load()
		if n >= most {
			return false
		}
		if o.inFlight.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// count counts a request of this minute.
func (o *load) count(now, limit int64) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if n, _ := o.minute.sum(now); int64(n) >= limit {
		return false
	}
	o.minute.add(now, true)
	return true
}

// leave ends a request.
func (o *load) leave() { o.inFlight.Add(-1) }

// wait says how long it takes until a request may be made; 0: one may be now.
func (o *load) wait(now int64, l *limits) time.Duration {
	wait := time.Duration(0)
	if l.concurrent.Set && o.inFlight.Load() >= l.share(l.concurrent) {
		wait = busyWait
	}
	if l.perMinute.Set {
		wait = max(wait, time.Duration(o.minute.frees(now, int(l.share(l.perMinute)))))
	}
	return wait
}
