package feature_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway"
	"vipcloud.ai/vipcloud/gateway/balance"
	"vipcloud.ai/vipcloud/gateway/table"
	"vipcloud.ai/vipcloud/test/sim"
)

// hands is a clock that moves when a test says so.
type hands struct {
	mu sync.Mutex
	at time.Time
}

// now is the time.
func (h *hands) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.at
}

// pass lets time pass.
func (h *hands) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at = h.at.Add(d)
}

// timed is a gateway with a clock of the test's, that serves model m from targets in tiers of one: DeepSeek first, then an
// OpenAI-compatible vendor.
func timed(t *testing.T) (*env, *hands) {
	t.Helper()
	e, clock := untargeted(t)
	e.route("m", "", "deepseek", "openai").Spec.Targets[0].Model = "deepseek-v4-pro"
	e.apply()
	return e, clock
}

// untargeted is the same without a route.
func untargeted(t *testing.T) (*env, *hands) {
	t.Helper()
	clock := &hands{at: time.Now()}
	e := newEnv(t, func(o *gateway.Options) { o.Now = clock.now })
	e.key(shop, "shop", testKey, nil)
	return e, clock
}

// sameTier puts all targets of a route into one tier.
func sameTier(r *v1alpha1.ModelRoute) {
	for i := range r.Spec.Targets {
		r.Spec.Targets[i].Priority = nil
	}
}

// twin adds a credential like another one.
func (e *env) twin(name, of string) *v1alpha1.ProviderCredential {
	e.t.Helper()
	i := slices.IndexFunc(e.input.Credentials, func(c *v1alpha1.ProviderCredential) bool { return c.Name == of })
	twin := e.input.Credentials[i].DeepCopy()
	twin.Name, twin.Spec.SecretRef.Name = name, v1alpha1.ObjectName(name)
	e.input.Credentials = append(e.input.Credentials, twin)
	e.input.CredentialStates[types.NamespacedName{Namespace: system, Name: name}] =
		e.input.CredentialStates[types.NamespacedName{Namespace: system, Name: of}]
	return twin
}

// secret gives a credential another key.
func (e *env) secret(name, key string) {
	e.input.CredentialStates[types.NamespacedName{Namespace: system, Name: name}] = table.CredentialState{
		Entries: map[string]table.Secret{"api-key": table.NewSecret(key)},
	}
}

// limit gives a credential limits.
func (e *env) limit(name string, l *v1alpha1.CredentialLimits) {
	for _, c := range e.input.Credentials {
		if c.Name == name {
			c.Spec.Limits = l
		}
	}
}

// say sends a prompt to model m and returns the response, read.
func (e *env) say(prompt string, extra ...string) *answer {
	e.t.Helper()
	return e.take(e.do("POST", "/v1/chat/completions", chat("m", prompt, extra...)))
}

// wantServed asks so often and wants every answer to be good.
func (e *env) wantServed(times int) {
	e.t.Helper()
	for range times {
		e.say("hello").expect(http.StatusOK)
	}
}

// calls counts what a vendor was asked.
func (e *env) calls(v sim.Vendor) int {
	e.t.Helper()
	return len(e.ledger(v))
}

// wantMetric wants a line of the exposition.
func (e *env) wantMetric(line string) {
	e.t.Helper()
	if exposition := e.metrics(); !strings.Contains(exposition, line+"\n") {
		var similar []string
		name, _, _ := strings.Cut(line, "{")
		for l := range strings.Lines(exposition) {
			if strings.HasPrefix(l, name) {
				similar = append(similar, l)
			}
		}
		e.t.Errorf("no %s among %q", line, similar)
	}
}

// wantState wants the state of a target of route m.
func (e *env) wantState(target string, state balance.State) {
	e.t.Helper()
	e.wantMetric(fmt.Sprintf(`vipcloud_target_state{gen_ai_request_model="m",target="vipcloud-system/m/%s"} %d`, target, state))
}

// first and second are the targets of timed.
const first, second = sim.DeepSeek, sim.OpenAI

