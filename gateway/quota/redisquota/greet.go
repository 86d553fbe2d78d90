package redisquota

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/redis/go-redis/v9"
)

// run greets until ctx ends.
func (c *Client) run(ctx context.Context) {
	defer close(c.done)
	renewed := time.Now()
	for ctx.Err() == nil {
		settled := c.greetAll(ctx)
		if time.Since(renewed) > renewEvery && c.Away() == nil {
			c.tell(ctx, nil)
			renewed = time.Now()
		}
		pause := greetEvery
		if !settled && c.Away() == nil {
			pause = settleEvery
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-c.kick:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// greetAll greets every bucket, and tells everything where a new epoch has begun. It returns whether all are settled.
func (c *Client) greetAll(ctx context.Context) (settled bool) {
	settled = true
	for _, b := range c.buckets {
		if err := c.greet(ctx, b); err != nil {
			if ctx.Err() == nil {
				c.fail(err)
			}
			return false
		}
		c.mu.Lock()
		settled = settled && b.settled
		c.mu.Unlock()
	}
	c.mu.Lock()
	for _, b := range c.buckets {
		if b.told == "" { // failed in the meantime
			c.mu.Unlock()
			return false
		}
	}
	back := c.away != nil
	first := !c.began
	c.away, c.began = nil, true
	c.mu.Unlock()
	if back {
		c.opts.Log.Info("Redis is back")
	}
	if back || first {
		c.changed(nil)
	}
	return settled
}

// greet greets a bucket. If its epoch is a new one, everything is told and it is greeted again.
func (c *Client) greet(ctx context.Context, b *bucket) error {
	for range 3 {
		c.mu.Lock()
		b.greetings++
		g := greeting{
			Replica: c.replica, Fresh: rand.Text(), Told: b.told, Greeting: b.greetings, Acknowledged: b.greetings - 1, Replicas: 1 << 20,
			Lease: c.lease.Milliseconds(), Patience: patience.Milliseconds(), Longest: longestPatience.Milliseconds(),
		}
		c.mu.Unlock()
		if c.opts.Replicas != nil {
			g.Replicas = c.opts.Replicas()
		}
		var s state
		if err := c.say(ctx, b, &g, &s); err != nil {
			c.mu.Lock()
			b.greetings = 0 // nobody knows whether it arrived
			c.mu.Unlock()
			return err
		}
		c.mu.Lock()
		current := b.epoch == s.Epoch
		c.mu.Unlock()
		if !current {
			if err := c.prime(ctx, b); err != nil {
				return err
			}
		}
		c.mu.Lock()
		known := b.told == s.Epoch
		b.settled = known && s.Settled
		if b.epoch != s.Epoch {
			b.epoch, known = s.Epoch, false
			c.forget(b)
		}
		c.mu.Unlock()
		if known {
			return nil
		}
		c.tell(ctx, b)
		c.mu.Lock()
		if b.epoch == s.Epoch {
			b.told = s.Epoch
		}
		c.mu.Unlock()
	}
	return nil
}

// say greets, and tells a server that has never heard the greeting that it is another one than before.
func (c *Client) say(ctx context.Context, b *bucket, g *greeting, s *state) error {
	marker := []string{b.tag + "marker"}
	err := c.call(ctx, b.hello.EvalSha, marker, g, s)
	if redis.HasErrorPrefix(err, "NOSCRIPT") {
		g.Lost = true
		err = c.call(ctx, b.hello.Eval, marker, g, s)
	}
	return err
}

// prime makes the server keep the script of questions, by one of an epoch that is none.
func (c *Client) prime(ctx context.Context, b *bucket) error {
	var a answer
	return c.call(ctx, b.ask.Eval, []string{b.tag + "marker", b.tag + "owner:"}, &question{Epoch: "none"}, &a)
}

// forget forgets what was acknowledged of a bucket: in a new epoch everything is told anew. c.mu is held.
func (c *Client) forget(b *bucket) {
	for key := range c.acknowledged {
		if len(key) > len(b.tag) && key[:len(b.tag)] == b.tag {
			delete(c.acknowledged, key)
		}
	}
}

// tell tells everything of a bucket, or of all.
func (c *Client) tell(ctx context.Context, b *bucket) {
	ctx, cancel := context.WithTimeout(ctx, tellTimeout)
	defer cancel()
	c.opts.Tell(ctx, func(group string) bool { return b == nil || c.bucket(group) == b })
}
