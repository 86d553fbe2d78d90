package controllers

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

const (
	// replicaStale is the age of renewTime at which a replica outside the cluster no longer counts.
	replicaStale = 30 * time.Second
	// replicaGone is the age at which the object of a replica without a pod is deleted.
	replicaGone = 5 * time.Minute
)

// replica is a ready replica and how far it has come.
type replica struct {
	name   string
	loaded v1alpha1.LoadedVersions
	// redis says whether it reaches Redis, Unknown if it has not said so, and redisMessage why not.
	redis        metav1.ConditionStatus
	redisMessage string
}

// replicaOf is what a ready replica says.
func replicaOf(r *v1alpha1.GatewayReplica) replica {
	out := replica{name: r.Name, loaded: r.Status.Loaded, redis: metav1.ConditionUnknown}
	if c := meta.FindStatusCondition(r.Status.Conditions, v1alpha1.ConditionRedisAvailable); c != nil {
		out.redis = c.Status
		if c.Status == metav1.ConditionFalse {
			out.redisMessage = c.Message
		}
	}
	return out
}

// liveness is what a GatewayReplica says of its process.
type liveness struct {
	// ready says that it serves.
	ready bool
	// again is when to look again without any event, zero for never.
	again time.Time
	// gone says that the object describes nothing that lives and may be deleted.
	gone bool
}

// livenessOf judges a replica by its pod (nil: there is none of that name), or without one by its heartbeat.
func livenessOf(r *v1alpha1.GatewayReplica, pod *corev1.Pod, now time.Time) liveness {
	ready := meta.IsStatusConditionTrue(r.Status.Conditions, v1alpha1.ConditionReady)
	if r.Spec.PodName != "" && pod != nil {
		return liveness{ready: ready && podReady(pod)}
	}
	seen := r.CreationTimestamp.Time
	if r.Status.RenewTime != nil {
		seen = r.Status.RenewTime.Time
	}
	age := now.Sub(seen)
	switch {
	case age >= replicaGone:
		return liveness{gone: true}
	case age >= replicaStale || r.Spec.PodName != "":
		return liveness{again: seen.Add(replicaGone)}
	}
	return liveness{ready: ready && r.Status.RenewTime != nil, again: seen.Add(replicaStale)}
}

// podReady says whether a pod takes traffic.
func podReady(pod *corev1.Pod) bool {
	if pod.DeletionTimestamp != nil {
		return false
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// need is what a replica must have loaded to serve an object. An empty version needs nothing.
type need struct {
	// instance that the replica belongs to.
	instance types.NamespacedName
	// pending says that no replica can have it yet: what it must load has not been written.
	pending bool
	loaded  v1alpha1.LoadedVersions
}

// met says whether a replica has loaded what is needed.
func (n need) met(r replica) bool {
	return !n.pending &&
		reached(r.loaded.ModelRoutes, n.loaded.ModelRoutes) &&
		reached(r.loaded.ApiKeys, n.loaded.ApiKeys) &&
		reached(r.loaded.Credentials, n.loaded.Credentials) &&
		reached(r.loaded.GatewayInstance, n.loaded.GatewayInstance)
}

// reached compares a replica's watermark with a version that is needed.
func reached(watermark, version string) bool {
	if version == "" {
		return true
	}
	order, err := resourceversion.CompareResourceVersion(watermark, version)
	return err == nil && order >= 0
}

// acknowledgement is how far the replicas of the serving instances are.
type acknowledgement struct {
	// gateways are the instances in the order of the needs.
	gateways []v1alpha1.GatewayStatus
	// ready and loaded count replicas of all of them.
	ready, loaded int32
}

// complete says that there is a ready replica and that every one has loaded what it needs. An instance without one does not
// hold up the others.
func (a acknowledgement) complete() bool { return a.ready > 0 && a.loaded == a.ready }

// acknowledge asks the ready replicas of every serving instance. False means that those of some instance were not counted yet.
func acknowledge(needs []need, ready func(types.NamespacedName) ([]replica, bool)) (acknowledgement, bool) {
	var a acknowledgement
	for _, n := range needs {
		replicas, counted := ready(n.instance)
		if !counted {
			return acknowledgement{}, false
		}
		g := v1alpha1.GatewayStatus{Namespace: n.instance.Namespace, Name: n.instance.Name}
		for _, r := range replicas {
			g.ReadyReplicas++
			if n.met(r) {
				g.LoadedReplicas++
			}
		}
		a.ready += g.ReadyReplicas
		a.loaded += g.LoadedReplicas
		a.gateways = append(a.gateways, g)
	}
	return a, true
}
