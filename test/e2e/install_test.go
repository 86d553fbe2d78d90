package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/hack/dev/samples"
	"vipcloud.ai/vipcloud/test/sim"
)

// vendorsNamespace is where the simulated vendors are, vendorsURL how pods reach them.
const (
	vendorsNamespace = "vendors"
	vendorsURL       = "http://vendors.vendors.svc:8080"
)

// The accounts that the simulated vendors know: the one of the beginning, and the one that it is rotated to.
const firstAccount, secondAccount = "sk-e2e-first-account-000000000001", "sk-e2e-second-account-00000000002"

// ourCRDs are the definitions of ours that the cluster has.
func (s *suite) ourCRDs(t *testing.T) []string {
	t.Helper()
	list := &apiextensionsv1.CustomResourceDefinitionList{}
	if err := s.objects.List(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	var ours []string
	for i := range list.Items {
		if strings.HasSuffix(list.Items[i].Name, ".vipcloud.ai") {
			ours = append(ours, list.Items[i].Name)
		}
	}
	return ours
}

// install installs the chart where nothing of ours ever was.
func install(t *testing.T, s *suite) {
	if ours := s.ourCRDs(t); len(ours) > 0 {
		t.Fatalf("this cluster knows us already (%s): the suite needs one that does not", strings.Join(ours, ", "))
	}
	s.namespace(t, system)
	s.chart(t, "install", append([]string{path("charts", "vipcloud"), "--set", "defaultInstance.enabled=false"}, imageValues(s.image)...)...)
	s.operatorReady(t)
	if got := len(s.ourCRDs(t)); got != 6 {
		t.Errorf("the chart brought %d CRDs, want 6", got)
	}
	// The namespace does enforce something: this pod may run as root.
	_, err := s.command(t.Context(), s.kubectl, "run", "-n", system, "root", "--image="+s.tools, "--restart=Never").CombinedOutput()
	if err == nil {
		t.Errorf("namespace %s lets a pod in that the restricted standard forbids", system)
	}
}

// led writes manifests with their credentials led to the simulated vendors, and returns the directory.
func led(t *testing.T, roots ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "manifests")
	vendors := &samples.Vendors{Server: sim.NewServer(sim.Options{Keys: []string{firstAccount}}), URL: vendorsURL}
	if err := samples.Write(dir, vendors, roots...); err != nil {
		t.Fatal(err)
	}
	return dir
}

// vendors starts the simulated vendors.
func (s *suite) vendors(t *testing.T) {
	t.Helper()
	s.namespace(t, vendorsNamespace)
	s.pod(t, vendorsNamespace, "vendors", "readinessProbe: {httpGet: {path: /healthz, port: 8081}, periodSeconds: 1}",
		"vendors", "-chunk-delay=200ms", "-task-step=4s", "-keys="+firstAccount+","+secondAccount)
	s.apply(t, "{apiVersion: v1, kind: Service, metadata: {name: vendors, namespace: vendors}, spec: {selector: {app: vendors}, ports: [{port: 8080}]}}")
	s.k(t, "wait", "--for=condition=Ready", "--timeout=2m", "-n", vendorsNamespace, "pod/vendors")
}

// quickstart does what the README says, with simulated vendors.
func quickstart(t *testing.T, s *suite) {
	s.vendors(t)
	s.k(t, "apply", "-f", led(t, path("config", "samples", "quickstart")))
	s.k(t, "wait", "--for=condition=Ready", "apikey/quickstart", "-n", "default", "--timeout=2m")
	s.settled(t, system, "default", 2, s.image)
	for _, object := range []string{"providercredential/deepseek", "modelroute/" + model} {
		s.k(t, "wait", "--for=condition=Ready", "-n", system, object, "--timeout=1m")
	}
	deployment := &appsv1.Deployment{}
	if err := s.objects.Get(t.Context(), client.ObjectKey{Namespace: system, Name: "vipcloud-default"}, deployment); err != nil {
		t.Fatal(err)
	}
	if got := s.k(t, "get", "vipcloud", "-A"); !strings.Contains(got, "apikey") || strings.Contains(got, "False") {
		t.Errorf("kubectl get vipcloud -A does not show everything ready:\n%s", got)
	}
}

// application is a pod that knows nothing but envFrom, with an SDK that knows nothing of us.
func application(t *testing.T, s *suite) {
	s.namespace(t, shop)
	s.key(t, shop, "app")
	s.pod(t, shop, "app", envFrom("app"), "chat", model, "Hello!")
	s.k(t, "wait", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=2m", "-n", shop, "pod/app")
	out := s.k(t, "logs", "-n", shop, "app")
	var chunks, in, tokens int
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if _, err := fmt.Sscanf(lines[len(lines)-1], "%d chunks, %d tokens in, %d out, finish stop", &chunks, &in, &tokens); err != nil {
		t.Fatalf("the application said %q: %v", out, err)
	}
	if chunks < 4 || in == 0 || tokens == 0 {
		t.Errorf("the application heard %d chunks of %d and %d tokens: that is no stream", chunks, in, tokens)
	}
	s.k(t, "delete", "pod", "-n", shop, "app")
}
