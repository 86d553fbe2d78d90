package sim

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// object is a JSON object that keeps its members in order: some vendors' key order is part of what a client meets.
type object []member

type member struct {
	key   string
	value any
}

// absent is a value whose member obj leaves out.
type absent struct{}

// obj builds an object from alternating keys and values.
func obj(pairs ...any) object {
	return make(object, 0, len(pairs)/2).with(pairs...)
}

// with appends alternating keys and values.
func (o object) with(pairs ...any) object {
	for i := 0; i+1 < len(pairs); i += 2 {
		if _, skip := pairs[i+1].(absent); !skip {
			o = append(o, member{pairs[i].(string), pairs[i+1]})
		}
	}
	return o
}

// when returns v if ok, and otherwise a value that obj leaves out.
func when(ok bool, v any) any {
	if ok {
		return v
	}
	return absent{}
}

// orNull returns s, or JSON null for the empty string.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// encode writes v as compact JSON; non-ASCII text and "<" stay literal, as the vendors send them.
func encode(v any) []byte { return appendJSON(make([]byte, 0, 512), v) }

func appendJSON(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case object:
		return appendObject(b, v)
	case []object:
		b = append(b, '[')
		for i, o := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendObject(b, o)
		}
		return append(b, ']')
	case string:
		return appendString(b, v)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case bool:
		return strconv.AppendBool(b, v)
	case json.RawMessage:
		return append(b, v...)
	}
	panic(fmt.Sprintf("sim: no JSON form for %T", v))
}

func appendObject(b []byte, o object) []byte {
	b = append(b, '{')
	for i, m := range o {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, m.key), ':')
		b = appendJSON(b, m.value)
	}
	return append(b, '}')
}

func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	if !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == '"' || r == '\\' }) {
		return append(append(b, s...), '"')
	}
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, '\\', 'n')
		case r < ' ':
			b = fmt.Appendf(b, "\\u%04x", r)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}
