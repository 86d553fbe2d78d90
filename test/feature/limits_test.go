package feature_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/test/sim"
)

// limited starts a gateway with a priced chat model and a key with limits.
func limited(t *testing.T, change func(*v1alpha1.ApiKeySpec), opts ...option) *env {
	t.Helper()
	e := newEnv(t, opts...)
	r := e.route("deepseek-v4-pro", "deepseek-v4-pro", "deepseek")
	in, out := v1alpha1.Decimal("1"), v1alpha1.Decimal("2")
	r.Spec.Pricing = &v1alpha1.Pricing{Currency: "USD", Prices: v1alpha1.Prices{InputPerMillionTokens: &in, OutputPerMillionTokens: &out}}
	e.route("free-for-nobody", "deepseek-v4-pro", "deepseek")
	e.key(shop, "web", testKey, change)
	e.apply()
	return e
}

// ask sends a small chat request.
func (e *env) ask(model string) *answer {
	return e.post("/v1/chat/completions", map[string]any{
		"model": model, "max_tokens": 100, "messages": []any{map[string]any{"role": "user", "content": "hello"}},
	})
}

func TestLimits_requestsPerMinute(t *testing.T) {
	e := limited(t, func(s *v1alpha1.ApiKeySpec) { s.Limits = &v1alpha1.KeyLimits{RequestsPerMinute: new(int64(3))} })
	for i, remaining := range []string{"2", "1", "0"} {
		a := e.ask("deepseek-v4-pro").expect(http.StatusOK)
		if a.header.Get("X-Ratelimit-Limit-Requests") != "3" || a.header.Get("X-Ratelimit-Remaining-Requests") != remaining ||
			a.header.Get("X-Ratelimit-Reset-Requests") == "" {
			t.Errorf("request %d: headers %v", i, a.header)
		}
	}
	a := e.ask("deepseek-v4-pro").expect(http.StatusTooManyRequests)
	if got := a.error(); got.Code != "requests_per_minute" || got.Type != "rate_limited" || !strings.Contains(got.Message, "3") {
		t.Errorf("got %+v", got)
	}
	if a.header.Get("Retry-After") == "" || a.header.Get("X-Ratelimit-Remaining-Requests") != "0" {
		t.Errorf("headers %v", a.header)
	}
	if n := len(e.ledger(sim.DeepSeek)); n != 3 {
		t.Errorf("the vendor was called %d times", n)
	}
}

// budget of a key in US dollars a day.
func budget(amount v1alpha1.Decimal) *v1alpha1.Budget {
	return &v1alpha1.Budget{Amount: amount, Period: v1alpha1.BudgetPeriodDay}
}

