package feature_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway"
	"vipcloud.ai/vipcloud/test/sim"
)

// demo starts a gateway whose model deepseek-v4-pro may be tried without a key, and pro may not. Its clock stands still.
func demo(t *testing.T, change func(*v1alpha1.GatewayInstanceSpec)) (*env, *hands) {
	t.Helper()
	clock := &hands{at: time.Date(2026, 11, 23, 12, 0, 10, 0, time.UTC)}
	e := newEnv(t, func(o *gateway.Options) { o.Now = clock.now })
	for _, model := range []string{"deepseek-v4-pro", "pro"} {
		r := e.route(model, "deepseek-v4-pro", "deepseek")
		in, out := v1alpha1.Decimal("1"), v1alpha1.Decimal("2")
		r.Spec.Pricing = &v1alpha1.Pricing{Currency: "USD", Prices: v1alpha1.Prices{InputPerMillionTokens: &in, OutputPerMillionTokens: &out}}
	}
	e.input.Instance.Spec.Demo = &v1alpha1.Demo{Models: []v1alpha1.ModelGlob{"deepseek-*"}}
	if change != nil {
		change(&e.input.Instance.Spec)
	}
	e.key(shop, "web", testKey, nil)
	e.apply()
	return e, clock
}

// try sends a small chat request without a key.
func (e *env) try(header ...string) *answer {
	e.t.Helper()
	return e.post("/v1/chat/completions", map[string]any{
		"model": "deepseek-v4-pro", "max_tokens": 10, "messages": []any{map[string]any{"role": "user", "content": "hello"}},
	}, append([]string{"Authorization", ""}, header...)...)
}

// expectLimit fails unless the demo refuses, as its limits do.
func (a *answer) expectLimit() *answer {
	a.t.Helper()
	if got := a.expect(http.StatusTooManyRequests).error(); got.Code != "demo_limit" || got.Type != "rate_limited" {
		a.t.Errorf("got %+v", got)
	}
	if s := a.header.Get("Retry-After"); s == "" || len(s) > 2 {
		a.t.Errorf("Retry-After is %q", s)
	}
	return a
}

func TestDemo_isOffUnlessDeclared(t *testing.T) {
	e, _ := demo(t, func(s *v1alpha1.GatewayInstanceSpec) { s.Demo = nil })
	for _, path := range []string{"/v1/chat/completions", "/v1/images/generations", "/v1/audio/speech"} {
		if got := e.post(path, map[string]any{"model": "deepseek-v4-pro"}, "Authorization", "").expect(http.StatusUnauthorized).error(); got.Code != "invalid_api_key" {
			t.Errorf("%s: %+v", path, got)
		}
	}
	for _, path := range []string{"/v1/models", "/v1/models/deepseek-v4-pro", "/v1/key"} {
		e.get(path, "Authorization", "").expect(http.StatusUnauthorized)
	}
}

func TestDemo_servesWhatItNames(t *testing.T) {
	e, _ := demo(t, nil)
	for i, remaining := range []string{"4", "3", "2", "1", "0"} {
		a := e.try().expect(http.StatusOK)
		if a.header.Get("X-Ratelimit-Limit-Requests") != "5" || a.header.Get("X-Ratelimit-Remaining-Requests") != remaining {
			t.Errorf("request %d: headers %v", i, a.header)
		}
	}
	if got := e.try().expectLimit().error(); !strings.Contains(got.Message, "5 requests per minute") {
		t.Errorf("got %+v", got)
	}
	e.ask("deepseek-v4-pro").expect(http.StatusOK) // keys are not touched by it
	var list struct{ Data []struct{ ID string } }
	if e.get("/v1/models", "Authorization", "").expect(http.StatusOK).decode(&list); len(list.Data) != 1 || list.Data[0].ID != "deepseek-v4-pro" {
		t.Errorf("models %+v", list.Data)
	}
	if line := e.request(1); line["key"] != "/demo" || line["project"] != system+"/demo" {
		t.Errorf("log line %v", line)
	}
}

