// Package jsonscan finds its way through JSON text without decoding it: it validates values and says where they end. It never
// recurses and never allocates for what clients and vendors really send, and it knows nothing of what the text means.
package jsonscan

import (
	"bytes"
	"encoding/binary"
)

// MaxDepth is how deep arrays and objects may be nested in Valid: what encoding/json takes, too.
const MaxDepth = 10_000

// Valid says whether bytes are one JSON value, nested at most MaxDepth deep. Strings need not be valid UTF-8.
func Valid(raw []byte) bool {
	end, ok := Value(raw, Space(raw, 0), MaxDepth)
	return ok && Space(raw, end) == len(raw)
}

// wordBits is how many brackets a word of nesting holds.
const wordBits = 64

// What a nested value may go on with.
const (
	wantValue = iota
	wantFirstKey
	wantKey
	wantFirstItem
	wantSeparator
)

// nesting is the open brackets: a bit for each, set for objects. The first 64 need no memory of their own; there are more only in
// bodies that no client sends.
type nesting struct {
	first uint64
	more  []uint64
	depth int
	limit int
}

// word returns the bits of which the bracket at a depth has one.
func (n *nesting) word(depth int) *uint64 {
	if depth < wordBits {
		return &n.first
	}
	return &n.more[depth/wordBits-1]
}

// push opens a bracket, unless there are too many.
func (n *nesting) push(object bool) bool {
	if n.depth == n.limit {
		return false
	}
	if n.depth > 0 && n.depth%wordBits == 0 && n.depth/wordBits > len(n.more) {
		n.more = append(n.more, 0)
	}
	word, bit := n.word(n.depth), uint64(1)<<(n.depth%wordBits)
	if *word &^= bit; object {
		*word |= bit
	}
	n.depth++
	return true
}

// object says whether the innermost bracket is an object's.
func (n *nesting) object() bool {
	last := n.depth - 1
	return *n.word(last)&(1<<(last%wordBits)) != 0
}

// Value validates the value that begins at i, nested at most limit deep, and returns the place after it. It does not recurse:
// a body of brackets must not exhaust the stack.
func Value(raw []byte, i, limit int) (end int, ok bool) {
	if i >= len(raw) {
		return i, false
	}
	if raw[i] != '{' && raw[i] != '[' {
		return skipScalar(raw, i)
	}
	open := nesting{limit: limit}
	state := wantValue
	for {
		if i = Space(raw, i); i >= len(raw) {
			return i, false
		}
		if i, state, ok = open.step(raw, i, state); !ok || open.depth == 0 {
			return i, ok
		}
	}
}

// step takes the next token, which begins at i.
func (n *nesting) step(raw []byte, i, state int) (next, then int, ok bool) {
	c := raw[i]
	switch {
	case state == wantSeparator:
		return n.separator(c, i)
	case state == wantFirstKey && c == '}', state == wantFirstItem && c == ']':
		n.depth--
		return i + 1, wantSeparator, true
	case state == wantFirstKey || state == wantKey:
		next, ok = Key(raw, i)
		return next, wantValue, ok
	case c == '{':
		return i + 1, wantFirstKey, n.push(true)
	case c == '[':
		return i + 1, wantFirstItem, n.push(false)
	}
	next, ok = skipScalar(raw, i)
	return next, wantSeparator, ok
}

// separator takes what may follow a value: a comma or the bracket's other half.
func (n *nesting) separator(c byte, i int) (next, then int, ok bool) {
	object := n.object()
	switch {
	case c == ',' && object:
		return i + 1, wantKey, true
	case c == ',':
		return i + 1, wantValue, true
	case c == '}' && object, c == ']' && !object:
		n.depth--
		return i + 1, wantSeparator, true
	}
	return i, 0, false
}

// Key validates a member's name and the colon after it.
func Key(raw []byte, i int) (end int, ok bool) {
	if i >= len(raw) || raw[i] != '"' {
		return i, false
	}
	if i, ok = String(raw, i); !ok {
		return i, false
	}
	if i = Space(raw, i); i >= len(raw) || raw[i] != ':' {
		return i, false
	}
	return i + 1, true
}

// skipScalar validates a string, a number or a word.
func skipScalar(raw []byte, i int) (end int, ok bool) {
	switch c := raw[i]; {
	case c == '"':
		return String(raw, i)
	case c == '-' || IsDigit(c):
		return skipNumber(raw, i)
	}
	for _, word := range [...]string{"true", "false", "null"} {
		if len(raw)-i >= len(word) && string(raw[i:i+len(word)]) == word {
			return i + len(word), true
		}
	}
	return i, false
}

