// Package gateway is the OpenAI-compatible server: listeners, routes, the order of the middleware, and the life of a request
// from its arrival to its settlement. What is served comes to it as tables; where they come from it does not know.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"vipcloud.ai/vipcloud/gateway/auth"
	"vipcloud.ai/vipcloud/gateway/balance"
	"vipcloud.ai/vipcloud/gateway/demo"
	"vipcloud.ai/vipcloud/gateway/jobs"
	"vipcloud.ai/vipcloud/gateway/keyring"
	"vipcloud.ai/vipcloud/gateway/metrics"
	"vipcloud.ai/vipcloud/gateway/proxy"
	"vipcloud.ai/vipcloud/gateway/quota"
	"vipcloud.ai/vipcloud/gateway/snapshot"
	"vipcloud.ai/vipcloud/gateway/spend"
	"vipcloud.ai/vipcloud/gateway/table"
	"vipcloud.ai/vipcloud/gateway/upstream"
	"vipcloud.ai/vipcloud/gateway/usage"
)

// maxHeaderBytes is where Go's server itself gives up, with a plain text answer. Ours, in the envelope, comes long before.
const maxHeaderBytes = 256 << 10

// Server is a gateway. Apply and Keys may be used from its creation on, Run once.
type Server struct {
	opts    Options
	holder  snapshot.Holder
	keys    auth.Index
	keyRing keyring.Holder
	pool    upstream.Pool
	metrics *metrics.Metrics
	targets *balance.Registry
	settler *usage.Settler
	proxy   *proxy.Proxy
	bodies  *semaphore.Weighted
	catalog atomic.Pointer[catalogPage]

	poller      *jobs.Poller
	idempotency *jobs.Idempotency
	accounted   *jobs.Once

	// books are what was spent, limiter what may be.
	books   *spend.Books
	limiter *quota.Limiter
	share   limitsShare

	// demoClients are those without a key.
	demoClients demo.Clients

	// previous are the keys that were rotated out and used all the same.
	previous previousUses

	// bodyBytes is the sum of request bodies in memory.
	bodyBytes atomic.Int64
	// draining is set when the replica is told to end.
	draining atomic.Bool
	// underWay are requests that have not ended, lastEnd is when the last one did, in nanoseconds since 1970.
	underWay, lastEnd atomic.Int64
	// drainCtx ends when requests that still run must end.
	drainCtx context.Context //nolint:containedctx // a signal of the server's life, made and ended by it
	endDrain context.CancelFunc
}

// New checks the options and returns a server that does not run yet.
func New(opts Options) (*Server, error) {
	if err := opts.complete(); err != nil {
		return nil, err
	}
	s := &Server{opts: opts, bodies: semaphore.NewWeighted(opts.InFlightBodyBytes)}
	s.drainCtx, s.endDrain = context.WithCancel(context.Background()) //nolint:forbidigo // the server's own life, ended by Run
	s.metrics = metrics.New(opts.Registry)
	s.targets = s.newTargets()
	metrics.GaugeFunc(opts.Registry, "vipcloud_body_bytes_in_flight", "Bytes of request bodies in memory.",
		func() float64 { return float64(s.bodyBytes.Load()) })
	metrics.GaugeFunc(opts.Registry, "vipcloud_api_keys", "API keys that this replica accepts.",
		func() float64 { return float64(s.keys.Len()) })
	metrics.GaugeFunc(opts.Registry, "vipcloud_redis_available", "Whether Redis decides on limits; 1 also where there is none to.", s.redisAvailable)
	s.poller, s.idempotency = jobs.NewPoller(opts.Now), jobs.NewIdempotency(opts.Now)
	s.accounted = jobs.NewOnce()
	s.books = spend.New()
	s.limiter = quota.New(quota.Options{Spending: s.books, Now: opts.Now, Replicas: s.replicas, ShareRefused: s.metrics.ShareRefused})
	s.observeDemo()
	s.settler = usage.NewSettler(opts.AccessLog, s.metrics, opts.Now)
	s.proxy = proxy.New(proxy.Options{
		Tracer: opts.Tracer, KeepAlive: opts.KeepAlive, WriteTimeout: opts.WriteTimeout, TailAnswer: opts.TailAnswer, TailUsage: opts.TailUsage, Drain: s.drainCtx,
	})
	return s, nil
}

// Keys is the index of API keys. Sources write to it.
func (s *Server) Keys() *auth.Index { return &s.keys }

// Propagated notes how long a change took from being seen to being served. Sources call it.
func (s *Server) Propagated(d time.Duration) { s.metrics.Propagation.Observe(d.Seconds()) }

// KeyRing holds the ring that job ids are sealed with. Sources write to it.
func (s *Server) KeyRing() *keyring.Holder { return &s.keyRing }

// replicas is how many share limits and budgets.
func (s *Server) replicas() int {
	t := s.Table()
	if !s.opts.ShareLimits || t == nil {
		return 1
	}
	return max(t.Settings().Replicas, 1)
}

// Books are what this replica and the others have counted. Whoever writes and reads reports works on them.
func (s *Server) Books() *spend.Books { return s.books }

