package feature_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/test/sim"
)

// allVendors is an environment with one route for each vendor, called by the vendor's name, and one key.
func allVendors(t *testing.T) *env {
	t.Helper()
	return vendorsOf(newEnv(t))
}

// vendorsOf adds the routes and the key of allVendors.
func vendorsOf(e *env) *env {
	for _, v := range sim.Vendors() {
		name := strings.ToLower(string(v))
		upstream := "any"
		if models := e.vendors.Vendor(v).Models(); len(models) > 0 {
			upstream = models[0]
		}
		r := e.route(name, upstream, name)
		price := v1alpha1.Decimal("1")
		r.Spec.Pricing = &v1alpha1.Pricing{Currency: "USD", Prices: v1alpha1.Prices{InputPerMillionTokens: &price, OutputPerMillionTokens: &price}}
	}
	e.key(shop, "shop", testKey, nil)
	e.apply()
	return e
}

// each runs a test for every vendor, one after the other: they share an access log.
func (e *env) each(t *testing.T, f func(t *testing.T, v sim.Vendor, model string)) {
	t.Helper()
	for _, v := range sim.Vendors() {
		t.Run(string(v), func(t *testing.T) { f(t, v, strings.ToLower(string(v))) })
	}
}

// settled compares the last line of the access log with what the vendor says it billed.
func (e *env) settled(t *testing.T, v sim.Vendor, seen int) {
	t.Helper()
	ledger := e.ledger(v)
	bill := ledger[len(ledger)-1]
	line := e.request(seen)
	if line["promptTokens"] != float64(bill.PromptTokens) || line["completionTokens"] != float64(bill.CompletionTokens) || line["usageEstimated"] != nil {
		t.Errorf("settled %v prompt and %v completion tokens (estimated: %v), the vendor billed %d and %d",
			line["promptTokens"], line["completionTokens"], line["usageEstimated"], bill.PromptTokens, bill.CompletionTokens)
	}
	if len(bill.Violations) > 0 {
		t.Errorf("the request broke the vendor's rules: %v", bill.Violations)
	}
}

func TestVendor_wholeAnswers(t *testing.T) {
	e := allVendors(t)
	seen := 0
	e.each(t, func(t *testing.T, v sim.Vendor, model string) {
		seen++
		resp := e.do("POST", "/v1/chat/completions", chat(model, "[[echo Hello 世界]] [[cached 3]]", `"max_tokens":500`, `"user":"somebody-1"`))
		body := read(t, resp)
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("status %d: %s", resp.StatusCode, body)
		}
		for path, want := range map[string]string{
			"object": "chat.completion", "model": model, "choices.0.message.role": "assistant", "choices.0.message.content": "Hello 世界",
			"choices.0.finish_reason": "stop",
		} {
			if got := gjson.Get(body, path).String(); got != want {
				t.Errorf("%s is %q, want %q: %s", path, got, want, body)
			}
		}
		for _, path := range []string{"id", "created", "usage.prompt_tokens", "usage.completion_tokens", "usage.total_tokens"} {
			if !gjson.Get(body, path).Exists() {
				t.Errorf("%s is missing: %s", path, body)
			}
		}
		e.settled(t, v, seen)
	})
}

func TestVendor_streams(t *testing.T) {
	e := allVendors(t)
	seen := 0
	e.each(t, func(t *testing.T, v sim.Vendor, model string) {
		for _, usage := range []bool{false, true} {
			for _, split := range []string{"", " [[split]]"} {
				seen++
				extra := []string{`"stream":true`}
				if usage {
					extra = append(extra, `"stream_options":{"include_usage":true}`)
				}
				resp := e.do("POST", "/v1/chat/completions", chat(model, "[[echo Hello 世界 🌏 and more]]"+split, extra...))
				body := read(t, resp)
				if resp.StatusCode != http.StatusOK {
					t.Fatalf("status %d: %s", resp.StatusCode, body)
				}
				if got := text(t, body); got != "Hello 世界 🌏 and more" {
					t.Errorf("text is %q", got)
				}
				usages, finishes := 0, 0
				for _, ev := range events(t, body) {
					if ev == "[DONE]" {
						continue
					}
					if got := gjson.Get(ev, "model").Str; got != model {
						t.Errorf("model is %q in %s", got, ev)
					}
					if gjson.Get(ev, "usage").IsObject() {
						usages++
					}
					if gjson.Get(ev, "choices.0.finish_reason").Str != "" {
						finishes++
					}
					for _, private := range []string{"base_resp", "code", "sid", "error"} {
						if gjson.Get(ev, private).Exists() {
							t.Errorf("%s reaches the client: %s", private, ev)
						}
					}
				}
				if (usages == 1) != usage || usages > 1 || finishes != 1 {
					t.Errorf("usage asked for: %v; %d usage chunks and %d finish reasons in %s", usage, usages, finishes, body)
				}
				e.settled(t, v, seen)
			}
		}
	})
}