func TestResilience_anOutageOfOneVendorIsNotTheClients(t *testing.T) {
	for _, mode := range []sim.Mode{"server_error", "overload", "plain_text", "garbage", "empty", "half_header", "drop"} {
		t.Run(string(mode), func(t *testing.T) {
			e, clock := timed(t)
			e.wantServed(3)
			e.vendors.Vendor(first).FailAlways(mode)
			wantAsked, ambiguous := 3+5, mode == "half_header" || mode == "drop"
			for n := range 30 {
				got := e.say("hello")
				// A connection that breaks after the request was written may have cost money: it is not repeated.
				if got.status != http.StatusOK && (!ambiguous || n >= 5) {
					t.Fatalf("request %d of the outage: status %d: %s", n+1, got.status, got.body)
				}
			}
			if n := e.calls(first); n != wantAsked {
				t.Errorf("the vendor was asked %d times, want %d", n, wantAsked)
			}
			e.wantState("t0", balance.Ejected)
			e.wantMetric(`vipcloud_target_ejections_total{gen_ai_request_model="m",reason="consecutive_failures",target="vipcloud-system/m/t0"} 1`)
			if lines := e.log.lines("Target ejected"); len(lines) != 1 || lines[0]["target"] != "vipcloud-system/m/t0" {
				t.Errorf("log: %v", lines)
			}
			ejected := e.server.Ejected()
			if len(ejected) != 1 || ejected[0].Reason.CamelCase() != "ConsecutiveFailures" || !ejected[0].Until.After(clock.now()) {
				t.Errorf("reported: %+v", ejected)
			}
		})
	}
}

func TestResilience_aVendorThatDoesNotAnswerCostsThreeRequests(t *testing.T) {
	e, _ := timed(t)
	e.input.Routes[0].Spec.Timeouts = &v1alpha1.Timeouts{Response: "30ms"}
	e.apply()
	e.vendors.Vendor(first).FailAlways("stall_first")
	for range 3 {
		e.say("hello").expect(http.StatusGatewayTimeout)
	}
	e.wantServed(10)
	e.wantMetric(`vipcloud_target_ejections_total{gen_ai_request_model="m",reason="timeouts",target="vipcloud-system/m/t0"} 1`)
}

func TestResilience_theWholeTimeOfARequestCountsOnlyIfTheTargetHadAllOfIt(t *testing.T) {
	for name, tc := range map[string]struct {
		prompt string
		want   balance.State
	}{
		"nothing came":             {prompt: "[[fail stall_first]]", want: balance.Ejected},
		"the answer was under way": {prompt: "[[chunks 5]] [[fail stall_mid]]", want: balance.Healthy},
	} {
		t.Run(name, func(t *testing.T) {
			e, _ := timed(t)
			e.input.Routes[0].Spec.Timeouts = &v1alpha1.Timeouts{Response: "10s", Total: "40ms"}
			e.apply()
			for range 5 {
				if e.say(tc.prompt, `"stream":true`); len(e.server.Ejected()) > 0 {
					break
				}
			}
			e.wantState("t0", tc.want)
		})
	}
}

func TestResilience_recoveryNeedsNoRestart(t *testing.T) {
	e, clock := timed(t)
	e.vendors.Vendor(first).FailAlways("server_error")
	e.wantServed(10)
	asked := e.calls(first)
	clock.pass(13 * time.Second)
	e.wantState("t0", balance.HalfOpen)
	e.wantServed(5)
	if n := e.calls(first); n != asked+1 {
		t.Errorf("a vendor that still fails was asked %d times after the pause, want once", n-asked)
	}
	e.vendors.Vendor(first).Heal()
	clock.pass(time.Minute)
	e.wantServed(1)
	e.wantState("t0", balance.Healthy)
	clock.pass(time.Minute)
	served := len(e.ledger(second))
	e.wantServed(10)
	if n := e.calls(second); n != served {
		t.Errorf("the second vendor still serves %d of 10", n-served)
	}
	if len(e.server.Ejected()) != 0 || len(e.log.lines("Target is back")) != 1 {
		t.Errorf("reported: %+v", e.server.Ejected())
	}
}

func TestResilience_aStreamIsAProbeThatSucceedsWithItsFirstByte(t *testing.T) {
	e, clock := timed(t)
	e.vendors.Vendor(first).FailAlways("server_error")
	e.wantServed(10)
	e.vendors.Vendor(first).Heal()
	clock.pass(time.Minute)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	e.open(ctx, "[[chunks 5]] [[fail stall_mid]]")
	e.wantState("t0", balance.Healthy)
}

// open begins a stream of model m that lasts until ctx ends.
func (e *env) open(ctx context.Context, prompt string) {
	e.t.Helper()
	body := strings.NewReader(chat("m", prompt, `"stream":true`))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.base+"/v1/chat/completions", body)
	if err != nil {
		e.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+testKey)
	resp, err := client.Do(req)
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { _ = resp.Body.Close() })
	if _, err := bufio.NewReader(resp.Body).ReadString('\n'); err != nil || resp.StatusCode != http.StatusOK {
		e.t.Fatalf("status %d, %v", resp.StatusCode, err)
	}
}

