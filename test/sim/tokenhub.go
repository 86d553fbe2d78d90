package sim

import "strings"

// tokenhub follows cloud.tencent.com/document/product/1823: "131595" (errors), "132252" (models). Answers are taken to be OpenAI's;
// the models that came from the closed Hunyuan platform still carry its note.
func tokenhub() spec {
	return spec{
		key: "sk-sim-tokenhub",
		models: []string{"hy4", "hy4-preview", "hy3", "hunyuan-2.0-thinking-20251109", "hunyuan-2.0-instruct-20251111", "hunyuan-role-latest",
			"deepseek-v4-pro", "deepseek-v3.2", "glm-5", "kimi-k2.5", "minimax-m2.7"},
		chat: []string{"/v1/chat/completions"}, list: "/v1/models", id: "sim-tokenhub-%08x",
		thinks: func(r *request) bool { return asksEffort(r) || strings.Contains(r.model, "thinking") },
		problems: map[Mode]problem{
			Unauthorized: {status: 401, kind: "authentication_error", code: "401002", message: "invalid api key"},
			NoBalance:    {status: 402, kind: "permission_error", code: "401007", message: "endpoint is inactive: FREE_QUOTA_EXHAUSTED"},
			RateLimit:    {status: 429, kind: "rate_limit_error", code: "429001", message: "rate limit exceeded on dimension: rpm"},
			Overload:     {status: 502, kind: "upstream_error", code: "502001", message: "provider is unavailable"},
			ServerError:  {status: 502, kind: "upstream_error", code: "502001", message: "provider returned an error"},
			Moderation:   {status: 451, kind: "content_filter_error", code: "451001", message: "content was filtered by safety policy"},
			invalid:      {status: 400, kind: "invalid_request_error", code: "400001", message: "invalid parameter"},
			unknownModel: {status: 402, kind: "permission_error", code: "403004", message: "endpoint is inactive"},
		},
		envelope: envelopeTokenHub,
		rules:    []rule{hyEffort},
		dialect: dialect{
			opening: true, closing: object{},
			frame: func(a *answer, p part, choices []object, usage any) object {
				return frameOpenAI(a, p, choices, usage).with("note", when(strings.HasPrefix(a.model, "hunyuan-"), "以上内容为AI生成，不代表开发者立场"))
			},
		},
	}
}

// hyEffort holds hy4 to its three levels.
func hyEffort(r *request) *problem {
	if !strings.HasPrefix(r.model, "hy4") {
		return nil
	}
	return oneOf("reasoning_effort", "low", "medium", "high")(r)
}

func envelopeTokenHub(p problem, id string) object {
	source := map[Mode]string{Overload: "upstream", ServerError: "upstream", RateLimit: "gateway"}[p.mode]
	if source == "" {
		source = "client"
	}
	isUpstream := source == "upstream"
	return obj("error", obj("type", p.kind, "code", p.code, "message", p.message, "source", source,
		"upstream_code", when(isUpstream, "server_error"), "upstream_status", when(isUpstream, 500), "request_id", id))
}
