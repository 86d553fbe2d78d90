package balance

import (
	"cmp"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"vipcloud.ai/vipcloud/gateway/table"
)

// Random gives a number in [0, n). *rand.Rand's IntN and that of math/rand/v2 fit.
type Random func(n int) int

// Options of a Registry.
type Options struct {
	// Now is the clock. Required.
	Now func() time.Time
	// Log gets a line for every change of state. Required.
	Log *slog.Logger
	// Ejected is called for each target that was ejected or has died, once. It must not block. Default: nothing.
	Ejected func(model, target string, reason Reason)
	// Replicas is how many gateways share the limits of credentials, at least 1. Default: one.
	Replicas func() int
	// Random spreads requests and pauses. Default: math/rand/v2.
	Random Random
}

// Registry keeps the state of all targets and credentials by their identity. It is safe for concurrent use, but for Bind.
type Registry struct {
	opts  Options
	epoch time.Time

	// mu guards the maps and every change of state. It is not taken by requests that succeed.
	mu          sync.Mutex
	targets     map[string]*Target
	credentials map[string]*Credential
	retries     map[string]*retries
}

// NewRegistry returns a Registry that knows nothing yet.
func NewRegistry(opts Options) *Registry {
	if opts.Ejected == nil {
		opts.Ejected = func(string, string, Reason) {}
	}
	if opts.Replicas == nil {
		opts.Replicas = func() int { return 1 }
	}
	if opts.Random == nil {
		opts.Random = rand.IntN
	}
	// Times begin far enough from zero for zero to be long ago.
	return &Registry{opts: opts, epoch: opts.Now().Add(-time.Hour)}
}

// now is the time since the epoch.
func (r *Registry) now() int64 { return int64(r.opts.Now().Sub(r.epoch)) }

// Binding collects what a table uses. It is used by one goroutine.
type Binding struct {
	registry    *Registry
	targets     map[string]*Target
	credentials map[string]*Credential
	retries     map[string]*retries
}

// Bind begins to bind a table. Only one binding is under way at a time.
func (r *Registry) Bind() *Binding {
	return &Binding{
		registry: r, targets: map[string]*Target{}, credentials: map[string]*Credential{}, retries: map[string]*retries{},
	}
}

// credential returns the state of a credential: the one that is known, unless what it stands for has changed.
func (b *Binding) credential(c *table.Credential) *Credential {
	if known := b.credentials[c.ID()]; known != nil {
		return known
	}
	old := b.registry.credentials[c.ID()]
	var state *Credential
	switch {
	case old == nil:
		state = newCredential(c, newLoad())
	case old.same(c):
		state = old
	default:
		state = newCredential(c, old.load)
	}
	b.credentials[c.ID()] = state
	return state
}

// target returns the state of a target, likewise.
func (b *Binding) target(r *table.Route, t *table.Target) *Target {
	credential := b.credential(t.Credential)
	state := b.registry.targets[t.ID]
	if state == nil || !state.same(r, t, credential) {
		state = newTarget(r, t, credential)
	}
	b.targets[t.ID] = state
	return state
}

// budget returns the retries of a route.
func (b *Binding) budget(r *table.Route) *retries {
	id := r.Namespace + "/" + r.Name
	budget := b.registry.retries[id]
	if budget == nil {
		budget = newRetries()
	}
	b.retries[id] = budget
	return budget
}

// Done makes what was bound the registry's, and forgets the rest. Requests under way at something forgotten end in peace.
func (b *Binding) Done() {
	r := b.registry
	r.mu.Lock()
	var revived []*Credential
	for id, old := range r.credentials {
		if b.credentials[id] != old {
			old.gone.Store(true)
			if b.credentials[id] != nil && !old.gate.healthy() {
				revived = append(revived, old)
			}
		}
	}
	for id, old := range r.targets {
		if b.targets[id] != old {
			old.gone.Store(true)
		}
	}
	r.targets, r.credentials, r.retries = b.targets, b.credentials, b.retries
	r.mu.Unlock()
	for _, c := range revived {
		r.opts.Log.Info("Credential was changed and is used again", "credential", c.id)
	}
}

// Ejection is a target that gets no requests, or one now and then.
type Ejection struct {
	// Target is namespace/route/name, Credential namespace/name, Model the public name of the route.
	Target, Credential, Model string
	// State is HalfOpen, Ejected or Dead.
	State State
	// Reason is why.
	Reason Reason
	// Since is when it began. Until is when a request is let through; zero for the dead, for whom requests are but probes.
	Since, Until time.Time
}

// Ejected lists the targets that get no requests at the moment, by their names. It is what a replica reports.
func (r *Registry) Ejected() []Ejection {
	now := r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []Ejection
	for _, t := range r.targets {
		g, state := t.closed(now)
		if g == nil {
			continue
		}
		e := Ejection{
			Target: t.id, Credential: t.credential.id, Model: t.model, State: state, Reason: g.reason,
			Since: r.epoch.Add(time.Duration(g.since)),
		}
		if state != Dead {
			e.Until = r.epoch.Add(time.Duration(g.opens.Load()))
		}
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b Ejection) int { return cmp.Compare(a.Target, b.Target) })
	return list
}

// closed returns the gate that keeps requests from a target, its credential's first, and the state that follows; nil for none.
func (t *Target) closed(now int64) (*gate, State) {
	for _, g := range []*gate{&t.credential.gate, &t.gate} {
		if s := g.shown(now); s != Healthy {
			return g, s
		}
	}
	return nil, Healthy
}

// States calls yield with the state of every target and the requests under way there, in no order.
func (r *Registry) States(yield func(model, target string, state State, inFlight int64)) {
	now := r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range r.targets {
		_, state := t.closed(now)
		yield(t.model, t.id, state, t.inFlight.Load())
	}
}
