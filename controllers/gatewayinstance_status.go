package controllers

import (
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/controllers/render"
	"vipcloud.ai/vipcloud/gateway/table"
)

// setStatus writes the status of an instance from what was found and done, and returns when to look again. Trouble is what keeps pods
// from being ready, if anything does.
func (s *instanceScope) setStatus(now time.Time, ready []replica, trouble string) time.Time {
	status, wanted := &s.instance.Status, s.wanted()
	status.Replicas = fmt.Sprintf("%d/%d", len(ready), wanted)
	status.Routes, status.Keys = s.verdict.routes, s.verdict.keys
	status.Address = render.Address(s.instance)
	status.ObservedGeneration = s.instance.Generation
	obstacle := obstacleOf(s.deployment, trouble)
	// What was refused comes first: of details that weigh the same the first one is told, and the rest follows from it.
	var details []detail
	for _, p := range s.problems {
		details = append(details, fromProblem("", p))
	}
	if s.secret.kind != "" {
		details = append(details, s.secret)
	}
	details = append(details, s.details...)
	details = append(details, redisDetails(s.instance, s.verdict.redisProblem, ready)...)
	details = append(details, availableDetail(len(ready), wanted, obstacle), rolloutDetail(s.deployment, len(ready), wanted, obstacle))
	return observation{
		generation: s.instance.Generation,
		now:        now,
		changed:    s.seen.changed,
		details:    details,
		owned: []string{v1alpha1.ConditionAutoscaling, v1alpha1.ConditionTLSReady, v1alpha1.ConditionExposed,
			v1alpha1.ConditionRedisAvailable},
		ready: fmt.Sprintf("%d of %d replicas are ready", len(ready), wanted),
	}.settle(&status.Conditions)
}

// conflicted says whether an object that is not ours stands in the way.
func (s *instanceScope) conflicted() bool {
	return slices.ContainsFunc(s.problems, func(p *table.Problem) bool { return p.Reason == v1alpha1.ReasonNameConflict })
}

// availableDetail says whether anything serves. An instance that is scaled to nothing is as it should be.
func availableDetail(ready int, wanted int32, obstacle string) detail {
	const kind = v1alpha1.ConditionAvailable
	switch {
	case ready > 0:
		return held(kind, v1alpha1.ReasonAvailable, "at least one replica is ready")
	case wanted == 0:
		return failed(kind, table.Info, v1alpha1.ReasonNoReadyReplica, "spec.replicas is 0")
	}
	return failed(kind, pending, v1alpha1.ReasonNoReadyReplica, "no replica is ready"+obstacle)
}

// rolloutDetail says whether all replicas are up and of the present template.
func rolloutDetail(deployment *appsv1.Deployment, ready int, wanted int32, obstacle string) detail {
	switch {
	case deployment == nil:
		return failed("", pending, v1alpha1.ReasonProgressing, "the Deployment is being created")
	case ready < int(wanted):
		return failed("", pending, v1alpha1.ReasonProgressing,
			fmt.Sprintf("%d of %d replicas are ready%s", ready, wanted, obstacle))
	case !rolledOut(deployment, wanted):
		return failed("", pending, v1alpha1.ReasonProgressing, "the Deployment is rolling out"+obstacle)
	}
	return held("", v1alpha1.ReasonReady, "")
}

// obstacleOf passes on why the Deployment cannot make pods, and what keeps pods from being ready, as the end of a sentence.
func obstacleOf(deployment *appsv1.Deployment, trouble string) string {
	obstacle := ""
	if deployment != nil {
		for _, c := range deployment.Status.Conditions {
			if c.Type == appsv1.DeploymentReplicaFailure && c.Status == corev1.ConditionTrue {
				obstacle = "; pods cannot be made: " + c.Message + "; raise the quota or satisfy the policy that it names, or change replicas or podTemplate"
			}
		}
	}
	if trouble != "" {
		obstacle += "; " + trouble
	}
	return obstacle
}

// rolledOut says whether every pod is of the present template. Where no controller looks after Deployments
// (observedGeneration was never set) only the replicas themselves can tell.
func rolledOut(deployment *appsv1.Deployment, wanted int32) bool {
	st := deployment.Status
	if st.ObservedGeneration == 0 {
		return true
	}
	return st.ObservedGeneration >= deployment.Generation && st.UpdatedReplicas >= wanted && st.Replicas <= st.UpdatedReplicas
}
