// Package metrics holds the gateway's Prometheus metrics. Names that the OpenTelemetry GenAI conventions define are used where
// they exist. Label values are bounded: public model names, targets as configured and words of our own, never what a client
// sent. Nothing here decides anything.
package metrics

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"vipcloud.ai/vipcloud/gateway/quota"
)

// Label names.
const (
	labelModel     = "gen_ai_request_model"
	labelOperation = "gen_ai_operation_name"
	labelProvider  = "gen_ai_provider_name"
	labelError     = "error_type"
	labelTokenType = "gen_ai_token_type"
	labelTarget    = "target"
)

// Registry takes metrics and gives them out. *prometheus.Registry is one.
type Registry interface {
	prometheus.Registerer
	prometheus.Gatherer
}

// Values of the token type label.
const (
	TokenInput       = "input"
	TokenCachedInput = "cached_input"
	TokenOutput      = "output"
)

// UnknownModel is the model label of requests whose model is not served: a client could mint labels otherwise.
const UnknownModel = "unknown"

// Metrics are all metrics of one gateway. They are safe for concurrent use.
type Metrics struct {
	requestDuration *prometheus.HistogramVec
	firstToken      *prometheus.HistogramVec
	outputChunk     *prometheus.HistogramVec
	outputToken     *prometheus.HistogramVec
	tokenUsage      *prometheus.HistogramVec
	units           *prometheus.CounterVec
	responses       *prometheus.CounterVec
	cost            *prometheus.CounterVec
	attempts        *prometheus.CounterVec
	retries         *prometheus.CounterVec
	refusals        *prometheus.CounterVec
	shareRefusals   *prometheus.CounterVec
	unaccounted     *prometheus.CounterVec
	findings        *prometheus.GaugeVec
	objects         *prometheus.GaugeVec
	health          targetHealth

	// Overhead is the gateway's own share of a request, in seconds: everything but waiting for the upstream.
	Overhead prometheus.Histogram
	// Panics counts requests that ended in a recovered panic.
	Panics prometheus.Counter
	// InFlight is the number of requests being served, Streams those of them that are streams under way.
	InFlight, Streams prometheus.Gauge
	// EstimatedUsage counts requests whose usage was estimated because the vendor told none.
	EstimatedUsage prometheus.Counter
	// TableBuild is the time to build and bind a table, in seconds.
	TableBuild prometheus.Histogram
	// TableSwaps counts published tables, TableNoops builds that changed nothing.
	TableSwaps, TableNoops prometheus.Counter
	// TablePublished is when the table that serves was published, in seconds since 1970.
	TablePublished prometheus.Gauge
	// Propagation is the time from the first change that was seen to the table that serves it, in seconds.
	Propagation prometheus.Histogram

	mu     sync.Mutex
	models map[string]struct{} // those whose series exist
}

// Buckets of the OpenTelemetry GenAI conventions; the durations go on to ten minutes, which long generations need.
var (
	durationBuckets = []float64{0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 120, 300, 600}
	// Of chunks and tokens; the last ones show stalls.
	chunkBuckets      = []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 15, 60}
	firstTokenBuckets = []float64{0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60}
	tokenBuckets      = []float64{1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576}
	overheadBuckets   = []float64{0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.1}
)

// New registers the metrics. It panics if one of them is registered already, which is a programmer's error.
func New(reg prometheus.Registerer) *Metrics {
	m := &Metrics{models: map[string]struct{}{}}
	genAI := []string{labelOperation, labelModel, labelProvider}
	m.requestDuration = histogram("gen_ai_server_request_duration_seconds",
		"Time from the request's arrival to the last byte of its answer, by operation, model, provider and error type (empty: none).",
		durationBuckets, append(genAI, labelError)...)
	m.firstToken = histogram("gen_ai_server_time_to_first_token_seconds",
		"Time to the first token of successful streams, by operation, model and provider.", firstTokenBuckets, genAI...)
	m.outputChunk = histogram("gen_ai_client_operation_time_per_output_chunk_seconds",
		"Time between the chunks of upstreams' streams, by operation, model and provider. Of chunks that arrive together all but the first count as 0.",
		chunkBuckets, genAI...)
	m.outputToken = histogram("gen_ai_server_time_per_output_token_seconds",
		"Mean time per output token after the first one of successful streams whose usage the vendor told, by operation, model and provider.",
		chunkBuckets, genAI...)
	m.tokenUsage = histogram("gen_ai_client_token_usage",
		"Tokens per request as the upstream counted them, by operation, model, provider and token type.", tokenBuckets,
		append(genAI, labelTokenType)...)
	m.responses = counter("vipcloud_http_responses_total", "Answers to clients, by status code.", "code")
	m.cost = counter("vipcloud_cost_total", "Cost of served requests in the instance's currency, by model and currency.",
		labelModel, "currency")
	m.attempts = counter("vipcloud_upstream_attempts_total",
		"Calls to upstreams, failed connections included and what an adapter refuses left out, by model, target and outcome (ok or the "+
			"class of the failure).", labelModel, labelTarget, "outcome")
	m.retries = counter("vipcloud_retries_total",
		"Further calls to upstreams for requests that had failed before, by model asked for and kind: retry (another target of the model) or "+
			"fallback (another model served).", labelModel, "kind")
	m.units = counter("vipcloud_units_total",
		"What was used beside tokens, by model and unit: images, seconds, characters, songs.", labelModel, "unit")
	m.refusals = counter("vipcloud_limit_refusals_total",
		"Requests refused by a limit or budget, by reason, which is the error code that clients get.", "reason")
	m.unaccounted = counter("vipcloud_usage_unaccounted_total",
		"Requests that may have cost money that could not be charged, by reason.", "reason")
	m.shareRefusals = counter("vipcloud_limit_share_refusals_total",
		"Requests refused by this replica's share of a limit or budget although the whole was not reached, by reason.", "reason")
	m.findings = gauge("vipcloud_table_findings", "Findings in the served table that stand in the way of an object, by reason.", "reason")
	m.objects = gauge("vipcloud_table_objects", "Objects in the served table, by kind.", "kind")
	for _, reason := range []string{"cost_out_of_range", "job_late"} {
		m.unaccounted.WithLabelValues(reason) // shown from 0 on: of a series that begins with 1, nobody sees that it grew
	}
	m.newScalars()
	m.health = newTargetHealth(reg)
	reg.MustRegister(m.requestDuration, m.firstToken, m.outputChunk, m.outputToken, m.tokenUsage, m.units, m.responses, m.cost, m.attempts,
		m.retries, m.refusals, m.unaccounted, m.shareRefusals,
		m.findings, m.objects, m.Overhead, m.Panics, m.InFlight, m.Streams, m.EstimatedUsage, m.TableBuild, m.TableSwaps, m.TableNoops,
		m.TablePublished, m.Propagation)
	return m
}

