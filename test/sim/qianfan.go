package sim

import "strings"

// qianfan follows cloud.baidu.com/doc/qianfan-api: "rmwbl43x7" (errors), "Dmba8k71y" (models). A model without permission is a 401 that
// says nothing about the key. Usage needs include_usage; ernie-4.5 models put it into the finish chunk, the others into one with
// empty choices, because both are seen.
func qianfan() spec {
	return spec{
		key: "bce-v3/ALTAK-sim/secret",
		models: []string{"ernie-5.0", "ernie-5.0-thinking-latest", "ernie-x1.1", "ernie-4.5-turbo-128k", "ernie-4.5-turbo-32k",
			"ernie-4.5-turbo-vl", "ernie-speed-128k"},
		chat: []string{"/v2/chat/completions"}, list: "/v2/models", id: "as-sim%07x",
		thinks: func(r *request) bool { return enableThinking(r) || strings.Contains(r.model, "thinking") },
		problems: map[Mode]problem{
			Unauthorized:  {status: 401, kind: "invalid_request_error", code: "invalid_iam_token", message: "IAM Certification failed"},
			NoBalance:     {status: 403, kind: "access_denied", code: "account_overdue", message: "The account is overdue"},
			RateLimit:     {status: 429, kind: "rate_limit_exceeded", code: "rpm_rate_limit_exceeded", message: "Rate limit reached for RPM"},
			Overload:      {status: 429, kind: "rate_limit_exceeded", code: "cluster_rate_limit_exceeded", message: "The cluster is overloaded"},
			ServerError:   {status: 500, kind: "internal_error", code: "internal_error", message: "Internal error"},
			Moderation:    {status: 400, kind: "unsafe_request", code: "system_unsafe", message: "the content of messages is unsafe"},
			ContextLength: {status: 400, kind: "invalid_request_error", code: "tokens_too_long", message: "the prompt is too long"},
			invalid:       {status: 400, kind: "invalid_request_error", code: "invalid_argument", message: "invalid argument"},
			missingField:  {status: 400, kind: "invalid_request_error", code: "invalid_messages", message: "invalid messages"},
			badJSON:       {status: 400, kind: "invalid_request_error", code: "malformed_json", message: "malformed json"},
			unknownModel:  {status: 401, kind: "invalid_request_error", code: "invalid_model", message: "No permission to use the model"},
		},
		envelope: func(p problem, id string) object {
			return obj("error", obj("code", p.code, "message", p.message, "type", p.kind), "id", id)
		},
		dialect: dialect{
			opening: true, closing: obj("content", ""),
			place: func(r *request) place {
				if r.includeUsage && strings.HasPrefix(r.model, "ernie-4.5") {
					return usageFinish
				}
				return askedExtra(r)
			},
			counts: plainCounts,
			choiceExtra: func(_ *request, _ part, _ int, choice object) object {
				return choice.with("flag", 0)
			},
		},
	}
}
