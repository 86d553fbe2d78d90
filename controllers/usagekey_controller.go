package controllers

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
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
	// usageEvery is the shortest time between two writes of a key's usage, unless a budget is crossed.
	usageEvery = time.Minute
	// usageSpread is how long after midnight the usage of keys is written at most.
	usageSpread = 5 * time.Minute
)

// KeyUsageReconciler writes into the status of keys what was spent with them. It reads UsageReports as they change, and adds nothing
// up that it wrote itself.
type KeyUsageReconciler struct {
	*operator

	mu    sync.Mutex
	views map[types.NamespacedName]*ledger.View
}

// SetupWithManager registers the controller.
func (r *KeyUsageReconciler) SetupWithManager(mgr ctrl.Manager) error {
	r.views = map[types.NamespacedName]*ledger.View{}
	matters := predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		return contentChanged(e.ObjectOld, e.ObjectNew) || resetOf(e.ObjectOld) != resetOf(e.ObjectNew)
	}}
	err := ctrl.NewControllerManagedBy(mgr).
		Named("keyusage").
		For(&v1alpha1.ApiKey{}, builder.WithPredicates(matters)).
		Watches(&v1alpha1.UsageReport{}, handler.Funcs{
			CreateFunc: func(_ context.Context, e event.CreateEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
				r.take(e.Object, q)
			},
			UpdateFunc: func(_ context.Context, e event.UpdateEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
				r.take(e.ObjectNew, q)
			},
			DeleteFunc: func(_ context.Context, e event.DeleteEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
				r.drop(e.Object, q)
			},
		}).
		Watches(&v1alpha1.GatewayInstance{}, handler.EnqueueRequestsFromMapFunc(r.mapInstanceToOwnKeys),
			builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WithOptions(controllerOptions(4)).
		Complete(r)
	if err != nil {
		return fmt.Errorf("building: %w", err)
	}
	return nil
}

// resetOf is the annotation that sets the usage of a key to zero when it changes.
func resetOf(o client.Object) string { return o.GetAnnotations()[v1alpha1.AnnotationResetUsage] }

// mapInstanceToOwnKeys names the keys that an instance accepts.
func (r *KeyUsageReconciler) mapInstanceToOwnKeys(ctx context.Context, obj client.Object) []reconcile.Request {
	refs, err := r.keysOf(ctx, client.ObjectKeyFromObject(obj))
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "Listing keys")
	}
	requests := make([]reconcile.Request, 0, len(refs))
	for _, ref := range refs {
		requests = append(requests, reconcile.Request{NamespacedName: types.NamespacedName{Namespace: ref.Namespace, Name: ref.Name}})
	}
	return requests
}

// view is what all reports of an instance come to.
func (r *KeyUsageReconciler) view(instance types.NamespacedName) *ledger.View {
	r.mu.Lock()
	defer r.mu.Unlock()
	v := r.views[instance]
	if v == nil {
		v = ledger.NewView()
		r.views[instance] = v
	}
	return v
}

// take reads a report that is new or changed, and queues the keys that it concerns. One that cannot be read leaves what was read of
// it before.
func (r *KeyUsageReconciler) take(obj client.Object, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
	report, ok := obj.(*v1alpha1.UsageReport)
	if !ok || report.Shard >= ledger.Shards {
		return
	}
	page, err := pageOf(report)
	if err != nil {
		ctrl.Log.WithName("keyusage").Error(err, "A usage report cannot be read; what it said before counts")
		return
	}
	v := r.view(refOfArchive(report).instance)
	if report.Role == v1alpha1.UsageReportArchive {
		r.queueKeys(q, v.SetArchive(page, reportUIDs(report.Merged)))
		return
	}
	r.queueKeys(q, v.SetLive(string(report.UID), page))
}

// drop forgets a live report that is gone. What an archive said it goes on to say: nobody but people deletes one.
func (r *KeyUsageReconciler) drop(obj client.Object, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
	report, ok := obj.(*v1alpha1.UsageReport)
	if !ok || report.Shard >= ledger.Shards || report.Role != v1alpha1.UsageReportLive {
		return
	}
	r.queueKeys(q, r.view(refOfArchive(report).instance).DropLive(string(report.UID), int(report.Shard)))
}

