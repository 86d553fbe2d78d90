package tracing

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
)

const (
	serviceName = "vipcloud-gateway"
	// exportTimeout bounds one call to the receiver, shutdownTimeout what is sent at the end.
	exportTimeout   = 10 * time.Second
	shutdownTimeout = 5 * time.Second
)

// ExportOptions say where spans and records go.
type ExportOptions struct {
	// Endpoint is the base URL of an OTLP receiver (HTTP, protobuf). Required.
	Endpoint string
	// SampleRatio is the part of traces begun here that is recorded, from 0 to 1.
	SampleRatio float64
	// UsageLog sends the record of each request, too.
	UsageLog bool
	// Version of the program, Instance (namespace/name) and Pod describe where spans come from. Empty ones are left out.
	Version, Instance, Pod string
}

// Export sends spans and records to a receiver, in the background, and drops what it cannot send in time.
type Export struct {
	spans   *sdktrace.TracerProvider
	records *sdklog.LoggerProvider
}

// NewExport prepares the way to the receiver. It does not call it: a receiver that is away keeps nobody from starting. Headers come
// from OTEL_EXPORTER_OTLP_HEADERS, as everywhere.
func NewExport(ctx context.Context, o ExportOptions) (*Export, error) {
	base, err := url.Parse(o.Endpoint)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") || base.User != nil {
		return nil, errors.New("tracing endpoint: use a URL such as http://otel-collector.monitoring:4318, without user and password")
	}
	if o.SampleRatio < 0 || o.SampleRatio > 1 {
		return nil, fmt.Errorf("tracing sample ratio %v: use a number from 0 to 1", o.SampleRatio)
	}
	root := strings.TrimRight(o.Endpoint, "/")
	spans, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(root+"/v1/traces"), otlptracehttp.WithTimeout(exportTimeout))
	if err != nil {
		return nil, fmt.Errorf("preparing the export of traces: %w", err)
	}
	here := resource.NewSchemaless(describe(o)...)
	e := &Export{spans: sdktrace.NewTracerProvider(
		sdktrace.WithResource(here), sdktrace.WithBatcher(spans),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(o.SampleRatio))),
	)}
	if !o.UsageLog {
		return e, nil
	}
	records, err := otlploghttp.New(ctx, otlploghttp.WithEndpointURL(root+"/v1/logs"), otlploghttp.WithTimeout(exportTimeout))
	if err != nil {
		return nil, fmt.Errorf("preparing the export of the usage log: %w", err)
	}
	e.records = sdklog.NewLoggerProvider(sdklog.WithResource(here), sdklog.WithProcessor(sdklog.NewBatchProcessor(records)))
	return e, nil
}

// describe says where spans come from.
func describe(o ExportOptions) []attribute.KeyValue {
	attributes := []attribute.KeyValue{semconv.ServiceName(serviceName)}
	id := o.Pod
	if id == "" {
		b := make([]byte, 8)
		_, _ = rand.Read(b) // never fails
		id = hex.EncodeToString(b)
	}
	attributes = append(attributes, semconv.ServiceInstanceID(id))
	if o.Version != "" {
		attributes = append(attributes, semconv.ServiceVersion(o.Version))
	}
	if o.Instance != "" {
		attributes = append(attributes, semconv.ServiceNamespace(o.Instance))
	}
	return attributes
}

// Tracer makes spans that are exported.
func (e *Export) Tracer() *Tracer { return New(e.spans) }

// UsageLog sends what is logged to the receiver; nil if that is not wanted.
func (e *Export) UsageLog() slog.Handler {
	if e.records == nil {
		return nil
	}
	return otelslog.NewHandler(scope, otelslog.WithLoggerProvider(e.records))
}

// Shutdown sends what was not sent yet, for a few seconds at most, whether ctx has ended or not.
func (e *Export) Shutdown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	err := e.spans.Shutdown(ctx)
	if e.records != nil {
		err = errors.Join(err, e.records.Shutdown(ctx))
	}
	if err != nil {
		return fmt.Errorf("ending the export of traces: %w", err)
	}
	return nil
}
