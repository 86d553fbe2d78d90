package openaicompat

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

// maxDepth is how deeply an upstream's JSON may nest. Answers nest about ten levels; without a bound, a hostile body of
// brackets would exhaust the stack.
const maxDepth = 256

// validValue checks the value that starts at i and returns its end, or -1.
func validValue(data []byte, i, depth int) int {
	if i >= len(data) {
		return -1
	}
	switch c := data[i]; {
	case c == '"':
		return validString(data, i)
	case c == '{':
		return validMembers(data, i, depth)
	case c == '[':
		return validElements(data, i, depth)
	case c == '-' || isDigit(c):
		return validNumber(data, i)
	case c == 't':
		return validLiteral(data, i, "true")
	case c == 'f':
		return validLiteral(data, i, "false")
	case c == 'n':
		return validLiteral(data, i, "null")
	}
	return -1
}

// validMembers checks an object.
func validMembers(data []byte, i, depth int) int {
	if depth == 0 {
		return -1
	}
	i = skipSpace(data, i+1)
	if i < len(data) && data[i] == '}' {
		return i + 1
	}
	for i < len(data) && data[i] == '"' {
		if i = validString(data, i); i < 0 {
			return -1
		}
		if i = skipSpace(data, i); i >= len(data) || data[i] != ':' {
			return -1
		}
		if i = validValue(data, skipSpace(data, i+1), depth-1); i < 0 {
			return -1
		}
		if i = skipSpace(data, i); i >= len(data) {
			return -1
		}
		if data[i] == '}' {
			return i + 1
		}
		if data[i] != ',' {
			return -1
		}
		i = skipSpace(data, i+1)
	}
	return -1
}

// validElements checks an array.
func validElements(data []byte, i, depth int) int {
	if depth == 0 {
		return -1
	}
	i = skipSpace(data, i+1)
	if i < len(data) && data[i] == ']' {
		return i + 1
	}
	for {
		if i = validValue(data, i, depth-1); i < 0 {
			return -1
		}
		if i = skipSpace(data, i); i >= len(data) {
			return -1
		}
		if data[i] == ']' {
			return i + 1
		}
		if data[i] != ',' {
			return -1
		}
		i = skipSpace(data, i+1)
	}
}

// validString checks a string, quotes included.
func validString(data []byte, i int) int {
	for i = skipPlain(data, i+1); i < len(data) && data[i] >= ' '; i = skipPlain(data, i) {
		if data[i] == '"' {
			return i + 1
		}
		// A backslash.
		if i = validEscape(data, i+1) + 1; i == 0 {
			return -1
		}
	}
	return -1
}

// skipPlain returns the place of the first byte from i on that is a quote, a backslash or a control character, eight bytes at a
// time: most of every event is text.
func skipPlain(data []byte, i int) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for ; i+8 <= len(data); i += 8 {
		x := binary.LittleEndian.Uint64(data[i:])
		quote, slash := x^('"'*ones), x^('\\'*ones)
		// A byte's top bit is set where a subtraction borrowed; the lowest such byte is exact.
		found := ((x-' '*ones)&^x | (quote-ones)&^quote | (slash-ones)&^slash) & tops
		if found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for i < len(data) && data[i] >= ' ' && data[i] != '"' && data[i] != '\\' {
		i++
	}
	return i
}

// validEscape checks what follows a backslash and returns the place of its last byte, or -1.
func validEscape(data []byte, i int) int {
	if i >= len(data) {
		return -1
	}
	switch data[i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i
	case 'u':
		if i+4 >= len(data) {
			return -1
		}
		for _, c := range data[i+1 : i+5] {
			if !isDigit(c) && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
				return -1
			}
		}
		return i + 4
	}
	return -1
}

// validNumber checks a number.
func validNumber(data []byte, i int) int {
	if data[i] == '-' {
		i++
	}
	start := i
	if i = skipDigits(data, i); i == start || (data[start] == '0' && i > start+1) {
		return -1
	}
	if i < len(data) && data[i] == '.' {
		start = i + 1
		if i = skipDigits(data, start); i == start {
			return -1
		}
	}
	if i < len(data) && (data[i] == 'e' || data[i] == 'E') {
		i++
		if i < len(data) && (data[i] == '+' || data[i] == '-') {
			i++
		}
		start = i
		if i = skipDigits(data, start); i == start {
			return -1
		}
	}
	return i
}

// validLiteral checks a word.
func validLiteral(data []byte, i int, word string) int {
	end := i + len(word)
	if end > len(data) || string(data[i:end]) != word {
		return -1
	}
	return end
}

// isDigit says whether c is a decimal digit.
func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// isSpace says whether c is a blank of JSON's.
func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// skipDigits returns the place after the digits at i.
func skipDigits(data []byte, i int) int {
	for i < len(data) && isDigit(data[i]) {
		i++
	}
	return i
}

// skipSpace returns the place after the blanks at i.
func skipSpace(data []byte, i int) int {
	for i < len(data) && data[i] <= ' ' && isSpace(data[i]) {
		i++
	}
	return i
}

// skipValue returns the end of the value at i. The JSON must be valid.
func skipValue(data []byte, i int) int {
	switch data[i] {
	case '"':
		return skipString(data, i)
	case '{', '[':
		return skipNested(data, i)
	}
	for i < len(data) && data[i] != ',' && data[i] != '}' && data[i] != ']' && data[i] > ' ' {
		i++
	}
	return i
}

// skipString returns the end of the string at i. The JSON must be valid.
func skipString(data []byte, i int) int {
	for i = skipPlain(data, i+1); data[i] != '"'; i = skipPlain(data, i) {
		i += 2 // A backslash and what it escapes.
	}
	return i + 1
}

// skipNested returns the end of the object or array at i. The JSON must be valid.
func skipNested(data []byte, i int) int {
	for depth := 0; ; i++ {
		switch data[i] {
		case '"':
			i = skipString(data, i) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
}

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
