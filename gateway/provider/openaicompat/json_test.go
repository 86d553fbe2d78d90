package openaicompat

import (
	"encoding/json"
	"strings"
	"testing"
)

// jsonCases are JSON texts and what looks like them.
func jsonCases() []string {
	return []string{
		`{}`, `{ }`, `{"a":1}`, `{"a":1,}`, `{,}`, `{"a"}`, `{"a":}`, `{"a" : -0.5e+3 }`, `{"a":01}`, `{"a":-}`, `{"a":1.}`, `{"a":1e}`, `{"a":.5}`, `{"a":+1}`,
		`{"a":[]}`, `{"a":[1,2 , 3]}`, `{"a":[1,]}`, `{"a":[,1]}`, `{"a":[1 2]}`, `{"a":true,"b":false,"c":null}`, `{"a":tru}`, `{"a":nullx}`,
		`{"a":"\"\\\/\b\f\n\r\t\u00e9"}`, `{"a":"\x"}`, `{"a":"\u00g0"}`, `{"a":"\u00e"}`, `{"a":"` + "\n" + `"}`, `{"a":"` + "\x7f\xff" + `"}`, `{"a":"`, `{"a":"\`,
		`{"a":"12345678901234567890\"x"}`, `{"a":{"b":[{"c":"}]"}]}}`, `{"a":1}}`, `{"a":1`, `{`, ``, `[`, `[]`, `"a"`, `1`, `{"a":1}x`, "{\"a\"\t:\r\n1}", "{\"a\":1\x01}",
		strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40),
	}
}

func TestValidValue(t *testing.T) {
	t.Parallel()
	for _, text := range jsonCases() {
		sameVerdict(t, []byte(text))
	}
}

// sameVerdict compares with encoding/json on what both can judge.
func sameVerdict(t *testing.T, data []byte) {
	t.Helper()
	if len(data) == 0 || isSpace(data[0]) || isSpace(data[len(data)-1]) {
		return
	}
	if got, want := validValue(data, 0, maxDepth) == len(data), json.Valid(data); got != want {
		t.Errorf("valid(%q) = %v, want %v", data, got, want)
	}
}

func TestValidValue_boundsDepth(t *testing.T) {
	t.Parallel()
	for depth, want := range map[int]bool{1: true, maxDepth - 1: true, maxDepth: true, maxDepth + 1: false, 500_000: false} {
		data := []byte(strings.Repeat("[", depth) + strings.Repeat("]", depth))
		if got := validValue(data, 0, maxDepth) == len(data); got != want {
			t.Errorf("depth %d is valid: %v, want %v", depth, got, want)
		}
	}
}

func TestEdits(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		text string
		drop string
		add  bool
		want string
	}{
		"the only member":               {text: `{"a":1}`, drop: "a", want: `{}`},
		"the first member":              {text: `{"a":1,"b":2}`, drop: "a", want: `{"b":2}`},
		"the last member":               {text: `{"a":1,"b":2}`, drop: "b", want: `{"a":1}`},
		"one in the middle":             {text: `{"a":1,"b":2,"c":3}`, drop: "b", want: `{"a":1,"c":3}`},
		"two in the middle":             {text: `{"a":1,"b":2,"c":3,"d":4}`, drop: "bc", want: `{"a":1,"d":4}`},
		"the first two":                 {text: `{"a":1,"b":2,"c":3}`, drop: "ab", want: `{"c":3}`},
		"the last two":                  {text: `{"a":1,"b":2,"c":3}`, drop: "bc", want: `{"a":1}`},
		"all":                           {text: `{"a":1,"b":2}`, drop: "ab", want: `{}`},
		"every other":                   {text: `{"a":1,"b":2,"c":3,"d":4}`, drop: "ac", want: `{"b":2,"d":4}`},
		"with blanks":                   {text: `{ "a" : 1 , "b" : 2 , "c" : 3 }`, drop: "ac", want: `{ "b" : 2 }`},
		"an addition to nothing":        {text: `{ }`, add: true, want: `{ "x":0}`},
		"an addition":                   {text: `{"a":1}`, add: true, want: `{"a":1,"x":0}`},
		"an addition where all goes":    {text: `{"a":1, "b":2}`, drop: "ab", add: true, want: `{"x":0}`},
		"an addition after a drop":      {text: `{"a":1,"b":2}`, drop: "b", add: true, want: `{"a":1,"x":0}`},
		"an addition after the first":   {text: `{"a":1,"b":2}`, drop: "a", add: true, want: `{"b":2,"x":0}`},
		"values with braces and quotes": {text: `{"a":"}\"","b":[{"a":1}],"c":{"b":"]"}}`, drop: "b", want: `{"a":"}\"","c":{"b":"]"}}`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, next := range []func(*members) bool{(*members).next, (*members).nextValid} {
				var e edits
				m := membersOf([]byte(tc.text), 0)
				for next(&m) {
					if strings.Contains(tc.drop, string(m.name())) {
						m.drop(&e)
					}
				}
				if tc.add {
					insertMember(&e, m.end, m.kept, "x", "0")
				}
				if got := string(e.apply(nil, []byte(tc.text))); got != tc.want {
					t.Errorf("text = %s, want %s", got, tc.want)
				}
			}
		})
	}
}

func TestSkipPlain(t *testing.T) {
	t.Parallel()
	for n := range 40 {
		for _, stop := range []byte{'"', '\\', 0, 0x1f} {
			text := strings.Repeat("é#"+"\x7f", 20)[:n] + string([]byte{stop}) + "rest of it"
			if got := skipPlain([]byte(text), 0); got != n {
				t.Errorf("skipPlain(%q) = %d, want %d", text, got, n)
			}
		}
	}
	if got := skipPlain([]byte("plain"), 0); got != 5 {
		t.Errorf("skipPlain() without a stop = %d, want 5", got)
	}
}
