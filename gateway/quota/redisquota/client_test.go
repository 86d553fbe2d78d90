package redisquota

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"vipcloud.ai/vipcloud/gateway/money"
	"vipcloud.ai/vipcloud/gateway/quota"
	"vipcloud.ai/vipcloud/gateway/table"
	"vipcloud.ai/vipcloud/test/redistest"
)

// books are what one replica has spent, all in one budget. Nobody reports anything.
type books struct {
	mu    sync.Mutex
	name  string
	spent map[string]money.Amount
}

// Spent implements quota.Spending.
func (b *books) Spent(owner, _ string, _ quota.Period, _ time.Time) (read, since money.Amount) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return 0, b.spent[owner]
}

// Publish implements quota.Spending.
func (*books) Publish(context.Context, string) {}

// Standing implements quota.Standings.
func (b *books) Standing(owner, _ string, _ quota.Period, _ time.Time) quota.Standing {
	b.mu.Lock()
	defer b.mu.Unlock()
	return quota.Standing{Own: b.spent[owner], Report: b.name}
}

// spend counts.
func (b *books) spend(owner string, a money.Amount) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.spent[owner] += a
}

// replica is a limiter that shares limits.
type replica struct {
	t       testing.TB
	limiter *quota.Limiter
	books   *books
	client  *Client
}

// newReplica starts one of two replicas.
func newReplica(tb testing.TB, address, name string, lease time.Duration) *replica {
	tb.Helper()
	r := &replica{t: tb, books: &books{name: name, spent: map[string]money.Amount{}}}
	r.limiter = quota.New(quota.Options{Spending: r.books})
	r.client = New(Options{
		Redis: &table.Redis{Mode: table.RedisSingle, Addresses: []string{address}}, Scope: "n/i", Tell: r.limiter.Tell, Replicas: func() int { return 2 },
	})
	r.client.lease = lease
	if err := r.limiter.Share(r.client, true); err != nil {
		tb.Fatal(err)
	}
	r.client.Start()
	tb.Cleanup(func() { r.client.Close(context.WithoutCancel(tb.Context())) })
	return r
}

// pair starts a Redis and two replicas.
func pair(t *testing.T) (*redistest.Server, *replica, *replica) {
	t.Helper()
	s := redistest.Start(t)
	return s, newReplica(t, s.Address(), "a", Lease), newReplica(t, s.Address(), "b", Lease)
}

// admit asks for leave.
func (r *replica) admit(p *quota.Policy, cost money.Amount) (*quota.Grant, *quota.Refusal) {
	return r.limiter.Admit(r.t.Context(), p, quota.Ask{Tokens: 1, Cost: cost})
}

// policy is one without limits.
func policy(owner string) *quota.Policy {
	return &quota.Policy{Owner: owner, RequestsPerMinute: quota.Unlimited, TokensPerMinute: quota.Unlimited, Concurrent: quota.Unlimited}
}

// budget is a lifetime's.
func budget(a money.Amount) []quota.Budget {
	return []quota.Budget{{Amount: a, Period: quota.Lifetime}}
}

func TestClient_moneyIsExactToTheLastDigit(t *testing.T) {
	_, a, b := pair(t)
	p := policy("shop/web")
	p.Budgets = budget(money.Max - 1)
	half := money.Amount(1) << 62 // 4611686018427387904: two of them are money.Max + 1
	if _, r := a.admit(p, half); r != nil {
		t.Fatalf("the first half is refused: %+v", r)
	}
	if _, r := b.admit(p, half-1); r == nil || r.Reason != quota.BudgetExceeded {
		t.Fatalf("one too much is admitted: %+v", r)
	}
	if _, r := b.admit(p, half-2); r != nil {
		t.Fatalf("what is left to the last digit is refused: %+v", r)
	}
	if _, r := a.admit(p, 1); r == nil || r.Reason != quota.BudgetExceeded {
		t.Fatalf("one more is admitted: %+v", r)
	}
}

func TestClient_keysOfANamespaceShareABudget(t *testing.T) {
	_, a, b := pair(t)
	web, app := policy("shop/web"), policy("shop/app")
	for _, p := range []*quota.Policy{web, app} {
		p.Space, p.SpaceBudgets = "shop/", budget(100)
	}
	g, r := a.admit(web, 60)
	if r != nil {
		t.Fatalf("refused: %+v", r)
	}
	if _, r := b.admit(app, 50); r == nil || r.Reason != quota.BudgetExceeded || !r.Space || r.Budget.Amount != 100 {
		t.Errorf("another key, another replica: %+v", r)
	}
	a.books.spend("shop/", 30)
	g.Settle(1)
	redistest.Eventually(t, "the rest to come back", func() bool {
		g, r := b.admit(app, 50)
		if r == nil {
			g.Release()
		}
		return r == nil
	})
	if _, r := b.admit(app, 71); r == nil || r.Spent != 30 {
		t.Errorf("more than is left: %+v", r)
	}
}