const (
	// window is how much of a string is searched at a time: enough for the vectorised search to pay, and little enough to stay in the
	// processor's first cache for all three looks and to cost little if an escape cuts it short.
	window = 512
	// short is how many bytes are looked at one by one first: many strings, and what lies between the escapes of source code, are over
	// before a search would pay.
	short = 32
)

// String validates a string whose opening quote is at i. Long strings are most of what clients send, so quotes and
// backslashes are found with the vectorised search of package bytes, and control characters many bytes at a time.
func String(raw []byte, i int) (end int, ok bool) {
	for i++; i < len(raw); {
		for limit := min(i+short, len(raw)); i < limit; {
			switch c := raw[i]; {
			case c == '"':
				return i + 1, true
			case c < ' ':
				return i, false
			case c != '\\':
				i++
				continue
			}
			if i, ok = skipEscape(raw, i); !ok {
				return i, false
			}
			limit = min(i+short, len(raw))
		}
		if i, ok = skipPlain(raw, i); !ok {
			return i, false
		}
	}
	return len(raw), false
}

// skipPlain goes on to the next quote or backslash within the window.
func skipPlain(raw []byte, i int) (next int, ok bool) {
	stretch := raw[i:min(i+window, len(raw))]
	if quote := bytes.IndexByte(stretch, '"'); quote >= 0 {
		stretch = stretch[:quote]
	}
	if backslash := bytes.IndexByte(stretch, '\\'); backslash >= 0 {
		stretch = stretch[:backslash]
	}
	return i + len(stretch), !hasControl(stretch)
}

// skipEscape validates an escape whose backslash is at i.
func skipEscape(raw []byte, i int) (end int, ok bool) {
	if i+1 >= len(raw) {
		return i, false
	}
	switch raw[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2, true
	case 'u':
		if i+6 > len(raw) {
			return i, false
		}
		for _, c := range raw[i+2 : i+6] {
			if !IsDigit(c) && (c|0x20 < 'a' || c|0x20 > 'f') {
				return i, false
			}
		}
		return i + 6, true
	}
	return i, false
}

// hasControl says whether a byte below 0x20 is among b.
func hasControl(b []byte) bool {
	const low, high, block = 0x2020202020202020, 0x8080808080808080, 32
	for ; len(b) >= block; b = b[block:] {
		// A byte below 0x20 borrows from its high bit, unless it has that bit itself. Four words at a time keep the loop off the
		// processor's critical path; a borrow from a neighbour only sends a block to the slow look.
		w0, w1 := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
		w2, w3 := binary.LittleEndian.Uint64(b[16:]), binary.LittleEndian.Uint64(b[24:])
		if ((w0-low)&^w0|(w1-low)&^w1|(w2-low)&^w2|(w3-low)&^w3)&high != 0 && slowControl(b[:block]) {
			return true
		}
	}
	return slowControl(b)
}

// slowControl is hasControl byte by byte.
func slowControl(b []byte) bool {
	for _, c := range b {
		if c < 0x20 {
			return true
		}
	}
	return false
}

// skipNumber validates a number that begins at i.
func skipNumber(raw []byte, i int) (end int, ok bool) {
	if raw[i] == '-' {
		i++
	}
	switch {
	case i < len(raw) && raw[i] == '0':
		i++
	default:
		if i, ok = skipDigits(raw, i); !ok {
			return i, false
		}
	}
	if i < len(raw) && raw[i] == '.' {
		if i, ok = skipDigits(raw, i+1); !ok {
			return i, false
		}
	}
	if i < len(raw) && raw[i]|0x20 == 'e' {
		if i++; i < len(raw) && (raw[i] == '+' || raw[i] == '-') {
			i++
		}
		return skipDigits(raw, i)
	}
	return i, true
}

// skipDigits wants at least one digit.
func skipDigits(raw []byte, i int) (end int, ok bool) {
	start := i
	for i < len(raw) && IsDigit(raw[i]) {
		i++
	}
	return i, i > start
}

// IsDigit says whether a byte is a decimal digit.
func IsDigit(c byte) bool { return c >= '0' && c <= '9' }

// Space returns the place of the next byte that is not white space.
func Space(raw []byte, i int) int {
	for i < len(raw) && IsSpace(raw[i]) {
		i++
	}
	return i
}

// IsSpace says whether a byte is white space between JSON's tokens.
func IsSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }
