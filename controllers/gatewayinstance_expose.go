package controllers

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/controllers/render"
	"vipcloud.ai/vipcloud/gateway/table"
)

// egressOf are the ports that credentials lead to, in order. A proxy stands for everything behind it, and may be anywhere.
func egressOf(credentials []table.CompiledCredential, providers table.Providers) []render.Egress {
	found := map[render.Egress]bool{}
	for _, c := range credentials {
		spec := &c.Credential.Spec
		address, private := "", spec.AllowPrivate
		if spec.Proxy != nil {
			address, private = spec.Proxy.URL, true
		} else if endpoint, problem := table.ResolveEndpoint(spec, providers); problem == nil {
			address = endpoint
		}
		if port, ok := render.PortOf(address); ok {
			found[render.Egress{Port: port, Private: private}] = true
		}
	}
	var egress []render.Egress
	for e := range found {
		egress = append(egress, e)
	}
	slices.SortFunc(egress, func(a, b render.Egress) int {
		if a.Port != b.Port {
			return int(a.Port - b.Port)
		}
		return map[bool]int{false: -1, true: 1}[a.Private]
	})
	return egress
}

// gatewayAPIMissing says whether an HTTPRoute is asked for that the API server does not know.
func (r *GatewayInstanceReconciler) gatewayAPIMissing(s *instanceScope) (bool, error) {
	if !render.AsksForHTTPRoute(s.instance) {
		return false, nil
	}
	served, err := r.apis.resource(render.HTTPRouteKind().GroupVersion().String(), "httproutes")
	return !served, err
}

// httpRoute reads the HTTPRoute of an instance, nil if there is none or no such API.
func (r *GatewayInstanceReconciler) httpRoute(ctx context.Context, s *instanceScope) (*unstructured.Unstructured, error) {
	served, err := r.apis.group(render.HTTPRouteKind().Group)
	if err != nil || !served {
		return nil, err
	}
	if served, err = r.apis.resource(render.HTTPRouteKind().GroupVersion().String(), "httproutes"); err != nil || !served {
		return nil, err
	}
	route := render.HTTPRoute(s.instance)
	if err := r.live.Get(ctx, client.ObjectKeyFromObject(route), route); err != nil {
		if client.IgnoreNotFound(err) == nil {
			return nil, nil
		}
		return nil, fmt.Errorf("reading the HTTPRoute: %w", err)
	}
	return route, nil
}

// reviewExposure says whether something leads here from outside. Nothing tells of changes of an API that may not exist, so an
// HTTPRoute is looked at from time to time.
func (r *GatewayInstanceReconciler) reviewExposure(ctx context.Context, s *instanceScope, missing bool) error {
	const kind = v1alpha1.ConditionExposed
	switch {
	case s.instance.Spec.Expose == nil:
		return nil
	case s.instance.Spec.Expose.Ingress != nil:
		s.details = append(s.details, held(kind, v1alpha1.ReasonExposed, "the Ingress leads here; what serves it is the cluster's business"))
		return nil
	}
	s.due = earliest(s.due, r.clock.Now().Add(servedAgain))
	if missing {
		s.details = append(s.details, failed(kind, table.Degraded, v1alpha1.ReasonGatewayAPIMissing, fmt.Sprintf(
			"the API server knows no HTTPRoute of %s, which spec.expose.httpRoute needs; install the Gateway API and a controller for "+
				"it, or use expose.ingress", render.HTTPRouteKind().GroupVersion())))
		return nil
	}
	route, err := r.httpRoute(ctx, s)
	if err != nil {
		return err
	}
	s.details = append(s.details, exposureDetail(route))
	return nil
}

// exposureDetail passes on what Gateways make of a route.
func exposureDetail(route *unstructured.Unstructured) detail {
	const kind = v1alpha1.ConditionExposed
	waiting := failed(kind, pending, v1alpha1.ReasonProgressing,
		"no Gateway has looked at the HTTPRoute yet; if this lasts, look at the Gateways that spec.expose.httpRoute.parentRefs name")
	if route == nil {
		return waiting
	}
	parents, _, _ := unstructured.NestedSlice(route.Object, "status", "parents")
	accepted := false
	for _, p := range parents {
		parent, _ := p.(map[string]any)
		name, _, _ := unstructured.NestedString(parent, "parentRef", "name")
		conditions, _, _ := unstructured.NestedSlice(parent, "conditions")
		for _, c := range conditions {
			condition, _ := c.(map[string]any)
			switch {
			case condition["type"] != "Accepted" && condition["type"] != "ResolvedRefs":
			case condition["status"] == "False":
				return failed(kind, table.Degraded, v1alpha1.ReasonNotAccepted, fmt.Sprintf(
					"Gateway %s says of the HTTPRoute: %v: %v", name, condition["reason"], condition["message"]))
			case condition["type"] == "Accepted" && condition["status"] == "True":
				accepted = true
			}
		}
	}
	if !accepted {
		return waiting
	}
	return held(kind, v1alpha1.ReasonExposed, "the HTTPRoute is accepted")
}
