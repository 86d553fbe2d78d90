package redisquota

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"vipcloud.ai/vipcloud/gateway/quota"
	"vipcloud.ai/vipcloud/gateway/table"
)

const (
	// Lease is how long the rows of a silent replica count.
	Lease = 30 * time.Second
	// keep is how long Redis keeps the rows of an owner of whom nothing is told. It is longer than renewEvery and Lease.
	keep = 10 * time.Minute
	// greetEvery is how often a replica is heard of, and settleEvery how often while replicas tell anew.
	greetEvery, settleEvery = 250 * time.Millisecond, 20 * time.Millisecond
	// renewEvery is how often a replica tells everything, so that nothing expires and nothing old stays.
	renewEvery = 10 * time.Second
	// patience is how long replicas have to be heard of in a new epoch before they are taken to be gone, and longestPatience how long
	// those that were have to tell everything.
	patience, longestPatience = time.Second, 10 * time.Second
	// silence is longer than a replica that lives is ever silent, within reason.
	silence = 3 * time.Second
	// tellTimeout bounds telling everything.
	tellTimeout = longestPatience
	// clusterBuckets are the hash tags in a cluster.
	clusterBuckets = 16
)

// Why Redis cannot be asked.
var (
	errUnusable = errors.New("redis cannot be used")
	errClosed   = errors.New("closed")
	errLate     = errors.New("a later question was faster")
)

// Options of a Client.
type Options struct {
	// Redis is what to connect to. Required.
	Redis *table.Redis
	// Scope keeps those apart that share a Redis: the instance. Required.
	Scope string
	// Replicas is how many decide together. Nil: unknown.
	Replicas func() int
	// Tell tells all that is to be known of the groups that match, by Ask. Required.
	Tell func(ctx context.Context, match func(group string) bool)
	// Changed is called with why Redis is away, or nil, when that changes. Nil: nobody asks.
	Changed func(c *Client, err error)
	// Log takes what somebody should see. Nil: slog.Default().
	Log *slog.Logger
}

// Client asks one Redis. It implements quota.Shared.
type Client struct {
	opts    Options
	redis   redis.UniversalClient // nil: it cannot be used
	replica string
	lease   time.Duration
	buckets []*bucket
	kick    chan struct{} // holds one token while there is something to find out
	start   sync.Once
	stop    context.CancelFunc
	done    chan struct{}

	mu sync.Mutex
	// away is why Redis cannot be asked; nil: it can.
	away error
	// began says that the first greeting has ended.
	began  bool
	number int64
	// acknowledged are the numbers of rows that Redis has said it holds.
	acknowledged map[string]int64
}

// bucket is a set of owners whose rows are in one place. Client.mu guards it.
type bucket struct {
	tag        string
	ask, hello *redis.Script
	// epoch is the one that rows are told in; empty: none yet. told is the one in which everything was told.
	epoch, told string
	settled     bool
	greetings   int64
}

// New makes a client. It connects once it is started.
func New(o Options) *Client {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	c := &Client{opts: o, replica: rand.Text(), lease: Lease, kick: make(chan struct{}, 1), done: make(chan struct{}), acknowledged: map[string]int64{}}
	n := 1
	if o.Redis.Mode == table.RedisCluster {
		n = clusterBuckets
	}
	for i := range n {
		b := &bucket{tag: "vipcloud:{" + o.Scope + "/" + strconv.Itoa(i) + "}:"}
		b.ask, b.hello = scriptsOf(b.tag)
		c.buckets = append(c.buckets, b)
	}
	if p := o.Redis.Problem; p != nil {
		c.away = fmt.Errorf("%w: %s", errUnusable, p.Message)
		return c
	}
	var err error
	if c.redis, err = connect(o.Redis); err != nil {
		c.redis, c.away = nil, fmt.Errorf("%w: %w", errUnusable, err)
	}
	return c
}

// Start begins to connect. Close ends that. Starting it again changes nothing.
func (c *Client) Start() {
	c.start.Do(func() {
		if c.redis == nil {
			close(c.done)
			c.changed(c.away)
			return
		}
		ctx, stop := context.WithCancel(context.Background()) //nolint:forbidigo // the client's own life, ended by Close
		c.stop = stop
		go c.run(ctx)
	})
}

// Close ends the client. Its rows count no more at once if it can still say so; otherwise when its lease ends.
func (c *Client) Close(ctx context.Context) {
	c.start.Do(func() { close(c.done) })
	if c.stop != nil {
		c.stop()
	}
	<-c.done
	c.mu.Lock()
	reached := c.away == nil && c.began
	c.away, c.began = errClosed, true
	c.mu.Unlock()
	if c.redis == nil {
		return
	}
	if reached {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		for _, b := range c.buckets {
			_ = c.redis.HDel(ctx, b.tag+"marker", "heard:"+c.replica, "greetings:"+c.replica, "told:"+c.replica) // its lease ends anyhow
		}
	}
	_ = c.redis.Close() // nothing is left to say
}

