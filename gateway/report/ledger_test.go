package report

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/ledger"
	"vipcloud.ai/vipcloud/gateway/money"
	"vipcloud.ai/vipcloud/gateway/quota"
)

func TestLedger_othersSeeWithinASecondWhatAReplicaCounts(t *testing.T) {
	f := newFleet(t)
	a, b := f.replica("a", "uid-a"), f.replica("b", "uid-b")
	a.settle(1)
	f.eventually(20*time.Second, "the other sees the first", func() bool { return b.total() == 1 })
	<-time.After(shardInterval)
	a.settle(4)
	f.eventually(time.Second, "the other sees it", func() bool { return b.total() == 5 })
	a.settle(2)
	b.settle(10)
	f.eventually(2*time.Second, "both see both", func() bool { return a.total() == 17 && b.total() == 17 })
	f.eventually(5*time.Second, "all of it is what was read", func() bool {
		read, since := a.Spent(testKey, "", quota.Lifetime, time.Now())
		return read == 17 && since == 0
	})
	o := f.reports(v1alpha1.UsageReportLive)[0]
	if len(o.OwnerReferences) != 0 || o.Labels[v1alpha1.LabelInstance] != "default" || o.Labels[v1alpha1.LabelPodUID] == "" ||
		o.Labels[v1alpha1.LabelShard] != fmt.Sprint(ledger.Shard(testKey)) || !strings.HasPrefix(o.Name, "vipcloud-default-") {
		t.Errorf("metadata %+v", o.ObjectMeta)
	}
}

func TestLedger_publishWritesAtOnce(t *testing.T) {
	f := newFleet(t)
	a := f.replica("a", "uid-a")
	a.settle(1)
	f.eventually(5*time.Second, "the first write", func() bool { return f.written() == 1 })
	for n := money.Amount(2); n < 6; n++ {
		a.settle(1)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		begin := time.Now()
		a.Publish(ctx, testKey)
		cancel()
		if got, took := f.written(), time.Since(begin); got != n || took > 500*time.Millisecond {
			t.Errorf("written %v, want %v; took %v", got, n, took)
		}
	}
	a.Publish(t.Context(), testKey) // nothing to write: returns
}

func TestLedger_writesAtItsEndWhatIsLeft(t *testing.T) {
	f := newFleet(t)
	a := f.replica("a", "uid-a")
	var want money.Amount
	for i := range 200 { // all shards
		a.Book.Settle(ledger.Entry{Key: fmt.Sprintf("shop/%d", i), At: time.Now(), Cost: 1})
		a.settle(1)
		want++
	}
	a.end()
	if got := f.written(); got != want {
		t.Errorf("written %v, want %v", got, want)
	}
	if dirty := a.Book.Dirty(); dirty != nil {
		t.Errorf("not written: shards %v", dirty)
	}
}

func TestLedger_aRestartedReplicaLosesNothingAndGoesOnInItsReports(t *testing.T) {
	f := newFleet(t)
	a := f.replica("a", "uid-a")
	a.settle(5)
	f.eventually(5*time.Second, "written", func() bool { return f.written() == 5 })
	before := f.one().UID
	a.end()
	again := f.replica("a", "uid-a")
	if got := again.total(); got != 5 {
		t.Errorf("after the restart it knows of %v, want 5", got)
	}
	again.settle(2)
	f.eventually(5*time.Second, "written", func() bool { return f.written() == 7 })
	if f.one().UID != before {
		t.Error("it made another report")
	}
	other := f.replica("a", "uid-b") // another pod
	other.settle(1)
	f.eventually(5*time.Second, "written", func() bool { return f.written() == 8 && again.total() == 8 })
	if n := len(f.reports(v1alpha1.UsageReportLive)); n != 2 {
		t.Errorf("%d reports, want one for each pod", n)
	}
}

func TestLedger_aReplicaThatWasThoughtDeadGoesOnInAnotherReport(t *testing.T) {
	f := newFleet(t)
	a, b := f.replica("a", "uid-a"), f.replica("b", "uid-b")
	a.settle(5)
	f.eventually(5*time.Second, "written", func() bool { return f.written() == 5 })
	old := f.one()
	f.seal(old)
	a.settle(2)
	f.eventually(5*time.Second, "a second report", func() bool {
		return len(f.reports(v1alpha1.UsageReportLive)) == 2 && f.written() == 7 && a.total() == 7 && b.total() == 7
	})
	f.merge(old)
	a.settle(1)
	f.eventually(5*time.Second, "with the archive", func() bool { return f.written() == 8 && a.total() == 8 && b.total() == 8 })
	f.remove(old)
	a.settle(1)
	f.eventually(5*time.Second, "without the old one", func() bool { return f.written() == 9 && a.total() == 9 && b.total() == 9 })
}

