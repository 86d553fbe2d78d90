package openaicompat

import (
	"strings"
	"unicode/utf8"

	"vipcloud.ai/vipcloud/gateway/openai"
	"vipcloud.ai/vipcloud/gateway/provider"
)

// Zhipu is the adapter of Zhipu's GLM and of its international twin Z.ai. An endpoint that ends with /api/coding/paas/v4 is
// that of the Coding Plan.
func Zhipu() provider.Adapter {
	return newAdapter(&quirks{
		info: vendorInfo("Zhipu",
			provider.Region{Name: "cn", Endpoint: "https://open.bigmodel.cn"},
			provider.Region{Name: "intl", Endpoint: "https://api.z.ai"}),
		base:    fixedBase("/api/paas/v4"),
		prepare: prepareZhipu,
		check:   checkZhipu,
		errors:  zhipuErrors(),
	})
}

// prepareZhipu brings numbers into GLM's ranges and renames what it calls otherwise.
func prepareZhipu(d *draft) {
	d.limitTokens("max_tokens")
	d.clamp("temperature", "0", "1")
	d.clamp("top_p", "0.01", "1")
	// GLM refuses ids of other lengths.
	if n := utf8.RuneCountInString(d.word("user")); n >= 6 && n <= 128 && !d.given("user_id") {
		d.Set("user_id", openai.AppendString(nil, d.word("user")))
		d.remove("user")
	}
	if d.toolChoice() == choiceNone {
		// There is no such choice; without tools none is called.
		d.remove("tools", "tool_choice")
	}
	if d.family("glm-5.3") {
		d.fold("reasoning_effort", "minimal", "low", "medium", "high", "xhigh", "max")
	}
}

// checkZhipu refuses what "Chat Completion" rules out.
func checkZhipu(d *draft) *provider.Error {
	err := firstError(
		d.refuseSchema(),
		d.refuseToolChoice(choiceRequired, "auto, none"),
		d.refuseToolChoice(choiceNamed, "auto, none"),
	)
	// The Coding Plan turns it into little effort instead.
	if !d.family("glm-5.3") || strings.Contains(d.endpoint, "/coding/") {
		return err
	}
	if d.typeOf("thinking") == "disabled" {
		err = firstError(err, d.refuse("thinking", "always thinks; allowed: thinking of type enabled."))
	}
	if d.word("reasoning_effort") == "none" {
		err = firstError(err, d.refuse("reasoning_effort", "always thinks; allowed: low, high, max."))
	}
	return err
}

// zhipuErrors goes by the code: 429 may mean that there is no money.
func zhipuErrors() []errorRule {
	return []errorRule{
		{code: "100", class: provider.ClassUnauthorized},
		{code: "1113", class: provider.ClassNoBalance},
		{code: "1200", class: provider.ClassServerError},
		{code: "1230", class: provider.ClassServerError},
		{code: "1234", class: provider.ClassServerError},
		{code: "1211", class: provider.ClassModelNotFound},
		{code: "121", class: provider.ClassInvalidRequest},
		{code: "1261", class: provider.ClassContextLength},
		{code: "1301", class: provider.ClassModeration},
		{code: "1302", class: provider.ClassRateLimited},
		{code: "1305", class: provider.ClassOverloaded},
		{code: "1308", class: provider.ClassQuotaExhausted},
		{code: "1309", class: provider.ClassNoBalance},
		{code: "1310", class: provider.ClassQuotaExhausted},
		{code: "1311", class: provider.ClassForbidden},
		{code: "1313", class: provider.ClassQuotaExhausted},
		{code: "1314", class: provider.ClassNoBalance},
		{status: 434, class: provider.ClassForbidden},
		{status: 435, class: provider.ClassInvalidRequest},
	}
}