// Away implements quota.Shared. Before the first greeting has ended nobody knows; requests wait for that.
func (c *Client) Away() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.away
}

// changed tells of what changed.
func (c *Client) changed(err error) {
	if c.opts.Changed != nil {
		c.opts.Changed(c, err)
	}
}

// bucket finds the place of a group. Keys of a namespace and what they share are in the same.
func (c *Client) bucket(group string) *bucket {
	namespace, _, _ := strings.Cut(group, "/")
	h := fnv.New32a()
	_, _ = h.Write([]byte(namespace)) // never fails
	return c.buckets[int(h.Sum32()%uint32(len(c.buckets)))]
}

// Ask implements quota.Shared.
func (c *Client) Ask(ctx context.Context, q *quota.Question) ([]quota.Verdict, error) {
	wire := questionOf(q)
	b := c.bucket(q.Group)
	keys := []string{b.tag + "marker", b.tag + "owner:" + q.Owner}
	if q.Space != "" {
		keys = append(keys, b.tag+"space:"+q.Space)
	}
	c.mu.Lock()
	switch {
	case c.away != nil && (b.epoch == "" || len(q.Asks) > 0):
		defer c.mu.Unlock()
		return nil, c.away
	case b.epoch == "" || len(q.Asks) > 0 && !b.settled:
		defer c.mu.Unlock()
		return nil, quota.ErrUnsettled
	}
	c.number++
	wire.Number, wire.Acknowledged = c.number, c.acknowledged[keys[1]]
	if q.Space != "" {
		wire.SpaceAcknowledged = c.acknowledged[keys[2]]
	}
	wire.Epoch = b.epoch
	c.mu.Unlock()
	wire.Fresh, wire.Replica = rand.Text(), c.replica
	wire.Lease, wire.Silence, wire.Keep = c.lease.Milliseconds(), silence.Milliseconds(), keep.Milliseconds()
	var a answer
	switch err := c.call(ctx, b.ask.EvalSha, keys, &wire, &a); {
	case redis.HasErrorPrefix(err, "NOSCRIPT"):
		a.State = "epoch"
	case err != nil:
		c.fail(err)
		return nil, err
	}
	switch a.State {
	case "ok":
	case "late":
		return nil, errLate
	default:
		c.unsettle(b, wire.Epoch, a.State == "epoch")
		return nil, quota.ErrUnsettled
	}
	if !c.acknowledge(keys[1:], wire.Epoch, b, wire.Number, q.Forget) {
		return nil, quota.ErrUnsettled
	}
	return a.verdictsOf(len(q.Asks))
}

// acknowledge notes that rows are in Redis, or that the owner's is not any more. False: it is not certain that everybody sees them.
func (c *Client) acknowledge(keys []string, epoch string, b *bucket, number int64, forgotten bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if b.epoch != epoch {
		return false // all of them are told anew
	}
	for i, key := range keys {
		c.acknowledged[key] = number
		if i == 0 && forgotten {
			delete(c.acknowledged, key)
		}
	}
	return true
}

// unsettle notes that a bucket is not settled any more, and finds out why.
func (c *Client) unsettle(b *bucket, epoch string, ended bool) {
	c.mu.Lock()
	if b.epoch == epoch {
		b.settled = false
		if ended {
			b.epoch = ""
		}
	}
	c.mu.Unlock()
	select {
	case c.kick <- struct{}{}:
	default:
	}
}

// run is one way to run a script.
type run func(ctx context.Context, c redis.Scripter, keys []string, args ...any) *redis.Cmd

// call runs a script.
func (c *Client) call(ctx context.Context, script run, keys []string, in, out any) error {
	document, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("writing the question: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 2*callTimeout)
	defer cancel()
	text, err := script(ctx, c.redis, keys, document).Text()
	if err != nil {
		return fmt.Errorf("asking redis: %w", err)
	}
	if err := json.Unmarshal([]byte(text), out); err != nil {
		return fmt.Errorf("reading the answer of redis: %w", err)
	}
	return nil
}

// fail notes that Redis is away. It is greeted until it is back.
func (c *Client) fail(err error) {
	c.mu.Lock()
	first := c.away == nil
	c.away, c.began = err, true
	for _, b := range c.buckets {
		b.epoch, b.told, b.settled = "", "", false
	}
	c.mu.Unlock()
	if first {
		c.opts.Log.Warn("Redis is away; limitsFailurePolicy decides", "reason", err)
		c.changed(err)
	}
}
