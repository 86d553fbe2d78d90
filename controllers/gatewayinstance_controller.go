package controllers

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/controllers/render"
	"vipcloud.ai/vipcloud/gateway/table"
)

// GatewayInstanceReconciler runs gateways: it applies what render says, keeps the compiled Secret current, and makes and rotates
// the key ring in it.
type GatewayInstanceReconciler struct {
	*operator
	applied *appliedObjects
	rings   *heldRings
}

// newGatewayInstanceReconciler makes a reconciler that has applied nothing yet.
func newGatewayInstanceReconciler(op *operator) *GatewayInstanceReconciler {
	return &GatewayInstanceReconciler{operator: op, applied: newAppliedObjects(), rings: newHeldRings()}
}

// instanceScope is what one look at an instance has found and done.
type instanceScope struct {
	instance *v1alpha1.GatewayInstance
	name     client.ObjectKey
	ref      table.ObjectRef
	seen     sighting
	// verdict of the current compilation on this generation.
	verdict instanceVerdict
	// problems keep the gateway from being what the spec says.
	problems []*table.Problem
	// ring is the key ring; nil if there is none that can be used.
	ring *heldRing
	// ringDue is when the ring must be looked at again, zero for never.
	ringDue time.Time
	// secret says whether the compiled Secret is current.
	secret detail
	// details are conditions beside those that every instance has.
	details []detail
	// due is when something must be looked at again that no event tells of, zero for never.
	due time.Time
	// deployment as the cache has it, nil if there is none yet.
	deployment *appsv1.Deployment
}

// SetupWithManager registers the controller.
func (r *GatewayInstanceReconciler) SetupWithManager(mgr ctrl.Manager) error {
	remote := handler.EnqueueRequestsFromMapFunc(mapLabelsToInstance)
	b := ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.GatewayInstance{}, builder.WithPredicates(
			predicate.Or(predicate.GenerationChangedPredicate{}, rotationAsked()))).
		Owns(&appsv1.Deployment{}).
		Owns(&corev1.Service{}).
		Owns(&corev1.ServiceAccount{}).
		Owns(&rbacv1.Role{}).
		Owns(&policyv1.PodDisruptionBudget{}).
		Owns(&autoscalingv2.HorizontalPodAutoscaler{}).
		Owns(&networkingv1.NetworkPolicy{}).
		Owns(&networkingv1.Ingress{}).
		Watches(&rbacv1.RoleBinding{}, remote).
		WatchesMetadata(&corev1.Secret{}, remote).
		WatchesMetadata(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.instancesOfTLSSecret)).
		WatchesRawSource(r.wake[v1alpha1.KindGatewayInstance].source()).
		WithOptions(controllerOptions(2))
	if r.opts.WatchNamespaces == nil {
		b = b.Watches(&rbacv1.ClusterRoleBinding{}, remote)
	}
	if err := b.Complete(r); err != nil {
		return fmt.Errorf("building: %w", err)
	}
	return nil
}

// +kubebuilder:rbac:groups="",resources=secrets,verbs=create;get;list;update;watch
// +kubebuilder:rbac:groups="",resources=serviceaccounts;services,verbs=create;get;list;patch;watch
// +kubebuilder:rbac:groups=apps,resources=deployments,verbs=create;get;list;patch;watch
// +kubebuilder:rbac:groups=autoscaling,resources=horizontalpodautoscalers,verbs=create;delete;get;list;patch;watch
// +kubebuilder:rbac:groups=gateway.networking.k8s.io,resources=httproutes,verbs=create;delete;get;patch
// +kubebuilder:rbac:groups=networking.k8s.io,resources=ingresses;networkpolicies,verbs=create;delete;get;list;patch;watch
// +kubebuilder:rbac:groups=policy,resources=poddisruptionbudgets,verbs=create;delete;get;list;patch;watch
// +kubebuilder:rbac:groups=rbac.authorization.k8s.io,resources=clusterrolebindings;rolebindings,verbs=create;delete;get;list;patch;watch
// +kubebuilder:rbac:groups=rbac.authorization.k8s.io,resources=clusterroles,verbs=bind,resourceNames=vipcloud-gateway-reader
// +kubebuilder:rbac:groups=rbac.authorization.k8s.io,resources=roles,verbs=create;get;list;patch;watch
// +kubebuilder:rbac:groups=vipcloud.ai,resources=gatewayinstances,verbs=get;list;watch
// +kubebuilder:rbac:groups=vipcloud.ai,resources=gatewayinstances/status,verbs=get;patch
// +kubebuilder:rbac:groups=vipcloud.ai,resources=usagereports,verbs=create;delete;get;list;update;watch

