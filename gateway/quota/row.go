package quota

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"vipcloud.ai/vipcloud/gateway/money"
)

// Row is what one replica is doing with one owner. All of it is absolute: to tell it twice, late or after everything was lost is
// the same as to tell it once.
type Row struct {
	// Minute is which minute since 1970 the rates speak of. Requests and Tokens are those of that minute and of the one before.
	Minute           int64
	Requests, Tokens [2]int64
	// Running requests and what they have Reserved in all budgets.
	Running  int64
	Reserved money.Amount
	// Report names where the replica reports what it has counted of this owner, and Own is what that comes to by budget (see
	// Line.ID), reported or not.
	Report string
	Own    map[string]money.Amount
}

// Line is a budget and what is known of it here.
type Line struct {
	// ID names the period that the budget speaks of now, and the value of the reset annotation.
	ID     string
	Amount money.Amount
	// Read is what all reports said when they were last read, and Pages which part of that is whose: a replica that owns up to
	// more than its page has not reported the rest yet.
	Read  money.Amount
	Pages map[string]money.Amount
}

// Question tells what this replica does with an owner, and asks for leave for more.
type Question struct {
	// Group is whose questions are asked one after the other. Space is empty if the owner shares no budget.
	Group, Owner, Space string
	At                  time.Time
	// Row of the owner and SpaceRow of the space as they are without what is asked for.
	Row, SpaceRow Row
	// Forget says that the replica does nothing with the owner any more, so that its row can go.
	Forget bool
	// RequestsPerMinute, TokensPerMinute and Concurrent are limits, or Unlimited.
	RequestsPerMinute, TokensPerMinute, Concurrent int64
	Budgets, SpaceBudgets                          []Line
	// Asks are decided in this order; none: there is only something to tell.
	Asks []Ask
}

// Verdict is the answer to an ask.
type Verdict struct {
	// Reason is why not; empty: granted. BudgetExceeded says which Budget, whether it is one of the Space, and what is Spent of it.
	Reason Reason
	Budget int
	Space  bool
	Spent  money.Amount
	// Requests and Tokens are those of all replicas in this minute and in the one before, this ask included if it is granted.
	Requests, Tokens [2]int64
}

// Standing is what is known of a budget here.
type Standing struct {
	// Read and Pages are as in Line, Report and Own as in Row.
	Read, Own money.Amount
	Report    string
	Pages     map[string]money.Amount
}

// Standings is Spending that also tells which part is whose. It is needed to share limits.
type Standings interface {
	Spending
	// Standing returns where a key stands in the period that a time lies in.
	Standing(owner, reset string, period Period, at time.Time) Standing
}

// lineID names a budget's period and reset value.
func lineID(period Period, reset string, at time.Time) string {
	end := int64(0)
	if t := period.End(at); !t.IsZero() {
		end = t.Unix()
	}
	return string(period) + "/" + strconv.FormatInt(end, 10) + "/" + reset
}

// lines tells of budgets, and enters what this replica has counted of them into a row. The row must have been made before: what has
// moved from reserved to counted since then counts twice, and never not at all.
func lines(spending Standings, owner, reset string, budgets []Budget, at time.Time, row *Row) []Line {
	var all []Line
	for _, b := range budgets {
		s := spending.Standing(owner, reset, b.Period, at)
		id := lineID(b.Period, reset, at)
		if row.Own == nil {
			row.Own = map[string]money.Amount{}
		}
		row.Own[id], row.Report = s.Own, s.Report
		all = append(all, Line{ID: id, Amount: b.Amount, Read: s.Read, Pages: s.Pages})
	}
	return all
}

// row is what a key is doing, money that was counted left out.
func (k *state) row(now time.Time) Row {
	k.requests.roll(now)
	k.tokens.roll(now)
	return Row{
		Minute:   now.Truncate(minute).Unix() / int64(minute/time.Second),
		Requests: [2]int64{k.requests.current, k.requests.previous}, Tokens: [2]int64{k.tokens.current, k.tokens.previous},
		Running: k.running, Reserved: k.reserved,
	}
}

// idleAfter is when the row of a silent key goes: nothing of it counts any more.
const idleAfter = 150 * time.Second

// idle says that a key does nothing, and has done nothing for long.
func (k *state) idle(now time.Time) bool {
	return k.running == 0 && k.reserved == 0 && now.Sub(k.touched) > idleAfter
}

// question says what this replica does with an owner, and asks. Policy may lack limits or budgets that do not matter to what is asked;
// the row has all of them.
func (l *Limiter) question(spending Standings, p *Policy, asks []Ask, now time.Time) *Question {
	q := &Question{
		Group: p.group(), Owner: p.Owner, At: now, Asks: asks,
		RequestsPerMinute: p.RequestsPerMinute, TokensPerMinute: p.TokensPerMinute, Concurrent: p.Concurrent,
	}
	whole := p
	s := shardOf(&l.shards, p.Owner)
	s.mu.Lock()
	if len(asks) > 0 {
		s.of(p.Owner, now).remember(p) // before anything is granted, so that it is among what is told
	}
	if k := s.keys[p.Owner]; k != nil {
		q.Row = k.row(now)
		if k.policy != nil {
			whole = k.policy
		}
		q.Forget = len(asks) == 0 && k.idle(now)
	} else {
		q.Row = (&state{}).row(now)
		q.Forget = len(asks) == 0
	}
	s.mu.Unlock()
	if len(whole.SpaceBudgets) > 0 {
		q.Space = whole.Space
		q.SpaceRow = l.spaceRow(whole.Space, now)
		q.SpaceBudgets = lines(spending, whole.Space, "", whole.SpaceBudgets, now, &q.SpaceRow)
	}
	q.Budgets = lines(spending, whole.Owner, whole.Reset, whole.Budgets, now, &q.Row)
	q.Forget = q.Forget && unreported(q.Row, q.Budgets) == 0
	if len(p.SpaceBudgets) == 0 {
		q.SpaceBudgets = nil
	}
	if len(p.Budgets) == 0 {
		q.Budgets = nil
	}
	return q
}

