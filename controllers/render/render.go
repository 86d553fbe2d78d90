// Package render turns a GatewayInstance into the objects that run it: Deployment, Service, ServiceAccount, Role and
// bindings, and what its spec asks for beside them.
// It is pure: no client, no clock, and the same instance gives the same bytes. It decides what the objects look like, not
// whether they may be applied over what a cluster already holds.
package render

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

const (
	// ReaderClusterRole is the ClusterRole of the installation that lets gateways read routes, keys and credentials. The
	// operator may bind it and no other.
	ReaderClusterRole = "vipcloud-gateway-reader"
	// ManagedBy is the value of app.kubernetes.io/managed-by on everything the operator makes.
	ManagedBy = "vipcloud-operator"
	// LabelManagedBy is the label that tells the operator's objects from others.
	LabelManagedBy = "app.kubernetes.io/managed-by"

	labelName     = "app.kubernetes.io/name"
	labelInstance = "app.kubernetes.io/instance"
	appName       = "vipcloud-gateway"

	// ListenPort and AdminPort are the container's ports: the API, and health with metrics.
	ListenPort = 8080
	// AdminPort serves /healthz, /readyz and /metrics.
	AdminPort = 8081
	// TLSListenPort is the container's port for the API over TLS.
	TLSListenPort = 8443
	// ServicePort is the Service's port; it never changes, because OPENAI_BASE_URL was handed out without one.
	ServicePort = 80
	// TLSServicePort is the Service's port beside it where the instance has TLS.
	TLSServicePort = 443

	// maxDrain bounds drain.delay and drain.timeout: beyond a day a rollout never ends.
	maxDrain = 24 * time.Hour
)

// Input is what the objects of one instance are made of.
type Input struct {
	// Instance to render. Its UID, name and namespace must be set.
	Instance *v1alpha1.GatewayInstance
	// Image of the gateway where the instance names none.
	Image string
	// WatchNamespaces are the namespaces of an operator in namespaced mode. Nil: cluster mode.
	WatchNamespaces []string
	// Scale is what became of the number of replicas; needed with autoscaling.
	Scale Scale
	// Egress are the ports that the instance's credentials need; only a network policy asks for them.
	Egress []Egress
	// NoGatewayAPI says that the API server knows no HTTPRoute: none is made.
	NoGatewayAPI bool
}

// Objects returns everything that runs the instance, each with kind, labels and, where it can carry one, the controller
// reference, in the order in which it is to be applied. An error means that a value of the spec cannot be used; its text says
// which one and what to do.
func Objects(in Input) ([]client.Object, error) {
	deployment, err := deployment(in)
	if err != nil {
		return nil, err
	}
	objects := []client.Object{serviceAccount(in.Instance), role(in.Instance), roleBinding(in.Instance)}
	objects = append(objects, readerBindings(in)...)
	objects = append(objects, service(in.Instance))
	if budget := disruptionBudget(in.Instance); budget != nil {
		objects = append(objects, budget)
	}
	if policy := networkPolicy(in); policy != nil {
		objects = append(objects, policy)
	}
	if i := ingress(in.Instance); i != nil {
		objects = append(objects, i)
	}
	if AsksForHTTPRoute(in.Instance) && !in.NoGatewayAPI {
		objects = append(objects, httpRoute(in.Instance))
	}
	objects = append(objects, deployment)
	if OwnAutoscaler(in.Instance) && !in.Scale.NoMetrics {
		objects = append(objects, autoscaler(in.Instance))
	}
	return objects, nil
}

// Name is the name of an instance's objects in its own namespace; suffix may be empty.
func Name(instance, suffix string) string {
	if suffix == "" {
		return "vipcloud-" + instance
	}
	return "vipcloud-" + instance + "-" + suffix
}

// CredentialsSecretName is the name of the compiled Secret of an instance.
func CredentialsSecretName(instance string) string { return Name(instance, "credentials") }

// KeyRingSecretName is the name of the Secret that holds the key ring of an instance.
func KeyRingSecretName(instance string) string { return Name(instance, "keyring") }

// Address is the base URL of an instance inside the cluster, the one that is handed out as OPENAI_BASE_URL.
func Address(instance *v1alpha1.GatewayInstance) string {
	return fmt.Sprintf("http://%s.%s.svc/v1", Name(instance.Name, ""), instance.Namespace)
}

// Labels are those of every object of an instance. The labels of what cannot carry an owner reference are RemoteLabels.
func Labels(instance *v1alpha1.GatewayInstance) map[string]string {
	return map[string]string{
		LabelManagedBy:         ManagedBy,
		labelName:              appName,
		labelInstance:          instance.Name,
		v1alpha1.LabelInstance: instance.Name,
	}
}

// RemoteLabels are Labels and those by which an object without owner reference is found again when its instance is gone.
func RemoteLabels(instance *v1alpha1.GatewayInstance) map[string]string {
	labels := Labels(instance)
	labels[v1alpha1.LabelInstanceNamespace] = instance.Namespace
	labels[v1alpha1.LabelInstanceUID] = string(instance.UID)
	return labels
}

// OwnerReference makes an object of the instance's namespace go with it. It does not block the deletion of the instance:
// nothing of ours ever makes deleting wait.
func OwnerReference(instance *v1alpha1.GatewayInstance) metav1.OwnerReference {
	isController := true
	return metav1.OwnerReference{
		APIVersion: v1alpha1.GroupVersion.String(),
		Kind:       v1alpha1.KindGatewayInstance,
		Name:       instance.Name,
		UID:        instance.UID,
		Controller: &isController,
	}
}

// ownedMeta is the metadata of an object in the instance's namespace.
func ownedMeta(instance *v1alpha1.GatewayInstance, suffix string) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name:            Name(instance.Name, suffix),
		Namespace:       instance.Namespace,
		Labels:          Labels(instance),
		OwnerReferences: []metav1.OwnerReference{OwnerReference(instance)},
	}
}

// selector matches the pods of an instance.
func selector(instance *v1alpha1.GatewayInstance) map[string]string {
	return map[string]string{labelName: appName, v1alpha1.LabelInstance: instance.Name}
}
