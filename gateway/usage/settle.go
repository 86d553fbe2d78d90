package usage

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/trace"

	"vipcloud.ai/vipcloud/gateway/metrics"
	"vipcloud.ai/vipcloud/gateway/money"
	"vipcloud.ai/vipcloud/gateway/openai"
	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/snapshot"
	"vipcloud.ai/vipcloud/gateway/table"
)

// Outcome says how a request ended.
type Outcome string

const (
	// OutcomeOK is an answer that was delivered whole.
	OutcomeOK Outcome = "ok"
	// OutcomeRefused is a request that the gateway answered with an error without calling an upstream.
	OutcomeRefused Outcome = "refused"
	// OutcomeFailed is a request whose upstreams failed before the first byte.
	OutcomeFailed Outcome = "failed"
	// OutcomeBroken is a stream that ended in an error event.
	OutcomeBroken Outcome = "broken"
	// OutcomeClientGone is a client that left before the end. It is nobody's failure.
	OutcomeClientGone Outcome = "client_gone"
)

// Record is what is known of a request when it ends.
type Record struct {
	// RequestID is the id that the client was told.
	RequestID string
	// Method and Path are the request's own.
	Method string
	Path   string
	// Status is the HTTP status sent; 499 if the client left before there was one.
	Status int
	// Start is when the request arrived.
	Start time.Time

	// Span is that of the request; invalid if nothing is traced.
	Span trace.SpanContext

	// Operation is what the endpoint does, for metrics of requests whose model is not known.
	Operation string

	// Key is nil for requests without a valid key.
	Key *table.Key
	// Model is the public name asked for; it is logged only if Route is known.
	Model string
	// Route is the route asked for, Served the one that served: a fallback, or the same.
	Route, Served *snapshot.Route
	// Target is that of the last attempt, nil if there was none.
	Target *snapshot.Target
	// Stream says that the client asked for an event stream.
	Stream bool
	// Attempts counts calls to upstreams.
	Attempts int

	// PromptBytes and AnswerBytes are the text that estimates are made from.
	PromptBytes, AnswerBytes int64
	// Unanswered says that an upstream has the whole request and nobody knows what it made of it. Superseded counts earlier attempts of
	// which the same holds.
	Unanswered bool
	Superseded int
	// BytesOut counts the bytes of the answer's body.
	BytesOut int64
	// Deferred says that what was used is accounted when the job that was made ends.
	Deferred bool
	// JobHash names the job that the request is about, if any.
	JobHash string
	// Called says that an upstream got the request and may have produced a bill.
	Called bool
	// Usage is what the vendor told.
	Usage provider.Usage
	// Estimate is what stands for it if the vendor told none; zero: it is made from bytes.
	Estimate provider.Usage
	// Media is what the price of a video depends on besides.
	Media Media

	// FirstByte is the time from the start to the first byte of the answer, Upstream what was spent waiting for upstreams
	// until then.
	FirstByte, Upstream time.Duration
	// Outcome says how the request ended.
	Outcome Outcome
	// Err is what the client was told; nil for a success.
	Err *openai.Error
	// UpstreamErr is the last failure of an upstream.
	UpstreamErr *provider.Error
}

// Settler settles requests. It is safe for concurrent use.
type Settler struct {
	log     *slog.Logger
	metrics *metrics.Metrics
	now     func() time.Time
}

// NewSettler returns a Settler that writes its log lines to log.
func NewSettler(log *slog.Logger, m *metrics.Metrics, now func() time.Time) *Settler {
	return &Settler{log: log, metrics: m, now: now}
}

// Settled is what a request amounted to.
type Settled struct {
	// Usage is the vendor's, or an estimate.
	Usage provider.Usage
	// Estimated says that it is one.
	Estimated bool
	// Cost in the instance's currency.
	Cost money.Amount
	// Priced says that Cost means something.
	Priced bool
}

// Settle turns a record into usage, cost, metrics and a log line. It is called exactly once for every request.
func (s *Settler) Settle(rec *Record) Settled {
	now := s.now()
	settled := s.account(rec, now)
	s.observe(rec, settled, now)
	s.write(rec, settled, now)
	return settled
}

