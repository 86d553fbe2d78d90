package openaicompat

import (
	"unsafe"

	"vipcloud.ai/vipcloud/gateway/jsonscan"
)

// maxDepth is how deeply an upstream's JSON may nest. Answers nest about ten levels; without a bound, a hostile body of
// brackets would cost more than it is worth.
const maxDepth = 256

// isNull says whether a value is null.
func isNull(value []byte) bool { return len(value) == 4 && value[0] == 'n' }

// isText says whether a value is a string that is not empty.
func isText(value []byte) bool { return len(value) > 2 && value[0] == '"' }

// text returns what is between the quotes of a string, escapes and all, or "". It shares the value's memory.
func text(value []byte) string {
	if !isText(value) {
		return ""
	}
	return unsafe.String(&value[1], len(value)-2) //nolint:gosec // used within the call that owns the bytes
}

// skipDigits returns the place after the digits at i.
func skipDigits(data []byte, i int) int {
	for i < len(data) && jsonscan.IsDigit(data[i]) {
		i++
	}
	return i
}
