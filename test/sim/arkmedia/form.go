package arkmedia

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// reader keeps the first problem of a body; what follows it does no harm.
type reader struct{ bad *problem }

func (r *reader) fail(p *problem) {
	if r.bad == nil {
		r.bad = p
	}
}

// form is a JSON object being read.
type form struct {
	*reader
	at      string
	members map[string]gjson.Result
}

// open reads an object that may hold only the known members, each once; no known ones means any. A null is not a value.
func (r *reader) open(at string, v gjson.Result, known ...string) *form {
	f := &form{reader: r, at: at, members: map[string]gjson.Result{}}
	if !v.IsObject() {
		f.fail(invalid(at, "want an object"))
		return f
	}
	v.ForEach(func(k, value gjson.Result) bool {
		switch {
		case f.has(k.Str):
			f.fail(invalid(f.path(k.Str), "given twice"))
		case known != nil && !slices.Contains(known, k.Str):
			f.fail(invalid(f.path(k.Str), "unknown parameter"))
		}
		f.members[k.Str] = value
		return true
	})
	return f
}

func (f *form) path(name string) string { return strings.TrimPrefix(f.at+"."+name, ".") }

func (f *form) has(name string) bool { return f.members[name].Exists() }

func (f *form) refusef(name, format string, args ...any) {
	f.fail(invalid(f.path(name), format, args...))
}

// need refuses a request without the member.
func (f *form) need(name string) {
	if v := f.members[name]; !v.Exists() || v.Type == gjson.String && v.Str == "" {
		f.fail(missing(f.path(name)))
	}
}

// only refuses the member unless ok.
func (f *form) only(name string, ok bool, reason string) {
	if f.has(name) && !ok {
		f.refusef(name, "%s", reason)
	}
}

func (f *form) text(name string) string {
	if v := f.members[name]; v.Exists() && v.Type != gjson.String {
		f.refusef(name, "want a string")
	}
	return f.members[name].Str
}

func (f *form) choice(name, fallback string, allowed ...string) string {
	if !f.has(name) {
		return fallback
	}
	v := f.text(name)
	if !slices.Contains(allowed, v) {
		f.refusef(name, "want one of %v", allowed)
	}
	return v
}

func (f *form) flag(name string, fallback bool) bool {
	if !f.has(name) {
		return fallback
	}
	if !f.members[name].IsBool() {
		f.refusef(name, "want a boolean")
	}
	return f.members[name].Bool()
}

func (f *form) number(name string, fallback, low, high float64) float64 {
	v := f.members[name]
	if !v.Exists() {
		return fallback
	}
	if v.Type != gjson.Number || v.Num < low || v.Num > high {
		f.refusef(name, "want a number from %v to %v", fmt.Sprint(low), fmt.Sprint(high))
	}
	return v.Num
}

// integer takes whole numbers written as such: 5, but neither 5.0 nor "5".
func (f *form) integer(name string, fallback, low, high int) int {
	v := f.members[name]
	if v.Exists() && (v.Type != gjson.Number || v.Num != math.Trunc(v.Num) || strings.ContainsAny(v.Raw, ".eE")) {
		f.refusef(name, "want an integer")
	}
	return int(f.number(name, float64(fallback), float64(low), float64(high)))
}

// list takes an array.
func (f *form) list(name string) []gjson.Result {
	if v := f.members[name]; v.Exists() && !v.IsArray() {
		f.refusef(name, "want an array")
		return nil
	}
	return f.members[name].Array()
}

// oneOrMore takes a string, or an array in which there should be strings.
func (f *form) oneOrMore(name string) []gjson.Result {
	if v := f.members[name]; v.Type == gjson.String {
		return []gjson.Result{v}
	}
	return f.list(name)
}

// webSearch takes the one documented form of tools.
func (f *form) webSearch(name string) {
	for i, v := range f.list(name) {
		tool := f.open(fmt.Sprintf("%s[%d]", f.path(name), i), v, "type")
		tool.need("type")
		tool.choice("type", "", "web_search")
	}
}
