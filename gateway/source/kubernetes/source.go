package kubernetes

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

// Source watches an API server and publishes what one gateway instance serves. Its methods may be used by several
// goroutines; Run is called once.
type Source struct {
	opts     Options
	clients  clients
	watchers *watchers
	synced   chan struct{}
}

// New makes a Source. Nothing is read before Run.
func New(opts Options) (*Source, error) {
	if err := opts.validate(); err != nil {
		return nil, fmt.Errorf("checking options: %w", err)
	}
	c, err := newClients(opts.Config)
	if err != nil {
		return nil, fmt.Errorf("making clients: %w", err)
	}
	return &Source{
		opts: opts, clients: c, watchers: newWatchers(opts.Clock, opts.Logger), synced: make(chan struct{}),
	}, nil
}

// Synced is closed when the first table and the first keys serve.
func (s *Source) Synced() <-chan struct{} { return s.synced }

// Staleness is the age of the last sign of life of the watch that was silent for longest, of those that are needed. A
// watch in good order speaks at least about once a minute, by a bookmark if by nothing else. Zero before Run.
func (s *Source) Staleness() time.Duration { return s.watchers.staleness() }

// Run watches and publishes until ctx ends, and returns nil then. It never gives up because of the API server; an error is
// a panic of ours. What was published stays served.
func (s *Source) Run(ctx context.Context) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	builds, built := make(chan table.Input, 1), make(chan bool, 1)
	var builder sync.WaitGroup
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("publishing objects: panic: %v\n%s", p, debug.Stack())
		}
		cancel()
		builder.Wait()
		s.watchers.wg.Wait()
	}()
	builder.Go(func() {
		for {
			select {
			case in := <-builds:
				built <- s.publish(in)
			case <-ctx.Done():
				return
			}
		}
	})
	o := s.newOwner(ctx, func(in table.Input) { builds <- in })
	o.begin()
	timer := s.opts.Clock.NewTimer(idle)
	defer timer.Stop()
	for {
		timer.Reset(o.step())
		select {
		case c := <-s.watchers.out:
			o.apply(c)
		case ok := <-built:
			o.built(ok)
		case <-timer.C():
		case <-ctx.Done():
			return nil
		}
	}
}

// publish hands an input to the sink and says whether it serves. A table that cannot be built leaves the last one.
func (s *Source) publish(in table.Input) (ok bool) {
	defer func() {
		if p := recover(); p != nil {
			s.opts.Logger.Error("Building the table panicked; the last one goes on serving", "err", p, "stack", string(debug.Stack()))
		}
	}()
	s.opts.Sink.Table(in)
	return true
}

// newOwner makes the owner of a run.
func (s *Source) newOwner(ctx context.Context, build func(in table.Input)) *owner {
	return &owner{
		id: s.opts.Instance, watched: s.opts.WatchNamespaces, providers: s.opts.Providers, sink: s.opts.Sink,
		logger: s.opts.Logger, clock: s.opts.Clock,
		open: func(k kind, namespace string) *watcher {
			return s.watchers.start(ctx, s.request(k, namespace), reduceFor(k, s.opts.Instance))
		},
		shut:   s.watchers.stop,
		decode: table.DecodeCredentials,
		build:  build,
		synced: func() { close(s.synced) },
	}
}

// request says what a watch of a kind asks for.
func (s *Source) request(k kind, namespace string) request {
	switch k {
	case kindInstance:
		return request{client: s.clients.ours, resource: "gatewayinstances", namespace: namespace,
			name: s.opts.Instance.Name, example: &v1alpha1.GatewayInstance{}}
	case kindSecret:
		return request{client: s.clients.core, resource: "secrets", namespace: namespace,
			name: "vipcloud-" + s.opts.Instance.Name + "-credentials", example: &corev1.Secret{}}
	case kindNamespaces:
		return request{client: s.clients.core, resource: "namespaces", metadata: true, example: &metav1.PartialObjectMetadata{}}
	case kindRoutes:
		return request{client: s.clients.ours, resource: "modelroutes", namespace: namespace, example: &v1alpha1.ModelRoute{}}
	default:
		return request{client: s.clients.ours, resource: "apikeys", namespace: namespace, example: &v1alpha1.ApiKey{}}
	}
}
