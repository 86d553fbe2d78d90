package balance

import (
	"slices"
	"strings"
	"testing"
	"time"

	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/table"
)

func TestEjection_whatCountsIsDecidedByTheClass(t *testing.T) {
	for class, want := range map[provider.Class]Reason{
		provider.ClassServerError: ConsecutiveFailures, provider.ClassOverloaded: ConsecutiveFailures,
		provider.ClassNetwork: ConsecutiveFailures, provider.ClassBadResponse: ConsecutiveFailures,
		provider.ClassTimeout: Timeouts, provider.Class(99): ConsecutiveFailures,
		provider.ClassInvalidRequest: "", provider.ClassContextLength: "", provider.ClassModeration: "", provider.ClassRateLimited: "",
		provider.ClassUnauthorized: CredentialRefused, provider.ClassNoBalance: NoBalance, provider.ClassForbidden: Forbidden,
		provider.ClassModelNotFound: ModelNotFound, provider.ClassQuotaExhausted: QuotaExhausted,
	} {
		t.Run(class.String(), func(t *testing.T) {
			w := newWorld(t)
			r := w.route(2)
			for range 40 {
				l := &Lease{}
				var c Choice
				for i := r.Pick(&c, l); i == 1; i = r.Pick(&c, l) {
					l.Release()
					c.paid = true
				}
				l.Failed(&provider.Error{Class: class})
				w.pass(2 * shortPause)
				if w.state("ns/r/t0") != Healthy {
					break
				}
			}
			got := Reason("")
			for _, e := range w.registry.Ejected() {
				got = e.Reason
			}
			if got != want {
				t.Errorf("ejected for %q, want %q", got, want)
			}
		})
	}
}

func TestEjection_takesSoManyFailuresInARow(t *testing.T) {
	for name, tc := range map[string]struct {
		class provider.Class
		times int
	}{
		"failures": {provider.ClassServerError, maxFailures},
		"timeouts": {provider.ClassTimeout, maxTimeouts},
		"refusals": {provider.ClassForbidden, maxRefusals},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			r := w.route(2)
			w.fail(r, 0, tc.times-1, tc.class)
			w.wantReach(r, 0, 1)
			w.only(r, 0).Succeeded()
			w.fail(r, 0, tc.times-1, tc.class)
			w.wantReach(r, 0, 1)
			if lines := w.lines(); len(lines) > 0 {
				t.Errorf("logged without a change of state: %q", lines)
			}
			w.fail(r, 0, 1, tc.class)
			w.wantReach(r, 1)
			if lines := w.lines(); len(lines) != 1 {
				t.Errorf("one change of state, %d lines: %q", len(lines), lines)
			}
		})
	}
}

func TestEjection_byErrorRate(t *testing.T) {
	w := newWorld(t)
	r := w.route(2)
	for range minRequests/2 - 1 {
		w.fail(r, 0, 1, provider.ClassServerError)
		w.only(r, 0).Succeeded()
	}
	w.only(r, 0).Succeeded()
	w.wantReach(r, 0, 1) // 19 requests are too few
	w.fail(r, 0, 1, provider.ClassServerError)
	w.wantReach(r, 1)
	if e := w.registry.Ejected(); len(e) != 1 || e[0].Reason != ErrorRate {
		t.Errorf("ejected: %+v", e)
	}
}

func TestEjection_oldFailuresLeaveTheErrorRate(t *testing.T) {
	w := newWorld(t)
	r := w.route(2)
	for range 40 {
		w.fail(r, 0, 1, provider.ClassServerError)
		w.only(r, 0).Succeeded()
		w.pass(4 * time.Second)
	}
	w.wantReach(r, 0, 1)
}

