package feature_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/balance"
	"vipcloud.ai/vipcloud/test/sim"
)

func TestResilience_concurrencyOfACredentialSheds(t *testing.T) {
	e, _ := timed(t)
	two := int64(2)
	e.limit("deepseek", &v1alpha1.CredentialLimits{ConcurrentRequests: &two})
	e.limit("openai", &v1alpha1.CredentialLimits{ConcurrentRequests: &two})
	e.apply()
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	const lasting = "[[chunks 5]] [[fail stall_mid]]"
	for range 4 {
		e.open(ctx, lasting)
	}
	if a, b := e.vendors.Vendor(first).InFlight(), e.vendors.Vendor(second).InFlight(); a != 2 || b != 2 {
		t.Errorf("%d and %d requests are under way, want 2 and 2", a, b)
	}
	resp := e.do("POST", "/v1/chat/completions", chat("m", "hello"))
	wantError(t, resp, 503, "model_unavailable", "overloaded")
	if got := resp.Header.Get("Retry-After"); got != "1" {
		t.Errorf("Retry-After is %q", got)
	}
	e.wantState("t0", balance.Healthy) // being full is no failure
	leave()
	eventually(t, "served again", func() bool { return e.say("hello").status == http.StatusOK })
}

func TestResilience_requestsPerMinuteOfACredentialHold(t *testing.T) {
	e, clock := untargeted(t)
	e.route("m", "deepseek-v4-pro", "deepseek")
	three := int64(3)
	e.limit("deepseek", &v1alpha1.CredentialLimits{RequestsPerMinute: &three})
	e.apply()
	e.wantServed(3)
	clock.pass(20 * time.Second)
	resp := e.do("POST", "/v1/chat/completions", chat("m", "hello"))
	wantError(t, resp, 503, "model_unavailable", "overloaded")
	if got := resp.Header.Get("Retry-After"); got != "40" && got != "41" {
		t.Errorf("Retry-After is %q", got)
	}
	if n := e.calls(first); n != 3 {
		t.Errorf("the vendor was asked %d times", n)
	}
	clock.pass(41 * time.Second)
	e.wantServed(3)
}

func TestResilience_aPauseThatTheVendorAsksForIsKept(t *testing.T) {
	e, clock := untargeted(t)
	e.route("m", "any", "openai") // names a pause of one second
	e.apply()
	e.vendors.Vendor(second).FailNext(1, "rate_limit")
	for range 5 {
		resp := e.do("POST", "/v1/chat/completions", chat("m", "hello"))
		wantError(t, resp, 429, "rate_limited", "upstream")
		if got := resp.Header.Get("Retry-After"); got != "1" {
			t.Errorf("Retry-After is %q", got)
		}
	}
	if n := e.calls(second); n != 1 {
		t.Errorf("the vendor was asked %d times within the pause it wants", n)
	}
	clock.pass(time.Second)
	e.wantServed(1)
}

func TestResilience_theSmallestPauseIsTold(t *testing.T) {
	e, clock := untargeted(t)
	r := e.route("m", "any", "moonshot", "openai") // three seconds, one second
	r.Spec.Targets[0].Model = e.vendors.Vendor(sim.Moonshot).Models()[0]
	e.apply()
	e.vendors.Vendor(sim.Moonshot).FailAlways("overload")
	e.vendors.Vendor(second).FailAlways("rate_limit")
	for range 2 { // by the vendors' answers, then by what is remembered of them
		resp := e.do("POST", "/v1/chat/completions", chat("m", "hello"))
		wantError(t, resp, 429, "rate_limited", "upstream")
		if got := resp.Header.Get("Retry-After"); got != "1" {
			t.Errorf("Retry-After is %q", got)
		}
	}
	clock.pass(time.Second)
	e.vendors.Vendor(second).FailAlways("server_error")
	e.say("hello").expect(http.StatusBadGateway)
	if a, b := e.calls(sim.Moonshot), e.calls(second); a != 1 || b != 2 {
		t.Errorf("asked %d and %d times, want 1 and 2", a, b)
	}
}

func TestResilience_aTargetThatIsBackGetsMoreAndMore(t *testing.T) {
	e, clock := timed(t)
	sameTier(e.input.Routes[0])
	e.apply()
	e.vendors.Vendor(first).FailAlways("server_error")
	for e.calls(first) < 5 {
		e.wantServed(1)
	}
	e.vendors.Vendor(first).Heal()
	clock.pass(time.Minute)
	for len(e.server.Ejected()) > 0 {
		e.wantServed(1)
	}
	share := func() int {
		before := e.calls(first)
		e.wantServed(200)
		return (e.calls(first) - before) / 2
	}
	if got := share(); got > 20 {
		t.Errorf("%d %% at once, want some 9", got)
	}
	clock.pass(15 * time.Second)
	if got := share(); got < 20 || got > 46 {
		t.Errorf("%d %% after fifteen seconds, want some 33", got)
	}
	clock.pass(15 * time.Second)
	if got := share(); got < 38 || got > 62 {
		t.Errorf("%d %% after thirty seconds, want half", got)
	}
}

// converse sends the n-th request of a conversation, which repeats all messages before.
func (e *env) converse(name string, n int) string {
	e.t.Helper()
	messages := []string{`{"role":"system","content":"Be brief."}`}
	for i := range n {
		messages = append(messages, `{"role":"user","content":`+quote(fmt.Sprintf("%s, question %d", name, i))+`}`)
		if i < n-1 {
			messages = append(messages, `{"role":"assistant","content":"An answer."}`)
		}
	}
	got := e.take(e.do("POST", "/v1/chat/completions", `{"model":"m","messages":[`+strings.Join(messages, ",")+`]}`)).expect(http.StatusOK)
	return gjson.GetBytes(got.body, "id").Str
}

