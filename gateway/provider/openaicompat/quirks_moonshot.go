package openaicompat

import "vipcloud.ai/vipcloud/gateway/provider"

// Moonshot is the adapter of Moonshot's Kimi.
func Moonshot() provider.Adapter {
	return newAdapter(&quirks{
		info: vendorInfo("Moonshot",
			provider.Region{Name: "cn", Endpoint: "https://api.moonshot.cn"},
			provider.Region{Name: "intl", Endpoint: "https://api.moonshot.ai"}),
		base:    fixedBase("/v1"),
		prepare: prepareMoonshot,
		check:   checkMoonshot,
		errors:  moonshotErrors(),
	})
}

// prepareMoonshot drops the sampling parameters, of which each model takes one value only, and folds efforts.
func prepareMoonshot(d *draft) {
	d.limitTokens("max_completion_tokens")
	d.remove("temperature", "top_p", "presence_penalty", "frequency_penalty")
	if v, ok := d.number("n"); !ok || v == 1 {
		d.remove("n")
	}
	switch {
	case d.family("kimi-k3"):
		d.fold("reasoning_effort", "minimal", "low", "medium", "high", "xhigh", "max")
	case d.family("kimi-k2.6") && d.word("reasoning_effort") == "none":
		d.remove("reasoning_effort")
		if !d.given("thinking") {
			d.Set("thinking", []byte(thinkingOff))
		}
	}
}

// checkMoonshot refuses what "Chat" and "Use thinking models" rule out.
func checkMoonshot(d *draft) *provider.Error {
	err := d.refuseChoices(1)
	forced := d.family("kimi-k2.7")
	if off := d.typeOf("thinking") == "disabled"; forced || (d.family("kimi-k2.6") && !off) {
		err = firstError(err, d.refuseToolChoice(choiceRequired, "auto, none, a named function"))
	}
	if forced && d.typeOf("thinking") == "disabled" {
		err = firstError(err, d.refuse("thinking", "always thinks; allowed: thinking of type enabled."))
	}
	if d.family("kimi-k3") && d.word("reasoning_effort") == "none" {
		err = firstError(err, d.refuse("reasoning_effort", "always thinks; allowed: low, high, max."))
	}
	return err
}

// moonshotErrors goes by the type: there are no codes, and 429 may mean that there is no money.
func moonshotErrors() []errorRule {
	return []errorRule{
		{code: "content_filter", class: provider.ClassModeration},
		{code: "invalid_authentication_error", class: provider.ClassUnauthorized},
		{code: "incorrect_api_key_error", class: provider.ClassUnauthorized},
		{code: "exceeded_current_quota_error", class: provider.ClassNoBalance},
		{status: 403, text: "insufficient balance", class: provider.ClassNoBalance},
		{code: "permission_denied_error", class: provider.ClassForbidden},
		{code: "resource_not_found_error", class: provider.ClassModelNotFound},
		{code: "engine_overloaded_error", class: provider.ClassOverloaded},
		// A limit by the day; the others pass within a minute.
		{code: "rate_limit_reached_error", text: "tpd", class: provider.ClassQuotaExhausted},
		{code: "rate_limit_reached_error", class: provider.ClassRateLimited},
		{code: "client_closed_request", class: provider.ClassNetwork},
		{code: "server_error", class: provider.ClassServerError},
		{code: "unexpected_output", class: provider.ClassServerError},
		{code: "server_unavailable", class: provider.ClassOverloaded},
	}
}
