// Package quota decides whether a key may make a request now: its rates, its concurrency and its budget. A request is admitted
// with an upper bound of what it may use and cost, which is reserved in one step, and settled to what it did use. It knows keys by
// name only, and neither HTTP nor vendors.
//
// Without Redis each replica decides alone, within its share. Rates and concurrency: max(1, ceil(limit / replicas)), so that all
// replicas together admit at least the limit, and at most limit + replicas - 1. Budgets: what was left when all reports were last
// read, divided by the replicas, less what this replica has spent and reserved since. The bound does not depend on how fast requests
// come. Replicas that are all cut off from each other spend no more than was left. If one of n goes on reading while others do not
// write, it can come to spend all that was left, and each of the others its share beside that: at most (n-1)/n of what was left
// when they last read. Requests that cost more than their upper bound come on top.
package quota

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"vipcloud.ai/vipcloud/gateway/money"
)

// Unlimited stands for a limit that is not set. Zero is a limit: nothing is allowed.
const Unlimited = -1

// Policy is what a key may do.
type Policy struct {
	// Owner is the ApiKey as namespace/name: rotation of its key changes nothing.
	Owner string
	// Reset is the value of the ApiKey's reset annotation: spend under another value does not count.
	Reset string
	// RequestsPerMinute, TokensPerMinute and Concurrent are limits, or Unlimited.
	RequestsPerMinute, TokensPerMinute, Concurrent int64
	// Budgets are those of the key; all of them hold.
	Budgets []Budget
	// Space is what the key spends for beside its own budgets, and SpaceBudgets what everybody who does may spend together. Empty:
	// there is no such thing.
	Space        string
	SpaceBudgets []Budget
}

// limited says that there is anything to decide.
func (p *Policy) limited() bool {
	return p.RequestsPerMinute != Unlimited || p.TokensPerMinute != Unlimited || p.Concurrent != Unlimited ||
		len(p.Budgets)+len(p.SpaceBudgets) > 0
}

// Budget bounds what a key may spend in a period.
type Budget struct {
	Amount money.Amount
	Period Period
}

// Ask is what a request may use at most.
type Ask struct {
	// Tokens of prompt and answer, 0 for work that is not counted in tokens.
	Tokens int64
	// Cost in the instance's currency.
	Cost money.Amount
}

// Reason says which limit refuses a request.
type Reason string

// The reasons, in the words of error codes.
const (
	RequestsPerMinute Reason = "requests_per_minute"
	TokensPerMinute   Reason = "tokens_per_minute"
	Concurrency       Reason = "concurrency"
	BudgetExceeded    Reason = "budget_exceeded"
	BudgetContention  Reason = "budget_contention"
	// Unavailable means that all replicas must decide together, and cannot.
	Unavailable Reason = "limits_unavailable"
)

// Refusal is why a request may not be made now.
type Refusal struct {
	Reason Reason
	// Status is where the limits stand.
	Status Status
	// Limit is the whole limit, of all replicas together.
	Limit int64
	// RetryAfter is when it may be made; 0 for budgets.
	RetryAfter time.Duration
	// Share says that the limit as a whole is not reached, only this replica's share of it.
	Share bool
	// Budget is the one that refuses, and Spent what its period has cost so far; Space says that it is not the key's own.
	Budget Budget
	Spent  money.Amount
	Space  bool
}

// Spending tells what keys have spent.
type Spending interface {
	// Spent returns what all replicas together had spent of a key's budget in a period when their reports were last read, and what
	// this replica has spent since that it has not read back.
	Spent(owner, reset string, period Period, at time.Time) (read, since money.Amount)
	// Publish writes what this replica has spent where others read it, and reads what they wrote, within the context's time.
	Publish(ctx context.Context, owner string)
}

// shards spread keys over locks.
const shards = 64

// Limiter admits requests. It is safe for concurrent use.
type Limiter struct {
	spending Spending
	now      func() time.Time
	replicas func() int
	refused  func(Reason)
	shards   [shards]shard
	// spaces are locked after shards, never before.
	spaces [shards]shard
	// shared is how all replicas decide together; nil: each decides alone.
	shared atomic.Pointer[sharing]
}

// Options of a Limiter.
type Options struct {
	// Spending tells what keys have spent. Required for budgets.
	Spending Spending
	// Now is the clock. Default: time.Now.
	Now func() time.Time
	// Replicas is how many share the limits, at least 1. Default: one.
	Replicas func() int
	// ShareRefused is called for each refusal below the whole limit. Default: nothing.
	ShareRefused func(Reason)
}

// New returns a Limiter.
func New(o Options) *Limiter {
	l := &Limiter{spending: o.Spending, now: o.Now, replicas: o.Replicas, refused: o.ShareRefused}
	if l.now == nil {
		l.now = time.Now
	}
	if l.replicas == nil {
		l.replicas = func() int { return 1 }
	}
	if l.refused == nil {
		l.refused = func(Reason) {}
	}
	for i := range l.shards {
		l.shards[i].keys, l.spaces[i].keys = map[string]*state{}, map[string]*state{}
	}
	return l
}

// shard is some of the keys.
type shard struct {
	// mu guards all of the shard's keys: what a request asks is decided in one step.
	mu   sync.Mutex
	keys map[string]*state
}

// state is what a key is doing.
type state struct {
	requests, tokens window
	running          int64
	reserved         money.Amount
	touched          time.Time
	// policy is what to tell other replicas of; nil: they know nothing of it.
	policy *Policy
}

// shardOf finds a name's shard.
func shardOf(of *[shards]shard, owner string) *shard {
	h := uint32(2166136261) // FNV-1a
	for i := range len(owner) {
		h = (h ^ uint32(owner[i])) * 16777619
	}
	return &of[h%shards]
}

// forgetAfter is how long a key's state is kept after its last request: longer than any window.
const forgetAfter = 5 * minute

// of returns the state of a key, and now and then forgets those of keys that are silent.
func (s *shard) of(owner string, now time.Time) *state {
	k := s.keys[owner]
	if k == nil {
		if len(s.keys) > 1024 {
			for name, other := range s.keys {
				if other.running == 0 && other.reserved == 0 && other.policy == nil && now.Sub(other.touched) > forgetAfter {
					delete(s.keys, name)
				}
			}
		}
		k = &state{}
		s.keys[owner] = k
	}
	k.touched = now
	return k
}
