package feature_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/test/sim"
)

func TestFailure_vendorsErrorsBecomeOurs(t *testing.T) {
	e := simple(t)
	for name, tc := range map[string]struct {
		mode, typ, code string
		status          int
		header          map[string]string
	}{
		"refused credential is ours to mend": {mode: "unauthorized", status: 502, typ: "upstream_error", code: "upstream_credential"},
		"empty account is ours to mend":      {mode: "no_balance", status: 502, typ: "upstream_error", code: "upstream_billing"},
		"rate limit":                         {mode: "rate_limit", status: 429, typ: "rate_limited", code: "upstream", header: map[string]string{"Retry-After": "1"}},
		"overload":                           {mode: "overload", status: 503, typ: "model_unavailable", code: "overloaded", header: map[string]string{"Retry-After": "1"}},
		"moderation":                         {mode: "moderation", status: 400, typ: "invalid_request_error", code: "content_filter"},
		"server error":                       {mode: "server_error", status: 502, typ: "upstream_error", code: "upstream_server_error"},
		"a page instead of an answer":        {mode: "garbage", status: 502, typ: "upstream_error", code: "upstream_bad_response"},
		"a gateway's page":                   {mode: "html_504", status: 502, typ: "upstream_error"},
	} {
		for _, stream := range []string{`"stream":false`, `"stream":true`} {
			t.Run(name+" "+stream, func(t *testing.T) {
				e.forgive()
				resp := e.do("POST", "/v1/chat/completions", chat("deepseek-v4-pro", "[[fail "+tc.mode+"]]", stream))
				code := tc.code
				if code == "" {
					body := read(t, resp)
					if resp.StatusCode < 500 || strings.Contains(body, "<html") {
						t.Errorf("got %d %s", resp.StatusCode, body)
					}
					return
				}
				got := wantError(t, resp, tc.status, tc.typ, code)
				for k, v := range tc.header {
					if resp.Header.Get(k) != v {
						t.Errorf("%s is %q, want %q", k, resp.Header.Get(k), v)
					}
				}
				for _, leak := range []string{"127.0.0.1", "deepseek", "sk-", "<", "Authentication Fails", "Insufficient Balance"} {
					if strings.Contains(strings.ToLower(got.Error.Message), strings.ToLower(leak)) {
						t.Errorf("message leaks %q: %s", leak, got.Error.Message)
					}
				}
			})
		}
	}
}

func TestFailure_upstreamThatDiesMidStreamBecomesAnErrorEvent(t *testing.T) {
	e := simple(t)
	for _, mode := range []string{"cut", "cut_clean", "malformed_sse", "bad_finish", "moderation_stream"} {
		t.Run(mode, func(t *testing.T) {
			resp := e.do("POST", "/v1/chat/completions", chat("deepseek-v4-pro", "[[echo one two three four five six]] [[chunks 6]] [[fail "+mode+"]]", `"stream":true`))
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatalf("the connection broke instead: %v", err)
			}
			if resp.StatusCode != http.StatusOK {
				return // it failed before the first byte, which is as good
			}
			all := events(t, string(body))
			last := all[len(all)-1]
			if gjson.Get(last, "error.message").Str == "" || strings.Contains(string(body), "[DONE]") {
				t.Errorf("stream looks like a clean end: %s", body)
			}
			if line := e.log.requests(); len(line) > 0 && line[len(line)-1]["outcome"] == "ok" {
				t.Errorf("outcome is ok: %v", line[len(line)-1])
			}
		})
	}
}

