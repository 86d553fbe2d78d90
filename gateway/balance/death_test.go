package balance

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/table"
)

// shared binds two routes that use one credential, and have another target each if so wanted.
func (w *world) shared(c *table.Credential, second bool) []*Route {
	w.t.Helper()
	var specs []spec
	for _, name := range []string{"a", "b"} {
		s := spec{name: name, tiers: [][]*table.Target{tierOf(target("t0", 1, c))}}
		if second {
			s.tiers = append(s.tiers, tierOf(target("t1", 1, account("other"))))
		}
		specs = append(specs, s)
	}
	return w.bind(specs...)
}

func TestDeath_ofACredentialTakesAllItsTargetsEvenTheLastOnes(t *testing.T) {
	for class, reason := range map[provider.Class]Reason{
		provider.ClassUnauthorized: CredentialRefused, provider.ClassNoBalance: NoBalance,
	} {
		t.Run(class.String(), func(t *testing.T) {
			w := newWorld(t)
			routes := w.shared(account("c"), false)
			w.fail(routes[0], 0, maxRefusals-1, class)
			w.wantReach(routes[0], 0)
			w.fail(routes[1], 0, 1, class)
			w.wantReach(routes[0])
			w.wantReach(routes[1])
			if o := routes[0].Outlook(); o.Obstacle != Refused || o.Class != class {
				t.Errorf("outlook %+v", o)
			}
			want := []Ejection{
				{Target: "ns/a/t0", Credential: "ns/c", Model: "a", State: Dead, Reason: reason, Since: w.clock},
				{Target: "ns/b/t0", Credential: "ns/c", Model: "b", State: Dead, Reason: reason, Since: w.clock},
			}
			if diff := cmp.Diff(want, w.registry.Ejected(), cmpopts.EquateApproxTime(0)); diff != "" {
				t.Errorf("ejected (-want +got):\n%s", diff)
			}
			if len(w.ejected) != 2 || len(w.lines()) != 1 {
				t.Errorf("counted %q", w.ejected)
			}
		})
	}
}

func TestDeath_ofATargetLeavesTheOthersOfItsCredential(t *testing.T) {
	for _, class := range []provider.Class{provider.ClassModelNotFound, provider.ClassForbidden, provider.ClassQuotaExhausted} {
		t.Run(class.String(), func(t *testing.T) {
			w := newWorld(t)
			routes := w.shared(account("c"), false)
			w.fail(routes[0], 0, maxRefusals, class)
			w.wantReach(routes[0])
			w.wantReach(routes[1], 0)
			if o := routes[0].Outlook(); o.Obstacle != Refused || o.Class != class {
				t.Errorf("outlook %+v", o)
			}
		})
	}
}

func TestDeath_isProbedAfterGrowingPausesUntilASuccess(t *testing.T) {
	for name, class := range map[string]provider.Class{"credential": provider.ClassUnauthorized, "target": provider.ClassModelNotFound} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			r := w.route(1)
			w.fail(r, 0, maxRefusals, class)
			g := &r.candidates[0].state.gate
			if class == provider.ClassUnauthorized {
				g = &r.candidates[0].state.credential.gate
			}
			want := deadPauses.first
			for i := range 8 {
				pause := time.Duration(g.opens.Load() - w.registry.now())
				if pause < want*8/10 || pause > want*12/10 {
					t.Fatalf("pause %v, want about %v", pause, want)
				}
				w.wantReach(r)
				w.pass(pause)
				probe := w.only(r, 0)
				w.wantReach(r)
				// Whatever the vendor says, it has not accepted.
				probe.Failed(&provider.Error{Class: []provider.Class{class, provider.ClassServerError}[i%2]})
				want = min(want*2, deadPauses.most)
			}
			if w.state("ns/r/t0") != Dead {
				t.Error("not dead any more")
			}
			w.pass(deadPauses.most * 2)
			w.only(r, 0).Succeeded()
			w.wantReach(r, 0)
			lines := w.lines()
			if last := lines[len(lines)-1]; !strings.Contains(last, "accepted again") && !strings.Contains(last, "is back") {
				t.Errorf("logged %q", last)
			}
		})
	}
}

func TestDeath_endsWhenTheSecretChanges(t *testing.T) {
	for name, class := range map[string]provider.Class{"credential": provider.ClassUnauthorized, "target": provider.ClassForbidden} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c := account("c")
			r := w.shared(c, true)[0]
			late := w.only(r, 0)
			w.fail(r, 0, maxRefusals, class)
			w.wantReach(r, 1)

			same := *c
			r = w.shared(&same, true)[0]
			w.wantReach(r, 1) // a table that says the same changes nothing

			limited := *c
			limited.Limits.ConcurrentRequests = table.LimitOf(10)
			r = w.shared(&limited, true)[0]
			w.wantReach(r, 1)

			changed := *c
			changed.Secrets = map[string]table.Secret{"api-key": table.NewSecret("new")}
			r = w.shared(&changed, true)[0]
			w.wantReach(r, 0, 1)
			for range 5 {
				late.Failed(&provider.Error{Class: class}) // with the old Secret; the second and later ones do nothing at all
			}
			w.wantReach(r, 0, 1)
			w.fail(r, 0, maxRefusals-1, class)
			w.wantReach(r, 0, 1)
		})
	}
}

