package render

import (
	"slices"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// podSpecOf is spec.podTemplate, never nil.
func podSpecOf(instance *v1alpha1.GatewayInstance) *v1alpha1.PodTemplate {
	if instance.Spec.PodTemplate != nil {
		return instance.Spec.PodTemplate
	}
	return &v1alpha1.PodTemplate{}
}

// resourcesOf are the container's resources with their defaults. Resources that the admin sets are taken whole.
func resourcesOf(spec *v1alpha1.PodTemplate) corev1.ResourceRequirements {
	if spec.Resources != nil {
		return corev1.ResourceRequirements{Requests: spec.Resources.Requests, Limits: spec.Resources.Limits}
	}
	return corev1.ResourceRequirements{
		Requests: corev1.ResourceList{
			corev1.ResourceCPU:    resource.MustParse(defaultCPU),
			corev1.ResourceMemory: resource.MustParse(defaultMemory),
		},
		Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse(defaultMemoryLimit)},
	}
}

// tracingHeaders is the variable from which OpenTelemetry's exporters take headers.
const tracingHeaders = "OTEL_EXPORTER_OTLP_HEADERS"

// env is the pod's identity, the runtime's memory limit, the headers for the receiver of traces and what the admin adds. The
// identity cannot be overridden.
func env(tracing *v1alpha1.Tracing, spec *v1alpha1.PodTemplate, resources corev1.ResourceRequirements) []corev1.EnvVar {
	vars := []corev1.EnvVar{fieldEnv("POD_NAME", "metadata.name"), fieldEnv("POD_UID", "metadata.uid")}
	ownLimit := slices.ContainsFunc(spec.Env, func(e v1alpha1.EnvVar) bool { return e.Name == "GOMEMLIMIT" })
	if limit := resources.Limits.Memory().Value(); limit > 0 && !ownLimit {
		vars = append(vars, corev1.EnvVar{Name: "GOMEMLIMIT", Value: strconv.FormatInt(limit/100*goMemoryPercent, 10)})
	}
	ownHeaders := slices.ContainsFunc(spec.Env, func(e v1alpha1.EnvVar) bool { return e.Name == tracingHeaders })
	if tracing != nil && tracing.HeadersSecretRef != nil && !ownHeaders {
		vars = append(vars, envVar(v1alpha1.EnvVar{Name: tracingHeaders, SecretKeyRef: tracing.HeadersSecretRef}))
	}
	for _, e := range spec.Env {
		if e.Name == "POD_NAME" || e.Name == "POD_UID" {
			continue
		}
		vars = append(vars, envVar(e))
	}
	return vars
}

// fieldEnv is a variable that holds a field of the pod.
func fieldEnv(name, path string) corev1.EnvVar {
	return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{
		FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: path},
	}}
}

// envVar is a variable of the admin's.
func envVar(e v1alpha1.EnvVar) corev1.EnvVar {
	if e.SecretKeyRef == nil {
		return corev1.EnvVar{Name: e.Name, Value: e.Value}
	}
	return corev1.EnvVar{Name: e.Name, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: string(e.SecretKeyRef.Name)},
		Key:                  string(e.SecretKeyRef.Key),
	}}}
}

// probe asks the admin port.
func probe(path string, period, failures int32) *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler:     corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: path, Port: intstr.FromString("admin")}},
		PeriodSeconds:    period,
		TimeoutSeconds:   2,
		FailureThreshold: failures,
	}
}

// pullSecrets are spec.podTemplate.imagePullSecrets.
func pullSecrets(refs []v1alpha1.LocalObjectReference) []corev1.LocalObjectReference {
	var out []corev1.LocalObjectReference
	for _, r := range refs {
		out = append(out, corev1.LocalObjectReference{Name: string(r.Name)})
	}
	return out
}

// topologySpread is the admin's, counting the instance's pods where it says nothing else, or a preference for different zones. Pods
// of the template before are not counted: while it rolls out, the new ones would avoid the places of the old.
func topologySpread(instance *v1alpha1.GatewayInstance, own []corev1.TopologySpreadConstraint) []corev1.TopologySpreadConstraint {
	ours := &metav1.LabelSelector{MatchLabels: selector(instance)}
	if len(own) == 0 {
		return []corev1.TopologySpreadConstraint{{
			MaxSkew:           1,
			TopologyKey:       corev1.LabelTopologyZone,
			WhenUnsatisfiable: corev1.ScheduleAnyway,
			LabelSelector:     ours,
			MatchLabelKeys:    []string{appsv1.DefaultDeploymentUniqueLabelKey},
		}}
	}
	spread := slices.Clone(own)
	for i := range spread {
		if spread[i].LabelSelector == nil {
			spread[i].LabelSelector = ours
		}
	}
	return spread
}

// affinity is the admin's, or a preference for different nodes.
func affinity(instance *v1alpha1.GatewayInstance, own *corev1.Affinity) *corev1.Affinity {
	if own != nil {
		return own
	}
	return &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{
		PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{{
			Weight: 100,
			PodAffinityTerm: corev1.PodAffinityTerm{
				LabelSelector: &metav1.LabelSelector{MatchLabels: selector(instance)},
				TopologyKey:   corev1.LabelHostname,
			},
		}},
	}}
}
