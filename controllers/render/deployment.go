package render

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

const (
	defaultReplicas          = 2
	defaultDelay             = 10 * time.Second
	defaultTimeout           = 5 * time.Minute
	defaultBodyBytes         = 32 << 20
	defaultInFlight          = 512 << 20
	defaultLogLevel          = "info"
	defaultLogFormat         = "json"
	defaultMemoryLimit       = "1Gi"
	defaultMemory            = "128Mi"
	defaultCPU               = "100m"
	defaultSampleRatio       = "0.1"
	graceBeyondDrain         = 30 * time.Second
	containerName            = "gateway"
	runAsUser          int64 = 65532

	// stateName is the volume, mounted at statePath, that keeps usage which is not reported yet across crashes of the container. What
	// the gateway keeps there is at most 128 MiB, for a moment: the limit is above that, because a pod that passes it is evicted.
	stateName, statePath, stateLimit = "state", "/var/lib/vipcloud", "160Mi"

	// evictLocal lets the cluster's autoscaler move a pod although it has that volume: a pod that is told to end reports all.
	evictLocal = "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes"

	// inFlightPercent of the memory limit may be request bodies; the rest is for answers, tables and the runtime.
	inFlightPercent = 40
	// goMemoryPercent of the memory limit is where the runtime begins to collect harder.
	goMemoryPercent = 90
)

// Replicas is spec.replicas with its default; with autoscaling, where to begin.
func Replicas(instance *v1alpha1.GatewayInstance) int32 {
	if r := instance.Spec.Replicas; r != nil {
		return *r
	}
	return defaultReplicas
}

// deployment runs the gateway's pods.
func deployment(in Input) (*appsv1.Deployment, error) {
	drain, err := drainOf(in.Instance)
	if err != nil {
		return nil, err
	}
	none, quarter := intstr.FromInt32(0), intstr.FromString("25%")
	return &appsv1.Deployment{
		TypeMeta:   metav1.TypeMeta{APIVersion: appsv1.SchemeGroupVersion.String(), Kind: "Deployment"},
		ObjectMeta: ownedMeta(in.Instance, ""),
		Spec: appsv1.DeploymentSpec{
			Replicas: replicas(in),
			Selector: &metav1.LabelSelector{MatchLabels: selector(in.Instance)},
			// A replica leaves only after its successor is ready: a rollout never costs a request.
			Strategy: appsv1.DeploymentStrategy{
				Type:          appsv1.RollingUpdateDeploymentStrategyType,
				RollingUpdate: &appsv1.RollingUpdateDeployment{MaxUnavailable: &none, MaxSurge: &quarter},
			},
			Template: podTemplate(in, drain),
		},
	}, nil
}

// drain is spec.drain, parsed.
type drain struct{ delay, timeout time.Duration }

// grace is what the kubelet waits for before it kills.
func (d drain) grace() int64 {
	return int64((d.delay + d.timeout + graceBeyondDrain + time.Second - 1) / time.Second)
}

// drainOf parses spec.drain and fills in defaults.
func drainOf(instance *v1alpha1.GatewayInstance) (drain, error) {
	spec := v1alpha1.Drain{}
	if instance.Spec.Drain != nil {
		spec = *instance.Spec.Drain
	}
	delay, err := duration("drain.delay", spec.Delay, defaultDelay)
	if err != nil {
		return drain{}, err
	}
	timeout, err := duration("drain.timeout", spec.Timeout, defaultTimeout)
	return drain{delay: delay, timeout: timeout}, err
}

// duration parses a field that may be unset.
func duration(field string, value v1alpha1.Duration, unset time.Duration) (time.Duration, error) {
	if value == "" {
		return unset, nil
	}
	d, err := time.ParseDuration(string(value))
	if err != nil || d < 0 || d > maxDrain {
		return 0, fmt.Errorf("spec.%s is %q; set it to a duration from 0s to %s, such as 30s", field, value, maxDrain)
	}
	return d, nil
}

// podTemplate is a gateway pod with what the instance adds to it.
func podTemplate(in Input, d drain) corev1.PodTemplateSpec {
	spec := podSpecOf(in.Instance)
	labels := stringMap(spec.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	maps.Copy(labels, Labels(in.Instance))
	annotations := stringMap(spec.Annotations)
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[evictLocal] = stateName
	grace, user, yes, no := d.grace(), runAsUser, true, false
	template := corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: labels, Annotations: annotations},
		Spec: corev1.PodSpec{
			ServiceAccountName:            Name(in.Instance.Name, ""),
			EnableServiceLinks:            &no,
			TerminationGracePeriodSeconds: &grace,
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot:   &yes,
				RunAsUser:      &user,
				RunAsGroup:     &user,
				SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			ImagePullSecrets:          pullSecrets(spec.ImagePullSecrets),
			NodeSelector:              stringMap(spec.NodeSelector),
			Tolerations:               spec.Tolerations,
			Affinity:                  affinity(in.Instance, spec.Affinity),
			TopologySpreadConstraints: topologySpread(in.Instance, spec.TopologySpreadConstraints),
			PriorityClassName:         spec.PriorityClassName,
			Containers:                []corev1.Container{container(in, d)},
			Volumes:                   []corev1.Volume{stateVolume()},
		},
	}
	addTLS(in.Instance, &template.Spec)
	return template
}

