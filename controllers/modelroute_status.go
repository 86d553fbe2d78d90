package controllers

import (
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

// maxGateways bounds status.gateways, as the schema does.
const maxGateways = 64

// setStatus writes the status of a route from what was found, and returns when to look again.
func (s *routeScope) setStatus(now time.Time) time.Time {
	status := &s.route.Status
	// Ejections come and go; only a change of what can be used at all unlatches Programmed.
	latched := s.targets(len(status.Ejected)) == status.Targets
	o := observation{
		generation: s.route.Generation,
		now:        now,
		changed:    s.seen.changed,
		details:    slices.Concat(s.routeDetails(), []detail{s.programmedDetail(latched)}, s.healthDetails()),
		ready:      "every ready replica serves this generation",
		owned: []string{v1alpha1.ConditionAccepted, v1alpha1.ConditionResolvedRefs, v1alpha1.ConditionPriced,
			v1alpha1.ConditionProgrammed, v1alpha1.ConditionHealthy},
	}
	status.Ejected = statusEjected(s.ejected)
	status.Targets = s.targets(len(status.Ejected))
	status.Model = s.verdict.model
	status.Gateways = s.ack.gateways[:min(len(s.ack.gateways), maxGateways)]
	status.ObservedGeneration = s.route.Generation
	return o.settle(&status.Conditions)
}

// targets counts the targets that get requests, over all.
func (s *routeScope) targets(ejected int) string {
	return fmt.Sprintf("%d/%d", max(s.verdict.usable-ejected, 0), s.verdict.all)
}

// healthDetails say whether targets are ejected, if there is anybody to know and any that could be.
func (s *routeScope) healthDetails() []detail {
	if s.ack.ready == 0 || len(s.verdict.active) == 0 {
		return nil
	}
	return []detail{healthyDetail(s.ejected)}
}

// routeDetails are the findings of the compilation, or that no instance serves the route.
func (s *routeScope) routeDetails() []detail {
	if len(s.verdict.instances) > 0 {
		return fromFindings(s.verdict.findings)
	}
	return []detail{failed(v1alpha1.ConditionAccepted, table.Missing, v1alpha1.ReasonNoGateway,
		fmt.Sprintf("no GatewayInstance serves routes of namespace %s; create one, or extend serves.routes of one", s.route.Namespace))}
}

// programmedDetail says whether the replicas serve the route. Once they do, that changes only with the generation, with the
// targets that can be used (latched is false then) or when no replica is left.
func (s *routeScope) programmedDetail(latched bool) detail {
	if i := slices.IndexFunc(s.routeDetails(), rejects); i >= 0 {
		d := s.routeDetails()[i]
		return failed(v1alpha1.ConditionProgrammed, table.Info, d.reason, "not served: Accepted is False")
	}
	d := programmedBy(s.ack, latched && programmedAt(s.route.Status.Conditions, s.route.Generation))
	if d.ok && s.route.Spec.Availability == v1alpha1.AvailabilitySoon {
		d.reason, d.message = v1alpha1.ReasonSoon, "shown in the catalog; calls get a 503"
	}
	return d
}

// rejects says that a detail keeps its object from being served.
func rejects(d detail) bool { return d.kind == v1alpha1.ConditionAccepted && !d.ok }

// programmedBy says whether replicas serve an object; already keeps what was so.
func programmedBy(ack acknowledgement, already bool) detail {
	switch {
	case ack.ready == 0:
		return failed(v1alpha1.ConditionProgrammed, pending, v1alpha1.ReasonNoReadyReplica,
			"no replica of a serving GatewayInstance is ready; its status says why")
	case ack.complete() || already:
		return held(v1alpha1.ConditionProgrammed, v1alpha1.ReasonProgrammed, "every ready replica serves this generation")
	}
	return failed(v1alpha1.ConditionProgrammed, pending, v1alpha1.ReasonProgressing,
		fmt.Sprintf("%d of %d ready replicas serve this generation", ack.loaded, ack.ready))
}

// programmedAt says whether Programmed is True for a generation.
func programmedAt(conditions []metav1.Condition, generation int64) bool {
	c := meta.FindStatusCondition(conditions, v1alpha1.ConditionProgrammed)
	return c != nil && c.Status == metav1.ConditionTrue && c.ObservedGeneration == generation
}

// waiting says whether an object waits for replicas.
func waiting(conditions []metav1.Condition) bool {
	c := meta.FindStatusCondition(conditions, v1alpha1.ConditionProgrammed)
	return c != nil && (c.Reason == v1alpha1.ReasonProgressing || c.Reason == v1alpha1.ReasonNoReadyReplica)
}
