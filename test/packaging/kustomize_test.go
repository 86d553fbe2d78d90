package packaging

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func build(t *testing.T, folder string) string {
	t.Helper()
	return run(t, nil, tool(t, "kustomize"), "build", filepath.Join(root, "config", folder))
}

func TestKustomizationsRenderTheSameTwice(t *testing.T) {
	for _, folder := range []string{"crd", "default", "namespaced", "prometheus"} {
		t.Run(folder, func(t *testing.T) {
			first := build(t, folder)
			if first != build(t, folder) {
				t.Error("two renderings differ")
			}
			if len(decode(t, first)) == 0 {
				t.Error("nothing is rendered")
			}
		})
	}
}

// The operator must give gateways the image that it runs itself, whatever a user sets it to.
func TestImageReachesTheGateways(t *testing.T) {
	overlay := t.TempDir()
	if err := os.CopyFS(filepath.Join(overlay, "config"), os.DirFS(filepath.Join(root, "config"))); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"default", "namespaced"} {
		t.Run(folder, func(t *testing.T) {
			file := filepath.Join(overlay, "config", folder, "kustomization.yaml")
			edited := strings.NewReplacer("newName: vipcloud", "newName: registry.example:5000/team/vipcloud", "newTag: latest", "newTag: v1.2.3").Replace(read(t, file))
			if err := os.WriteFile(file, []byte(edited), 0o644); err != nil {
				t.Fatal(err)
			}
			objects := decode(t, run(t, nil, tool(t, "kustomize"), "build", filepath.Dir(file)))
			container := operatorContainer(t, objects["Deployment/vipcloud-system/vipcloud-operator"])
			const want = "registry.example:5000/team/vipcloud:v1.2.3"
			if container.at("image") != want {
				t.Errorf("image = %v, want %s", container.at("image"), want)
			}
			if !slices.Contains(arguments(container), "--gateway-image="+want) {
				t.Errorf("args = %v, want --gateway-image=%s", arguments(container), want)
			}
		})
	}
}

func operatorContainer(t *testing.T, deployment object) object {
	t.Helper()
	containers, _ := deployment.at("spec", "template", "spec", "containers").([]any)
	if len(containers) != 1 {
		t.Fatalf("%d containers in %s, want 1", len(containers), deployment.key())
	}
	return containers[0].(map[string]any)
}

func arguments(container object) []string {
	var args []string
	list, _ := container.at("args").([]any)
	for _, arg := range list {
		args = append(args, text(arg))
	}
	return args
}

// In namespaced mode the operator has Roles alone; of the cluster there is one definition that grants nothing unbound.
func TestNamespacedHasNoRightsInTheCluster(t *testing.T) {
	rendered := map[string]map[string]object{
		"kustomize": decode(t, build(t, "namespaced")),
		"helm":      decode(t, render(t, "--set", "watchNamespaces={vipcloud-system,shop}")),
	}
	for name, objects := range rendered {
		t.Run(name, func(t *testing.T) {
			for key, o := range objects {
				switch {
				case o.kind() == "ClusterRoleBinding", o.kind() == "Namespace":
					t.Errorf("%s is of the cluster", key)
				case o.kind() == "ClusterRole" && o.name() != "vipcloud-gateway-reader":
					t.Errorf("%s is of the cluster", key)
				case o.kind() == "Service":
					t.Errorf("%s exposes metrics that nobody guards", key)
				}
			}
			args := arguments(operatorContainer(t, objects["Deployment/vipcloud-system/vipcloud-operator"]))
			for _, want := range []string{"--metrics-listen=127.0.0.1:8443", "--metrics-insecure"} {
				if !slices.Contains(args, want) {
					t.Errorf("args = %v, want %s", args, want)
				}
			}
			for _, want := range []string{"Role/vipcloud-system/vipcloud-operator", "RoleBinding/vipcloud-system/vipcloud-operator", "ClusterRole//vipcloud-gateway-reader"} {
				if _, ok := objects[want]; !ok {
					t.Errorf("%s is missing", want)
				}
			}
		})
	}
}

// Every flag in a manifest is one that the binary has.
func TestOperatorKnowsItsArguments(t *testing.T) {
	help := run(t, nil, "go", "run", modulePath(t)+"/cmd/vipcloud", "operator", "--help")
	rendered := map[string]string{
		"default":    build(t, "default"),
		"namespaced": build(t, "namespaced"),
		"chart":      render(t),
		"chart in watched namespaces without metrics": render(t, "--set", "watchNamespaces={vipcloud-system}", "--set", "metrics.enabled=false"),
	}
	for name, manifests := range rendered {
		t.Run(name, func(t *testing.T) {
			args := arguments(operatorContainer(t, decode(t, manifests)["Deployment/vipcloud-system/vipcloud-operator"]))
			if len(args) == 0 || args[0] != "operator" {
				t.Fatalf("args = %v, want the operator command first", args)
			}
			for _, arg := range args[1:] {
				flag, _, _ := strings.Cut(arg, "=")
				if !strings.Contains(help, flag+" ") {
					t.Errorf("vipcloud operator has no flag %s:\n%s", flag, help)
				}
			}
		})
	}
}