// queueKeys queues keys, given as namespace/name. What is no key's name is usage of something else. Of a key that was rotated out the
// other controller tells.
func (r *KeyUsageReconciler) queueKeys(q workqueue.TypedRateLimitingInterface[reconcile.Request], keys []string) {
	for _, key := range keys {
		key, previous := ledger.PreviousOwner(key)
		namespace, name, ok := strings.Cut(key, "/")
		switch object := (types.NamespacedName{Namespace: namespace, Name: name}); {
		case !ok || namespace == "" || name == "":
		case previous:
			r.wake[v1alpha1.KindApiKey].add(object)
		default:
			q.Add(reconcile.Request{NamespacedName: object})
		}
	}
}

// Reconcile brings the usage in the status of one key up to date.
func (r *KeyUsageReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	ak := &v1alpha1.ApiKey{}
	if err := r.Get(ctx, req.NamespacedName, ak); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if ak.Status.Gateway == nil {
		return ctrl.Result{}, nil
	}
	name := types.NamespacedName{Namespace: string(ak.Status.Gateway.Namespace), Name: string(ak.Status.Gateway.Name)}
	instance := &v1alpha1.GatewayInstance{}
	if err := r.Get(ctx, name, instance); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	now := r.clock.Now()
	usage := usageOf(ak, instance, r.view(name), now)
	before := ak.Status.Usage
	if wait := pace(before, usage, now); wait > 0 {
		return ctrl.Result{RequeueAfter: wait}, nil
	}
	if before == nil || !sameUsage(before, usage) {
		if err := r.writeUsage(ctx, ak, usage); err != nil {
			return ctrl.Result{}, err
		}
	}
	midnight := periodEnd(v1alpha1.BudgetPeriodDay, now) // until then it stays true if nothing is spent
	return ctrl.Result{RequeueAfter: midnight.Sub(now) + spread(req.String())}, nil
}

// pace is how long to wait before writing usage that has changed.
func pace(before, usage *v1alpha1.KeyUsage, now time.Time) time.Duration {
	if before == nil || before.UpdatedAt == nil || sameUsage(before, usage) || exhausted(before) != exhausted(usage) ||
		before.Budget != usage.Budget || usage.Lifetime == "0" {
		return 0
	}
	return usageEvery - now.Sub(before.UpdatedAt.Time)
}

// exhausted says that nothing remains of a budget.
func exhausted(u *v1alpha1.KeyUsage) bool {
	return u.Remaining == "0" || strings.HasPrefix(string(u.Remaining), "-")
}

// sameUsage compares but for when it was computed.
func sameUsage(a, b *v1alpha1.KeyUsage) bool {
	x, y := *a, *b
	x.UpdatedAt, y.UpdatedAt = nil, nil
	return equality.Semantic.DeepEqual(x, y)
}

// spread keeps keys from being written all at once.
func spread(key string) time.Duration {
	h := fnv.New32a()
	_, _ = h.Write([]byte(key))
	return time.Duration(h.Sum32()%uint32(usageSpread/time.Second)) * time.Second
}

// usageMembers are all members of KeyUsage: one that is unset is removed.
var usageMembers = []string{
	"currency", "day", "week", "month", "lifetime", "spent", "budget", "remaining", "resetsAt", "lastUsed", "updatedAt",
}

// writeUsage patches the usage alone, whatever stands there: nobody else writes it, and what the cache says of it may be old.
func (r *KeyUsageReconciler) writeUsage(ctx context.Context, ak *v1alpha1.ApiKey, usage *v1alpha1.KeyUsage) error {
	data, err := json.Marshal(usage)
	if err != nil {
		return fmt.Errorf("writing usage: %w", err)
	}
	members := map[string]any{}
	if err := json.Unmarshal(data, &members); err != nil {
		return fmt.Errorf("writing usage: %w", err)
	}
	for _, name := range usageMembers {
		if _, set := members[name]; !set {
			members[name] = nil
		}
	}
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": ak.UID}, "status": map[string]any{"usage": members},
	})
	if err != nil {
		return fmt.Errorf("writing usage: %w", err)
	}
	target := &v1alpha1.ApiKey{ObjectMeta: ak.ObjectMeta}
	if err := r.Status().Patch(ctx, target, client.RawPatch(types.MergePatchType, patch)); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("patching usage: %w", err)
	}
	return nil
}
