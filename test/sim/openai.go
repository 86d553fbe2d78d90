package sim

// openai is a generic upstream that keeps to the OpenAI reference. It reasons only when a prompt says [[think]].
func openai() spec {
	return spec{
		key: "sk-sim-openai", chat: []string{"/v1/chat/completions"}, list: "/v1/models", id: "chatcmpl-sim%08d",
		envelope: errorObject,
		rules:    []rule{needs("stream_options", "stream"), needs("top_logprobs", "logprobs"), within("top_logprobs", 0, 20), atMost("stop", 4)},
		problems: map[Mode]problem{
			NoBalance:    {status: 429, kind: "insufficient_quota", code: "insufficient_quota", message: "You exceeded your current quota"},
			RateLimit:    {status: 429, kind: "requests", code: "rate_limit_exceeded", message: "Rate limit reached for requests", retryAfter: 1},
			unknownModel: {status: 404, kind: "invalid_request_error", code: "model_not_found", message: "The model does not exist"},
		},
		dialect: dialect{
			opening: true, logprobs: true,
			usageNull:    func(r *request) bool { return r.includeUsage },
			messageExtra: func(_ *request, m object) object { return m.with("refusal", nil) },
		},
	}
}
