package feature_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"
)

func TestChat_wholeAnswerHasThePublicNameAndTheUpstreamsUsage(t *testing.T) {
	e := newEnv(t)
	e.route("my-model", "deepseek-v4-pro", "deepseek")
	e.key(shop, "shop", testKey, nil)
	e.apply()

	resp := e.do("POST", "/v1/chat/completions", chat("my-model", "[[echo Hi there]]"))
	body := read(t, resp)
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("status %d: %s", resp.StatusCode, body)
	}
	if got := gjson.Get(body, "model").Str; got != "my-model" {
		t.Errorf("model is %q, want the public name", got)
	}
	if got := gjson.Get(body, "choices.0.message.content").Str; got != "Hi there" {
		t.Errorf("content is %q", got)
	}
	ledger := e.ledger("DeepSeek")
	if len(ledger) != 1 {
		t.Fatalf("upstream saw %d requests", len(ledger))
	}
	if got := gjson.Get(body, "usage.prompt_tokens").Int(); got != int64(ledger[0].PromptTokens) || got == 0 {
		t.Errorf("prompt_tokens is %d, ledger says %d", got, ledger[0].PromptTokens)
	}
	line := e.request(1)
	if line["promptTokens"] != float64(ledger[0].PromptTokens) || line["completionTokens"] != float64(ledger[0].CompletionTokens) {
		t.Errorf("access log %v does not match the ledger %+v", line, ledger[0])
	}
	if line["key"] != "shop/shop" || line["keyPrefix"] != testKey[:8] || strings.Contains(e.log.String(), testKey) {
		t.Errorf("access log names the key wrongly: %v", line)
	}
	for _, h := range []string{"X-Request-Id", "Server-Timing"} {
		if resp.Header.Get(h) == "" {
			t.Errorf("header %s is missing", h)
		}
	}
}

func TestChat_streamEqualsTheWholeAnswerAndUsageIsSentOnlyWhenAsked(t *testing.T) {
	e := simple(t)
	for name, tc := range map[string]struct {
		extra     []string
		wantUsage int
	}{
		"client does not ask for usage": {extra: []string{`"stream":true`}},
		"client asks for usage":         {extra: []string{`"stream":true`, `"stream_options":{"include_usage":true}`}, wantUsage: 1},
		"client declines usage":         {extra: []string{`"stream":true`, `"stream_options":{"include_usage":false}`}},
	} {
		t.Run(name, func(t *testing.T) {
			resp := e.do("POST", "/v1/chat/completions", chat("deepseek-v4-pro", "[[echo Hello, 世界 🌏!]]", tc.extra...))
			stream := read(t, resp)
			if got := text(t, stream); got != "Hello, 世界 🌏!" {
				t.Errorf("streamed text is %q", got)
			}
			all := events(t, stream)
			if all[len(all)-1] != "[DONE]" || strings.Count(stream, "[DONE]") != 1 {
				t.Errorf("stream does not end with one [DONE]: %q", stream)
			}
			usage := 0
			for _, ev := range all {
				if u := gjson.Get(ev, "usage"); u.IsObject() {
					usage++
					if n := len(gjson.Get(ev, "choices").Array()); n != 0 || !gjson.Get(ev, "choices").Exists() {
						t.Errorf("usage chunk has choices: %s", ev)
					}
				}
				if gjson.Get(ev, "error").Exists() {
					t.Errorf("chunk names error: %s", ev)
				}
			}
			if usage != tc.wantUsage {
				t.Errorf("%d usage chunks, want %d: %s", usage, tc.wantUsage, stream)
			}
			want := map[string]string{
				"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache", "X-Accel-Buffering": "no",
				"Content-Encoding": "", "Connection": "", "Content-Length": "",
			}
			got := map[string]string{}
			for k := range want {
				got[k] = resp.Header.Get(k)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
		})
	}
}

func TestChat_unknownMembersReachTheUpstreamUntouched(t *testing.T) {
	e := newEnv(t)
	e.vendors.Vendor("OpenAI")
	e.route("any", "any", "openai")
	e.key(shop, "shop", testKey, nil)
	e.apply()
	body := `{"x_vendor":{"deep":[1,2.50,"\u4e16"]},"model":"any","messages":[{"role":"user","content":"hi","reasoning_content":"r","x":1}],"seed":12345678901234567890}`
	resp := e.do("POST", "/v1/chat/completions", body)
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("status %d: %s", resp.StatusCode, read(t, resp))
	}
}

func TestChat_clientErrorsAreNamedBeforeAnyUpstreamIsCalled(t *testing.T) {
	e := simple(t)
	for name, tc := range map[string]struct {
		body, code, param, message string
	}{
		"empty body":           {"", "invalid_json", "", "empty"},
		"not JSON":             {"{", "invalid_json", "", "not valid JSON"},
		"a list":               {"[]", "invalid_json", "", "must be a JSON object"},
		"no model":             {`{"messages":[{}]}`, "missing_required_parameter", "model", "'model'"},
		"model is null":        {`{"model":null,"messages":[{}]}`, "missing_required_parameter", "model", "'model'"},
		"model is a number":    {`{"model":1,"messages":[{}]}`, "invalid_type", "model", "string"},
		"model twice":          {`{"model":"a","mod\u0065l":"b","messages":[{}]}`, "invalid_json", "model", "twice"},
		"no messages":          {`{"model":"deepseek-v4-pro"}`, "missing_required_parameter", "messages", "'messages'"},
		"messages is a string": {`{"model":"deepseek-v4-pro","messages":"hi"}`, "invalid_type", "messages", "array"},
		"no message in it":     {`{"model":"deepseek-v4-pro","messages":[ ]}`, "empty_array", "messages", "at least one"},
		"stream is a string":   {chat("deepseek-v4-pro", "x", `"stream":"true"`), "invalid_type", "stream", "true or false"},
		"options without stream": {chat("deepseek-v4-pro", "x", `"stream_options":{"include_usage":true}`), "invalid_value", "stream_options",
			"only allowed when 'stream'"},
		"options is a list": {chat("deepseek-v4-pro", "x", `"stream":true,"stream_options":[]`), "invalid_type", "stream_options", "object"},
	} {
		t.Run(name, func(t *testing.T) {
			got := wantError(t, e.do("POST", "/v1/chat/completions", tc.body), 400, "invalid_request_error", tc.code)
			param := ""
			if got.Error.Param != nil {
				param = *got.Error.Param
			}
			if param != tc.param || !strings.Contains(got.Error.Message, tc.message) {
				t.Errorf("param %q, message %q", param, got.Error.Message)
			}
		})
	}
	if n := len(e.ledger("DeepSeek")); n != 0 {
		t.Errorf("%d requests reached the upstream", n)
	}
}

func TestChat_toolCallsStreamWithIndexAndID(t *testing.T) {
	e := simple(t)
	tools := `"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}]`
	stream := read(t, e.do("POST", "/v1/chat/completions", chat("deepseek-v4-pro", "[[tool]]", tools, `"stream":true`)))
	found := false
	for _, ev := range events(t, stream) {
		for _, call := range gjson.Get(ev, "choices.0.delta.tool_calls").Array() {
			found = true
			if !call.Get("index").Exists() {
				t.Errorf("tool call without index: %s", ev)
			}
		}
	}
	if !found || !strings.Contains(stream, `"finish_reason":"tool_calls"`) {
		t.Errorf("no tool call in %s", stream)
	}
}
