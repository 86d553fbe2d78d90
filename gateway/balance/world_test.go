package balance

import (
	"bytes"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/table"
)

// world is a registry with a clock of the test's own.
type world struct {
	t        *testing.T
	registry *Registry
	clock    time.Time
	mu       sync.Mutex
	log      bytes.Buffer
	ejected  []string
	// held is a lease that a test keeps for a while.
	held *Lease
}

// newWorld returns a world at a fixed time, whose dice always fall the same way.
func newWorld(t *testing.T, change ...func(*Options)) *world {
	t.Helper()
	w := &world{t: t, clock: time.Unix(1_800_000_000, 0)}
	random := rand.New(rand.NewPCG(1, 2))
	o := Options{
		Now: func() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.clock },
		Log: slog.New(slog.NewTextHandler(&locked{w: w}, nil)),
		Random: func(n int) int {
			w.mu.Lock()
			defer w.mu.Unlock()
			return random.IntN(n)
		},
		Ejected: func(model, target string, reason Reason) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.ejected = append(w.ejected, model+" "+target+" "+string(reason))
		},
	}
	for _, c := range change {
		c(&o)
	}
	w.registry = NewRegistry(o)
	return w
}

// locked writes to the world's log.
type locked struct{ w *world }

// Write implements io.Writer.
func (l *locked) Write(p []byte) (int, error) {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	return l.w.log.Write(p)
}

// pass lets time pass.
func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock = w.clock.Add(d)
}

// lines returns what was logged since the last call, without time and level.
func (w *world) lines() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for line := range strings.Lines(w.log.String()) {
		_, message, _ := strings.Cut(strings.TrimSpace(line), "msg=")
		out = append(out, message)
	}
	w.log.Reset()
	return out
}

// spec declares a route: tiers of targets.
type spec struct {
	name  string
	tiers [][]*table.Target
}

// bind binds routes as one table.
func (w *world) bind(specs ...spec) []*Route {
	w.t.Helper()
	b := w.registry.Bind()
	var bound []*Route
	for _, s := range specs {
		r := &table.Route{Namespace: "ns", Name: s.name, Model: s.name}
		for priority, targets := range s.tiers {
			tier := table.Tier{Priority: priority}
			for _, t := range targets {
				own := *t
				own.ID = "ns/" + s.name + "/" + t.Name
				tier.Targets = append(tier.Targets, &own)
				tier.TotalWeight += t.Weight
			}
			r.Tiers = append(r.Tiers, tier)
		}
		bound = append(bound, b.Route(r, func(t *table.Target) bool { return t.Credential != nil }))
	}
	b.Done()
	return bound
}

// route binds one route whose tiers have so many targets, each with a credential of its own.
func (w *world) route(tiers ...int) *Route {
	w.t.Helper()
	s := spec{name: "r"}
	n := 0
	for _, count := range tiers {
		var targets []*table.Target
		for range count {
			targets = append(targets, target("t"+strconv.Itoa(n), 100, account("c"+strconv.Itoa(n))))
			n++
		}
		s.tiers = append(s.tiers, targets)
	}
	return w.bind(s)[0]
}

// target declares a target.
func target(name string, weight int, c *table.Credential) *table.Target {
	return &table.Target{Name: name, Weight: weight, Model: "m", Credential: c}
}

// account declares a credential.
func account(name string) *table.Credential {
	return &table.Credential{Namespace: "ns", Name: name, Secrets: map[string]table.Secret{"api-key": table.NewSecret("s")}}
}

// tier makes a tier of targets.
func tierOf(targets ...*table.Target) []*table.Target { return targets }

// pick makes one attempt and returns its lease and place; -1 for none.
func (w *world) pick(r *Route) (int, *Lease) {
	w.t.Helper()
	var c Choice
	l := &Lease{}
	return r.Pick(&c, l), l
}

// only attempts until it gets a target, gives the others back, and fails if it never does.
func (w *world) only(r *Route, want int) *Lease {
	w.t.Helper()
	var c Choice
	for range r.candidates {
		l := &Lease{}
		i := r.Pick(&c, l)
		if i == want {
			return l
		}
		if i < 0 {
			break
		}
		l.Release()
	}
	w.t.Fatalf("target %d cannot be called", want)
	return nil
}

// fail makes attempts at a target that fail in a class.
func (w *world) fail(r *Route, target, times int, class provider.Class) {
	w.t.Helper()
	for range times {
		w.only(r, target).Failed(&provider.Error{Class: class, Status: 500})
	}
}

// reach returns which targets a call can reach, in their order.
func (w *world) reach(r *Route) []int {
	w.t.Helper()
	var c Choice
	c.paid = true
	var reached []int
	for {
		l := &Lease{}
		i := r.Pick(&c, l)
		c.paid = true // this is a look, no storm
		if i < 0 {
			slices.Sort(reached)
			return reached
		}
		reached = append(reached, i)
		l.Release()
	}
}

// wantReach checks which targets can be called.
func (w *world) wantReach(r *Route, want ...int) {
	w.t.Helper()
	if got := w.reach(r); !slices.Equal(got, want) {
		w.t.Errorf("targets %v can be called, want %v", got, want)
	}
}

// state returns that of a target.
func (w *world) state(id string) State {
	w.t.Helper()
	state := State(-1)
	w.registry.States(func(_, target string, s State, _ int64) {
		if target == id {
			state = s
		}
	})
	return state
}
