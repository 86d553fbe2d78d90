package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/ledger"
)

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
	if len(archive.Merged()) >= mergedMost {
		lives, err := r.livesOf(ctx, refOfArchive(report))
		if err != nil {
			return err
		}
		archive.Gone(archive.old(lives, r.clock.Now())...)
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
