package kubernetes

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
)

// panicPause is how long a watch that panicked waits before it starts again.
const panicPause = time.Second

// watcher runs one reflector.
type watcher struct {
	name   string
	alive  atomic.Int64 // Unix nanoseconds of the last sign of life, or of the start
	clock  clock.WithTicker
	cancel context.CancelFunc
}

// sign notes that the API server spoke.
func (w *watcher) sign() { w.alive.Store(w.clock.Now().UnixNano()) }

// watchers start reflectors, wait for them, and know how old their last sign of life is.
type watchers struct {
	clock  clock.WithTicker
	logger *slog.Logger
	out    chan change
	wg     sync.WaitGroup

	mu      sync.Mutex
	running map[*watcher]struct{}
}

// newWatchers makes a set without watches.
func newWatchers(c clock.WithTicker, logger *slog.Logger) *watchers {
	return &watchers{clock: c, logger: logger, out: make(chan change), running: map[*watcher]struct{}{}}
}

// start runs a watch until ctx ends or stop is called. Its changes come out of ws.out.
func (ws *watchers) start(ctx context.Context, r request, reduce func(any) any) *watcher {
	ctx, cancel := context.WithCancel(ctx)
	w := &watcher{name: r.resource + "/" + r.namespace, clock: ws.clock, cancel: cancel}
	w.sign()
	ws.mu.Lock()
	ws.running[w] = struct{}{}
	ws.mu.Unlock()

	logger := logr.FromSlogHandler(ws.logger.Handler())
	ctx = klog.NewContext(ctx, logger)
	store := &feed{ctx: ctx, from: w, out: ws.out, reduce: reduce}
	reflector := cache.NewReflectorWithOptions(r.listWatch(w.sign), r.example, store, cache.ReflectorOptions{
		Name: w.name,
		// client-go's own 30 to 60 seconds are meant for fleets of controllers; a gateway that lost its API server is behind
		// on revocations, so it comes back sooner.
		Backoff: &wait.Backoff{Duration: 200 * time.Millisecond, Factor: 2, Jitter: 0.5, Steps: 12, Cap: 5 * time.Second},
		Logger:  &logger,
	})
	ws.wg.Go(func() {
		defer cancel()
		for ctx.Err() == nil {
			if err := runRecovered(ctx, reflector); err != nil {
				ws.logger.Error("Watch panicked, starting it again", "watch", w.name, "err", err)
				select {
				case <-ctx.Done():
				case <-ws.clock.After(panicPause):
				}
			}
		}
	})
	return w
}

// runRecovered runs a reflector; an error is its panic.
func runRecovered(ctx context.Context, r *cache.Reflector) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	r.RunWithContext(ctx)
	return nil
}

// stop ends a watch without waiting for it. What it still sends must be ignored.
func (ws *watchers) stop(w *watcher) {
	w.cancel()
	ws.mu.Lock()
	defer ws.mu.Unlock()
	delete(ws.running, w)
}

// staleness is the age of the oldest last sign of life.
func (ws *watchers) staleness() time.Duration {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	now := ws.clock.Now()
	var oldest time.Duration
	for w := range ws.running {
		oldest = max(oldest, now.Sub(time.Unix(0, w.alive.Load())))
	}
	return oldest
}
