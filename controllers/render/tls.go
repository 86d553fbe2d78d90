package render

import (
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

const (
	tlsVolume = "tls"
	tlsDir    = "/etc/vipcloud/tls"
	httpsPort = "https"
)

// addTLS gives a pod what spec.tls asks for. The Secret may be missing: port 80 is served without it, and it is there as soon as the
// kubelet has it.
func addTLS(instance *v1alpha1.GatewayInstance, pod *corev1.PodSpec) {
	if instance.Spec.TLS == nil {
		return
	}
	yes := true
	pod.Volumes = append(pod.Volumes, corev1.Volume{Name: tlsVolume, VolumeSource: corev1.VolumeSource{
		Secret: &corev1.SecretVolumeSource{SecretName: string(instance.Spec.TLS.SecretName), Optional: &yes},
	}})
	c := &pod.Containers[0]
	c.Args = append(c.Args, "--tls-listen=:"+strconv.Itoa(TLSListenPort), "--tls-cert-dir="+tlsDir)
	c.Ports = append(c.Ports, corev1.ContainerPort{Name: httpsPort, ContainerPort: TLSListenPort, Protocol: corev1.ProtocolTCP})
	c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: tlsVolume, MountPath: tlsDir, ReadOnly: true})
}

// servicePorts are those of the Service.
func servicePorts(instance *v1alpha1.GatewayInstance) []corev1.ServicePort {
	ports := []corev1.ServicePort{{
		Name: "http", Protocol: corev1.ProtocolTCP, Port: ServicePort, TargetPort: intstr.FromString("http")}}
	if instance.Spec.TLS != nil {
		ports = append(ports, corev1.ServicePort{
			Name: httpsPort, Protocol: corev1.ProtocolTCP, Port: TLSServicePort, TargetPort: intstr.FromString(httpsPort)})
	}
	return ports
}
