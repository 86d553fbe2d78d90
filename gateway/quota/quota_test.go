package quota_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"vipcloud.ai/vipcloud/gateway/money"
	"vipcloud.ai/vipcloud/gateway/quota"
)

// noon is when the tests begin, in the middle of no minute.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// clock is a clock that tests move.
type clock struct{ now time.Time }

// unlimited is a policy of nothing.
func unlimited() *quota.Policy {
	return &quota.Policy{Owner: "shop/web", RequestsPerMinute: quota.Unlimited, TokensPerMinute: quota.Unlimited, Concurrent: quota.Unlimited}
}

// books is what a set of replicas has spent and told each other.
type books struct {
	mu   sync.Mutex
	read money.Amount
}

// replica is the books as one replica sees them. A replica that is cut off can neither publish nor read.
type replica struct {
	*books
	id     int
	cutOff bool
	seen   money.Amount // what it has read last
	own    money.Amount // what it has spent since that
}

func (r *replica) Spent(string, string, quota.Period, time.Time) (money.Amount, money.Amount) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seen, r.own
}

func (r *replica) Publish(context.Context, string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cutOff {
		return
	}
	r.read += r.own
	r.own, r.seen = 0, r.read
}

// spend counts what a request has cost.
func (r *replica) spend(a money.Amount) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.own += a
}

func TestAdmit_unsetZeroAndALimitAreThreeThings(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*quota.Policy)
		asks   int
		want   int
		reason quota.Reason
	}{
		"nothing is set":        {func(*quota.Policy) {}, 100, 100, ""},
		"no requests":           {func(p *quota.Policy) { p.RequestsPerMinute = 0 }, 3, 0, quota.RequestsPerMinute},
		"some requests":         {func(p *quota.Policy) { p.RequestsPerMinute = 5 }, 8, 5, quota.RequestsPerMinute},
		"no tokens":             {func(p *quota.Policy) { p.TokensPerMinute = 0 }, 3, 0, quota.TokensPerMinute},
		"some tokens":           {func(p *quota.Policy) { p.TokensPerMinute = 35 }, 8, 3, quota.TokensPerMinute},
		"nothing at a time":     {func(p *quota.Policy) { p.Concurrent = 0 }, 3, 0, quota.Concurrency},
		"some at a time":        {func(p *quota.Policy) { p.Concurrent = 2 }, 8, 2, quota.Concurrency},
		"no money":              {func(p *quota.Policy) { p.Budgets = []quota.Budget{{Period: quota.Day}} }, 3, 0, quota.BudgetExceeded},
		"some money":            {func(p *quota.Policy) { p.Budgets = []quota.Budget{{Amount: 45, Period: quota.Day}} }, 8, 4, quota.BudgetExceeded},
		"the last bit of money": {func(p *quota.Policy) { p.Budgets = []quota.Budget{{Amount: 40, Period: quota.Day}} }, 8, 4, quota.BudgetExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			l := quota.New(quota.Options{Spending: &replica{books: &books{}}, Now: func() time.Time { return noon }})
			p := unlimited()
			tc.change(p)
			admitted := 0
			for range tc.asks {
				g, r := l.Admit(t.Context(), p, quota.Ask{Tokens: 10, Cost: 10})
				if (g == nil) == (r == nil) {
					t.Fatalf("grant %v, refusal %v", g, r)
				}
				if g != nil {
					admitted++
				} else if r.Reason != tc.reason {
					t.Errorf("refused for %s, want %s", r.Reason, tc.reason)
				}
			}
			if admitted != tc.want {
				t.Errorf("%d admitted, want %d", admitted, tc.want)
			}
		})
	}
}

func TestAdmit_aRefusalTakesNothing(t *testing.T) {
	l := quota.New(quota.Options{Spending: &replica{books: &books{}}, Now: func() time.Time { return noon }})
	p := unlimited()
	p.RequestsPerMinute, p.Concurrent = 2, 1
	g, _ := l.Admit(t.Context(), p, quota.Ask{})
	for range 5 {
		if _, r := l.Admit(t.Context(), p, quota.Ask{}); r == nil || r.Reason != quota.Concurrency {
			t.Fatalf("refusal %v", r)
		}
	}
	g.Release()
	if g, r := l.Admit(t.Context(), p, quota.Ask{}); r != nil || g.Status.Requests.Remaining != 0 {
		t.Errorf("refusals were counted as requests: %+v", r)
	}
}