func TestDeath_singleRefusalsBetweenSuccessesAreAboutTheirRequests(t *testing.T) {
	w := newWorld(t)
	r := w.route(1)
	for range 20 {
		w.fail(r, 0, maxRefusals-1, provider.ClassForbidden)
		w.fail(r, 0, maxRefusals-1, provider.ClassUnauthorized)
		w.only(r, 0).Succeeded()
	}
	w.wantReach(r, 0)
}

func TestDeath_ofAnEjectedTargetByItsProbe(t *testing.T) {
	w := newWorld(t)
	r := w.route(1, 1)
	w.fail(r, 0, maxFailures, provider.ClassServerError)
	w.pass(time.Minute)
	w.only(r, 0).Failed(&provider.Error{Class: provider.ClassModelNotFound})
	if w.state("ns/r/t0") != Dead {
		t.Errorf("state %v", w.state("ns/r/t0"))
	}
}

func TestRegistry_stateSurvivesTablesAndEndsWithWhatItIsAbout(t *testing.T) {
	w := newWorld(t)
	a, b := target("t0", 1, account("c0")), target("t1", 1, account("c1"))
	bind := func(first *table.Target) *Route {
		return w.bind(spec{name: "r", tiers: [][]*table.Target{tierOf(first), tierOf(b)}})[0]
	}
	r := bind(a)
	w.fail(r, 0, maxFailures, provider.ClassServerError)

	heavier := *a
	heavier.Weight = 7
	w.wantReach(bind(&heavier), 1)

	other := *a
	other.Model = "another"
	w.wantReach(bind(&other), 0, 1)

	w.fail(bind(a), 0, maxFailures, provider.ClassServerError)
	w.bind(spec{name: "r", tiers: [][]*table.Target{tierOf(b)}})
	if got := w.registry.Ejected(); len(got) != 0 {
		t.Errorf("a target that is gone is reported: %+v", got)
	}
	w.wantReach(bind(a), 0, 1)
}

func TestRegistry_whatIsGoneSaysNothingMore(t *testing.T) {
	w := newWorld(t)
	r := w.route(1, 1)
	w.fail(r, 0, maxFailures-1, provider.ClassServerError)
	w.fail(r, 1, maxRefusals-1, provider.ClassUnauthorized)
	last, refused := w.only(r, 0), w.only(r, 1)
	w.bind()
	last.Failed(&provider.Error{Class: provider.ClassServerError})
	refused.Failed(&provider.Error{Class: provider.ClassUnauthorized})
	if len(w.lines()) != 0 || len(w.ejected) != 0 {
		t.Error("a target of a former table is logged or counted")
	}
}

func TestReason_hasAWordForStatus(t *testing.T) {
	for reason, want := range map[Reason]string{
		ConsecutiveFailures: "ConsecutiveFailures", NoBalance: "NoBalance", Timeouts: "Timeouts", "": "",
	} {
		if got := reason.CamelCase(); got != want {
			t.Errorf("%q is %q, want %q", reason, got, want)
		}
	}
}

func TestDeath_aProbeThatSaysNothingLetsTheNextOneIn(t *testing.T) {
	w := newWorld(t)
	r := w.route(1)
	w.fail(r, 0, maxRefusals, provider.ClassUnauthorized)
	w.pass(time.Minute)
	for range 3 {
		w.only(r, 0).Failed(&provider.Error{Class: provider.ClassInvalidRequest})
	}
	w.only(r, 0).Succeeded()
	w.wantReach(r, 0)
}

func TestDeath_outcomesOfAnEarlierTimeDoNotCount(t *testing.T) {
	w := newWorld(t)
	r := w.route(1)
	long := w.only(r, 0)
	late := []*Lease{w.only(r, 0), w.only(r, 0), w.only(r, 0)}
	w.pass(time.Second)
	w.fail(r, 0, maxRefusals-1, provider.ClassUnauthorized)
	long.Succeeded() // was accepted before the key was refused
	w.fail(r, 0, 1, provider.ClassUnauthorized)
	w.wantReach(r)
	w.pass(time.Minute)
	w.only(r, 0).Succeeded()
	for _, l := range late {
		l.Failed(&provider.Error{Class: provider.ClassUnauthorized})
	}
	w.wantReach(r, 0)
}

func TestDeath_countsTheTargetsThatGotRequestsUntilThen(t *testing.T) {
	w := newWorld(t)
	c := account("c")
	r := w.bind(spec{name: "r", tiers: [][]*table.Target{tierOf(target("t0", 1, c)), tierOf(target("t1", 1, c))}})[0]
	w.fail(r, 0, maxFailures, provider.ClassServerError)
	w.fail(r, 1, maxRefusals, provider.ClassNoBalance)
	want := []string{"r ns/r/t0 consecutive_failures", "r ns/r/t1 no_balance"}
	if diff := cmp.Diff(want, w.ejected); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
}

func TestDeath_aProbeThatFindsNoRoomTakesNoPlace(t *testing.T) {
	w := newWorld(t)
	r := w.shared(limitedAccount(table.LimitOf(1), table.Limit{}), false)[0]
	w.fail(r, 0, maxRefusals-1, provider.ClassUnauthorized)
	w.only(r, 0).Failed(&provider.Error{Class: provider.ClassUnauthorized})
	w.pass(time.Minute)
	credential := r.candidates[0].state.credential
	credential.load.inFlight.Add(1) // a request from before its death is still under way
	w.wantReach(r)
	credential.load.leave()
	w.only(r, 0).Succeeded()
	w.wantReach(r, 0)
}