// TestLimits_unsetZeroAndUnlimited declares every limit in the three ways, on the key and as what the instance allows a key at most.
func TestLimits_unsetZeroAndUnlimited(t *testing.T) {
	const requests, tokens = "X-Ratelimit-Limit-Requests", "X-Ratelimit-Limit-Tokens"
	type limits = v1alpha1.KeyLimits
	for name, tc := range map[string]struct {
		limits *limits
		budget *v1alpha1.Budget
		cap    *v1alpha1.KeyConstraints
		refuse string // the code; empty: it is served
		header map[string]string
	}{
		"nothing is set":       {header: map[string]string{requests: "", tokens: ""}},
		"limits without one":   {limits: &limits{}, header: map[string]string{requests: "", tokens: ""}},
		"requests: 0":          {limits: &limits{RequestsPerMinute: new(int64(0))}, refuse: "requests_per_minute", header: map[string]string{requests: "0", tokens: ""}},
		"requests: 9":          {limits: &limits{RequestsPerMinute: new(int64(9))}, header: map[string]string{requests: "9", tokens: ""}},
		"tokens: 0":            {limits: &limits{TokensPerMinute: new(int64(0))}, refuse: "tokens_per_minute", header: map[string]string{requests: "", tokens: "0"}},
		"tokens: 9000":         {limits: &limits{TokensPerMinute: new(int64(9000))}, header: map[string]string{requests: "", tokens: "9000"}},
		"at a time: 0":         {limits: &limits{ConcurrentRequests: new(int64(0))}, refuse: "concurrency"},
		"at a time: 1":         {limits: &limits{ConcurrentRequests: new(int64(1))}},
		"budget: 0":            {budget: budget("0"), refuse: "budget_exceeded"},
		"budget: 9":            {budget: budget("9")},
		"capped, unset":        {cap: &v1alpha1.KeyConstraints{Limits: &limits{RequestsPerMinute: new(int64(7))}}, header: map[string]string{requests: "7"}},
		"capped at 0, unset":   {cap: &v1alpha1.KeyConstraints{Limits: &limits{TokensPerMinute: new(int64(0))}}, refuse: "tokens_per_minute"},
		"capped at 0, 9":       {limits: &limits{ConcurrentRequests: new(int64(9))}, cap: &v1alpha1.KeyConstraints{Limits: &limits{ConcurrentRequests: new(int64(0))}}, refuse: "concurrency"},
		"capped, 0":            {limits: &limits{RequestsPerMinute: new(int64(0))}, cap: &v1alpha1.KeyConstraints{Limits: &limits{RequestsPerMinute: new(int64(7))}}, refuse: "requests_per_minute"},
		"capped, no budget":    {cap: &v1alpha1.KeyConstraints{Budget: budget("9")}},
		"capped at no money":   {cap: &v1alpha1.KeyConstraints{Budget: budget("0")}, refuse: "budget_exceeded"},
		"no money for all":     {cap: &v1alpha1.KeyConstraints{NamespaceBudget: budget("0")}, refuse: "budget_exceeded"},
		"some money for all":   {cap: &v1alpha1.KeyConstraints{NamespaceBudget: budget("9")}},
		"a cap that says none": {cap: &v1alpha1.KeyConstraints{Limits: &limits{}}, header: map[string]string{requests: "", tokens: ""}},
	} {
		t.Run(name, func(t *testing.T) {
			e := limited(t, nil)
			if tc.cap != nil {
				e.input.Instance.Spec.Serves = &v1alpha1.Serves{Keys: &v1alpha1.ServedKeys{Constraints: tc.cap}}
				e.apply()
			}
			e.key(shop, "web", testKey, func(s *v1alpha1.ApiKeySpec) { s.Limits, s.Budget = tc.limits, tc.budget })
			a := e.ask("deepseek-v4-pro")
			if tc.refuse == "" {
				a.expect(http.StatusOK)
				e.ask("deepseek-v4-pro").expect(http.StatusOK) // what the first one took is not for ever
			} else if got := a.error(); got.Code != tc.refuse {
				t.Errorf("status %d, %+v", a.status, got)
			}
			for name, want := range tc.header {
				if got := a.header.Get(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			want := 2
			if tc.refuse != "" {
				want = 0
			}
			if n := len(e.ledger(sim.DeepSeek)); n != want {
				t.Errorf("the vendor was called %d times, want %d", n, want)
			}
		})
	}
}

func TestLimits_ofACredentialUnsetZeroAndUnlimited(t *testing.T) {
	type limits = v1alpha1.CredentialLimits
	for name, tc := range map[string]struct {
		limits *limits
		want   int // of four requests
	}{
		"unset":              {nil, 4},
		"limits without one": {&limits{}, 4},
		"requests: 0":        {&limits{RequestsPerMinute: new(int64(0))}, 0},
		"requests: 2":        {&limits{RequestsPerMinute: new(int64(2))}, 2},
		"requests: many":     {&limits{RequestsPerMinute: new(int64(9000))}, 4},
		"at a time: 0":       {&limits{ConcurrentRequests: new(int64(0))}, 0},
		"at a time: 1":       {&limits{ConcurrentRequests: new(int64(1))}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			e := limited(t, nil)
			e.limit("deepseek", tc.limits)
			e.apply()
			served := 0
			for range 4 {
				if a := e.ask("deepseek-v4-pro"); a.status == http.StatusOK {
					served++
				} else if got := a.expect(http.StatusServiceUnavailable).error(); got.Code != "overloaded" {
					t.Errorf("got %+v", got)
				}
			}
			if n := len(e.ledger(sim.DeepSeek)); served != tc.want || n != tc.want {
				t.Errorf("%d served, the vendor was called %d times, want %d", served, n, tc.want)
			}
		})
	}
}

func TestBudget_isNeverOverspentByConcurrency(t *testing.T) {
	// A request costs at most some 0.0003 and in fact far less; the budget is enough for a few hundred.
	e := limited(t, func(s *v1alpha1.ApiKeySpec) {
		s.Budget = &v1alpha1.Budget{Amount: "0.002", Period: v1alpha1.BudgetPeriodMonth}
	})
	var wg sync.WaitGroup
	var mu sync.Mutex
	statuses := map[int]int{}
	for range 8 {
		wg.Go(func() {
			for range 40 {
				a := e.ask("deepseek-v4-pro")
				mu.Lock()
				statuses[a.status]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	var key struct {
		Budgets []struct{ Period, Amount, Spent, Remaining string }
		Spend   map[string]string
	}
	e.get("/v1/key").expect(http.StatusOK).decode(&key)
	if statuses[200] == 0 || statuses[402] == 0 || statuses[200]+statuses[402] != 320 {
		t.Errorf("statuses %v", statuses)
	}
	if len(key.Budgets) != 1 || key.Budgets[0].Period != "month" || strings.HasPrefix(key.Budgets[0].Remaining, "-") || key.Budgets[0].Spent > key.Budgets[0].Amount {
		t.Errorf("budget %+v", key.Budgets)
	}
	var cost float64
	for _, line := range e.log.requests() {
		if c, ok := line["cost"].(string); ok {
			cost += decimalOf(t, c)
		}
	}
	if spent := decimalOf(t, key.Spend["month"]); spent > 0.002 || spent < cost-1e-9 || spent > cost+1e-9 {
		t.Errorf("spent %v, the log says %v", spent, cost)
	}
	a := e.ask("deepseek-v4-pro")
	for a.status == http.StatusOK {
		a = e.ask("deepseek-v4-pro")
	}
	got := a.error()
	if got.Code != "budget_exceeded" || got.Type != "insufficient_credit" || a.header.Get("Retry-After") != "" ||
		!strings.Contains(got.Message, "0.002 USD per month") || !strings.Contains(got.Message, "begins anew at 20") {
		t.Errorf("got %+v, headers %v", got, a.header)
	}
}

func TestBudget_whatHasNoPriceIsRefused(t *testing.T) {
	e := limited(t, func(s *v1alpha1.ApiKeySpec) {
		s.Budget = &v1alpha1.Budget{Amount: "1", Period: v1alpha1.BudgetPeriodLifetime}
	})
	if got := e.ask("free-for-nobody").expect(http.StatusServiceUnavailable).error(); got.Code != "unpriced" {
		t.Errorf("got %+v", got)
	}
}

func TestBudget_ofAJobIsHeldUntilItEnds(t *testing.T) {
	e := newVideos(t, sim.Ark, seedance)
	e.key(shop, "web", testKey, func(s *v1alpha1.ApiKeySpec) {
		s.Budget = &v1alpha1.Budget{Amount: "1.20", Period: v1alpha1.BudgetPeriodLifetime} // two videos of five seconds and a bit
	})
	body := map[string]any{"model": "film", "prompt": "x", "duration": 5}
	first := e.submit("/v1/videos/generations", body)
	body["prompt"] = "x [[fail task_failed]]"
	second := e.submit("/v1/videos/generations", body)
	body["prompt"] = "x"
	if got := e.post("/v1/videos/generations", body).expect(http.StatusPaymentRequired).error(); !strings.Contains(got.Message, "1.00 USD of it are spent") {
		t.Errorf("got %+v", got)
	}
	if n := len(e.vendors.Media(sim.Ark).Ledger()); n != 2 {
		t.Errorf("the vendor was called %d times", n)
	}
	if e.wait(first).Status != "completed" || e.wait(second).Status != "failed" {
		t.Fatal("the jobs ended otherwise")
	}
	third := e.wait(e.submit("/v1/videos/generations", body)) // the failed one has given its part back
	if third.Status != "completed" {
		t.Errorf("got %+v", third)
	}
	var key struct{ Spend map[string]string }
	if e.get("/v1/key").expect(http.StatusOK).decode(&key); key.Spend["lifetime"] != "1.00" {
		t.Errorf("spend %v", key.Spend)
	}
}

func TestLimits_oneAtATime(t *testing.T) {
	e := limited(t, func(s *v1alpha1.ApiKeySpec) { s.Limits = &v1alpha1.KeyLimits{ConcurrentRequests: new(int64(1))} })
	e.vendors.Vendor(sim.DeepSeek).FailNext(1, sim.StallFirst)
	go func() {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, e.base+"/v1/chat/completions", strings.NewReader(chat("deepseek-v4-pro", "wait")))
		if err != nil {
			return
		}
		req.Header.Set("Authorization", "Bearer "+testKey)
		if resp, err := client.Do(req); err == nil {
			_ = resp.Body.Close()
		}
	}()
	eventually(t, "the first request", func() bool { return e.vendors.Vendor(sim.DeepSeek).InFlight() == 1 })
	if got := e.ask("deepseek-v4-pro").expect(http.StatusTooManyRequests).error(); got.Code != "concurrency" {
		t.Errorf("got %+v", got)
	}
}
