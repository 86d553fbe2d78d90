package openaicompat

import "vipcloud.ai/vipcloud/gateway/provider"

// Values of thinking, shared by the vendors that have it.
const (
	thinkingOn  = `{"type":"enabled"}`
	thinkingOff = `{"type":"disabled"}`
)

// DeepSeek is the adapter of DeepSeek. Its root is its API; an endpoint that ends with /beta reaches what is in beta.
func DeepSeek() provider.Adapter {
	return newAdapter(&quirks{
		info:    vendorInfo("DeepSeek", provider.Region{Name: "cn", Endpoint: "https://api.deepseek.com"}),
		base:    fixedBase(""),
		prepare: prepareDeepSeek,
		check:   checkDeepSeek,
		errors: []errorRule{
			// The code is nearly always the same, so the message and the status tell failures apart.
			{text: "content exists risk", class: provider.ClassModeration},
			{text: "insufficient balance", class: provider.ClassNoBalance},
			{text: "must be passed back", class: provider.ClassInvalidRequest},
			{code: "authentication_error", class: provider.ClassUnauthorized},
		},
	})
}

// prepareDeepSeek maps the two retired names to the model that took their place, with and without thinking.
func prepareDeepSeek(d *draft) {
	d.limitTokens("max_tokens")
	var thinking string
	switch d.model {
	case "deepseek-chat":
		thinking = thinkingOff
	case "deepseek-reasoner":
		thinking = thinkingOn
	default:
		return
	}
	d.model = "deepseek-flash"
	if !d.given("thinking") {
		d.Set("thinking", []byte(thinking))
	}
}

// checkDeepSeek refuses what "Thinking Mode" and "Create Chat Completion" rule out. Thinking is on unless it is turned off.
func checkDeepSeek(d *draft) *provider.Error {
	err := d.refuseSchema()
	if d.typeOf("thinking") == "disabled" || d.word("reasoning_effort") == "none" {
		return err
	}
	const allowed = "auto, none; with thinking disabled also required and a named function"
	return firstError(err, d.refuseToolChoice(choiceRequired, allowed), d.refuseToolChoice(choiceNamed, allowed))
}
