package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
)

// targetHealth are the metrics of targets that get no requests, and of requests that were not repeated.
type targetHealth struct {
	ejections, retriesRefused *prometheus.CounterVec
}

// newTargetHealth registers them.
func newTargetHealth(reg prometheus.Registerer) targetHealth {
	h := targetHealth{
		ejections: counter("vipcloud_target_ejections_total",
			"Targets that were taken out because of what requests showed, by model, target and reason.", labelModel, labelTarget, "reason"),
		retriesRefused: counter("vipcloud_retries_refused_total",
			"Requests that were not repeated because too many of the model's were, by model.", labelModel),
	}
	reg.MustRegister(h.ejections, h.retriesRefused)
	return h
}

// forget deletes the series of a model.
func (h *targetHealth) forget(model prometheus.Labels) {
	h.ejections.DeletePartialMatch(model)
	h.retriesRefused.DeletePartialMatch(model)
}

// Ejected counts a target that was taken out.
func (m *Metrics) Ejected(model, target, reason string) {
	m.health.ejections.WithLabelValues(model, target, reason).Inc()
}

// RetryRefused counts a request of the model that was not repeated because too many were.
func (r *Route) RetryRefused() { r.metrics.health.retriesRefused.WithLabelValues(r.model).Inc() }

// stateCollector shows the states of targets as they are when they are read.
type stateCollector struct {
	description, inFlight *prometheus.Desc
	each                  func(yield func(model, target string, state int, inFlight int64))
}

// TargetStates registers vipcloud_target_state and vipcloud_target_in_flight. Each calls yield with every target.
func TargetStates(reg prometheus.Registerer, each func(yield func(model, target string, state int, inFlight int64))) {
	reg.MustRegister(&stateCollector{
		description: prometheus.NewDesc("vipcloud_target_state",
			"What requests a target gets: 0 healthy, 1 half-open (one, which decides), 2 ejected (none for a while), "+
				"3 dead (sure to fail; one now and then). By model and target.",
			[]string{labelModel, labelTarget}, nil),
		inFlight: prometheus.NewDesc("vipcloud_target_in_flight", "Requests under way at a target now, by model and target.",
			[]string{labelModel, labelTarget}, nil),
		each: each,
	})
}

// Describe implements prometheus.Collector.
func (c *stateCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- c.description
	ch <- c.inFlight
}

// Collect implements prometheus.Collector.
func (c *stateCollector) Collect(ch chan<- prometheus.Metric) {
	c.each(func(model, target string, state int, inFlight int64) {
		ch <- prometheus.MustNewConstMetric(c.description, prometheus.GaugeValue, float64(state), model, target)
		ch <- prometheus.MustNewConstMetric(c.inFlight, prometheus.GaugeValue, float64(inFlight), model, target)
	})
}
