package controllers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/ledger"
	"vipcloud.ai/vipcloud/gateway/money"
)

// usage is what a replica of a test has counted.
type usage struct {
	w    *world
	book *ledger.Book
	key  string
}

// usage makes an empty one for a key.
func (w *world) usage(key string) *usage {
	return &usage{w: w, book: ledger.NewBook(), key: w.ns + "/" + key}
}

// settle counts a request.
func (u *usage) settle(amount money.Amount, reset string) {
	u.book.Settle(ledger.Entry{Key: u.key, Reset: reset, Model: "m", At: u.w.clock.Now(), Requests: 1, Cost: amount})
}

// write makes the live report of a replica, or brings it up to date.
func (u *usage) write(replica string) *v1alpha1.UsageReport {
	u.w.t.Helper()
	shard := ledger.Shard(u.key)
	data, _, err := u.book.Encode(shard)
	if err != nil {
		u.w.t.Fatal(err)
	}
	report := &v1alpha1.UsageReport{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: u.w.ns, Name: fmt.Sprintf("vipcloud-default-%d-%s", shard, replica),
			Labels: map[string]string{v1alpha1.LabelInstance: "default", v1alpha1.LabelShard: fmt.Sprint(shard), v1alpha1.LabelPodUID: ""},
		},
		Gateway: "default", Replica: v1alpha1.ObjectName(replica), Shard: int32(shard), Role: v1alpha1.UsageReportLive,
		Report: runtime.RawExtension{Raw: data},
	}
	old := &v1alpha1.UsageReport{}
	if err := u.w.Get(u.w.ctx, client.ObjectKeyFromObject(report), old); err == nil {
		old.Report = report.Report
		if err := u.w.Update(u.w.ctx, old); err != nil {
			u.w.t.Fatal(err)
		}
		return old
	}
	u.w.create(report)
	return report
}

// ledgerOf reads all reports as they are now.
func (w *world) ledgerOf(instance string) (view *ledger.View, lives []string, archives []v1alpha1.UsageReport) {
	w.t.Helper()
	list := &v1alpha1.UsageReportList{}
	if err := w.List(w.ctx, list, client.InNamespace(w.ns), client.MatchingLabels{v1alpha1.LabelInstance: instance}); err != nil {
		w.t.Fatal(err)
	}
	view = ledger.NewView()
	for i := range list.Items {
		o := &list.Items[i]
		page, err := pageOf(o)
		if err != nil {
			w.t.Fatal(err)
		}
		if o.Role == v1alpha1.UsageReportArchive {
			view.SetArchive(page, reportUIDs(o.Merged))
			archives = append(archives, *o)
			continue
		}
		view.SetLive(string(o.UID), page)
		lives = append(lives, string(o.UID))
	}
	return view, lives, archives
}

// spent is what a key has spent by all reports.
func (w *world) spent(u *usage) money.Amount {
	w.t.Helper()
	view, _, _ := w.ledgerOf("default")
	return view.Spent(u.key, "", ledger.Lifetime, w.clock.Now())
}

// archivist is the part of an operator that retires reports, without a cache.
func (w *world) archivist(c client.Client) *UsageReportReconciler {
	return &UsageReportReconciler{
		operator: &operator{Client: c, live: c, clock: w.clock}, absent: map[types.UID]time.Time{}, tended: map[archiveRef]time.Time{},
	}
}

// look reconciles a report.
func look(ctx context.Context, r *UsageReportReconciler, report *v1alpha1.UsageReport) (ctrl.Result, error) {
	return r.Reconcile(ctx, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(report)})
}