func TestLedger_aReportThatWasMergedAndDeletedIsNotCountedAgain(t *testing.T) {
	for name, lose := range map[string]bool{"every write acknowledged": false, "the last one landed unheard": true} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(t)
			a := f.replica("a", "uid-a")
			a.settle(5)
			f.eventually(5*time.Second, "written", func() bool { return f.written() == 5 && len(a.Book.Dirty()) == 0 })
			want := money.Amount(5)
			if lose {
				a.wire.deaf.Store(true)
				a.settle(2)
				f.eventually(5*time.Second, "landed", func() bool { return f.written() == 7 && a.wire.lost.Load() > 0 })
				want = 7
			}
			old := f.one()
			f.merge(old)
			f.remove(old)
			a.settle(1)
			a.wire.deaf.Store(false)
			f.eventually(20*time.Second, "the rest in a new report", func() bool { return f.written() == want+1 && a.total() == want+1 })
		})
	}
}

func TestLedger_aReportThatSomebodyDeletedIsWrittenAgain(t *testing.T) {
	f := newFleet(t)
	a, b := f.replica("a", "uid-a"), f.replica("b", "uid-b")
	a.settle(5)
	f.eventually(5*time.Second, "written", func() bool { return b.total() == 5 })
	old := f.one()
	f.remove(old)
	f.eventually(5*time.Second, "written again", func() bool { return f.written() == 5 && a.total() == 5 && b.total() == 5 })
	if f.one().UID == old.UID {
		t.Error("it is still there")
	}
}

func TestLedger_countsOnceWhatWasWrittenUnheard(t *testing.T) {
	f := newFleet(t)
	a := f.replica("a", "uid-a")
	a.wire.deaf.Store(true)
	a.settle(5)
	f.eventually(5*time.Second, "created unheard", func() bool { return f.written() == 5 && a.wire.lost.Load() > 0 })
	a.settle(2)
	a.wire.deaf.Store(false)
	f.eventually(20*time.Second, "one report with all", func() bool { return f.written() == 7 && a.total() == 7 })
	f.one()
}

func TestLedger_twoProcessesThatTakeThemselvesForTheSameCountEachOnce(t *testing.T) {
	f := newFleet(t)
	a := f.replica("a", "uid-a")
	a.settle(5)
	f.eventually(5*time.Second, "written", func() bool { return f.written() == 5 && len(a.Book.Dirty()) == 0 })
	again := f.replica("a", "uid-a")
	again.settle(2)
	f.eventually(5*time.Second, "the second goes on", func() bool { return f.written() == 7 })
	a.settle(1)
	again.settle(1)
	f.eventually(10*time.Second, "both", func() bool { return f.written() == 9 && a.total() == 9 && again.total() == 9 })
	a.settle(1)
	f.eventually(10*time.Second, "the first in a report of its own", func() bool { return f.written() == 10 && again.total() == 10 })
	if n := len(f.reports(v1alpha1.UsageReportLive)); n != 2 {
		t.Errorf("%d reports, want 2", n)
	}
}

func TestLedger_aWatchThatBeginsAnewForgetsReportsThatAreGone(t *testing.T) {
	f := newFleet(t)
	a, b := f.replica("a", "uid-a"), f.replica("b", "uid-b")
	a.settle(5)
	b.settle(1)
	f.eventually(5*time.Second, "written", func() bool { return a.total() == 6 && b.total() == 6 && f.written() == 6 })
	r := &reader{ledger: b.ledger, lives: map[types.UID]int{}, names: map[types.UID]string{}}
	r.synced.Do(func() {})
	var left []any
	for _, o := range f.reports(v1alpha1.UsageReportLive) {
		r.lives[o.UID] = int(o.Shard)
		if o.Replica == "b" {
			left = append(left, &o)
		}
	}
	if err := r.Replace(left, ""); err != nil {
		t.Fatal(err)
	}
	if got := b.total(); got != 1 {
		t.Errorf("without the other's report %v is known, want 1", got)
	}
	if err := r.Replace(nil, ""); err != nil {
		t.Fatal(err)
	}
	f.eventually(5*time.Second, "its own still counts once", func() bool { return b.total() == 1 && f.written() == 6 })
}