func TestClient_placesOfAReplicaThatDiedComeBack(t *testing.T) {
	s := redistest.Start(t)
	const lease = 2 * time.Second
	a, b := newReplica(t, s.Address(), "a", lease), newReplica(t, s.Address(), "b", lease)
	p := policy("shop/web")
	p.Concurrent = 1
	if _, r := a.admit(p, 0); r != nil {
		t.Fatalf("refused: %+v", r)
	}
	if _, r := b.admit(p, 0); r == nil || r.Reason != quota.Concurrency {
		t.Fatalf("a place that is taken: %+v", r)
	}
	// As kill -9 does: nothing is said any more.
	died := time.Now()
	a.client.stop()
	<-a.client.done
	redistest.Eventually(t, "the place to come back", func() bool {
		_, r := b.admit(p, 0)
		return r == nil
	})
	if after := time.Since(died); after < lease-2*greetEvery {
		t.Errorf("it came back after %s", after)
	}
}

func TestClient_placesOfAReplicaThatLivesAreKept(t *testing.T) {
	s := redistest.Start(t)
	const lease = 2 * time.Second
	a, b := newReplica(t, s.Address(), "a", lease), newReplica(t, s.Address(), "b", lease)
	p := policy("shop/web")
	p.Concurrent = 1
	g, r := a.admit(p, 0)
	if r != nil {
		t.Fatalf("refused: %+v", r)
	}
	for end := time.Now().Add(2 * lease); time.Now().Before(end); <-time.After(50 * time.Millisecond) {
		if _, r := b.admit(p, 0); r == nil {
			t.Fatal("a place that is taken is given away")
		}
	}
	g.Release()
	redistest.Eventually(t, "the place to come back", func() bool {
		_, r := b.admit(p, 0)
		return r == nil
	})
}

func TestClient_aRowThatIsLostBeginsANewEpoch(t *testing.T) {
	s, a, b := pair(t)
	p := policy("shop/web")
	p.Concurrent = 2
	if _, r := a.admit(p, 0); r != nil {
		t.Fatalf("refused: %+v", r)
	}
	if _, r := b.admit(p, 0); r != nil {
		t.Fatalf("refused: %+v", r)
	}
	if err := s.Client().Del(t.Context(), "vipcloud:{n/i/0}:owner:shop/web").Err(); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if _, r := b.admit(p, 0); r == nil || r.Reason != quota.Concurrency {
			t.Fatalf("what a had told is forgotten: %+v", r)
		}
	}
}

func TestClient_whatIsIdleIsForgotten(t *testing.T) {
	s, a, _ := pair(t)
	p := policy("shop/web")
	p.Concurrent = 1
	g, r := a.admit(p, 0)
	if r != nil {
		t.Fatalf("refused: %+v", r)
	}
	g.Release()
	c := s.Client()
	if n, err := c.HLen(t.Context(), "vipcloud:{n/i/0}:owner:shop/web").Result(); err != nil || n != 1 {
		t.Errorf("%d rows, %v", n, err)
	}
	ttl, err := c.PTTL(t.Context(), "vipcloud:{n/i/0}:owner:shop/web").Result()
	if err != nil || ttl <= keep/2 || ttl > keep {
		t.Errorf("it would expire in %s, %v", ttl, err)
	}
}

func TestClient_whatCannotBeUsedIsAway(t *testing.T) {
	var heard []error
	for _, r := range []*table.Redis{
		{Mode: table.RedisSingle, Addresses: []string{"127.0.0.1:1"}, Problem: &table.Problem{Message: "its Secret does not exist"}},
		{Mode: table.RedisSingle, Addresses: []string{"127.0.0.1:1"}, TLS: true, CABundle: []byte("none")},
	} {
		c := New(Options{Redis: r, Scope: "n/i", Tell: func(context.Context, func(string) bool) {}, Changed: func(_ *Client, err error) { heard = append(heard, err) }})
		c.Start()
		if err := c.Away(); !errors.Is(err, errUnusable) {
			t.Errorf("got %v", err)
		}
		c.Close(t.Context())
	}
	if len(heard) != 2 {
		t.Errorf("heard %v", heard)
	}
}

