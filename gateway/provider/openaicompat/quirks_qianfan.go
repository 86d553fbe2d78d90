package openaicompat

import "vipcloud.ai/vipcloud/gateway/provider"

// Qianfan is the adapter of Baidu's Qianfan, version 2.
func Qianfan() provider.Adapter {
	return newAdapter(&quirks{
		info: vendorInfo("Qianfan", provider.Region{Name: "cn", Endpoint: "https://qianfan.baidubce.com"}),
		base: fixedBase("/v2"),
		errors: []errorRule{
			{code: "invalid_iam_token", class: provider.ClassUnauthorized},
			{code: "account_overdue", class: provider.ClassNoBalance},
			{code: "BILLING_INSUFFICIENT_BALANCE", class: provider.ClassNoBalance},
			{code: "QUOTA_USER_DAILY_FREE", class: provider.ClassQuotaExhausted},
			{code: "unsafe_request", class: provider.ClassModeration},
			{status: 400, code: "invalid_model", class: provider.ClassModelNotFound},
			{code: "no_such_model", class: provider.ClassModelNotFound},
			// A 401 of another code is about the model or the application, not the key.
			{code: "invalid_model", class: provider.ClassForbidden},
			{status: 401, class: provider.ClassForbidden},
			{code: "tokens_too_long", class: provider.ClassContextLength},
			{code: "characters_too_long", class: provider.ClassContextLength},
			{code: "rpm_rate_limit", class: provider.ClassRateLimited},
			{code: "tpm_rate_limit", class: provider.ClassRateLimited},
			{code: "preemptible_", class: provider.ClassRateLimited},
			{code: "user_rate_limit", class: provider.ClassRateLimited},
			{code: "cluster_rate_limit", class: provider.ClassRateLimited},
			{code: "rate_limit_exceeded", class: provider.ClassRateLimited},
			{code: "internal_error", class: provider.ClassServerError},
			{code: "dispatch_internal_error", class: provider.ClassServerError},
		},
	})
}
