package report

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"vipcloud.ai/vipcloud/gateway/ledger"
	"vipcloud.ai/vipcloud/gateway/spend"
)

const (
	// ledgerPoll is how often the ledger is asked what is to be written.
	ledgerPoll = 50 * time.Millisecond
	// shardInterval is the shortest time between two writes of a shard that nobody asked for, urgentInterval of those that a
	// contended budget asked for.
	shardInterval, urgentInterval = 900 * time.Millisecond, 50 * time.Millisecond
	// writeGap is the shortest time between two writes of any shard that nobody asked for, and writeBytes how many bytes these come
	// to in a second at most, on average: many replicas share one etcd.
	writeGap, writeBytes = 100 * time.Millisecond, 128 << 10
	// flushTimeout bounds the last writes. It is less than a pod has between the end of its drain and its own.
	flushTimeout = 15 * time.Second
)

// LedgerOptions of a Ledger.
type LedgerOptions struct {
	// Config reaches the API server. It is copied. Required.
	Config *rest.Config
	// Instance is the GatewayInstance that this process serves; reports live in its namespace. Required.
	Instance types.NamespacedName
	// Replica is the name of this process' GatewayReplica. Required.
	Replica string
	// PodUID is that of the pod this process runs in. Empty: outside a cluster.
	PodUID types.UID
	// Books are what is written and what is read. Required.
	Books *spend.Books
	// Logger takes what an operator must see. Nil: slog.Default().
	Logger *slog.Logger
	// Registry takes the metrics. Nil: nobody does.
	Registry prometheus.Registerer
	// Clock tells the time. Nil: the real one.
	Clock clock.WithTicker
}

// Ledger writes what this replica has counted into UsageReports, and reads those of all replicas and the archives. Its methods may
// be used by several goroutines; Run is called once.
type Ledger struct {
	opts    LedgerOptions
	client  *reportClient
	writer  string // names this process
	metrics *ledgerMetrics
	synced  chan struct{}
	wake    chan struct{} // holds one token while something is urgent

	mu    sync.Mutex
	slots [ledger.Shards]slot
	names int // how many names were given

	// Of the goroutine of Run alone.
	busyUntil time.Time // no write before that, but for urgent ones
	failing   time.Time // no write at all before that
	backoff   wait.Backoff
}

// NewLedger makes a Ledger, and Books.Publish use it. Nothing is read or written before Run.
func NewLedger(opts LedgerOptions) (*Ledger, error) {
	if opts.Config == nil || opts.Books == nil || opts.Replica == "" || opts.Instance.Name == "" || opts.Instance.Namespace == "" {
		return nil, errors.New("checking options: Config, Books, Replica and Instance are required")
	}
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	if opts.Clock == nil {
		opts.Clock = clock.RealClock{}
	}
	c, err := newReportClient(opts)
	if err != nil {
		return nil, fmt.Errorf("making client: %w", err)
	}
	l := &Ledger{
		opts: opts, client: c, writer: rand.Text(), synced: make(chan struct{}), wake: make(chan struct{}, 1), backoff: newBackoff(),
	}
	l.metrics = newLedgerMetrics(l)
	opts.Books.SetPublisher(l.Publish)
	return l, nil
}

// Synced is closed once this replica goes on from what it had written before it was started again, and what all others have
// written was read.
func (l *Ledger) Synced() <-chan struct{} { return l.synced }

// Publish writes what this replica has counted of the shard of a key at once, and returns when that was done, when there was
// nothing to write or when ctx ends. What others write is read as it comes.
func (l *Ledger) Publish(ctx context.Context, owner string) {
	shard := ledger.Shard(owner)
	l.mu.Lock()
	if !l.dirty(shard) {
		l.mu.Unlock()
		return
	}
	done := l.slots[shard].ask()
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// Run reads and writes until ctx ends, and then writes what is not written yet, for 15 seconds at most. What fails is tried again.
// It returns nil, or a panic of ours as an error.
func (l *Ledger) Run(ctx context.Context) (err error) {
	watching, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("reporting usage: panic: %v\n%s", p, debug.Stack())
		}
		stop()
		group.Wait()
	}()
	if !l.load(ctx) {
		return nil
	}
	group.Go(func() { l.watch(watching) })
	l.writeAll(ctx)
	flush, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer cancel()
	l.flush(flush)
	return nil
}

// load reads what this replica wrote before it was started again, until that succeeds. False: ctx ended.
func (l *Ledger) load(ctx context.Context) bool {
	backoff := newBackoff()
	for {
		err := l.loadOwn(ctx)
		if err == nil {
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		l.opts.Logger.Warn("Usage of this replica could not be read; trying again", "err", err)
		if !l.pause(ctx, backoff.Step()) {
			return false
		}
	}
}

// writeAll writes what is to be written until ctx ends.
func (l *Ledger) writeAll(ctx context.Context) {
	for ctx.Err() == nil {
		l.opts.Books.Compact(l.pending())
		if shard, found := l.next(); found {
			l.attempt(ctx, shard)
			continue
		}
		l.pause(ctx, ledgerPoll)
	}
}

// pending returns, by shard, the number of the page of which nobody has said whether it is written.
func (l *Ledger) pending() (sequences [ledger.Shards]int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.slots {
		if p := l.slots[i].pending; p != nil {
			sequences[i] = p.sequence
		}
	}
	return sequences
}

// pause waits for a while, or until something is urgent. False: ctx ended.
func (l *Ledger) pause(ctx context.Context, d time.Duration) bool {
	timer := l.opts.Clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C():
	case <-l.wake:
	case <-ctx.Done():
		return false
	}
	return true
}

// attempt writes a shard, and plans when the next one may be.
func (l *Ledger) attempt(ctx context.Context, shard int) {
	size, err := l.write(ctx, shard)
	now := l.opts.Clock.Now()
	l.busyUntil = now.Add(max(writeGap, time.Duration(size)*time.Second/writeBytes))
	if err == nil {
		l.backoff, l.failing = newBackoff(), time.Time{}
		return
	}
	if ctx.Err() == nil {
		l.opts.Logger.Warn("UsageReport could not be written; trying again", "shard", shard, "err", err)
	}
	l.failing = now.Add(l.backoff.Step())
}

// flush writes all shards once, as fast as it goes, and those that failed again until ctx ends.
func (l *Ledger) flush(ctx context.Context) {
	var failed error
	for ctx.Err() == nil {
		left := false
		for shard := range ledger.Shards {
			if !l.unwritten(shard) {
				continue
			}
			if _, err := l.write(ctx, shard); err != nil {
				failed = err
			}
			left = left || l.unwritten(shard)
		}
		if !left {
			return
		}
		l.pause(ctx, ledgerPoll)
	}
	l.opts.Logger.Error("Usage of this replica could not be written at its end", "err", failed)
}
