package report

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/balance"
)

func TestReplica_reportsWhatIsEjectedUntilItIsNot(t *testing.T) {
	since := time.Date(2026, 1, 2, 3, 4, 5, 6789, time.UTC)
	var list atomic.Pointer[[]balance.Ejection]
	list.Store(&[]balance.Ejection{
		{Target: "shop/chat/a", Credential: "shop/deepseek", State: balance.Dead, Reason: balance.CredentialRefused, Since: since},
		{Target: "shop/chat/b", Credential: "shop/qwen", State: balance.Ejected, Reason: balance.ErrorRate, Since: since, Until: since.Add(time.Minute)},
	})
	l := newLive(t, func(l *live) { l.opts.Ejected = func() []balance.Ejection { return *list.Load() } })
	second := metav1.NewTime(since.Truncate(time.Second))
	until := metav1.NewTime(second.Add(time.Minute))
	want := []v1alpha1.EjectedTarget{
		{Target: "shop/chat/a", Credential: "shop/deepseek", Reason: "CredentialRefused", Since: &second},
		{Target: "shop/chat/b", Credential: "shop/qwen", Reason: "ErrorRate", Since: &second, Until: &until},
	}
	o := l.eventually("both are reported", func(o *v1alpha1.GatewayReplica) bool { return len(o.Status.Ejected) == 2 })
	if diff := cmp.Diff(want, o.Status.Ejected); diff != "" {
		t.Errorf("ejected (-want +got):\n%s", diff)
	}
	fewer := (*list.Load())[1:]
	list.Store(&fewer)
	l.eventually("one is reported", func(o *v1alpha1.GatewayReplica) bool {
		return len(o.Status.Ejected) == 1 && o.Status.Ejected[0].Target == "shop/chat/b"
	})
	list.Store(&[]balance.Ejection{})
	l.eventually("none is reported", func(o *v1alpha1.GatewayReplica) bool { return o.Status.Ejected == nil })
}

func TestReplica_ejectedIsNewsOnlyWhenItChanged(t *testing.T) {
	w := newTiming(t, false)
	target := func(reason string) []v1alpha1.EjectedTarget {
		return []v1alpha1.EjectedTarget{{Target: "a/b/c", Reason: reason}}
	}
	w.step(2 * time.Second)
	w.replica.noteEjected(target("Timeouts"))
	w.idle(2)
	w.step(2 * time.Second)
	for range 10 {
		w.replica.noteEjected(target("Timeouts"))
	}
	w.step(2 * time.Second)
	if n := len(w.server.writes()); n != 2 {
		t.Fatalf("%d writes, want 2: what is no news was written", n)
	}
	for i := range 10 { // within a second: together
		w.replica.noteEjected(target(fmt.Sprint("Reason", i)))
	}
	w.idle(3)
	w.step(time.Second)
	w.idle(3)
	if n := len(w.server.writes()); n > 4 {
		t.Errorf("%d writes, want one a second at most", n)
	}
}

func TestEjectedTargets_keepsWhatSomebodyMustMend(t *testing.T) {
	var list []balance.Ejection
	for i := range 300 {
		e := balance.Ejection{Target: fmt.Sprintf("a/b/%03d", i), State: balance.Ejected, Reason: balance.Timeouts}
		if i >= 290 {
			e.State, e.Reason = balance.Dead, balance.NoBalance
		}
		list = append(list, e)
	}
	got := ejectedTargets(list)
	if len(got) != maxEjected {
		t.Fatalf("%d targets, want %d", len(got), maxEjected)
	}
	for i := range 10 {
		if got[i].Reason != "NoBalance" {
			t.Errorf("number %d is %s for %s, want one of the dead", i, got[i].Target, got[i].Reason)
		}
	}
	if list[0].Target != "a/b/000" {
		t.Error("the list that was given has changed")
	}
}
