package sim

import "encoding/json"

// yi is a plain OpenAI-compatible service with the gRPC-style errors and the lastOne mark of older recordings.
func yi() spec {
	return spec{
		key:    "sim01sim01sim01yi",
		models: []string{"yi-lightning", "yi-large", "yi-medium", "yi-spark", "yi-vision-v2"},
		chat:   []string{"/v1/chat/completions"}, list: "/v1/models", id: "cmpl-sim%08x",
		problems: map[Mode]problem{
			Unauthorized: {status: 401, code: "16", message: "Illegal ApiKey"},
			NoBalance:    {status: 402, code: "8", message: "insufficient quota"},
			RateLimit:    {status: 429, code: "8", message: "rate limit exceeded"},
			Overload:     {status: 503, code: "14", message: "server is busy"},
			ServerError:  {status: 500, code: "13", message: "internal error"},
			Moderation:   {status: 400, code: "3", message: "the content is unsafe"},
			invalid:      {status: 400, code: "3", message: "invalid argument"},
			unknownModel: {status: 404, code: "5", message: "model not found"},
			badPath:      {status: 404, code: "5", message: "Not Found"},
			badMethod:    {status: 405, code: "12", message: "Method Not Allowed"},
		},
		envelope: func(p problem, _ string) object { return obj("code", json.RawMessage(p.code), "message", p.message) },
		dialect: dialect{
			opening: true, place: alwaysFinish, counts: plainCounts, closing: obj("content", ""),
			frame: func(a *answer, p part, choices []object, usage any) object {
				return frameOpenAI(a, p, choices, usage).with("lastOne", when(p != partReply, p == partFinish))
			},
		},
	}
}
