package sim

import (
	"slices"
	"strings"
)

// qwen follows help.aliyun.com/zh/model-studio, compatible mode: "qwen-api-via-openai-chat-completions", "deep-thinking",
// "error-code". n above 1 is refused outside qwen-plus, as the pages say "only on some models".
func qwen() spec {
	return spec{
		key: "sk-sim-qwen",
		models: []string{"qwen3.8-max", "qwen3.8-max-0902", "qwen3.8-flash", "qwen3.7-max", "qwen3.7-plus", "qwen3.6-plus", "qwen3.6-flash",
			"qwen3.5-plus", "qwen3.5-flash", "qwen3-max", "qwen-plus", "qwen-flash", "qwen3-coder-plus", "qwen3-coder-flash",
			"qwen3-vl-plus", "qwen3-vl-flash", "qwen-long", "qwq-plus"},
		chat: []string{"/compatible-mode/v1/chat/completions"}, list: "/compatible-mode/v1/models", id: "chatcmpl-2655c1fe-749c-96df-b204-%012x",
		answerCap: true,
		thinks: func(r *request) bool {
			byDefault := strings.HasPrefix(r.model, "qwen3.8-max") || r.model == "qwq-plus"
			return enableThinking(r) || byDefault && !r.has("enable_thinking")
		},
		problems: qwenProblems(),
		envelope: func(p problem, id string) object {
			return errorObject(p, id).with("request_id", strings.TrimPrefix(id, "chatcmpl-"))
		},
		rules: []rule{
			below("temperature", 2), within("n", 1, 4), within("seed", 0, 1<<31-1), within("top_logprobs", 0, 5), jsonWord,
			qwenThinking, qwenTools, qwenForms,
		},
		dialect: dialect{
			frame: frameQwen, usageNull: always, logprobs: true, opening: true, nullPair: true, closing: obj("content", ""),
			emptyIDs: true, choiceExtra: bareChoice,
		},
	}
}

func qwenProblems() map[Mode]problem {
	return map[Mode]problem{
		Unauthorized: {status: 401, kind: "invalid_request_error", code: "invalid_api_key", message: "Incorrect API key provided."},
		NoBalance: {status: 400, kind: "Arrearage", code: "Arrearage",
			message: "Access denied, please make sure your account is in good standing."},
		RateLimit: {status: 429, kind: "limit_requests", code: "limit_requests", message: "You have exceeded your current request limit. " +
			"For details, see: https://help.aliyun.com/zh/model-studio/error-code#rate-limit"},
		Overload:    {status: 503, kind: "ModelServingError", code: "ModelServingError", message: "Too many requests are being served. Please try later."},
		ServerError: {status: 500, kind: "internal_error", code: "internal_error", message: "An internal error has occured."},
		Moderation: {status: 400, kind: "data_inspection_failed", code: "data_inspection_failed",
			message: "Input data may contain inappropriate content."},
		unknownModel: {status: 404, kind: "invalid_request_error", code: "model_not_found", message: "The model does not exist."},
		invalid:      {status: 400, kind: "invalid_request_error", code: "invalid_parameter_error", message: "Invalid parameter."},
	}
}

func qwenThinking(r *request) *problem {
	without := strings.HasPrefix(r.model, "qwen3-coder") || r.model == "qwen-long"
	switch {
	case without && r.has("enable_thinking"):
		return &problem{mode: invalid, code: "InvalidParameter.NotSupportEnableThinking",
			message: "The model " + r.model + " does not support enable_thinking."}
	case r.model == "qwq-plus" && !r.stream:
		return badParam("stream", "This model only support stream mode, please enable the stream parameter to access the model.")
	}
	return nil
}

func qwenTools(r *request) *problem {
	switch {
	case r.at("tool_choice").Str == "required":
		return badParam("tool_choice", "tool_choice is one of the strings that should be [\"none\", \"auto\"]")
	case r.thinking && r.at("tool_choice").IsObject():
		return badParam("tool_choice", "The tool_choice parameter does not support being set to object in thinking mode")
	}
	return nil
}

func qwenForms(r *request) *problem {
	schemas := strings.HasPrefix(r.model, "qwen3.8") || strings.HasPrefix(r.model, "qwen3.7")
	switch {
	case r.at("n").Int() > 1 && (r.model != "qwen-plus" || len(r.tools) > 0):
		return badParam("n", "n must be 1 for this model and request")
	case r.at("response_format.type").Str == "json_schema" && !schemas:
		return badParam("response_format", "json_schema is not supported by %s", r.model)
	}
	return nil
}

func frameQwen(a *answer, p part, choices []object, usage any) object {
	return obj("choices", choices, "object", objectName(p), "usage", usage, "created", a.created, "system_fingerprint", nil,
		"model", a.model, "id", a.id)
}

// bareChoice leaves finish_reason and logprobs out of one early chunk, as recorded.
func bareChoice(_ *request, p part, nth int, choice object) object {
	if p != partChunk || nth != 2 {
		return choice
	}
	return slices.DeleteFunc(choice, func(m member) bool { return m.key == "finish_reason" || m.key == "logprobs" })
}
