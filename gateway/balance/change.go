package balance

import (
	"log/slog"
	"time"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// change is a change of state that is to be told.
type change struct {
	target     *Target     // whose gate it is; nil for a credential's
	credential *Credential // nil for a target's
	state      State
	reason     Reason
	class      provider.Class
	pause      time.Duration
	// again says that the gate was closed before: what was to decide has failed.
	again bool
	// last says that a target is back because its route has no other.
	last bool
	// affected are the targets that got requests until now.
	affected []*Target
}

// tell logs a change and counts ejections. The caller does not hold mu: a log may be slow.
func (r *Registry) tell(c *change) {
	for _, t := range c.affected {
		r.opts.Ejected(t.model, t.id, c.reason)
	}
	var about []any
	switch {
	case c.target != nil:
		about = append(about, "target", c.target.id, "model", c.target.model)
	case c.credential != nil:
		about = append(about, "credential", c.credential.id)
	default:
		return
	}
	if c.state != Healthy {
		about = append(about, "reason", string(c.reason), "class", c.class.String(), "pause", c.pause.String())
	}
	say, message := c.words()
	say(r.opts.Log, message, about...)
}

// words are what is said of a change, and how loud.
func (c *change) words() (say func(log *slog.Logger, message string, about ...any), message string) {
	switch {
	case c.last:
		return (*slog.Logger).Warn, "Target is back before its time: its route has no other"
	case c.state == Healthy && c.target != nil:
		return (*slog.Logger).Info, "Target is back"
	case c.state == Healthy:
		return (*slog.Logger).Info, "Credential is accepted again"
	case c.again:
		return (*slog.Logger).Info, "Request that was let through has failed"
	case c.state == Ejected:
		return (*slog.Logger).Warn, "Target ejected"
	case c.target != nil:
		return (*slog.Logger).Error, "Target is refused"
	}
	return (*slog.Logger).Error, "Credential is refused; none of its targets gets requests"
}

// succeeded opens the gates that an attempt has passed although they were closed.
func (r *Registry) succeeded(l *Lease) {
	now := r.now()
	t, c := l.target, l.target.credential
	var account, target change
	r.mu.Lock()
	if !c.gate.healthy() && l.account == c.gate.generation.Load() {
		c.refusals.Store(0)
		c.gate.open(now)
		l.account = c.gate.generation.Load()
		account = change{credential: c, state: Healthy}
	}
	if !t.gate.healthy() && l.generation == t.gate.generation.Load() {
		t.ramped.Store(now + int64(slowStart))
		t.open(now)
		l.generation = t.gate.generation.Load()
		target = change{target: t, state: Healthy}
	}
	r.mu.Unlock()
	r.tell(&account)
	r.tell(&target)
}

// open opens a target's gate and forgets what closed it. The caller holds mu.
func (t *Target) open(now int64) {
	t.calmDown()
	t.outcomes.clear()
	t.gate.open(now)
}

// failed counts a failure and draws the consequences.
func (r *Registry) failed(l *Lease, v verdict, class provider.Class, now int64) {
	r.mu.Lock()
	var c change
	switch v {
	case credentialRefused:
		c = r.refusedCredential(l, class, now)
	case targetRefused:
		c = r.refusedTarget(l, class, now)
	default:
		c = r.failedTarget(l, v, class, now)
	}
	r.mu.Unlock()
	r.tell(&c)
}

// refusedCredential counts a refusal of the credential. The caller holds mu.
func (r *Registry) refusedCredential(l *Lease, class provider.Class, now int64) change {
	c := l.target.credential
	if l.account != c.gate.generation.Load() {
		return change{}
	}
	again := !c.gate.healthy()
	c.refused.Store(now)
	if c.refusals.Add(1) < maxRefusals && !again {
		return change{}
	}
	told := change{credential: c, state: Dead, reason: deaths[class], class: class, again: again}
	if !again {
		for _, t := range r.targets {
			if t.credential == c && t.gate.healthy() {
				told.affected = append(told.affected, t)
			}
		}
	}
	told.pause = c.gate.close(now, Dead, told.reason, class, deadPauses, r.opts.Random)
	if c.gone.Load() {
		return change{}
	}
	return told
}

// refusedTarget counts a refusal of the target. The caller holds mu.
func (r *Registry) refusedTarget(l *Lease, class provider.Class, now int64) change {
	t := l.target
	if l.generation != t.gate.generation.Load() {
		return change{}
	}
	again := !t.gate.healthy()
	t.failed.Store(now)
	if t.refusals.Add(1) < maxRefusals && !again {
		return change{}
	}
	return r.close(t, change{target: t, state: Dead, reason: deaths[class], class: class}, deadPauses, now)
}

// failedTarget counts a failure of the target. The last target of its route stays. The caller holds mu.
func (r *Registry) failedTarget(l *Lease, v verdict, class provider.Class, now int64) change {
	t := l.target
	if c := t.credential; !c.gate.healthy() && l.account == c.gate.generation.Load() {
		// The request that was to say whether the credential is accepted said nothing.
		pause := c.gate.close(now, Dead, c.gate.reason, c.gate.class, deadPauses, r.opts.Random)
		return change{credential: c, state: Dead, reason: c.gate.reason, class: class, pause: pause, again: true}
	}
	if l.generation != t.gate.generation.Load() {
		return change{}
	}
	if !t.gate.healthy() {
		state, again := State(t.gate.state.Load()), change{target: t, reason: t.gate.reason, class: class}
		again.state = state
		if state == Dead {
			return r.close(t, again, deadPauses, now)
		}
		return r.close(t, again, ejectedPauses, now)
	}
	t.outcomes.add(now, false)
	t.failed.Store(now)
	t.failures.Add(1)
	if v == timedOut {
		t.timeouts.Add(1)
	}
	reason := t.outlier(now)
	if reason == "" || !l.route.others(t, now) {
		return change{}
	}
	return r.close(t, change{target: t, state: Ejected, reason: reason, class: class}, ejectedPauses, now)
}

// close closes a target's gate as a change says. The caller holds mu.
func (r *Registry) close(t *Target, c change, p pauses, now int64) change {
	was := State(t.gate.state.Load())
	if c.again = was == c.state; !c.again && t.credential.gate.healthy() {
		c.affected = []*Target{t}
	}
	c.pause = t.gate.close(now, c.state, c.reason, c.class, p, r.opts.Random)
	if t.gone.Load() {
		return change{}
	}
	return c
}

// bringBack lets requests through to the ejected targets of a route that has no other. It says whether there were any.
func (r *Route) bringBack(now int64) bool {
	if r.others(nil, now) {
		return false
	}
	var back []*Target
	r.registry.mu.Lock()
	for i := range r.candidates {
		if t := r.candidates[i].state; t != nil && State(t.gate.state.Load()) == Ejected && t.credential.gate.healthy() {
			t.open(now)
			back = append(back, t)
		}
	}
	r.registry.mu.Unlock()
	for _, t := range back {
		r.registry.tell(&change{target: t, state: Healthy, last: true})
	}
	return len(back) > 0
}
