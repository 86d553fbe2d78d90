package sim

// baichuan follows the long-standing public pages of platform.baichuan-ai.com; little of it is confirmed.
func baichuan() spec {
	return spec{
		key: "sk-sim-baichuan",
		models: []string{"Baichuan4-Turbo", "Baichuan4-Air", "Baichuan4", "Baichuan3-Turbo", "Baichuan3-Turbo-128k", "Baichuan-M2",
			"Baichuan-M2-Plus", "Baichuan-M3", "Baichuan-M3-Plus"},
		chat: []string{"/v1/chat/completions"}, id: "chatcmpl-M%012x", badFinish: "sensitive",
		problems: map[Mode]problem{
			NoBalance:  {status: 429, kind: "insufficient_quota", code: "insufficient_quota", message: "You exceeded your current quota"},
			Moderation: {status: 400, kind: "invalid_request_error", code: "content_security", message: "Content security"},
		},
		envelope: func(p problem, _ string) object {
			return obj("error", obj("code", p.code, "param", p.param, "type", p.kind, "message", p.message))
		},
		rules: []rule{within("temperature", 0, 1)},
		dialect: dialect{
			roleEach: true, place: alwaysFinish, counts: plainCounts, closing: obj("content", ""),
		},
	}
}