func TestUsage_reportsOfGoneReplicasGoIntoTheArchiveAfterAGrace(t *testing.T) {
	w := newQuietWorld(t)
	r := w.archivist(w.Client)
	u := w.usage("shop")
	u.settle(5, "")
	report := u.write("gone")
	result, err := look(w.ctx, r, report)
	if err != nil || result.RequeueAfter <= 0 || result.RequeueAfter > writerGrace {
		t.Fatalf("at first: %+v, %v", result, err)
	}
	if _, lives, archives := w.ledgerOf("default"); len(lives) != 1 || archives != nil {
		t.Fatalf("before the grace is over: live %v, archives %d", lives, len(archives))
	}
	w.clock.step(writerGrace)
	if _, err := look(w.ctx, r, report); err != nil {
		t.Fatal(err)
	}
	_, lives, archives := w.ledgerOf("default")
	if lives != nil || len(archives) != 1 || w.spent(u) != 5 {
		t.Fatalf("live %v, archives %d, spent %v", lives, len(archives), w.spent(u))
	}
	a := archives[0]
	if a.OwnerReferences != nil || a.Name != fmt.Sprintf("vipcloud-default-archive-%d", ledger.Shard(u.key)) ||
		!slices.Equal(a.Merged, []v1alpha1.ReportUID{v1alpha1.ReportUID(report.UID)}) {
		t.Errorf("archive %+v merged %v", a.ObjectMeta, a.Merged)
	}
	w.clock.step(mergedKept + tendEvery)
	if _, err := look(w.ctx, r, &a); err != nil {
		t.Fatal(err)
	}
	if _, _, archives := w.ledgerOf("default"); archives[0].Merged != nil || w.spent(u) != 5 {
		t.Errorf("long after: merged %v, spent %v", archives[0].Merged, w.spent(u))
	}
}

func TestUsage_reportsOfReplicasThatLiveAreLeftAlone(t *testing.T) {
	w := newQuietWorld(t)
	r := w.archivist(w.Client)
	w.replica("default", "alive")
	u := w.usage("shop")
	u.settle(5, "")
	report := u.write("alive")
	for range 3 {
		if _, err := look(w.ctx, r, report); err != nil {
			t.Fatal(err)
		}
		w.clock.step(2 * writerGrace)
	}
	if _, lives, archives := w.ledgerOf("default"); len(lives) != 1 || archives != nil || w.spent(u) != 5 {
		t.Errorf("live %v, archives %d", lives, len(archives))
	}
}

// errCut is what an operator sees that is killed in the middle.
var errCut = errors.New("cut by the test")

// cutClient fails after some writes, having done the last one or not.
type cutClient struct {
	client.Client
	left int
	done bool
}

// cut counts a write.
func (c *cutClient) cut(write func() error) error {
	if c.left == 0 {
		if c.done {
			_ = write()
		}
		return errCut
	}
	c.left--
	return write()
}

// Create implements client.Client.
func (c *cutClient) Create(ctx context.Context, o client.Object, opts ...client.CreateOption) error {
	return c.cut(func() error { return c.Client.Create(ctx, o, opts...) })
}

// Update implements client.Client.
func (c *cutClient) Update(ctx context.Context, o client.Object, opts ...client.UpdateOption) error {
	return c.cut(func() error { return c.Client.Update(ctx, o, opts...) })
}

// Delete implements client.Client.
func (c *cutClient) Delete(ctx context.Context, o client.Object, opts ...client.DeleteOption) error {
	return c.cut(func() error { return c.Client.Delete(ctx, o, opts...) })
}

func TestUsage_archivingIsRepeatedAfterACrashAtAnyWrite(t *testing.T) {
	for _, done := range []bool{false, true} {
		for after := range 3 { // seal, merge, delete
			t.Run(fmt.Sprintf("write %d done %v", after+1, done), func(t *testing.T) {
				w := newQuietWorld(t)
				u := w.usage("shop")
				u.settle(5, "")
				report := u.write("gone")
				first, second := w.archivist(&cutClient{Client: w.Client, left: after, done: done}), w.archivist(w.Client)
				if _, err := look(w.ctx, first, report); err != nil {
					t.Fatal(err)
				}
				_, _ = look(w.ctx, second, report)
				w.clock.step(writerGrace)
				if _, err := look(w.ctx, first, report); !errors.Is(err, errCut) {
					t.Fatalf("the first operator ended with %v", err)
				}
				if got := w.spent(u); got != 5 {
					t.Errorf("in the middle %v is spent, want 5", got)
				}
				for range 2 {
					if _, err := look(w.ctx, second, report); err != nil {
						t.Fatal(err)
					}
				}
				if _, lives, archives := w.ledgerOf("default"); lives != nil || len(archives) != 1 || w.spent(u) != 5 {
					t.Errorf("live %v, archives %d, spent %v, want 5", lives, len(archives), w.spent(u))
				}
			})
		}
	}
}

