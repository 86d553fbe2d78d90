package sim

import "github.com/tidwall/gjson"

// mimo follows platform.xiaomimimo.com/docs: "error-codes", "first-api-call". Thinking is taken to be on by default, and max_tokens is
// refused because only max_completion_tokens is documented. An empty reasoning_content is taken as replayed.
func mimo() spec {
	return spec{
		key:    "sk-sim-mimo",
		models: []string{"mimo-v2.6-pro", "mimo-v2.6-flash", "mimo-v2.5", "mimo-v2-flash", "mimo-v2-pro", "mimo-v2-omni"},
		chat:   []string{"/v1/chat/completions"}, list: "/v1/models", id: "sim-mimo-%012x",
		keyHeader: "api-key", thinks: thinkingSwitch(true), envelope: errorObject,
		problems: map[Mode]problem{
			NoBalance:    {status: 402, kind: "insufficient_balance", code: "402", message: "Insufficient account balance"},
			RateLimit:    {status: 429, kind: "rate_limit_error", code: "429", message: "Too many requests"},
			Overload:     {status: 503, kind: "server_error", code: "503", message: "The service is overloaded"},
			Moderation:   {status: 421, kind: "content_filter", code: "421", message: "The content was blocked"},
			unknownModel: {status: 400, kind: "invalid_request_error", code: "400", message: "Not supported model"},
		},
		rules: []rule{
			forbid("max_tokens"), oneOf("thinking.type", "enabled", "disabled"),
			replays("The reasoning_content in the thinking mode must be passed back to the API.",
				func(*request, gjson.Result) bool { return true }),
		},
		dialect: dialect{opening: true, nullPair: true, closing: object{}},
	}
}
