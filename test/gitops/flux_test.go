package gitops

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/cel-go/cel"
	"sigs.k8s.io/yaml"
)

// fluxPlatform is the Flux Kustomization whose health checks know of keys that were revoked.
const fluxPlatform = "../../config/gitops/flux/platform.yaml"

// TestFluxHealthCheck_ofKeys evaluates the CEL expressions of the Flux set-up on every recorded state of an ApiKey. The fields of
// the object are their variables, as in Flux.
func TestFluxHealthCheck_ofKeys(t *testing.T) {
	var kustomization struct {
		Spec struct {
			HealthCheckExprs []struct{ APIVersion, Kind, Current, Failed string }
		}
	}
	if err := yaml.Unmarshal([]byte(read(t, fluxPlatform)), &kustomization); err != nil {
		t.Fatal(err)
	}
	checks := kustomization.Spec.HealthCheckExprs
	if len(checks) != 1 || checks[0].APIVersion != "vipcloud.ai/v1alpha1" || checks[0].Kind != "ApiKey" {
		t.Fatalf("health checks %+v", checks)
	}
	states, err := filepath.Glob(filepath.Join(customizations, "vipcloud.ai", "ApiKey", "testdata", "*.yaml"))
	if err != nil || len(states) < 10 {
		t.Fatalf("%d states: %v", len(states), err)
	}
	for _, path := range states {
		name := strings.TrimSuffix(filepath.Base(path), ".yaml")
		object := readObject(t, path)
		current, failed := holds(t, checks[0].Current, object), holds(t, checks[0].Failed, object)
		if want := name == "ready" || name == "stalled_Revoked"; current != want {
			t.Errorf("%s: current is %t, want %t", name, current, want)
		}
		if want := strings.HasPrefix(name, "stalled_") && name != "stalled_Revoked"; failed != want {
			t.Errorf("%s: failed is %t, want %t", name, failed, want)
		}
	}
}

// holds evaluates an expression.
func holds(t *testing.T, expression string, object map[string]any) bool {
	t.Helper()
	var variables []cel.EnvOption
	for _, name := range []string{"apiVersion", "kind", "metadata", "spec", "status"} {
		variables = append(variables, cel.Variable(name, cel.DynType))
	}
	env, err := cel.NewEnv(variables...)
	if err != nil {
		t.Fatal(err)
	}
	ast, issues := env.Compile(expression)
	if issues.Err() != nil {
		t.Fatalf("%s: %v", expression, issues.Err())
	}
	program, err := env.Program(ast)
	if err != nil {
		t.Fatal(err)
	}
	result, _, err := program.Eval(object)
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	value, ok := result.Value().(bool)
	if !ok {
		t.Fatalf("%s is a %T", expression, result.Value())
	}
	return value
}
