package balance

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/table"
)

func TestRegistry_requestsAndTablesAtTheSameTimeLeaveNothingUnderWay(t *testing.T) {
	w := newWorld(t)
	c := limitedAccount(table.LimitOf(5), table.LimitOf(100_000))
	bind := func(n int) *Route {
		changed := *c
		changed.Secrets = map[string]table.Secret{"api-key": table.NewSecret(strconv.Itoa(n / 10))}
		return w.bind(spec{name: "r", tiers: [][]*table.Target{
			tierOf(target("t0", 1, &changed), target("t1", 5, account("c1"))), tierOf(target("t2", 1, &changed)),
		}})[0]
	}
	var current atomic.Pointer[Route]
	current.Store(bind(0))
	classes := []provider.Class{
		provider.ClassServerError, provider.ClassUnauthorized, provider.ClassTimeout, provider.ClassRateLimited, provider.ClassForbidden,
	}
	var clients sync.WaitGroup
	for g := range 8 {
		clients.Go(func() {
			for n := range 1500 {
				var choice Choice
				var l Lease
				if current.Load().Pick(&choice, &l) < 0 {
					w.pass(time.Second)
					continue
				}
				switch (n + g) % 3 {
				case 0:
					l.Failed(&provider.Error{Class: classes[(n/7)%len(classes)], RetryAfter: time.Duration(n%5) * time.Second})
				case 1:
					l.Answered()
					l.Succeeded()
				default:
					l.Release()
				}
				w.pass(10 * time.Millisecond)
			}
		})
	}
	for n := range 200 {
		current.Store(bind(n))
		w.registry.Ejected()
		w.registry.States(func(string, string, State, int64) {})
	}
	clients.Wait()
	for _, c := range current.Load().candidates {
		if c.state.credential.load.inFlight.Load() != 0 {
			t.Errorf("%s: requests are under way for ever", c.state.id)
		}
	}
}

func BenchmarkPick(b *testing.B) {
	for name, tc := range map[string]struct {
		targets int
		choice  Choice
	}{"one target": {targets: 1}, "three targets": {targets: 3}, "three targets by conversation": {targets: 3, choice: Choice{Sticky: true}}} {
		b.Run(name, func(b *testing.B) {
			r := newBenchmarkRoute(b, tc.targets)
			b.ReportAllocs()
			var l Lease
			for b.Loop() {
				c := tc.choice
				if r.Pick(&c, &l) < 0 {
					b.Fatal("none")
				}
				l.Answered()
				l.Succeeded()
			}
			zeroAllocations(b, func() {
				c := tc.choice
				r.Pick(&c, &l)
				l.Succeeded()
			})
		})
	}
}

func BenchmarkPick_parallel(b *testing.B) {
	r := newBenchmarkRoute(b, 3)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		var l Lease
		for pb.Next() {
			var c Choice
			r.Pick(&c, &l)
			l.Succeeded()
		}
	})
}

// newBenchmarkRoute binds a route with the real clock and dice.
func newBenchmarkRoute(b *testing.B, targets int) *Route {
	b.Helper()
	registry := NewRegistry(Options{Now: time.Now})
	r := &table.Route{Namespace: "ns", Name: "r", Model: "m", Tiers: []table.Tier{{}}}
	for i := range targets {
		t := target(strconv.Itoa(i), 100, account(strconv.Itoa(i)))
		t.ID = "ns/r/" + t.Name
		r.Tiers[0].Targets = append(r.Tiers[0].Targets, t)
	}
	binding := registry.Bind()
	defer binding.Done()
	return binding.Route(r, func(*table.Target) bool { return true })
}

// zeroAllocations fails the benchmark if something allocates.
func zeroAllocations(b *testing.B, f func()) {
	b.Helper()
	if n := testing.AllocsPerRun(100, f); n > 0 {
		b.Errorf("%v allocations", n)
	}
}
