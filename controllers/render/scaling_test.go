package render

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

func TestDisruptionBudget(t *testing.T) {
	zero, off, on := int32(0), false, true
	cases := map[string]struct {
		spec *v1alpha1.PodDisruptionBudget
		want string
	}{
		"one by default":       {nil, "1"},
		"one when it is empty": {&v1alpha1.PodDisruptionBudget{}, "1"},
		"none may be missing":  {&v1alpha1.PodDisruptionBudget{Enabled: &on, MaxUnavailable: &zero}, "0"},
		"left out":             {&v1alpha1.PodDisruptionBudget{Enabled: &off}, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := ""
			for _, obj := range render(t, Input{Image: "i", Instance: makeInstance(func(obj *v1alpha1.GatewayInstance) {
				obj.Spec.PodDisruptionBudget = tc.spec
			})}) {
				if b, ok := obj.(*policyv1.PodDisruptionBudget); ok {
					got = b.Spec.MaxUnavailable.String()
				}
			}
			if got != tc.want {
				t.Errorf("maxUnavailable %q, want %q", got, tc.want)
			}
		})
	}
}

func TestTopologySpread_CountsOurPodsUnlessToldOtherwise(t *testing.T) {
	theirs := &metav1.LabelSelector{MatchLabels: map[string]string{"app": "theirs"}}
	own := []corev1.TopologySpreadConstraint{{TopologyKey: "rack"}, {TopologyKey: "row", LabelSelector: theirs}}
	instance := makeInstance()
	got := topologySpread(instance, own)
	if diff := cmp.Diff(selector(instance), got[0].LabelSelector.MatchLabels); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got[1].LabelSelector != theirs || own[0].LabelSelector != nil {
		t.Errorf("selector %v, the instance's own %v", got[1].LabelSelector, own[0].LabelSelector)
	}
	if standard := topologySpread(instance, nil); len(standard) != 1 || standard[0].WhenUnsatisfiable != corev1.ScheduleAnyway {
		t.Errorf("by default %+v", standard)
	}
}

func TestReplicas_AreNamedUntilSomebodyElseSetsThem(t *testing.T) {
	n := func(i int32) *int32 { return &i }
	cases := map[string]struct {
		spec  *int32
		scale *v1alpha1.Autoscaling
		known Scale
		want  *int32
	}{
		"without autoscaling the spec counts":     {n(3), nil, Scale{Live: n(9), Taken: true}, n(3)},
		"a new Deployment begins with the spec":   {n(3), &v1alpha1.Autoscaling{MaxReplicas: 5}, Scale{}, n(3)},
		"but not below the least":                 {n(1), &v1alpha1.Autoscaling{MinReplicas: n(4), MaxReplicas: 5}, Scale{}, n(4)},
		"nor above the greatest":                  {n(9), &v1alpha1.Autoscaling{MaxReplicas: 5}, Scale{}, n(5)},
		"what is there stays":                     {nil, &v1alpha1.Autoscaling{MaxReplicas: 5}, Scale{Live: n(5)}, n(5)},
		"what is there stays beyond the greatest": {nil, &v1alpha1.Autoscaling{MaxReplicas: 5}, Scale{Live: n(8)}, n(8)},
		"who has set it keeps it":                 {n(3), &v1alpha1.Autoscaling{MaxReplicas: 5}, Scale{Live: n(4), Taken: true}, nil},
		"0 stops all":                             {n(0), &v1alpha1.Autoscaling{MaxReplicas: 5}, Scale{Live: n(4), Taken: true}, n(0)},
		"nobody else wakes it up":                 {n(2), &v1alpha1.Autoscaling{MaxReplicas: 5}, Scale{Live: n(0), Taken: true}, n(2)},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := replicas(Input{Scale: tc.known, Instance: makeInstance(func(obj *v1alpha1.GatewayInstance) {
				obj.Spec.Replicas, obj.Spec.Autoscaling = tc.spec, tc.scale
			})})
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// The examples of config/autoscaling ask for the metric that the autoscaler asks for, and for the Deployment that there is.
func TestAutoscalingExamples(t *testing.T) {
	read := func(name string, into any) {
		t.Helper()
		text, err := os.ReadFile(filepath.Join("..", "..", "config", "autoscaling", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.UnmarshalStrict(text, into); err != nil {
			t.Fatal(err)
		}
	}
	var adapter struct {
		Rules struct {
			Custom []struct {
				SeriesQuery string            `json:"seriesQuery"`
				Resources   map[string]any    `json:"resources"`
				Name        map[string]string `json:"name"`
				Query       string            `json:"metricsQuery"`
			} `json:"custom"`
		} `json:"rules"`
	}
	read("prometheus-adapter.yaml", &adapter)
	if r := adapter.Rules.Custom; len(r) != 1 || !strings.HasPrefix(r[0].SeriesQuery, MetricInFlight+"{") || r[0].Name["as"] != MetricInFlight {
		t.Errorf("the adapter's rules are %+v", r)
	}
	keda := map[string]any{}
	read("keda.yaml", &keda)
	target, _, _ := unstructured.NestedString(keda, "spec", "scaleTargetRef", "name")
	triggers, _, _ := unstructured.NestedSlice(keda, "spec", "triggers")
	if target != Name("default", "") || len(triggers) != 1 || !strings.Contains(fmt.Sprint(triggers[0]), MetricInFlight) {
		t.Errorf("KEDA scales %s by %v", target, triggers)
	}
}
