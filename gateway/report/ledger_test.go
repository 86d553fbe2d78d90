package report

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/ledger"
	"vipcloud.ai/vipcloud/gateway/money"
	"vipcloud.ai/vipcloud/gateway/quota"
	"vipcloud.ai/vipcloud/gateway/spend"
)

const testKey = "shop/shop"

// fleet is an instance whose replicas write usage to the API server.
type fleet struct {
	t        *testing.T
	c        client.Client
	config   *rest.Config
	instance types.NamespacedName
}

// newFleet makes the instance's namespace.
func newFleet(t *testing.T) *fleet {
	t.Helper()
	c, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	n := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}
	if err := c.client.Create(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	return &fleet{t: t, c: c.client, config: c.config, instance: types.NamespacedName{Namespace: n.Name, Name: "default"}}
}

// writer is a replica of a fleet.
type writer struct {
	*spend.Books
	f      *fleet
	ledger *Ledger
	end    func()
	wire   *wire
}

// wire is the connection of a replica to the API server. It can lose the answers to writes.
type wire struct {
	next http.RoundTripper
	deaf atomic.Bool
	lost atomic.Int64
}

// errLost is what a client sees of a lost answer.
var errLost = errors.New("answer lost by the test")

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := w.next.RoundTrip(r)
	if err == nil && w.deaf.Load() && (r.Method == http.MethodPut || r.Method == http.MethodPost) {
		w.lost.Add(1)
		return nil, errors.Join(errLost, response.Body.Close())
	}
	return response, err
}

// replica runs a replica in a pod and waits until it is ready.
func (f *fleet) replica(name string, pod types.UID) *writer {
	f.t.Helper()
	w := &writer{Books: spend.New(), f: f, wire: &wire{}}
	config := rest.CopyConfig(f.config)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		w.wire.next = next
		return w.wire
	})
	var err error
	w.ledger, err = NewLedger(LedgerOptions{
		Config: config, Instance: f.instance, Replica: name, PodUID: pod, Books: w.Books, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		f.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.ledger.Run(ctx) }()
	w.end = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				f.t.Errorf("Run: %v", err)
			}
		case <-time.After(20 * time.Second):
			f.t.Error("Run did not end")
		}
	})
	f.t.Cleanup(w.end)
	select {
	case <-w.ledger.Synced():
	case <-time.After(20 * time.Second):
		f.t.Fatal("not synced within 20 s")
	}
	return w
}

// settle counts a request.
func (w *writer) settle(cost money.Amount) {
	w.Book.Settle(ledger.Entry{Key: testKey, Model: "m", At: time.Now(), Requests: 1, Cost: cost})
}

// total is what a replica thinks that the key has spent.
func (w *writer) total() money.Amount { return w.Total(testKey, "", quota.Lifetime, time.Now()) }

// reports are those of a role.
func (f *fleet) reports(role v1alpha1.UsageReportRole) []v1alpha1.UsageReport {
	f.t.Helper()
	all := &v1alpha1.UsageReportList{}
	if err := f.c.List(context.Background(), all, client.InNamespace(f.instance.Namespace)); err != nil {
		f.t.Fatal(err)
	}
	var found []v1alpha1.UsageReport
	for _, o := range all.Items {
		if o.Role == role {
			found = append(found, o)
		}
	}
	return found
}

// written is the total by what the API server holds, read as anybody else would.
func (f *fleet) written() money.Amount {
	f.t.Helper()
	var archives []ledger.Archived
	var lives []ledger.Live
	for _, o := range f.reports(v1alpha1.UsageReportLive) {
		lives = append(lives, ledger.Live{UID: string(o.UID), Page: f.page(&o)})
	}
	for _, o := range f.reports(v1alpha1.UsageReportArchive) {
		archives = append(archives, ledger.Archived{Page: f.page(&o), Merged: uids(o.Merged)})
	}
	return ledger.Total(archives, lives).Spent(testKey, "", ledger.Lifetime, time.Now())
}

// page reads the page of a report.
func (f *fleet) page(o *v1alpha1.UsageReport) *ledger.Page {
	f.t.Helper()
	p, err := ledger.Decode(o.Report.Raw)
	if err != nil {
		f.t.Fatalf("%s: %v", o.Name, err)
	}
	return p
}

// eventually polls until a condition holds, for a while.
func (f *fleet) eventually(within time.Duration, what string, holds func() bool) {
	f.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for begin := time.Now(); !holds(); <-tick.C {
		if time.Since(begin) > within {
			f.t.Fatalf("not within %v: %s; written %v", within, what, f.written())
		}
	}
}

// seal says that a report is final.
func (f *fleet) seal(o *v1alpha1.UsageReport) {
	f.t.Helper()
	f.eventually(10*time.Second, "sealed", func() bool {
		if err := f.c.Get(f.t.Context(), client.ObjectKeyFromObject(o), o); err != nil {
			f.t.Fatal(err)
		}
		o.Annotations[v1alpha1.AnnotationSealed] = time.Now().Format(time.RFC3339)
		return f.c.Update(f.t.Context(), o) == nil
	})
}

// merge puts a report into the archive.
func (f *fleet) merge(o *v1alpha1.UsageReport) {
	f.t.Helper()
	p := f.page(o)
	a := ledger.NewArchive(p.Shard())
	if err := a.Merge(string(o.UID), p); err != nil {
		f.t.Fatal(err)
	}
	data, err := a.Encode()
	if err != nil {
		f.t.Fatal(err)
	}
	archive := &v1alpha1.UsageReport{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: o.Namespace, Name: fmt.Sprintf("vipcloud-default-archive-%d", p.Shard()),
			Labels:      map[string]string{v1alpha1.LabelInstance: "default"},
			Annotations: map[string]string{v1alpha1.AnnotationMerged: fmt.Sprintf(`{%q:[%d,1]}`, o.UID, p.Sequence())},
		},
		Gateway: "default", Shard: o.Shard, Role: v1alpha1.UsageReportArchive, Merged: []v1alpha1.ReportUID{v1alpha1.ReportUID(o.UID)},
		Report: runtime.RawExtension{Raw: data},
	}
	if err := f.c.Create(f.t.Context(), archive); err != nil {
		f.t.Fatal(err)
	}
}

// remove deletes a report.
func (f *fleet) remove(o *v1alpha1.UsageReport) {
	f.t.Helper()
	if err := f.c.Delete(f.t.Context(), o); err != nil {
		f.t.Fatal(err)
	}
}

// one is the only live report.
func (f *fleet) one() *v1alpha1.UsageReport {
	f.t.Helper()
	lives := f.reports(v1alpha1.UsageReportLive)
	if len(lives) != 1 {
		f.t.Fatalf("%d live reports, want 1", len(lives))
	}
	return &lives[0]
}

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
	read, since := a.Spent(testKey, "", quota.Lifetime, time.Now())
	if read != 17 || since != 0 {
		t.Errorf("read %v and since %v", read, since)
	}
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