func TestDemo_aWrongKeyIsNoKey(t *testing.T) {
	e, _ := demo(t, nil)
	for _, header := range []string{"Bearer " + otherKey, "Bearer ", "Bearer x", "Basic YTpi", "nonsense"} {
		if got := e.try("Authorization", header).expect(http.StatusUnauthorized).error(); got.Code != "invalid_api_key" {
			t.Errorf("%q: %+v", header, got)
		}
	}
	if n := len(e.ledger(sim.DeepSeek)); n != 0 {
		t.Errorf("the vendor was called %d times", n)
	}
}

func TestDemo_whatItDoesNotNameNeedsAKey(t *testing.T) {
	e, _ := demo(t, func(s *v1alpha1.GatewayInstanceSpec) { s.Demo.Models = append(s.Demo.Models, "film", "hidden", "soon") })
	e.route("film", "doubao-seedance-2-0-260128", "ark").Spec.Modality = v1alpha1.ModalityVideo
	e.route("hidden", "deepseek-v4-pro", "deepseek").Spec.Visibility = v1alpha1.VisibilityPrivate
	e.route("soon", "deepseek-v4-pro", "deepseek").Spec.Availability = v1alpha1.AvailabilitySoon
	e.apply()
	for _, model := range []string{"pro", "hidden", "soon", "film", "no-such-model"} {
		got := e.post("/v1/chat/completions", map[string]any{"model": model, "messages": []any{map[string]any{"role": "user", "content": "hello"}}},
			"Authorization", "").expect(http.StatusUnauthorized).error()
		if got.Code != "invalid_api_key" {
			t.Errorf("%s: %+v", model, got)
		}
	}
	e.post("/v1/videos/generations", map[string]any{"model": "film", "prompt": "x"}, "Authorization", "").expect(http.StatusUnauthorized)
	e.get("/v1/videos/jobs/job1_x", "Authorization", "").expect(http.StatusUnauthorized)
	e.get("/v1/key/usage", "Authorization", "").expect(http.StatusUnauthorized)
	e.get("/v1/models/pro", "Authorization", "").expect(http.StatusNotFound)
}

func TestDemo_eachAddressHasItsOwnRequests(t *testing.T) {
	e, _ := demo(t, func(s *v1alpha1.GatewayInstanceSpec) { s.Demo.RequestsPerMinute = new(int64(1)) })
	before := client.Transport
	t.Cleanup(func() { client.Transport = before })
	from := func(address string) {
		dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
		client.Transport = &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, to string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, to)
		}}
	}
	for _, address := range []string{"127.0.0.1", "127.0.0.2"} {
		from(address)
		e.try().expect(http.StatusOK)
		// Nothing that a client sends makes another of it.
		for i, header := range []string{"X-Forwarded-For", "X-Real-Ip", "Forwarded", "True-Client-Ip"} {
			e.try(header, fmt.Sprintf("198.51.100.%d", i)).expectLimit()
		}
	}
	if n := len(e.ledger(sim.DeepSeek)); n != 2 {
		t.Errorf("the vendor was called %d times", n)
	}
}

func TestDemo_behindProxiesTheAddressIsCountedFromTheRight(t *testing.T) {
	e, _ := demo(t, func(s *v1alpha1.GatewayInstanceSpec) {
		s.Demo.RequestsPerMinute, s.TrustedProxyHops = new(int64(1)), 2
	})
	const last = ", 10.0.0.8" // what the outer proxy is for the inner one
	e.try("X-Forwarded-For", "198.51.100.1"+last).expect(http.StatusOK)
	for i := range 5 {
		e.try("X-Forwarded-For", fmt.Sprintf("203.0.113.%d, 198.51.100.1", i)+last).expectLimit()
	}
	e.try("X-Forwarded-For", "198.51.100.2"+last).expect(http.StatusOK)
	// A subscriber's addresses are one client, the next subscriber is another.
	e.try("X-Forwarded-For", "2001:db8:0:1::1"+last).expect(http.StatusOK)
	for i := range 5 {
		e.try("X-Forwarded-For", fmt.Sprintf("2001:db8:0:1:%x::7", i)+last).expectLimit()
	}
	e.try("X-Forwarded-For", "2001:db8:0:2::1"+last).expect(http.StatusOK)
	// What did not come by both proxies is one client, whatever it says.
	e.try("X-Forwarded-For", "198.51.100.3").expect(http.StatusOK)
	e.try("X-Forwarded-For", "198.51.100.4").expectLimit()
	e.try().expectLimit()
}

