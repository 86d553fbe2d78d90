package controllers

import (
	"fmt"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// series are the values of a metric by their labels, as a=b,c=d; of a histogram the number of observations.
func series(t *testing.T, from prometheus.Gatherer, name string) map[string]float64 {
	t.Helper()
	families, err := from.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			values[strings.Join(labels, ",")] = valueOf(m)
		}
	}
	return values
}

// valueOf is the number that tests look at.
func valueOf(m *dto.Metric) float64 {
	switch {
	case m.GetGauge() != nil:
		return m.GetGauge().GetValue()
	case m.GetCounter() != nil:
		return m.GetCounter().GetValue()
	}
	return float64(m.GetHistogram().GetSampleCount())
}

func TestMetrics_CountObjectsReplicasAndPropagation(t *testing.T) {
	w := newWorld(t)
	w.instance("default")
	w.credential("deepseek", "sk-1")
	w.attend("default", "r1")
	route := w.route("chat", "deepseek")
	w.ready(route)
	w.route("broken", "missing")
	registry := w.registry

	w.eventually("the broken route is counted", func() error {
		objects := series(t, registry, "vipcloud_operator_objects")
		if objects["kind=ModelRoute,ready=True,reason=Ready"] != 1 || objects["kind=ModelRoute,ready=False,reason=RefNotFound"] != 1 {
			return fmt.Errorf("got %v", objects)
		}
		return nil
	})
	name := "gatewayinstance=" + w.ns + "/default"
	if got := series(t, registry, "vipcloud_operator_instance_replicas"); got[name+",state=ready"] != 1 || got[name+",state=wanted"] != 1 {
		t.Errorf("replicas: %v", got)
	}
	if got := series(t, registry, "vipcloud_operator_compiled_secret_bytes"); got[name] <= 0 || got[name] > maxCompiledBytes {
		t.Errorf("size of the compiled Secret: %v", got)
	}
	if got := series(t, registry, "vipcloud_operator_propagation_seconds"); got["kind=ModelRoute"] == 0 {
		t.Error("no propagation was observed")
	}
	if got := series(t, registry, "vipcloud_operator_compile_seconds"); got[""] == 0 {
		t.Error("no compilation was observed")
	}
}

func TestBudgetLevel(t *testing.T) {
	tests := map[string]struct {
		usage *v1alpha1.KeyUsage
		want  string
	}{
		"nothing known":        {nil, ""},
		"no budget":            {&v1alpha1.KeyUsage{Spent: "3"}, ""},
		"nothing spent":        {&v1alpha1.KeyUsage{Budget: "50.00/Month", Remaining: "50.00"}, budgetBelow},
		"a fifth left":         {&v1alpha1.KeyUsage{Budget: "50.00/Month", Remaining: "10"}, budgetNear},
		"more than that left":  {&v1alpha1.KeyUsage{Budget: "50.00/Month", Remaining: "10.000001"}, budgetBelow},
		"nothing left":         {&v1alpha1.KeyUsage{Budget: "50.00/Month", Remaining: "0"}, budgetExhausted},
		"less than nothing":    {&v1alpha1.KeyUsage{Budget: "50.00/Month", Remaining: "-0.01"}, budgetExhausted},
		"a budget of nothing":  {&v1alpha1.KeyUsage{Budget: "0/Day", Remaining: "0"}, budgetExhausted},
		"what cannot be read":  {&v1alpha1.KeyUsage{Budget: "x/Day", Remaining: "1"}, ""},
		"remaining is missing": {&v1alpha1.KeyUsage{Budget: "5/Day"}, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := budgetLevel(tc.usage); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
