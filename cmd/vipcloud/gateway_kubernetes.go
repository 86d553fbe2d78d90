package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"vipcloud.ai/vipcloud/gateway"
	"vipcloud.ai/vipcloud/gateway/metrics"
	"vipcloud.ai/vipcloud/gateway/provider/all"
	"vipcloud.ai/vipcloud/gateway/report"
	"vipcloud.ai/vipcloud/gateway/source"
	"vipcloud.ai/vipcloud/gateway/source/kubernetes"
	"vipcloud.ai/vipcloud/gateway/spend"
	"vipcloud.ai/vipcloud/gateway/table"
)

// drainPoll is how often the reporter looks whether the server drains.
const drainPoll = 100 * time.Millisecond

// errNotReported means that the operator cannot know of this replica yet.
var errNotReported = errors.New("GatewayReplica not written yet")

// readiness is what must hold beside a table: in a cluster, that the operator knows of this replica.
type readiness struct{ pending atomic.Bool }

// check returns why the replica is not ready, or nil.
func (r *readiness) check() error {
	if r.pending.Load() {
		return errNotReported
	}
	return nil
}

// kubernetesDeps are what runKubernetes needs of run.
type kubernetesDeps struct {
	server   *gateway.Server
	log      *slog.Logger
	registry *prometheus.Registry
	ready    *readiness
}

// runKubernetes serves an instance of a cluster.
func (f *gatewayFlags) runKubernetes(ctx context.Context, d kubernetesDeps) error {
	namespace, name, err := namespacedName(f.instance)
	if err != nil {
		return err
	}
	instance := types.NamespacedName{Namespace: namespace, Name: name}
	if err := kubernetes.EnableHealthPings(); err != nil {
		return fmt.Errorf("preparing connections to the API server: %w", err)
	}
	config, err := f.restConfig()
	if err != nil {
		return fmt.Errorf("finding the API server: %w", err)
	}
	replica, usage, err := f.newReports(config, instance, d)
	if err != nil {
		return err
	}
	src, err := kubernetes.New(kubernetes.Options{
		Config: config, Instance: instance, WatchNamespaces: f.watchNamespaces, Providers: providersOf(all.Adapters()), Logger: d.log,
		Sink: source.Sink{
			Table:   func(in table.Input) { d.server.Apply(in) }, // the operator writes the findings into status
			Keys:    d.server.Keys(),
			KeyRing: d.server.KeyRing().Set,
			Loaded:  replica.Loaded,

			Propagated: d.server.Propagated,
		},
	})
	if err != nil {
		return fmt.Errorf("preparing to watch %s: %w", instance, err)
	}
	metrics.Source(d.registry, src.Staleness)
	d.server.OnRedis(func(r gateway.RedisState) {
		replica.SetRedis(report.Redis{Configured: r.Configured, Known: r.Known, Away: r.Away})
	})
	d.ready.pending.Store(true)
	return runAll(ctx, d, parts{src: src, replica: replica, usage: usage})
}

// parts run beside the server.
type parts struct {
	src     *kubernetes.Source
	replica *report.Replica
	usage   *report.Ledger
}

// runAll runs server, source and reporters. Source and reporters outlive the request to end by the drain, so that what is served
// until then stays current and is reported.
func runAll(ctx context.Context, d kubernetesDeps, p parts) error {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	group, gctx := errgroup.WithContext(life)
	group.Go(func() error { return p.src.Run(gctx) })
	group.Go(func() error { return p.replica.Run(gctx) })
	group.Go(func() error { return p.usage.Run(gctx) })
	group.Go(func() error { return announce(gctx, d, p) })
	group.Go(func() error {
		defer end()
		serveCtx, cancel := context.WithCancel(gctx)
		defer cancel()
		defer context.AfterFunc(ctx, cancel)()
		return d.server.Run(serveCtx)
	})
	err := group.Wait()
	d.server.Leave() // after the last report was written
	return err
}

// announce reports readiness once everything serves and what was spent is known, and its end.
func announce(ctx context.Context, d kubernetesDeps, p parts) error {
	if !wait(ctx, p.src.Synced()) || !wait(ctx, p.usage.Synced()) {
		return nil
	}
	p.replica.SetReady(true)
	if !wait(ctx, p.replica.FirstWritten()) {
		return nil
	}
	d.ready.pending.Store(false)
	d.log.Info("Gateway is ready")
	ticker := time.NewTicker(drainPoll)
	defer ticker.Stop()
	for !d.server.Draining() {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
	p.replica.SetReady(false)
	return nil
}

// wait returns false if ctx ended first.
func wait(ctx context.Context, done <-chan struct{}) bool {
	select {
	case <-ctx.Done():
		return false
	case <-done:
		return true
	}
}

// restConfig is the kubeconfig's or the pod's own account.
func (f *gatewayFlags) restConfig() (*rest.Config, error) {
	if f.kubeconfig != "" {
		return clientcmd.BuildConfigFromFlags("", f.kubeconfig)
	}
	return rest.InClusterConfig()
}

// newReports makes what this process writes to the API server: what it is, and what was used.
func (f *gatewayFlags) newReports(
	config *rest.Config, instance types.NamespacedName, d kubernetesDeps,
) (*report.Replica, *report.Ledger, error) {
	name := cmp.Or(f.replicaName, f.podName)
	if name == "" {
		host, err := os.Hostname()
		if err != nil {
			return nil, nil, fmt.Errorf("naming the replica: %w", err)
		}
		name = host
	}
	replica, err := report.NewReplica(report.ReplicaOptions{
		Config: config, Instance: instance, Name: name, PodName: f.podName, PodUID: types.UID(f.podUID), Version: version, Logger: d.log,
		Ejected: d.server.Ejected,
	})
	if err != nil {
		return nil, nil, fmt.Errorf("preparing the report of this replica: %w", err)
	}
	f.keepJournal(instance, name, d)
	usage, err := report.NewLedger(report.LedgerOptions{
		Config: config, Instance: instance, Replica: name, PodUID: types.UID(f.podUID), Books: d.server.Books(), Logger: d.log,
		Registry: d.registry,
	})
	if err != nil {
		return nil, nil, fmt.Errorf("preparing usage reports: %w", err)
	}
	return replica, usage, nil
}

// keepJournal makes a journal below --state keep what is not reported yet. Without one, serving goes on.
func (f *gatewayFlags) keepJournal(instance types.NamespacedName, replica string, d kubernetesDeps) {
	if f.state == "" {
		return
	}
	journal, err := spend.OpenJournal(filepath.Join(f.state, "journal"), instance.String()+" "+replica+" "+f.podUID, d.log)
	if err != nil {
		d.log.Error("There is no journal of usage; a crash loses what was not reported", "reason", err)
		return
	}
	d.server.Books().Keep(journal)
}
