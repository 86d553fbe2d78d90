package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
)

func TestPageIsCurrent(t *testing.T) {
	want, err := page()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join("..", "..", "docs", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), want); diff != "" {
		t.Errorf("docs/metrics.md is not what the programs register; run make metrics (-page +programs):\n%s", diff)
	}
}

func TestEveryMetricIsDescribed(t *testing.T) {
	r, err := gatewayMetrics()
	if err != nil {
		t.Fatal(err)
	}
	if len(r.metrics) < 30 {
		t.Fatalf("only %d metrics were noted", len(r.metrics))
	}
	seen := map[string]bool{}
	for _, m := range r.sorted() {
		if seen[m.name] {
			t.Errorf("%s is there twice", m.name)
		}
		seen[m.name] = true
		if m.help == "" || m.help[len(m.help)-1] != '.' {
			t.Errorf("%s: the help is no sentence: %q", m.name, m.help)
		}
	}
}

func TestRegistryNotesKinds(t *testing.T) {
	r := newRegistry()
	r.MustRegister(
		prometheus.NewCounterVec(prometheus.CounterOpts{Name: "a_total", Help: `Says "a".`}, []string{"x", "y"}),
		prometheus.NewGauge(prometheus.GaugeOpts{Name: "b", Help: "B."}),
		prometheus.NewHistogram(prometheus.HistogramOpts{Name: "c_seconds", Help: "C."}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "d", Help: "D."}, func() float64 { return 0 }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "e_total", Help: "E."}, func() float64 { return 0 }),
	)
	want := []metric{
		{name: "a_total", kind: "counter", help: `Says "a".`, labels: []string{"x", "y"}},
		{name: "b", kind: "gauge", help: "B."},
		{name: "c_seconds", kind: "histogram", help: "C."},
		{name: "d", kind: "gauge", help: "D."},
		{name: "e_total", kind: "counter", help: "E."},
	}
	if diff := cmp.Diff(want, r.sorted(), cmp.AllowUnexported(metric{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
