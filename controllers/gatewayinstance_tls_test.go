package controllers

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

func TestGatewayInstance_TLS(t *testing.T) {
	w := newWorld(t)
	instance := w.instance("default", func(i *v1alpha1.GatewayInstance) { i.Spec.TLS = &v1alpha1.GatewayTLS{SecretName: "gateway-tls"} })
	w.attend("default", "r1")
	w.expectConditions(instance, expect{"TLSReady": "False/RefNotFound", "Ready": "False/RefNotFound", "Reconciling": "True/RefNotFound"})
	if text := describeConditions(instance); !strings.Contains(text, "Secret gateway-tls, which spec.tls.secretName names, does not exist; create it") {
		t.Errorf("the conditions say %s", text)
	}
	w.clock.step(2 * missingGrace)
	w.poke(v1alpha1.KindGatewayInstance, instance)
	w.expectConditions(instance, expect{"Stalled": "True/RefNotFound", "Reconciling": ""})

	certificate, key := keyPair(t, w.clock.Now().Add(time.Hour))
	_, otherKey := keyPair(t, w.clock.Now().Add(time.Hour))
	secret := w.secret(w.ns, "gateway-tls", map[string]string{"tls.key": otherKey})
	w.expectConditions(instance, expect{"TLSReady": "False/SecretEntryMissing"})
	w.change(secret, func() { secret.StringData = map[string]string{"tls.crt": certificate} })
	w.expectConditions(instance, expect{"TLSReady": "False/Invalid", "Stalled": "True/Invalid"})
	w.change(secret, func() { secret.StringData = map[string]string{"tls.key": key} })
	w.expectConditions(instance, expect{"TLSReady": "True/TLSReady"})
	w.ready(instance)

	objects := w.owned("default")
	service, deployment := objects["Service"].(*corev1.Service), objects["Deployment"].(*appsv1.Deployment)
	w.get(service)
	w.get(deployment)
	if p := service.Spec.Ports; len(p) != 2 || p[0].Port != 80 || p[1].Port != 443 || p[1].TargetPort.String() != "https" {
		t.Errorf("ports %+v", p)
	}
	pod := deployment.Spec.Template.Spec
	volume := slices.IndexFunc(pod.Volumes, func(v corev1.Volume) bool { return v.Secret != nil })
	if volume < 0 || pod.Volumes[volume].Secret.SecretName != "gateway-tls" || !*pod.Volumes[volume].Secret.Optional {
		t.Fatalf("volumes %+v", pod.Volumes)
	}
	c := pod.Containers[0]
	mount := slices.IndexFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool { return m.Name == pod.Volumes[volume].Name })
	if mount < 0 || !slices.Contains(c.Args, "--tls-cert-dir="+c.VolumeMounts[mount].MountPath) {
		t.Errorf("args %v, mounts %+v", c.Args, c.VolumeMounts)
	}
	template := deployment.Generation

	w.clock.step(2 * time.Hour)
	w.poke(v1alpha1.KindGatewayInstance, instance)
	w.expectConditions(instance, expect{"TLSReady": "False/CertificateExpired", "Ready": "False/CertificateExpired", "Stalled": ""})
	certificate, key = keyPair(t, w.clock.Now().Add(time.Hour))
	w.change(secret, func() { secret.StringData = map[string]string{"tls.crt": certificate, "tls.key": key} })
	w.ready(instance)
	if w.get(deployment); deployment.Generation != template {
		t.Error("a new certificate rolled the replicas out")
	}

	w.change(instance, func() { instance.Spec.TLS = nil })
	w.expectConditions(instance, expect{"TLSReady": "", "Ready": "True/Ready"})
	w.eventually("port 443 goes", func() error {
		if w.get(service); len(service.Spec.Ports) != 1 {
			return errors.New("it is still there")
		}
		return nil
	})
}

func TestTLSDetail_SaysNothingOfTheKey(t *testing.T) {
	const mistake = "vc-private-words"
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "s"},
		Data: map[string][]byte{"tls.crt": []byte(mistake), "tls.key": []byte(mistake)}}
	d, _ := tlsDetail("s", secret, time.Now())
	if d.ok || strings.Contains(d.message, mistake) || !strings.Contains(d.message, "Secret s") {
		t.Errorf("detail %+v", d)
	}
}
