package controllers

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

// ApiKeyReconciler makes and rotates keys, publishes their hashes in the status and chooses the instance that accepts them.
type ApiKeyReconciler struct {
	*operator
	described keySecrets
	// usage knows when keys were last used.
	usage *KeyUsageReconciler
	// warm fills described by one list at the first look; later looks read Secrets one by one.
	warm sync.Once
}

// keyScope is what one look at a key has found.
type keyScope struct {
	ak  *v1alpha1.ApiKey
	ref table.ObjectRef
	now time.Time
	// timing is spec.rotation, parsed; invalid says what cannot be used of the spec.
	timing  rotation
	invalid *table.Problem
	// instance that accepts the key, or why there is none.
	instance   *v1alpha1.GatewayInstance
	noInstance *table.Problem
	// material is what the source gave.
	material keyMaterial
	// verdict of the current compilation on what is published; known says that there is one.
	verdict verdict
	known   bool
	// seen is when what is published was first seen.
	seen sighting
	// ack is how far the replicas of the instance are; counted says that this is known.
	ack     acknowledgement
	counted bool
}

// SetupWithManager registers the controller.
func (r *ApiKeyReconciler) SetupWithManager(mgr ctrl.Manager) error {
	changed := predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool { return contentChanged(e.ObjectOld, e.ObjectNew) }}
	b := ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.ApiKey{}, builder.WithPredicates(changed)).
		WatchesMetadata(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.mapSecretToKeys)).
		Watches(&v1alpha1.GatewayInstance{}, handler.EnqueueRequestsFromMapFunc(r.mapInstanceToKeys),
			builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WatchesRawSource(r.wake[v1alpha1.KindApiKey].source()).
		WithOptions(controllerOptions(8))
	if r.opts.WatchNamespaces == nil {
		b = b.WatchesMetadata(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(r.mapNamespaceToKeys),
			builder.WithPredicates(predicate.LabelChangedPredicate{}))
	}
	if err := b.Complete(r); err != nil {
		return fmt.Errorf("building: %w", err)
	}
	return nil
}

// mapSecretToKeys names the keys that are in a Secret.
func (r *ApiKeyReconciler) mapSecretToKeys(ctx context.Context, obj client.Object) []reconcile.Request {
	return r.keyRequests(ctx, nil, client.InNamespace(obj.GetNamespace()), client.MatchingFields{indexKeySecret: obj.GetName()})
}

// mapNamespaceToKeys names the keys of a namespace.
func (r *ApiKeyReconciler) mapNamespaceToKeys(ctx context.Context, obj client.Object) []reconcile.Request {
	return r.keyRequests(ctx, nil, client.InNamespace(obj.GetName()))
}

// mapInstanceToKeys names the keys that an instance may accept: those that name it, and those that name none.
func (r *ApiKeyReconciler) mapInstanceToKeys(ctx context.Context, obj client.Object) []reconcile.Request {
	return r.keyRequests(ctx, func(ak *v1alpha1.ApiKey) bool {
		return ak.Spec.GatewayRef == nil || string(ak.Spec.GatewayRef.Name) == obj.GetName()
	})
}

// keyRequests lists the keys that some options and a filter (nil: all) choose.
func (r *ApiKeyReconciler) keyRequests(
	ctx context.Context, keep func(*v1alpha1.ApiKey) bool, opts ...client.ListOption,
) []reconcile.Request {
	keys := &v1alpha1.ApiKeyList{}
	if err := r.List(ctx, keys, append(opts, client.UnsafeDisableDeepCopy)...); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "Listing keys")
		return nil
	}
	var requests []reconcile.Request
	for i := range keys.Items {
		if keep == nil || keep(&keys.Items[i]) {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&keys.Items[i])})
		}
	}
	return requests
}

// +kubebuilder:rbac:groups="",resources=secrets,verbs=create;get;list;update;watch
// +kubebuilder:rbac:groups=vipcloud.ai,resources=apikeys,verbs=get;list;watch
// +kubebuilder:rbac:groups=vipcloud.ai,resources=apikeys/status,verbs=get;patch

