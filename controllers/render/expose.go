package render

import (
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// HTTPRouteKind is the Gateway API's. It is no part of Kubernetes, so a cluster may not know it.
func HTTPRouteKind() schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "HTTPRoute"}
}

// AsksForHTTPRoute says whether the instance is to be exposed by an HTTPRoute.
func AsksForHTTPRoute(instance *v1alpha1.GatewayInstance) bool {
	return instance.Spec.Expose != nil && instance.Spec.Expose.HTTPRoute != nil
}

// ingress leads a host to the Service, nil where the instance asks for none.
func ingress(instance *v1alpha1.GatewayInstance) *networkingv1.Ingress {
	if instance.Spec.Expose == nil || instance.Spec.Expose.Ingress == nil {
		return nil
	}
	spec := instance.Spec.Expose.Ingress
	meta, prefix := ownedMeta(instance, ""), networkingv1.PathTypePrefix
	meta.Annotations = stringMap(spec.Annotations)
	obj := &networkingv1.Ingress{
		TypeMeta:   metav1.TypeMeta{APIVersion: networkingv1.SchemeGroupVersion.String(), Kind: "Ingress"},
		ObjectMeta: meta,
		Spec: networkingv1.IngressSpec{Rules: []networkingv1.IngressRule{{
			Host: string(spec.Host),
			IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{
				Paths: []networkingv1.HTTPIngressPath{{Path: "/", PathType: &prefix, Backend: networkingv1.IngressBackend{
					Service: &networkingv1.IngressServiceBackend{
						Name: Name(instance.Name, ""), Port: networkingv1.ServiceBackendPort{Number: ServicePort}},
				}}},
			}},
		}}},
	}
	if spec.ClassName != "" {
		class := string(spec.ClassName)
		obj.Spec.IngressClassName = &class
	}
	if spec.TLSSecretName != "" {
		obj.Spec.TLS = []networkingv1.IngressTLS{{Hosts: []string{string(spec.Host)}, SecretName: string(spec.TLSSecretName)}}
	}
	return obj
}

// HTTPRoute is the route of an instance by its name, without contents.
func HTTPRoute(instance *v1alpha1.GatewayInstance) *unstructured.Unstructured {
	obj := &unstructured.Unstructured{}
	obj.SetGroupVersionKind(HTTPRouteKind())
	obj.SetNamespace(instance.Namespace)
	obj.SetName(Name(instance.Name, ""))
	return obj
}

// httpRoute attaches the Service to Gateways.
func httpRoute(instance *v1alpha1.GatewayInstance) *unstructured.Unstructured {
	spec := instance.Spec.Expose.HTTPRoute
	parents := make([]any, 0, len(spec.ParentRefs))
	for _, p := range spec.ParentRefs {
		parent := map[string]any{"name": string(p.Name)}
		if p.Namespace != "" {
			parent["namespace"] = string(p.Namespace)
		}
		if p.SectionName != "" {
			parent["sectionName"] = string(p.SectionName)
		}
		parents = append(parents, parent)
	}
	content := map[string]any{
		"parentRefs": parents,
		"rules": []any{map[string]any{"backendRefs": []any{
			map[string]any{"name": Name(instance.Name, ""), "port": int64(ServicePort)}}}},
	}
	if len(spec.Hostnames) > 0 {
		hosts := make([]any, 0, len(spec.Hostnames))
		for _, h := range spec.Hostnames {
			hosts = append(hosts, string(h))
		}
		content["hostnames"] = hosts
	}
	obj := HTTPRoute(instance)
	obj.SetLabels(Labels(instance))
	obj.SetOwnerReferences([]metav1.OwnerReference{OwnerReference(instance)})
	obj.Object["spec"] = content
	return obj
}
