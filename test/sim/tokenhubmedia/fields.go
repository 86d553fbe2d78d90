package tokenhubmedia

import (
	"encoding/base64"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

// result is the value of a member.
type result = gjson.Result

// values are the members of a body.
type values map[string]result

// check looks at the value of one member.
type check func(rules Rules, name string, v result) *problem

// field is a member that a call takes.
type field struct {
	name     string
	required bool
	check    check
}

// object reads one JSON object of known members. A null is refused as of the wrong type: nothing documented shows one.
func object(body []byte, rules Rules, fields []field) (values, *problem) {
	root := gjson.ParseBytes(body)
	if !utf8.Valid(body) || !gjson.ValidBytes(body) || !root.IsObject() {
		return nil, refusal(badParameter, "the body is not a JSON object")
	}
	in := values{}
	var p *problem
	root.ForEach(func(key, value result) bool {
		known := slices.ContainsFunc(fields, func(f field) bool { return f.name == key.Str })
		if _, twice := in[key.Str]; twice || !known {
			p = invalid(key.Str, "unknown, or there twice")
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
			p = f.check(rules, f.name, value)
		case f.required:
			p = invalid(f.name, "%s is required", f.name)
		}
	}
	return in, p
}

// text takes a string of 1 to limit characters; one of blanks alone is empty.
func text(limit int) check {
	return func(_ Rules, name string, v result) *problem {
		if v.Type != gjson.String || strings.TrimSpace(v.Str) == "" || utf8.RuneCountInString(v.Str) > limit {
			return invalid(name, "must be a string of 1 to %d characters", limit)
		}
		return nil
	}
}

// oneOf takes one of some strings.
func oneOf(allowed ...string) check {
	return func(_ Rules, name string, v result) *problem {
		if v.Type != gjson.String || !slices.Contains(allowed, v.Str) {
			return invalid(name, "must be one of %v", allowed)
		}
		return nil
	}
}

// integer takes an integer between two bounds, themselves included.
func integer(low, high int64) check {
	return func(_ Rules, name string, v result) *problem {
		n, err := strconv.ParseInt(v.Raw, 10, 64)
		if v.Type != gjson.Number || err != nil || n < low || n > high {
			return invalid(name, "must be an integer from %d to %d", low, high)
		}
		return nil
	}
}

// onOff takes a switch, whose type is not documented: 0 and 1 or a boolean.
func onOff(rules Rules, name string, v result) *problem {
	if v.IsBool() {
		return nil
	}
	return integer(0, 1)(rules, name, v)
}

// dimensions are two sides and what stands between them.
var dimensions = regexp.MustCompile(`^([1-9][0-9]{0,4})(.)([1-9][0-9]{0,4})$`)

// sides takes an image's size: each side from 512 to 2048 pixels, together at most 1024 x 1024.
func sides(between string) check {
	return func(_ Rules, name string, v result) *problem {
		m := dimensions.FindStringSubmatch(v.Str)
		if v.Type != gjson.String || m == nil || m[2] != between {
			return invalid(name, "must be width%sheight", between)
		}
		width, height := readSize(v.Str)
		if min(width, height) < 512 || max(width, height) > 2048 || width*height > 1024*1024 {
			return invalid(name, "sides must be from 512 to 2048, and at most 1024 x 1024 pixels together")
		}
		return nil
	}
}

// readSize reads a checked size; the default is 1024 x 1024.
func readSize(s string) (width, height int) {
	m := dimensions.FindStringSubmatch(s)
	if m == nil {
		return 1024, 1024
	}
	width, _ = strconv.Atoi(m[1])
	height, _ = strconv.Atoi(m[3])
	return width, height
}

// resolution is a size by the separator of the rules.
func resolution(rules Rules, name string, v result) *problem {
	between := rules.ResolutionBy
	if between == "" {
		between = ":"
	}
	return sides(between)(rules, name, v)
}

// references takes up to three images.
func references(rules Rules, name string, v result) *problem {
	if images := v.Array(); !v.IsArray() || len(images) < 1 || len(images) > 3 {
		return invalid(name, "must be a list of 1 to 3 images")
	}
	for _, image := range v.Array() {
		if rules.InlineImages && inline(image) {
			continue
		}
		if p := address(rules, name, image); p != nil {
			return p
		}
	}
	return nil
}

// inline reports whether an image is a data URI of a kind that the model reads.
func inline(v result) bool {
	head, data, found := strings.Cut(v.Str, ";base64,")
	kind, isImage := strings.CutPrefix(head, "data:image/")
	if !found || !isImage || !slices.Contains([]string{"jpeg", "png", "bmp", "tiff", "webp"}, kind) {
		return false
	}
	decoded, err := base64.StdEncoding.DecodeString(data)
	return err == nil && len(decoded) > 0
}

// address takes an absolute address. The simulator downloads nothing; a name under .invalid, which never resolves, is a
// download that fails.
func address(_ Rules, name string, v result) *problem {
	u, err := url.Parse(v.Str)
	switch {
	case v.Type != gjson.String || err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return invalid(name, "must be the address of an image")
	case strings.HasSuffix(u.Hostname(), ".invalid"):
		return invalid(name, "the image cannot be downloaded")
	}
	return nil
}

// firstFrame takes {"url"}.
func firstFrame(rules Rules, name string, v result) *problem {
	if !v.IsObject() {
		return invalid(name, "must be an object")
	}
	_, p := object([]byte(v.Raw), rules, []field{{"url", true, address}})
	return p
}