func TestDemo_thereIsRoomForSoManyClients(t *testing.T) {
	e, clock := demo(t, func(s *v1alpha1.GatewayInstanceSpec) { s.Demo.MaxClients, s.TrustedProxyHops = new(int32(3)), 1 })
	for i := range 20 {
		a := e.try("X-Forwarded-For", fmt.Sprintf("2001:db8:0:%x::1", i))
		if i < 3 {
			a.expect(http.StatusOK)
		} else if got := a.expectLimit().error(); !strings.Contains(got.Message, "Too many people") {
			t.Errorf("got %+v", got)
		}
	}
	e.try("X-Forwarded-For", "2001:db8:0:1::9").expect(http.StatusOK) // one that is there
	if !strings.Contains(e.metrics(), "\nvipcloud_demo_clients 3\n") {
		t.Error("vipcloud_demo_clients does not say 3")
	}
	clock.pass(time.Minute)
	e.try("X-Forwarded-For", "2001:db8:0:ffff::1").expect(http.StatusOK)
	if !strings.Contains(e.metrics(), "\nvipcloud_demo_clients 1\n") {
		t.Error("vipcloud_demo_clients does not say 1 after a minute")
	}
}

func TestDemo_bodiesAreSmall(t *testing.T) {
	e, _ := demo(t, nil)
	big := chat("deepseek-v4-pro", strings.Repeat("x", 64<<10))
	for _, length := range []string{"known", "unknown"} {
		var body string
		resp := e.do(http.MethodPost, "/v1/chat/completions", big, "Authorization", "")
		if length == "unknown" {
			resp = e.chunked(big)
		}
		if body = read(t, resp); resp.StatusCode != http.StatusRequestEntityTooLarge || !strings.Contains(body, "65536 bytes") {
			t.Errorf("length %s: %d %s", length, resp.StatusCode, body)
		}
	}
	if resp := e.do(http.MethodPost, "/v1/chat/completions", big); resp.StatusCode != http.StatusOK {
		t.Errorf("with a key: %d %s", resp.StatusCode, read(t, resp))
	}
}

