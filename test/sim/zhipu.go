package sim

import (
	"net/http"
	"strings"
)

// zhipu follows docs.bigmodel.cn and docs.z.ai: "chat-completion", "api-code". max_completion_tokens is refused because the
// reference lacks it.
func zhipu() spec {
	return spec{
		key: "sim0zhipu0sim0zhipu.secret",
		models: []string{"glm-5.3", "glm-5.3-flash", "glm-5.2", "glm-5.1", "glm-5", "glm-5-turbo", "glm-4.7", "glm-4.6", "glm-4.5",
			"glm-4.5-air", "glm-4.7-flash", "glm-4.5-flash"},
		chat: []string{"/api/paas/v4/chat/completions"}, list: "/api/paas/v4/models", id: "20261115%018x",
		badFinish: "network_error", headers: func(_ *http.Request, id string, h http.Header) { h.Set("x-log-id", id) },
		thinks: func(r *request) bool {
			effort := r.at("reasoning_effort").Str
			return thinkingSwitch(true)(r) && effort != "none" && effort != "minimal"
		},
		problems: map[Mode]problem{
			missingAuth:   {status: 401, code: "1001", message: "Header 中未收到 Authentication 参数，无法进行身份验证"},
			Unauthorized:  {status: 401, code: "1000", message: "身份验证失败"},
			NoBalance:     {status: 429, code: "1113", message: "余额不足或无可用资源包，请充值"},
			RateLimit:     {status: 429, code: "1302", message: "Rate limit reached for requests"},
			Overload:      {status: 429, code: "1305", message: "该模型当前访问量过大，请您稍后再试"},
			ServerError:   {status: 500, code: "1234", message: "网络错误，请联系客服"},
			Moderation:    {status: 400, code: "1301", message: "系统检测到输入或生成内容可能包含不安全或敏感内容"},
			ContextLength: {status: 400, code: "1261", message: "Prompt 超长"},
			invalid:       {status: 400, code: "1210", message: "API 调用参数有误"},
			unknownModel:  {status: 400, code: "1211", message: "模型不存在，请检查模型代码"},
			missingField:  {status: 400, code: "1213", message: "未正常接收到参数"},
		},
		envelope: func(p problem, _ string) object { return obj("error", obj("code", p.code, "message", p.message)) },
		rules: []rule{
			within("temperature", 0, 1), within("top_p", 0.01, 1), oneOf("tool_choice", "auto"), noJSONSchema,
			oneOf("thinking.type", "enabled", "disabled"), forbid("max_completion_tokens"), within("max_tokens", 1, 131072),
			atMost("stop", 4), atMost("tools", 128), matches("user_id", `^.{6,128}$`), matches("request_id", `^.{6,64}$`),
			func(r *request) *problem {
				if !strings.HasPrefix(r.model, "glm-5.3") {
					return nil
				}
				if r.at("thinking.type").Str == "disabled" {
					return badParam("thinking", "thinking cannot be disabled for %s", r.model)
				}
				return oneOf("reasoning_effort", "low", "high", "max")(r)
			},
		},
		dialect: dialect{
			place: alwaysFinish, finish: finishAbsent, roleEach: true, closing: obj("content", ""),
			wholeCalls: func(r *request) bool { return !r.at("tool_stream").Bool() },
			frame: func(a *answer, p part, choices []object, usage any) object {
				return obj("id", a.id, "request_id", when(p == partReply, a.id), "created", a.created, "object", objectName(p),
					"model", a.model, "choices", choices, "usage", usage)
			},
		},
	}
}
