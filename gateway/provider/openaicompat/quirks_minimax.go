package openaicompat

import "vipcloud.ai/vipcloud/gateway/provider"

// MiniMax is the adapter of MiniMax's text models. Its failures may come inside a 200, with a base_resp.
func MiniMax() provider.Adapter {
	return newAdapter(&quirks{
		info: vendorInfo("MiniMax",
			provider.Region{Name: "cn", Endpoint: "https://api.minimax.cn"},
			provider.Region{Name: "intl", Endpoint: "https://api.minimax.io"}),
		base:          fixedBase("/v1"),
		prepare:       prepareMiniMax,
		check:         func(d *draft) *provider.Error { return d.refuseChoices(1) },
		reasoningCopy: "reasoning_details",
		innerCode:     true,
		errors:        minimaxErrors(),
	})
}

// prepareMiniMax asks for reasoning beside the content, which it is part of otherwise.
func prepareMiniMax(d *draft) {
	d.limitTokens("max_completion_tokens")
	if !d.given("reasoning_split") {
		d.Set("reasoning_split", []byte("true"))
	}
}

// minimaxErrors goes by the inner code first, since the same failure had several statuses and types, and by the type where
// there is none.
func minimaxErrors() []errorRule {
	return []errorRule{
		{code: "1001", class: provider.ClassTimeout},
		{code: "1002", class: provider.ClassRateLimited},
		{code: "1004", class: provider.ClassUnauthorized},
		{code: "1008", class: provider.ClassNoBalance},
		{code: "1026", class: provider.ClassModeration},
		{code: "1027", class: provider.ClassModeration},
		{code: "1039", class: provider.ClassRateLimited},
		{code: "1041", class: provider.ClassRateLimited},
		{code: "1042", class: provider.ClassInvalidRequest},
		{code: "10", class: provider.ClassServerError},
		{code: "2013", class: provider.ClassInvalidRequest},
		{code: "2049", class: provider.ClassUnauthorized},
		{code: "2056", class: provider.ClassQuotaExhausted},
		{code: "2061", class: provider.ClassForbidden},
		{text: "insufficient balance", class: provider.ClassNoBalance},
		{code: "insufficient_balance_error", class: provider.ClassNoBalance},
		{code: "authorized_error", class: provider.ClassUnauthorized},
		{code: "bad_request_error", class: provider.ClassInvalidRequest},
		{code: "invalid_request_error", class: provider.ClassInvalidRequest},
		{code: "unprocessable_entity_error", class: provider.ClassModeration},
		{code: "rate_limit_error", class: provider.ClassRateLimited},
		{code: "overloaded_error", class: provider.ClassOverloaded},
	}
}
