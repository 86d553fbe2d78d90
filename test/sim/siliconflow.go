package sim

import (
	"encoding/json"
	"net/http"
	"strings"
)

// siliconflow follows docs.siliconflow.cn "chat-completions". Its CDN refuses requests without a User-Agent and those that carry a
// library's default one.
func siliconflow() spec {
	return spec{
		key: "sk-sim-siliconflow",
		models: []string{"deepseek-ai/DeepSeek-V4-Flash", "deepseek-ai/DeepSeek-V3.2", "Pro/deepseek-ai/DeepSeek-V3.2", "Qwen/Qwen3-32B",
			"zai-org/GLM-4.6", "moonshotai/Kimi-K2-Instruct", "MiniMaxAI/MiniMax-M2"},
		chat: []string{"/v1/chat/completions"}, list: "/v1/models", id: "019a%028x",
		gate:    needUserAgent,
		headers: func(_ *http.Request, id string, h http.Header) { h.Set("x-siliconcloud-trace-id", "ti_"+id) },
		thinks:  func(r *request) bool { return enableThinking(r) || asksEffort(r) },
		problems: map[Mode]problem{
			Unauthorized: {status: 401, code: "30014", message: "Token is invalid."},
			NoBalance:    {status: 402, code: "30001", message: "Sorry, your account balance is insufficient"},
			RateLimit:    {status: 429, code: "50604", message: "Request was rejected due to rate limiting. Details: RPM limit reached."},
			Overload:     {status: 503, code: "50505", message: "Model service overloaded. Please try again later."},
			ServerError:  {status: 500, code: "50500", message: "Unknown error"},
			Moderation:   {status: 400, code: "20015", message: "The content was rejected as unsafe"},
			invalid:      {status: 400, code: "20015", message: "The parameter is invalid. Please check again."},
			unknownModel: {status: 400, code: "20012", message: "Model does not exist. Please check it carefully."},
			badPath:      {status: 404, code: "404", message: "page not found"},
			badMethod:    {status: 405, code: "405", message: "method not allowed"},
		},
		envelope: func(p problem, _ string) object {
			return obj("code", json.RawMessage(p.code), "message", p.message, "data", nil)
		},
		rules: []rule{atMost("tools", 128), toolNames(`^[a-zA-Z0-9_-]{1,64}$`)},
		dialect: dialect{
			opening: true, nullPair: true, closing: obj("content", ""),
			place: func(*request) place { return usageEvery },
			counts: func(r *request, u usage) object {
				if strings.Contains(r.model, "deepseek-ai/") {
					return countsDeepSeek(r, u)
				}
				return detailed(r, u)
			},
			frame: func(a *answer, p part, choices []object, usage any) object {
				return frameOpenAI(a, p, choices, usage).with("system_fingerprint", "")
			},
		},
	}
}

func needUserAgent(req *http.Request) *problem {
	agent := req.Header.Get("User-Agent")
	for _, library := range []string{"Go-http-client/", "Python-urllib/", "python-requests/"} {
		if agent == "" || strings.HasPrefix(agent, library) {
			return &problem{status: http.StatusForbidden, plain: true, message: "error code: 1010"}
		}
	}
	return nil
}