// container is the gateway.
func container(in Input, d drain) corev1.Container {
	spec := podSpecOf(in.Instance)
	resources := resourcesOf(spec)
	yes, no := true, false
	return corev1.Container{
		Name:      containerName,
		Image:     cmp.Or(spec.Image, in.Image),
		Args:      args(in, d, resources),
		Env:       env(in.Instance.Spec.Tracing, spec, resources),
		Resources: resources,
		Ports: []corev1.ContainerPort{
			{Name: "http", ContainerPort: ListenPort, Protocol: corev1.ProtocolTCP},
			{Name: "admin", ContainerPort: AdminPort, Protocol: corev1.ProtocolTCP},
		},
		VolumeMounts: []corev1.VolumeMount{{Name: stateName, MountPath: statePath}},
		// The last lines of the log say why a container ended, so that the status of the instance can pass them on.
		TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,

		LivenessProbe:  probe("/healthz", 10, 3),
		ReadinessProbe: probe("/readyz", 2, 1),
		SecurityContext: &corev1.SecurityContext{
			RunAsNonRoot:             &yes,
			ReadOnlyRootFilesystem:   &yes,
			AllowPrivilegeEscalation: &no,
			Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
			SeccompProfile:           &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
	}
}

// args are the flags of the gateway.
func args(in Input, d drain, resources corev1.ResourceRequirements) []string {
	instance := in.Instance
	level, format := defaultLogLevel, defaultLogFormat
	if l := instance.Spec.Logging; l != nil {
		level, format = cmp.Or(string(l.Level), level), cmp.Or(string(l.Format), format)
	}
	body, inFlight := int64(defaultBodyBytes), inFlightDefault(resources)
	if r := instance.Spec.RequestLimits; r != nil {
		body, inFlight = quantity(r.BodyBytes, body), quantity(r.InFlightBodyBytes, inFlight)
	}
	flags := []string{
		"gateway",
		"--instance=" + instance.Namespace + "/" + instance.Name,
		"--pod-name=$(POD_NAME)",
		"--pod-uid=$(POD_UID)",
		"--state=" + statePath,
		"--listen=:" + strconv.Itoa(ListenPort),
		"--admin-listen=:" + strconv.Itoa(AdminPort),
		"--drain-delay=" + d.delay.String(),
		"--drain-timeout=" + d.timeout.String(),
		"--body-bytes=" + strconv.FormatInt(body, 10),
		"--inflight-body-bytes=" + strconv.FormatInt(inFlight, 10),
		"--log-level=" + level,
		"--log-format=" + format,
	}
	flags = append(flags, tracingArgs(instance.Spec.Tracing)...)
	if in.WatchNamespaces != nil {
		flags = append(flags, "--watch-namespaces="+strings.Join(slices.Sorted(slices.Values(in.WatchNamespaces)), ","))
	}
	return flags
}

// stateVolume lives and dies with the pod.
func stateVolume() corev1.Volume {
	limit := resource.MustParse(stateLimit)
	return corev1.Volume{Name: stateName, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{SizeLimit: &limit}}}
}

// tracingArgs are the flags of spec.tracing.
func tracingArgs(t *v1alpha1.Tracing) []string {
	if t == nil {
		return nil
	}
	flags := []string{
		"--tracing-endpoint=" + string(t.Endpoint),
		"--tracing-sample-ratio=" + cmp.Or(string(t.SampleRatio), defaultSampleRatio),
	}
	if t.UsageLog == v1alpha1.UsageLogAll {
		flags = append(flags, "--tracing-usage-log")
	}
	return flags
}

// inFlightDefault is the part of the memory limit that request bodies may take.
func inFlightDefault(resources corev1.ResourceRequirements) int64 {
	if limit := resources.Limits.Memory().Value(); limit > 0 {
		return limit / 100 * inFlightPercent
	}
	return defaultInFlight
}

// quantity is the value of a field that may be unset.
func quantity(q *resource.Quantity, unset int64) int64 {
	if q == nil {
		return unset
	}
	return q.Value()
}
