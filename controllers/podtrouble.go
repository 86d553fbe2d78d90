package controllers

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// maxLastWords bounds what is passed on of a container's last line.
const maxLastWords = 300

// findTrouble says what keeps a pod of an instance from being ready, empty for nothing.
func (op *operator) findTrouble(ctx context.Context, instance types.NamespacedName) (string, error) {
	var pods corev1.PodList
	if err := op.List(ctx, &pods, client.InNamespace(instance.Namespace), client.MatchingLabels{v1alpha1.LabelInstance: instance.Name},
		client.UnsafeDisableDeepCopy); err != nil {
		return "", fmt.Errorf("listing pods: %w", err)
	}
	return troubleOf(pods.Items), nil
}

// troubleOf says what keeps the first of some pods that is in trouble from being ready, and what to do about it. It does not repeat what
// changes from one try of the kubelet to the next, so that a status is written once.
func troubleOf(pods []corev1.Pod) string {
	sorted := slices.SortedFunc(slices.Values(pods), func(a, b corev1.Pod) int { return cmp.Compare(a.Name, b.Name) })
	for i := range sorted {
		pod := &sorted[i]
		if pod.DeletionTimestamp != nil || podReady(pod) {
			continue
		}
		if trouble := cmp.Or(unscheduled(pod), containerTrouble(pod)); trouble != "" {
			return "pod " + pod.Name + " " + trouble
		}
	}
	return ""
}

// unscheduled says why no node takes a pod.
func unscheduled(pod *corev1.Pod) string {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Message != "" {
			return fmt.Sprintf("finds no node: %s; make room, or change podTemplate.resources, nodeSelector, tolerations or affinity", strings.TrimSuffix(c.Message, "."))
		}
	}
	return ""
}

// containerTrouble says why a container does not run.
func containerTrouble(pod *corev1.Pod) string {
	for i := range pod.Status.ContainerStatuses {
		c := &pod.Status.ContainerStatuses[i]
		if w := c.State.Waiting; w != nil {
			switch w.Reason {
			case "ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName":
				return fmt.Sprintf("cannot pull image %s; check podTemplate.image (unset: the operator's --gateway-image) and podTemplate.imagePullSecrets", c.Image)
			case "CreateContainerConfigError", "CreateContainerError":
				return fmt.Sprintf("cannot make its container: %s; create what is missing, or remove the reference from the GatewayInstance", w.Message)
			}
		}
		if words := ended(c); words != "" {
			return words
		}
	}
	return ""
}

// ended says why a container ended that should not have.
func ended(c *corev1.ContainerStatus) string {
	last := c.LastTerminationState.Terminated
	if c.State.Terminated != nil {
		last = c.State.Terminated
	}
	switch {
	case last == nil || last.ExitCode == 0:
		return ""
	case last.Reason == "OOMKilled":
		return "ran out of memory; raise podTemplate.resources.limits.memory, or lower requestLimits.inFlightBodyBytes"
	}
	words := strings.TrimSpace(last.Message)
	if i := strings.LastIndexByte(words, '\n'); i >= 0 {
		words = words[i+1:]
	}
	if words == "" {
		return fmt.Sprintf("ended with exit code %d; see kubectl logs --previous", last.ExitCode)
	}
	return fmt.Sprintf("ended with exit code %d: %s; see kubectl logs --previous", last.ExitCode, strings.TrimSuffix(truncateTo(words, maxLastWords), "."))
}