func TestAdmit_theWindowSlides(t *testing.T) {
	c := &clock{now: noon.Add(30 * time.Second)}
	l := quota.New(quota.Options{Spending: &replica{books: &books{}}, Now: func() time.Time { return c.now }})
	p := unlimited()
	p.RequestsPerMinute = 60
	admit := func(n int) int {
		admitted := 0
		for range n {
			if g, _ := l.Admit(t.Context(), p, quota.Ask{}); g != nil {
				admitted++
				g.Release()
			}
		}
		return admitted
	}
	if n := admit(100); n != 60 {
		t.Fatalf("%d at once", n)
	}
	if _, r := l.Admit(t.Context(), p, quota.Ask{}); r.RetryAfter <= 0 || r.RetryAfter > time.Minute {
		t.Errorf("retry after %s", r.RetryAfter)
	}
	c.now = c.now.Add(45 * time.Second) // a quarter of the minute after
	if n := admit(100); n < 14 || n > 15 {
		t.Errorf("%d a quarter into the next minute, want 15", n)
	}
	c.now = c.now.Add(5 * time.Minute)
	if n := admit(100); n != 60 {
		t.Errorf("%d after a pause", n)
	}
}

func TestAdmit_afterRetryAfterThereIsRoom(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		c := &clock{now: noon.Add(time.Duration(random.IntN(60_000)) * time.Millisecond)}
		l := quota.New(quota.Options{Now: func() time.Time { return c.now }})
		p := unlimited()
		p.RequestsPerMinute = 1 + random.Int64N(20)
		for range 200 {
			c.now = c.now.Add(time.Duration(random.IntN(4000)) * time.Millisecond)
			if _, r := l.Admit(t.Context(), p, quota.Ask{}); r != nil {
				c.now = c.now.Add(r.RetryAfter)
				if _, r := l.Admit(t.Context(), p, quota.Ask{}); r != nil {
					t.Fatalf("limit %d: refused again after %s", p.RequestsPerMinute, r.RetryAfter)
				}
			}
		}
	}
}

func TestSettle_tokensAreCorrectedAndMoneyChangesHands(t *testing.T) {
	books := &replica{books: &books{}}
	l := quota.New(quota.Options{Spending: books, Now: func() time.Time { return noon }})
	p := unlimited()
	p.TokensPerMinute, p.Budgets = 100, []quota.Budget{{Amount: 100, Period: quota.Month}}
	for range 9 { // each reserves 90 of both, and uses 10
		g, r := l.Admit(t.Context(), p, quota.Ask{Tokens: 10 + 0, Cost: 20})
		if r != nil {
			t.Fatalf("refused: %+v", r)
		}
		books.spend(10)
		g.Settle(10)
	}
	if _, r := l.Admit(t.Context(), p, quota.Ask{Tokens: 10, Cost: 11}); r == nil || r.Reason != quota.BudgetExceeded || r.Spent != 90 {
		t.Errorf("refusal %+v", r)
	}
}

// fire sends requests at a replica from many goroutines and returns what they cost in the end.
func fire(t *testing.T, l *quota.Limiter, r *replica, p *quota.Policy, n int) money.Amount {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var total money.Amount
	for i := range n {
		wg.Go(func() {
			g, _ := l.Admit(t.Context(), p, quota.Ask{Cost: 10})
			if g == nil {
				return
			}
			cost := money.Amount(10 - i%4) // never more than was reserved
			r.spend(cost)
			g.Settle(0)
			mu.Lock()
			defer mu.Unlock()
			total += cost
		})
	}
	wg.Wait()
	return total
}

func TestAdmit_replicasStayWithinTheStatedBound(t *testing.T) {
	for name, tc := range map[string]struct {
		cutOff [2]bool
		bound  money.Amount
	}{
		"both cut off":   {[2]bool{true, true}, 1000},
		"one is cut off": {[2]bool{true, false}, 1500},
		"none is":        {[2]bool{false, false}, 1500},
	} {
		t.Run(name, func(t *testing.T) {
			shared := &books{}
			var total money.Amount
			limiters, replicas := make([]*quota.Limiter, 2), make([]*replica, 2)
			for i := range 2 {
				replicas[i] = &replica{books: shared, id: i, cutOff: tc.cutOff[i]}
				limiters[i] = quota.New(quota.Options{Spending: replicas[i], Replicas: func() int { return 2 }, Now: func() time.Time { return noon }})
			}
			p := unlimited()
			p.Budgets = []quota.Budget{{Amount: 1000, Period: quota.Day}}
			for range 3 {
				for i := range 2 {
					total += fire(t, limiters[i], replicas[i], p, 200)
				}
			}
			if total > tc.bound || total < 900 {
				t.Errorf("%d of 1000 were spent, the bound is %d", total, tc.bound)
			}
		})
	}
}

