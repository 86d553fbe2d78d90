package controllers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/ledger"
)

const (
	// mergedKept is how long an archive remembers that it holds a report that is gone: a replica that was cut off for less can tell
	// that its report was merged. Beyond mergedMost only those are remembered that are not gone.
	mergedKept = 24 * time.Hour
	mergedMost = 512
)

// errNoArchive means that an object has the name of an archive and is none.
var errNoArchive = errors.New("not an archive of this shard; delete it")

// archiveFile is an archive as it was read, to be written only if nobody else has written since.
type archiveFile struct {
	*ledger.Archive
	object *v1alpha1.UsageReport
	// entries say of merged reports how far they had come, and when they were merged in Unix seconds.
	entries map[string][2]int64
}

// refOfArchive is the archive that a report belongs to.
func refOfArchive(report *v1alpha1.UsageReport) archiveRef {
	return archiveRef{
		instance: types.NamespacedName{Namespace: report.Namespace, Name: string(report.Gateway)}, shard: int(report.Shard)}
}

// name of the object.
func (a archiveRef) name() types.NamespacedName {
	return types.NamespacedName{
		Namespace: a.instance.Namespace, Name: "vipcloud-" + a.instance.Name + "-archive-" + strconv.Itoa(a.shard)}
}

// readArchive reads an archive as it is now, an empty one if there is none.
func (r *UsageReportReconciler) readArchive(ctx context.Context, ref archiveRef) (*archiveFile, error) {
	object := &v1alpha1.UsageReport{}
	err := r.live.Get(ctx, ref.name(), object)
	if apierrors.IsNotFound(err) {
		return &archiveFile{Archive: ledger.NewArchive(ref.shard), object: newArchiveObject(ref), entries: map[string][2]int64{}}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading archive %s: %w", ref.name(), err)
	}
	if object.Role != v1alpha1.UsageReportArchive || string(object.Gateway) != ref.instance.Name || int(object.Shard) != ref.shard {
		return nil, fmt.Errorf("reading archive %s: %w", ref.name(), errNoArchive)
	}
	page, err := pageOf(object)
	if err != nil {
		return nil, err
	}
	f := &archiveFile{Archive: ledger.OpenArchive(page, reportUIDs(object.Merged)), object: object}
	if err := json.Unmarshal([]byte(object.Annotations[v1alpha1.AnnotationMerged]), &f.entries); err != nil || f.entries == nil {
		f.entries = map[string][2]int64{} // it only helps
	}
	return f, nil
}

// newArchiveObject is an archive that does not exist yet. It has no owner: usage outlives the instance.
func newArchiveObject(ref archiveRef) *v1alpha1.UsageReport {
	return &v1alpha1.UsageReport{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: ref.name().Namespace, Name: ref.name().Name,
			Labels: map[string]string{v1alpha1.LabelInstance: ref.instance.Name, v1alpha1.LabelShard: strconv.Itoa(ref.shard)},
		},
		Gateway: v1alpha1.ObjectName(ref.instance.Name), Shard: int32(ref.shard), //nolint:gosec // there are 64
		Role: v1alpha1.UsageReportArchive,
	}
}

// writeArchive writes an archive if nobody else has since it was read; otherwise the error is a conflict, or that it exists.
func (r *UsageReportReconciler) writeArchive(ctx context.Context, f *archiveFile) error {
	data, err := f.Encode()
	if err != nil {
		return fmt.Errorf("writing archive %s: %w", f.object.Name, err)
	}
	f.object.Report = runtime.RawExtension{Raw: data}
	f.object.Merged = nil
	entries := map[string][2]int64{}
	for _, uid := range f.Merged() {
		f.object.Merged = append(f.object.Merged, v1alpha1.ReportUID(uid))
		entries[uid] = f.entries[uid]
	}
	text, err := json.Marshal(entries)
	if err != nil {
		return fmt.Errorf("writing archive %s: %w", f.object.Name, err)
	}
	metav1.SetMetaDataAnnotation(&f.object.ObjectMeta, v1alpha1.AnnotationMerged, string(text))
	if f.object.UID == "" {
		err = r.Create(ctx, f.object)
	} else {
		err = r.Update(ctx, f.object)
	}
	if err != nil {
		return fmt.Errorf("writing archive %s: %w", f.object.Name, err)
	}
	return nil
}

// retire moves what a live report holds into the archive, in steps of which each may be repeated and none undone: the report is
// sealed, so that its content is final; the archive is written with what it holds and its UID, in one piece; the report is deleted.
func (r *UsageReportReconciler) retire(ctx context.Context, report *v1alpha1.UsageReport) error {
	if sealed, err := r.seal(ctx, report); err != nil || !sealed {
		return err
	}
	if err := r.merge(ctx, report); err != nil {
		return err
	}
	uid := report.UID
	err := r.Delete(ctx, &v1alpha1.UsageReport{ObjectMeta: report.ObjectMeta}, client.Preconditions{UID: &uid})
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("deleting UsageReport %s: %w", report.Name, err)
	}
	ctrl.LoggerFrom(ctx).Info("Merged the usage of a replica that is gone into the archive", "UsageReport", klog.KObj(report))
	return nil
}

// current reads a report as it is now; nil if it is gone.
func (r *UsageReportReconciler) current(ctx context.Context, report *v1alpha1.UsageReport) (*v1alpha1.UsageReport, error) {
	now := &v1alpha1.UsageReport{}
	err := r.live.Get(ctx, client.ObjectKeyFromObject(report), now)
	if apierrors.IsNotFound(err) || (err == nil && now.UID != report.UID) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading UsageReport %s: %w", report.Name, err)
	}
	return now, nil
}

