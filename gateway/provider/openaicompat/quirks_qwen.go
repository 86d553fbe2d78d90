package openaicompat

import (
	"strconv"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// Qwen is the adapter of Alibaba's Model Studio in its compatible mode. Hosts of workspaces are roots like the regions; those of
// plans come with their path.
func Qwen() provider.Adapter {
	return newAdapter(&quirks{
		info: vendorInfo("Qwen",
			provider.Region{Name: "cn", Endpoint: "https://dashscope.aliyuncs.com"},
			provider.Region{Name: "intl", Endpoint: "https://dashscope-intl.aliyuncs.com"},
			provider.Region{Name: "us", Endpoint: "https://dashscope-us.aliyuncs.com"},
			provider.Region{Name: "hk", Endpoint: "https://cn-hongkong.dashscope.aliyuncs.com"}),
		base:    fixedBase("/compatible-mode/v1"),
		prepare: prepareQwen,
		check:   checkQwen,
		errors:  qwenErrors(),
	})
}

// maxQwenSeed is the largest seed that is not refused.
const maxQwenSeed = 1<<31 - 1

// prepareQwen brings numbers into Qwen's ranges and makes parallel tool calls the default that they are at OpenAI.
func prepareQwen(d *draft) {
	d.limitTokensOnce()
	if v, ok := d.number("temperature"); ok && v >= 2 {
		d.Set("temperature", []byte("1.99")) // The range excludes 2.
	}
	raw, _ := d.Get("seed")
	if seed, err := strconv.ParseInt(string(raw), 10, 64); err == nil && (seed < 0 || seed > maxQwenSeed) {
		// Equal seeds stay equal, which is all that a seed says.
		d.Set("seed", strconv.AppendInt(nil, seed&maxQwenSeed, 10))
	}
	if d.family("qwen") && d.given("tools") && !d.given("parallel_tool_calls") {
		d.Set("parallel_tool_calls", []byte("true"))
	}
}

// checkQwen refuses what Qwen's own models refuse; other vendors' models on the same endpoint may take it.
func checkQwen(d *draft) *provider.Error {
	err := d.refuseChoices(4)
	if !d.family("qwen", "qwq", "qvq") {
		return err
	}
	err = firstError(err, d.refuseToolChoice(choiceRequired, "auto, none, a named function"))
	if raw, _ := d.Get("enable_thinking"); string(raw) == "true" {
		err = firstError(err, d.refuseToolChoice(choiceNamed, "auto, none; with enable_thinking false also a named function"))
	}
	return err
}

// qwenErrors knows both spellings of each failure: the native one and that of the compatible mode.
func qwenErrors() []errorRule {
	return []errorRule{
		{code: "Arrearage", class: provider.ClassNoBalance},
		{code: "CommodityNotPurchased", class: provider.ClassNoBalance},
		{code: "PrepaidBillOverdue", class: provider.ClassNoBalance},
		{code: "PostpaidBillOverdue", class: provider.ClassNoBalance},
		{code: "DataInspectionFailed", class: provider.ClassModeration},
		{code: "data_inspection_failed", class: provider.ClassModeration},
		{code: "InvalidApiKey", class: provider.ClassUnauthorized},
		{code: "invalid_api_key", class: provider.ClassUnauthorized},
		{code: "AllocationQuota.FreeTierOnly", class: provider.ClassQuotaExhausted},
		{code: "AccessDenied", class: provider.ClassForbidden},
		{code: "Model.AccessDenied", class: provider.ClassForbidden},
		{code: "Workspace.AccessDenied", class: provider.ClassForbidden},
		{code: "ModelNotFound", class: provider.ClassModelNotFound},
		{code: "model_not_found", class: provider.ClassModelNotFound},
		{code: "model_not_supported", class: provider.ClassModelNotFound},
		// A quota by the minute, unlike OpenAI's of the same name, unless it is the free one that is used up.
		{code: "insufficient_quota", text: "free allocated", class: provider.ClassQuotaExhausted},
		{code: "insufficient_quota", text: "free quota", class: provider.ClassQuotaExhausted},
		{code: "Throttling.AllocationQuota", text: "free allocated", class: provider.ClassQuotaExhausted},
		{code: "Throttling.AllocationQuota", text: "free quota", class: provider.ClassQuotaExhausted},
		{code: "insufficient_quota", class: provider.ClassRateLimited},
		{code: "Throttling", class: provider.ClassRateLimited},
		{code: "limit_", class: provider.ClassRateLimited},
		{code: "InternalError.Algo.InvalidParameter", class: provider.ClassInvalidRequest},
		{code: "InternalError", class: provider.ClassServerError},
		{code: "internal_error", class: provider.ClassServerError},
		{code: "RequestTimeOut", class: provider.ClassTimeout},
		{code: "ModelServingError", class: provider.ClassOverloaded},
		{code: "ModelUnavailable", class: provider.ClassOverloaded},
		{code: "InvalidParameter", class: provider.ClassInvalidRequest},
		{code: "invalid_parameter_error", class: provider.ClassInvalidRequest},
	}
}
