package balance

import (
	"time"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// Obstacle says why a route's targets cannot be called.
type Obstacle int

const (
	// NoObstacle means that one of them can be.
	NoObstacle Obstacle = iota
	// Full means that their credentials have as many requests as they may.
	Full
	// Paused means that their vendors asked for a pause.
	Paused
	// Closed means that they are ejected, or that others find out whether they still fail.
	Closed
	// Refused means that their vendors refuse the credentials or models.
	Refused
	// NoTargets means that there are none.
	NoTargets
)

// Outlook is when a route can be called again, and why not before.
type Outlook struct {
	// Obstacle is that of the target that will be there first.
	Obstacle Obstacle
	// Wait is the time until then; of no meaning for Refused and NoTargets.
	Wait time.Duration
	// Class is what the vendor said, for Paused and Refused.
	Class provider.Class
}

// Outlook looks at all targets of the route.
func (r *Route) Outlook() Outlook {
	now := r.registry.now()
	best := Outlook{Obstacle: NoTargets}
	for i := range r.candidates {
		c := &r.candidates[i]
		if c.state == nil {
			continue
		}
		if o := r.outlook(c, now); o.Before(best) {
			best = o
		}
	}
	return best
}

// Before says whether o is the better one: what only time mends comes before what somebody must mend.
func (o Outlook) Before(other Outlook) bool {
	if o.beyondTime() || other.beyondTime() {
		return o.Obstacle < other.Obstacle
	}
	return o.Wait < other.Wait
}

// beyondTime says that waiting does not help.
func (o Outlook) beyondTime() bool { return o.Obstacle >= Refused }

// outlook looks at one target.
func (r *Route) outlook(c *candidate, now int64) Outlook {
	t := c.state
	g, state := t.closed(now)
	switch {
	case state == Dead:
		return Outlook{Obstacle: Refused, Class: r.registry.classOf(g)}
	case t.paused.Load() > now:
		return Outlook{Obstacle: Paused, Wait: time.Duration(t.paused.Load() - now), Class: provider.Class(t.pausedBy.Load())}
	case state != Healthy:
		return Outlook{Obstacle: Closed, Wait: max(time.Duration(g.opens.Load()-now), busyWait)}
	}
	if wait := t.credential.load.wait(now, &c.limits); wait > 0 {
		return Outlook{Obstacle: Full, Wait: wait}
	}
	return Outlook{}
}

// classOf is why a gate is closed.
func (r *Registry) classOf(g *gate) provider.Class {
	r.mu.Lock()
	defer r.mu.Unlock()
	return g.class
}