// seal makes the content of a report final, unless its writer has written since it was read. False: there is nothing to do, as the
// report is gone or its writer is back.
func (r *UsageReportReconciler) seal(ctx context.Context, report *v1alpha1.UsageReport) (bool, error) {
	now, err := r.current(ctx, report)
	if err != nil || now == nil || isSealed(now) {
		return now != nil, err
	}
	if gone, err := r.writerGone(ctx, r.live, now); err != nil || !gone {
		return false, err
	}
	metav1.SetMetaDataAnnotation(&now.ObjectMeta, v1alpha1.AnnotationSealed, r.clock.Now().UTC().Format(time.RFC3339))
	if err := r.Update(ctx, now); err != nil {
		return false, client.IgnoreNotFound(err)
	}
	return true, nil
}

// merge adds a sealed report to the archive, unless that was done. The archive is read before the report: a report that is there after
// that was not taken from the list of merged ones before.
func (r *UsageReportReconciler) merge(ctx context.Context, report *v1alpha1.UsageReport) error {
	archive, err := r.readArchive(ctx, refOfArchive(report))
	if err != nil {
		return err
	}
	now, err := r.current(ctx, report)
	if err != nil || now == nil {
		return err
	}
	page, err := pageOf(now)
	if err != nil {
		return err
	}
	err = archive.Merge(string(now.UID), page)
	if errors.Is(err, ledger.ErrMerged) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("merging UsageReport %s: %w", now.Name, err)
	}
	archive.entries[string(now.UID)] = [2]int64{page.Sequence(), r.clock.Now().Unix()}
	return r.writeArchive(ctx, archive)
}

// tend folds jobs that are long over into counters and forgets merged reports that are gone, once an hour.
func (r *UsageReportReconciler) tend(ctx context.Context, ref archiveRef) error {
	r.mu.Lock()
	fresh := r.clock.Since(r.tended[ref]) < tendEvery-time.Minute
	r.mu.Unlock()
	if fresh {
		return nil
	}
	archive, err := r.readArchive(ctx, ref)
	if err != nil {
		return err
	}
	lives, err := r.livesOf(ctx, ref)
	if err != nil {
		return err
	}
	folded := archive.Fold(lives, r.clock.Now())
	forgotten := archive.Gone(archive.old(lives, r.clock.Now())...)
	if archive.object.UID != "" || folded != (ledger.Folded{}) {
		if err := r.writeIfChanged(ctx, archive, forgotten); err != nil {
			return err
		}
	}
	if folded.Unknown > 0 {
		ctrl.LoggerFrom(ctx).Info("Jobs were charged of which nobody knows how they ended", "instance", ref.instance.String(),
			"jobs", folded.Unknown, "amount", folded.UnknownAmount.Decimal())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tended[ref] = r.clock.Now()
	return nil
}

// writeIfChanged writes an archive unless it says what it said.
func (r *UsageReportReconciler) writeIfChanged(ctx context.Context, f *archiveFile, changed bool) error {
	data, err := f.Encode()
	if err == nil && !changed && string(data) == string(f.object.Report.Raw) {
		return nil
	}
	return r.writeArchive(ctx, f)
}

// livesOf reads all live reports of a shard as they are now. One that cannot be read is an error: what it holds must not be folded
// without it.
func (r *UsageReportReconciler) livesOf(ctx context.Context, ref archiveRef) ([]ledger.Live, error) {
	list := &v1alpha1.UsageReportList{}
	err := r.live.List(ctx, list, client.InNamespace(ref.instance.Namespace), client.MatchingLabels{
		v1alpha1.LabelInstance: ref.instance.Name, v1alpha1.LabelShard: strconv.Itoa(ref.shard)})
	if err != nil {
		return nil, fmt.Errorf("listing UsageReports of shard %d: %w", ref.shard, err)
	}
	var lives []ledger.Live
	for i := range list.Items {
		o := &list.Items[i]
		if o.Role != v1alpha1.UsageReportLive || int(o.Shard) != ref.shard || string(o.Gateway) != ref.instance.Name {
			continue
		}
		page, err := pageOf(o)
		if err != nil {
			return nil, err
		}
		lives = append(lives, ledger.Live{UID: string(o.UID), Page: page})
	}
	return lives, nil
}

// old are the merged reports that are gone and need not be remembered.
func (f *archiveFile) old(lives []ledger.Live, now time.Time) []string {
	merged := f.Merged()
	many := len(merged) > mergedMost
	return slices.DeleteFunc(merged, func(uid string) bool {
		if slices.ContainsFunc(lives, func(l ledger.Live) bool { return l.UID == uid }) {
			return true
		}
		return !many && now.Sub(time.Unix(f.entries[uid][1], 0)) < mergedKept
	})
}

// pageOf reads the page of a report.
func pageOf(o *v1alpha1.UsageReport) (*ledger.Page, error) {
	page, err := ledger.Decode(o.Report.Raw)
	if err == nil && page.Shard() != int(o.Shard) {
		err = ledger.ErrShard
	}
	if err != nil {
		return nil, fmt.Errorf("reading UsageReport %s: %w", o.Name, err)
	}
	return page, nil
}

// reportUIDs are UIDs as the ledger knows them.
func reportUIDs(merged []v1alpha1.ReportUID) []string {
	uids := make([]string, 0, len(merged))
	for _, uid := range merged {
		uids = append(uids, string(uid))
	}
	return uids
}
