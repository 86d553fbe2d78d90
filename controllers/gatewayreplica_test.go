package controllers

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

func TestGatewayReplica_ReadyAsItsPodIs(t *testing.T) {
	w := newWorld(t)
	instance := w.instance("default")
	pod := w.pod("default", "pod-1")
	replica := &v1alpha1.GatewayReplica{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "pod-1"},
		Spec: v1alpha1.GatewayReplicaSpec{Instance: "default", PodName: "pod-1"}}
	w.create(replica)
	w.report(replica, func(st *v1alpha1.GatewayReplicaStatus) {
		st.Conditions = []metav1.Condition{{Type: "Ready", Status: "True", Reason: "Ready", LastTransitionTime: metav1.Now()}}
	})
	w.expectConditions(instance, expect{"Available": "False/NoReadyReplica"})
	w.podReady(pod, corev1.ConditionTrue)
	w.ready(instance)
	w.podReady(pod, corev1.ConditionFalse)
	w.expectConditions(instance, expect{"Available": "False/NoReadyReplica"})
	w.podReady(pod, corev1.ConditionTrue)
	w.ready(instance)

	now := int64(0)
	if err := w.Delete(w.ctx, pod, &client.DeleteOptions{GracePeriodSeconds: &now}); err != nil {
		t.Fatal(err)
	}
	w.expectConditions(instance, expect{"Available": "False/NoReadyReplica"})
	w.clock.step(replicaGone)
	w.poke(v1alpha1.KindGatewayReplica, instance)
	w.eventually("its object goes too", func() error { return w.gone(replica) })
}

// podReady writes what the kubelet would.
func (w *world) podReady(pod *corev1.Pod, status corev1.ConditionStatus) {
	w.t.Helper()
	w.get(pod)
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: status}}
	if err := w.Status().Update(w.ctx, pod); err != nil {
		w.t.Fatal(err)
	}
}

func TestGatewayReplica_SilenceOutsideTheClusterIsDeath(t *testing.T) {
	w := newWorld(t)
	instance := w.instance("default")
	replica := w.replica("default", "laptop")
	w.ready(instance)
	w.clock.step(replicaStale)
	w.poke(v1alpha1.KindGatewayReplica, instance)
	w.expectConditions(instance, expect{"Available": "False/NoReadyReplica"})
	w.report(replica, func(*v1alpha1.GatewayReplicaStatus) {})
	w.ready(instance)

	w.clock.step(replicaGone)
	w.poke(v1alpha1.KindGatewayReplica, instance)
	w.eventually("its object is deleted", func() error { return w.gone(replica) })
	w.expectConditions(instance, expect{"Available": "False/NoReadyReplica"})
}
