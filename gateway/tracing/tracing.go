// Package tracing makes OpenTelemetry spans of requests and of the calls to upstreams that they lead to, with the attributes of the
// GenAI conventions, and passes W3C trace context on. Prompts, answers, headers and credentials never come here. A nil *Tracer does
// nothing and costs nothing, so whoever traces need not ask whether that is wanted.
package tracing

import (
	"context"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/trace"
)

// Attributes of the GenAI conventions, and of our own where they have none.
const (
	operationName     = attribute.Key("gen_ai.operation.name")
	providerName      = attribute.Key("gen_ai.provider.name")
	requestModel      = attribute.Key("gen_ai.request.model")
	requestStream     = attribute.Key("gen_ai.request.stream")
	responseModel     = attribute.Key("gen_ai.response.model")
	inputTokens       = attribute.Key("gen_ai.usage.input_tokens")
	outputTokens      = attribute.Key("gen_ai.usage.output_tokens")
	cachedInputTokens = attribute.Key("gen_ai.usage.cache_read.input_tokens")
	firstChunk        = attribute.Key("gen_ai.response.time_to_first_chunk")

	requestID      = attribute.Key("vipcloud.request_id")
	keyName        = attribute.Key("vipcloud.key")
	projectName    = attribute.Key("vipcloud.project")
	targetName     = attribute.Key("vipcloud.target")
	attemptCount   = attribute.Key("vipcloud.attempts")
	outcome        = attribute.Key("vipcloud.outcome")
	costAmount     = attribute.Key("vipcloud.cost")
	costCurrency   = attribute.Key("vipcloud.currency")
	usageEstimated = attribute.Key("vipcloud.usage_estimated")
)

// scope is the name of what makes the spans.
const scope = "vipcloud.ai/vipcloud/gateway"

// Tracer begins spans. A nil Tracer begins none. Safe for concurrent use.
type Tracer struct {
	tracer     trace.Tracer
	propagator propagation.TraceContext
}

// New returns a Tracer whose spans go to a provider.
func New(provider trace.TracerProvider) *Tracer { return &Tracer{tracer: provider.Tracer(scope)} }

// Span is a span under way. The zero Span is of no trace, and its methods do nothing.
type Span struct {
	span   trace.Span
	tracer *Tracer
}

// Request begins the span of a request to the gateway, below the one that its headers name, if any. The request that is returned
// carries it.
func (t *Tracer) Request(r *http.Request) (*http.Request, Span) {
	if t == nil {
		return r, Span{}
	}
	ctx := t.propagator.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	ctx, span := t.tracer.Start(ctx, r.Method, trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(semconv.HTTPRequestMethodKey.String(r.Method)))
	return r.WithContext(ctx), Span{span: span, tracer: t}
}

// Attempt is what is known of a call to an upstream before it is made.
type Attempt struct {
	// Operation is what is asked for, Model the vendor's name of the model.
	Operation, Model string
	// Provider and Target are as in metrics.
	Provider, Target string
	// Address is the host that is called.
	Address string
}

// Attempt begins the span of a call to an upstream. The context that is returned carries it.
func (t *Tracer) Attempt(ctx context.Context, a Attempt) (context.Context, Span) {
	if t == nil {
		return ctx, Span{}
	}
	ctx, span := t.tracer.Start(ctx, a.Operation+" "+a.Model, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		operationName.String(a.Operation), requestModel.String(a.Model), providerName.String(a.Provider), targetName.String(a.Target),
		semconv.ServerAddress(a.Address)))
	return ctx, Span{span: span, tracer: t}
}

// Inject tells an upstream which trace its call belongs to.
func (s Span) Inject(h http.Header) {
	if s.span == nil {
		return
	}
	//nolint:forbidigo // the span is all that is taken from the context
	s.tracer.propagator.Inject(trace.ContextWithSpan(context.Background(), s.span), propagation.HeaderCarrier(h))
}

// Context identifies the span. It is invalid for the zero Span.
func (s Span) Context() trace.SpanContext {
	if s.span == nil {
		return trace.SpanContext{}
	}
	return s.span.SpanContext()
}

// Recording says that somebody will see the span, so that it is worth finding out what to say of it.
func (s Span) Recording() bool { return s.span != nil && s.span.IsRecording() }

// End ends the span of a call; failure is the class of what went wrong, empty for nothing.
func (s Span) End(failure string) {
	if s.span == nil {
		return
	}
	s.fail(failure)
	s.span.End()
}

// fail marks a failure.
func (s Span) fail(failure string) {
	if failure != "" {
		s.span.SetAttributes(semconv.ErrorTypeKey.String(failure))
		s.span.SetStatus(codes.Error, failure)
	}
}

// Request is what is known of a request when it ends. Empty values are left out.
type Request struct {
	// Path is the pattern of the path, RequestID what the client was told, Status what was answered.
	Path, RequestID string
	Status          int
	// Operation and Model are what was asked for; Served is the model that answered, Provider and Target who.
	Operation, Model, Served, Provider, Target string
	// Stream says that the answer was asked for as a stream, FirstByte when it began.
	Stream    bool
	FirstByte time.Duration
	// Key and Project are whose request it is.
	Key, Project string
	// Attempts counts calls to upstreams.
	Attempts int
	// Used says that the tokens are known, or with Estimated a guess.
	Used, Estimated       bool
	Input, Cached, Output int64
	// Cost in Currency; empty if there is none.
	Cost, Currency string
	// Outcome is how it ended, Failure the error code; empty for none. ServerFault says that it was not the client's.
	Outcome, Failure string
	ServerFault      bool
}

// EndRequest ends the span of a request.
func (s Span) EndRequest(r *Request) {
	if s.span == nil {
		return
	}
	defer s.span.End()
	if !s.span.IsRecording() {
		return
	}
	if r.Operation != "" && r.Model != "" {
		s.span.SetName(r.Operation + " " + r.Model)
	}
	s.span.SetAttributes(semconv.HTTPResponseStatusCode(r.Status), requestID.String(r.RequestID), outcome.String(r.Outcome))
	for key, value := range map[attribute.Key]string{
		semconv.HTTPRouteKey: r.Path, operationName: r.Operation, requestModel: r.Model, responseModel: r.Served, providerName: r.Provider,
		targetName: r.Target, keyName: r.Key, projectName: r.Project, costAmount: r.Cost, costCurrency: r.Currency,
	} {
		if value != "" {
			s.span.SetAttributes(key.String(value))
		}
	}
	if r.Attempts > 0 {
		s.span.SetAttributes(attemptCount.Int(r.Attempts), requestStream.Bool(r.Stream))
	}
	if r.FirstByte > 0 {
		s.span.SetAttributes(firstChunk.Float64(r.FirstByte.Seconds()))
	}
	if r.Used {
		s.span.SetAttributes(inputTokens.Int64(r.Input), outputTokens.Int64(r.Output), usageEstimated.Bool(r.Estimated))
		if r.Cached > 0 {
			s.span.SetAttributes(cachedInputTokens.Int64(r.Cached))
		}
	}
	s.outcome(r)
}

// outcome marks failures. By the conventions of HTTP, a client's own fault is no error of the server's span.
func (s Span) outcome(r *Request) {
	switch {
	case r.Failure == "":
	case r.ServerFault:
		s.fail(r.Failure)
	default:
		s.span.SetAttributes(semconv.ErrorTypeKey.String(r.Failure))
	}
}
