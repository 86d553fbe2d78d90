package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"vipcloud.ai/vipcloud/controllers"
	"vipcloud.ai/vipcloud/gateway/metrics"
	"vipcloud.ai/vipcloud/gateway/provider/all"
)

// Client limits of the operator: enough to reconcile ten thousand keys within minutes of a start.
const (
	operatorQPS   = 400
	operatorBurst = 800
)

// operatorFlags are the flags of vipcloud operator, one to one.
type operatorFlags struct {
	kubeconfig, namespace   string
	gatewayImage            string
	watchNamespaces         []string
	leaderElect             bool
	healthAddr, metricsAddr string
	metricsInsecure         bool
	metricsCertDir          string
	logLevel, logFormat     string
	shutdown                time.Duration
}

// newOperatorCommand runs the operator.
func newOperatorCommand() *cobra.Command {
	var f operatorFlags
	cmd := &cobra.Command{
		Use:   "operator",
		Short: "Reconcile the vipcloud.ai resources of a cluster",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context()) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.kubeconfig, "kubeconfig", "", "kubeconfig file; default: the pod's own account")
	flags.StringVar(&f.namespace, "namespace", os.Getenv("POD_NAMESPACE"), "namespace of the leader election's lease; default: the pod's own")
	flags.StringVar(&f.gatewayImage, "gateway-image", "", "image of the gateways; needed")
	flags.StringSliceVar(&f.watchNamespaces, "watch-namespaces", nil, "the only namespaces to look at; default: the whole cluster")
	flags.BoolVar(&f.leaderElect, "leader-elect", false, "let only one of several replicas work")
	flags.StringVar(&f.healthAddr, "health-listen", ":8081", "address of /healthz and /readyz")
	flags.StringVar(&f.metricsAddr, "metrics-listen", ":8443", "address of /metrics; 0: none")
	flags.BoolVar(&f.metricsInsecure, "metrics-insecure", false, "serve metrics over HTTP without authentication, on a loopback address only")
	flags.StringVar(&f.metricsCertDir, "metrics-cert-dir", "", "directory of tls.crt and tls.key for metrics; default: self-signed")
	flags.StringVar(&f.logLevel, "log-level", "info", "debug, info, warn or error")
	flags.StringVar(&f.logFormat, "log-format", "json", "json or text")
	flags.DurationVar(&f.shutdown, "shutdown-timeout", 15*time.Second, "how long reconciles under way may take after SIGTERM")
	return cmd
}

// errGatewayImage is what a user gets who names no image.
var errGatewayImage = errors.New("--gateway-image is needed: the image that gateways run")

// errMetricsExposed is what a user gets who would serve metrics to everybody.
var errMetricsExposed = errors.New("--metrics-insecure needs a loopback --metrics-listen, such as 127.0.0.1:8443")

// validate finds what is wrong with the flags before anything starts.
func (f *operatorFlags) validate() error {
	var problems []error
	if f.gatewayImage == "" {
		problems = append(problems, errGatewayImage)
	}
	if f.metricsInsecure && !strings.HasPrefix(f.metricsAddr, "127.") && !strings.HasPrefix(f.metricsAddr, "[::1]") {
		problems = append(problems, errMetricsExposed)
	}
	return errors.Join(problems...)
}

// run starts the manager and waits for its end.
func (f *operatorFlags) run(ctx context.Context) error {
	if err := f.validate(); err != nil {
		return err
	}
	logger, err := newLogger(os.Stdout, f.logLevel, f.logFormat)
	if err != nil {
		return err
	}
	log.SetLogger(logr.FromSlogHandler(logger.Handler()))
	config, err := f.restConfig()
	if err != nil {
		return fmt.Errorf("finding the API server: %w", err)
	}
	mgr, err := f.newManager(config)
	if err != nil {
		return err
	}
	err = controllers.SetupWithManager(mgr, controllers.Options{
		Providers: providersOf(all.Adapters()), GatewayImage: f.gatewayImage, WatchNamespaces: f.watchNamespaces,
		Metrics: ctrlmetrics.Registry,
	})
	if err != nil {
		return fmt.Errorf("setting up controllers: %w", err)
	}
	metrics.Build(ctrlmetrics.Registry, version)
	logger.Info("Starting operator", "version", version)
	if err := mgr.Start(ctx); err != nil {
		return fmt.Errorf("running the manager: %w", err)
	}
	return nil
}

// newManager makes the manager with health probes, metrics and leader election.
func (f *operatorFlags) newManager(config *rest.Config) (ctrl.Manager, error) {
	scheme, err := controllers.NewScheme()
	if err != nil {
		return nil, err
	}
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                        scheme,
		Cache:                         controllers.CacheOptions(f.watchNamespaces),
		Metrics:                       f.metricsOptions(),
		HealthProbeBindAddress:        f.healthAddr,
		LeaderElection:                f.leaderElect,
		LeaderElectionID:              "operator.vipcloud.ai",
		LeaderElectionNamespace:       f.namespace,
		LeaderElectionReleaseOnCancel: true, // the process ends right after the manager, so nothing runs without the lease
		GracefulShutdownTimeout:       &f.shutdown,
	})
	if err != nil {
		return nil, fmt.Errorf("making the manager: %w", err)
	}
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return nil, fmt.Errorf("adding the health check: %w", err)
	}
	if err := mgr.AddReadyzCheck("ping", healthz.Ping); err != nil {
		return nil, fmt.Errorf("adding the readiness check: %w", err)
	}
	return mgr, nil
}

// metricsOptions serve metrics over TLS to those whom the API server lets read them. Namespaced mode may not ask it, so
// there metrics are for loopback or for a proxy in the pod.
func (f *operatorFlags) metricsOptions() metricsserver.Options {
	options := metricsserver.Options{BindAddress: f.metricsAddr, CertDir: f.metricsCertDir}
	if f.metricsInsecure {
		return options
	}
	options.SecureServing = true
	options.FilterProvider = filters.WithAuthenticationAndAuthorization
	// HTTP/2 is of no use for scraping and was the way of several attacks.
	options.TLSOpts = []func(*tls.Config){func(c *tls.Config) { c.NextProtos = []string{"http/1.1"} }}
	return options
}

// restConfig is the kubeconfig's or the pod's own account, with explicit limits.
func (f *operatorFlags) restConfig() (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", f.kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS, config.Burst = operatorQPS, operatorBurst
	return config, nil
}
