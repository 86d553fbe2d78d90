package cluster_test

import (
	"context"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// reports lists the live usage reports; false if the API server does not answer.
func (w *world) reports() ([]v1alpha1.UsageReport, bool) {
	list := &v1alpha1.UsageReportList{}
	if err := w.client.List(context.Background(), list, client.InNamespace(system)); err != nil {
		return nil, false
	}
	return slices.DeleteFunc(list.Items, func(o v1alpha1.UsageReport) bool { return o.Role != v1alpha1.UsageReportLive }), true
}

// seal does what the operator does with the reports of replicas that have been gone for five minutes: nobody writes them any more, and they are
// to be taken into the archives.
func (w *world) seal(replicas ...*replica) {
	w.t.Helper()
	w.eventually("the reports are sealed", func() bool {
		live, ok := w.reports()
		for i := range live {
			o := &live[i]
			if !slices.ContainsFunc(replicas, func(r *replica) bool { return r.name == string(o.Replica) }) {
				continue
			}
			before := o.DeepCopy()
			metav1.SetMetaDataAnnotation(&o.ObjectMeta, v1alpha1.AnnotationSealed, time.Now().UTC().Format(time.RFC3339))
			err := w.client.Patch(w.t.Context(), o, client.MergeFrom(before))
			ok = ok && client.IgnoreNotFound(err) == nil
		}
		return ok
	})
}

// archived says that no live report is left.
func (w *world) archived() bool {
	live, ok := w.reports()
	return ok && len(live) == 0
}