// newScalars makes the metrics without labels.
func (m *Metrics) newScalars() {
	m.Overhead = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "vipcloud_overhead_seconds", Buckets: overheadBuckets,
		Help: "The gateway's own share of the time to the first byte of an answer, waiting for upstreams left out.",
	})
	m.TableBuild = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "vipcloud_table_build_seconds", Buckets: prometheus.ExponentialBuckets(0.0005, 4, 8),
		Help: "Time to build and bind a table.",
	})
	m.Propagation = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "vipcloud_table_propagation_seconds", Buckets: prometheus.ExponentialBuckets(0.0025, 2, 14),
		Help: "Time from the first change that this replica saw to the table that serves it. Kubernetes only.",
	})
	m.TablePublished = scalarGauge("vipcloud_table_published_timestamp_seconds", "When the table that serves was published, in seconds since 1970.")
	m.Panics = scalarCounter("vipcloud_panics_total", "Requests that ended in a recovered panic.")
	m.EstimatedUsage = scalarCounter("vipcloud_usage_estimated_total", "Requests whose usage was estimated because the upstream told none.")
	m.TableSwaps = scalarCounter("vipcloud_table_swaps_total", "Published tables.")
	m.TableNoops = scalarCounter("vipcloud_table_noops_total", "Table builds that changed nothing.")
	m.InFlight = scalarGauge("vipcloud_requests_in_flight", "Requests being served.")
	m.Streams = scalarGauge("vipcloud_streams_in_flight", "Streams being relayed.")
}

// GaugeFunc registers a gauge whose value is computed when it is read.
func GaugeFunc(reg prometheus.Registerer, name, help string, value func() float64) {
	reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
}

// Response counts an answer.
func (m *Metrics) Response(code string) { m.responses.WithLabelValues(code).Inc() }

// Refused counts a request that a limit or budget refused; code is the error code that the client gets.
func (m *Metrics) Refused(code string) { m.refusals.WithLabelValues(code).Inc() }

// ShareRefused counts a request that a replica's share of a limit refused.
func (m *Metrics) ShareRefused(reason quota.Reason) {
	m.shareRefusals.WithLabelValues(string(reason)).Inc()
}

// Unaccounted counts a request whose cost could not be known.
func (m *Metrics) Unaccounted(reason string) { m.unaccounted.WithLabelValues(reason).Inc() }

// Table records what a published table holds.
func (m *Metrics) Table(routes, keys int, findings map[string]int) {
	m.objects.WithLabelValues("ModelRoute").Set(float64(routes))
	m.objects.WithLabelValues("ApiKey").Set(float64(keys))
	m.findings.Reset()
	for reason, n := range findings {
		m.findings.WithLabelValues(reason).Set(float64(n))
	}
}

// Source registers what is known of the watches of a Kubernetes source. Staleness is the age of the last sign of life of the oldest.
func Source(reg prometheus.Registerer, staleness func() time.Duration) {
	GaugeFunc(reg, "vipcloud_table_staleness_seconds",
		"Age of the last sign of life of the oldest watch that the table is made from. Above 120 the API server is out of reach. Kubernetes only.",
		func() float64 { return staleness().Seconds() })
}

// Certificate registers when the certificate in use expires, in seconds since 1970; 0: there is none.
func Certificate(reg prometheus.Registerer, notAfter func() int64) {
	GaugeFunc(reg, "vipcloud_tls_certificate_expiry_timestamp_seconds",
		"When the certificate in use expires, in seconds since 1970; 0 while there is none. Only with TLS.",
		func() float64 { return float64(notAfter()) })
}

// Build registers the version of the program.
func Build(reg prometheus.Registerer, version string) {
	g := gauge("vipcloud_build_info", "Always 1; the label is the version of the program.", "version")
	g.WithLabelValues(version).Set(1)
	reg.MustRegister(g)
}

// histogram makes a histogram with labels.
func histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
}

// counter makes a counter with labels.
func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

// gauge makes a gauge with labels.
func gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
}

// scalarCounter makes a counter without labels.
func scalarCounter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
}

// scalarGauge makes a gauge without labels.
func scalarGauge(name, help string) prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
}

// seconds converts for observation.
func seconds(d time.Duration) float64 { return d.Seconds() }
