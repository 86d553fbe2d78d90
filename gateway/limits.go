package gateway

import (
	"context"
	"reflect"
	"sync"
	"time"

	"vipcloud.ai/vipcloud/gateway/quota/redisquota"
	"vipcloud.ai/vipcloud/gateway/table"
)

// RedisState says whether Redis decides on limits.
type RedisState struct {
	// Configured says that the instance has a Redis.
	Configured bool
	// Away is why it is not reached; empty: it is. Known is false until that was tried.
	Away  string
	Known bool
}

// limitsShare connects the limiter with the Redis of the served table.
type limitsShare struct {
	mu     sync.Mutex
	redis  *table.Redis
	client *redisquota.Client
	state  RedisState
	// replicas is how many the instance wants.
	replicas int
	// changed is told of every new state; nil: nobody asks.
	changed func(RedisState)
}

// leaveTimeout bounds what is said to Redis when it is left.
const leaveTimeout = time.Second

// OnRedis sets what is called when Redis is reached or not any more, also with the state of now. It must not block.
func (s *Server) OnRedis(changed func(RedisState)) {
	s.share.mu.Lock()
	defer s.share.mu.Unlock()
	s.share.changed = changed
	changed(s.share.state)
}

// Leave tells other replicas that this one has ended, after everything that it counted was reported.
func (s *Server) Leave() { leave(s.replaceRedis(nil, nil)) }

// leave ends a client, which may be nil.
func leave(c *redisquota.Client) {
	if c == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), leaveTimeout) //nolint:forbidigo // the client outlives every request
	defer cancel()
	c.Close(ctx)
}

// shareLimits connects to the Redis of a table, if it is another one than before. Requests under way keep what was decided.
func (s *Server) shareLimits(t *table.Table) {
	want, deny := t.Redis(), t.LimitsFailurePolicy() == table.FailurePolicyDeny
	s.share.mu.Lock()
	s.share.replicas = max(t.Settings().Replicas, 1)
	same, client := reflect.DeepEqual(s.share.redis, want), s.share.client
	s.share.mu.Unlock()
	if !same {
		client = nil
		if want != nil {
			client = redisquota.New(redisquota.Options{
				Redis: want, Scope: t.Settings().Scope, Replicas: s.wantedReplicas, Log: s.opts.Log, Tell: s.limiter.Tell,
				Changed: func(c *redisquota.Client, err error) { s.redisChanged(c, err) },
			})
		}
		go leave(s.replaceRedis(want, client)) // what is asked there at the moment may take a while
	}
	if client == nil {
		return
	}
	if err := s.limiter.Share(client, deny); err != nil {
		s.opts.Log.Error("Limits cannot be shared", "reason", err)
	}
	client.Start()
}

// replaceRedis takes another client, or none, and returns the one before.
func (s *Server) replaceRedis(redis *table.Redis, client *redisquota.Client) (old *redisquota.Client) {
	s.share.mu.Lock()
	old = s.share.client
	s.share.redis, s.share.client = redis, client
	s.share.set(RedisState{Configured: redis != nil})
	s.share.mu.Unlock()
	if client == nil {
		_ = s.limiter.Share(nil, false) // to decide alone is always possible
	}
	return old
}

// redisChanged takes what a client has found out.
func (s *Server) redisChanged(c *redisquota.Client, err error) {
	s.share.mu.Lock()
	defer s.share.mu.Unlock()
	if c != s.share.client {
		return // it was replaced
	}
	state := RedisState{Configured: true, Known: true}
	if err != nil {
		state.Away = err.Error()
	}
	s.share.set(state)
}

// set takes a new state. The lock is held.
func (l *limitsShare) set(state RedisState) {
	if l.state == state {
		return
	}
	l.state = state
	if l.changed != nil {
		l.changed(state)
	}
}

// redisAvailable is the metric of it: 1 if Redis decides, or if there is none to.
func (s *Server) redisAvailable() float64 {
	s.share.mu.Lock()
	defer s.share.mu.Unlock()
	if s.share.state.Configured && (!s.share.state.Known || s.share.state.Away != "") {
		return 0
	}
	return 1
}

// wantedReplicas is how many replicas the instance wants.
func (s *Server) wantedReplicas() int {
	s.share.mu.Lock()
	defer s.share.mu.Unlock()
	return s.share.replicas
}
