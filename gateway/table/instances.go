package table

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// ChooseInstance returns the one instance that accepts a key: the one it names, or the oldest that serves the keys of its
// namespace. If there is none, it says why. Namespaces are labels by name, watched is nil in cluster mode.
func ChooseInstance(
	ak *v1alpha1.ApiKey, instances []*v1alpha1.GatewayInstance, namespaces map[string]map[string]string, watched []string,
) (*v1alpha1.GatewayInstance, *Problem) {
	serves := func(i *v1alpha1.GatewayInstance) bool { return ServesKeys(i, ak.Namespace, namespaces, watched) }
	if ref := ak.Spec.GatewayRef; ref != nil {
		return namedInstance(ak, ref, instances, serves)
	}
	candidates := slices.DeleteFunc(ordered(instances), func(i *v1alpha1.GatewayInstance) bool { return !serves(i) })
	if len(candidates) == 0 {
		return nil, missing(v1alpha1.ReasonNoGateway,
			"no GatewayInstance accepts keys of namespace %s; create one, or extend serves.keys of one", ak.Namespace)
	}
	return slices.MinFunc(candidates, func(a, b *v1alpha1.GatewayInstance) int {
		return cmp.Compare(createdUnix(a), createdUnix(b))
	}), nil
}

// namedInstance returns the instance that a key names.
func namedInstance(
	ak *v1alpha1.ApiKey, ref *v1alpha1.ObjectReference, instances []*v1alpha1.GatewayInstance, serves func(*v1alpha1.GatewayInstance) bool,
) (*v1alpha1.GatewayInstance, *Problem) {
	key := types.NamespacedName{Namespace: cmp.Or(string(ref.Namespace), ak.Namespace), Name: string(ref.Name)}
	i := slices.IndexFunc(instances, func(i *v1alpha1.GatewayInstance) bool { return i != nil && keyOf(i) == key })
	switch {
	case i < 0:
		return nil, missing(v1alpha1.ReasonRefNotFound, "gatewayRef: GatewayInstance %s does not exist; create it or name another", key)
	case !serves(instances[i]):
		return nil, because(v1alpha1.ReasonNoGateway,
			"gatewayRef: GatewayInstance %s does not accept keys of namespace %s; extend its serves.keys or name another", key, ak.Namespace)
	}
	return instances[i], nil
}
