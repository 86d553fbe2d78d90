package quota

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Shared decides in one step with all replicas, over something that all of them reach.
type Shared interface {
	// Away returns why it cannot be asked now, or nil. It is not asked then.
	Away() error
	// Ask tells and asks. Questions of a group are asked one after the other, each after the answer to the one before. ErrUnsettled
	// means that asks cannot be decided just now, while telling can still do. After any other error whatever was told may have
	// arrived or not.
	Ask(ctx context.Context, q *Question) ([]Verdict, error)
}

// ErrUnsettled means that replicas are about to tell what they do after somebody has lost it.
var ErrUnsettled = errors.New("replicas are still telling what they do")

// errSlow means that an answer did not come in time.
var errSlow = errors.New("no decision in time")

// errNoStandings means that limits cannot be shared by this Spending.
var errNoStandings = errors.New("sharing limits: Spending does not tell which part is whose")

const (
	// sharedWait is how long a request waits for its decision.
	sharedWait = 3 * time.Second
	// unsettledPause is when an ask is tried again that could not be decided.
	unsettledPause = 5 * time.Millisecond
	// maxAsks is how many asks one question holds.
	maxAsks = 64
	// maxTelling is how many keys are told of at the same time.
	maxTelling = 64
	// unavailablePause is when a client is asked to come again if nobody can decide.
	unavailablePause = time.Second
)

// sharing is how a limiter asks.
type sharing struct {
	limiter  *Limiter
	spending Standings
	with     Shared
	deny     atomic.Bool

	mu     sync.Mutex
	groups map[string]*group
}

// group is what is asked one after the other. sharing.mu guards it. It exists while there is something to do.
type group struct {
	asks []*asking
	// owed are the keys of which there is something to tell, and who waits until that was tried.
	owed map[string]*debt
	// unsettled says that asks cannot be decided just now.
	unsettled bool
}

// debt is something to tell.
type debt struct {
	policy *Policy
	told   []chan<- struct{}
}

// asking is a request that waits for its decision.
type asking struct {
	policy *Policy
	ask    Ask
	done   chan decision // holds one
	// left says that nobody waits any more.
	left bool
}

// decision is what became of an ask.
type decision struct {
	grant   *Grant
	refusal *Refusal
	err     error
}

// Share makes the limiter decide together with all replicas from now on, or alone again if with is nil. While with cannot be asked,
// deny refuses requests as Unavailable; otherwise the limiter decides alone, within its share. Spending must be Standings.
func (l *Limiter) Share(with Shared, deny bool) error {
	current := l.shared.Load()
	switch {
	case with == nil:
		l.shared.Store(nil)
		l.forgetAll()
		return nil
	case current != nil && current.with == with:
		current.deny.Store(deny)
		return nil
	}
	spending, ok := l.spending.(Standings)
	if !ok {
		return errNoStandings
	}
	s := &sharing{limiter: l, spending: spending, with: with, groups: map[string]*group{}}
	s.deny.Store(deny)
	l.shared.Store(s)
	return nil
}

// Tell tells what this replica does with all keys of the groups that match, and returns when that was tried or ctx ends.
func (l *Limiter) Tell(ctx context.Context, match func(group string) bool) {
	s := l.shared.Load()
	if s == nil {
		return
	}
	var owed []*Policy
	for name, policies := range l.active() {
		if match(name) {
			owed = append(owed, policies...)
		}
	}
	told := make(chan struct{}, len(owed))
	atOnce := min(maxTelling, len(owed))
	for i := range len(owed) + atOnce {
		if i >= atOnce {
			select {
			case <-told:
			case <-ctx.Done():
				return
			}
		}
		if i < len(owed) {
			s.owe(owed[i], told)
		}
	}
}

// Changed says that what this replica has counted of a key has changed without a request that was admitted.
func (l *Limiter) Changed(p *Policy) {
	if s := l.shared.Load(); s != nil {
		s.owe(p, nil)
	}
}

// admitShared asks all replicas. False: they cannot be asked, and this one is to decide alone.
func (l *Limiter) admitShared(ctx context.Context, s *sharing, p *Policy, ask Ask) (*Grant, *Refusal, bool) {
	d := s.admit(ctx, p, ask)
	switch {
	case d.err == nil:
		return d.grant, d.refusal, true
	case s.deny.Load():
		return nil, &Refusal{Reason: Unavailable, RetryAfter: unavailablePause, Status: noStatus()}, true
	}
	return nil, nil, false
}

