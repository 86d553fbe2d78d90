package sim

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/tidwall/gjson"
)

// ark follows volcengine.com/docs/82379: "1494384" (chat), "1299023" (error codes), "1449737" (thinking). The model thinks when
// thinking or reasoning_effort asks for it.
func ark() spec {
	endpointID := regexp.MustCompile(`^ep-[0-9]{14}-[a-z0-9]{5}$`)
	return spec{
		key: "0a51c0de-51c0-4a51-8a51-000000000001",
		models: []string{"doubao-seed-2-1-pro-260628", "doubao-seed-2-1-pro-260915", "doubao-seed-2-1-turbo-260628", "doubao-seed-evolving",
			"doubao-seed-2-0-lite-260428", "doubao-seed-1-8-251228", "deepseek-v4-pro-ga-260813", "deepseek-v4-flash-ga-260731",
			"deepseek-v4-1-flash-260910", "seed-2-0-lite-260428", "seed-1-8-251228"},
		knows: endpointID.MatchString,
		chat:  []string{"/api/v3/chat/completions"}, id: "0217%028x", answerCap: true,
		headers: func(req *http.Request, _ string, h http.Header) {
			if id := req.Header.Get("X-Client-Request-Id"); id != "" {
				h.Set("X-Client-Request-Id", id)
			}
		},
		thinks: func(r *request) bool { return thinkingSwitch(asksEffort(r))(r) },
		problems: map[Mode]problem{
			Unauthorized: {status: 401, code: "AuthenticationError", kind: "Unauthorized",
				message: "The API key or AK/SK in the request is missing or invalid."},
			NoBalance: {status: 403, code: "AccountOverdueError", kind: "Forbidden",
				message: "The request failed because your account has an overdue balance."},
			RateLimit: {status: 429, code: "RateLimitExceeded.EndpointRPMExceeded", kind: "TooManyRequests",
				message: "The Requests Per Minute (RPM) limit of the associated endpoint has been exceeded."},
			Overload:    {status: 429, code: "ServerOverloaded", kind: "TooManyRequests", message: "The service is currently overloaded."},
			ServerError: {status: 500, code: "InternalServiceError", kind: "InternalServerError", message: "The service encountered an unexpected internal error."},
			Moderation: {status: 400, code: "InputTextSensitiveContentDetected", kind: "BadRequest",
				message: "The request failed because the input text may contain sensitive information."},
			invalid:      {status: 400, code: "InvalidParameter", kind: "BadRequest", message: "A parameter specified in the request is not valid."},
			missingField: {status: 400, code: "MissingParameter", kind: "BadRequest", message: "The request is missing a parameter."},
			unknownModel: {status: 404, code: "InvalidEndpointOrModel.NotFound", kind: "NotFound",
				message: "The model or endpoint does not exist or you do not have access to it."},
		},
		envelope: func(p problem, id string) object {
			return obj("error", obj("code", p.code, "message", p.message+" Request id: "+id, "param", p.param, "type", p.kind))
		},
		rules: []rule{
			exclusive("max_tokens", "max_completion_tokens"), oneOf("thinking.type", "enabled", "disabled", "auto"),
			oneOf("reasoning_effort", "none", "minimal", "low", "medium", "high", "xhigh", "max"), arkForms,
		},
		dialect: dialect{
			opening: true, closing: object{},
			place: func(r *request) place {
				if r.at("stream_options.chunk_include_usage").Bool() {
					return usageEvery | askedExtra(r)
				}
				return askedExtra(r)
			},
			frame: func(a *answer, p part, choices []object, usage any) object {
				return frameOpenAI(a, p, choices, usage).with("service_tier", "default")
			},
			messageExtra: func(r *request, m object) object {
				hides := r.thinking && strings.Contains(r.model, "seed-2-1")
				return m.with("encrypted_content", when(hides, "sim-enc-"+r.model))
			},
		},
	}
}

// arkForms refuses logprobs of Seed models, tools other than functions, and reasoning that was tampered with.
func arkForms(r *request) *problem {
	if r.at("logprobs").Bool() && strings.Contains(r.model, "seed") {
		return badParam("logprobs", "logprobs is not supported by %s", r.model)
	}
	for _, tool := range r.tools {
		if tool.Get("type").Str != "function" {
			return badParam("tools", "tools: only type function is supported")
		}
	}
	for _, m := range r.messages {
		if sealed := m.Get("encrypted_content"); sealed.Type == gjson.String && !strings.HasPrefix(sealed.Str, "sim-enc-") {
			return badParam("messages", "Invalid signature in encrypted_content")
		}
	}
	return nil
}
