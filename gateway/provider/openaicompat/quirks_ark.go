package openaicompat

import "vipcloud.ai/vipcloud/gateway/provider"

// Ark is the adapter of ByteDance's Volcengine Ark and BytePlus ModelArk, which serve Doubao. Endpoints that end with
// /api/coding/v3 or /api/plan/v3 are those of plans.
func Ark() provider.Adapter {
	return newAdapter(&quirks{
		info: vendorInfo("Ark",
			provider.Region{Name: "cn", Endpoint: "https://ark.cn-beijing.volces.com"},
			provider.Region{Name: "intl", Endpoint: "https://ark.ap-southeast.bytepluses.com"}),
		base: fixedBase("/api/v3"),
		// Both bounds at once are an error.
		prepare: func(d *draft) { d.limitTokensOnce() },
		errors:  arkErrors(),
	})
}

// arkErrors goes by the beginnings of codes, whose endings name the limit or the kind of content.
func arkErrors() []errorRule {
	return []errorRule{
		{code: "SensitiveContentDetected", class: provider.ClassModeration},
		{code: "InputTextSensitiveContentDetected", class: provider.ClassModeration},
		{code: "InputImageSensitiveContentDetected", class: provider.ClassModeration},
		{code: "OutputTextSensitiveContentDetected", class: provider.ClassModeration},
		{code: "InputTextRiskDetection", class: provider.ClassModeration},
		{code: "OutputTextRiskDetection", class: provider.ClassModeration},
		{code: "AccountOverdueError", class: provider.ClassNoBalance},
		{code: "ServiceOverdue", class: provider.ClassNoBalance},
		{code: "AuthenticationError", class: provider.ClassUnauthorized},
		{code: "AccessDenied", class: provider.ClassForbidden},
		{code: "ServiceNotOpen", class: provider.ClassForbidden},
		{code: "InvalidEndpointOrModel", class: provider.ClassModelNotFound},
		{code: "InvalidEndpoint.", class: provider.ClassModelNotFound},
		{code: "ModelNotOpen", class: provider.ClassModelNotFound},
		{code: "InvalidParameter.UnsupportedModel", class: provider.ClassModelNotFound},
		{code: "MissingParameter", class: provider.ClassInvalidRequest},
		{code: "InvalidParameter", class: provider.ClassInvalidRequest},
		{code: "RateLimitExceeded", class: provider.ClassRateLimited},
		{code: "ModelAccount", class: provider.ClassRateLimited},
		{code: "APIAccount", class: provider.ClassRateLimited},
		{code: "RequestBurstTooFast", class: provider.ClassRateLimited},
		{code: "InflightBatchsizeExceeded", class: provider.ClassRateLimited},
		{code: "ServerOverloaded", class: provider.ClassOverloaded},
		{code: "AccountQuotaExceeded", class: provider.ClassQuotaExhausted},
		{code: "QuotaExceeded", class: provider.ClassQuotaExhausted},
		{code: "SetLimitExceeded", class: provider.ClassQuotaExhausted},
		{code: "InternalServiceError", class: provider.ClassServerError},
	}
}
