package feature_test

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway"
	"vipcloud.ai/vipcloud/gateway/money"
	"vipcloud.ai/vipcloud/gateway/quota"
	"vipcloud.ai/vipcloud/gateway/spend"
	"vipcloud.ai/vipcloud/gateway/table"
	"vipcloud.ai/vipcloud/test/redistest"
	"vipcloud.ai/vipcloud/test/sim"
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
	redis := redistest.Start(t)
	f := newFleetWith(t, v1alpha1.Redis{Address: v1alpha1.RedisAddress(redis.Address())}, policy, change)
	f.redis = redis
	return f
}

// newFleetWith is newFleet with a Redis that runs.
func newFleetWith(t *testing.T, redis v1alpha1.Redis, policy v1alpha1.LimitsFailurePolicy, change func(*v1alpha1.ApiKeySpec)) *fleet {
	t.Helper()
	begin := time.Now()
	early := begin.Sub(begin.Truncate(time.Minute)) // so that the minute is young, and a test ends within it
	f := &fleet{t: t}
	for i := range f.replicas {
		e := limited(t, change, func(o *gateway.Options) {
			o.ShareLimits, o.Now = true, func() time.Time { return time.Now().Add(-early) }
		})
		f.replicas[i] = e
		e.input.Instance.Spec.Redis = &redis
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
		redistest.Eventually(f.t, "Redis to be reached", func() bool { return strings.Contains(e.metrics(), "\nvipcloud_redis_available 1\n") })
	}
}

// statuses are how often each status was answered.
type statuses map[int]int

// decided asks until there is a decision: while Redis is away there is none.
func (e *env) decided() *answer {
	for end := time.Now().Add(redisPatience); ; <-time.After(20 * time.Millisecond) {
		if a := e.ask("deepseek-v4-pro"); a.status != http.StatusServiceUnavailable || time.Now().After(end) {
			return a
		}
	}
}

// redisPatience is how long a Redis may take to come back on a busy machine.
const redisPatience = time.Minute

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
					a := e.decided()
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
	return func(s *v1alpha1.ApiKeySpec) {
		s.Budget = &v1alpha1.Budget{Amount: amount, Period: v1alpha1.BudgetPeriodMonth}
	}
}

func TestRedis_requestsPerMinuteAreExact(t *testing.T) {
	f := newFleet(t, v1alpha1.LimitsFailurePolicyDeny, requestsPerMinute(101))
	if got := f.fire(200, nil); got[http.StatusOK] != 101 || got[http.StatusTooManyRequests] != 299 {
		t.Errorf("answers %v", got)
	}
	a := f.replicas[1].decided().expect(http.StatusTooManyRequests)
	if a.header.Get("X-Ratelimit-Limit-Requests") != "101" || a.header.Get("X-Ratelimit-Remaining-Requests") != "0" || a.header.Get("Retry-After") == "" {
		t.Errorf("headers %v", a.header)
	}
}

func TestRedis_tokensPerMinuteAreExact(t *testing.T) {
	const limit = 3000
	f := newFleet(t, v1alpha1.LimitsFailurePolicyDeny, func(s *v1alpha1.ApiKeySpec) { s.Limits = &v1alpha1.KeyLimits{TokensPerMinute: new(int64(limit))} })
	got := f.fire(200, nil)
	if got[http.StatusOK] == 0 || got[http.StatusOK]+got[http.StatusTooManyRequests] != 400 {
		t.Errorf("answers %v", got)
	}
	const most = 250 // what one request may use
	used := func() (sum int) {
		for _, e := range f.replicas {
			for _, entry := range e.ledger(sim.DeepSeek) {
				sum += entry.PromptTokens + entry.CompletionTokens
			}
		}
		return sum
	}
	eventually(t, "the limit to be used", func() bool {
		return f.replicas[0].ask("deepseek-v4-pro").status == http.StatusTooManyRequests && used() > limit-most
	})
	if used() > limit {
		t.Errorf("%d tokens were used", used())
	}
}

func TestRedis_concurrencyIsExactAndComesBack(t *testing.T) {
	f := newFleet(t, v1alpha1.LimitsFailurePolicyDeny, func(s *v1alpha1.ApiKeySpec) { s.Limits = &v1alpha1.KeyLimits{ConcurrentRequests: new(int64(7))} })
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	refused := make(chan int, 400)
	var wg sync.WaitGroup
	for _, e := range f.replicas {
		e.vendors.Vendor(sim.DeepSeek).FailNext(200, sim.StallFirst)
		for range 50 {
			wg.Go(func() {
				status := e.stalled(ctx)
				for status == http.StatusServiceUnavailable {
					status = e.stalled(ctx)
				}
				if status != 0 {
					refused <- status
				}
			})
		}
	}
	eventually(t, "93 refusals", func() bool { return len(refused) == 93 })
	if n := f.replicas[0].vendors.Vendor(sim.DeepSeek).InFlight() + f.replicas[1].vendors.Vendor(sim.DeepSeek).InFlight(); n != 7 {
		t.Errorf("%d run", n)
	}
	leave()
	wg.Wait()
	for _, e := range f.replicas {
		e.vendors.Vendor(sim.DeepSeek).Heal()
	}
	eventually(t, "the places to come back", func() bool { return f.replicas[0].ask("deepseek-v4-pro").status == http.StatusOK })
}

