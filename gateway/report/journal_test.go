package report

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/money"
)

func TestJournal_aContainerThatCrashedLosesNothing(t *testing.T) {
	f := newFleet(t)
	dir := t.TempDir()
	a := f.replicaWith("a", "uid-a", dir)
	a.settle(1)
	f.eventually(20*time.Second, "written", func() bool { return f.written() == 1 && len(a.Book.Dirty()) == 0 })
	a.wire.deaf.Store(true)
	a.settle(2)
	f.eventually(20*time.Second, "landed unheard", func() bool { return f.written() == 3 && a.wire.lost.Load() > 0 })
	a.settle(4)
	a.crash()
	if got := f.written(); got != 3 {
		t.Fatalf("before the restart %v is written, want 3", got)
	}
	again := f.replicaWith("a", "uid-a", dir)
	if got := again.total(); got != 7 {
		t.Errorf("after the restart %v is known, want 7", got)
	}
	again.settle(8)
	f.eventually(20*time.Second, "all is written", func() bool { return f.written() == 15 && again.total() == 15 })
	f.one()
	again.crash()
	third := f.replicaWith("a", "uid-a", dir)
	if got := third.total(); got != 15 {
		t.Errorf("after another one %v is known, want 15", got)
	}
}

func TestJournal_reportsThatTheOperatorTookMeanwhileCountOnce(t *testing.T) {
	for name, took := range map[string]func(f *fleet, o *v1alpha1.UsageReport){
		"sealed":             func(f *fleet, o *v1alpha1.UsageReport) { f.seal(o) },
		"sealed and merged":  func(f *fleet, o *v1alpha1.UsageReport) { f.seal(o); f.merge(o) },
		"merged and deleted": func(f *fleet, o *v1alpha1.UsageReport) { f.seal(o); f.merge(o); f.remove(o) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(t)
			dir := t.TempDir()
			a := f.replicaWith("a", "uid-a", dir)
			a.settle(1)
			f.eventually(20*time.Second, "written", func() bool { return f.written() == 1 && len(a.Book.Dirty()) == 0 })
			a.wire.deaf.Store(true)
			a.settle(2)
			f.eventually(20*time.Second, "landed unheard", func() bool { return f.written() == 3 && a.wire.lost.Load() > 0 })
			a.settle(4)
			a.crash()
			took(f, f.one())
			want := money.Amount(7)
			for n := range 3 { // crashes again and again, once without having written anything
				a = f.replicaWith("a", "uid-a", dir)
				f.eventually(20*time.Second, "the rest is known", func() bool { return a.total() == want })
				if n > 0 {
					f.eventually(20*time.Second, "the rest is written", func() bool { return f.written() == want })
				}
				a.settle(8)
				want += 8
				a.crash()
			}
			a = f.replicaWith("a", "uid-a", dir)
			f.eventually(20*time.Second, "all is written", func() bool { return f.written() == want && a.total() == want })
		})
	}
}

func TestMetrics_sayWhetherUsageIsWritten(t *testing.T) {
	f := newFleet(t)
	registry := prometheus.NewRegistry()
	f.registry = registry
	a := f.replicaWith("a", "uid-a", t.TempDir())
	value := func(name string) float64 {
		t.Helper()
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, family := range families {
			if family.GetName() == name {
				m := family.GetMetric()[0]
				return m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
		t.Fatalf("there is no %s", name)
		return 0
	}
	a.settle(1)
	f.eventually(20*time.Second, "written", func() bool { return f.written() == 1 && len(a.Book.Dirty()) == 0 })
	written := testutil.ToFloat64(a.ledger.metrics.writes.WithLabelValues(outcomeWritten))
	if written != 1 || value("vipcloud_usage_report_bytes_total") < 100 || value("vipcloud_usage_unreported_seconds") != 0 ||
		value("vipcloud_usage_journal_bytes") == 0 || value("vipcloud_usage_journal_skipped_total") != 0 {
		t.Errorf("%v writes of %v bytes, unreported for %v s, journal of %v bytes", written,
			value("vipcloud_usage_report_bytes_total"), value("vipcloud_usage_unreported_seconds"), value("vipcloud_usage_journal_bytes"))
	}
	a.wire.cut.Store(true)
	a.settle(2)
	f.eventually(20*time.Second, "failures count and usage waits", func() bool {
		return testutil.ToFloat64(a.ledger.metrics.writes.WithLabelValues(outcomeFailed)) > 0 && value("vipcloud_usage_unreported_seconds") > 1 &&
			value("vipcloud_usage_report_age_seconds") > 1
	})
	a.wire.cut.Store(false)
	f.eventually(30*time.Second, "it is written, and nothing waits", func() bool {
		return f.written() == 3 && value("vipcloud_usage_unreported_seconds") == 0 && value("vipcloud_usage_report_age_seconds") < 30
	})
	problems, err := testutil.GatherAndLint(registry)
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}

func TestJournal_whatADeadProcessHadSentDoesNotArriveLater(t *testing.T) {
	for name, settled := range map[string][]money.Amount{"a first report": {2}, "a report that was written before": {1, 2}} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(t)
			dir := t.TempDir()
			a := f.replicaWith("a", "uid-a", dir)
			want := money.Amount(0)
			for _, amount := range settled[:len(settled)-1] {
				a.settle(amount)
				want += amount
				f.eventually(20*time.Second, "written", func() bool { return f.written() == want && len(a.Book.Dirty()) == 0 })
			}
			hold := make(chan struct{})
			a.wire.hold.Store(&hold)
			a.settle(settled[len(settled)-1])
			want += settled[len(settled)-1]
			f.eventually(20*time.Second, "a write is on its way", func() bool { return a.wire.held.Load() > 0 })
			a.crash()
			again := f.replicaWith("a", "uid-a", dir)
			if got := again.total(); got != want {
				t.Errorf("after the restart %v is known, want %v", got, want)
			}
			close(hold) // and now it arrives
			f.eventually(20*time.Second, "all is written", func() bool { return f.written() == want && again.total() == want })
			again.settle(4)
			f.eventually(20*time.Second, "it goes on", func() bool { return f.written() == want+4 && again.total() == want+4 })
			f.one()
		})
	}
}
