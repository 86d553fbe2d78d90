package main

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/otel"

	"vipcloud.ai/vipcloud/gateway/tracing"
)

// traced is what a gateway says of its requests.
type traced struct {
	// tracer is nil if nothing is traced.
	tracer *tracing.Tracer
	// accessLog gets one line a request.
	accessLog *slog.Logger
	// end sends what was not sent yet.
	end func(context.Context)
}

// trace prepares the export of traces, if it is wanted.
func (f *gatewayFlags) trace(ctx context.Context, log *slog.Logger) (*traced, error) {
	t := &traced{accessLog: log, end: func(context.Context) {}}
	if f.tracing.Endpoint == "" {
		return t, nil
	}
	options := f.tracing
	options.Version, options.Instance, options.Pod = version, f.instance, f.podName
	export, err := tracing.NewExport(ctx, options)
	if err != nil {
		return nil, err
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("Traces or records were not sent", "err", err) }))
	t.tracer = export.Tracer()
	if records := export.UsageLog(); records != nil {
		t.accessLog = slog.New(slog.NewMultiHandler(log.Handler(), records))
	}
	t.end = func(ctx context.Context) {
		if err := export.Shutdown(ctx); err != nil {
			log.Warn("Traces or records were not sent", "err", err)
		}
	}
	return t, nil
}
