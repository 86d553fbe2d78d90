package ark

import "testing"

func TestPlainPrompt(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ prompt, want string }{
		"the old style": {
			"a cat --rs 720p --rt 16:9 --dur 5 --seed 11 --cf false --wm true",
			"a cat —rs 720p —rt 16:9 —dur 5 —seed 11 —cf false —wm true",
		},
		"the long form": {
			"a cat --resolution 4k --ratio 1:1 --duration 15 --camerafixed true --watermark true",
			"a cat —resolution 4k —ratio 1:1 —duration 15 —camerafixed true —watermark true",
		},
		"names seen elsewhere": {
			"x --fps 60 --frames 300 --framepersecond 60 --generate_audio false",
			"x —fps 60 —frames 300 —framepersecond 60 —generate_audio false",
		},
		"capitals":                           {"a cat --Duration 15", "a cat —Duration 15"},
		"an equals sign":                     {"a cat --dur=15", "a cat —dur=15"},
		"on a line of its own":               {"a cat\n--dur 15", "a cat\n—dur 15"},
		"at the start":                       {"--dur 15 a cat", "—dur 15 a cat"},
		"at the end":                         {"a cat --wm", "a cat —wm"},
		"after Chinese text without a space": {"一只猫，--dur 15", "一只猫，—dur 15"},
		"three hyphens":                      {"a cat ---dur 15", "a cat —dur 15"},
		"a quotation, which stays readable":  {`a sign that reads "--seed 5"`, `a sign that reads "—seed 5"`},

		"ordinary text":               {prompt: "a samurai cat surfing a giant wave, cinematic"},
		"hyphens as a dash":           {prompt: "a cat -- black as night -- jumps"},
		"a dash before a word":        {prompt: "a cat --and a dog"},
		"a word that only begins so":  {prompt: "a terminal that shows --seedling, --ratios and --durable"},
		"flags that are nobody's":     {prompt: "a terminal that shows git commit --amend --verbose"},
		"the word without hyphens":    {prompt: "duration 15, ratio 16:9, seed"},
		"one hyphen":                  {prompt: "a long-duration shot -dur 15"},
		"a hyphen between two words":  {prompt: "a fixed-ratio frame"},
		"nothing":                     {prompt: ""},
		"hyphens alone":               {prompt: "-----"},
		"bytes that are no UTF-8 too": {prompt: "a cat \xff -- dog"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := tc.want
			if want == "" {
				want = tc.prompt
			}
			got, changed := plainPrompt(tc.prompt)
			if got != want || changed != (tc.want != "") {
				t.Errorf("plainPrompt() = %q, %v; want %q", got, changed, want)
			}
			if again, more := plainPrompt(got); more {
				t.Errorf("a second time it becomes %q", again)
			}
		})
	}
}