// unreported is what a row owns up to beyond its page.
func unreported(r Row, budgets []Line) (rest money.Amount) {
	for _, b := range budgets {
		rest = max(rest, r.Own[b.ID]-b.Pages[r.Report])
	}
	return rest
}

// spaceRow is what all keys of a space do with its budget.
func (l *Limiter) spaceRow(space string, now time.Time) Row {
	s := shardOf(&l.spaces, space)
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.keys[space]; k != nil {
		return k.row(now)
	}
	return (&state{}).row(now)
}

// group is whose asks are decided one after the other: those of keys that share a budget, or of one key.
func (p *Policy) group() string {
	if p.Space != "" {
		return p.Space
	}
	return p.Owner
}

// equal says that two requests ask under the same limits.
func (p *Policy) equal(o *Policy) bool {
	return p == o || p.Owner == o.Owner && p.Reset == o.Reset && p.RequestsPerMinute == o.RequestsPerMinute && p.TokensPerMinute == o.TokensPerMinute &&
		p.Concurrent == o.Concurrent && p.Space == o.Space && slices.Equal(p.Budgets, o.Budgets) && slices.Equal(p.SpaceBudgets, o.SpaceBudgets)
}

// grant enters what was granted by all replicas into what this one knows.
func (l *Limiter) grant(p *Policy, ask Ask, v *Verdict, now time.Time) *Grant {
	s := shardOf(&l.shards, p.Owner)
	s.mu.Lock()
	k := s.of(p.Owner, now)
	k.remember(p)
	k.requests.add(now, 1)
	k.tokens.add(now, ask.Tokens)
	k.running++
	k.reserved += ask.Cost
	s.mu.Unlock()
	if len(p.SpaceBudgets) > 0 {
		s := shardOf(&l.spaces, p.Space)
		s.mu.Lock()
		s.of(p.Space, now).reserved += ask.Cost
		s.mu.Unlock()
	}
	return &Grant{limiter: l, policy: p, ask: ask, shard: s, Status: v.status(p, now)}
}

// remember keeps a policy to tell other replicas of. One without budgets, which do not matter to every request, does not replace one
// with them.
func (k *state) remember(p *Policy) {
	if k.policy == nil || len(p.Budgets)+len(p.SpaceBudgets) > 0 {
		k.policy = p
	}
}

// windows are the rates of all replicas.
func (v *Verdict) windows(now time.Time) (requests, tokens window) {
	start := now.Truncate(minute)
	return window{start: start, current: v.Requests[0], previous: v.Requests[1]}, window{start: start, current: v.Tokens[0], previous: v.Tokens[1]}
}

// status is where the limits stand for all replicas together.
func (v *Verdict) status(p *Policy, now time.Time) Status {
	requests, tokens := v.windows(now)
	return (&state{requests: requests, tokens: tokens}).status(p, now, 1)
}

// refusal tells a client why not.
func (v *Verdict) refusal(p *Policy, ask Ask, now time.Time) *Refusal {
	requests, tokens := v.windows(now)
	r := &Refusal{Reason: v.Reason, Status: v.status(p, now), Space: v.Space, Spent: v.Spent, RetryAfter: time.Second}
	switch v.Reason {
	case RequestsPerMinute:
		r.Limit, r.RetryAfter = p.RequestsPerMinute, max(requests.frees(now, 1, p.RequestsPerMinute), time.Millisecond)
	case TokensPerMinute:
		r.Limit, r.RetryAfter = p.TokensPerMinute, max(tokens.frees(now, ask.Tokens, p.TokensPerMinute), time.Millisecond)
	case Concurrency:
		r.Limit = p.Concurrent
	case BudgetExceeded:
		r.RetryAfter = 0
		budgets := p.Budgets
		if v.Space {
			budgets = p.SpaceBudgets
		}
		if v.Budget < len(budgets) {
			r.Budget = budgets[v.Budget]
		}
	case BudgetContention, Unavailable:
	}
	return r
}

// active returns the policies of all keys that have a row, by group.
func (l *Limiter) active() map[string][]*Policy {
	all := map[string][]*Policy{}
	for i := range l.shards {
		s := &l.shards[i]
		s.mu.Lock()
		for k := range maps.Values(s.keys) {
			if k.policy != nil {
				all[k.policy.group()] = append(all[k.policy.group()], k.policy)
			}
		}
		s.mu.Unlock()
	}
	return all
}

// forget says that the row of a silent key is gone.
func (l *Limiter) forget(owner string, now time.Time) {
	s := shardOf(&l.shards, owner)
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.keys[owner]; k != nil && k.idle(now) {
		k.policy = nil
	}
}

// forgetAll says that nobody else knows of any key.
func (l *Limiter) forgetAll() {
	for i := range l.shards {
		s := &l.shards[i]
		s.mu.Lock()
		for k := range maps.Values(s.keys) {
			k.policy = nil
		}
		s.mu.Unlock()
	}
}