// Reconcile looks at one instance.
func (r *GatewayInstanceReconciler) Reconcile(ctx context.Context, req ctrl.Request) (res ctrl.Result, err error) {
	s := &instanceScope{instance: &v1alpha1.GatewayInstance{}, name: req.NamespacedName, ref: instanceRef(req.NamespacedName)}
	if err := r.Get(ctx, req.NamespacedName, s.instance); err != nil {
		r.sightings.forget(s.ref)
		r.secrets.forget(s.name)
		r.rings.put(s.name, nil)
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if s.instance.DeletionTimestamp != nil {
		return ctrl.Result{}, nil
	}
	s.seen = r.sightings.see(s.ref, s.instance.UID, tokenOf(s.instance), s.instance.ResourceVersion)
	v, known := r.compiled.instance(s.name)
	if !known || v.seen != sightOf(s.instance) {
		return ctrl.Result{}, nil
	}
	s.verdict = v
	patch := r.beginStatus(s.instance, &s.instance.Status.Conditions)
	defer func() { res, err = patch.finish(ctx, res, err) }()

	err = r.run(ctx, s)
	switch {
	case refused(err):
		s.problems = append(s.problems, refusal(err))
	case err != nil:
		return ctrl.Result{}, err
	}
	ready, counted := r.fleets.ready(s.name)
	if !counted {
		return ctrl.Result{}, err // Whoever counts wakes us.
	}
	deadline := earliest(s.setStatus(r.clock.Now(), ready, r.fleets.troubles(s.name)), s.ringDue, s.due)
	if err != nil {
		return ctrl.Result{}, err
	}
	if s.conflicted() {
		deadline = earliest(deadline, r.clock.Now().Add(conflictRetry))
	}
	return r.again(deadline), nil
}

// run brings everything that the instance owns to what its spec says. Problems of the spec are no errors.
func (r *GatewayInstanceReconciler) run(ctx context.Context, s *instanceScope) error {
	s.deployment = &appsv1.Deployment{}
	key := client.ObjectKey{Namespace: s.name.Namespace, Name: render.Name(s.name.Name, "")}
	if err := r.Get(ctx, key, s.deployment); err != nil {
		s.deployment = nil
		if client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("reading the Deployment: %w", err)
		}
	}
	for _, phase := range []func(context.Context, *instanceScope) error{r.ensureKeyRing, r.ensureSecret, r.rotateKeyRing} {
		if err := phase(ctx, s); err != nil {
			return err
		}
	}
	if s.verdict.problem != nil {
		s.problems = append(s.problems, s.verdict.problem)
		return nil
	}
	scale, version, err := r.scaleOf(ctx, s)
	if err != nil {
		return err
	}
	missing, err := r.gatewayAPIMissing(s)
	if err != nil {
		return err
	}
	objects, err := render.Objects(render.Input{
		Instance: s.instance, Image: r.opts.GatewayImage, WatchNamespaces: r.opts.WatchNamespaces, Scale: scale,
		Egress: s.verdict.egress, NoGatewayAPI: missing})
	if err != nil {
		s.problems = append(s.problems, &table.Problem{
			Severity: table.Invalid, Reason: v1alpha1.ReasonInvalid, Message: err.Error()})
		return nil //nolint:nilerr // what cannot be rendered is for the status, not for another try
	}
	for _, obj := range objects {
		if _, ok := obj.(*appsv1.Deployment); ok {
			obj.SetResourceVersion(version)
		}
		problem, err := r.ensure(ctx, s.instance, obj)
		if err != nil {
			return err
		}
		if problem != nil {
			s.problems = append(s.problems, problem)
		}
	}
	if err := r.prune(ctx, s, scale, objects); err != nil {
		return err
	}
	if err := r.reviewTLS(ctx, s); err != nil {
		return err
	}
	if err := r.reviewExposure(ctx, s, missing); err != nil {
		return err
	}
	return r.reviewAutoscaling(ctx, s, scale)
}
