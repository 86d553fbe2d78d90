package controllers

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

// ModelRouteReconciler writes the status of ModelRoutes. It makes nothing.
type ModelRouteReconciler struct{ *operator }

// routeScope is what one look at a route has found.
type routeScope struct {
	route *v1alpha1.ModelRoute
	ref   table.ObjectRef
	// verdict of the current compilation on this generation.
	verdict verdict
	// seen is when this generation was first seen.
	seen sighting
	// ack is how far the replicas of the serving instances are.
	ack acknowledgement
	// ejected are its targets that get no requests.
	ejected []ejection
}

// SetupWithManager registers the controller.
func (r *ModelRouteReconciler) SetupWithManager(mgr ctrl.Manager) error {
	err := ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.ModelRoute{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WatchesRawSource(r.wake[v1alpha1.KindModelRoute].source()).
		WithOptions(controllerOptions(4)).
		Complete(r)
	if err != nil {
		return fmt.Errorf("building: %w", err)
	}
	return nil
}

// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch
// +kubebuilder:rbac:groups=vipcloud.ai,resources=modelroutes,verbs=get;list;watch
// +kubebuilder:rbac:groups=vipcloud.ai,resources=modelroutes/status,verbs=get;patch

// Reconcile looks at one route.
func (r *ModelRouteReconciler) Reconcile(ctx context.Context, req ctrl.Request) (res ctrl.Result, err error) {
	s := &routeScope{route: &v1alpha1.ModelRoute{}, ref: table.ObjectRef{
		Kind: v1alpha1.KindModelRoute, Namespace: req.Namespace, Name: req.Name}}
	if err := r.Get(ctx, req.NamespacedName, s.route); err != nil {
		r.sightings.forget(s.ref)
		r.fleets.rest(s.ref)
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	s.seen = r.sightings.see(s.ref, s.route.UID, tokenOf(s.route), s.route.ResourceVersion)
	var known bool
	if s.verdict, known = r.compiled.verdict(s.ref, sightOf(s.route)); !known {
		// The compiler wakes us once it has seen this generation; until then observedGeneration says that we have not.
		return ctrl.Result{}, nil
	}
	patch := r.beginStatus(s.route, &s.route.Status.Conditions).showing(&s.route.Status.Ejected)
	defer func() { res, err = patch.finish(ctx, res, err) }()

	needs, looked, err := r.routeNeeds(ctx, s)
	if err != nil {
		return ctrl.Result{}, err
	}
	r.fleets.wait(s.ref, needs...)
	var counted bool
	if s.ack, counted = acknowledge(needs, r.fleets.ready); !counted || !looked {
		return ctrl.Result{}, nil // The operator has just started. Whoever looks and counts wakes us.
	}
	if s.ejected, _, counted = r.ejections.of(s.verdict.instances, s.has); !counted {
		return ctrl.Result{}, nil
	}
	deadline := s.setStatus(r.clock.Now())
	if !waiting(s.route.Status.Conditions) {
		r.fleets.rest(s.ref)
	}
	return r.again(deadline), nil
}

// has says whether a target is one of the route's that could get requests.
func (s *routeScope) has(e *ejection) bool {
	route, name, ok := e.route()
	return ok && route == s.ref && slices.Contains(s.verdict.active, name)
}

// routeNeeds is what the replicas of each serving instance must have loaded. False means that this is not wholly known yet.
func (r *ModelRouteReconciler) routeNeeds(ctx context.Context, s *routeScope) ([]need, bool, error) {
	needs, looked := make([]need, 0, len(s.verdict.instances)), true
	for _, name := range s.verdict.instances {
		n, err := r.instanceNeed(ctx, name)
		if err != nil {
			return nil, false, err
		}
		n.loaded.ModelRoutes = s.seen.version
		if len(s.route.Spec.Targets) > 0 {
			looked = r.needCredentials(&n) && looked
		}
		needs = append(needs, n)
	}
	return needs, looked, nil
}

// instanceNeed is what a replica must have loaded of the instance itself.
func (op *operator) instanceNeed(ctx context.Context, name types.NamespacedName) (need, error) {
	n := need{instance: name}
	instance := &v1alpha1.GatewayInstance{}
	if err := op.Get(ctx, name, instance); err != nil {
		n.pending = true
		return n, client.IgnoreNotFound(err)
	}
	n.loaded.GatewayInstance = op.sightings.see(
		instanceRef(name), instance.UID, tokenOf(instance), instance.ResourceVersion).version
	return n, nil
}

// needCredentials adds the compiled Secret to what is needed: the one that holds what the current compilation says. False means
// that nobody has looked at that Secret yet.
func (op *operator) needCredentials(n *need) bool {
	v, _ := op.compiled.instance(n.instance)
	written := op.secrets.get(n.instance)
	n.pending = n.pending || v.digest == "" || v.digest != written.digest
	n.loaded.Credentials = written.version
	return written.uid != ""
}