func TestFailure_secondTargetServesWhenTheFirstFailsBeforeItsFirstByte(t *testing.T) {
	for name, tc := range map[string]struct {
		mode         sim.Mode
		wantAttempts float64
	}{
		"overload":           {mode: "overload", wantAttempts: 2},
		"rate limit":         {mode: "rate_limit", wantAttempts: 2},
		"refused credential": {mode: "unauthorized", wantAttempts: 2},
		"server error":       {mode: "server_error", wantAttempts: 2},
		"garbage":            {mode: "garbage", wantAttempts: 2},
	} {
		for _, stream := range []string{`"stream":false`, `"stream":true`} {
			t.Run(name+" "+stream, func(t *testing.T) {
				e := newEnv(t)
				e.route("m", "", "deepseek", "openai").Spec.Targets[0].Model = "deepseek-v4-pro"
				e.key(shop, "shop", testKey, nil)
				e.apply()
				e.vendors.Vendor(sim.DeepSeek).FailAlways(tc.mode)
				resp := e.do("POST", "/v1/chat/completions", chat("m", "[[echo served]]", stream))
				body := read(t, resp)
				if resp.StatusCode != http.StatusOK || !strings.Contains(body, `"ser`) {
					t.Fatalf("status %d: %s", resp.StatusCode, body)
				}
				if got := e.request(1)["attempts"]; got != tc.wantAttempts {
					t.Errorf("%v attempts, want %v", got, tc.wantAttempts)
				}
				if n := len(e.ledger(sim.OpenAI)); n != 1 {
					t.Errorf("second target saw %d requests", n)
				}
			})
		}
	}
}

func TestFailure_clientsFaultIsNotTriedElsewhere(t *testing.T) {
	e := newEnv(t)
	e.route("m", "", "deepseek", "openai").Spec.Targets[0].Model = "deepseek-v4-pro"
	e.key(shop, "shop", testKey, nil)
	e.apply()
	wantError(t, e.do("POST", "/v1/chat/completions", chat("m", "[[fail moderation]]")), 400, "invalid_request_error", "content_filter")
	if n := len(e.ledger(sim.OpenAI)); n != 0 {
		t.Errorf("second target saw %d requests", n)
	}
}

func TestFailure_requestThatMayHaveBeenBilledIsRepeatedOnlyIfTheRouteSaysSo(t *testing.T) {
	for name, tc := range map[string]struct {
		onTimeout  v1alpha1.RetryOnTimeout
		wantStatus int
		wantSecond int
	}{
		"never":       {onTimeout: v1alpha1.RetryOnTimeoutNever, wantStatus: 504},
		"unset":       {wantStatus: 504},
		"next target": {onTimeout: v1alpha1.RetryOnTimeoutNextTarget, wantStatus: 200, wantSecond: 1},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			r := e.route("m", "", "deepseek", "openai")
			r.Spec.Targets[0].Model = "deepseek-v4-pro"
			r.Spec.Timeouts = &v1alpha1.Timeouts{Response: "300ms"}
			r.Spec.Retries = &v1alpha1.Retries{OnTimeout: tc.onTimeout}
			e.key(shop, "shop", testKey, nil)
			e.apply()
			e.vendors.Vendor(sim.DeepSeek).FailAlways("stall_first")
			resp := e.do("POST", "/v1/chat/completions", chat("m", "hello"))
			if resp.StatusCode != tc.wantStatus {
				t.Errorf("status %d: %s", resp.StatusCode, read(t, resp))
			}
			if tc.wantStatus == 504 {
				wantError(t, resp, 504, "upstream_timeout", "upstream_timeout")
				if got := resp.Header.Get("X-Should-Retry"); got != "false" {
					t.Errorf("x-should-retry is %q: an SDK would pay twice", got)
				}
			}
			if n := len(e.ledger(sim.OpenAI)); n != tc.wantSecond {
				t.Errorf("second target saw %d requests, want %d", n, tc.wantSecond)
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			if err := e.vendors.Vendor(sim.DeepSeek).WaitIdle(ctx); err != nil {
				t.Errorf("the timed-out upstream call was not cancelled: %v", err)
			}
		})
	}
}

func TestFailure_keepAliveCommentsAreNoFirstByte(t *testing.T) {
	e := newEnv(t)
	e.route("m", "deepseek-v4-pro", "deepseek").Spec.Timeouts = &v1alpha1.Timeouts{Response: "300ms"}
	e.key(shop, "shop", testKey, nil)
	e.apply()
	resp := e.do("POST", "/v1/chat/completions", chat("m", "[[fail comments_only]]", `"stream":true`))
	wantError(t, resp, 504, "upstream_timeout", "upstream_timeout")
}