func TestResilience_aConversationStaysOnItsTargetWhileThatIsHealthy(t *testing.T) {
	e, clock := untargeted(t)
	r := e.route("m", "", "deepseek", "openai")
	r.Spec.Targets[0].Model, r.Spec.Affinity = "deepseek-v4-pro", v1alpha1.AffinityConversation
	sameTier(r)
	e.apply()
	// Answers carry the ids of the vendors' own books.
	where := func(id string) sim.Vendor {
		for _, v := range []sim.Vendor{first, second} {
			if slices.ContainsFunc(e.ledger(v), func(entry sim.Entry) bool { return entry.ID == id }) {
				return v
			}
		}
		t.Fatalf("nobody gave the answer %q", id)
		return ""
	}
	homes := map[string]sim.Vendor{}
	for i := range 24 {
		name := fmt.Sprintf("conversation %d", i)
		homes[name] = where(e.converse(name, 1))
		for n := 2; n < 5; n++ {
			if got := where(e.converse(name, n)); got != homes[name] {
				t.Fatalf("%s went from %s to %s", name, homes[name], got)
			}
		}
	}
	count := 0
	for _, v := range homes {
		if v == first {
			count++
		}
	}
	if count < 4 || count > 20 {
		t.Errorf("%d of 24 conversations are at the first target", count)
	}
	e.vendors.Vendor(first).FailAlways("server_error")
	for name := range homes {
		if got := where(e.converse(name, 5)); got != second {
			t.Errorf("%s is served by %s, which is down", name, got)
		}
	}
	e.vendors.Vendor(first).Heal()
	clock.pass(time.Minute)
	for name := range homes {
		e.converse(name, 6)
	}
	clock.pass(time.Minute)
	for name, home := range homes {
		if got := where(e.converse(name, 7)); got != home {
			t.Errorf("%s stays at %s although %s is back", name, got, home)
		}
	}
}

func TestResilience_aStormOfRetriesIsBounded(t *testing.T) {
	e, _ := untargeted(t)
	e.twin("deepseek-b", "deepseek")
	e.twin("deepseek-c", "deepseek")
	sameTier(e.route("m", "deepseek-v4-pro", "deepseek", "deepseek-b", "deepseek-c"))
	e.apply()
	e.vendors.Vendor(first).FailAlways("rate_limit") // names no pause and ejects nobody
	const requests = 200
	for range requests {
		e.say("hello").expect(http.StatusTooManyRequests)
	}
	if n := e.calls(first); n < requests*120/100 || n > requests*120/100+1 {
		t.Errorf("%d requests became %d calls, want a fifth more", requests, n)
	}
	e.request(requests)
	refused := 0
	for _, line := range e.log.requests() {
		if line["attempts"] != float64(3) {
			refused++
		}
	}
	e.wantMetric(fmt.Sprintf(`vipcloud_retries_refused_total{gen_ai_request_model="m"} %d`, refused))
	if refused < requests/2 {
		t.Errorf("only %d requests were not repeated", refused)
	}
}

func TestResilience_fallbacksAreNoStorm(t *testing.T) {
	e, _ := untargeted(t)
	e.route("m", "deepseek-v4-pro", "deepseek").Spec.Fallbacks = []v1alpha1.ModelName{"other"}
	e.route("other", "any", "openai")
	e.apply()
	e.vendors.Vendor(first).FailAlways("server_error")
	e.wantServed(100)
}

func TestResilience_theStateOfATargetSurvivesTables(t *testing.T) {
	e, _ := timed(t)
	e.vendors.Vendor(first).FailAlways("server_error")
	e.wantServed(10)
	asked := e.calls(first)
	for i := range 5 {
		e.input.Routes[0].Spec.Display = &v1alpha1.Display{Label: fmt.Sprint("table ", i)}
		e.apply()
		e.wantServed(2)
	}
	if n := e.calls(first); n != asked {
		t.Errorf("a new table sends %d requests to an ejected target", n-asked)
	}
	e.input.Routes[0].Spec.Targets[0].Model = "deepseek-chat"
	e.apply()
	e.say("hello")
	if n := e.calls(first); n != asked+1 {
		t.Error("another model of the target is not tried")
	}
}

func TestResilience_aRouteThatIsGoneLeavesNoSeries(t *testing.T) {
	e, _ := timed(t)
	e.vendors.Vendor(first).FailAlways("server_error")
	e.wantServed(10)
	e.input.Routes = nil
	e.apply()
	for line := range strings.Lines(e.metrics()) {
		if strings.HasPrefix(line, "vipcloud_target_") {
			t.Errorf("left: %s", line)
		}
	}
}

func TestResilience_speechImagesAndJobsAreWatchedToo(t *testing.T) {
	e := newImages(t, sim.Ark, seedream)
	e.vendors.Media(sim.Ark).FailAlways("no_balance")
	for range 6 {
		a := e.post("/v1/images/generations", map[string]any{"model": "picture", "prompt": "a cat"}).expect(http.StatusBadGateway)
		if a.error().Code != "upstream_billing" {
			t.Errorf("code %q", a.error().Code)
		}
	}
	ejected := e.server.Ejected()
	if len(ejected) != 1 || ejected[0].Reason != balance.NoBalance {
		t.Errorf("reported: %+v", ejected)
	}
}