// account decides on usage and cost.
func (s *Settler) account(rec *Record, now time.Time) Settled {
	settled := Settled{Usage: rec.Usage}
	for range rec.Superseded {
		s.metrics.Unaccounted("superseded_attempt")
	}
	if rec.Served == nil || !rec.Called || rec.Deferred {
		return settled
	}
	if !rec.Usage.Known {
		if rec.Unanswered && rec.AnswerBytes == 0 {
			s.metrics.Unaccounted("unanswered")
		}
		if rec.Outcome == OutcomeFailed && (!rec.Unanswered || rec.Operation != snapshot.OperationChat) {
			return settled // the vendor said no, or it is not known whether it made what was asked for
		}
		settled.Usage, settled.Estimated = rec.estimate(), true
		s.metrics.EstimatedUsage.Inc()
	}
	if rec.Served.Pricing == nil {
		return settled
	}
	var ok bool
	if settled.Cost, ok = Cost(rec.Served.Pricing, settled.Usage, rec.Media, now); !ok {
		s.metrics.Unaccounted(CostOutOfRange)
	}
	settled.Priced = ok
	return settled
}

// estimate stands for usage that the vendor did not tell.
func (rec *Record) estimate() provider.Usage {
	if rec.Estimate != (provider.Usage{}) {
		return rec.Estimate
	}
	return Estimate(rec.PromptBytes, rec.AnswerBytes)
}

// observe updates the metrics.
func (s *Settler) observe(rec *Record, settled Settled, now time.Time) {
	s.metrics.Response(strconv.Itoa(rec.Status))
	errorType := rec.errorType()
	if rec.Outcome == OutcomeRefused && (rec.Status == http.StatusTooManyRequests || rec.Status == http.StatusPaymentRequired) {
		s.metrics.Refused(errorType)
	}
	total := now.Sub(rec.Start)
	route := rec.Served
	if route == nil {
		route = rec.Route
	}
	if route == nil {
		if rec.Model != "" {
			s.metrics.Unknown(rec.Operation, total, errorType)
		}
		return
	}
	route.Metrics.Done(total, errorType)
	if rec.Route != nil && rec.Attempts > 1 {
		rec.Route.Metrics.Repeated(rec.Attempts-1, rec.Served != rec.Route)
	}
	if rec.FirstByte > 0 {
		s.metrics.Overhead.Observe((rec.FirstByte - rec.Upstream).Seconds())
		rec.observeStream(route.Metrics, total)
	}
	if rec.Called && (rec.Usage.Known || settled.Estimated) {
		route.Metrics.Tokens(settled.Usage.PromptTokens, settled.Usage.CachedTokens, settled.Usage.CompletionTokens)
	}
	for _, unit := range unitsOf(settled.Usage) {
		if unit.n > 0 {
			route.Metrics.Units(unit.name, unit.n)
		}
	}
	if settled.Cost > 0 {
		route.Metrics.Cost(float64(settled.Cost) / float64(money.Unit)) // a metric, not an account
	}
}

// errorType is what went wrong, in a word; empty for nothing.
func (rec *Record) errorType() string {
	switch {
	case rec.Outcome == OutcomeClientGone:
		return string(OutcomeClientGone)
	case rec.Err != nil:
		return rec.Err.Code
	}
	return ""
}

// observeStream tells how fast a stream was, if it was one.
func (rec *Record) observeStream(m *metrics.Route, total time.Duration) {
	if !rec.Stream {
		return
	}
	m.FirstToken(rec.FirstByte)
	if n := rec.Usage.CompletionTokens - 1; rec.Usage.Known && n > 0 && rec.Outcome == OutcomeOK {
		m.PerToken((total - rec.FirstByte) / time.Duration(n))
	}
}

// write logs one line: failures of our own at error, everything else at info.
func (s *Settler) write(rec *Record, settled Settled, now time.Time) {
	level := slog.LevelInfo
	if rec.Err != nil && rec.Err.Status == 500 {
		level = slog.LevelError
	}
	ctx := context.Background() //nolint:forbidigo // the line must be written although the request's context has ended
	if rec.Span.IsValid() {
		ctx = trace.ContextWithSpanContext(ctx, rec.Span)
	}
	if !s.log.Enabled(ctx, level) {
		return
	}
	buf := make([]slog.Attr, 0, 32)
	buf = append(buf, slog.String("requestID", rec.RequestID), slog.String("method", rec.Method), slog.String("path", rec.Path),
		slog.Int("status", rec.Status), slog.String("outcome", string(rec.Outcome)),
		slog.Float64("durationMs", milliseconds(now.Sub(rec.Start))), slog.Int64("bytesOut", rec.BytesOut))
	if rec.Span.IsValid() {
		buf = append(buf, slog.String("traceID", rec.Span.TraceID().String()))
	}
	buf = appendKey(buf, rec.Key)
	buf = appendRoute(buf, rec)
	buf = appendUsage(buf, rec, settled)
	buf = appendFailure(buf, rec)
	s.log.LogAttrs(ctx, level, "Request", buf...)
}

