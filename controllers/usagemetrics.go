package controllers

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

// outcomeUnknown is the reason of a job that no gateway settled within a week after its deadline.
const outcomeUnknown = "job_outcome_unknown"

// unaccounted is the operator's part of a metric that gateways have as well.
var unaccounted = prometheus.NewCounterVec(prometheus.CounterOpts{
	Name: "vipcloud_usage_unaccounted_total",
	Help: "Requests that may have cost money that could not be charged, by reason. Here: jobs that no gateway settled; what they reserved was charged.",
}, []string{"reason"})

// registerMetrics gives the metrics to the manager's endpoint. Its registry is a global one, where they are once.
func registerMetrics() error {
	err := metrics.Registry.Register(unaccounted)
	if already := (prometheus.AlreadyRegisteredError{}); errors.As(err, &already) && already.ExistingCollector == unaccounted {
		return nil
	}
	return err
}
