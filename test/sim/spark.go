package sim

import (
	"encoding/json"
	"slices"
	"strings"
)

// spark follows xfyun.cn/doc/spark "HTTP调用文档" and recordings. Business codes come in a 200, parameter errors in a 400. The rule that
// only Max and Ultra read system messages is left out: newer models do.
func spark() spec {
	reasons := []string{"x1", "spark-x"}
	const first, second = "/v1/chat/completions", "/v2/chat/completions"
	pathFor := func(model string) string {
		if slices.Contains(reasons, model) {
			return second
		}
		return first
	}
	return spec{
		key:    "simAPIPassword:simSecret",
		models: append([]string{"4.0Ultra", "lite", "generalv3", "pro-128k", "generalv3.5", "max-32k"}, reasons...),
		chat:   []string{first, second}, pathFor: pathFor, id: "cha%08x@dx1",
		thinks:    func(r *request) bool { return slices.Contains(reasons, r.model) && thinkingSwitch(true)(r) },
		problems:  sparkProblems(),
		badCode:   sparkCode,
		envelope:  envelopeSpark,
		status200: func(p problem) bool { return p.kind == sparkFlat },
		rules: []rule{
			above("temperature", 0), within("top_k", 1, 6), within("max_tokens", 1, 8192),
			func(r *request) *problem {
				if r.path != pathFor(r.model) {
					return badParam("model", "the model %s is served on %s", r.model, pathFor(r.model))
				}
				if len(r.tools) > 0 && slices.Contains([]string{"lite", "generalv3", "pro-128k"}, r.model) {
					return badParam("tools", "tools are not supported by %s", r.model)
				}
				return nil
			},
		},
		dialect: dialect{
			prefix: "data:", finish: finishNever, roleEach: true, place: alwaysFinish, counts: plainCounts, closing: obj("content", ""),
			wholeCalls: always,
			callsValue: func(r *request, calls []object) any {
				if r.at("tool_calls_switch").Bool() {
					return calls
				}
				return calls[0]
			},
			frame: func(a *answer, p part, choices []object, usage any) object {
				isChunk := p != partReply
				return obj("code", 0, "message", "Success", "sid", a.id, "id", when(isChunk, a.id), "created", when(isChunk, a.created),
					"choices", choices, "usage", usage)
			},
		},
	}
}

// sparkFlat marks the errors that come as code, message and sid without an error object.
const sparkFlat = "flat"

func sparkProblems() map[Mode]problem {
	problems := map[Mode]problem{
		Unauthorized: {status: 401, kind: "gateway", message: "HMAC signature cannot be verified"},
		invalid:      {status: 400, kind: "api_error", code: "10005", message: "invalid parameter"},
		ServerError:  {status: 500, kind: "api_error", code: "10000", message: "internal error"},
	}
	for mode, code := range map[Mode]string{NoBalance: "11200", RateLimit: "11202", Overload: "10008", Moderation: "10013", ContextLength: "10907"} {
		problems[mode] = sparkCode(code)
	}
	return problems
}

// sparkCode is what the vendor says with a business code.
func sparkCode(code string) problem {
	messages := map[string]string{
		"10007": "the previous request is not finished", "10008": "service capacity is insufficient", "10013": "the input was rejected by moderation",
		"10014": "the output was rejected by moderation", "10019": "the content is judged to be risky", "10907": "token limit exceeded",
		"11200": "AppIdNoAuthError:(no authorisation for the model or quota used up)", "11201": "daily limit reached",
		"11202": "QPS limit reached", "11203": "concurrency limit reached",
	}
	message := messages[code]
	if message == "" {
		message = "error " + code
	}
	return problem{status: 200, kind: sparkFlat, code: code, message: message}
}

func envelopeSpark(p problem, id string) object {
	switch p.kind {
	case sparkFlat:
		return obj("code", json.RawMessage(p.code), "message", p.message, "sid", id)
	case "gateway":
		return obj("message", p.message)
	}
	p.message = strings.TrimSpace(p.message + " (sid: " + id + ")")
	p.param = ""
	return errorObject(p, id)
}