// slowClient lets others work before a write of an archive.
type slowClient struct {
	client.Client
	before func()
}

// pause runs what is to happen before, once.
func (c *slowClient) pause(o client.Object) {
	if report, ok := o.(*v1alpha1.UsageReport); ok && report.Role == v1alpha1.UsageReportArchive && c.before != nil {
		before := c.before
		c.before = nil
		before()
	}
}

// Create implements client.Client.
func (c *slowClient) Create(ctx context.Context, o client.Object, opts ...client.CreateOption) error {
	c.pause(o)
	return c.Client.Create(ctx, o, opts...)
}

// Update implements client.Client.
func (c *slowClient) Update(ctx context.Context, o client.Object, opts ...client.UpdateOption) error {
	c.pause(o)
	return c.Client.Update(ctx, o, opts...)
}

func TestUsage_aStaleLeaderArchivesNothingTwice(t *testing.T) {
	w := newQuietWorld(t)
	u := w.usage("shop")
	u.settle(5, "")
	report := u.write("gone")
	leader := w.archivist(w.Client)
	stale := w.archivist(&slowClient{Client: w.Client, before: func() {
		if _, err := look(w.ctx, leader, report); err != nil {
			t.Errorf("the leader: %v", err)
		}
		w.clock.step(mergedKept + tendEvery) // until the archive has forgotten the report
		_, _, archives := w.ledgerOf("default")
		if _, err := look(w.ctx, leader, &archives[0]); err != nil {
			t.Errorf("the leader: %v", err)
		}
	}})
	for _, r := range []*UsageReportReconciler{leader, stale} {
		if _, err := look(w.ctx, r, report); err != nil {
			t.Fatal(err)
		}
	}
	w.clock.step(writerGrace)
	for range 3 {
		if _, err := look(w.ctx, stale, report); err != nil {
			t.Fatal(err)
		}
	}
	if _, lives, archives := w.ledgerOf("default"); lives != nil || len(archives) != 1 || w.spent(u) != 5 {
		t.Errorf("live %v, archives %d, spent %v, want 5", lives, len(archives), w.spent(u))
	}
}

