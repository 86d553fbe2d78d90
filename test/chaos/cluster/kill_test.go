package cluster_test

import (
	"net/http"
	"testing"
	"time"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/test/sim"
)

// vendorOptions make a vendor that takes its time, so that there is always something under way.
func vendorOptions() sim.Options {
	return sim.Options{Latency: 20 * time.Millisecond, ChunkDelay: 5 * time.Millisecond, KeepBodies: true, KeepEntries: 1 << 20}
}

// after waits until clients were served so many times more.
func (l *load) after(more int64) {
	l.w.t.Helper()
	goal := l.served.Load() + more
	l.w.eventually("clients are served", func() bool { return l.served.Load() >= goal })
}

func TestChaos_nothingSettledIsLostOrCountedTwice(t *testing.T) {
	w := newWorld(t, vendorOptions())
	keys := []string{w.key("a", nil), w.key("b", nil), w.key("c", func(s *v1alpha1.ApiKeySpec) {
		s.Budget = &v1alpha1.Budget{Amount: "1000", Period: v1alpha1.BudgetPeriodMonth}
	})}
	operator := w.operator()
	first, second := w.gateway("first"), w.gateway("second")
	w.warm([]*replica{first, second}, keys[0])
	l := w.begin(30, keys, first, second)
	l.after(60)

	at := killed{}
	first.kill()
	at[first] = time.Now()
	third := w.gateway("third")
	l.direct(second, third)
	l.after(40)
	t.Logf("a replica was killed: %s", l.figures())

	operator.kill()
	l.direct(third)
	second.stop()
	w.seal(first, second)
	fourth := w.gateway("fourth")
	l.direct(third, fourth)
	operator = w.operator()
	l.after(20)
	operator.kill() // while it takes their reports into the archives, or soon after
	w.operator()
	l.after(20)
	t.Logf("the operator was killed twice: %s", l.figures())

	w.api.kill()
	l.after(60) // nobody needs it to be served
	t.Logf("the API server was killed: %s", l.figures())
	w.api.restart()
	l.after(20)
	l.end()
	t.Logf("it is back: %s", l.figures())
	w.compare(at)
	third.stop()
	fourth.stop()
	w.seal(third, fourth)
	w.eventually("the reports of replicas that have ended are in the archives", w.archived)
	w.compare(at)
}

func TestChaos_replicasThatAreCutOffStayWithinTheBudget(t *testing.T) {
	w := newWorld(t, vendorOptions())
	const budget = 0.004
	key := w.key("small", func(s *v1alpha1.ApiKeySpec) {
		s.Budget = &v1alpha1.Budget{Amount: "0.004", Period: v1alpha1.BudgetPeriodLifetime}
	})
	w.operator()
	replicas := []*replica{w.gateway("left"), w.gateway("right")}
	w.warm(replicas, w.key("probe", nil))
	for _, r := range replicas {
		w.eventually("the key is served", func() bool { return w.models(r, key) == http.StatusOK })
	}
	before := w.billed()
	w.api.kill()
	statuses := w.fire(replicas, key, 200)
	spent := w.billed() - before
	t.Logf("cut off, 200 requests at each: %v; the vendor bills %.6f of a budget of %.6f", statuses, spent, budget)
	if spent > budget || statuses[http.StatusOK] == 0 || statuses[http.StatusOK] == 400 {
		t.Errorf("the vendor bills %.6f of a budget of %.6f", spent, budget)
	}
	for status := range statuses {
		if status != http.StatusOK && status != http.StatusTooManyRequests && status != http.StatusPaymentRequired {
			t.Errorf("statuses %v", statuses)
		}
	}
	w.api.restart()
	w.compare(nil)
	statuses = w.fire(replicas, key, 200)
	spent = w.billed() - before
	t.Logf("and once more with the API server: %v; the vendor bills %.6f", statuses, spent)
	if spent > budget {
		t.Errorf("the vendor bills %.6f of a budget of %.6f", spent, budget)
	}
	w.compare(nil)
}
