package sim

import "net/http"

// stepfun follows platform.stepfun.com/docs: "api-reference/error-codes". Reasoning comes as "reasoning" unless the
// request asks for the deepseek-style reasoning_format.
func stepfun() spec {
	return spec{
		key:    "sim5stepfun5key",
		models: []string{"step-5-preview", "step-3.7-flash", "step-3.5-flash", "step-3.5-flash-2603", "step-1-32k", "step-2-16k", "step-1o-vision-32k"},
		chat:   []string{"/v1/chat/completions"}, list: "/v1/models", id: "sim-step-%08x",
		headers: func(_ *http.Request, id string, h http.Header) { h.Set("X-Trace-Id", id) },
		thinks: func(r *request) bool {
			switch r.model {
			case "step-5-preview", "step-3.7-flash", "step-3.5-flash", "step-3.5-flash-2603":
				return true
			}
			return false
		},
		problems: map[Mode]problem{
			Unauthorized: {status: 401, kind: "invalid_api_key", message: "Incorrect API key provided"},
			NoBalance:    {status: 402, kind: "insufficient_quota", message: "You exceeded your current quota"},
			Moderation:   {status: 451, kind: "censorship_block", message: "The content was blocked"},
			unknownModel: {status: 400, kind: "invalid_request_error", message: "model not found"},
		},
		envelope: func(p problem, _ string) object { return obj("error", obj("message", p.message, "type", p.kind)) },
		dialect: dialect{
			opening: true, closing: object{},
			field: func(r *request) string {
				if r.at("reasoning_format").Str == "deepseek-style" {
					return "reasoning_content"
				}
				return "reasoning"
			},
			counts: func(r *request, u usage) object { return plainCounts(r, u).with("cached_tokens", u.cached) },
		},
	}
}
