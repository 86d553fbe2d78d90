package sim

import (
	"fmt"
	"strings"

	"github.com/tidwall/gjson"
)

// moonshot follows platform.kimi.com/docs: "api/chat", "api/errors", "guide/use-thinking-models". An empty reasoning_content is
// taken as replayed; kimi-k3 wants it on every assistant message, the others beside tool calls.
func moonshot() spec {
	return spec{
		key:    "sk-sim-moonshot",
		models: []string{"kimi-k3", "kimi-k2.6", "kimi-k2.7-code", "kimi-k2.7-code-highspeed"},
		chat:   []string{"/v1/chat/completions"}, list: "/v1/models", id: "chatcmpl-sim%012x",
		thinks: func(r *request) bool { return r.model != "kimi-k2.6" || thinkingSwitch(true)(r) },
		callID: func(n int, _ int64, name string) string { return fmt.Sprintf("%s_%d", name, n) },
		problems: map[Mode]problem{
			missingAuth:  {status: 401, kind: "invalid_authentication_error", message: "Invalid Authentication"},
			Unauthorized: {status: 401, kind: "incorrect_api_key_error", message: "Incorrect API key provided"},
			NoBalance: {status: 429, kind: "exceeded_current_quota_error",
				message: "Your account {uid}<{ak-id}> is suspended, please check your plan and billing details"},
			RateLimit: {status: 429, kind: "rate_limit_reached_error",
				message: "Your account {uid}<{ak-id}> request reached TPM rate limit, current:500001, limit:500000"},
			Overload: {status: 429, kind: "engine_overloaded_error", retryAfter: 3,
				message: "The engine is currently overloaded, please try again later"},
			ServerError: {status: 500, kind: "server_error", message: "Server error"},
			Moderation: {status: 400, kind: "content_filter",
				message: "The request was rejected because it was considered high risk"},
			ContextLength: {status: 400, kind: "invalid_request_error", message: "Your request exceeded model token limit : 262144"},
			unknownModel:  {status: 404, kind: "resource_not_found_error", message: "Not found the model or Permission denied"},
			badPath:       {status: 404, kind: "resource_not_found_error", message: "The requested resource was not found"},
		},
		envelope: func(p problem, _ string) object { return obj("error", obj("type", p.kind, "message", p.message)) },
		rules: []rule{
			kimiSampling, kimiThinking, kimiForms, forbid("functions", "function_call"), atMost("stop", 5),
			toolNames(`^[a-zA-Z_][a-zA-Z0-9_-]{0,127}$`),
			replays("thinking is enabled but reasoning_content is missing in assistant tool call message",
				func(r *request, m gjson.Result) bool { return r.model == "kimi-k3" || m.Get("tool_calls").Exists() }),
		},
		dialect: dialect{
			opening: true, switchMark: true, closing: object{},
			place:   func(r *request) place { return usageChoice | askedExtra(r) },
			noIndex: func(r *request) bool { return strings.HasPrefix(r.model, "kimi-k2.7") },
			counts: func(r *request, u usage) object {
				return plainCounts(r, u).with("cached_tokens", u.cached,
					"completion_tokens_details", when(u.reasoning > 0, obj("reasoning_tokens", u.reasoning)),
					"prompt_tokens_details", obj("cached_tokens", u.cached))
			},
		},
	}
}

// kimiSampling refuses every sampling value but the model's own.
func kimiSampling(r *request) *problem {
	temperature := 1.0
	if r.model == "kimi-k2.6" && !r.thinking {
		temperature = 0.6
	}
	for _, frozen := range []struct {
		param string
		only  float64
	}{{"temperature", temperature}, {"top_p", 0.95}, {"n", 1}, {"presence_penalty", 0}, {"frequency_penalty", 0}} {
		if r.has(frozen.param) && r.at(frozen.param).Num != frozen.only {
			return badParam(frozen.param, "invalid %s: only %g is allowed for this model", frozen.param, frozen.only)
		}
	}
	return nil
}

func kimiThinking(r *request) *problem {
	kind, isCode := r.at("thinking.type").Str, strings.HasPrefix(r.model, "kimi-k2.7")
	switch {
	case isCode && r.has("thinking") && kind != "enabled":
		return badParam("thinking", "invalid thinking: only type=enabled is allowed for this model")
	case r.model == "kimi-k3" && kind == "disabled":
		return badParam("thinking", "invalid thinking: this model always thinks")
	case r.model != "kimi-k3" && r.thinking && r.at("tool_choice").Str == "required":
		return badParam("tool_choice", "tool_choice 'required' is incompatible with thinking enabled")
	case r.model == "kimi-k3":
		return oneOf("reasoning_effort", "low", "high", "max")(r)
	}
	return oneOf("thinking.type", "enabled", "disabled")(r)
}

// kimiForms holds the rest: stop lengths, image links, cache breakpoints, prefix completion.
func kimiForms(r *request) *problem {
	for _, stop := range r.at("stop").Array() {
		if len(stop.Str) > 32 {
			return badParam("stop", "stop: at most 32 bytes each")
		}
	}
	for _, m := range r.messages {
		for _, part := range m.Get("content").Array() {
			if strings.HasPrefix(part.Get("image_url.url").Str, "http") {
				return badParam("messages", "unsupported image url: %s", "only base64 and ms:// are allowed")
			}
			if part.IsObject() && part.Get("prompt_cache_breakpoint").Exists() {
				return badParam("messages", "prompt_cache_breakpoint is not allowed in content")
			}
		}
		if m.Get("partial").Bool() && r.at("response_format.type").Str == "json_object" {
			return badParam("messages", "partial cannot be used with json_object")
		}
	}
	return nil
}
