package controllers

import (
	"context"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/ledger"
)

const (
	// writerGrace is how long the GatewayReplica of a live report must have been gone before the report is merged into the archive.
	writerGrace = 5 * time.Minute
	// tendEvery is how often archives are looked after.
	tendEvery = time.Hour
)

// UsageReportReconciler merges the reports of replicas that are gone into archives, and looks after these.
type UsageReportReconciler struct {
	*operator

	mu sync.Mutex
	// absent is since when the writers of reports have been seen to be gone.
	absent map[types.UID]time.Time
	// tended is when the archives of shards were last looked after.
	tended map[archiveRef]time.Time
}

// archiveRef names the archive of a shard of an instance.
type archiveRef struct {
	instance types.NamespacedName
	shard    int
}

// SetupWithManager registers the controller.
func (r *UsageReportReconciler) SetupWithManager(mgr ctrl.Manager) error {
	if err := registerMetrics(); err != nil {
		return fmt.Errorf("registering metrics: %w", err)
	}
	r.absent, r.tended = map[types.UID]time.Time{}, map[archiveRef]time.Time{}
	sealed := predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool { return isSealed(e.ObjectNew) && !isSealed(e.ObjectOld) }}
	replaced := predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool { return podUIDOf(e.ObjectOld) != podUIDOf(e.ObjectNew) },
	}
	err := ctrl.NewControllerManagedBy(mgr).
		Named("usagereport").
		For(&v1alpha1.UsageReport{}, builder.WithPredicates(sealed)).
		Watches(&v1alpha1.GatewayReplica{}, handler.EnqueueRequestsFromMapFunc(r.mapReplicaToReports), builder.WithPredicates(replaced)).
		WithOptions(controllerOptions(2)).
		Complete(r)
	if err != nil {
		return fmt.Errorf("building: %w", err)
	}
	return nil
}

// mapReplicaToReports names the live reports of a replica.
func (r *UsageReportReconciler) mapReplicaToReports(ctx context.Context, obj client.Object) []reconcile.Request {
	reports := &v1alpha1.UsageReportList{}
	instance := string(obj.(*v1alpha1.GatewayReplica).Spec.Instance)
	err := r.List(ctx, reports, client.InNamespace(obj.GetNamespace()),
		client.MatchingLabels{v1alpha1.LabelInstance: instance}, client.UnsafeDisableDeepCopy)
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "Listing usage reports")
		return nil
	}
	var requests []reconcile.Request
	for i := range reports.Items {
		if o := &reports.Items[i]; string(o.Replica) == obj.GetName() {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(o)})
		}
	}
	return requests
}

// isSealed says whether nobody may write a live report any more.
func isSealed(o client.Object) bool {
	_, sealed := o.GetAnnotations()[v1alpha1.AnnotationSealed]
	return sealed
}

// podUIDOf is the UID of the pod that owns a GatewayReplica, empty if none does.
func podUIDOf(o client.Object) string {
	for _, owner := range o.GetOwnerReferences() {
		if owner.Kind == "Pod" {
			return string(owner.UID)
		}
	}
	return ""
}

// +kubebuilder:rbac:groups=vipcloud.ai,resources=usagereports,verbs=create;delete;get;list;update;watch

// Reconcile looks at one report.
func (r *UsageReportReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	report := &v1alpha1.UsageReport{}
	if err := r.Get(ctx, req.NamespacedName, report); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if report.Shard >= ledger.Shards {
		return ctrl.Result{}, nil // nothing that a gateway or an operator wrote
	}
	if report.Role == v1alpha1.UsageReportLive {
		wait, err := r.retireGone(ctx, report)
		if err != nil || wait > 0 {
			return unlessConflict(ctrl.Result{RequeueAfter: wait}, err)
		}
	}
	err := r.tend(ctx, refOfArchive(report))
	return unlessConflict(ctrl.Result{RequeueAfter: tendEvery}, err)
}

// unlessConflict looks again soon where somebody else has written in between, which is no error.
func unlessConflict(res ctrl.Result, err error) (ctrl.Result, error) {
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) {
		return ctrl.Result{RequeueAfter: conflictAgain}, nil
	}
	if err != nil {
		return ctrl.Result{}, err
	}
	return res, nil
}

// retireGone retires a live report whose writer has been gone for long enough. wait is when to look again if that is not yet known.
func (r *UsageReportReconciler) retireGone(ctx context.Context, report *v1alpha1.UsageReport) (wait time.Duration, err error) {
	if !isSealed(report) {
		gone, err := r.writerGone(ctx, r.Client, report)
		if err != nil {
			return 0, err
		}
		if !gone {
			r.forget(report.UID)
			return 0, nil
		}
		if left := writerGrace - r.clock.Since(r.since(report.UID)); left > 0 {
			return left, nil
		}
	}
	if err := r.retire(ctx, report); err != nil {
		return 0, err
	}
	r.forget(report.UID)
	return 0, nil
}

// writerGone says whether the process that writes a live report is gone: its GatewayReplica is, or is another pod's.
func (r *UsageReportReconciler) writerGone(ctx context.Context, from client.Reader, report *v1alpha1.UsageReport) (bool, error) {
	replica := &v1alpha1.GatewayReplica{}
	err := from.Get(ctx, types.NamespacedName{Namespace: report.Namespace, Name: string(report.Replica)}, replica)
	if apierrors.IsNotFound(err) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading GatewayReplica %s: %w", report.Replica, err)
	}
	return podUIDOf(replica) != report.Labels[v1alpha1.LabelPodUID], nil
}

// since is since when a writer is known to be gone.
func (r *UsageReportReconciler) since(uid types.UID) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.absent[uid]; !known {
		r.absent[uid] = r.clock.Now()
	}
	return r.absent[uid]
}

// forget says that a writer is there, or its report gone.
func (r *UsageReportReconciler) forget(uid types.UID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.absent, uid)
}
