package balance

import (
	"math"

	"vipcloud.ai/vipcloud/gateway/table"
)

// MaxTargets is how many targets of a route are used; the schema allows no more than 16.
const MaxTargets = 64

// tried is a set of targets of one route, by their places.
type tried uint64

// add puts a target in.
func (t *tried) add(i int) { *t |= 1 << i }

// has says whether a target is in.
func (t tried) has(i int) bool { return t&(1<<i) != 0 }

// Route is what a route's targets are chosen from. It belongs to one table, the state of its targets to all of them. Safe for concurrent
// use.
type Route struct {
	registry   *Registry
	candidates []candidate // in the order of tiers
	tiers      []tier
	retries    *retries
}

// candidate is a target as a table declares it. One without state cannot be used.
type candidate struct {
	state  *Target
	weight int
	limits limits
}

// tier is a range of candidates.
type tier struct{ begin, end int }

// Route binds a route. Targets that usable refuses keep their place and are never chosen, like those beyond MaxTargets.
func (b *Binding) Route(r *table.Route, usable func(*table.Target) bool) *Route {
	bound := &Route{registry: b.registry, retries: b.budget(r)}
	for i := range r.Tiers {
		begin := len(bound.candidates)
		for _, t := range r.Tiers[i].Targets {
			c := candidate{}
			if len(bound.candidates) < MaxTargets && usable(t) {
				c.state, c.weight = b.target(r, t), t.Weight
				l := t.Credential.Limits
				c.limits = limits{concurrent: l.ConcurrentRequests, perMinute: l.RequestsPerMinute, replicas: b.registry.opts.Replicas}
			}
			bound.candidates = append(bound.candidates, c)
		}
		bound.tiers = append(bound.tiers, tier{begin: begin, end: min(len(bound.candidates), MaxTargets)})
	}
	return bound
}

// Choice is how far one call has come with one route. The zero Choice has tried nothing. It is used by one goroutine.
type Choice struct {
	// Conversation chooses the target, if Sticky is set: equal ones go to the same target while that can be called.
	Conversation uint64
	Sticky       bool
	// Exhausted is set by Pick when there was a target, but repeating more requests of this route is not allowed now.
	Exhausted bool

	tried tried
	// begun says that the call has had a target of this route, paid that the next one is within the budget of retries.
	begun, paid bool
}

// Pick chooses a target that the call has not had yet, and leases it. The result is its place among the route's targets in the order of
// tiers, or -1 if none can be called now.
func (r *Route) Pick(c *Choice, l *Lease) int {
	now := r.registry.now()
	i := r.find(c, l, now, false)
	if i < 0 && !c.Exhausted {
		i = r.find(c, l, now, true)
	}
	if i < 0 && !c.Exhausted && r.bringBack(now) {
		i = r.find(c, l, now, true)
	}
	if i < 0 {
		return -1
	}
	c.tried.add(i)
	if !c.begun {
		r.retries.began(now)
	}
	c.begun, c.paid = true, false
	return i
}

// find goes through the tiers. Unless it must, it leaves targets out that had better be spared.
func (r *Route) find(c *Choice, l *Lease, now int64, must bool) int {
	skip := c.tried
	for n := range r.tiers {
		for {
			i := r.choose(n, skip, c, now, must)
			if i < 0 {
				break
			}
			if c.begun && !c.paid {
				if c.paid = r.retries.take(now); !c.paid {
					c.Exhausted = true
					return -1
				}
			}
			if r.lease(i, now, l) {
				return i
			}
			skip.add(i)
		}
	}
	return -1
}

// field is the targets of a tier that can be called, by weight.
type field struct {
	weights [MaxTargets]int32
	// total is the sum of weights, full what it will be when all have fully returned.
	total, full int
	count, last int
	// ramping says that all of them have just returned.
	ramping bool
}

