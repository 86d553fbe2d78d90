package gateway

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"vipcloud.ai/vipcloud/gateway/metrics"
	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/tracing"
)

// Defaults of Options.
const (
	DefaultBodyBytes      = 32 << 20
	DefaultInFlightBytes  = 512 << 20
	DefaultHeaderBytes    = 64 << 10
	DefaultDrainDelay     = 10 * time.Second
	DefaultDrainTimeout   = 5 * time.Minute
	DefaultReadHeaderTime = 10 * time.Second
	DefaultIdleTime       = 120 * time.Second
	DefaultBodyIdleTime   = 30 * time.Second
	DefaultWriteTime      = 60 * time.Second
	DefaultJobSweep       = 5 * time.Second
)

// Options of a Server.
type Options struct {
	// Listener takes the API's requests. Required.
	Listener net.Listener
	// TLSListener takes the API's requests over TLS as well, with the certificates of TLS, which is required then. Nil: plain only.
	TLSListener net.Listener
	// TLS are certificates and versions of TLSListener.
	TLS *tls.Config
	// AdminListener takes /healthz, /readyz and /metrics. Nil: they are not served.
	AdminListener net.Listener
	// Adapters are the vendors' adapters. Required.
	Adapters map[string]provider.Adapter
	// Registry takes the metrics and serves them. Default: a registry of the server's own.
	Registry metrics.Registry
	// Tracer makes spans of requests and of calls to upstreams. Nil: nothing is traced.
	Tracer *tracing.Tracer
	// AccessLog gets one line a request, Log everything else. Default for both: slog's default logger.
	AccessLog, Log *slog.Logger

	// BodyBytes is the largest request body. Default: 32 MiB.
	BodyBytes int64
	// InFlightBodyBytes bounds the sum of request bodies in memory. Default: 512 MiB.
	InFlightBodyBytes int64
	// HeaderBytes is the largest sum of request headers. Default: 64 KiB.
	HeaderBytes int
	// ReadHeaderTimeout is how long headers may take, IdleTimeout how long a connection may be idle between requests,
	// BodyIdleTimeout how long a body may stall, WriteTimeout how long a client may take to read what is sent.
	// Defaults: 10 s, 120 s, 30 s, 60 s.
	ReadHeaderTimeout, IdleTimeout, BodyIdleTimeout, WriteTimeout time.Duration
	// KeepAlive is the silence of a stream after which a comment is sent. Default: 15 s.
	KeepAlive time.Duration
	// TailAnswer is how long an upstream is read on for its count of what it made after the client has left in the middle of a chat's answer,
	// TailUsage the same once the answer was told whole. Defaults: 250 ms and 2 s.
	TailAnswer, TailUsage time.Duration
	// DrainDelay is how long the server goes on accepting after it was told to end; DrainTimeout how long running requests may
	// take after that. Defaults: 10 s and 5 min. Negative: none.
	DrainDelay, DrainTimeout time.Duration
	// JobSweep is how often jobs are looked for whose deadline has passed. Default: 5 s.
	JobSweep time.Duration
	// Now is the clock. Default: time.Now.
	Now func() time.Time
	// ShareLimits says that the instance's replicas divide limits and budgets among themselves. Default: this one has all.
	ShareLimits bool
	// Ready says whether something beside the table stands in the way of readiness. Nil: nothing does.
	Ready func() error
}

// What New finds missing or wrong.
var (
	errNoListener = errors.New("options: Listener is required")
	errNoAdapters = errors.New("options: Adapters is required")
	errNoTLS      = errors.New("options: TLS is required with TLSListener")
	errNegative   = errors.New("options: limits must not be negative")
)

// complete checks and fills in. All problems are reported at once.
func (o *Options) complete() error {
	var problems []error
	if o.Listener == nil {
		problems = append(problems, errNoListener)
	}
	if len(o.Adapters) == 0 {
		problems = append(problems, errNoAdapters)
	}
	if o.TLSListener != nil && o.TLS == nil {
		problems = append(problems, errNoTLS)
	}
	if o.BodyBytes < 0 || o.InFlightBodyBytes < 0 || o.HeaderBytes < 0 {
		problems = append(problems, errNegative)
	}
	if len(problems) > 0 {
		return fmt.Errorf("checking options: %w", errors.Join(problems...))
	}
	o.BodyBytes = orDefault(o.BodyBytes, DefaultBodyBytes)
	o.InFlightBodyBytes = max(orDefault(o.InFlightBodyBytes, DefaultInFlightBytes), o.BodyBytes)
	o.HeaderBytes = orDefault(o.HeaderBytes, DefaultHeaderBytes)
	o.ReadHeaderTimeout = orDefault(o.ReadHeaderTimeout, DefaultReadHeaderTime)
	o.IdleTimeout = orDefault(o.IdleTimeout, DefaultIdleTime)
	o.BodyIdleTimeout = orDefault(o.BodyIdleTimeout, DefaultBodyIdleTime)
	o.WriteTimeout = orDefault(o.WriteTimeout, DefaultWriteTime)
	o.JobSweep = orDefault(o.JobSweep, DefaultJobSweep)
	o.DrainDelay = max(orDefault(o.DrainDelay, DefaultDrainDelay), 0)
	o.DrainTimeout = max(orDefault(o.DrainTimeout, DefaultDrainTimeout), 0)
	if o.Registry == nil {
		o.Registry = prometheus.NewRegistry()
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.AccessLog == nil {
		o.AccessLog = o.Log
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return nil
}

// orDefault returns v, or the default where v is zero.
func orDefault[T comparable](v, standard T) T {
	var zero T
	if v == zero {
		return standard
	}
	return v
}