// noStatus tells of no limits.
func noStatus() Status {
	return Status{Requests: Level{Limit: Unlimited}, Tokens: Level{Limit: Unlimited}}
}

// admit asks and waits.
func (s *sharing) admit(ctx context.Context, p *Policy, ask Ask) decision {
	if err := s.with.Away(); err != nil {
		return decision{err: err}
	}
	a := &asking{policy: p, ask: ask, done: make(chan decision, 1)}
	s.mu.Lock()
	g := s.group(p.group())
	g.asks = append(g.asks, a)
	s.mu.Unlock()
	timer := time.NewTimer(sharedWait)
	defer timer.Stop()
	err := errSlow
	select {
	case d := <-a.done:
		return d
	case <-ctx.Done():
		err = ctx.Err()
	case <-timer.C:
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case d := <-a.done:
		return d
	default:
		a.left = true
		return decision{err: err}
	}
}

// owe notes that there is something to tell of a key.
func (s *sharing) owe(p *Policy, told chan<- struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.group(p.group()).owe(p, told)
}

// owe notes that there is something to tell of a key. Told may be nil.
func (g *group) owe(p *Policy, told chan<- struct{}) {
	d := g.owed[p.Owner]
	if d == nil {
		d = &debt{policy: p}
		g.owed[p.Owner] = d
	}
	if told != nil {
		d.told = append(d.told, told)
	}
}

// group returns a group, and sees to it that it is worked on. sharing.mu is held.
func (s *sharing) group(name string) *group {
	g := s.groups[name]
	if g == nil {
		g = &group{owed: map[string]*debt{}}
		s.groups[name] = g
		go s.run(name, g)
	}
	return g
}

// work is one question.
type work struct {
	policy *Policy
	asks   []*asking
	told   []chan<- struct{}
}

// run asks until there is nothing left to ask or to tell.
func (s *sharing) run(name string, g *group) {
	for {
		s.mu.Lock()
		w := g.next()
		if w == nil {
			delete(s.groups, name)
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		s.do(g, w)
		for _, told := range w.told {
			told <- struct{}{}
		}
	}
}

// next takes the next question of a group; nil: there is none.
func (g *group) next() *work {
	g.asks = slices.DeleteFunc(g.asks, func(a *asking) bool { return a.left })
	if len(g.asks) > 0 && (!g.unsettled || len(g.owed) == 0) {
		w := &work{policy: g.asks[0].policy}
		g.asks = slices.DeleteFunc(g.asks, func(a *asking) bool {
			taken := len(w.asks) < maxAsks && a.policy.equal(w.policy)
			if taken {
				w.asks = append(w.asks, a)
			}
			return taken
		})
		if d := g.owed[w.policy.Owner]; d != nil {
			w.told = d.told
			delete(g.owed, w.policy.Owner)
		}
		return w
	}
	for owner, d := range g.owed {
		delete(g.owed, owner)
		return &work{policy: d.policy, told: d.told}
	}
	return nil
}

// do asks one question.
func (s *sharing) do(g *group, w *work) {
	now := s.limiter.now()
	asks := make([]Ask, len(w.asks))
	for i, a := range w.asks {
		asks[i] = a.ask
	}
	q := s.limiter.question(s.spending, w.policy, asks, now)
	verdicts, err := s.with.Ask(context.Background(), q) //nolint:forbidigo // it is asked for several requests; Shared bounds it
	if err == nil && q.Forget {
		s.limiter.forget(w.policy.Owner, now)
	}
	if len(w.asks) == 0 {
		return
	}
	s.mu.Lock()
	g.unsettled = errors.Is(err, ErrUnsettled)
	if g.unsettled {
		g.asks = append(w.asks, g.asks...)
		for _, told := range w.told {
			g.owe(w.policy, told)
		}
		w.told = nil
		s.mu.Unlock()
		<-time.After(unsettledPause)
		return
	}
	defer s.mu.Unlock()
	for i, a := range w.asks {
		d := decision{err: err}
		switch {
		case err != nil:
		case a.left:
			if verdicts[i].Reason == "" {
				g.owe(w.policy, nil) // what was granted is not used
			}
			continue
		case verdicts[i].Reason == "":
			d.grant = s.limiter.grant(a.policy, a.ask, &verdicts[i], now)
		default:
			d.refusal = verdicts[i].refusal(a.policy, a.ask, now)
		}
		a.done <- d
	}
}
