package sim

import (
	"fmt"

	"github.com/tidwall/gjson"
)

// deepseek follows api-docs.deepseek.com: "Create Chat Completion", "Thinking Mode", "Error Codes", "Rate Limit & Isolation".
// max_completion_tokens is refused because the reference lacks it. Comments and blank lines come before every answer.
func deepseek() spec {
	const beta = "/beta/chat/completions"
	return spec{
		key:    "sk-sim-deepseek",
		models: []string{"deepseek-flash", "deepseek-v4-pro", "deepseek-v4-flash", "deepseek-v4-flash-vision-exp"},
		chat:   []string{"/chat/completions", beta}, list: "/models", id: "945bb10c-9bf3-47ff-a2a2-%012x",
		keepAlive: true, badFinish: "insufficient_system_resource",
		thinks: func(r *request) bool {
			return thinkingSwitch(true)(r) && r.at("reasoning_effort").Str != "none"
		},
		callID:   func(n int, seq int64, _ string) string { return fmt.Sprintf("call_%02d_sim%08d", n, seq) },
		problems: deepseekProblems(),
		envelope: func(p problem, id string) object {
			return errorObject(problem{message: p.message + " (request_id: " + id + ")", kind: p.kind, code: "invalid_request_error"}, id)
		},
		rules: []rule{
			forbid("max_completion_tokens"), within("max_tokens", 1, 393216), needs("stream_options", "stream"),
			oneOf("thinking.type", "enabled", "disabled"),
			oneOf("reasoning_effort", "low", "high", "max", "minimal", "medium", "xhigh", "ultra", "none"),
			noJSONSchema, jsonWord, atMost("stop", 16), atMost("tools", 128), within("top_logprobs", 0, 20),
			matches("user_id", `^[a-zA-Z0-9_-]{1,512}$`),
			func(r *request) *problem {
				if r.thinking && r.forcesTool() {
					return badParam("tool_choice", "Thinking mode does not support this tool_choice")
				}
				return nil
			},
			func(r *request) *problem {
				for _, tool := range r.tools {
					if tool.Get("function.strict").Bool() && r.path != beta {
						return badParam("tools", "strict functions need the beta base URL")
					}
				}
				return nil
			},
			replays("The `reasoning_content` in the thinking mode must be passed back to the API.",
				func(r *request, _ gjson.Result) bool { return len(r.tools) > 0 }),
		},
		dialect: dialect{
			frame: frameDeepSeek, place: alwaysFinish, counts: countsDeepSeek, usageNull: always, logprobs: true,
			opening: true, nullPair: true, closing: obj("content", ""), callIndex: true,
		},
	}
}

func deepseekProblems() map[Mode]problem {
	// A body that does not deserialize is answered in plain text.
	undecodable := problem{status: 422, plain: true, message: "Failed to deserialize the JSON body into the target type: %s"}
	return map[Mode]problem{
		Unauthorized: {status: 401, kind: "authentication_error", message: "Authentication Fails (no such user)"},
		NoBalance:    {status: 402, kind: "unknown_error", message: "Insufficient Balance"},
		Moderation:   {status: 400, kind: "invalid_request_error", message: "Content Exists Risk"},
		unknownModel: {status: 400, kind: "invalid_request_error", message: "Model Not Exist"},
		badJSON:      undecodable,
		missingField: undecodable,
	}
}

func frameDeepSeek(a *answer, p part, choices []object, usage any) object {
	const fingerprint = "fp_eaab8d114b_prod0820_fp8_kvcache"
	head := obj("id", a.id, "object", objectName(p), "created", a.created, "model", a.model)
	if p == partReply {
		return head.with("choices", choices, "usage", usage, "system_fingerprint", fingerprint)
	}
	return head.with("system_fingerprint", fingerprint, "choices", choices, "usage", usage)
}

func countsDeepSeek(r *request, u usage) object {
	return detailed(r, u).with("prompt_cache_hit_tokens", u.cached, "prompt_cache_miss_tokens", u.prompt-u.cached)
}
