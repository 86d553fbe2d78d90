package openaicompat

import (
	"strings"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// Spark is the adapter of iFlytek's Spark. Its answers are frames of its own around choices.
func Spark() provider.Adapter {
	return newAdapter(&quirks{
		info:          vendorInfo("Spark", provider.Region{Name: "cn", Endpoint: "https://spark-api-open.xf-yun.com"}),
		base:          sparkBase,
		bases:         []string{"/x2"},
		prepare:       prepareSpark,
		usageUnasked:  true,
		framed:        true,
		endsWithUsage: true,
		errors: []errorRule{
			{code: "10003", class: provider.ClassInvalidRequest},
			{code: "10004", class: provider.ClassInvalidRequest},
			{code: "10005", class: provider.ClassInvalidRequest},
			{code: "10007", class: provider.ClassRateLimited},
			{code: "10008", class: provider.ClassOverloaded},
			{code: "10013", class: provider.ClassModeration},
			{code: "10014", class: provider.ClassModeration},
			{code: "10019", class: provider.ClassModeration},
			{code: "10907", class: provider.ClassContextLength},
			{code: "11200", class: provider.ClassNoBalance},
			{code: "11201", class: provider.ClassQuotaExhausted},
			{code: "11202", class: provider.ClassRateLimited},
			{code: "11203", class: provider.ClassRateLimited},
		},
	})
}

// sparkBase is the path of a model: those that reason have one of their own.
func sparkBase(model string) string {
	if m := strings.ToLower(model); strings.HasPrefix(m, "x") || strings.HasPrefix(m, "spark-x") {
		return "/v2"
	}
	return "/v1"
}

// prepareSpark asks for tool calls as an array, without which there is at most one.
func prepareSpark(d *draft) {
	d.limitTokens("max_tokens")
	if d.given("tools") && !d.given("tool_calls_switch") {
		d.Set("tool_calls_switch", []byte("true"))
	}
}
