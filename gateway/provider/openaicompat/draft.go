package openaicompat

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/gateway/openai"
	"vipcloud.ai/vipcloud/gateway/provider"
)

// draft is a request on its way to a vendor.
type draft struct {
	*openai.Edit
	// model is the upstream's id of the model, which a quirk may replace.
	model string
	// public is the model's public name, for messages.
	public string
	// endpoint is the configured endpoint.
	endpoint string
}

// given says whether a member is there and not null, which OpenAI takes for absent.
func (d *draft) given(name string) bool {
	raw, ok := d.Get(name)
	return ok && !isNull(raw)
}

// number returns a member's number.
func (d *draft) number(name string) (float64, bool) {
	raw, _ := d.Get(name)
	v, err := strconv.ParseFloat(string(raw), 64)
	return v, err == nil
}

// word returns a member's string, or "" if it is none.
func (d *draft) word(name string) string {
	raw, _ := d.Get(name)
	return gjson.ParseBytes(raw).String()
}

// typeOf returns the string called type of a member that is an object, or "".
func (d *draft) typeOf(name string) string {
	raw, _ := d.Get(name)
	if len(raw) == 0 || raw[0] != '{' {
		return ""
	}
	return gjson.GetBytes(raw, "type").String()
}

// family says whether the upstream model's name starts with one of the prefixes.
func (d *draft) family(prefixes ...string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(strings.ToLower(d.model), p) {
			return true
		}
	}
	return false
}

// remove drops members.
func (d *draft) remove(names ...string) {
	for _, n := range names {
		d.Delete(n)
	}
}

// limitTokens makes name the only member that bounds the answer: max_tokens or max_completion_tokens. Of two bounds OpenAI's
// current one, max_completion_tokens, is the one that counts.
func (d *draft) limitTokens(name string) {
	const current, former = "max_completion_tokens", "max_tokens"
	from := former
	if d.given(current) {
		from = current
	}
	raw, ok := d.Get(from)
	d.remove(current, former)
	if ok && !isNull(raw) {
		d.Set(name, raw)
	}
}

// limitTokensOnce drops max_tokens beside max_completion_tokens, for vendors to which the two mean different things.
func (d *draft) limitTokensOnce() {
	if d.given("max_completion_tokens") {
		d.Delete("max_tokens")
	}
}

// clamp brings a number into a vendor's narrower range. The bounds are JSON numbers.
func (d *draft) clamp(name, low, high string) {
	v, ok := d.number(name)
	if !ok {
		return
	}
	if bound, err := strconv.ParseFloat(low, 64); err == nil && v < bound {
		d.Set(name, []byte(low))
	}
	if bound, err := strconv.ParseFloat(high, 64); err == nil && v > bound {
		d.Set(name, []byte(high))
	}
}

// fold replaces a string by the one that means the same to the vendor. Pairs are from, to.
func (d *draft) fold(name string, pairs ...string) {
	word := d.word(name)
	for i := 0; i+1 < len(pairs); i += 2 {
		if word == pairs[i] {
			d.SetString(name, pairs[i+1])
			return
		}
	}
}

// The ways of choosing a tool.
const (
	choiceAuto     = "auto"
	choiceNone     = "none"
	choiceRequired = "required"
	choiceNamed    = "named"
)

// toolChoice says how tools are chosen: one of the words above, or "" for anything else.
func (d *draft) toolChoice() string {
	raw, ok := d.Get("tool_choice")
	if !ok || isNull(raw) {
		return choiceAuto
	}
	if d.typeOf("tool_choice") == "function" {
		return choiceNamed
	}
	switch w := d.word("tool_choice"); w {
	case choiceAuto, choiceNone, choiceRequired:
		return w
	}
	return ""
}

// refuse is the error of a request that the vendor is known to refuse. What says what the model takes instead.
func (d *draft) refuse(param, format string, args ...any) *provider.Error {
	return &provider.Error{
		Class:   provider.ClassInvalidRequest,
		Status:  http.StatusBadRequest,
		Code:    "unsupported_value",
		Param:   param,
		Message: fmt.Sprintf("Model '%s' ", d.public) + fmt.Sprintf(format, args...),
	}
}

// refuseChoices refuses more choices than the vendor gives.
func (d *draft) refuseChoices(most int) *provider.Error {
	if n, ok := d.number("n"); ok && n > float64(most) {
		return d.refuse("n", "does not take n = %s; the most is %d.", strconv.FormatFloat(n, 'f', -1, 64), most)
	}
	return nil
}

// refuseSchema refuses JSON schemas.
func (d *draft) refuseSchema() *provider.Error {
	if d.typeOf("response_format") == "json_schema" {
		return d.refuse("response_format", "does not take response_format json_schema; allowed: text, json_object.")
	}
	return nil
}

// refuseToolChoice refuses one way of choosing tools, naming those that are allowed.
func (d *draft) refuseToolChoice(way, allowed string) *provider.Error {
	if d.toolChoice() != way {
		return nil
	}
	what := "'" + way + "'"
	if way == choiceNamed {
		what = "of a named function"
	}
	return d.refuse("tool_choice", "does not take tool_choice %s; allowed: %s.", what, allowed)
}

// firstError returns the first error that is one.
func firstError(errs ...*provider.Error) *provider.Error {
	for _, e := range errs {
		if e != nil {
			return e
		}
	}
	return nil
}
