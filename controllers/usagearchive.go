package controllers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/ledger"
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
		Gateway: v1alpha1.ObjectName(ref.instance.Name), Shard: int32(ref.shard),
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
