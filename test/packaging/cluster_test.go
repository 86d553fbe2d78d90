package packaging

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"
)

// cluster is a real API server that never saw our CRDs. It has no controllers and no nodes.
type cluster struct {
	t          *testing.T
	kubeconfig string
	kubectlBin string
}

func startCluster(t *testing.T) *cluster {
	t.Helper()
	dir, err := assets()
	if err != nil {
		t.Fatalf("making control-plane binaries: %v", err)
	}
	environment := &envtest.Environment{BinaryAssetsDirectory: dir}
	if _, err := environment.Start(); err != nil {
		t.Fatalf("starting the API server: %v", err)
	}
	t.Cleanup(func() {
		if err := environment.Stop(); err != nil {
			t.Errorf("stopping the API server: %v", err)
		}
	})
	user, err := environment.AddUser(envtest.User{Name: "admin", Groups: []string{"system:masters"}}, nil)
	if err != nil {
		t.Fatalf("adding a user: %v", err)
	}
	kubeconfig, err := user.KubeConfig()
	if err != nil {
		t.Fatalf("writing the kubeconfig: %v", err)
	}
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(file, kubeconfig, 0o600); err != nil {
		t.Fatal(err)
	}
	return &cluster{t: t, kubeconfig: file, kubectlBin: filepath.Join(dir, "kubectl")}
}

func (c *cluster) kubectl(stdin string, args ...string) string {
	c.t.Helper()
	return run(c.t, []byte(stdin), c.kubectlBin, append([]string{"--kubeconfig", c.kubeconfig}, args...)...)
}

func (c *cluster) helm(args ...string) string {
	c.t.Helper()
	return run(c.t, nil, tool(c.t, "helm"), append([]string{"--kubeconfig", c.kubeconfig, "--namespace", "vipcloud-system"}, args...)...)
}

// get reads one object as the API server has it.
func (c *cluster) get(args ...string) object {
	c.t.Helper()
	var o object
	if err := json.Unmarshal([]byte(c.kubectl("", append([]string{"get", "-o", "json"}, args...)...)), &o); err != nil {
		c.t.Fatal(err)
	}
	return o
}

// crdNames lists the CRDs of the cluster.
func (c *cluster) crdNames() []string {
	c.t.Helper()
	names := strings.Fields(c.kubectl("", "get", "crds", "-o", "name"))
	slices.Sort(names)
	return names
}

func wantCRDs(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, crd := range crds(t) {
		names = append(names, "customresourcedefinition.apiextensions.k8s.io/"+crd.name())
	}
	slices.Sort(names)
	return names
}

func TestChartInstallsUpgradesAndGoes(t *testing.T) {
	c := startCluster(t)
	c.helm("install", "vipcloud", chart("vipcloud"), "--create-namespace")

	instance := c.get("gatewayinstance", "default", "-n", "vipcloud-system")
	if got := instance.at("spec", "replicas"); got != 2.0 {
		t.Errorf("spec.replicas of the default GatewayInstance = %v, want the schema's default 2", got)
	}
	if got := instance.at("status", "observedGeneration"); got != -1.0 {
		t.Errorf("status.observedGeneration = %v, want -1 before anybody looked", got)
	}
	if got := c.crdNames(); !slices.Equal(got, wantCRDs(t)) {
		t.Errorf("CRDs = %v, want %v", got, wantCRDs(t))
	}
	c.get("deployment", "vipcloud-operator", "-n", "vipcloud-system")
	c.get("clusterrolebinding", "vipcloud-operator")

	c.helm("upgrade", "vipcloud", chart("vipcloud"), "--set-json", `defaultInstance.spec={"replicas":3}`)
	if got := c.get("gatewayinstance", "default", "-n", "vipcloud-system").at("spec", "replicas"); got != 3.0 {
		t.Errorf("spec.replicas after the upgrade = %v, want 3", got)
	}

	// What the admin made afterwards outlives the release.
	c.kubectl("{apiVersion: vipcloud.ai/v1alpha1, kind: ApiKey, metadata: {name: kept, namespace: default}, spec: {}}", "apply", "-f", "-")
	c.helm("uninstall", "vipcloud")
	c.get("apikey", "kept", "-n", "default")
	if left := c.kubectl("", "get", "clusterroles,clusterrolebindings", "-l", "app.kubernetes.io/part-of=vipcloud", "-o", "name"); left != "" {
		t.Errorf("left behind: %s", left)
	}
}

func TestUpgradeChartOwnsTheCRDs(t *testing.T) {
	c := startCluster(t)
	c.helm("install", "crds", chart("vipcloud-crds"), "--create-namespace")
	c.helm("install", "vipcloud", chart("vipcloud"), "--skip-crds", "--set", "watchNamespaces={vipcloud-system}")
	c.get("role", "vipcloud-operator", "-n", "vipcloud-system")
	c.wantAllowed(t, binding("RoleBinding", "vipcloud-system", "vipcloud-gateway-reader"))
	c.wantAllowed(t, gatewayRole("vipcloud-system"))
	c.wantRefused(t, binding("RoleBinding", "default", "vipcloud-gateway-reader"))
	c.wantRefused(t, binding("ClusterRoleBinding", "", "vipcloud-gateway-reader"))
	c.helm("upgrade", "crds", chart("vipcloud-crds"))
	c.helm("uninstall", "crds")
	if got := c.crdNames(); !slices.Equal(got, wantCRDs(t)) {
		t.Errorf("CRDs after uninstalling = %v, want %v", got, wantCRDs(t))
	}
}

