package kling

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/url"
	"slices"
	"unicode/utf8"

	kjson "sigs.k8s.io/json"
)

// read decodes the body: one JSON object of documented members, each at most once, in its own spelling and of its own type, and
// none null. That a content type other than JSON is refused is the stricter reading, and so is the refusal of null.
func (x *exchange) read(body any) *problem {
	if kind, _, err := mime.ParseMediaType(x.R.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return &problem{1200, "the content type must be application/json"}
	}
	strict, err := kjson.UnmarshalStrict(x.Body, body)
	switch {
	case err != nil:
		return &problem{1200, "reading the body: " + err.Error()}
	case len(strict) > 0:
		return &problem{1200, strict[0].Error()}
	case hasNull(x.Body):
		return &problem{1200, "null is no value"}
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

// text checks a required text of at most limit characters.
func text(name string, value *string, limit int) *problem {
	switch {
	case value == nil || *value == "":
		return invalid("%s is required", name)
	case utf8.RuneCountInString(*value) > limit:
		return invalid("%s is longer than %d characters", name, limit)
	}
	return nil
}

// oneOf checks an optional word.
func oneOf(name string, value *string, allowed ...string) *problem {
	if value != nil && !slices.Contains(allowed, *value) {
		return invalid("%s must be one of %v", name, allowed)
	}
	return nil
}

// link checks an optional address.
func link(name string, value *string) *problem {
	if value != nil && !isLink(*value) {
		return invalid("%s must be an http or https URL", name)
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

// watermark is a member of either generation.
type watermark struct {
	Enabled *bool `json:"enabled"`
}

// on tells that a second, marked video is wanted.
func (w *watermark) on() bool { return w != nil && or(w.Enabled, false) }
