package e2e

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// uninstall takes the release away and then the rest. Definitions and objects stay until somebody deletes them, and nothing hangs.
func uninstall(t *testing.T, s *suite) {
	s.chart(t, "uninstall", "--wait", "--timeout=2m")
	if got := len(s.ourCRDs(t)); got != 6 {
		t.Errorf("%d CRDs are left, want all 6", got)
	}
	if err := s.objects.Get(t.Context(), client.ObjectKey{Namespace: shop, Name: "app"}, &v1alpha1.ApiKey{}); err != nil {
		t.Errorf("an ApiKey did not stay: %v", err)
	}
	if left := s.k(t, "get", "clusterroles,clusterrolebindings", "-l", "app.kubernetes.io/part-of=vipcloud", "-o", "name"); left != "" {
		t.Errorf("left behind: %s", left)
	}
	// Gateways serve without the release: an application does not care.
	if err := s.once(t, "uninstalled", "app", model); err != nil {
		t.Errorf("a call after helm uninstall: %v", err)
	}
	s.k(t, "delete", "namespace", shop, "--timeout=6m")
	s.k(t, "delete", "apikey", "-n", "default", "quickstart", "--timeout=30s")
	s.stopGateways(t)
	s.k(t, "delete", "namespace", system, "--timeout=6m")
	s.k(t, append([]string{"delete", "crd", "--timeout=2m"}, s.ourCRDs(t)...)...)
	if got := s.ourCRDs(t); len(got) > 0 {
		t.Errorf("CRDs are left: %v", got)
	}
	s.k(t, "delete", "clusterrolebinding", "-l", v1alpha1.LabelInstance, "--ignore-not-found")
}

// stopGateways deletes the instances and waits for their pods. Kubernetes looks again at a namespace that is being deleted only after half
// of the longest time that its pods may take to end, which is minutes for gateways, however soon they end.
func (s *suite) stopGateways(t *testing.T) {
	t.Helper()
	s.k(t, "delete", "gatewayinstance", "-n", system, "--all", "--timeout=30s")
	s.k(t, "wait", "--for=delete", "--timeout=6m", "-n", system, "pod", "-l", v1alpha1.LabelInstance)
}

// upgrade installs the product as it was before, with objects, and upgrades definitions and release while streams run.
func upgrade(t *testing.T, s *suite) {
	previous := path("test", "e2e", "previous")
	image := s.previous
	if image == "" {
		image = s.image
		t.Log("the image of the previous state is not there: the previous chart runs this image")
	}
	s.namespace(t, system, shop)
	s.chart(t, "install", append([]string{previous + "/chart", "--set", "defaultInstance.enabled=false"}, imageValues(image)...)...)
	s.operatorReady(t)
	s.vendors(t)
	s.k(t, "apply", "-f", led(t, previous+"/quickstart"))
	s.settled(t, system, "default", 2, image)
	s.k(t, "wait", "--for=condition=Ready", "apikey/quickstart", "-n", "default", "--timeout=2m")
	key := s.secret(t, "default", "quickstart", "api-key")
	// The replicas that end are the previous version's. It closed connections when it should not have, so the SDK repeats here what it repeats by
	// itself; at a previous version later than that, take this away.
	l := s.loader(t, "upgrade")
	l.retries = true
	l.run(t, 50, 40, false)

	// As docs/operations.md says.
	s.k(t, "apply", "--server-side", "--force-conflicts", "-k", path("config", "crd"))
	s.chart(t, "upgrade", append([]string{path("charts", "vipcloud"), "--reset-then-reuse-values"}, imageValues(s.next)...)...)
	s.operatorReady(t)
	s.settled(t, system, "default", 2, s.next)
	s.noneLeaving(t)
	l.unharmed(t, l.end(t), 75)
	s.k(t, "wait", "--for=condition=Ready", "apikey/quickstart", "-n", "default", "--timeout=2m")
	if got := s.secret(t, "default", "quickstart", "api-key"); got != key {
		t.Error("the upgrade changed a key")
	}
	if got := s.k(t, "get", "vipcloud", "-A", "-o", `jsonpath={range .items[*]}{.kind}/{.metadata.name} {.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}`); got == "" {
		t.Error("no object is left after the upgrade")
	}
	s.chart(t, "uninstall", "--wait", "--timeout=2m")
	s.stopGateways(t)
	s.k(t, "delete", "namespace", system, shop, vendorsNamespace, "--timeout=6m")
	err := s.objects.Get(t.Context(), client.ObjectKey{Name: system}, &corev1.Namespace{})
	if !apierrors.IsNotFound(err) {
		t.Errorf("namespace %s: %v", system, err)
	}
}
