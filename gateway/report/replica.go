package report

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/balance"
	"vipcloud.ai/vipcloud/gateway/source"
)

const (
	// minInterval is the shortest time between two writes: the operator looks at every one of every replica.
	minInterval = time.Second
	// renewInterval is the longest: whoever reads renewTime may call a replica dead that is silent for several of them.
	renewInterval = 10 * time.Second
	// writeTimeout bounds one write, and finalTimeout all that happens at the end.
	writeTimeout = 5 * time.Second
	finalTimeout = 2 * time.Second
)

// ReplicaOptions of a Replica.
type ReplicaOptions struct {
	// Config reaches the API server. It is copied. Required.
	Config *rest.Config
	// Instance is the GatewayInstance that this process serves; the object lives in its namespace. Required.
	Instance types.NamespacedName
	// Name of the object: that of the pod, or any other name that no other replica has. Required.
	Name string
	// PodName and PodUID are those of the pod this process runs in, which then owns the object. Empty: outside a cluster;
	// the object is then deleted at the end.
	PodName string
	PodUID  types.UID
	// Version of the binary.
	Version string
	// Ejected lists the targets that get no requests at the moment. It is asked twice a second. Nil: nobody knows of any.
	Ejected func() []balance.Ejection
	// Logger takes what an operator must see. Nil: slog.Default().
	Logger *slog.Logger
	// Clock tells the time. Nil: the real one.
	Clock clock.WithTicker
}

// Replica keeps the GatewayReplica object of this process up to date. Its methods may be used by several goroutines; Run is
// called once.
type Replica struct {
	opts   ReplicaOptions
	client *replicaClient
	first  chan struct{}
	wake   chan struct{} // holds one token while there is news

	mu    sync.Mutex
	state state
}

// state is what is reported.
type state struct {
	ready      bool
	wasReady   bool
	transition time.Time // when ready changed
	loaded     source.Versions
	ejected    *[]v1alpha1.EjectedTarget // another one only if it says something else

	redis           Redis
	redisTransition time.Time // when redis.Away appeared or went
}

// Redis is whether this replica reaches the Redis of the instance.
type Redis struct {
	// Configured says that there is one, Known that it was tried to reach it.
	Configured, Known bool
	// Away is why it is not reached; empty: it is.
	Away string
}

// reached says that Redis decides.
func (r Redis) reached() bool { return r.Known && r.Away == "" }

// NewReplica makes a Replica. Nothing is written before Run.
func NewReplica(opts ReplicaOptions) (*Replica, error) {
	if opts.Config == nil || opts.Name == "" || opts.Instance.Name == "" || opts.Instance.Namespace == "" {
		return nil, errors.New("checking options: Config, Name and Instance are required")
	}
	if (opts.PodName == "") != (opts.PodUID == "") {
		return nil, errors.New("checking options: PodName and PodUID go together")
	}
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	if opts.Clock == nil {
		opts.Clock = clock.RealClock{}
	}
	c, err := newReplicaClient(opts)
	if err != nil {
		return nil, fmt.Errorf("making client: %w", err)
	}
	return &Replica{
		opts: opts, client: c, first: make(chan struct{}), wake: make(chan struct{}, 1),
		state: state{transition: opts.Clock.Now()},
	}, nil
}

// FirstWritten is closed when the object was written for the first time.
func (r *Replica) FirstWritten() <-chan struct{} { return r.first }

// SetReady says whether this replica takes requests. It does not block.
func (r *Replica) SetReady(ready bool) {
	r.change(func(s *state) {
		if s.ready != ready {
			s.ready, s.transition = ready, r.opts.Clock.Now()
			s.wasReady = s.wasReady || ready
		}
	})
}

// SetRedis says whether Redis is reached. It does not block.
func (r *Replica) SetRedis(redis Redis) {
	r.change(func(s *state) {
		if s.redis.reached() != redis.reached() || s.redisTransition.IsZero() {
			s.redisTransition = r.opts.Clock.Now()
		}
		s.redis = redis
	})
}

// Loaded says how far what is served has come. It does not block.
func (r *Replica) Loaded(v source.Versions) {
	r.change(func(s *state) { s.loaded = v })
}

// change edits the state and wakes the writer if that made a difference.
func (r *Replica) change(edit func(s *state)) {
	r.mu.Lock()
	before := r.state
	edit(&r.state)
	changed := r.state != before
	r.mu.Unlock()
	if !changed {
		return
	}
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// current returns a copy of the state.
func (r *Replica) current() state {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state
}

// Run writes until ctx ends: at once when something changed, but at most once a second, and at least every ten. What fails is
// tried again. At the end it says that the replica is not ready, or deletes the object if no pod owns it, for two seconds at
// most. It returns nil, or a panic of ours as an error.
func (r *Replica) Run(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("reporting replica: panic: %v\n%s", p, debug.Stack())
		}
	}()
	var group sync.WaitGroup
	defer group.Wait()
	watching, stop := context.WithCancel(ctx)
	defer stop()
	if r.opts.Ejected != nil {
		group.Go(func() { r.watchEjected(watching) })
	}
	backoff := newBackoff()
	timer := r.opts.Clock.NewTimer(renewInterval)
	timer.Stop()
	defer timer.Stop()
	for {
		begin := r.opts.Clock.Now()
		pause, renew := minInterval, renewInterval
		if err := r.write(ctx); err != nil {
			if ctx.Err() == nil {
				r.opts.Logger.Warn("GatewayReplica could not be written; trying again", "gatewayReplica", r.opts.Name, "err", err)
			}
			pause = max(pause, backoff.Step())
			renew = pause
		} else {
			backoff = newBackoff()
		}
		if !r.rest(ctx, timer, begin, pause, renew) {
			r.finish(ctx)
			return nil
		}
	}
}

// rest waits for pause, and then for news or until renew is over, both from begin. False: ctx ended.
func (r *Replica) rest(ctx context.Context, timer clock.Timer, begin time.Time, pause, renew time.Duration) bool {
	return r.sleep(ctx, timer, pause-r.opts.Clock.Since(begin), nil) && r.sleep(ctx, timer, renew-r.opts.Clock.Since(begin), r.wake)
}

// sleep waits for a while or for news. False: ctx ended.
func (r *Replica) sleep(ctx context.Context, timer clock.Timer, d time.Duration, news <-chan struct{}) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer.Reset(d)
	defer timer.Stop()
	select {
	case <-news:
	case <-timer.C():
	case <-ctx.Done():
		return false
	}
	return true
}

// newBackoff is the pause after failures.
func newBackoff() wait.Backoff {
	return wait.Backoff{Duration: minInterval, Factor: 2, Jitter: 0.2, Steps: 10, Cap: renewInterval}
}

// write writes the object once.
func (r *Replica) write(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	select { // what is written now includes all news so far
	case <-r.wake:
	default:
	}
	if err := r.client.write(ctx, r.current(), r.opts.Clock.Now()); err != nil {
		return err
	}
	select {
	case <-r.first:
	default:
		close(r.first)
	}
	return nil
}

// finish takes leave after ctx has ended, as well as it can.
func (r *Replica) finish(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finalTimeout)
	defer cancel()
	var err error
	if r.opts.PodName == "" {
		err = r.client.remove(ctx)
	} else {
		r.SetReady(false)
		err = r.client.write(ctx, r.current(), r.opts.Clock.Now())
	}
	if err != nil {
		r.opts.Logger.Warn("GatewayReplica could not be brought to its end", "gatewayReplica", r.opts.Name, "err", err)
	}
}