func TestFailure_silenceMidStreamEndsInAnErrorEvent(t *testing.T) {
	e := newEnv(t)
	e.route("m", "deepseek-v4-pro", "deepseek").Spec.Timeouts = &v1alpha1.Timeouts{Idle: "300ms"}
	e.key(shop, "shop", testKey, nil)
	e.apply()
	resp := e.do("POST", "/v1/chat/completions", chat("m", "[[chunks 5]] [[fail stall_mid]]", `"stream":true`))
	all := events(t, read(t, resp))
	if got := gjson.Get(all[len(all)-1], "error.code").Str; got != "upstream_timeout" {
		t.Errorf("last event is %s", all[len(all)-1])
	}
}

func TestFailure_fallbackServesUnderItsOwnNameAndOnlyForKeysThatMayUseIt(t *testing.T) {
	for name, tc := range map[string]struct {
		models     []v1alpha1.ModelGlob
		wantStatus int
	}{
		"key may use both":           {wantStatus: 200},
		"key may use only the first": {models: []v1alpha1.ModelGlob{"first"}, wantStatus: 503},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			e.route("first", "deepseek-v4-pro", "deepseek").Spec.Fallbacks = []v1alpha1.ModelName{"second"}
			e.route("second", "any", "openai")
			e.key(shop, "shop", testKey, func(s *v1alpha1.ApiKeySpec) { s.Models = tc.models })
			e.apply()
			e.vendors.Vendor(sim.DeepSeek).FailAlways("overload")
			resp := e.do("POST", "/v1/chat/completions", chat("first", "hello"))
			body := read(t, resp)
			if resp.StatusCode != tc.wantStatus {
				t.Fatalf("status %d: %s", resp.StatusCode, body)
			}
			if tc.wantStatus != http.StatusOK {
				return
			}
			if gjson.Get(body, "model").Str != "second" || resp.Header.Get("X-Vipcloud-Fallback") != "1" {
				t.Errorf("fallback is not told: %s %v", body, resp.Header)
			}
			if line := e.request(1); line["servedModel"] != "second" || line["model"] != "first" {
				t.Errorf("access log: %v", line)
			}
		})
	}
}

func TestFailure_clientThatLeavesCancelsTheUpstreamAndIsStillSettled(t *testing.T) {
	e := simple(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	body := chat("deepseek-v4-pro", "[[chunks 50]] [[fail stall_mid]]", `"stream":true`)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.base+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+testKey)
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := bufio.NewReader(resp.Body).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	cancel()
	wait, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	if err := e.vendors.Vendor(sim.DeepSeek).WaitIdle(wait); err != nil {
		t.Fatalf("upstream goes on working for nobody: %v", err)
	}
	line := e.request(1)
	if line["outcome"] != "client_gone" || line["usageEstimated"] != true {
		t.Errorf("access log: %v", line)
	}
	if n, ok := line["promptTokens"].(float64); !ok || n == 0 {
		t.Errorf("what was used is not settled: %v", line)
	}
}

func TestFailure_clientThatLeavesBeforeTheFirstByteCancelsTheUpstream(t *testing.T) {
	e := simple(t)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.base+"/v1/chat/completions", strings.NewReader(chat("deepseek-v4-pro", "[[fail stall_first]]")))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+testKey)
	if resp, err := client.Do(req); err == nil {
		_ = resp.Body.Close()
		t.Fatal("got an answer")
	}
	wait, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	if err := e.vendors.Vendor(sim.DeepSeek).WaitIdle(wait); err != nil {
		t.Fatalf("upstream goes on working for nobody: %v", err)
	}
	if line := e.request(1); line["outcome"] != "client_gone" || line["status"] != float64(499) {
		t.Errorf("access log: %v", line)
	}
}