func TestKustomizationApplies(t *testing.T) {
	c := startCluster(t)
	// A dry run first: what the API server would refuse, it refuses here, and nothing is half done.
	c.kubectl(build(t, "crd"), "apply", "--server-side", "--dry-run=server", "-f", "-")
	// By a client-side apply too, which keeps the whole object in an annotation.
	c.kubectl(build(t, "crd"), "apply", "-f", "-")

	manifests := build(t, "default")
	c.kubectl(manifests, "apply", "--server-side", "--force-conflicts", "-f", "-")
	c.kubectl(manifests, "apply", "--server-side", "--dry-run=server", "-f", "-")
	c.kubectl("{apiVersion: vipcloud.ai/v1alpha1, kind: GatewayInstance, metadata: {name: default, namespace: vipcloud-system}, spec: {}}",
		"apply", "--server-side", "-f", "-")

	t.Run("the operator's pod passes the restricted standard", func(t *testing.T) {
		for name, rendered := range map[string]string{"kustomize": manifests, "helm": render(t)} {
			pod := podOf(t, decode(t, rendered)["Deployment/vipcloud-system/vipcloud-operator"])
			// The namespace enforces the standard: the API server refuses what does not keep it.
			c.kubectl(pod, "create", "--dry-run=server", "-f", "-")
			if _, _, err := try(t, []byte(strings.ReplaceAll(pod, "runAsNonRoot: true", "runAsNonRoot: false")), c.kubectlBin,
				"--kubeconfig", c.kubeconfig, "create", "--dry-run=server", "-f", "-"); err == nil {
				t.Errorf("%s: a pod that may run as root is let in: the namespace enforces nothing", name)
			}
		}
	})

	t.Run("the operator hands out what gateways read and nothing more", func(t *testing.T) {
		c.wantAllowed(t, binding("ClusterRoleBinding", "", "vipcloud-gateway-reader"))
		c.wantAllowed(t, binding("RoleBinding", "default", "vipcloud-gateway-reader"))
		c.wantAllowed(t, gatewayRole("default"))
		c.wantRefused(t, binding("ClusterRoleBinding", "", "cluster-admin"))
		c.wantRefused(t, binding("RoleBinding", "default", "cluster-admin"))
	})

	t.Run("the namespaced variant applies on top", func(t *testing.T) {
		c.kubectl(build(t, "namespaced"), "apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", "-")
	})
}

// podOf writes the pod that a Deployment would make.
func podOf(t *testing.T, deployment object) string {
	t.Helper()
	pod := map[string]any{
		"apiVersion": "v1", "kind": "Pod",
		"metadata": map[string]any{"name": "operator", "namespace": "vipcloud-system"},
		"spec":     deployment.at("spec", "template", "spec"),
	}
	out, err := yaml.Marshal(pod)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// asOperator creates an object, in a dry run, with the rights of the operator's account.
func (c *cluster) asOperator(t *testing.T, manifest string) (refusal string) {
	t.Helper()
	_, stderr, err := try(t, []byte(manifest), c.kubectlBin, "--kubeconfig", c.kubeconfig,
		"--as=system:serviceaccount:vipcloud-system:vipcloud-operator", "create", "--dry-run=server", "-f", "-")
	if err == nil {
		return ""
	}
	return stderr
}

// wantAllowed waits, because the API server learns of new rights by a watch.
func (c *cluster) wantAllowed(t *testing.T, manifest string) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	refusal := c.asOperator(t, manifest)
	for refusal != "" && time.Now().Before(deadline) {
		refusal = c.asOperator(t, manifest)
	}
	if refusal != "" {
		t.Errorf("the operator may not create\n%s\n%s", manifest, refusal)
	}
}

func (c *cluster) wantRefused(t *testing.T, manifest string) {
	t.Helper()
	if refusal := c.asOperator(t, manifest); !strings.Contains(refusal, "orbidden") {
		t.Errorf("want Forbidden, got %q for\n%s", refusal, manifest)
	}
}

// binding gives a ClusterRole to the account of a gateway.
func binding(kind, namespace, clusterRole string) string {
	return fmt.Sprintf(`{apiVersion: rbac.authorization.k8s.io/v1, kind: %s, metadata: {name: vipcloud-default-reader, namespace: %q},
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: %s},
subjects: [{kind: ServiceAccount, name: vipcloud-default, namespace: vipcloud-system}]}`, kind, namespace, clusterRole)
}

// gatewayRole is what a gateway may do in its own namespace.
func gatewayRole(namespace string) string {
	return fmt.Sprintf(`{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: vipcloud-default, namespace: %s}, rules: [
{apiGroups: [""], resources: [secrets], resourceNames: [vipcloud-default-credentials], verbs: [get, list, watch]},
{apiGroups: [vipcloud.ai], resources: [gatewayreplicas], verbs: [create, get, patch, update]},
{apiGroups: [vipcloud.ai], resources: [gatewayreplicas/status], verbs: [patch, update]}]}`, namespace)
}
