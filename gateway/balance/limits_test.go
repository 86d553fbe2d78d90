package balance

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/table"
)

// limitedAccount declares a credential with limits.
func limitedAccount(concurrent, perMinute table.Limit) *table.Credential {
	c := account("c")
	c.Limits = table.Limits{ConcurrentRequests: concurrent, RequestsPerMinute: perMinute}
	return c
}

func TestLimits_concurrencyHoldsOverAllRoutesOfACredential(t *testing.T) {
	w := newWorld(t)
	routes := w.shared(limitedAccount(table.LimitOf(3), table.Limit{}), true)
	var running []*Lease
	for _, r := range []*Route{routes[0], routes[1], routes[0]} {
		running = append(running, w.only(r, 0))
	}
	w.wantReach(routes[0], 1)
	w.wantReach(routes[1], 1)
	running[0].Succeeded()
	w.wantReach(routes[1], 0, 1)
}

func TestLimits_zeroAllowsNothingAndUnsetEverything(t *testing.T) {
	none, zero := table.Limit{}, table.LimitOf(0)
	for name, tc := range map[string]struct {
		concurrent, perMinute table.Limit
		want                  []int
	}{
		"unset":                {none, none, []int{0}},
		"no concurrency":       {zero, none, nil},
		"no rate":              {none, zero, nil},
		"enough of both":       {table.LimitOf(1), table.LimitOf(1), []int{0}},
		"no rate, concurrency": {table.LimitOf(1), zero, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			r := w.shared(limitedAccount(tc.concurrent, tc.perMinute), false)[0]
			if got := w.reach(r); len(got) != len(tc.want) {
				t.Errorf("targets %v can be called, want %v", got, tc.want)
			}
			if o := r.Outlook(); len(tc.want) == 0 && (o.Obstacle != Full || o.Wait <= 0) {
				t.Errorf("outlook %+v", o)
			}
			if n := r.candidates[0].state.credential.load.inFlight.Load(); n != 0 {
				t.Errorf("%d requests under way", n)
			}
		})
	}
}

func TestLimits_noMinuteSeesMoreRequestsThanTheLimit(t *testing.T) {
	const limit = 30
	w := newWorld(t)
	r := w.shared(limitedAccount(table.Limit{}, table.LimitOf(limit)), false)[0]
	var made []time.Time
	for range 10 * 60 * 4 { // ten minutes, four tries a second
		if i, l := w.pick(r); i == 0 {
			made = append(made, w.clock)
			l.Succeeded()
		} else if o := r.Outlook(); o.Obstacle != Full || o.Wait <= 0 || o.Wait > 61*time.Second {
			t.Fatalf("outlook %+v", o)
		}
		w.pass(250 * time.Millisecond)
	}
	for i := range made {
		if i >= limit && made[i].Sub(made[i-limit]) < time.Minute {
			t.Fatalf("%d requests within %v", limit+1, made[i].Sub(made[i-limit]))
		}
	}
	if len(made) < limit*9 {
		t.Errorf("only %d requests in ten minutes", len(made))
	}
}

func TestLimits_theWaitIsAsLongAsItTakes(t *testing.T) {
	w := newWorld(t)
	r := w.shared(limitedAccount(table.Limit{}, table.LimitOf(2)), false)[0]
	for range 2 {
		w.only(r, 0).Succeeded()
		w.pass(10 * time.Second)
	}
	wait := r.Outlook().Wait
	if wait < 40*time.Second || wait > 41*time.Second {
		t.Errorf("wait %v", wait)
	}
	w.pass(wait - time.Millisecond)
	w.wantReach(r)
	w.pass(time.Millisecond)
	if o := r.Outlook(); o.Obstacle != NoObstacle || o.Wait != 0 {
		t.Errorf("outlook %+v", o)
	}
	w.wantReach(r, 0)
}

func TestLimits_whatWasNeverSentDoesNotCount(t *testing.T) {
	w := newWorld(t)
	r := w.shared(limitedAccount(table.LimitOf(1), table.LimitOf(1)), false)[0]
	for range 5 {
		w.only(r, 0).Unsent()
	}
	w.only(r, 0).Succeeded()
	w.wantReach(r)
}