// appendKey names the key by what may be shown of it.
func appendKey(buf []slog.Attr, key *table.Key) []slog.Attr {
	if key == nil {
		return buf
	}
	buf = append(buf, slog.String("key", key.ID()), slog.String("project", key.Project))
	if key.Prefix != "" {
		buf = append(buf, slog.String("keyPrefix", key.Prefix))
	}
	return buf
}

// appendRoute says who was asked and who served.
func appendRoute(buf []slog.Attr, rec *Record) []slog.Attr {
	if rec.Route == nil {
		return buf
	}
	buf = append(buf, slog.String("model", rec.Route.Model), slog.Bool("stream", rec.Stream), slog.Int("attempts", rec.Attempts))
	if rec.Target != nil {
		buf = append(buf, slog.String("target", rec.Target.ID), slog.String("provider", rec.Target.Credential.Provider))
	}
	if rec.Served != nil && rec.Served != rec.Route {
		buf = append(buf, slog.String("servedModel", rec.Served.Model))
	}
	if rec.JobHash != "" {
		buf = append(buf, slog.String("job", rec.JobHash))
	}
	if rec.FirstByte > 0 {
		buf = append(buf, slog.Float64("firstByteMs", milliseconds(rec.FirstByte)),
			slog.Float64("overheadMs", milliseconds(rec.FirstByte-rec.Upstream)))
	}
	return buf
}

// appendUsage says what it amounted to. Usage that nobody knows is not written as zero.
func appendUsage(buf []slog.Attr, rec *Record, settled Settled) []slog.Attr {
	if !rec.Usage.Known && !settled.Estimated {
		return buf
	}
	buf = appendAmounts(buf, settled.Usage)
	if settled.Estimated {
		buf = append(buf, slog.Bool("usageEstimated", true))
	}
	if settled.Priced {
		buf = append(buf, slog.String("cost", settled.Cost.Decimal()), slog.String("currency", rec.Served.Pricing.Currency))
	}
	return buf
}

// amount is how many of a unit were used.
type amount struct {
	name string
	n    int64
}

// unitsOf is what was used beside tokens.
func unitsOf(u provider.Usage) [4]amount {
	return [...]amount{{"images", u.Images}, {"seconds", u.Seconds}, {"characters", u.Characters}, {"songs", u.Songs}}
}

// appendAmounts writes what was used. Tokens are written unless something else was.
func appendAmounts(buf []slog.Attr, u provider.Usage) []slog.Attr {
	before := len(buf)
	for _, amount := range unitsOf(u) {
		if amount.n > 0 {
			buf = append(buf, slog.Int64(amount.name, amount.n))
		}
	}
	if len(buf) > before && u.PromptTokens+u.CompletionTokens == 0 {
		return buf
	}
	buf = append(buf, slog.Int64("promptTokens", u.PromptTokens), slog.Int64("completionTokens", u.CompletionTokens))
	if u.CachedTokens > 0 {
		buf = append(buf, slog.Int64("cachedTokens", u.CachedTokens))
	}
	if u.ReasoningTokens > 0 {
		buf = append(buf, slog.Int64("reasoningTokens", u.ReasoningTokens))
	}
	return buf
}

// appendFailure says what went wrong, in our words and with the vendor's code and request id.
func appendFailure(buf []slog.Attr, rec *Record) []slog.Attr {
	if rec.Err != nil {
		buf = append(buf, slog.String("code", rec.Err.Code))
		if rec.Err.Cause != nil && rec.UpstreamErr == nil {
			buf = append(buf, slog.String("cause", rec.Err.Cause.Error()))
		}
	}
	if e := rec.UpstreamErr; e != nil {
		buf = append(buf, slog.String("upstream", e.Error()))
		if e.RequestID != "" {
			buf = append(buf, slog.String("upstreamRequestID", e.RequestID))
		}
	}
	return buf
}

// milliseconds with three decimals.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
