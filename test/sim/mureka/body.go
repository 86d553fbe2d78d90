package mureka

import (
	"bytes"
	"encoding/json"
	"mime"
	"unicode/utf8"

	kjson "sigs.k8s.io/json"
)

// read decodes the body: one JSON object of documented members, each at most once, in its own spelling and of its own type, and
// none null. That a content type other than JSON is refused is the stricter reading, and so is the refusal of null.
func (x *exchange) read(body any) *problem {
	if kind, _, err := mime.ParseMediaType(x.R.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return invalid("the content type must be application/json")
	}
	strict, err := kjson.UnmarshalStrict(x.Body, body)
	switch {
	case err != nil:
		return invalid("reading the body: %v", err)
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

// or returns an optional value or its default.
func or[T any](value *T, byDefault T) T {
	if value == nil {
		return byDefault
	}
	return *value
}
