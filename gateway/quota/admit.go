package quota

import (
	"context"
	"time"

	"vipcloud.ai/vipcloud/gateway/money"
)

// Waits for a share of a budget.
const (
	// contentionWait is how long a request waits for others' spending to be read, if the budget has room and the share has not.
	contentionWait = 250 * time.Millisecond
	// contentionPause is when a client is asked to come again after that.
	contentionPause = time.Second
)

// Grant is leave for one request. Exactly one of its methods is called, once.
type Grant struct {
	limiter *Limiter
	policy  *Policy
	ask     Ask
	shard   *shard
	// Status is what is left of the limits, for the headers of the response.
	Status Status
}

// Status is where the limits of a key stand after a request was admitted.
type Status struct {
	Requests, Tokens Level
}

// Level is where one limit stands. Limit is Unlimited if there is none.
type Level struct {
	Limit, Remaining int64
	// Reset is how long it takes until all of it is there again.
	Reset time.Duration
}

// Admit decides on a request: it is counted and what it may cost is reserved, or it is refused and nothing is. A key without
// limits costs nothing to admit.
func (l *Limiter) Admit(ctx context.Context, p *Policy, ask Ask) (*Grant, *Refusal) {
	if !p.limited() {
		return &Grant{Status: Status{Requests: Level{Limit: Unlimited}, Tokens: Level{Limit: Unlimited}}}, nil
	}
	if s := l.shared.Load(); s != nil {
		if g, r, decided := l.admitShared(ctx, s, p, ask); decided {
			return g, r
		}
	}
	g, r := l.try(p, ask)
	if r == nil || r.Reason != BudgetContention {
		l.note(r)
		return g, r
	}
	waiting, cancel := context.WithTimeout(ctx, contentionWait)
	defer cancel()
	l.spending.Publish(waiting, p.Owner)
	if len(p.SpaceBudgets) > 0 {
		l.spending.Publish(waiting, p.Space)
	}
	g, r = l.try(p, ask)
	l.note(r)
	return g, r
}

// note counts refusals that are this replica's alone.
func (l *Limiter) note(r *Refusal) {
	if r != nil && r.Share {
		l.refused(r.Reason)
	}
}

// share is this replica's part of a limit.
func share(limit int64, replicas int) int64 {
	if limit <= 0 {
		return limit
	}
	n := int64(max(replicas, 1))
	return max(1, (limit+n-1)/n)
}

// try decides once.
func (l *Limiter) try(p *Policy, ask Ask) (*Grant, *Refusal) {
	now, replicas := l.now(), l.replicas()
	s := shardOf(&l.shards, p.Owner)
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.of(p.Owner, now)
	if r := k.checkRates(p, ask, now, replicas); r != nil {
		r.Status = k.status(p, now, replicas)
		return nil, r
	}
	if r := l.checkBudgets(p.Owner, p.Reset, p.Budgets, ask, k, now, replicas); r != nil {
		return nil, r
	}
	if r := l.trySpace(p, ask, now, replicas); r != nil {
		return nil, r
	}
	if l.shared.Load() != nil {
		k.remember(p)
	}
	k.requests.add(now, 1)
	k.tokens.add(now, ask.Tokens)
	k.running++
	k.reserved += ask.Cost // what is reserved fits in a budget, so it does not overflow
	return &Grant{limiter: l, policy: p, ask: ask, shard: s, Status: k.status(p, now, replicas)}, nil
}

// trySpace reserves in the budgets that the key shares with others.
func (l *Limiter) trySpace(p *Policy, ask Ask, now time.Time, replicas int) *Refusal {
	if len(p.SpaceBudgets) == 0 {
		return nil
	}
	s := shardOf(&l.spaces, p.Space)
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.of(p.Space, now)
	if r := l.checkBudgets(p.Space, "", p.SpaceBudgets, ask, k, now, replicas); r != nil {
		r.Space = true
		return r
	}
	k.reserved += ask.Cost
	return nil
}

