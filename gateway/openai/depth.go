package openai

import (
	"bytes"

	"github.com/tidwall/gjson"
)

// maxDepth is how deep arrays and objects may be nested: what encoding/json takes, too. Whoever validates JSON recursively
// would otherwise exhaust the stack on a body of brackets, which ends the whole process.
const maxDepth = 10_000

// Valid says whether bytes are JSON that is safe to look into: valid and not nested absurdly deep.
func Valid(raw []byte) bool { return !tooDeep(raw) && gjson.ValidBytes(raw) }

// tooDeep says whether brackets are nested deeper than maxDepth. Of bytes that are no JSON it may say anything but "no" to
// what would exhaust the stack.
func tooDeep(raw []byte) bool {
	// Counting is far quicker than scanning, and no ordinary body has so many brackets.
	if bytes.Count(raw, []byte{'['})+bytes.Count(raw, []byte{'{'}) <= maxDepth {
		return false
	}
	depth := 0
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			i = stringEnd(raw, i)
		case '[', '{':
			if depth++; depth > maxDepth {
				return true
			}
		case ']', '}':
			depth--
		}
	}
	return false
}

// stringEnd returns the place of the quote that ends the string which begins at start, or of the end.
func stringEnd(raw []byte, start int) int {
	for i := start + 1; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			return i
		case '\\':
			i++ // What follows a backslash ends nothing.
		}
	}
	return len(raw)
}
