package kling

import (
	"strings"
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
)

func TestRefusals(t *testing.T) {
	t.Parallel()
	const (
		standard, turbo, omni = "kling-3.0", "kling-3.0-turbo", "kling-3.0-omni"
		legacy, legacyOmni    = "kling-v3", "kling-v3-omni"
		picture               = "https://example.com/a.png"
	)
	type request = provider.VideoRequest
	tests := map[string]struct {
		model   string
		in      provider.VideoRequest
		param   string
		message string // what is in it
	}{
		"nothing to show":               {standard, request{Prompt: " \n"}, "prompt", "a prompt or an image"},
		"nothing to show, legacy":       {legacy, request{}, "prompt", "a prompt or an image"},
		"a prompt without end":          {standard, request{Prompt: strings.Repeat("图", 3073)}, "prompt", "at most 3072 characters, not 3073"},
		"a prompt without end, legacy":  {legacy, request{Prompt: strings.Repeat("x", 2501)}, "prompt", "at most 2500 characters, not 2501"},
		"a last frame without a first":  {standard, request{Prompt: "p", LastImage: picture}, "last_image", "send image"},
		"a negative prompt":             {standard, request{Prompt: "p", NegativePrompt: "dogs"}, "negative_prompt", "say in the prompt"},
		"a negative prompt without end": {legacy, request{Prompt: "p", NegativePrompt: strings.Repeat("x", 2501)}, "negative_prompt", "2500"},
		"a seed":                        {standard, request{Prompt: "p", Seed: new(int64(0))}, "seed", "Leave seed out"},
		"a seed, legacy":                {legacy, request{Prompt: "p", Seed: new(int64(7))}, "seed", "Leave seed out"},
		"sound of turbo":                {turbo, request{Prompt: "p", Audio: new(true)}, "audio", "Kling turbo makes videos without sound"},
		"4k of turbo":                   {turbo, request{Prompt: "p", Resolution: "4k"}, "resolution", `720p, 1080p, not "4k"`},
		"480p":                          {standard, request{Prompt: "p", Resolution: "480p"}, "resolution", "720p, 1080p, 4k"},
		"2k of omni":                    {omni, request{Prompt: "p", Image: picture, Resolution: "2k"}, "resolution", "720p, 1080p, 4k"},
		"768p, legacy":                  {legacy, request{Prompt: "p", Resolution: "768p"}, "resolution", "720p, 1080p, 4k"},
		"a ratio that nobody makes":     {standard, request{Prompt: "p", AspectRatio: "4:3"}, "aspect_ratio", `16:9, 9:16, 1:1, not "4:3"`},
		"a ratio of no image":           {standard, request{Prompt: "p", AspectRatio: "adaptive"}, "aspect_ratio", "16:9, 9:16, 1:1"},
		"a ratio beside an image": {
			standard, request{Prompt: "p", Image: picture, AspectRatio: "16:9"}, "aspect_ratio", "leave aspect_ratio (or size) out",
		},
		"a ratio beside an image, old": {legacy, request{Prompt: "p", Image: picture, AspectRatio: "16:9"}, "aspect_ratio", "adaptive"},
		"2 seconds":                    {standard, request{Prompt: "p", Duration: 2}, "duration", "3 to 15 seconds, not 2"},
		"16 seconds":                   {turbo, request{Prompt: "p", Duration: 16}, "duration", "3 to 15 seconds, not 16"},
		"16 seconds, legacy":           {legacy, request{Prompt: "p", Duration: 16}, "duration", "3 to 15 seconds, not 16"},
		"a frame for the older omni":   {legacyOmni, request{Prompt: "p", Image: picture}, "image", "legacy API"},
		"webp": {
			standard, request{Image: "data:image/webp;base64,QUJD"}, "image", `image/jpeg and image/png, not "image/webp"`,
		},
		"a last frame in webp": {legacy, request{Image: picture, LastImage: "data:image/webp;base64,QUJD"}, "last_image", "image/png"},
		"data that is text":    {standard, request{Image: "data:image/png,QUJD"}, "image", "data URI in base64"},
		"data without end":     {standard, request{Image: "data:image/png;base64"}, "image", "data URI in base64"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Adapter().Video.SubmitVideo(t.Context(), upstream(tc.model), &tc.in)
			e := errorOf(t, err)
			if got != nil || e.Class != provider.ClassInvalidRequest || e.Param != tc.param || !strings.Contains(e.Message, tc.message) {
				t.Errorf("%s: %s: %s; want %s and %q", e.Class, e.Param, e.Message, tc.param, tc.message)
			}
		})
	}
}

func TestPicture(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ in, want string }{
		"none":                    {"", ""},
		"a URL":                   {"https://example.com/a.png?x=data:image", "https://example.com/a.png?x=data:image"},
		"base64":                  {"data:image/png;base64,QUJD", "QUJD"},
		"another spelling":        {"DATA:Image/JPG;Base64,QUJD", "QUJD"},
		"a parameter in between":  {"data:image/jpeg;name=a.jpg;base64,QUJD", "QUJD"},
		"short of a scheme":       {"data", "data"},
		"a comma within the data": {"data:image/png;base64,QU,JD", "QU,JD"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, err := picture("image", tc.in); err != nil || got != tc.want {
				t.Errorf("picture() = %q, %v; want %q", got, err, tc.want)
			}
		})
	}
}