// checkRates looks at the rates and the concurrency.
func (k *state) checkRates(p *Policy, ask Ask, now time.Time, replicas int) *Refusal {
	for _, limit := range [...]struct {
		reason Reason
		limit  int64
		window *window
		n      int64
	}{
		{RequestsPerMinute, p.RequestsPerMinute, &k.requests, 1},
		{TokensPerMinute, p.TokensPerMinute, &k.tokens, ask.Tokens},
	} {
		if limit.limit == Unlimited {
			continue
		}
		own := share(limit.limit, replicas)
		if wait := limit.window.frees(now, limit.n, own); wait > 0 {
			return &Refusal{Reason: limit.reason, Limit: limit.limit, RetryAfter: wait, Share: own < limit.limit}
		}
	}
	if p.Concurrent != Unlimited {
		if own := share(p.Concurrent, replicas); k.running >= own {
			return &Refusal{Reason: Concurrency, Limit: p.Concurrent, RetryAfter: time.Second, Share: own < p.Concurrent}
		}
	}
	return nil
}

// checkBudgets looks at what is left of each budget, and of this replica's share of it.
func (l *Limiter) checkBudgets(owner, reset string, budgets []Budget, ask Ask, k *state, now time.Time, replicas int) *Refusal {
	for i := range budgets {
		b := &budgets[i]
		read, since := l.spending.Spent(owner, reset, b.Period, now)
		left := b.Amount - min(read, b.Amount)
		mine, ok := since.Add(k.reserved)
		if ok {
			mine, ok = mine.Add(ask.Cost)
		}
		spent, _ := read.Add(since) // for the message; saturated is as good as any
		switch {
		case !ok || mine > left:
			return &Refusal{Reason: BudgetExceeded, Budget: *b, Spent: spent}
		case mine > left/money.Amount(max(replicas, 1)):
			return &Refusal{Reason: BudgetContention, RetryAfter: contentionPause, Share: true, Budget: *b, Spent: spent}
		}
	}
	return nil
}

// status is where the limits stand.
func (k *state) status(p *Policy, now time.Time, replicas int) Status {
	level := func(limit int64, w *window) Level {
		if limit == Unlimited {
			return Level{Limit: Unlimited}
		}
		own, used := share(limit, replicas), w.used(now)
		return Level{Limit: limit, Remaining: max(own-used, 0), Reset: w.empty(now)}
	}
	return Status{Requests: level(p.RequestsPerMinute, &k.requests), Tokens: level(p.TokensPerMinute, &k.tokens)}
}

// empty says how long it takes until nothing counts any more.
func (w *window) empty(now time.Time) time.Duration {
	w.roll(now)
	switch {
	case w.current > 0:
		return 2*minute - now.Sub(w.start)
	case w.previous > 0:
		return minute - now.Sub(w.start)
	}
	return 0
}

// Settle ends a request that used and cost something. Its cost must have been counted by Spending before, so that there is no
// moment in which it is neither reserved nor spent.
func (g *Grant) Settle(tokens int64) { g.end(tokens) }

// Release ends a request that used nothing.
func (g *Grant) Release() { g.end(0) }

// end gives back what is held.
func (g *Grant) end(tokens int64) {
	if g == nil || g.limiter == nil {
		return
	}
	if s := g.limiter.shared.Load(); s != nil {
		defer s.owe(g.policy, nil)
	}
	now := g.limiter.now()
	g.shard.mu.Lock()
	k := g.shard.of(g.policy.Owner, now)
	k.running = max(k.running-1, 0)
	k.tokens.add(now, tokens-g.ask.Tokens)
	k.reserved = max(k.reserved-g.ask.Cost, 0)
	g.shard.mu.Unlock()
	if len(g.policy.SpaceBudgets) == 0 {
		return
	}
	s := shardOf(&g.limiter.spaces, g.policy.Space)
	s.mu.Lock()
	defer s.mu.Unlock()
	space := s.of(g.policy.Space, now)
	space.reserved = max(space.reserved-g.ask.Cost, 0)
}
