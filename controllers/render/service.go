package render

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// service is what applications connect to.
func service(instance *v1alpha1.GatewayInstance) *corev1.Service {
	meta := ownedMeta(instance, "")
	kind := corev1.ServiceTypeClusterIP
	if s := instance.Spec.Service; s != nil {
		if s.Type != "" {
			kind = corev1.ServiceType(s.Type)
		}
		meta.Annotations = stringMap(s.Annotations)
	}
	return &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: meta,
		Spec: corev1.ServiceSpec{
			Type:     kind,
			Selector: selector(instance),
			Ports:    servicePorts(instance),
		},
	}
}

// stringMap turns a map of bounded strings into one of plain strings; nil stays nil.
func stringMap[V ~string](in map[string]V) map[string]string {
	if in == nil {
		return nil
	}
	out := make(map[string]string, len(in))
	for k, v := range in {
		out[k] = string(v)
	}
	return out
}