// survey finds the targets of a tier that can be called.
func (r *Route) survey(t tier, f *field, skip tried, now int64, must bool) {
	f.ramping = true
	for i := t.begin; i < t.end; i++ {
		c := &r.candidates[i]
		if c.state == nil || skip.has(i) || !c.state.lets(now, must) {
			continue
		}
		ramp := c.state.ramp(now)
		weight := c.weight * ramp
		f.weights[i] = int32(weight)
		f.total += weight
		f.full += c.weight * rampSteps
		f.count++
		f.last = i
		f.ramping = f.ramping && ramp < rampSteps
	}
}

// choose returns a target of a tier, or -1 if there is none to choose.
func (r *Route) choose(n int, skip tried, c *Choice, now int64, must bool) int {
	var f field
	t := r.tiers[n]
	r.survey(t, &f, skip, now, must)
	switch {
	case f.count == 0, !must && f.ramping && n+1 < len(r.tiers) && r.spills(&f, c):
		return -1
	case f.count == 1:
		return f.last
	case c.Sticky:
		return r.byConversation(t, &f, c.Conversation)
	}
	return r.byWeight(t, &f)
}

// spills says that a request goes to the next tier, because all targets of this one have just returned.
func (r *Route) spills(f *field, c *Choice) bool {
	if c.Sticky {
		return int(mix(c.Conversation)%uint64(f.full)) >= f.total
	}
	return r.registry.opts.Random(f.full) >= f.total
}

// byWeight draws two targets and takes the first one, unless the second has less under way for its weight.
func (r *Route) byWeight(t tier, f *field) int {
	first := f.draw(t, r.registry.opts.Random(f.total), -1)
	load := r.candidates[first].state.inFlight.Load()
	if load == 0 {
		return first
	}
	second := f.draw(t, r.registry.opts.Random(f.total-int(f.weights[first])), first)
	if r.candidates[second].state.inFlight.Load()*int64(f.weights[first]) < load*int64(f.weights[second]) {
		return second
	}
	return first
}

// draw returns the target at which a number runs out, not counting one.
func (f *field) draw(t tier, n, but int) int {
	for i := t.begin; i < t.end; i++ {
		if i == but {
			continue
		}
		if n -= int(f.weights[i]); n < 0 {
			return i
		}
	}
	return f.last
}

// byConversation returns the target whose score for a conversation is best. Scores are independent of each other, so a target that is
// gone moves only its own conversations, and shares follow the weights.
func (r *Route) byConversation(t tier, f *field, conversation uint64) int {
	best, least := f.last, math.Inf(1)
	for i := t.begin; i < t.end; i++ {
		if f.weights[i] == 0 {
			continue
		}
		const steps = 1 << 53
		u := (float64(mix(conversation^r.candidates[i].state.hash)>>11) + 0.5) / steps
		if score := -math.Log(u) / float64(f.weights[i]); score < least {
			best, least = i, score
		}
	}
	return best
}

// mix spreads the bits of a hash: the last steps of SplitMix64.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// lease takes a target, unless another request was quicker or its credential has no room.
func (r *Route) lease(i int, now int64, l *Lease) bool {
	c := &r.candidates[i]
	t := c.state
	generation, account := t.gate.generation.Load(), t.credential.gate.generation.Load()
	probe, ok := t.gate.enter(now)
	if !ok {
		return false
	}
	accountProbe, ok := t.credential.gate.enter(now)
	if !ok {
		t.gate.leave(probe)
		return false
	}
	if !t.credential.load.take(now, &c.limits) {
		t.gate.leave(probe)
		t.credential.gate.leave(accountProbe)
		return false
	}
	t.inFlight.Add(1)
	*l = Lease{
		route: r, target: t, started: now, generation: generation, account: account, probe: probe, accountProbe: accountProbe,
	}
	return true
}

// others says whether a route has a target beside one that nothing is known to be wrong with.
func (r *Route) others(t *Target, now int64) bool {
	for i := range r.candidates {
		if o := r.candidates[i].state; o != nil && o != t && o.sound(now) {
			return true
		}
	}
	return false
}
