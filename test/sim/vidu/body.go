package vidu

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	kjson "sigs.k8s.io/json"
)

// Limits of the vendor: the whole body in bytes, a prompt and a payload in characters. Older texts limit the prompt to 2000.
const (
	maxBody    = 20 << 20
	maxPrompt  = 5000
	maxPayload = 1_048_576
)

// read decodes the body: one JSON object of documented members, each at most once, in its own spelling and of its own type, and
// none null. That a content type other than JSON is refused is the stricter reading, and so is the refusal of null.
func (x *exchange) read(body any) *problem {
	if kind, _, err := mime.ParseMediaType(x.R.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return &problem{"BadRequest", "the content type must be application/json"}
	}
	if len(x.Body) > maxBody {
		return &problem{"BadRequest", "the body is larger than 20 MB"}
	}
	strict, err := kjson.UnmarshalStrict(x.Body, body)
	switch {
	case err != nil && !json.Valid(x.Body):
		return &problem{"BadRequest", "the body is no JSON"}
	case err != nil:
		return invalid("reading the body: %v", err)
	case len(strict) > 0 && strings.HasPrefix(strict[0].Error(), "unknown field"):
		return unwanted(strict[0].Error())
	case len(strict) > 0:
		return invalid("%v", strict[0])
	case hasNull(x.Body):
		return invalid("null is no value")
	}
	return nil
}

// hasNull tells that valid JSON holds a null.
func hasNull(body []byte) bool {
	decoder := json.NewDecoder(bytes.NewReader(body))
	for {
		token, err := decoder.Token()
		if err != nil {
			return false
		}
		if token == nil {
			return true
		}
	}
}

// shorter checks the length of an optional text.
func shorter(field string, value *string, limit int) *problem {
	if value != nil && utf8.RuneCountInString(*value) > limit {
		return invalid("%s is longer than %d characters", field, limit)
	}
	return nil
}

// oneOf checks an optional word.
func oneOf(field string, value *string, allowed ...string) *problem {
	if value != nil && !slices.Contains(allowed, *value) {
		return invalid("%s must be one of %v", field, allowed)
	}
	return nil
}

// within checks an optional number.
func within(field string, value *int, low, high int) *problem {
	if value != nil && (*value < low || *value > high) {
		return invalid("%s must be between %d and %d", field, low, high)
	}
	return nil
}

// link checks an optional address.
func link(field string, value *string) *problem {
	if value != nil && !isLink(*value) {
		return invalid("%s must be an http or https URL", field)
	}
	return nil
}

func isLink(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// or returns an optional value or its default.
func or[T any](value *T, byDefault T) T {
	if value == nil {
		return byDefault
	}
	return *value
}
