package openaicompat

import (
	"strings"
	"testing"
)

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