func TestVendor_toolsAndJSONMode(t *testing.T) {
	e := allVendors(t)
	tools := `"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","properties":{}}}},` +
		`{"type":"function","function":{"name":"g","description":"d","parameters":{"type":"object","properties":{}}}}]`
	e.each(t, func(t *testing.T, v sim.Vendor, model string) {
		whole := read(t, e.do("POST", "/v1/chat/completions", chat(model, "[[tool]]", tools)))
		call := gjson.Get(whole, "choices.0.message.tool_calls.0")
		if call.Get("function.name").Str != "f" || call.Get("type").Str != "function" || gjson.Get(whole, "choices.0.finish_reason").Str != "tool_calls" {
			t.Errorf("tool call: %s", whole)
		}
		stream := read(t, e.do("POST", "/v1/chat/completions", chat(model, "[[tools2]]", tools, `"stream":true`)))
		ids, arguments := map[int64]string{}, map[int64]string{}
		for _, ev := range events(t, stream) {
			for _, c := range gjson.Get(ev, "choices.0.delta.tool_calls").Array() {
				i := c.Get("index")
				if !i.Exists() {
					t.Errorf("tool call without index: %s", ev)
				}
				if id := c.Get("id"); id.Exists() {
					if id.Str == "" || (ids[i.Int()] != "" && ids[i.Int()] != id.Str) {
						t.Errorf("id of call %d changes from %q to %q", i.Int(), ids[i.Int()], id.Str)
					}
					ids[i.Int()] = id.Str
				}
				arguments[i.Int()] += c.Get("function.arguments").Str
			}
		}
		if len(ids) != 2 || ids[0] == ids[1] || !gjson.Valid(arguments[0]) || !gjson.Valid(arguments[1]) {
			t.Errorf("parallel calls: ids %v, arguments %v in %s", ids, arguments, stream)
		}
		object := read(t, e.do("POST", "/v1/chat/completions", chat(model, "answer in json", `"response_format":{"type":"json_object"}`)))
		if content := gjson.Get(object, "choices.0.message.content").Str; !gjson.Parse(content).IsObject() {
			t.Errorf("JSON mode: %s", object)
		}
	})
}

// indistinct are failures that a vendor's published facts do not tell from another: code by vendor and mode.
var indistinct = map[sim.Vendor]map[string]string{
	sim.TokenHub:    {"overload": "upstream_server_error"}, // 502 stands for both
	sim.MiniMax:     {"overload": "upstream"},              // 1041 is a limit of connections
	sim.Qianfan:     {"overload": "upstream"},              // 429 with an unconfirmed code
	sim.SiliconFlow: {"moderation": "invalid_value", "server_error": "overloaded"},
	sim.Yi:          {"moderation": "invalid_value"},
}

func TestVendor_failuresMeanTheSameEverywhere(t *testing.T) {
	e := allVendors(t)
	e.each(t, func(t *testing.T, v sim.Vendor, model string) {
		for mode, want := range map[string]struct {
			status int
			code   string
		}{
			"unauthorized": {502, "upstream_credential"},
			"no_balance":   {502, "upstream_billing"},
			"rate_limit":   {429, "upstream"},
			"overload":     {503, "overloaded"},
			"moderation":   {400, "content_filter"},
			"server_error": {502, "upstream_server_error"},
			"garbage":      {502, "upstream_bad_response"},
		} {
			for _, stream := range []string{`"stream":false`, `"stream":true`} {
				e.forgive()
				resp := e.do("POST", "/v1/chat/completions", chat(model, "hello [[fail "+mode+"]]", stream))
				body := read(t, resp)
				got := gjson.Get(body, "error.code").Str
				if other, ok := indistinct[v][mode]; ok {
					if got != other {
						t.Errorf("%s, %s: got %d %s, want %s: %s", mode, stream, resp.StatusCode, got, other, body)
					}
					continue
				}
				if resp.StatusCode != want.status || got != want.code {
					t.Errorf("%s, %s: got %d %s, want %d %s: %s", mode, stream, resp.StatusCode, got, want.status, want.code, body)
				}
			}
		}
	})
}

func TestVendor_brokenStreamsNeverLookWhole(t *testing.T) {
	e := allVendors(t)
	e.each(t, func(t *testing.T, v sim.Vendor, model string) {
		for _, mode := range []string{"cut", "cut_clean", "malformed_sse"} {
			resp := e.do("POST", "/v1/chat/completions", chat(model, "[[echo one two three four five six seven]] [[chunks 7]] [[fail "+mode+"]]", `"stream":true`))
			body := read(t, resp)
			if resp.StatusCode == http.StatusOK && (strings.Contains(body, "[DONE]") || !strings.Contains(body, `"error":{`)) {
				t.Errorf("%s looks like a clean end: %s", mode, body)
			}
		}
	})
}

func TestVendor_everyAdapterHasASimulator(t *testing.T) {
	simulated := map[v1alpha1.Provider]bool{}
	for _, v := range slices.Concat(sim.Vendors(), sim.MediaVendors()) {
		simulated[v1alpha1.Provider(v)] = true
	}
	providers := newEnv(t).input.Providers
	for p := range providers {
		if !simulated[p] {
			t.Errorf("provider %s has no simulator", p)
		}
	}
	if len(simulated) != len(providers) {
		t.Errorf("%d simulators for %d providers", len(simulated), len(providers))
	}
}
