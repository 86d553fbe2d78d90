package controllers

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

const (
	// maxEjected bounds status.ejected of routes and credentials, as the schema does.
	maxEjected = 64
	// maxNamed bounds how many targets a message names.
	maxNamed = 5
)

// ejection is a target that gets no requests, by what several replicas say.
type ejection struct {
	v1alpha1.EjectedTarget
	// replicas is how many of them say so.
	replicas int
}

// merge adds what other replicas say of the same target. What somebody must mend comes before what time does, and then what lasts
// longer.
func (e ejection) merge(o ejection) ejection {
	worse, better := e, o
	if e.Until != nil && (o.Until == nil || e.Until.Before(o.Until)) {
		worse, better = o, e
	}
	if better.Since != nil && (worse.Since == nil || better.Since.Before(worse.Since)) {
		worse.Since = better.Since
	}
	worse.replicas += better.replicas
	return worse
}

// equal compares.
func (e *ejection) equal(o *ejection) bool {
	return e.replicas == o.replicas && equality.Semantic.DeepEqual(e.EjectedTarget, o.EjectedTarget)
}

// route returns the route that the target belongs to, and its name there. It is false for what is no target's name.
func (e *ejection) route() (route table.ObjectRef, name string, ok bool) {
	parts := strings.Split(e.Target, "/")
	if len(parts) != 3 {
		return table.ObjectRef{}, "", false
	}
	return table.ObjectRef{Kind: v1alpha1.KindModelRoute, Namespace: parts[0], Name: parts[1]}, parts[2], true
}

// concerns returns the objects whose status shows the target.
func (e *ejection) concerns() []table.ObjectRef {
	var refs []table.ObjectRef
	if route, _, ok := e.route(); ok {
		refs = append(refs, route)
	}
	if namespace, name, ok := strings.Cut(e.Credential, "/"); ok {
		refs = append(refs, table.ObjectRef{Kind: v1alpha1.KindProviderCredential, Namespace: namespace, Name: name})
	}
	return refs
}

// mergeEjections makes one list of several, in the order of targets.
func mergeEjections(list []ejection) []ejection {
	byTarget := map[string]ejection{}
	for _, e := range list {
		if known, ok := byTarget[e.Target]; ok {
			e = known.merge(e)
		}
		byTarget[e.Target] = e
	}
	merged := make([]ejection, 0, len(byTarget))
	for _, e := range byTarget {
		merged = append(merged, e)
	}
	slices.SortFunc(merged, func(a, b ejection) int { return cmp.Compare(a.Target, b.Target) })
	return merged
}

// fleetHealth is what the ready replicas of an instance say.
type fleetHealth struct {
	replicas int
	ejected  []ejection
}

// add adds what a ready replica says.
func (h *fleetHealth) add(ejected []v1alpha1.EjectedTarget) {
	h.replicas++
	for _, e := range ejected {
		h.ejected = append(h.ejected, ejection{EjectedTarget: e, replicas: 1})
	}
}

// ejections is what the ready replicas of all instances say of targets. It is safe for concurrent use.
type ejections struct {
	mu         sync.Mutex
	byInstance map[types.NamespacedName]fleetHealth
}

// newEjections knows of nothing.
func newEjections() *ejections { return &ejections{byInstance: map[types.NamespacedName]fleetHealth{}} }

// set notes what the replicas of an instance say, and returns the objects for which that is news. counted says that the number of
// its replicas was unknown, or became or ceased to be zero: then it is news for everybody.
func (e *ejections) set(instance types.NamespacedName, now fleetHealth) (concerned []table.ObjectRef, counted bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	before, known := e.byInstance[instance]
	e.byInstance[instance] = now
	return changedEjections(before.ejected, now.ejected), !known || (before.replicas == 0) != (now.replicas == 0)
}

// forget drops an instance that is gone, and returns what set does.
func (e *ejections) forget(instance types.NamespacedName) (concerned []table.ObjectRef, counted bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	before := e.byInstance[instance]
	delete(e.byInstance, instance)
	return changedEjections(before.ejected, nil), before.replicas > 0
}

