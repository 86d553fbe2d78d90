package openaicompat

import "vipcloud.ai/vipcloud/gateway/provider"

// SiliconFlow is the adapter of the hosting platform SiliconFlow.
func SiliconFlow() provider.Adapter {
	return newAdapter(&quirks{
		info: vendorInfo("SiliconFlow",
			provider.Region{Name: "cn", Endpoint: "https://api.siliconflow.cn"},
			provider.Region{Name: "intl", Endpoint: "https://api.siliconflow.com"}),
		base:    fixedBase("/v1"),
		prepare: func(d *draft) { d.limitTokens("max_tokens") },
		errors: []errorRule{
			{code: "30001", class: provider.ClassNoBalance},
			{text: "account balance is insufficient", class: provider.ClassNoBalance},
			{code: "30003", class: provider.ClassModelNotFound},
			{code: "20012", class: provider.ClassModelNotFound},
			{code: "30014", class: provider.ClassUnauthorized},
			{code: "505", class: provider.ClassOverloaded},
			{status: 504, class: provider.ClassTimeout},
			// Limits by the day; the others pass within a minute.
			{status: 429, text: "rpd", class: provider.ClassQuotaExhausted},
			{status: 429, text: "tpd", class: provider.ClassQuotaExhausted},
			{status: 429, text: "ipd", class: provider.ClassQuotaExhausted},
			{status: 400, code: "200", class: provider.ClassInvalidRequest},
		},
	})
}