// Apply compiles and publishes what is to be served. Requests under way keep what they began with. It returns the findings. It is
// called by one goroutine at a time.
func (s *Server) Apply(in table.Input) table.Findings {
	started := time.Now()
	t, findings := table.Build(in)
	counts := map[string]int{}
	for i := range findings {
		if !findings[i].Status && findings[i].Severity != table.Info {
			counts[findings[i].Reason]++
		}
	}
	s.metrics.Table(len(t.Routes()), s.keys.Len(), counts)
	if old := s.holder.Load(); old != nil && old.Table.Equal(t) {
		s.metrics.TableNoops.Inc()
		return findings
	}
	bound, errs := snapshot.Bind(t, snapshot.Deps{Adapters: s.opts.Adapters, Pool: &s.pool, Metrics: s.metrics, Balance: s.targets})
	for _, err := range errs {
		s.opts.Log.Error("Target cannot be served", "reason", err)
	}
	s.catalog.Store(newCatalogPage(t))
	s.shareLimits(t)
	s.holder.Swap(bound)
	s.metrics.TableSwaps.Inc()
	s.metrics.TablePublished.SetToCurrentTime()
	s.metrics.TableBuild.Observe(time.Since(started).Seconds())
	return findings
}

// Table returns what is served, nil before the first Apply.
func (s *Server) Table() *table.Table {
	if current := s.holder.Load(); current != nil {
		return current.Table
	}
	return nil
}

// Run serves until ctx ends, drains and returns. It returns an error if a listener fails.
func (s *Server) Run(ctx context.Context) error {
	api := s.newHTTPServer(s.Handler(), true)
	group, gctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.untilDrain(serve(api, s.opts.Listener)) })
	if s.opts.TLSListener != nil {
		group.Go(func() error { return s.untilDrain(serveTLS(api, s.opts.TLSListener)) })
	}
	admin := s.newHTTPServer(s.adminHandler(), false)
	if s.opts.AdminListener != nil {
		group.Go(func() error { return serve(admin, s.opts.AdminListener) })
	}
	group.Go(func() error {
		s.settleOverdue(gctx)
		return nil
	})
	group.Go(func() error {
		<-gctx.Done()
		if ctx.Err() != nil { // told to end, rather than a listener that failed
			s.drain(api)
		}
		s.endDrain()
		s.pool.Close()
		return errors.Join(api.Close(), admin.Close())
	})
	return group.Wait()
}

// untilDrain forgets the error of a listener that a drain has closed.
func (s *Server) untilDrain(err error) error {
	if s.Draining() {
		return nil
	}
	return err
}

// drain lets requests finish: readiness goes at once, the listener after a delay in which every proxy learns of it, and streams
// that outlive the timeout get an error event. Connections stay for as long as anything is under way: the client of a stream that began
// before all this does not know that its next request should take another connection, and would send it just when this one is closed.
func (s *Server) drain(api *http.Server) {
	s.draining.Store(true)
	s.opts.Log.Info("Draining", "delay", s.opts.DrainDelay, "timeout", s.opts.DrainTimeout)
	<-time.After(s.opts.DrainDelay)
	ctx, cancel := context.WithTimeout(context.Background(), s.opts.DrainTimeout) //nolint:forbidigo // the caller's has ended
	defer cancel()
	for _, l := range []net.Listener{s.opts.Listener, s.opts.TLSListener} {
		if l == nil {
			continue
		}
		if err := l.Close(); err != nil {
			s.opts.Log.Warn("A listener could not be closed", "err", err)
		}
	}
	s.quiet(ctx)
	if api.Shutdown(ctx) == nil {
		return
	}
	s.opts.Log.Info("Ending requests that outlived the drain timeout")
	s.endDrain()
	last, cancelLast := context.WithTimeout(context.Background(), lastWords) //nolint:forbidigo // the caller's has ended
	defer cancelLast()
	_ = api.Shutdown(last) // what is still there after this is closed by Run
}

// Waits of a drain: how long nothing may have been under way before connections are closed, and how often that is looked at.
const (
	lingering = time.Second
	lookEvery = 20 * time.Millisecond
)

// quiet waits until nothing has been under way for a second, or for the drain's delay if that is less, or ctx ends.
func (s *Server) quiet(ctx context.Context) {
	linger := min(lingering, s.opts.DrainDelay)
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for s.underWay.Load() > 0 || time.Since(time.Unix(0, s.lastEnd.Load())) < linger {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// lastWords is how long streams have to tell their clients that they end.
const lastWords = 5 * time.Second

// Errors of Readiness.
var (
	errNoTable  = errors.New("no table yet")
	errDraining = errors.New("draining")
)

// Readiness says why the replica should get no requests, or nil.
func (s *Server) Readiness() error {
	switch {
	case s.Draining():
		return errDraining
	case s.holder.Load() == nil:
		return errNoTable
	case s.opts.Ready != nil:
		return s.opts.Ready()
	}
	return nil
}

// Draining says that the replica was told to end.
func (s *Server) Draining() bool { return s.draining.Load() }

// newHTTPServer makes a server with every wait bounded. Writes are bounded one by one, since a stream has no length. That of the API
// speaks HTTP/2, without TLS as well.
func (s *Server) newHTTPServer(h http.Handler, api bool) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(api)
	protocols.SetHTTP2(api)
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: s.opts.ReadHeaderTimeout,
		IdleTimeout:       s.opts.IdleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		Protocols:         protocols,
		ErrorLog:          slog.NewLogLogger(s.opts.Log.Handler(), slog.LevelDebug),
	}
	if api {
		srv.TLSConfig = s.opts.TLS
	}
	return srv
}

// serveTLS is serve over TLS.
func serveTLS(srv *http.Server, l net.Listener) error {
	if err := srv.ServeTLS(l, "", ""); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving %s over TLS: %w", l.Addr(), err)
	}
	return nil
}

// serve runs a server until it is closed.
func serve(srv *http.Server, l net.Listener) error {
	if err := srv.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving %s: %w", l.Addr(), err)
	}
	return nil
}