func TestAdmit_sharesOfRatesAddUpToTheLimit(t *testing.T) {
	for _, tc := range []struct{ limit, replicas, want int64 }{{10, 2, 10}, {10, 3, 12}, {1, 3, 3}, {0, 3, 0}} {
		var admitted, refusals int64
		for range tc.replicas {
			l := quota.New(quota.Options{
				Replicas: func() int { return int(tc.replicas) }, Now: func() time.Time { return noon },
				ShareRefused: func(quota.Reason) { refusals++ },
			})
			p := unlimited()
			p.RequestsPerMinute = tc.limit
			for range 20 {
				if g, _ := l.Admit(t.Context(), p, quota.Ask{}); g != nil {
					admitted++
				}
			}
		}
		if admitted != tc.want {
			t.Errorf("limit %d over %d replicas admits %d, want %d", tc.limit, tc.replicas, admitted, tc.want)
		}
		if below := tc.limit > tc.want/tc.replicas; below != (refusals > 0) {
			t.Errorf("limit %d over %d replicas: %d refusals below the whole limit", tc.limit, tc.replicas, refusals)
		}
	}
}

func TestAdmit_aSpaceIsSharedByItsKeys(t *testing.T) {
	l := quota.New(quota.Options{Spending: &replica{books: &books{}}, Now: func() time.Time { return noon }})
	var grants []*quota.Grant
	for _, owner := range []string{"shop/a", "shop/b", "shop/c"} {
		p := unlimited()
		p.Owner, p.Space, p.SpaceBudgets = owner, "shop/", []quota.Budget{{Amount: 50, Period: quota.Month}}
		for range 3 {
			if g, r := l.Admit(t.Context(), p, quota.Ask{Cost: 10}); r == nil {
				grants = append(grants, g)
			} else if r.Reason != quota.BudgetExceeded || !r.Space {
				t.Errorf("refusal %+v", r)
			}
		}
	}
	if len(grants) != 5 {
		t.Errorf("%d admitted, want 5", len(grants))
	}
	for _, g := range grants {
		g.Release()
	}
	p := unlimited()
	p.Owner, p.Space, p.SpaceBudgets = "shop/d", "shop/", []quota.Budget{{Amount: 50, Period: quota.Month}}
	if _, r := l.Admit(t.Context(), p, quota.Ask{Cost: 50}); r != nil {
		t.Errorf("what was given back is not there: %+v", r)
	}
}

func TestPeriod_ends(t *testing.T) {
	for period, want := range map[quota.Period]string{
		quota.Day: "2026-11-23T00:00:00Z", quota.Week: "2026-11-23T00:00:00Z", quota.Month: "2026-12-01T00:00:00Z", quota.Lifetime: "0001-01-01T00:00:00Z",
	} {
		shanghai := time.FixedZone("CST", 8*3600)
		if got := period.End(noon.In(shanghai)).Format(time.RFC3339); got != want { // the 22nd is a Sunday
			t.Errorf("%s ends at %s, want %s", period, got, want)
		}
	}
}

func TestAdmit_allocatesLittle(t *testing.T) {
	l := quota.New(quota.Options{Spending: &replica{books: &books{}}})
	p := unlimited()
	p.RequestsPerMinute, p.Budgets = 1<<40, []quota.Budget{{Amount: 1 << 60, Period: quota.Day}}
	if n := testing.AllocsPerRun(100, func() {
		g, _ := l.Admit(context.Background(), p, quota.Ask{Tokens: 5, Cost: 5})
		g.Settle(3)
	}); n > 1 {
		t.Errorf("%v allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() { _, _ = l.Admit(context.Background(), unlimited(), quota.Ask{}) }); n > 2 {
		t.Errorf("%v allocations for a key without limits", n)
	}
}

func BenchmarkAdmit(b *testing.B) {
	l := quota.New(quota.Options{Spending: &replica{books: &books{}}})
	p := unlimited()
	p.RequestsPerMinute, p.Budgets = 1<<40, []quota.Budget{{Amount: 1 << 60, Period: quota.Day}}
	b.ReportAllocs()
	for b.Loop() {
		g, _ := l.Admit(context.Background(), p, quota.Ask{Tokens: 5, Cost: 5})
		g.Settle(3)
	}
}
