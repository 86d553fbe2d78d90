package tencent

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

// values are the members of a body.
type values map[string]gjson.Result

// integer returns a member, or what it is when it is not there.
func (v values) integer(name string, byDefault int64) int64 {
	if m, ok := v[name]; ok {
		return m.Int()
	}
	return byDefault
}

// check looks at the value of one member.
type check func(name string, v gjson.Result) *problem

// field is a member that an action takes.
type field struct {
	name     string
	required bool
	check    check
}

// read reads a body, which must be one JSON object of known members.
func read(body []byte, fields []field) (values, *problem) {
	root := gjson.ParseBytes(body)
	if !utf8.Valid(body) || !gjson.ValidBytes(body) || !root.IsObject() {
		return nil, refusal(badParameter, "the body is not a JSON object")
	}
	return members(root, "", fields)
}

// members reads an object. A null is refused as of the wrong type: the vendor's own clients leave out what is not set.
func members(object gjson.Result, prefix string, fields []field) (values, *problem) {
	in := values{}
	var p *problem
	object.ForEach(func(key, value gjson.Result) bool {
		known := slices.ContainsFunc(fields, func(f field) bool { return f.name == key.Str })
		if _, twice := in[key.Str]; twice || !known {
			p = refusal("UnknownParameter", "the parameter %s%s is not known, or there twice", prefix, key.Str)
		}
		in[key.Str] = value
		return p == nil
	})
	for _, f := range fields {
		value, ok := in[f.name]
		switch {
		case p != nil:
			return nil, p
		case ok:
			p = f.check(prefix+f.name, value)
		case f.required:
			p = refusal(missing, "the parameter %s%s is missing", prefix, f.name)
		}
	}
	return in, p
}

func wrongType(name, want string) *problem {
	return refusal(badParameter, "the type of %s is not %s", name, want)
}

// text takes a string of 1 to limit characters; one of blanks alone is empty.
func text(limit int, invalid, tooLong string) check {
	return func(name string, v gjson.Result) *problem {
		switch {
		case v.Type != gjson.String:
			return wrongType(name, "string")
		case strings.TrimSpace(v.Str) == "":
			return refusal(invalid, "%s is empty", name)
		case utf8.RuneCountInString(v.Str) > limit:
			return refusal(tooLong, "%s is longer than %d characters", name, limit)
		}
		return nil
	}
}

// oneOf takes one of some strings.
func oneOf(code string, allowed ...string) check {
	return func(name string, v gjson.Result) *problem {
		if v.Type != gjson.String {
			return wrongType(name, "string")
		}
		if !slices.Contains(allowed, v.Str) {
			return refusal(code, "%s must be one of %v", name, allowed)
		}
		return nil
	}
}

// within takes an integer between two bounds, themselves included.
func within(code string, low, high int64) check {
	return func(name string, v gjson.Result) *problem {
		n, err := strconv.ParseInt(v.Raw, 10, 64)
		if v.Type != gjson.Number || err != nil {
			return wrongType(name, "integer")
		}
		if n < low || n > high {
			return refusal(code, "%s must be from %d to %d", name, low, high)
		}
		return nil
	}
}

// anyInteger takes every integer: a LogoAdd other than 0 counts as 1.
func anyInteger() check { return within(badValue, math.MinInt64, math.MaxInt64) }

// nested reads the members of an object.
func nested(fields ...field) check {
	return func(name string, v gjson.Result) *problem {
		if !v.IsObject() {
			return wrongType(name, "object")
		}
		_, p := members(v, name+".", fields)
		return p
	}
}

// logo takes the description of an own mark, which is an address or an image, and where it goes. One without either is
// refused, although the documentation does not say so.
func logo(code string, limits pictureLimits) check {
	coordinate := within(code, 0, math.MaxInt32)
	rect := nested(field{"X", false, coordinate}, field{"Y", false, coordinate},
		field{"Width", false, coordinate}, field{"Height", false, coordinate})
	object := nested(field{"LogoUrl", false, limits.address}, field{"LogoImage", false, limits.inline}, field{"LogoRect", false, rect})
	return func(name string, v gjson.Result) *problem {
		if p := object(name, v); p != nil {
			return p
		}
		if !v.Get("LogoUrl").Exists() && !v.Get("LogoImage").Exists() {
			return refusal(code, "%s has neither LogoUrl nor LogoImage", name)
		}
		return nil
	}
}
