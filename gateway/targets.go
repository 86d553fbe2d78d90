package gateway

import (
	"vipcloud.ai/vipcloud/gateway/balance"
	"vipcloud.ai/vipcloud/gateway/metrics"
)

// newTargets makes the registry of what requests show of targets, and shows their states as a metric.
func (s *Server) newTargets() *balance.Registry {
	targets := balance.NewRegistry(balance.Options{
		Now: s.opts.Now, Log: s.opts.Log, Replicas: s.replicas,
		Ejected: func(model, target string, reason balance.Reason) { s.metrics.Ejected(model, target, string(reason)) },
	})
	metrics.TargetStates(s.opts.Registry, func(yield func(model, target string, state int, inFlight int64)) {
		targets.States(func(model, target string, state balance.State, inFlight int64) {
			yield(model, target, int(state), inFlight)
		})
	})
	return targets
}

// Ejected lists the targets that get no requests from this replica at the moment. It is what a replica reports.
func (s *Server) Ejected() []balance.Ejection { return s.targets.Ejected() }
