// Package media reads the bodies of image, video, speech and music requests. It knows the public parameters and their bounds,
// which no vendor exceeds, and refuses what it does not know: a misspelled parameter of a call that costs money is better an
// error than ignored. What a certain vendor takes is its adapter's business.
package media

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"vipcloud.ai/vipcloud/gateway/openai"
)

// maxText bounds texts in characters; vendors take less.
const maxText = 32000

// maxReference bounds the URL or data URI of a reference file: the size that the most generous vendor takes, in base64.
const maxReference = 40 << 20

// fields reads the members of a body. The first problem is kept, and everything after it reads as absent. JSON null is the same
// as absent, as OpenAI's specification has it.
type fields struct {
	object  *openai.Object
	problem *openai.Error
}

// refusef keeps the first problem.
func (f *fields) refusef(name, code, format string, args ...any) {
	if f.problem == nil {
		f.problem = openai.InvalidRequest(code, name, format, args...)
	}
}

// raw returns a member's JSON; false if it is absent, null, or there is a problem already.
func (f *fields) raw(name string) ([]byte, bool) {
	if f.problem != nil {
		return nil, false
	}
	raw, ok := f.object.Get(name)
	if !ok || string(raw) == "null" {
		return nil, false
	}
	return raw, true
}

// read decodes a member into v, and says whether there was one.
func (f *fields) read(name, kind string, v any) bool {
	raw, ok := f.raw(name)
	if !ok {
		return false
	}
	if err := json.Unmarshal(raw, v); err != nil {
		f.refusef(name, "invalid_type", "%s must be %s.", name, kind)
		return false
	}
	return true
}

// text reads a string of at most limit characters.
func (f *fields) text(name string, limit int) string {
	var s string
	if f.read(name, "a string", &s) && len(s) > limit && len([]rune(s)) > limit {
		f.refusef(name, "string_above_max_length", "%s is longer than %d characters.", name, limit)
	}
	return s
}

// required reads a string that must not be empty.
func (f *fields) required(name string, limit int) string {
	s := f.text(name, limit)
	if strings.TrimSpace(s) == "" {
		f.refusef(name, "missing_required_parameter", "Missing required parameter: '%s'.", name)
	}
	return s
}

// choice reads one of a few words; empty if absent.
func (f *fields) choice(name string, words ...string) string {
	s := f.text(name, 64)
	if s != "" && !slices.Contains(words, s) {
		f.refusef(name, "unsupported_value", "%s must be one of %s.", name, strings.Join(words, ", "))
	}
	return s
}

// integer reads a whole number within bounds; nil if absent.
func (f *fields) integer(name string, least, most int64) *int64 {
	var n json.Number
	if !f.read(name, "an integer", &n) {
		return nil
	}
	i, err := strconv.ParseInt(n.String(), 10, 64)
	if err != nil {
		d, errFloat := n.Float64()
		if errFloat != nil || d != math.Trunc(d) || math.Abs(d) > 1<<53 {
			f.refusef(name, "invalid_type", "%s must be an integer.", name)
			return nil
		}
		i = int64(d)
	}
	if i < least || i > most {
		f.refusef(name, "unsupported_value", "%s must be between %d and %d.", name, least, most)
		return nil
	}
	return &i
}

// number reads a number within bounds, or the value that an absent one stands for.
func (f *fields) number(name string, least, most, absent float64) float64 {
	var n float64
	if !f.read(name, "a number", &n) {
		return absent
	}
	if n < least || n > most {
		f.refusef(name, "unsupported_value", "%s must be between %g and %g.", name, least, most)
	}
	return n
}

// boolean reads true or false; nil if absent.
func (f *fields) boolean(name string) *bool {
	var b bool
	if !f.read(name, "true or false", &b) {
		return nil
	}
	return &b
}

// reference reads the URL or data URI of a file; empty if absent. OpenAI's object form {"image_url": …} is taken, too.
func (f *fields) reference(name string) string {
	raw, ok := f.raw(name)
	if !ok {
		return ""
	}
	return f.referenceOf(name, raw)
}

// referenceOf reads one reference.
func (f *fields) referenceOf(name string, raw []byte) string {
	var s string
	var object struct {
		ImageURL string `json:"image_url"`
	}
	if json.Unmarshal(raw, &s) != nil {
		if json.Unmarshal(raw, &object) != nil || object.ImageURL == "" {
			f.refusef(name, "invalid_type", "%s must be a URL or a data URI.", name)
			return ""
		}
		s = object.ImageURL
	}
	isURL := strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://")
	isData := strings.HasPrefix(s, "data:image/") && strings.Contains(s[:min(len(s), 64)], ";base64,")
	switch {
	case !isURL && !isData:
		f.refusef(name, "unsupported_value", "%s must be an http(s) URL or a data URI such as data:image/png;base64,….", name)
	case len(s) > maxReference, isURL && len(s) > 8192:
		f.refusef(name, "string_above_max_length", "%s is too long.", name)
	}
	return s
}

// references reads one reference or a list of them.
func (f *fields) references(name string, most int) []string {
	raw, ok := f.raw(name)
	if !ok {
		return nil
	}
	list := []json.RawMessage{raw}
	if raw[0] == '[' && json.Unmarshal(raw, &list) != nil {
		f.refusef(name, "invalid_type", "%s must be a URL, a data URI, or a list of them.", name)
	}
	if len(list) > most {
		f.refusef(name, "unsupported_value", "%s holds more than %d images.", name, most)
	}
	var refs []string
	for _, item := range list {
		if f.problem == nil {
			refs = append(refs, f.referenceOf(name, item))
		}
	}
	return refs
}

// known refuses members that no parameter is called by.
func (f *fields) known(names ...string) {
	if f.problem != nil {
		return
	}
	for name := range f.object.Names() {
		if !slices.Contains(names, name) {
			f.refusef(name, "unknown_parameter", "Unknown parameter: '%.64s'. Known ones are %s.", name, strings.Join(names, ", "))
			return
		}
	}
}
