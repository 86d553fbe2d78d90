package feature_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/money"
	"vipcloud.ai/vipcloud/gateway/quota"
	"vipcloud.ai/vipcloud/test/redistest"
)

// fleet is two replicas of an instance that share one Redis.
type fleet struct {
	t        *testing.T
	replicas [2]*env
	redis    *redistest.Server
}

// newFleet starts two gateways and a Redis. The keys of both are those that change says.
func newFleet(t *testing.T, policy v1alpha1.LimitsFailurePolicy, change func(*v1alpha1.ApiKeySpec)) *fleet {
	t.Helper()
	f := &fleet{t: t, redis: redistest.Start(t)}
	for i := range f.replicas {
		e := limited(t, change)
		f.replicas[i] = e
		e.input.Instance.Spec.Redis = &v1alpha1.Redis{Address: v1alpha1.RedisAddress(f.redis.Address())}
		e.input.Instance.Spec.LimitsFailurePolicy = policy
		e.apply()
	}
	f.reached()
	return f
}

// reached waits until both replicas reach Redis.
func (f *fleet) reached() {
	f.t.Helper()
	for _, e := range f.replicas {
		eventually(f.t, "Redis to be reached", func() bool { return strings.Contains(e.metrics(), "\nvipcloud_redis_available 1\n") })
	}
}

// statuses are how often each status was answered.
type statuses map[int]int

// fire sends n requests to each replica at the same time, from many clients.
func (f *fleet) fire(n int, during func()) statuses {
	f.t.Helper()
	all := statuses{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, e := range f.replicas {
		var left sync.Mutex
		count := n
		for range 20 {
			wg.Go(func() {
				for {
					left.Lock()
					count--
					more := count >= 0
					left.Unlock()
					if !more {
						return
					}
					a := e.ask("deepseek-v4-pro")
					mu.Lock()
					all[a.status]++
					mu.Unlock()
				}
			})
		}
	}
	if during != nil {
		during()
	}
	wg.Wait()
	return all
}

// spent is what the books of both replicas say that the key has spent.
func (f *fleet) spent() money.Amount {
	var sum money.Amount
	for _, e := range f.replicas {
		sum += e.server.Books().Total("shop/web", "", quota.Month, time.Now())
	}
	return sum
}

// holds checks that no more was spent than the budget.
func (f *fleet) holds(budget money.Amount) {
	f.t.Helper()
	if spent := f.spent(); spent > budget {
		f.t.Errorf("%s of %s were spent", spent, budget)
	}
}

func requestsPerMinute(n int64) func(*v1alpha1.ApiKeySpec) {
	return func(s *v1alpha1.ApiKeySpec) { s.Limits = &v1alpha1.KeyLimits{RequestsPerMinute: new(n)} }
}

// monthly is a budget that covers some of the requests of a test.
func monthly(amount v1alpha1.Decimal) func(*v1alpha1.ApiKeySpec) {
	return func(s *v1alpha1.ApiKeySpec) { s.Budget = &v1alpha1.Budget{Amount: amount, Period: v1alpha1.BudgetPeriodMonth} }
}

// newMinute waits until a minute is young, so that a test ends within it.
func newMinute() {
	if left := time.Until(time.Now().Truncate(time.Minute).Add(time.Minute)); left < 25*time.Second {
		<-time.After(left + 10*time.Millisecond)
	}
}

func TestRedis_requestsPerMinuteAreExact(t *testing.T) {
	f := newFleet(t, v1alpha1.LimitsFailurePolicyDeny, requestsPerMinute(101))
	newMinute()
	if got := f.fire(200, nil); got[http.StatusOK] != 101 || got[http.StatusTooManyRequests] != 299 {
		t.Errorf("answers %v", got)
	}
	a := f.replicas[1].ask("deepseek-v4-pro").expect(http.StatusTooManyRequests)
	if a.header.Get("X-Ratelimit-Limit-Requests") != "101" || a.header.Get("X-Ratelimit-Remaining-Requests") != "0" || a.header.Get("Retry-After") == "" {
		t.Errorf("headers %v", a.header)
	}
}

func TestRedis_budgetIsExact(t *testing.T) {
	f := newFleet(t, v1alpha1.LimitsFailurePolicyDeny, monthly("0.002"))
	got := f.fire(200, nil)
	if got[http.StatusOK] == 0 || got[http.StatusPaymentRequired] == 0 || got[http.StatusOK]+got[http.StatusPaymentRequired] != 400 {
		t.Errorf("answers %v", got)
	}
	f.holds(2e9)
	t.Logf("answers %v, spent %s", got, f.spent())
}