// stalled sends a request and returns its status, 0 if it was left.
func (e *env) stalled(ctx context.Context) int {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.base+"/v1/chat/completions", strings.NewReader(chat("deepseek-v4-pro", "wait")))
	if err != nil {
		return -1
	}
	req.Header.Set("Authorization", "Bearer "+testKey)
	resp, err := client.Do(req)
	if err != nil {
		return 0
	}
	defer func() { _ = resp.Body.Close() }()
	return resp.StatusCode
}

func TestRedis_budgetIsExact(t *testing.T) {
	f := newFleet(t, v1alpha1.LimitsFailurePolicyDeny, monthly("0.002"))
	got := f.fire(200, nil)
	if got[http.StatusOK] == 0 || got[http.StatusPaymentRequired] == 0 || got[http.StatusOK]+got[http.StatusPaymentRequired] != 400 {
		t.Errorf("answers %v", got)
	}
	f.holds(2e9)
	f.exhausts(2e9)
}

// exhausts spends what is left, and checks that all of it can be spent: no more than one request's estimate stays.
func (f *fleet) exhausts(budget money.Amount) {
	f.t.Helper()
	const most = 400e6 // what one request may cost
	for end := time.Now().Add(redisPatience); ; {
		if a := f.replicas[0].decided(); a.status == http.StatusPaymentRequired && f.spent() > budget-most {
			break
		} else if time.Now().After(end) {
			f.t.Fatalf("only %s of %s could be spent; the last answer was %d", f.spent(), budget, a.status)
		}
	}
	f.holds(budget)
}

func TestRedis_losingEverythingLosesNoSpend(t *testing.T) {
	const budget = 5e9
	f := newFleet(t, v1alpha1.LimitsFailurePolicyDeny, monthly("0.005"))
	got := f.fire(200, func() {
		for range 5 {
			<-time.After(60 * time.Millisecond)
			f.redis.FlushAll()
		}
	})
	if got[http.StatusOK] == 0 || got[http.StatusOK]+got[http.StatusPaymentRequired] != 400 {
		t.Errorf("answers %v", got)
	}
	f.holds(budget)
	f.redis.FlushAll()
	f.exhausts(budget)
}

func TestRedis_killedAndRestartedLosesNoSpend(t *testing.T) {
	const budget = 5e9
	f := newFleet(t, v1alpha1.LimitsFailurePolicyDeny, monthly("0.005"))
	got := f.fire(200, func() {
		<-time.After(100 * time.Millisecond)
		f.redis.Kill()
		f.redis.Run()
	})
	if got[http.StatusOK] == 0 || got[http.StatusOK]+got[http.StatusPaymentRequired] != 400 {
		t.Errorf("answers %v", got)
	}
	f.holds(budget)
	f.reached()
	f.exhausts(budget)
}

func TestRedis_failoverThatLosesTheLastSecondLosesNoSpend(t *testing.T) {
	const budget = 5e9
	f := newFleet(t, v1alpha1.LimitsFailurePolicyDeny, monthly("0.005"))
	f.fire(5, nil)
	if err := f.redis.Client().Save(t.Context()).Err(); err != nil { // what is kept is older than what follows
		t.Fatal(err)
	}
	f.fire(10, nil)
	f.fire(100, func() {
		f.redis.Kill()
		f.redis.Run()
	})
	f.holds(budget)
	f.reached()
	f.fire(100, nil)
	f.exhausts(budget)
}

