package controllers

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

// GatewayReplicaReconciler finds out which replicas of an instance are ready and how far they are, and wakes whoever waits for
// that. A request names an instance, not a replica.
type GatewayReplicaReconciler struct{ *operator }

// SetupWithManager registers the controller.
func (r *GatewayReplicaReconciler) SetupWithManager(mgr ctrl.Manager) error {
	err := ctrl.NewControllerManagedBy(mgr).
		Named("gatewayreplica").
		Watches(&v1alpha1.GatewayReplica{}, handler.EnqueueRequestsFromMapFunc(mapReplicaToInstance)).
		Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(mapLabelsToInstance)).
		Watches(&v1alpha1.GatewayInstance{}, &handler.EnqueueRequestForObject{},
			builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WatchesRawSource(r.wake[v1alpha1.KindGatewayReplica].source()).
		WithOptions(controllerOptions(2)).
		Complete(r)
	if err != nil {
		return fmt.Errorf("building: %w", err)
	}
	return nil
}

// mapReplicaToInstance names the instance of a replica.
func mapReplicaToInstance(_ context.Context, obj client.Object) []reconcile.Request {
	name := string(obj.(*v1alpha1.GatewayReplica).Spec.Instance)
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: obj.GetNamespace(), Name: name}}}
}

// mapLabelsToInstance names the instance that an object is labelled with.
func mapLabelsToInstance(_ context.Context, obj client.Object) []reconcile.Request {
	labels := obj.GetLabels()
	name := types.NamespacedName{
		Namespace: cmp.Or(labels[v1alpha1.LabelInstanceNamespace], obj.GetNamespace()),
		Name:      labels[v1alpha1.LabelInstance],
	}
	if name.Name == "" || name.Namespace == "" {
		return nil
	}
	return []reconcile.Request{{NamespacedName: name}}
}

// +kubebuilder:rbac:groups="",resources=pods,verbs=list;watch
// +kubebuilder:rbac:groups=vipcloud.ai,resources=gatewayreplicas,verbs=create;delete;get;list;patch;update;watch
// +kubebuilder:rbac:groups=vipcloud.ai,resources=gatewayreplicas/status,verbs=patch;update

// Reconcile looks at the replicas of one instance.
func (r *GatewayReplicaReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	replicas := &v1alpha1.GatewayReplicaList{}
	if err := r.List(ctx, replicas, client.InNamespace(req.Namespace),
		client.MatchingFields{indexReplicaInstance: req.Name}, client.UnsafeDisableDeepCopy); err != nil {
		return ctrl.Result{}, fmt.Errorf("listing replicas: %w", err)
	}
	var ready []replica
	var health fleetHealth
	var again time.Time
	for i := range replicas.Items {
		item := &replicas.Items[i]
		pod, err := r.podOf(ctx, item)
		if err != nil {
			return ctrl.Result{}, err
		}
		state := livenessOf(item, pod, r.clock.Now())
		if state.gone {
			if err := r.remove(ctx, item); err != nil {
				return ctrl.Result{}, err
			}
			continue
		}
		if state.ready {
			ready = append(ready, replicaOf(item))
			health.add(item.Status.Ejected)
		}
		again = earliest(again, state.again)
	}
	slices.SortFunc(ready, func(a, b replica) int { return cmp.Compare(a.name, b.name) })
	concerned, err := r.noteEjected(ctx, req.NamespacedName, health) // before routes are woken that ask for it
	if err != nil {
		return ctrl.Result{}, err
	}
	if err := r.publish(ctx, req.NamespacedName, ready); err != nil {
		return ctrl.Result{}, err
	}
	r.wake.objects(concerned...)
	trouble, err := r.findTrouble(ctx, req.NamespacedName)
	if err != nil {
		return ctrl.Result{}, err
	}
	if _, counted := r.fleets.ready(req.NamespacedName); counted && r.fleets.setTrouble(req.NamespacedName, trouble) {
		r.wake.objects(instanceRef(req.NamespacedName))
	}
	return r.again(again), nil
}

// podOf returns the pod of a replica, nil if it names none or there is none.
func (r *GatewayReplicaReconciler) podOf(ctx context.Context, item *v1alpha1.GatewayReplica) (*corev1.Pod, error) {
	if item.Spec.PodName == "" {
		return nil, nil
	}
	pod := &corev1.Pod{}
	err := r.Get(ctx, types.NamespacedName{Namespace: item.Namespace, Name: string(item.Spec.PodName)}, pod)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading pod %s: %w", item.Spec.PodName, err)
	}
	return pod, nil
}

// remove deletes the object of a replica that is gone for good.
func (r *GatewayReplicaReconciler) remove(ctx context.Context, item *v1alpha1.GatewayReplica) error {
	log.FromContext(ctx).Info("Deleting the object of a replica that is gone", "GatewayReplica", klog.KObj(item))
	gone := &v1alpha1.GatewayReplica{ObjectMeta: item.ObjectMeta}
	err := r.Delete(ctx, gone, client.Preconditions{UID: &item.UID, ResourceVersion: &item.ResourceVersion})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("deleting GatewayReplica %s: %w", item.Name, err)
	}
	return nil
}

// publish notes the ready replicas and wakes: always those who wait for them, the instance and its routes when their number changed,
// and its keys when the first one came or the last one went.
func (r *GatewayReplicaReconciler) publish(ctx context.Context, instance types.NamespacedName, ready []replica) error {
	if err := r.Get(ctx, instance, &v1alpha1.GatewayInstance{}); err != nil {
		r.fleets.forget(instance)
		return client.IgnoreNotFound(err)
	}
	before, counted := r.fleets.ready(instance)
	if counted && slices.Equal(before, ready) {
		return nil
	}
	concerned := []table.ObjectRef{instanceRef(instance)}
	if !counted || len(before) != len(ready) {
		concerned = append(concerned, r.compiled.routesOf(instance)...)
	}
	if !counted || (len(before) == 0) != (len(ready) == 0) {
		keys, err := r.keysOf(ctx, instance)
		if err != nil {
			return err
		}
		concerned = append(concerned, keys...)
	}
	r.fleets.set(instance, ready)
	r.wake.objects(concerned...)
	r.wake.objects(r.fleets.due(instance)...)
	return nil
}

// keysOf returns the keys that an instance accepts.
func (op *operator) keysOf(ctx context.Context, instance types.NamespacedName) ([]table.ObjectRef, error) {
	keys := &v1alpha1.ApiKeyList{}
	if err := op.List(ctx, keys, client.MatchingFields{indexKeyGateway: instance.String()}, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("listing the keys of the instance: %w", err)
	}
	refs := make([]table.ObjectRef, 0, len(keys.Items))
	for i := range keys.Items {
		refs = append(refs, refOf(v1alpha1.KindApiKey, &keys.Items[i]))
	}
	return refs, nil
}