func TestEjection_endsWithOneRequestWhichDecides(t *testing.T) {
	w := newWorld(t)
	r := w.route(1, 1)
	w.fail(r, 0, maxFailures, provider.ClassServerError)
	if w.state("ns/r/t0") != Ejected {
		t.Fatal("not ejected")
	}
	w.pass(ejectedPauses.first * 13 / 10)
	if w.state("ns/r/t0") != HalfOpen {
		t.Fatal("not half-open")
	}
	probe := w.only(r, 0)
	w.wantReach(r, 1) // one at a time
	probe.Failed(&provider.Error{Class: provider.ClassServerError})
	w.wantReach(r, 1)
	if w.state("ns/r/t0") != Ejected {
		t.Fatal("a failed probe does not eject again")
	}
	w.pass(ejectedPauses.first * 13 / 10)
	w.wantReach(r, 1) // the second pause is twice as long
	w.pass(ejectedPauses.first * 13 / 10)
	probe = w.only(r, 0)
	probe.Answered()
	if w.state("ns/r/t0") != Healthy {
		t.Fatal("the first byte of the probe's answer does not open the gate")
	}
	w.wantReach(r, 0, 1)
	probe.Succeeded()
	want := []string{"Target ejected", "Request that was let through has failed", "Target is back"}
	lines := w.lines()
	if len(lines) != len(want) {
		t.Fatalf("logged %q", lines)
	}
	for i := range want {
		if !strings.Contains(lines[i], want[i]) {
			t.Errorf("line %d is %q, want %q", i, lines[i], want[i])
		}
	}
	if !slices.Equal(w.ejected, []string{"r ns/r/t0 consecutive_failures"}) {
		t.Errorf("counted %q", w.ejected)
	}
}

func TestEjection_aProbeThatSaysNothingLetsTheNextOneIn(t *testing.T) {
	for name, end := range map[string]func(*Lease){
		"client's fault": func(l *Lease) { l.Failed(&provider.Error{Class: provider.ClassModeration}) },
		"client gone":    (*Lease).Release,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			r := w.route(1, 1)
			w.fail(r, 0, maxFailures, provider.ClassServerError)
			w.pass(time.Minute)
			end(w.only(r, 0))
			if w.state("ns/r/t0") != HalfOpen {
				t.Errorf("state %v", w.state("ns/r/t0"))
			}
			w.only(r, 0).Succeeded()
			if w.state("ns/r/t0") != Healthy {
				t.Errorf("state %v", w.state("ns/r/t0"))
			}
		})
	}
}

func TestEjection_aProbeThatTakesLongHoldsUpNoOther(t *testing.T) {
	w := newWorld(t)
	r := w.route(1, 1)
	w.fail(r, 0, maxFailures, provider.ClassServerError)
	w.pass(time.Minute)
	slow := w.only(r, 0)
	w.wantReach(r, 1)
	w.pass(probeTime)
	second := w.only(r, 0)
	second.Succeeded()
	slow.Failed(&provider.Error{Class: provider.ClassTimeout})
	if w.state("ns/r/t0") != Healthy {
		t.Error("what began before the target came back counts against it")
	}
}

func TestEjection_pausesGrowToACapAndBeginAnewAfterCalm(t *testing.T) {
	w := newWorld(t)
	r := w.route(1, 1)
	w.fail(r, 0, maxFailures, provider.ClassServerError)
	pause := func() time.Duration {
		g := &r.candidates[0].state.gate
		return time.Duration(g.opens.Load() - w.registry.now())
	}
	want := ejectedPauses.first
	for range 12 {
		if got := pause(); got < want*8/10 || got > want*12/10 {
			t.Fatalf("pause %v, want about %v", got, want)
		}
		w.pass(pause())
		w.only(r, 0).Failed(&provider.Error{Class: provider.ClassServerError})
		want = min(want*2, ejectedPauses.most)
	}
	w.pass(pause())
	w.only(r, 0).Succeeded()
	w.fail(r, 0, maxFailures, provider.ClassServerError)
	if got := pause(); got < ejectedPauses.most*8/10 {
		t.Errorf("pause %v right after a return, want the longest", got)
	}
	w.pass(pause())
	w.only(r, 0).Succeeded()
	w.pass(calm + time.Second)
	w.fail(r, 0, maxFailures, provider.ClassServerError)
	if got := pause(); got > ejectedPauses.first*12/10 {
		t.Errorf("pause %v after calm, want the first", got)
	}
}

func TestEjection_sparesTheLastTarget(t *testing.T) {
	w := newWorld(t)
	single := w.bind(spec{name: "single", tiers: [][]*table.Target{tierOf(target("t0", 1, account("c")))}})[0]
	w.fail(single, 0, 100, provider.ClassServerError)
	w.fail(single, 0, 100, provider.ClassTimeout)
	w.wantReach(single, 0)

	r := w.route(1, 1)
	w.fail(r, 0, maxFailures, provider.ClassServerError)
	w.fail(r, 1, 50, provider.ClassServerError)
	w.wantReach(r, 1)
	w.pass(time.Minute)
	w.only(r, 0).Succeeded()
	w.fail(r, 1, 1, provider.ClassServerError)
	w.wantReach(r, 0) // now there is another
	if got := w.registry.Ejected(); len(got) != 1 || got[0].Target != "ns/r/t1" {
		t.Errorf("ejected: %+v", got)
	}
}