func BenchmarkAdmit(b *testing.B) {
	s := redistest.Start(b)
	r := newReplica(b, s.Address(), "a", Lease)
	newReplica(b, s.Address(), "b", Lease)
	p := policy("shop/web")
	p.RequestsPerMinute, p.Concurrent, p.Budgets = 1<<40, 1<<40, budget(money.Max)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			g, refusal := r.admit(p, 1)
			if refusal != nil {
				b.Errorf("refused: %+v", refusal)
				return
			}
			g.Settle(1)
		}
	})
	b.StopTimer()
	report(b, s)
}

// report tells what it cost Redis: time by question, and memory of the owner.
func report(b *testing.B, s *redistest.Server) {
	b.Helper()
	c := s.Client()
	stats, err := c.Info(b.Context(), "commandstats").Result()
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.SplitSeq(stats, "\r\n") {
		var calls int64
		var perCall float64
		_, rest, _ := strings.Cut(line, "cmdstat_evalsha:")
		if n, _ := fmt.Sscanf(rest, "calls=%d,", &calls); n == 0 {
			continue
		}
		_, rest, _ = strings.Cut(rest, "usec_per_call=")
		if _, err := fmt.Sscanf(rest, "%f,", &perCall); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(perCall, "redis-µs/question")
		b.ReportMetric(float64(calls)/float64(b.N), "questions/op")
	}
	bytes, err := c.MemoryUsage(b.Context(), "vipcloud:{n/i/0}:owner:shop/web").Result()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(bytes), "redis-B/owner")
}

func TestClient_whatRedisLosesReplicasTellAgain(t *testing.T) {
	for name, lose := range map[string]func(*redistest.Server){
		"FLUSHALL":             func(s *redistest.Server) { s.FlushAll() },
		"kill -9":              func(s *redistest.Server) { s.Kill(); s.Run() },
		"only the last second": func(s *redistest.Server) { s.Kill(); s.Run() }, // what was saved is loaded
	} {
		t.Run(name, func(t *testing.T) {
			s, a, b := pair(t)
			p := policy("shop/web")
			p.Budgets = budget(100)
			g, r := b.admit(p, 1)
			if r != nil {
				t.Fatalf("refused: %+v", r)
			}
			g.Release()
			if name == "only the last second" {
				if err := s.Client().Save(t.Context()).Err(); err != nil {
					t.Fatal(err)
				}
			}
			if g, r = a.admit(p, 30); r != nil {
				t.Fatalf("refused: %+v", r)
			}
			a.books.spend("shop/web", 30)
			g.Settle(1)
			if _, r = a.admit(p, 30); r != nil {
				t.Fatalf("refused: %+v", r)
			}
			for range 10 {
				lose(s)
				for end := time.Now().Add(30 * time.Second); ; <-time.After(time.Millisecond) {
					_, r := b.admit(p, 41)
					if r == nil {
						t.Fatal("one too much is admitted")
					}
					if r.Reason == quota.BudgetExceeded && r.Spent == 30 {
						break
					}
					if r.Reason != quota.Unavailable || time.Now().After(end) {
						t.Fatalf("got %+v", r)
					}
				}
			}
			if _, r := b.admit(p, 40); r != nil {
				t.Errorf("what is left is refused: %+v", r)
			}
		})
	}
}

func TestClient_overdrawsNothingWhileItIsLost(t *testing.T) {
	s, a, b := pair(t)
	p := policy("shop/web")
	const amount, each = 40000, 7
	p.Budgets = budget(amount)
	var wg sync.WaitGroup
	for _, r := range []*replica{a, b} {
		for range 20 {
			wg.Go(func() {
				for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); {
					g, refusal := r.admit(p, each)
					if refusal != nil && refusal.Spent+each > amount {
						return
					}
					if refusal == nil {
						r.books.spend("shop/web", each)
						g.Settle(1)
					}
				}
				t.Error("the budget was never used")
			})
		}
	}
	ended := make(chan struct{})
	go func() { wg.Wait(); close(ended) }()
	for lost := 0; ; lost++ {
		select {
		case <-ended:
			if spent := a.books.spent["shop/web"] + b.books.spent["shop/web"]; spent > amount || spent <= amount-each {
				t.Errorf("%d of %d were spent", spent, amount)
			}
			t.Logf("lost %d times", lost)
			return
		case <-time.After(100 * time.Millisecond):
			s.FlushAll()
		}
	}
}
