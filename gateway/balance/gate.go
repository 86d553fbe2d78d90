package balance

import (
	"sync/atomic"
	"time"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// State says what requests a target gets. The numbers are those of the metric vipcloud_target_state.
type State int32

const (
	// Healthy targets get requests.
	Healthy State = iota
	// HalfOpen targets get one request, which decides.
	HalfOpen
	// Ejected targets get none for a while.
	Ejected
	// Dead targets are sure to fail; they get one request now and then.
	Dead
)

// pauses are how long a gate is closed: first, then twice as long each time, up to most.
type pauses struct{ first, most time.Duration }

const (
	// probeTime is how long the request that decides may keep others from trying: long generations show nothing before they end.
	probeTime = 30 * time.Second
	// calm is how long a gate must have been open for its next pause to be the first one again.
	calm = 5 * time.Minute
)

// Pauses of ejected and of dead gates.
var (
	ejectedPauses = pauses{first: 10 * time.Second, most: 5 * time.Minute}
	deadPauses    = pauses{first: 30 * time.Second, most: 10 * time.Minute}
)

// gate lets requests through. Once closed it lets none through for a pause, and then one at a time, until one of them opens it.
// All times are nanoseconds since the registry's epoch.
type gate struct {
	// state is Healthy, Ejected or Dead; that a gate is half-open follows from the time.
	state atomic.Int32
	// opens is when a closed gate lets a request through.
	opens atomic.Int64
	// probe is until when that one request keeps others out.
	probe atomic.Int64
	// generation changes with every change of state. What began in an earlier generation says nothing about this one.
	generation atomic.Uint32

	// The rest is guarded by Registry.mu.

	// reason and class are why it is closed, since when.
	reason Reason
	class  provider.Class
	since  int64
	// closings counts pauses in a row, opened is when it was last opened.
	closings int
	opened   int64
}

// healthy says that the gate lets every request through.
func (g *gate) healthy() bool { return State(g.state.Load()) == Healthy }

// lets says whether a request may pass now.
func (g *gate) lets(now int64) bool {
	return g.healthy() || g.opens.Load() <= now && g.probe.Load() <= now
}

// enter passes the gate. The token, if it is not 0, is to be given to leave: the request is the one that decides.
func (g *gate) enter(now int64) (token int64, ok bool) {
	if g.healthy() {
		return 0, true
	}
	taken := g.probe.Load()
	if g.opens.Load() > now || taken > now {
		return 0, false
	}
	token = now + int64(probeTime)
	return token, g.probe.CompareAndSwap(taken, token)
}

// leave makes room for another request that decides.
func (g *gate) leave(token int64) {
	if token != 0 {
		g.probe.CompareAndSwap(token, 0)
	}
}

// shown is the state as others see it.
func (g *gate) shown(now int64) State {
	s := State(g.state.Load())
	if s == Ejected && g.opens.Load() <= now {
		return HalfOpen
	}
	return s
}

// close closes the gate, or closes it again after the request that was to decide has failed. It returns the pause. The caller holds
// Registry.mu.
func (g *gate) close(now int64, state State, reason Reason, class provider.Class, p pauses, random Random) time.Duration {
	if g.healthy() {
		g.since = now
		if now-g.opened > int64(calm) {
			g.closings = 0
		}
	}
	pause := p.most
	if g.closings < 16 {
		pause = min(p.first<<g.closings, p.most)
	}
	g.closings++
	pause = jittered(pause, random)
	g.reason, g.class = reason, class
	g.opens.Store(now + int64(pause))
	g.probe.Store(0)
	g.state.Store(int32(state))
	g.generation.Add(1)
	return pause
}

// open opens the gate. The caller holds Registry.mu.
func (g *gate) open(now int64) {
	g.opened = now
	g.state.Store(int32(Healthy))
	g.generation.Add(1)
}

// jittered is a pause, a fifth shorter or longer, so that replicas do not return to a vendor all at once.
func jittered(pause time.Duration, random Random) time.Duration {
	const steps = 1000
	return pause*4/5 + pause*2/5*time.Duration(random(steps))/steps
}
