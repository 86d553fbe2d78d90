package report

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	kstatus "github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/source"
)

// recordStates writes the states of a replica for the health checks of Argo CD and their tests.
var recordStates = flag.Bool("record", false, "write config/argocd's states of a GatewayReplica")

// TestReplica_isReadByFlux asks Flux's status library of every state that a replica writes.
func TestReplica_isReadByFlux(t *testing.T) {
	l := newLive(t, withPod)
	checkState(t, "waiting_Progressing", l.object(), kstatus.InProgressStatus)
	l.replica.SetReady(true)
	l.replica.Loaded(source.Versions{ModelRoutes: "11", ApiKeys: "12", Credentials: "13", GatewayInstance: "14"})
	checkState(t, "ready", l.eventually("ready", func(o *v1alpha1.GatewayReplica) bool {
		return meta.IsStatusConditionTrue(o.Status.Conditions, v1alpha1.ConditionReady)
	}), kstatus.CurrentStatus)
	l.end()
	checkState(t, "waiting_Draining", l.eventually("not ready at the end", func(o *v1alpha1.GatewayReplica) bool {
		return meta.IsStatusConditionFalse(o.Status.Conditions, v1alpha1.ConditionReady)
	}), kstatus.InProgressStatus)
}

// checkState judges one state, and records it if that was asked for.
func checkState(t *testing.T, name string, o *v1alpha1.GatewayReplica, want kstatus.Status) {
	t.Helper()
	value, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		t.Fatal(err)
	}
	got, err := kstatus.Compute(&unstructured.Unstructured{Object: value})
	if err != nil {
		t.Fatal(err)
	}
	if got.Status != want {
		t.Errorf("%s: Flux's status library says %s (%s), want %s", name, got.Status, got.Message, want)
	}
	if !*recordStates {
		return
	}
	text, err := yaml.Marshal(map[string]any{
		"apiVersion": v1alpha1.GroupVersion.String(), "kind": v1alpha1.KindGatewayReplica,
		"metadata": map[string]any{"name": o.Name, "namespace": "shop", "generation": o.Generation},
		"spec":     value["spec"], "status": value["status"],
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("..", "..", "config", "argocd", "resource_customizations", "vipcloud.ai", "GatewayReplica", "testdata", name+".yaml")
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
}
