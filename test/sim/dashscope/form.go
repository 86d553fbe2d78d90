package dashscope

import (
	"math"
	"regexp"
	"slices"
	"strconv"
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

// open reads an object that may hold only the known members, each once. Something absent is an empty object, a null is not.
func (r *reader) open(at string, v gjson.Result, known ...string) *form {
	f := &form{reader: r, at: at, members: map[string]gjson.Result{}}
	if v.Exists() && !v.IsObject() {
		f.fail(invalid(at, "want an object"))
		return f
	}
	v.ForEach(func(k, value gjson.Result) bool {
		switch {
		case f.has(k.Str):
			f.refusef(k.Str, "given twice")
		case !slices.Contains(known, k.Str):
			f.refusef(k.Str, "unknown parameter")
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

// only refuses the member unless ok.
func (f *form) only(name string, ok bool, reason string) {
	if f.has(name) && !ok {
		f.refusef(name, "%s", reason)
	}
}

// text takes a string of at most so many characters; 0 means any number.
func (f *form) text(name string, most int) string {
	v := f.members[name]
	switch {
	case v.Exists() && v.Type != gjson.String:
		f.refusef(name, "want a string")
	case most > 0 && len([]rune(v.Str)) > most:
		f.refusef(name, "want at most %d characters", most)
	}
	return v.Str
}

// need takes a string that must not be empty.
func (f *form) need(name string, most int) string {
	v := f.text(name, most)
	if v == "" {
		f.refusef(name, "required")
	}
	return v
}

func (f *form) choice(name, fallback string, allowed ...string) string {
	if !f.has(name) {
		return fallback
	}
	v := f.text(name, 0)
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

// integer takes whole numbers written as such: 5, but neither 5.0 nor "5".
func (f *form) integer(name string, fallback, low, high int) int {
	v := f.members[name]
	switch {
	case !v.Exists():
		return fallback
	case v.Type != gjson.Number || v.Num != math.Trunc(v.Num) || strings.ContainsAny(v.Raw, ".eE"):
		f.refusef(name, "want an integer")
	case v.Num < float64(low) || v.Num > float64(high):
		f.refusef(name, "want an integer from %d to %d", low, high)
	}
	return int(v.Num)
}

// seed takes the seed that all models have in common. It changes nothing that can be seen here.
func (f *form) seed() { f.integer("seed", 0, 0, 1<<31-1) }

// list takes an array.
func (f *form) list(name string) []gjson.Result {
	if v := f.members[name]; v.Exists() && !v.IsArray() {
		f.refusef(name, "want an array")
		return nil
	}
	return f.members[name].Array()
}

// pixels takes a size as W*H.
func (f *form) pixels(name string) (width, height int) {
	found := regexp.MustCompile(`^([1-9][0-9]{1,4})\*([1-9][0-9]{1,4})$`).FindStringSubmatch(f.text(name, 0))
	if found == nil {
		f.refusef(name, "want W*H, or a size with a name where the model has those")
		return 1, 1
	}
	width, _ = strconv.Atoi(found[1])
	height, _ = strconv.Atoi(found[2])
	return width, height
}

// envelope is what all calls have in common.
type envelope struct {
	model             string
	input, parameters gjson.Result
}

// readEnvelope reads a body. An empty input has a code of its own; parameters may be left out, but must be an object.
func (r *reader) readEnvelope(body []byte) envelope {
	if !gjson.ValidBytes(body) {
		r.fail(invalid("body", "want JSON"))
		return envelope{}
	}
	f := r.open("body", gjson.ParseBytes(body), "model", "input", "parameters")
	e := envelope{model: f.text("model", 0), input: f.members["input"], parameters: f.members["parameters"]}
	switch {
	case e.model == "":
		f.fail(known("BadRequest.EmptyModel", "Required parameter model is missing."))
	case !e.input.IsObject() || len(e.input.Map()) == 0:
		f.fail(known("BadRequest.EmptyInput", "Required input parameter is missing."))
	case e.parameters.Exists() && !e.parameters.IsObject():
		f.fail(known("BadRequest.EmptyParameters", "Required parameter \"parameters\" is missing or invalid."))
	}
	return e
}