// changedEjections returns the objects that two lists say different things of.
func changedEjections(before, now []ejection) []table.ObjectRef {
	var refs []table.ObjectRef
	for _, pair := range [][2][]ejection{{before, now}, {now, before}} {
		for i := range pair[0] {
			same := func(o ejection) bool { return o.equal(&pair[0][i]) }
			if !slices.ContainsFunc(pair[1], same) {
				refs = append(refs, pair[0][i].concerns()...)
			}
		}
	}
	return refs
}

// of returns what the replicas of some instances say of the targets that a filter keeps, and how many replicas there are. It is
// false if those of some instance were not counted yet.
func (e *ejections) of(instances []types.NamespacedName, keep func(*ejection) bool) (list []ejection, replicas int, counted bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, instance := range instances {
		health, known := e.byInstance[instance]
		if !known {
			return nil, 0, false
		}
		replicas += health.replicas
		for i := range health.ejected {
			if keep(&health.ejected[i]) {
				list = append(list, health.ejected[i])
			}
		}
	}
	return mergeEjections(list), replicas, true
}

// noteEjected notes what the ready replicas of an instance say of targets, and returns the objects to wake.
func (r *GatewayReplicaReconciler) noteEjected(
	ctx context.Context, instance types.NamespacedName, now fleetHealth,
) ([]table.ObjectRef, error) {
	var concerned []table.ObjectRef
	var counted bool
	switch err := r.Get(ctx, instance, &v1alpha1.GatewayInstance{}); {
	case apierrors.IsNotFound(err):
		concerned, counted = r.ejections.forget(instance)
	case err != nil:
		return nil, fmt.Errorf("reading GatewayInstance %s: %w", instance, err)
	default:
		now.ejected = mergeEjections(now.ejected)
		concerned, counted = r.ejections.set(instance, now)
	}
	if !counted {
		return concerned, nil
	}
	credentials := &v1alpha1.ProviderCredentialList{}
	if err := r.List(ctx, credentials, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("listing credentials: %w", err)
	}
	for i := range credentials.Items {
		concerned = append(concerned, refOf(v1alpha1.KindProviderCredential, &credentials.Items[i]))
	}
	return concerned, nil
}

// statusEjected is a list as a status shows it.
func statusEjected(list []ejection) []v1alpha1.EjectedTarget {
	var shown []v1alpha1.EjectedTarget
	for i := range list[:min(len(list), maxEjected)] {
		shown = append(shown, list[i].EjectedTarget)
	}
	return shown
}

// healthyDetail says whether any target gets no requests. It stands in the way of nothing.
func healthyDetail(list []ejection) detail {
	if len(list) == 0 {
		return held(v1alpha1.ConditionHealthy, v1alpha1.ReasonHealthy, "no target is ejected")
	}
	var named []string
	for i := range list[:min(len(list), maxNamed)] {
		named = append(named, fmt.Sprintf("%s (%s, in %s)", list[i].Target, list[i].Reason, replicasWord(list[i].replicas)))
	}
	if more := len(list) - maxNamed; more > 0 {
		named = append(named, fmt.Sprintf("and %d more", more))
	}
	return failed(v1alpha1.ConditionHealthy, table.Info, v1alpha1.ReasonTargetsEjected,
		"targets that get no requests: "+strings.Join(named, ", "))
}

// replicasWord is a number of replicas in words.
func replicasWord(n int) string {
	if n == 1 {
		return "1 replica"
	}
	return fmt.Sprintf("%d replicas", n)
}

// ejectionEvents tells which targets were ejected and which are ejected no more.
func (p *statusPatch) ejectionEvents() {
	if p.ejected == nil {
		return
	}
	if out := ejectedBeside(*p.ejected, p.ejectedBefore); out != "" {
		p.tell(true, v1alpha1.ReasonTargetsEjected, "these targets get no requests now: "+out)
	}
	if back := ejectedBeside(p.ejectedBefore, *p.ejected); back != "" {
		p.tell(false, v1alpha1.ReasonTargetsReturned, "these targets are not ejected any more: "+back)
	}
}

// ejectedBeside names the targets of a list that are not in another.
func ejectedBeside(list, other []v1alpha1.EjectedTarget) string {
	var named []string
	for i := range list {
		same := func(o v1alpha1.EjectedTarget) bool { return o.Target == list[i].Target }
		if !slices.ContainsFunc(other, same) {
			named = append(named, fmt.Sprintf("%s (%s)", list[i].Target, list[i].Reason))
		}
	}
	return strings.Join(named, ", ")
}