func TestRedis_whatAReplicaThatIsGoneHasSpentIsInTheLedger(t *testing.T) {
	const budget = 2e9
	f := newFleet(t, v1alpha1.LimitsFailurePolicyDeny, monthly("0.002"))
	dir := t.TempDir()
	var stops [2]func()
	for i, e := range f.replicas {
		files, err := spend.OpenFiles(dir, e.server.Books(), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- files.Run(ctx) }()
		stops[i] = sync.OnceFunc(func() {
			stop()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
	defer func() {
		for _, stop := range stops {
			stop()
		}
	}()
	first, second := f.replicas[0], f.replicas[1]
	for first.decided().status == http.StatusOK {
		// it spends all of it
	}
	first.stop()
	stops[0]()
	first.server.Leave()
	f.redis.FlushAll()
	eventually(t, "the ledger to be read", func() bool { return second.server.Books().Total("shop/web", "", quota.Month, time.Now()) > budget*8/10 })
	second.decided().expect(http.StatusPaymentRequired)
}

func TestRedis_awayWithDeny(t *testing.T) {
	f := newFleet(t, v1alpha1.LimitsFailurePolicyDeny, requestsPerMinute(1000))
	e := f.replicas[0]
	e.key(shop, "free", otherKey, nil)
	e.decided().expect(http.StatusOK)
	f.redis.Kill()
	eventually(t, "Redis to be away", func() bool { return e.ask("deepseek-v4-pro").status == http.StatusServiceUnavailable })
	a := e.ask("deepseek-v4-pro").expect(http.StatusServiceUnavailable)
	if got := a.error(); got.Code != "limits_unavailable" || a.header.Get("Retry-After") != "1" {
		t.Errorf("got %+v, headers %v", got, a.header)
	}
	if !strings.Contains(e.metrics(), "\nvipcloud_redis_available 0\n") {
		t.Error("the metric does not say so")
	}
	resp := e.do(http.MethodPost, "/v1/chat/completions", chat("deepseek-v4-pro", "x"), "Authorization", "Bearer "+otherKey)
	if resp.StatusCode != http.StatusOK {
		t.Errorf("a key without limits gets %d", resp.StatusCode)
	}
	f.redis.Run()
	f.reached()
	e.decided().expect(http.StatusOK)
}

func TestRedis_awayWithAllow(t *testing.T) {
	f := newFleet(t, v1alpha1.LimitsFailurePolicyAllow, requestsPerMinute(10))
	f.redis.Kill()
	eventually(t, "Redis to be away", func() bool { return strings.Contains(f.replicas[0].metrics(), "\nvipcloud_redis_available 0\n") })
	got := f.fire(20, nil)
	if got[http.StatusOK] != 10 || got[http.StatusTooManyRequests] != 30 { // five each
		t.Errorf("answers %v", got)
	}
	f.redis.Run()
	f.reached()
	f.replicas[1].decided().expect(http.StatusTooManyRequests) // what was admitted alone counts for all
}

func TestRedis_anotherOneIsUsedWithoutARestart(t *testing.T) {
	f := newFleet(t, v1alpha1.LimitsFailurePolicyDeny, requestsPerMinute(4))
	f.fire(1, nil)
	other := redistest.Start(t, "--requirepass", "secret")
	for _, e := range f.replicas {
		e.input.Instance.Spec.Redis = &v1alpha1.Redis{Address: v1alpha1.RedisAddress(other.Address()), SecretRef: &v1alpha1.LocalObjectReference{Name: "redis"}}
		e.input.Redis = &table.RedisState{Password: table.NewSecret("wrong")}
		e.apply()
	}
	e := f.replicas[0]
	eventually(t, "the wrong password to be refused", func() bool { return e.ask("deepseek-v4-pro").status == http.StatusServiceUnavailable })
	if log := e.log.String(); !strings.Contains(log, "WRONGPASS") || strings.Contains(log, "wrong\"") {
		t.Error("the log does not say why, or says too much")
	}
	for _, e := range f.replicas {
		e.input.Redis = &table.RedisState{Password: table.NewSecret("secret")}
		e.apply()
	}
	f.reached()
	if got := f.fire(5, nil); got[http.StatusOK] != 2 { // the first two count still
		t.Errorf("answers %v", got)
	}
}

func TestRedis_cluster(t *testing.T) {
	redis := v1alpha1.Redis{Mode: v1alpha1.RedisModeCluster}
	for _, s := range redistest.StartCluster(t) {
		redis.Addresses = append(redis.Addresses, v1alpha1.RedisAddress(s.Address()))
	}
	f := newFleetWith(t, redis, v1alpha1.LimitsFailurePolicyDeny, func(s *v1alpha1.ApiKeySpec) {
		requestsPerMinute(51)(s)
		monthly("1")(s)
	})
	if got := f.fire(60, nil); got[http.StatusOK] != 51 || got[http.StatusTooManyRequests] != 69 {
		t.Errorf("answers %v", got)
	}
}

func TestRedis_sentinelFailsOver(t *testing.T) {
	const budget = 5e9
	guarded := redistest.StartGuarded(t)
	f := newFleetWith(t, v1alpha1.Redis{
		Mode: v1alpha1.RedisModeSentinel, MasterName: redistest.MasterName, Addresses: []v1alpha1.RedisAddress{v1alpha1.RedisAddress(guarded.Sentinel.Address())},
	}, v1alpha1.LimitsFailurePolicyDeny, monthly("0.005"))
	if got := f.fire(20, nil); got[http.StatusOK] == 0 {
		t.Errorf("answers %v", got)
	}
	f.fire(100, guarded.FailOver)
	f.holds(budget)
	f.reached()
	f.fire(100, nil)
	f.exhausts(budget)
}
