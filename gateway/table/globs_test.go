package table_test

import (
	"strings"
	"testing"

	"vipcloud.ai/vipcloud/gateway/table"
)

func TestGlobs_Match(t *testing.T) {
	tests := map[string]struct {
		patterns []string
		in, out  []string
	}{
		"no patterns match nothing":        {nil, nil, []string{"", "a"}},
		"a name matches itself alone":      {[]string{"qwen3-max"}, []string{"qwen3-max"}, []string{"qwen3-ma", "qwen3-maxx", "Qwen3-max", ""}},
		"a star matches everything":        {[]string{"*"}, []string{"", "a", "a/b:c@1"}, nil},
		"a star at the end":                {[]string{"deepseek-*"}, []string{"deepseek-", "deepseek-v4/pro"}, []string{"deepseek", "xdeepseek-v4"}},
		"a star at the start":              {[]string{"*-max"}, []string{"-max", "qwen3-max", "-max-max"}, []string{"qwen3-max2", "max"}},
		"stars around":                     {[]string{"*/glm*"}, []string{"z/glm", "a/b/glm-4"}, []string{"glm", "z/gl"}},
		"a star within":                    {[]string{"a*a"}, []string{"aa", "aba", "aaa"}, []string{"a", "ab", "ba"}},
		"prefix and suffix do not overlap": {[]string{"ab*ba"}, []string{"abba", "ab-ba"}, []string{"aba"}},
		"parts keep their order":           {[]string{"*a*b*"}, []string{"ab", "xaxbx", "bab"}, []string{"ba", "a", "b"}},
		"parts do not overlap":             {[]string{"*aa*aa*"}, []string{"aaaa", "aa-aa"}, []string{"aaa"}},
		"a suffix is not taken by a part":  {[]string{"*ab*b"}, []string{"abb", "abab"}, []string{"ab"}},
		"stars side by side are one":       {[]string{"a**b"}, []string{"ab", "axb"}, []string{"a", "b"}},
		"other signs stand for themselves": {[]string{"a.b[c]?+"}, []string{"a.b[c]?+"}, []string{"axbc?", "a.bc"}},
		"any of several":                   {[]string{"x", "y*"}, []string{"x", "yy"}, []string{"xx", "z"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			g := table.CompileGlobs(tc.patterns)
			for _, name := range tc.in {
				if !g.Match(name) {
					t.Errorf("%q does not match %q", tc.patterns, name)
				}
			}
			for _, name := range tc.out {
				if g.Match(name) {
					t.Errorf("%q matches %q", tc.patterns, name)
				}
			}
			if g.Empty() != (len(tc.patterns) == 0) {
				t.Errorf("Empty is %t", g.Empty())
			}
		})
	}
}

// referenceMatch is the definition of a match, at whatever cost.
func referenceMatch(pattern, name string) bool {
	reach := make([]bool, len(name)+1) // reach[j]: the pattern so far matches name[:j].
	reach[0] = true
	for i := range len(pattern) {
		next := make([]bool, len(name)+1)
		for j := range reach {
			switch {
			case pattern[i] == '*':
				next[j] = reach[j] || (j > 0 && next[j-1])
			case j > 0 && name[j-1] == pattern[i]:
				next[j] = reach[j-1]
			}
		}
		reach = next
	}
	return reach[len(name)]
}

func FuzzGlobs(f *testing.F) {
	for _, seed := range [][2]string{{"", ""}, {"*", "a"}, {"a*b*c", "aXbYc"}, {"*ab*b", "ab"}, {"**", ""}, {"a*a", "a"}, {"*é*", "xéy"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if len(pattern) > 200 || len(name) > 200 {
			return
		}
		if got, want := table.CompileGlobs([]string{pattern}).Match(name), referenceMatch(pattern, name); got != want {
			t.Fatalf("%q on %q: %t, want %t", pattern, name, got, want)
		}
	})
}

func TestGlobs_MatchDoesNotAllocate(t *testing.T) {
	g := table.CompileGlobs([]string{"nothing", "*a*b*c", "deepseek-*", "*" + strings.Repeat("x*", 60)})
	for _, name := range []string{"deepseek-v4-pro", "qwen/qwen3-max", strings.Repeat("y", 128)} {
		if n := testing.AllocsPerRun(100, func() { g.Match(name) }); n != 0 {
			t.Errorf("%v allocations on %q", n, name)
		}
	}
}
