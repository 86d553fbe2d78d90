package openaicompat

import (
	"vipcloud.ai/vipcloud/gateway/provider"
)

// OpenAI is the adapter of any upstream that speaks OpenAI's protocol as it is. It has no default endpoint: the endpoint is
// the base URL as an SDK takes it.
func OpenAI() provider.Adapter {
	return newAdapter(&quirks{
		info:          vendorInfo("OpenAI"),
		base:          fixedBase(""),
		paddingPasses: true,
		errors: []errorRule{
			// OpenAI calls an overload server_error, too: the status tells them apart.
			{status: 503, class: provider.ClassOverloaded},
			{code: "server_error", class: provider.ClassServerError},
			{code: "overloaded", class: provider.ClassOverloaded},
			{status: 404, text: "does not exist", class: provider.ClassModelNotFound},
		},
	})
}

// TokenHub is the adapter of Tencent's model hub.
func TokenHub() provider.Adapter {
	return newAdapter(&quirks{
		info: vendorInfo("TokenHub",
			provider.Region{Name: "cn", Endpoint: "https://tokenhub.tencentmaas.com"},
			provider.Region{Name: "intl", Endpoint: "https://tokenhub-intl.tencentmaas.com"}),
		base: fixedBase("/v1"),
		errors: []errorRule{
			// Billing comes as a permission error; a model that is not switched on does too.
			{status: 402, class: provider.ClassNoBalance},
			{code: "401007", class: provider.ClassNoBalance},
			{code: "401008", class: provider.ClassNoBalance},
			{code: "403004", class: provider.ClassNoBalance},
			{code: "authentication_error", class: provider.ClassUnauthorized},
			{code: "permission_error", class: provider.ClassForbidden},
			{code: "rate_limit_error", class: provider.ClassRateLimited},
			{code: "content_filter_error", class: provider.ClassModeration},
			{code: "upstream_error", class: provider.ClassServerError},
			{code: "invalid_request_error", class: provider.ClassInvalidRequest},
		},
	})
}

// StepFun is the adapter of StepFun.
func StepFun() provider.Adapter {
	return newAdapter(&quirks{
		info: vendorInfo("StepFun",
			provider.Region{Name: "cn", Endpoint: "https://api.stepfun.com"},
			provider.Region{Name: "intl", Endpoint: "https://api.stepfun.ai"}),
		base:        fixedBase("/v1"),
		prepare:     func(d *draft) { d.limitTokens("max_tokens") },
		reasoningAs: "reasoning",
		errors: []errorRule{
			{status: 402, class: provider.ClassNoBalance},
			{text: "exceeded your current quota", class: provider.ClassNoBalance},
			// A 404 is a wrong path; an unknown model is a 400.
			{status: 404, class: provider.ClassServerError},
			{status: 400, text: "model does not exist", class: provider.ClassModelNotFound},
			{status: 451, class: provider.ClassModeration},
		},
	})
}

// Baichuan is the adapter of Baichuan.
func Baichuan() provider.Adapter {
	return newAdapter(&quirks{
		info:    vendorInfo("Baichuan", provider.Region{Name: "cn", Endpoint: "https://api.baichuan-ai.com"}),
		base:    fixedBase("/v1"),
		prepare: func(d *draft) { d.limitTokens("max_tokens") },
		errors: []errorRule{
			{text: "content security", class: provider.ClassModeration},
		},
	})
}

// Yi is the adapter of 01.AI.
func Yi() provider.Adapter {
	return newAdapter(&quirks{
		info:    vendorInfo("Yi", provider.Region{Name: "cn", Endpoint: "https://api.lingyiwanwu.com"}),
		base:    fixedBase("/v1"),
		prepare: func(d *draft) { d.limitTokens("max_tokens") },
	})
}

// MiMo is the adapter of Xiaomi's MiMo.
func MiMo() provider.Adapter {
	return newAdapter(&quirks{
		info:      vendorInfo("MiMo", provider.Region{Name: "cn", Endpoint: "https://api.xiaomimimo.com"}),
		base:      fixedBase("/v1"),
		keyHeader: "api-key",
		prepare:   func(d *draft) { d.limitTokens("max_completion_tokens") },
		errors: []errorRule{
			{status: 404, text: "image", class: provider.ClassInvalidRequest},
			{status: 421, class: provider.ClassModeration},
			{status: 429, text: "token plan", class: provider.ClassQuotaExhausted},
		},
	})
}
