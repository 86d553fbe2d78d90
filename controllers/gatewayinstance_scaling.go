package controllers

import (
	"context"
	"encoding/json"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/controllers/render"
	"vipcloud.ai/vipcloud/gateway/table"
)

// customMetricsGroup is the API that an adapter serves metrics of pods by.
const customMetricsGroup = "custom.metrics.k8s.io"

// scaleOf finds out what became of the number of replicas, and the version of the Deployment that this is true of. Who has set the
// number stands in the managed fields, which the cache leaves out.
func (r *GatewayInstanceReconciler) scaleOf(ctx context.Context, s *instanceScope) (render.Scale, string, error) {
	scale := render.Scale{}
	a := s.instance.Spec.Autoscaling
	if a == nil {
		return scale, "", nil
	}
	if render.OwnAutoscaler(s.instance) && a.TargetInFlightRequests != nil {
		served, err := r.apis.group(customMetricsGroup)
		if err != nil {
			return scale, "", err
		}
		scale.NoMetrics = !served
	}
	deployment := &appsv1.Deployment{}
	err := r.live.Get(ctx, client.ObjectKey{Namespace: s.name.Namespace, Name: render.Name(s.name.Name, "")}, deployment)
	if apierrors.IsNotFound(err) {
		return scale, "", nil
	}
	if err != nil {
		return scale, "", fmt.Errorf("reading the Deployment: %w", err)
	}
	scale.Live = deployment.Spec.Replicas
	scale.Taken = replicasTaken(deployment.ManagedFields)
	return scale, deployment.ResourceVersion, nil
}

// replicasTaken says whether somebody other than the operator has set the number of replicas.
func replicasTaken(entries []metav1.ManagedFieldsEntry) bool {
	for _, e := range entries {
		if e.Manager == operatorName && e.Operation == metav1.ManagedFieldsOperationApply || e.FieldsV1 == nil {
			continue
		}
		var fields struct {
			Spec struct {
				Replicas *struct{} `json:"f:replicas"`
			} `json:"f:spec"`
		}
		if err := json.Unmarshal(e.FieldsV1.GetRawBytes(), &fields); err == nil && fields.Spec.Replicas != nil {
			return true
		}
	}
	return false
}

// wanted is how many replicas there should be now.
func (s *instanceScope) wanted() int32 {
	if s.instance.Spec.Autoscaling != nil && s.deployment != nil && s.deployment.Spec.Replicas != nil {
		return *s.deployment.Spec.Replicas
	}
	return render.Replicas(s.instance)
}

// reviewAutoscaling says whether load chooses the number of replicas.
func (r *GatewayInstanceReconciler) reviewAutoscaling(ctx context.Context, s *instanceScope, scale render.Scale) error {
	const kind = v1alpha1.ConditionAutoscaling
	switch {
	case s.instance.Spec.Autoscaling == nil:
		return nil
	case !render.OwnAutoscaler(s.instance):
		s.details = append(s.details, held(kind, v1alpha1.ReasonAutoscaling, "the number of replicas is left to others"))
		return nil
	case scale.NoMetrics:
		s.due = earliest(s.due, r.clock.Now().Add(servedAgain))
		s.details = append(s.details, failed(kind, table.Degraded, v1alpha1.ReasonMetricsAPIMissing, fmt.Sprintf(
			"nothing serves %s, which spec.autoscaling.targetInFlightRequests needs: the number of replicas stays as it is; install an "+
				"adapter such as prometheus-adapter, or use targetCPUUtilization", customMetricsGroup)))
		return nil
	}
	hpa := &autoscalingv2.HorizontalPodAutoscaler{}
	err := r.Get(ctx, client.ObjectKey{Namespace: s.name.Namespace, Name: render.Name(s.name.Name, "")}, hpa)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("reading the HorizontalPodAutoscaler: %w", err)
	}
	s.details = append(s.details, scalingDetail(hpa, s.wanted()))
	return nil
}

// scalingDetail passes on what an autoscaler says of itself. It takes a while until metrics of new pods come, so that this alone
// does not stand in the way of Ready.
func scalingDetail(hpa *autoscalingv2.HorizontalPodAutoscaler, wanted int32) detail {
	const kind = v1alpha1.ConditionAutoscaling
	if wanted == 0 {
		return failed(kind, table.Info, v1alpha1.ReasonScalingInactive, "spec.replicas is 0, which stops autoscaling too")
	}
	for _, c := range hpa.Status.Conditions {
		if c.Status == corev1.ConditionFalse && (c.Type == autoscalingv2.ScalingActive || c.Type == autoscalingv2.AbleToScale) {
			return failed(kind, table.Info, v1alpha1.ReasonScalingInactive,
				fmt.Sprintf("the HorizontalPodAutoscaler says %s: %s", c.Reason, c.Message))
		}
	}
	return held(kind, v1alpha1.ReasonAutoscaling, "the HorizontalPodAutoscaler chooses the number of replicas")
}
