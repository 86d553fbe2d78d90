package main

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// metric is what the page says of one.
type metric struct {
	name, kind, help string
	labels           []string
}

// registry notes what is registered with it.
type registry struct {
	*prometheus.Registry
	metrics  []metric
	problems []error
}

// newRegistry makes an empty one.
func newRegistry() *registry { return &registry{Registry: prometheus.NewRegistry()} }

// MustRegister implements prometheus.Registerer.
func (r *registry) MustRegister(collectors ...prometheus.Collector) {
	for _, c := range collectors {
		r.note(c)
	}
	r.Registry.MustRegister(collectors...)
}

// Register implements prometheus.Registerer.
func (r *registry) Register(c prometheus.Collector) error {
	r.note(c)
	return r.Registry.Register(c)
}

// description is how a Desc writes itself; there is no other way to ask it.
var description = regexp.MustCompile(`^Desc\{fqName: "([^"]+)", help: (".*"), constLabels: \{(.*)\}, variableLabels: \{(.*)\}(?:, unit: .*)?\}$`)

// note adds the metrics of a collector.
func (r *registry) note(c prometheus.Collector) {
	descriptions := make(chan *prometheus.Desc)
	go func() {
		c.Describe(descriptions)
		close(descriptions)
	}()
	for d := range descriptions {
		m, err := parse(d.String())
		if err != nil {
			r.problems = append(r.problems, err)
			continue
		}
		m.kind = kindOf(c, m.name)
		r.metrics = append(r.metrics, m)
	}
}

// parse reads what a Desc says of itself.
func parse(text string) (metric, error) {
	parts := description.FindStringSubmatch(text)
	if parts == nil {
		return metric{}, fmt.Errorf("cannot read %s", text)
	}
	var help string
	if _, err := fmt.Sscanf(parts[2], "%q", &help); err != nil {
		return metric{}, fmt.Errorf("reading the help of %s: %w", parts[1], err)
	}
	m := metric{name: parts[1], help: help}
	for label := range strings.SplitSeq(parts[4], ",") {
		if label != "" {
			m.labels = append(m.labels, label)
		}
	}
	return m, nil
}

// kindOf tells the kind of a metric by what makes it, or where that says nothing by its name.
func kindOf(c prometheus.Collector, name string) string {
	switch c.(type) {
	case *prometheus.HistogramVec, prometheus.Histogram:
		return "histogram"
	case *prometheus.GaugeVec, prometheus.Gauge:
		return "gauge"
	case *prometheus.CounterVec, prometheus.Counter:
		return "counter"
	}
	if strings.HasSuffix(name, "_total") {
		return "counter"
	}
	return "gauge"
}

// sorted are the metrics by name.
func (r *registry) sorted() []metric {
	return slices.SortedFunc(slices.Values(r.metrics), func(a, b metric) int { return cmp.Compare(a.name, b.name) })
}
