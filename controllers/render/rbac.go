package render

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// serviceAccount is the identity of the gateway's pods.
func serviceAccount(instance *v1alpha1.GatewayInstance) *corev1.ServiceAccount {
	return &corev1.ServiceAccount{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceAccount"},
		ObjectMeta: ownedMeta(instance, ""),
	}
}

// role is what a gateway may do in its own namespace: read its one Secret and itself, write its GatewayReplicas, keep the ledger
// of UsageReports, which replicas read of each other.
func role(instance *v1alpha1.GatewayInstance) *rbacv1.Role {
	group := v1alpha1.GroupVersion.Group
	return &rbacv1.Role{
		TypeMeta:   metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "Role"},
		ObjectMeta: ownedMeta(instance, ""),
		Rules: []rbacv1.PolicyRule{
			{
				APIGroups:     []string{""},
				Resources:     []string{"secrets"},
				ResourceNames: []string{CredentialsSecretName(instance.Name)},
				Verbs:         []string{"get", "list", "watch"},
			},
			{APIGroups: []string{group}, Resources: []string{"gatewayinstances"}, Verbs: []string{"get", "list", "watch"}},
			{APIGroups: []string{group}, Resources: []string{"gatewayreplicas"}, Verbs: []string{"create", "delete", "patch"}},
			{APIGroups: []string{group}, Resources: []string{"gatewayreplicas/status"}, Verbs: []string{"patch"}},
			{
				APIGroups: []string{group},
				Resources: []string{"usagereports"},
				Verbs:     []string{"create", "delete", "get", "list", "update", "watch"},
			},
		},
	}
}

// roleBinding gives role to the gateway's account.
func roleBinding(instance *v1alpha1.GatewayInstance) *rbacv1.RoleBinding {
	return &rbacv1.RoleBinding{
		TypeMeta:   metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "RoleBinding"},
		ObjectMeta: ownedMeta(instance, ""),
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: Name(instance.Name, "")},
		Subjects:   subjects(instance),
	}
}

// readerBindings let the gateway read routes, keys and credentials where the instance serves them: its own namespace, the
// watched namespaces of an operator in namespaced mode, or the whole cluster.
func readerBindings(in Input) []client.Object {
	switch {
	case !ServesOthers(in.Instance):
		return []client.Object{ownReader(in.Instance)}
	case in.WatchNamespaces == nil:
		return []client.Object{clusterReader(in.Instance)}
	}
	bindings := []client.Object{ownReader(in.Instance)}
	for _, namespace := range slices.Sorted(slices.Values(in.WatchNamespaces)) {
		if namespace != in.Instance.Namespace {
			bindings = append(bindings, remoteReader(in.Instance, namespace))
		}
	}
	return bindings
}

// ServesOthers says whether the instance serves routes or keys of namespaces other than its own.
func ServesOthers(instance *v1alpha1.GatewayInstance) bool {
	return routesFrom(instance) != v1alpha1.NamespacesFromSame || keysFrom(instance) != v1alpha1.NamespacesFromSame
}

// routesFrom is serves.routes with its default.
func routesFrom(instance *v1alpha1.GatewayInstance) v1alpha1.NamespacesFrom {
	if s := instance.Spec.Serves; s != nil && s.Routes != nil {
		return s.Routes.Namespaces.From
	}
	return v1alpha1.NamespacesFromSame
}

// keysFrom is serves.keys with its default.
func keysFrom(instance *v1alpha1.GatewayInstance) v1alpha1.NamespacesFrom {
	if s := instance.Spec.Serves; s != nil && s.Keys != nil && s.Keys.Namespaces != nil {
		return s.Keys.Namespaces.From
	}
	return v1alpha1.NamespacesFromAll
}

// ownReader binds the reader role in the instance's namespace.
func ownReader(instance *v1alpha1.GatewayInstance) *rbacv1.RoleBinding {
	return &rbacv1.RoleBinding{
		TypeMeta:   metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "RoleBinding"},
		ObjectMeta: ownedMeta(instance, "reader"),
		RoleRef:    readerRef(),
		Subjects:   subjects(instance),
	}
}

// remoteReader binds the reader role in another namespace.
func remoteReader(instance *v1alpha1.GatewayInstance, namespace string) *rbacv1.RoleBinding {
	return &rbacv1.RoleBinding{
		TypeMeta:   metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "RoleBinding"},
		ObjectMeta: metav1.ObjectMeta{Name: remoteName(instance), Namespace: namespace, Labels: RemoteLabels(instance)},
		RoleRef:    readerRef(),
		Subjects:   subjects(instance),
	}
}

// clusterReader binds the reader role in the whole cluster.
func clusterReader(instance *v1alpha1.GatewayInstance) *rbacv1.ClusterRoleBinding {
	return &rbacv1.ClusterRoleBinding{
		TypeMeta:   metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "ClusterRoleBinding"},
		ObjectMeta: metav1.ObjectMeta{Name: remoteName(instance), Labels: RemoteLabels(instance)},
		RoleRef:    readerRef(),
		Subjects:   subjects(instance),
	}
}

// remoteName names an object outside the instance's namespace. The dot keeps the names of a-b/c and a/b-c apart: no namespace
// holds one.
func remoteName(instance *v1alpha1.GatewayInstance) string {
	return "vipcloud-" + instance.Namespace + "." + instance.Name
}

// readerRef refers to the reader role.
func readerRef() rbacv1.RoleRef {
	return rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: ReaderClusterRole}
}

// subjects are the gateway's account.
func subjects(instance *v1alpha1.GatewayInstance) []rbacv1.Subject {
	return []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: instance.Namespace, Name: Name(instance.Name, "")}}
}