func TestEjection_endsAtOnceWhenTheTargetBecomesTheLast(t *testing.T) {
	w := newWorld(t)
	r := w.route(1, 1)
	w.fail(r, 0, maxFailures, provider.ClassServerError)
	w.wantReach(r, 1)
	w.fail(r, 1, maxRefusals, provider.ClassNoBalance)
	w.lines()
	w.wantReach(r, 0)
	if lines := w.lines(); len(lines) != 1 || !strings.Contains(lines[0], "no other") {
		t.Errorf("logged %q", lines)
	}
	w.fail(r, 0, 20, provider.ClassServerError)
	w.wantReach(r, 0)
}

func TestEjection_endsWhenTheOnlyOtherIsPausedButNotWhenItIsFull(t *testing.T) {
	w := newWorld(t)
	c := account("c1")
	c.Limits.ConcurrentRequests = table.LimitOf(1)
	r := w.bind(spec{name: "r", tiers: [][]*table.Target{tierOf(target("t0", 1, account("c0"))), tierOf(target("t1", 1, c))}})[0]
	w.fail(r, 0, maxFailures, provider.ClassServerError)
	running := w.only(r, 1)
	w.wantReach(r)
	if o := r.Outlook(); o.Obstacle != Full || o.Wait != busyWait {
		t.Errorf("outlook %+v", o)
	}
	running.Failed(&provider.Error{Class: provider.ClassRateLimited, RetryAfter: 20 * time.Second})
	w.wantReach(r, 0)
}

func TestSlowStart_weightGrowsWithinThirtySeconds(t *testing.T) {
	w := newWorld(t)
	r := w.weighted(50, 50)
	w.fail(r, 0, maxFailures, provider.ClassServerError)
	w.pass(time.Minute)
	w.only(r, 0).Succeeded()
	for _, tc := range []struct {
		after time.Duration
		want  float64
	}{{0, 9}, {12 * time.Second, 33.3 * 0.857}, {18 * time.Second, 50}} {
		w.pass(tc.after)
		counts := make([]int, 2)
		for range 20_000 {
			i, l := w.pick(r)
			counts[i]++
			l.Release()
		}
		wantShares(t, counts, 2, tc.want)
	}
}

func TestSlowStart_ofAWholeTierSendsTheRestToTheNext(t *testing.T) {
	for name, sticky := range map[string]bool{"by weight": false, "by conversation": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			r := w.route(1, 1)
			w.fail(r, 0, maxFailures, provider.ClassServerError)
			w.pass(time.Minute)
			w.only(r, 0).Succeeded()
			w.pass(15 * time.Second)
			counts := make([]int, 2)
			for n := range uint64(20_000) {
				c := Choice{Sticky: sticky, Conversation: mix(n)}
				var l Lease
				counts[r.Pick(&c, &l)]++
				l.Release()
			}
			wantShares(t, counts, 2, 50, 50)
			w.fail(r, 1, maxFailures, provider.ClassServerError)
			w.pass(time.Second)
			w.wantReach(r, 0) // with no tier left behind it, the tier takes everything
			w.pass(15 * time.Second)
			if i, _ := w.pick(r); i != 0 {
				t.Errorf("target %d serves after the slow start", i)
			}
		})
	}
}

func TestOutcomes_ofAnEarlierTimeDoNotCount(t *testing.T) {
	w := newWorld(t)
	r := w.route(1, 1)
	long := w.only(r, 0) // began while all was well
	var late []*Lease
	for range 20 {
		late = append(late, w.only(r, 0))
	}
	w.pass(time.Second)
	w.fail(r, 0, maxFailures-1, provider.ClassServerError)
	long.Succeeded() // says nothing of now
	w.fail(r, 0, 1, provider.ClassServerError)
	if w.state("ns/r/t0") != Ejected {
		t.Fatal("the success of a request that began before the failures keeps the target")
	}
	w.pass(time.Minute)
	w.only(r, 0).Succeeded()
	for _, l := range late {
		l.Failed(&provider.Error{Class: provider.ClassServerError})
	}
	if w.state("ns/r/t0") != Healthy {
		t.Error("failures of requests that began before the ejection eject it again")
	}
}

