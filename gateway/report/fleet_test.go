package report

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
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
	registry prometheus.Registerer // of the replicas; nil: none
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
	// crash ends it so that nothing of it reaches the API server any more, and nothing is written to its journal.
	crash func()
	wire  *wire
}

// wire is the connection of a replica to the API server. It can lose the answers to writes.
type wire struct {
	next http.RoundTripper
	deaf atomic.Bool
	lost atomic.Int64
	// cut lets nothing through any more.
	cut atomic.Bool
	// hold keeps writes back until it is closed; nil: none. held counts those that wait.
	hold atomic.Pointer[chan struct{}]
	held atomic.Int64
}

// errLost is what a client sees of a lost answer.
var errLost = errors.New("answer lost by the test")

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if w.cut.Load() {
		return nil, errLost
	}
	if hold := w.hold.Load(); hold != nil && (r.Method == http.MethodPut || r.Method == http.MethodPost) {
		w.held.Add(1)
		<-*hold
		r = r.WithContext(context.WithoutCancel(r.Context())) // it is on its way, whoever left
	}
	response, err := w.next.RoundTrip(r)
	if err == nil && w.deaf.Load() && (r.Method == http.MethodPut || r.Method == http.MethodPost) {
		w.lost.Add(1)
		return nil, errors.Join(errLost, response.Body.Close())
	}
	return response, err
}

// replica runs a replica in a pod and waits until it is ready.
func (f *fleet) replica(name string, pod types.UID) *writer { return f.replicaWith(name, pod, "") }

// replicaWith runs a replica with a journal in a directory, without one if that is empty.
func (f *fleet) replicaWith(name string, pod types.UID, dir string) *writer {
	f.t.Helper()
	w := &writer{Books: spend.New(), f: f, wire: &wire{}}
	if dir != "" {
		journal, err := spend.OpenJournal(dir, name+" "+string(pod), slog.New(slog.DiscardHandler))
		if err != nil {
			f.t.Fatal(err)
		}
		w.Keep(journal)
	}
	config := rest.CopyConfig(f.config)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		w.wire.next = next
		return w.wire
	})
	var err error
	w.ledger, err = NewLedger(LedgerOptions{
		Config: config, Instance: f.instance, Replica: name, PodUID: pod, Books: w.Books, Logger: slog.New(slog.DiscardHandler),
		Registry: f.registry,
	})
	if err != nil {
		f.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.ledger.Run(ctx) }()
	w.end = sync.OnceFunc(func() {
		cancel()
		if w.wire.cut.Load() {
			return // it goes on trying for a while
		}
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
	w.crash = func() {
		w.wire.cut.Store(true)
		if j := w.Journal(); j != nil {
			if err := j.Close(); err != nil {
				f.t.Error(err)
			}
		}
		cancel()
	}
	select {
	case <-w.ledger.Synced():
	case <-time.After(20 * time.Second):
		f.t.Fatal("not synced within 20 s")
	}
	return w
}

// settle counts a request.
func (w *writer) settle(cost money.Amount) {
	w.Settle(&ledger.Entry{Key: testKey, Model: "m", At: time.Now(), Requests: 1, Cost: cost})
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
