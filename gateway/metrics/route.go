package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Route are a model's metrics with their labels bound, so that a request looks nothing up. Safe for concurrent use.
type Route struct {
	metrics                    *Metrics
	operation, model, provider string
	duration, firstToken       prometheus.Observer
	outputChunk, outputToken   prometheus.Observer
	input, cached, output      prometheus.Observer
	cost                       prometheus.Counter
}

// Route binds the labels of a model.
func (m *Metrics) Route(operation, model, provider, currency string) *Route {
	return &Route{
		metrics: m, operation: operation, model: model, provider: provider,
		duration:    m.requestDuration.WithLabelValues(operation, model, provider, ""),
		firstToken:  m.firstToken.WithLabelValues(operation, model, provider),
		outputChunk: m.outputChunk.WithLabelValues(operation, model, provider),
		outputToken: m.outputToken.WithLabelValues(operation, model, provider),
		input:       m.tokenUsage.WithLabelValues(operation, model, provider, TokenInput),
		cached:      m.tokenUsage.WithLabelValues(operation, model, provider, TokenCachedInput),
		output:      m.tokenUsage.WithLabelValues(operation, model, provider, TokenOutput),
		cost:        m.cost.WithLabelValues(model, currency),
	}
}

// Done observes a request's duration; errorType is empty for a success.
func (r *Route) Done(d time.Duration, errorType string) {
	if errorType == "" {
		r.duration.Observe(seconds(d))
		return
	}
	r.metrics.requestDuration.WithLabelValues(r.operation, r.model, r.provider, errorType).Observe(seconds(d))
}

// FirstToken observes the time to the first token of a stream.
func (r *Route) FirstToken(d time.Duration) { r.firstToken.Observe(seconds(d)) }

// Chunk observes the time between a chunk of a stream and the one before it.
func (r *Route) Chunk(gap time.Duration) { r.outputChunk.Observe(seconds(gap)) }

// PerToken observes the mean time per token of a stream after its first.
func (r *Route) PerToken(d time.Duration) { r.outputToken.Observe(seconds(d)) }

// Repeated counts further calls for one request of the model: retries, and whether another model served in the end.
func (r *Route) Repeated(retries int, fallback bool) {
	if fallback {
		r.metrics.retries.WithLabelValues(r.model, "fallback").Inc()
		retries--
	}
	if retries > 0 {
		r.metrics.retries.WithLabelValues(r.model, "retry").Add(float64(retries))
	}
}

// Units counts what was used beside tokens.
func (r *Route) Units(unit string, n int64) {
	r.metrics.units.WithLabelValues(r.model, unit).Add(float64(n))
}

// Tokens observes a request's tokens.
func (r *Route) Tokens(input, cached, output int64) {
	r.input.Observe(float64(input))
	if cached > 0 {
		r.cached.Observe(float64(cached))
	}
	r.output.Observe(float64(output))
}

// Cost adds to the model's cost, in units of the currency.
func (r *Route) Cost(amount float64) { r.cost.Add(amount) }

// Target are a target's metrics with their labels bound.
type Target struct {
	metrics       *Metrics
	model, target string
	ok            prometheus.Counter
}

// Target binds the labels of a target.
func (m *Metrics) Target(model, target string) *Target {
	return &Target{metrics: m, model: model, target: target, ok: m.attempts.WithLabelValues(model, target, "ok")}
}

// Attempt counts a call; class is empty for a success.
func (t *Target) Attempt(class string) {
	if class == "" {
		t.ok.Inc()
		return
	}
	t.metrics.attempts.WithLabelValues(t.model, t.target, class).Inc()
}

// Unknown observes a request whose model is not served.
func (m *Metrics) Unknown(operation string, d time.Duration, errorType string) {
	m.requestDuration.WithLabelValues(operation, UnknownModel, "", errorType).Observe(seconds(d))
}

// Keep deletes the series of models that are no longer served.
func (m *Metrics) Keep(models map[string]struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for model := range m.models {
		if _, ok := models[model]; ok {
			continue
		}
		match := prometheus.Labels{labelModel: model}
		m.requestDuration.DeletePartialMatch(match)
		m.firstToken.DeletePartialMatch(match)
		m.outputChunk.DeletePartialMatch(match)
		m.outputToken.DeletePartialMatch(match)
		m.tokenUsage.DeletePartialMatch(match)
		m.units.DeletePartialMatch(match)
		m.retries.DeletePartialMatch(match)
		m.cost.DeletePartialMatch(match)
		m.attempts.DeletePartialMatch(match)
		m.health.forget(match)
	}
	m.models = models
}
