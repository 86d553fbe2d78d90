package sim

import (
	"encoding/json"
	"strconv"
	"strings"
)

// minimax follows platform.minimax.io/docs/api-reference: "text-openai-api", error schema OaiError. The usage chunk is taken to
// need include_usage, and no [DONE] ends a stream, as in the recording.
func minimax() spec {
	splits := func(r *request) bool { return r.at("reasoning_split").Bool() }
	return spec{
		key: "sk-api-sim-minimax",
		models: []string{"MiniMax-M3", "MiniMax-M2.7", "MiniMax-M2.7-highspeed", "MiniMax-M2.5", "MiniMax-M2.5-highspeed", "MiniMax-M2.1",
			"MiniMax-M2.1-highspeed", "MiniMax-M2"},
		chat: []string{"/v1/chat/completions"}, list: "/v1/models", id: "0217850000000000%016x",
		thinks:   func(r *request) bool { return r.model != "MiniMax-M3" || thinkingSwitch(true)(r) },
		problems: minimaxProblems(),
		badCode:  minimaxCode,
		envelope: func(p problem, id string) object {
			return obj("type", "error", "error", obj("type", p.kind, "message", p.message+" ("+p.code+")",
				"http_code", strconv.Itoa(p.status)), "request_id", id)
		},
		inband: func(p problem, id string) object {
			return obj("id", id, "choices", nil, "base_resp", baseResp(p.code, p.message))
		},
		rules: []rule{within("n", 1, 1), forbid("function_call", "functions"), oneOf("thinking.type", "enabled", "disabled", "adaptive")},
		dialect: dialect{
			frame: frameMiniMax, usageNull: always, finish: finishAbsent, finishInText: true, roleEach: true, noDone: true,
			wholeCalls: always, extra: obj("name", "MiniMax AI", "audio_content", ""),
			inlineThought: func(r *request) bool { return !splits(r) },
			thought: func(_ *request, m object, text string) object {
				detail := obj("type", "reasoning.text", "id", "reasoning-text-1", "format", "MiniMax-response-v1", "index", 0, "text", text)
				return m.with("reasoning_content", text, "reasoning_details", []object{detail})
			},
			counts: func(_ *request, u usage) object {
				return obj("total_tokens", u.prompt+u.completion, "total_characters", 0, "prompt_tokens", u.prompt,
					"completion_tokens", u.completion, "completion_tokens_details", when(u.reasoning > 0, obj("reasoning_tokens", u.reasoning)),
					"prompt_tokens_details", obj("cached_tokens", u.cached))
			},
		},
	}
}

func baseResp(code, message string) object {
	return obj("status_code", json.RawMessage(code), "status_msg", message)
}

func minimaxProblems() map[Mode]problem {
	problems := map[Mode]problem{}
	for mode, code := range map[Mode]string{missingAuth: "1004", Unauthorized: "2049", NoBalance: "1008", RateLimit: "1002", Overload: "1041",
		ServerError: "1000", Moderation: "1026", invalid: "2013"} {
		problems[mode] = minimaxCode(code)
	}
	long := minimaxCode("2013")
	long.message = "invalid params, context window exceeds limit"
	problems[ContextLength] = long
	return problems
}

// minimaxCode is what the vendor says with an inner code.
func minimaxCode(code string) problem {
	p := problem{code: code}
	switch code {
	case "1004":
		p.status, p.kind = 401, "authorized_error"
		p.message = "login fail: Please carry the API secret key in the 'Authorization' field of the request header"
	case "2049":
		p.status, p.kind, p.message = 401, "authorized_error", "invalid api key"
	case "1008":
		p.status, p.kind, p.message = 402, "insufficient_balance_error", "insufficient balance"
	case "1002", "1039", "2056":
		p.status, p.kind, p.message = 429, "rate_limit_error", "rate limit, please retry later"
	case "1041":
		p.status, p.kind, p.message = 529, "overloaded_error", "connection limit"
	case "1026", "1027":
		p.status, p.kind, p.message = 422, "unprocessable_entity_error", "input new_sensitive"
	case "2013", "1042":
		p.status, p.kind, p.message = 400, "bad_request_error", "invalid params"
	default:
		p.status, p.kind, p.message = 500, "server_error", "unknown error"
	}
	if code == "1027" {
		p.message = strings.Replace(p.message, "input", "output", 1)
	}
	return p
}

func frameMiniMax(a *answer, p part, choices []object, usage any) object {
	f := obj("id", a.id, "choices", choices, "created", a.created, "model", a.model, "object", objectName(p), "usage", usage,
		"service_tier", "standard")
	if p != partExtra {
		f = f.with("input_sensitive", false, "output_sensitive", false)
	}
	if p == partReply {
		f = f.with("input_sensitive_type", 0, "output_sensitive_type", 0, "output_sensitive_int", 0)
	}
	if p == partReply || p == partExtra {
		f = f.with("base_resp", baseResp("0", ""))
	}
	return f
}