// chunked sends a chat request without a key whose length the gateway is not told.
func (e *env) chunked(body string) *http.Response {
	e.t.Helper()
	req, err := http.NewRequestWithContext(e.t.Context(), http.MethodPost, e.base+"/v1/chat/completions", struct{ *strings.Reader }{strings.NewReader(body)})
	if err != nil {
		e.t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

func TestDemo_everybodySpendsTheSameBudget(t *testing.T) {
	e, clock := demo(t, func(s *v1alpha1.GatewayInstanceSpec) {
		s.Demo.RequestsPerMinute, s.TrustedProxyHops = new(int64(1000)), 1
		s.Demo.Budget = &v1alpha1.Budget{Amount: "0.0004", Period: v1alpha1.BudgetPeriodDay}
	})
	var wg sync.WaitGroup
	var mu sync.Mutex
	statuses := map[int]int{}
	for i := range 8 {
		wg.Go(func() {
			for range 10 {
				a := e.try("X-Forwarded-For", fmt.Sprintf("198.51.100.%d", i))
				mu.Lock()
				statuses[a.status]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if statuses[200] == 0 || statuses[402] == 0 || statuses[200]+statuses[402] != 80 {
		t.Errorf("statuses %v", statuses)
	}
	a := e.try("X-Forwarded-For", "198.51.100.200")
	for range 100 { // what concurrency had reserved may be free again
		if a.status != http.StatusOK {
			break
		}
		a = e.try("X-Forwarded-For", "198.51.100.200")
	}
	got := a.expect(http.StatusPaymentRequired).error()
	if got.Code != "budget_exceeded" || a.header.Get("Retry-After") != "" || !strings.Contains(got.Message, "everybody without an API key") ||
		!strings.Contains(got.Message, "0.0004 USD per day") || !strings.Contains(got.Message, "2026-11-24T00:00:00Z") {
		t.Errorf("got %+v, headers %v", got, a.header)
	}
	var cost float64
	for _, line := range e.log.requests() {
		if c, ok := line["cost"].(string); ok {
			cost += decimalOf(t, c)
		}
	}
	var key struct {
		Name   string
		Limits struct {
			Requests *int64 `json:"requests_per_minute"`
		}
		Budgets []struct{ Scope, Period, Amount, Spent, Remaining string }
		Spend   map[string]string
	}
	e.get("/v1/key", "Authorization", "").expect(http.StatusOK).decode(&key)
	if key.Name != "/demo" || key.Limits.Requests == nil || *key.Limits.Requests != 1000 || len(key.Budgets) != 1 || key.Budgets[0].Scope != "demo" {
		t.Fatalf("key %+v", key)
	}
	if spent := decimalOf(t, key.Budgets[0].Spent); spent > 0.0004 || spent < cost-1e-12 || spent > cost+1e-12 {
		t.Errorf("spent %v, the log says %v", spent, cost)
	}
	_, metric, _ := strings.Cut(e.metrics(), "\nvipcloud_demo_spend ")
	metric, _, _ = strings.Cut(metric, "\n")
	if shown := decimalOf(t, metric); shown < cost-1e-12 || shown > cost+1e-12 {
		t.Errorf("vipcloud_demo_spend is %v, the log says %v", shown, cost)
	}
	if e.get("/v1/key").expect(http.StatusOK).decode(&key); key.Spend["lifetime"] != "0.00" {
		t.Errorf("a key pays for the demo: %+v", key)
	}
	clock.pass(24 * time.Hour)
	e.try("X-Forwarded-For", "198.51.100.200").expect(http.StatusOK)
}

func TestDemo_unsetZeroAndUnlimited(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*v1alpha1.Demo)
		want   int // of eight requests
		refuse int
	}{
		"requests unset": {func(*v1alpha1.Demo) {}, 5, http.StatusTooManyRequests},
		"requests 0":     {func(d *v1alpha1.Demo) { d.RequestsPerMinute = new(int64(0)) }, 0, http.StatusTooManyRequests},
		"requests 3":     {func(d *v1alpha1.Demo) { d.RequestsPerMinute = new(int64(3)) }, 3, http.StatusTooManyRequests},
		"many requests":  {func(d *v1alpha1.Demo) { d.RequestsPerMinute = new(int64(10000)) }, 8, 0},
		"budget of 0": {func(d *v1alpha1.Demo) {
			d.Budget = &v1alpha1.Budget{Amount: "0", Period: v1alpha1.BudgetPeriodLifetime}
		}, 0, http.StatusPaymentRequired},
		"a larger budget": {func(d *v1alpha1.Demo) {
			d.Budget = &v1alpha1.Budget{Amount: "1", Period: v1alpha1.BudgetPeriodLifetime}
		}, 5, http.StatusTooManyRequests},
	} {
		t.Run(name, func(t *testing.T) {
			e, _ := demo(t, func(s *v1alpha1.GatewayInstanceSpec) { tc.change(s.Demo) })
			served := 0
			for range 8 {
				if a := e.try(); a.status == http.StatusOK {
					served++
				} else {
					a.expect(tc.refuse)
				}
			}
			if served != tc.want {
				t.Errorf("%d served, want %d", served, tc.want)
			}
		})
	}
}