// Reconcile looks at one key.
func (r *ApiKeyReconciler) Reconcile(ctx context.Context, req ctrl.Request) (res ctrl.Result, err error) {
	s := &keyScope{now: r.clock.Now(), ak: &v1alpha1.ApiKey{}, ref: table.ObjectRef{
		Kind: v1alpha1.KindApiKey, Namespace: req.Namespace, Name: req.Name}}
	if err := r.Get(ctx, req.NamespacedName, s.ak); err != nil {
		r.sightings.forget(s.ref)
		r.fleets.rest(s.ref)
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	patch := r.beginStatus(s.ak, &s.ak.Status.Conditions)
	defer func() { res, err = patch.finish(ctx, res, err) }()

	s.timing, s.invalid = rotationOf(s.ak)
	for _, phase := range []func(context.Context, *keyScope) error{
		r.chooseInstance, r.resolveSource, r.publish, r.acknowledge,
	} {
		if err := phase(ctx, s); err != nil {
			s.setRefusal(err)
			return ctrl.Result{}, err
		}
	}
	if !s.known || !s.counted {
		// What is published is new, or the operator is. Whoever finds out wakes us; until then the conditions stay as they are.
		return r.again(s.material.deadline), nil
	}
	r.previousUse(s)
	deadline := s.setConditions()
	if !waiting(s.ak.Status.Conditions) {
		r.fleets.rest(s.ref)
	}
	return r.again(deadline), nil
}

// chooseInstance finds the one instance that accepts the key.
func (r *ApiKeyReconciler) chooseInstance(ctx context.Context, s *keyScope) error {
	instances := &v1alpha1.GatewayInstanceList{}
	if err := r.List(ctx, instances, client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("listing instances: %w", err)
	}
	labels, err := r.namespaceLabels(ctx, s.ak.Namespace)
	if err != nil {
		return err
	}
	s.instance, s.noInstance = table.ChooseInstance(s.ak, pointers(instances.Items), labels, r.opts.WatchNamespaces)
	return nil
}

// namespaceLabels returns the labels of a namespace under its name, nil in namespaced mode.
func (op *operator) namespaceLabels(ctx context.Context, name string) (map[string]map[string]string, error) {
	if op.opts.WatchNamespaces != nil {
		return nil, nil
	}
	namespace := metadataOf("Namespace")
	if err := op.Get(ctx, types.NamespacedName{Name: name}, namespace); client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("reading namespace %q: %w", name, err)
	}
	return map[string]map[string]string{name: namespace.Labels}, nil
}

// publish writes into the status what gateways read there, and looks up what is known of it. What is only now being written
// has no version yet: the look that follows the write finds it.
func (r *ApiKeyReconciler) publish(_ context.Context, s *keyScope) error {
	before, gateway := tokenOf(s.ak), s.ak.Status.Gateway
	s.publishStatus()
	if !equality.Semantic.DeepEqual(gateway, s.ak.Status.Gateway) {
		// What the replicas of another instance have loaded does not count.
		meta.RemoveStatusCondition(&s.ak.Status.Conditions, v1alpha1.ConditionProgrammed)
	}
	if tokenOf(s.ak) != before {
		return nil
	}
	s.seen = r.sightings.see(s.ref, s.ak.UID, tokenOf(s.ak), s.ak.ResourceVersion)
	s.verdict, s.known = r.compiled.verdict(s.ref, sightOf(s.ak))
	return nil
}

// acknowledge asks how far the replicas of the instance are.
func (r *ApiKeyReconciler) acknowledge(ctx context.Context, s *keyScope) error {
	if s.instance == nil {
		s.counted = true
		return nil
	}
	name := client.ObjectKeyFromObject(s.instance)
	n, err := r.instanceNeed(ctx, name)
	if err != nil {
		return err
	}
	n.loaded.ApiKeys = s.seen.version
	r.fleets.wait(s.ref, n)
	s.ack, s.counted = acknowledge([]need{n}, r.fleets.ready)
	return nil
}

// timePtr turns a moment into what a status holds, nil for the zero one.
func timePtr(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}
	at := metav1.NewTime(t.UTC().Truncate(time.Second))
	return &at
}
