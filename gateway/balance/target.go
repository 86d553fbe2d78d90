package balance

import (
	"reflect"
	"sync/atomic"
	"time"

	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/table"
)

const (
	// maxFailures and maxTimeouts in a row eject a target. Timeouts cost clients most, so fewer do.
	maxFailures = 5
	maxTimeouts = 3
	// maxRefusals in a row are the death of a target or credential: a single one may be about its request.
	maxRefusals = 3
	// minRequests within the window of outcomes, half of them failed, eject a target.
	minRequests = 20
	// The window of outcomes: thirty seconds.
	outcomeBuckets = 10
	outcomeWidth   = 3 * time.Second
	// maxPause bounds what a vendor may ask for: a request every ten minutes is no burden.
	maxPause = 10 * time.Minute
	// shortPause is how long a target that limits rates without saying for how long is passed over while others are there.
	shortPause = time.Second
	// slowStart is how long the weight of a target that is back takes to grow to the full one.
	slowStart = 30 * time.Second
	// rampSteps are the parts of a weight, rampFirst those that a target begins with.
	rampSteps = 1024
	rampFirst = rampSteps / 10
)

// Target is what requests show of a target. Safe for concurrent use. All times are nanoseconds since the registry's epoch.
type Target struct {
	id, model string
	// hash stands for id in choices by conversation.
	hash       uint64
	declared   declaredTarget
	credential *Credential
	gate       gate
	// inFlight counts requests under way at this target.
	inFlight atomic.Int64
	// failures, timeouts and refusals count those in a row; failed is when the last of them was.
	failures, timeouts, refusals atomic.Int32
	failed                       atomic.Int64
	outcomes                     window // successes, failures
	// paused is until when the vendor asked to be left alone, pausedBy with what; avoided is until when others are preferred.
	paused   atomic.Int64
	pausedBy atomic.Int32
	avoided  atomic.Int64
	// ramped is when the weight is full again.
	ramped atomic.Int64
	gone   atomic.Bool
}

// declaredTarget is what a target stands for. With another model or other parameters it is another target: what was shown no longer
// counts.
type declaredTarget struct {
	public, upstream string
	parameters       provider.Parameters
}

// newTarget returns the state of a target.
func newTarget(r *table.Route, t *table.Target, c *Credential) *Target {
	return &Target{
		id: t.ID, model: r.Model, hash: hashString(t.ID), credential: c,
		declared: declaredTarget{public: r.Model, upstream: t.Model, parameters: t.Parameters},
		outcomes: newWindow(outcomeBuckets, int64(outcomeWidth)),
	}
}

// same says whether a target of another table is this one.
func (t *Target) same(r *table.Route, o *table.Target, c *Credential) bool {
	return t.credential == c && reflect.DeepEqual(t.declared, declaredTarget{public: r.Model, upstream: o.Model, parameters: o.Parameters})
}

// lets says whether a request may be sent now, as far as health goes. Unless it must, none is sent to a target that is avoided.
func (t *Target) lets(now int64, must bool) bool {
	return t.gate.lets(now) && t.credential.gate.lets(now) && t.paused.Load() <= now && (must || t.avoided.Load() <= now)
}

// sound says that nothing is known to be wrong.
func (t *Target) sound(now int64) bool {
	return t.gate.healthy() && t.credential.gate.healthy() && t.paused.Load() <= now
}

// ramp is how much of its weight the target has, in rampSteps.
func (t *Target) ramp(now int64) int {
	left := t.ramped.Load() - now
	if left <= 0 {
		return rampSteps
	}
	return max(rampFirst, rampSteps-int(left*rampSteps/int64(slowStart)))
}

// pause leaves the target alone for as long as the vendor asked for.
func (t *Target) pause(now int64, d time.Duration, class provider.Class) {
	until := now + int64(min(d, maxPause))
	for {
		old := t.paused.Load()
		if old >= until {
			return
		}
		if t.paused.CompareAndSwap(old, until) {
			t.pausedBy.Store(int32(class))
			return
		}
	}
}

// calmDown forgets what was counted in a row.
func (t *Target) calmDown() {
	t.failures.Store(0)
	t.timeouts.Store(0)
	t.refusals.Store(0)
}

// outlier says why the target is to be ejected; empty: there is no reason to.
func (t *Target) outlier(now int64) Reason {
	switch {
	case t.timeouts.Load() >= maxTimeouts:
		return Timeouts
	case t.failures.Load() >= maxFailures:
		return ConsecutiveFailures
	}
	if ok, failed := t.outcomes.sum(now); ok+failed >= minRequests && failed >= ok {
		return ErrorRate
	}
	return ""
}

// Parameters of FNV-1a.
const (
	hashOffset = 14695981039346656037
	hashPrime  = 1099511628211
)

// hashString is FNV-1a.
func hashString(s string) uint64 {
	h := uint64(hashOffset)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * hashPrime
	}
	return h
}
