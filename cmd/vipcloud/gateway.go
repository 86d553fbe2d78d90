package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"vipcloud.ai/vipcloud/gateway"
	"vipcloud.ai/vipcloud/gateway/metrics"
	"vipcloud.ai/vipcloud/gateway/provider/all"
	"vipcloud.ai/vipcloud/gateway/source"
	"vipcloud.ai/vipcloud/gateway/source/manifests"
	"vipcloud.ai/vipcloud/gateway/spend"
	"vipcloud.ai/vipcloud/gateway/table"
	"vipcloud.ai/vipcloud/gateway/tracing"
)

// gatewayFlags are the flags of vipcloud gateway, one to one.
type gatewayFlags struct {
	manifests, state string

	instance, kubeconfig         string
	podName, podUID, replicaName string
	watchNamespaces              []string

	listen, adminListen      string
	tlsListen, tlsCertDir    string
	bodyBytes, inFlightBytes int64
	drainDelay, drainTimeout time.Duration
	logLevel, logFormat      string

	tracing tracing.ExportOptions
}

// newGatewayCommand runs the gateway.
func newGatewayCommand() *cobra.Command {
	var f gatewayFlags
	cmd := &cobra.Command{
		Use:   "gateway",
		Short: "Serve the OpenAI-compatible API",
		Long: "Serves the OpenAI-compatible API, either from the objects of a Kubernetes cluster (--instance) or from a directory of\n" +
			"the same manifests (--manifests), which needs no cluster.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context()) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.manifests, "manifests", "", "directory of manifests to serve without Kubernetes")
	flags.StringVar(&f.state, "state", "", "directory that keeps generated keys, the key ring of jobs and usage, needed with\n"+
		"--manifests; with --instance, usage that is not reported yet: it then survives a crash of the process")
	flags.StringVar(&f.instance, "instance", "", "GatewayInstance to serve, as namespace/name")
	flags.StringVar(&f.kubeconfig, "kubeconfig", "", "kubeconfig file; default: the pod's own account")
	flags.StringVar(&f.podName, "pod-name", "", "name of the pod this replica runs in")
	flags.StringVar(&f.podUID, "pod-uid", "", "UID of the pod this replica runs in")
	flags.StringVar(&f.replicaName, "replica-name", "", "name of the GatewayReplica; default: the pod's name or the host's")
	flags.StringSliceVar(&f.watchNamespaces, "watch-namespaces", nil, "namespaces to look at; default: all that the instance serves")
	flags.StringVar(&f.listen, "listen", ":8080", "address of the API")
	flags.StringVar(&f.tlsListen, "tls-listen", ":8443", "address of the API over TLS; only with --tls-cert-dir")
	flags.StringVar(&f.tlsCertDir, "tls-cert-dir", "", "directory of tls.crt and tls.key, read again when they change; default: no TLS")
	flags.StringVar(&f.adminListen, "admin-listen", ":8081", "address of /healthz, /readyz and /metrics; empty: none")
	flags.Int64Var(&f.bodyBytes, "body-bytes", gateway.DefaultBodyBytes, "largest request body in bytes")
	flags.Int64Var(&f.inFlightBytes, "inflight-body-bytes", gateway.DefaultInFlightBytes, "largest sum of request bodies in memory in bytes")
	flags.DurationVar(&f.drainDelay, "drain-delay", gateway.DefaultDrainDelay, "how long to go on accepting after SIGTERM")
	flags.DurationVar(&f.drainTimeout, "drain-timeout", gateway.DefaultDrainTimeout, "how long running streams may take after that")
	flags.StringVar(&f.logLevel, "log-level", "info", "debug, info, warn or error")
	flags.StringVar(&f.logFormat, "log-format", "json", "json or text")
	flags.StringVar(&f.tracing.Endpoint, "tracing-endpoint", "",
		"base URL of an OTLP receiver (HTTP) for traces, such as http://localhost:4318; empty: nothing is traced")
	flags.Float64Var(&f.tracing.SampleRatio, "tracing-sample-ratio", 0.1, "part of the traces begun here that is recorded, from 0 to 1")
	flags.BoolVar(&f.tracing.UsageLog, "tracing-usage-log", false, "send the record of each request to the OTLP receiver, too")
	return cmd
}

// gcPercent lets the heap grow to five times what is live before it is collected. What is live is small and steady (the table,
// the keys, Kubernetes' own registries), so collecting it as often as Go would by default costs a tenth of a busy gateway's CPU for
// nothing. Bodies in flight are bounded, and in a container GOMEMLIMIT bounds the whole. GOGC overrides it.
const gcPercent = 400

// errSource is what a user gets who names no source, or half of one.
var errSource = errors.New("use either --instance namespace/name (Kubernetes) or --manifests DIR with --state DIR (no cluster)")

// run wires the server to its source and serves until ctx ends.
func (f *gatewayFlags) run(ctx context.Context) error {
	if (f.manifests != "" && f.state == "") || (f.manifests == "" && f.instance == "") {
		return errSource
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	log, err := newLogger(os.Stdout, f.logLevel, f.logFormat)
	if err != nil {
		return err
	}
	listeners, err := f.open(ctx)
	if err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	metrics.Build(registry, version)
	ready := &readiness{}
	cert := f.certificate(log, registry)
	traced, err := f.trace(ctx, log)
	if err != nil {
		return err
	}
	defer traced.end(ctx)
	server, err := gateway.New(gateway.Options{
		Listener: listeners.api, TLSListener: listeners.tls, TLS: cert.config(), AdminListener: listeners.admin, Adapters: all.Adapters(), Registry: registry,
		Tracer: traced.tracer, AccessLog: traced.accessLog, Log: log, BodyBytes: f.bodyBytes, InFlightBodyBytes: f.inFlightBytes,
		ShareLimits: f.manifests == "", DrainDelay: nonZero(f.drainDelay), DrainTimeout: nonZero(f.drainTimeout), Ready: ready.check,
	})
	if err != nil {
		return err
	}
	log.Info("Starting gateway", "version", version, "listen", listeners.api.Addr().String())
	if listeners.tls != nil {
		following, stop := context.WithCancel(context.WithoutCancel(ctx)) // through the drain
		defer stop()
		go cert.run(following)
	}
	if f.manifests != "" {
		return f.runManifests(ctx, server, log)
	}
	return f.runKubernetes(ctx, kubernetesDeps{server: server, log: log, registry: registry, ready: ready})
}

// listeners are what the server takes requests from.
type listeners struct{ api, tls, admin net.Listener }

// close closes those that are open.
func (l *listeners) close() error {
	var problems []error
	for _, open := range []net.Listener{l.api, l.tls, l.admin} {
		if open != nil {
			problems = append(problems, open.Close())
		}
	}
	return errors.Join(problems...)
}

// open takes the addresses before anything else starts, so that a port in use is told at once.
func (f *gatewayFlags) open(ctx context.Context) (listeners, error) {
	var l listeners
	var config net.ListenConfig
	for _, wanted := range []struct {
		flag, address string
		use           bool
		listener      *net.Listener
	}{
		{"--listen", f.listen, true, &l.api},
		{"--tls-listen", f.tlsListen, f.tlsCertDir != "", &l.tls},
		{"--admin-listen", f.adminListen, f.adminListen != "", &l.admin},
	} {
		if !wanted.use {
			continue
		}
		opened, err := config.Listen(ctx, "tcp", wanted.address)
		if err != nil {
			return listeners{}, errors.Join(fmt.Errorf("opening %s %s: %w", wanted.flag, wanted.address, err), l.close())
		}
		*wanted.listener = opened
	}
	return l, nil
}

// runManifests serves a directory.
func (f *gatewayFlags) runManifests(ctx context.Context, server *gateway.Server, log *slog.Logger) error {
	src, err := manifests.New(manifests.Options{
		Dir: f.manifests, StateDir: f.state, Instance: f.instance, Providers: providersOf(all.Adapters()), Logger: log,
		Sink: source.Sink{
			Table:   func(in table.Input) { logFindings(log, server.Apply(in)) },
			Keys:    server.Keys(),
			KeyRing: server.KeyRing().Set,
		},
	})
	if err != nil {
		return fmt.Errorf("reading manifests: %w", err)
	}
	for _, k := range src.GeneratedKeys() {
		log.Info("Generated key is kept in a file", "key", k.Namespace+"/"+k.Name, "path", k.Path)
	}
	usage, err := spend.OpenFiles(filepath.Join(f.state, "usage"), server.Books(), log)
	if err != nil {
		return fmt.Errorf("reading usage: %w", err)
	}
	group, serving := errgroup.WithContext(ctx)
	group.Go(func() error { return src.Run(serving) })
	counting, stop := context.WithCancel(context.WithoutCancel(ctx)) // until the last request has been counted
	var written errgroup.Group
	written.Go(func() error { return usage.Run(counting) })
	group.Go(func() error { return server.Run(serving) })
	err = group.Wait()
	stop()
	err = errors.Join(err, written.Wait())
	server.Leave() // after the last of usage was written
	return err
}

// logFindings says what stands in the way of objects. With Kubernetes the operator writes the same into their status.
func logFindings(log *slog.Logger, findings table.Findings) {
	for _, f := range findings {
		if !f.Status && f.Severity != table.Info {
			log.Warn("Object cannot be served as declared", "object", f.Object.String(), "condition", f.Type, "reason", f.Reason,
				"message", f.Message)
		}
	}
}

// nonZero passes an explicit zero on as none, since zero means the default to the server.
func nonZero(d time.Duration) time.Duration {
	if d == 0 {
		return -1
	}
	return d
}

// namespacedName splits namespace/name.
func namespacedName(s string) (namespace, name string, err error) {
	namespace, name, ok := strings.Cut(s, "/")
	if !ok || namespace == "" || name == "" || strings.Contains(name, "/") {
		return "", "", fmt.Errorf("--instance %q: use namespace/name", s)
	}
	return namespace, name, nil
}