func TestLimits_areSharedByReplicas(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Replicas = func() int { return 3 } })
	r := w.shared(limitedAccount(table.LimitOf(10), table.LimitOf(4)), false)[0]
	w.only(r, 0)
	w.only(r, 0)
	w.wantReach(r) // two of four in this minute: a third, rounded up
	w.pass(2 * time.Minute)
	w.only(r, 0)
	w.only(r, 0)
	w.pass(2 * time.Minute)
	w.wantReach(r) // four of ten at a time
}

func TestLimits_whatIsUnderWayStaysSoWhenTheSecretChanges(t *testing.T) {
	w := newWorld(t)
	c := limitedAccount(table.LimitOf(1), table.Limit{})
	running := w.only(w.shared(c, true)[0], 0)
	changed := *c
	changed.Secrets = map[string]table.Secret{"api-key": table.NewSecret("new")}
	r := w.shared(&changed, true)[0]
	w.wantReach(r, 1)
	running.Succeeded()
	w.wantReach(r, 0, 1)
}

func TestLimits_holdUnderConcurrency(t *testing.T) {
	const limit = 7
	w := newWorld(t)
	r := w.shared(limitedAccount(table.LimitOf(limit), table.LimitOf(400)), false)[0]
	var running, peak, made atomic.Int64
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 200 {
				var c Choice
				var l Lease
				if r.Pick(&c, &l) < 0 {
					continue
				}
				made.Add(1)
				n := running.Add(1)
				for p := peak.Load(); n > p && !peak.CompareAndSwap(p, n); p = peak.Load() {
				}
				running.Add(-1)
				l.Succeeded()
			}
		})
	}
	wg.Wait()
	if peak.Load() > limit || made.Load() > 400 {
		t.Errorf("%d requests at a time, %d in a minute", peak.Load(), made.Load())
	}
}

func TestRetries_areAFifthOfTheRequestsAndAFloor(t *testing.T) {
	w := newWorld(t)
	r := w.route(2)
	repeat := func(n int) (repeated int) {
		for range n {
			var c Choice
			for range 2 {
				var l Lease
				if i := r.Pick(&c, &l); i >= 0 {
					l.Release()
				}
			}
			if !c.Exhausted {
				repeated++
			}
		}
		return repeated
	}
	if got := repeat(20); got != retryFloor {
		t.Errorf("%d of 20 requests were repeated, want %d", got, retryFloor)
	}
	w.pass(20 * time.Second)
	got := repeat(500)
	if got < 99 || got > 101 {
		t.Errorf("%d of 500 requests were repeated, want a fifth", got)
	}
	w.pass(20 * time.Second)
	if got := repeat(5); got != 5 {
		t.Errorf("%d of 5 requests were repeated after a pause", got)
	}
}

func TestRetries_anUnhealthyTargetCostsNone(t *testing.T) {
	w := newWorld(t)
	r := w.route(1, 1)
	w.fail(r, 0, maxFailures, provider.ClassServerError)
	for range 100 {
		i, l := w.pick(r)
		if i != 1 {
			t.Fatalf("target %d serves", i)
		}
		l.Succeeded()
	}
}

func TestRetries_survivesTables(t *testing.T) {
	w := newWorld(t)
	if a, b := w.route(1).retries, w.route(2).retries; a != b {
		t.Error("another table, another budget")
	}
}

func TestWindow_forgetsInTime(t *testing.T) {
	w := newWindow(10, 10)
	for now := range int64(1000) {
		if first, _ := w.sum(now + 1000); first > 100 {
			t.Fatalf("at %d: %d", now, first)
		}
		w.add(now+1000, true)
	}
	if first, second := w.sum(1999); first != 100 || second != 0 {
		t.Errorf("%d, %d", first, second)
	}
	if first, _ := w.sum(1999 + 101); first != 0 {
		t.Errorf("%d are left", first)
	}
}

func TestWindow_saturates(t *testing.T) {
	w := newWindow(1, 1_000_000)
	for range 70_000 {
		w.add(1, false)
		w.add(1, true)
	}
	if first, second := w.sum(1); first != countMask || second != countMask {
		t.Errorf("%d, %d", first, second)
	}
}

func TestWindow_takesBackNoMoreThanThereIs(t *testing.T) {
	w := newWindow(2, 10)
	w.add(5, true)
	w.add(5, false)
	for range 3 {
		w.takeBack(5)
		w.takeBack(15)
	}
	if first, second := w.sum(5); first != 0 || second != 1 {
		t.Errorf("%d, %d", first, second)
	}
}
