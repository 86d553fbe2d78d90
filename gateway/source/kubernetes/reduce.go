package kubernetes

import (
	"maps"
	"reflect"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

// kind is what a group of watches is for.
type kind int

const (
	kindInstance   kind = iota // values are *v1alpha1.GatewayInstance
	kindSecret                 // map[string][]byte, the compiled Secret
	kindNamespaces             // map[string]string, labels
	kindRoutes                 // *v1alpha1.ModelRoute
	kindKeys                   // *table.Key
)

// reduceFor returns what is kept of an object of a kind. Objects are the watch's own, so they may be changed.
func reduceFor(k kind, instance types.NamespacedName) func(object any) any {
	switch k {
	case kindInstance:
		return reduceInstance
	case kindSecret:
		return func(o any) any { return o.(*corev1.Secret).Data }
	case kindNamespaces:
		return func(o any) any { return o.(*metav1.PartialObjectMetadata).Labels }
	case kindRoutes:
		return reduceRoute
	default:
		return func(o any) any {
			if key := table.CompileKey(o.(*v1alpha1.ApiKey), instance); key != nil {
				return key
			}
			return nil // and no nil pointer in an interface
		}
	}
}

// reduceInstance drops what nobody reads.
func reduceInstance(o any) any {
	instance := o.(*v1alpha1.GatewayInstance)
	instance.ManagedFields, instance.Status = nil, v1alpha1.GatewayInstanceStatus{}
	return instance
}

// reduceRoute drops what nobody reads. Of the status only Accepted counts: it remembers that a route was refused its name.
func reduceRoute(o any) any {
	route := o.(*v1alpha1.ModelRoute)
	accepted := meta.FindStatusCondition(route.Status.Conditions, v1alpha1.ConditionAccepted)
	route.ManagedFields, route.Status = nil, v1alpha1.ModelRouteStatus{}
	if accepted != nil {
		route.Status.Conditions = []metav1.Condition{*accepted}
	}
	return route
}

// equalFor returns when two values of an object of a kind mean the same.
func equalFor(k kind) func(a, b any) bool {
	switch k {
	case kindInstance:
		return sameSpec
	case kindRoutes:
		return sameRoute
	case kindNamespaces:
		return func(a, b any) bool { return maps.Equal(a.(map[string]string), b.(map[string]string)) }
	default:
		return reflect.DeepEqual
	}
}

// sameSpec relies on the API server, which counts up the generation with every change of a spec.
func sameSpec(a, b any) bool {
	x, y := a.(metav1.Object), b.(metav1.Object)
	return x.GetUID() == y.GetUID() && x.GetGeneration() == y.GetGeneration()
}

// sameRoute says whether two versions of a route have the same spec and were accepted or refused alike.
func sameRoute(a, b any) bool {
	x, y := a.(*v1alpha1.ModelRoute), b.(*v1alpha1.ModelRoute)
	return sameSpec(x, y) && slices.EqualFunc(x.Status.Conditions, y.Status.Conditions, func(c, d metav1.Condition) bool {
		return c.Status == d.Status && c.Reason == d.Reason && c.ObservedGeneration == d.ObservedGeneration
	})
}
