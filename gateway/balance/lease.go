package balance

import (
	"vipcloud.ai/vipcloud/gateway/provider"
)

// Lease is one attempt at a target. The zero Lease is one that has ended. It is used by one goroutine.
type Lease struct {
	route   *Route
	target  *Target
	started int64
	// generation and account are those of the target's and the credential's gates when the attempt began.
	generation, account uint32
	// probe and accountProbe are what the gates are left with.
	probe, accountProbe int64
}

// Answered says that the first byte of a good answer is there. A target that was waited for is back from here on, however long the answer
// takes.
func (l *Lease) Answered() {
	if l.target == nil {
		return
	}
	if !l.target.gate.healthy() || !l.target.credential.gate.healthy() {
		l.route.registry.succeeded(l)
	}
}

// Succeeded ends the attempt: the answer was whole.
func (l *Lease) Succeeded() {
	t := l.target
	if t == nil {
		return
	}
	l.Answered()
	if l.generation == t.gate.generation.Load() {
		t.outcomes.add(l.route.registry.now(), true)
		// A long answer that began before the last failure does not speak for the target now.
		if t.troubled() && l.started >= t.failed.Load() {
			t.calmDown()
		}
	}
	if c := t.credential; c.refusals.Load() > 0 && l.account == c.gate.generation.Load() && l.started >= c.refused.Load() {
		c.refusals.Store(0)
	}
	l.Release()
}

// troubled says that something was counted in a row.
func (t *Target) troubled() bool { return t.failures.Load() != 0 || t.refusals.Load() != 0 }

// Failed ends the attempt: the upstream failed. What follows is decided by the class of the failure; a pause that the vendor asks for is
// kept. Failures that are not the upstream's must not be reported here, but by Release.
func (l *Lease) Failed(e *provider.Error) {
	if l.target == nil {
		return
	}
	if v := judge(e.Class); v != nothing {
		now := l.route.registry.now()
		switch {
		case e.RetryAfter > 0:
			l.target.pause(now, e.RetryAfter, e.Class)
		case v == limited:
			l.target.avoided.Store(now + int64(shortPause))
		}
		if v != limited {
			l.route.registry.failed(l, v, e.Class, now)
		}
	}
	l.Release()
}

// Unsent ends an attempt that came to nothing before the upstream saw anything of it.
func (l *Lease) Unsent() {
	if l.target == nil {
		return
	}
	l.target.credential.load.minute.takeBack(l.started)
	l.Release()
}

// Release ends the attempt without a word on how the upstream did. It does nothing if the attempt has ended already.
func (l *Lease) Release() {
	t := l.target
	if t == nil {
		return
	}
	l.target = nil
	t.gate.leave(l.probe)
	t.credential.gate.leave(l.accountProbe)
	t.inFlight.Add(-1)
	t.credential.load.leave()
}