func TestUsage_operatorsAtTheSameTimeArchiveOnce(t *testing.T) {
	w := newQuietWorld(t)
	u := w.usage("shop")
	var reports []*v1alpha1.UsageReport
	for i := range 6 { // each a replica of its own that counted 5
		one := w.usage("shop")
		one.settle(5, "")
		reports = append(reports, one.write(fmt.Sprintf("gone-%d", i)))
	}
	operators := []*UsageReportReconciler{w.archivist(w.Client), w.archivist(w.Client), w.archivist(w.Client)}
	for _, r := range operators {
		for _, report := range reports {
			if _, err := look(w.ctx, r, report); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.clock.step(writerGrace)
	var group sync.WaitGroup
	for _, r := range operators {
		group.Go(func() {
			for range 4 {
				for _, report := range reports {
					if _, err := look(w.ctx, r, report); err != nil {
						t.Errorf("operator: %v", err)
					}
				}
			}
		})
	}
	group.Wait()
	for _, report := range reports { // conflicts left some for later
		for range 3 {
			if _, err := look(w.ctx, operators[0], report); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, lives, archives := w.ledgerOf("default"); lives != nil || len(archives) != 1 || w.spent(u) != 30 {
		t.Errorf("live %v, archives %d, spent %v, want 30", lives, len(archives), w.spent(u))
	}
}

func TestUsage_theWriterThatComesBackInTimeKeepsItsReport(t *testing.T) {
	w := newQuietWorld(t)
	r := w.archivist(w.Client)
	u := w.usage("shop")
	u.settle(5, "")
	report := u.write("slow")
	if _, err := look(w.ctx, r, report); err != nil {
		t.Fatal(err)
	}
	w.clock.step(writerGrace)
	w.replica("default", "slow")
	if _, err := look(w.ctx, r, report); err != nil {
		t.Fatal(err)
	}
	if _, lives, archives := w.ledgerOf("default"); len(lives) != 1 || archives != nil {
		t.Errorf("live %v, archives %d", lives, len(archives))
	}
}

func TestUsage_jobsThatAreLongOverAreFoldedOnce(t *testing.T) {
	w := newQuietWorld(t)
	r := w.archivist(w.Client)
	w.replica("default", "alive")
	u := w.usage("shop")
	now := w.clock.Now()
	_, err := u.book.Job(ledger.JobEntry{
		Hash: "0123456789abcdef0123456789abcdef", Key: u.key, Model: "m", Amount: 5, State: ledger.JobReserved,
		Created: now, Deadline: now.Add(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	report := u.write("alive")
	for _, step := range []struct {
		ahead    time.Duration
		spent    money.Amount
		archives int
	}{{0, 0, 0}, {ledger.Keep + ledger.Slack + 3*time.Hour, 5, 1}, {2 * tendEvery, 5, 1}} {
		w.clock.step(step.ahead)
		if result, err := look(w.ctx, r, report); err != nil || result.RequeueAfter != tendEvery {
			t.Fatalf("%+v, %v", result, err)
		}
		if _, _, archives := w.ledgerOf("default"); w.spent(u) != step.spent || len(archives) != step.archives {
			t.Errorf("after %v: spent %v, archives %d", step.ahead, w.spent(u), len(archives))
		}
	}
}

func TestUsage_ofKeysThatAreGoneForLongIsForgotten(t *testing.T) {
	w := newQuietWorld(t)
	r := w.archivist(w.Client)
	deleted, kept, space := w.usage("deleted"), w.usage("kept"), w.usage("")
	w.create(&v1alpha1.ApiKey{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "kept"}})
	var archived []*v1alpha1.UsageReport
	for _, u := range []*usage{deleted, kept, space} {
		u.settle(5, "")
		archived = append(archived, u.write("gone"))
	}
	for range 3 { // seen to be gone, merged, tended
		for _, report := range archived {
			if _, err := look(w.ctx, r, report); err != nil {
				t.Fatal(err)
			}
		}
		w.clock.step(writerGrace)
	}
	tend := func() {
		t.Helper()
		_, _, archives := w.ledgerOf("default")
		for i := range archives {
			if _, err := look(w.ctx, r, &archives[i]); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.clock.step(usageKept - 3*writerGrace - time.Minute)
	tend()
	for _, u := range []*usage{deleted, kept, space} {
		if got := w.spent(u); got != 5 {
			t.Errorf("%s: %v after almost all of the time, want 5", u.key, got)
		}
	}
	w.clock.step(2 * tendEvery)
	tend()
	for u, want := range map[*usage]money.Amount{deleted: 0, kept: 5, space: 0} {
		if got := w.spent(u); got != want {
			t.Errorf("%s: %v in the end, want %v", u.key, got, want)
		}
	}
}

func TestUsage_archivesListNoMoreReportsThanTheyMay(t *testing.T) {
	w := newQuietWorld(t)
	r := w.archivist(w.Client)
	u := w.usage("shop")
	u.settle(5, "")
	report := u.write("first")
	ref := refOfArchive(report)
	f, err := r.readArchive(w.ctx, ref)
	if err != nil {
		t.Fatal(err)
	}
	empty, _, err := ledger.NewBook().Encode(ref.shard)
	if err != nil {
		t.Fatal(err)
	}
	page, err := ledger.Decode(empty)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1024 { // as many as the schema takes, of reports that are gone
		if err := f.Merge(fmt.Sprintf("%08d-0000-0000-0000-000000000000", i), page); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.writeArchive(w.ctx, f); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := look(w.ctx, r, report); err != nil {
			t.Fatal(err)
		}
		w.clock.step(writerGrace)
	}
	_, lives, archives := w.ledgerOf("default")
	if lives != nil || len(archives) != 1 || w.spent(u) != 5 || len(archives[0].Merged) > mergedMost {
		t.Errorf("live %v, %d archives, spent %v, %d merged", lives, len(archives), w.spent(u), len(archives[0].Merged))
	}
}