func TestResilience_aDeadKeyEjectsUntilItsSecretChanges(t *testing.T) {
	e, clock := timed(t)
	right := e.vendors.Secrets(first)["api-key"]
	e.secret("deepseek", "sk-revoked-by-the-vendor-0123456789")
	e.apply()
	e.wantServed(20)
	if n := e.calls(first); n != 3 {
		t.Errorf("the vendor was asked %d times with a key that it refuses, want 3", n)
	}
	e.wantState("t0", balance.Dead)
	e.wantMetric(`vipcloud_target_ejections_total{gen_ai_request_model="m",reason="credential_refused",target="vipcloud-system/m/t0"} 1`)
	ejected := e.server.Ejected()
	if len(ejected) != 1 || ejected[0].Credential != "vipcloud-system/deepseek" || !ejected[0].Until.IsZero() {
		t.Errorf("reported: %+v", ejected)
	}
	e.input.Routes[0].Spec.Display = &v1alpha1.Display{Label: "another table"}
	e.apply()
	e.wantServed(5)
	if n := e.calls(first); n != 3 {
		t.Errorf("another table brings a dead key back: %d calls", n)
	}
	clock.pass(40 * time.Second)
	e.wantServed(5)
	if n := e.calls(first); n != 4 {
		t.Errorf("%d calls after half a minute, want one probe more", n)
	}
	e.secret("deepseek", right)
	e.apply()
	e.wantServed(5)
	if n := e.calls(first); n != 9 {
		t.Errorf("%d calls, want the changed key to serve at once", n)
	}
	e.wantState("t0", balance.Healthy)
}

func TestResilience_aDeadKeyComesBackByAProbe(t *testing.T) {
	e, clock := timed(t)
	e.vendors.Vendor(first).FailAlways("no_balance")
	e.wantServed(10)
	e.vendors.Vendor(first).Heal() // somebody has paid the bill
	clock.pass(40 * time.Second)
	asked := e.calls(first)
	e.wantServed(5)
	if n := e.calls(first); n != asked+5 {
		t.Errorf("%d of 5 requests went to the account that was paid", n-asked)
	}
	if len(e.log.lines("Credential is accepted again")) != 1 {
		t.Error("nobody is told")
	}
}

func TestResilience_aDeadKeyWithoutAnotherTargetIsToldWithoutAsking(t *testing.T) {
	e, _ := untargeted(t)
	e.route("m", "deepseek-v4-pro", "deepseek")
	e.apply()
	e.vendors.Vendor(first).FailAlways("unauthorized")
	for range 10 {
		resp := e.do("POST", "/v1/chat/completions", chat("m", "hello"))
		wantError(t, resp, 502, "upstream_error", "upstream_credential")
		if got := resp.Header.Get("X-Should-Retry"); got != "false" {
			t.Errorf("x-should-retry is %q", got)
		}
	}
	if n := e.calls(first); n != 3 {
		t.Errorf("the vendor was asked %d times, want 3", n)
	}
}

func TestResilience_theLastTargetIsNeverEjectedForFailures(t *testing.T) {
	e, _ := untargeted(t)
	e.route("m", "deepseek-v4-pro", "deepseek")
	e.apply()
	for _, mode := range []sim.Mode{"server_error", "garbage", "drop"} {
		e.vendors.Vendor(first).FailAlways(mode)
		for range 15 {
			e.say("hello").expect(http.StatusBadGateway)
		}
	}
	if n := e.calls(first); n != 45 {
		t.Errorf("%d of 45 requests reached the only target", n)
	}
	e.vendors.Vendor(first).Heal()
	e.wantServed(1)
	if len(e.server.Ejected()) != 0 || len(e.log.lines("Target ejected")) != 0 {
		t.Error("the only target was ejected")
	}
}

func TestResilience_anEjectedTargetComesBackWhenTheOtherDies(t *testing.T) {
	e, _ := timed(t)
	e.vendors.Vendor(first).FailAlways("server_error")
	e.wantServed(10)
	e.vendors.Vendor(first).Heal()
	e.vendors.Vendor(second).FailAlways("no_balance")
	for n := range 10 {
		if got := e.say("hello"); got.status != http.StatusOK && n >= 3 {
			t.Errorf("request %d: status %d: %s", n, got.status, got.body)
		}
	}
	e.wantState("t0", balance.Healthy)
	e.wantState("t1", balance.Dead)
}

func TestResilience_whatClientsDoWrongEjectsNobody(t *testing.T) {
	e, _ := timed(t)
	for range 30 {
		e.say("[[fail moderation]]").expect(http.StatusBadRequest)
		e.say("hello", `"temperature":9`).expect(http.StatusBadRequest)
	}
	for n := range 10 {
		ctx, cancel := context.WithCancel(t.Context())
		e.open(ctx, "[[chunks 5]] [[fail stall_mid]]")
		cancel()
		e.request(60 + n + 1)
	}
	e.wantState("t0", balance.Healthy)
	if n := e.calls(second); n != 0 {
		t.Errorf("the second target was asked %d times", n)
	}
}