func TestPause_isKeptAsLongAsTheVendorAsks(t *testing.T) {
	for name, class := range map[string]provider.Class{
		"rate limited": provider.ClassRateLimited, "overloaded": provider.ClassOverloaded,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			r := w.route(1, 1)
			w.only(r, 0).Failed(&provider.Error{Class: class, RetryAfter: 20 * time.Second})
			w.wantReach(r, 1)
			w.only(r, 1).Failed(&provider.Error{Class: class, RetryAfter: 5 * time.Second})
			w.wantReach(r) // also if there is no other
			if o := r.Outlook(); o.Obstacle != Paused || o.Wait != 5*time.Second || o.Class != class {
				t.Errorf("outlook %+v, want the smallest pause", o)
			}
			w.pass(5 * time.Second)
			w.wantReach(r, 1)
			w.pass(15*time.Second - time.Nanosecond)
			w.wantReach(r, 1)
			w.pass(time.Nanosecond)
			w.wantReach(r, 0, 1)
			if len(w.registry.Ejected()) != 0 || len(w.ejected) != 0 || len(w.lines()) != 0 {
				t.Error("a pause is no ejection")
			}
		})
	}
}

func TestPause_isBounded(t *testing.T) {
	w := newWorld(t)
	r := w.route(1)
	w.only(r, 0).Failed(&provider.Error{Class: provider.ClassRateLimited, RetryAfter: 24 * time.Hour})
	w.pass(maxPause)
	w.wantReach(r, 0)
}

func TestPause_aShorterOneDoesNotEndALongerOne(t *testing.T) {
	w := newWorld(t)
	r := w.route(1)
	a, b := w.only(r, 0), w.only(r, 0)
	a.Failed(&provider.Error{Class: provider.ClassRateLimited, RetryAfter: 20 * time.Second})
	b.Failed(&provider.Error{Class: provider.ClassRateLimited, RetryAfter: time.Second})
	w.pass(2 * time.Second)
	w.wantReach(r)
}

func TestPause_withoutATimeOnlyPrefersOthers(t *testing.T) {
	w := newWorld(t)
	r := w.route(1, 1)
	w.only(r, 0).Failed(&provider.Error{Class: provider.ClassRateLimited})
	if i, _ := w.pick(r); i != 1 {
		t.Errorf("target %d serves although another is not limited", i)
	}
	w.wantReach(r, 0, 1)
	w.pass(shortPause)
	if i, _ := w.pick(r); i != 0 {
		t.Errorf("target %d serves after the pause", i)
	}
}

func TestEjection_forgetsOldFailuresWhenTheTargetReturns(t *testing.T) {
	w := newWorld(t)
	r := w.route(1, 1)
	for range minRequests / 2 {
		w.only(r, 0).Succeeded()
		w.fail(r, 0, 1, provider.ClassServerError)
	}
	w.wantReach(r, 1)
	w.pass(13 * time.Second) // the failures are still within the window
	w.only(r, 0).Succeeded()
	w.fail(r, 0, 1, provider.ClassServerError)
	w.wantReach(r, 0, 1)
}

func TestEjection_aProbeThatFindsNoRoomAtTheCredentialTakesNoPlace(t *testing.T) {
	for name, tc := range map[string]struct{ block, free func(w *world, shared *Route) }{
		"credential full": {
			block: func(w *world, shared *Route) { w.held = w.only(shared, 0) },
			free:  func(w *world, _ *Route) { w.held.Release() },
		},
		"credential dead": {
			block: func(w *world, shared *Route) { w.fail(shared, 0, maxRefusals, provider.ClassUnauthorized) },
			free: func(w *world, shared *Route) {
				w.pass(40 * time.Second)
				w.held = w.only(shared, 0) // the credential's own probe is under way
				w.wantReach(shared)
				w.held.Succeeded()
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c := account("c")
			c.Limits.ConcurrentRequests = table.LimitOf(1)
			routes := w.bind(
				spec{name: "r", tiers: [][]*table.Target{tierOf(target("t0", 1, c)), tierOf(target("t1", 1, account("other")))}},
				spec{name: "s", tiers: [][]*table.Target{tierOf(target("t0", 1, c))}},
			)
			r, shared := routes[0], routes[1]
			w.fail(r, 0, maxFailures, provider.ClassServerError)
			w.pass(13 * time.Second)
			tc.block(w, shared)
			w.wantReach(r, 1)
			tc.free(w, shared)
			w.only(r, 0).Succeeded()
			if w.state("ns/r/t0") != Healthy {
				t.Error("the target is not back")
			}
		})
	}
}
