package minimax

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// The models of the tests.
const (
	hailuo02 = "MiniMax-Hailuo-02"
	hailuo23 = "MiniMax-Hailuo-2.3"
	fast23   = "MiniMax-Hailuo-2.3-Fast"
	director = "T2V-01-Director"
)

func TestVideoBody(t *testing.T) {
	t.Parallel()
	type request = provider.VideoRequest
	const frame = "https://example.com/A.png"
	near := "resolution: Hailuo-02 makes 768p, the nearest to 720p."
	tests := map[string]struct {
		model    string
		in       provider.VideoRequest
		want     string
		billing  provider.Billing
		warnings []string
	}{
		"nothing but a prompt": {
			model: hailuo02, in: request{Prompt: "a cat [Pan left]"},
			want: `{"aigc_watermark":false,"duration":6,"model":"MiniMax-Hailuo-02","prompt":"a cat [Pan left]","resolution":"768P"}`,

			billing: provider.Billing{Seconds: 6, Resolution: "768p"},
		},
		"everything": {
			model: hailuo02,
			in: request{
				Prompt: "a cat", Duration: 6, Resolution: "1080p", AspectRatio: "adaptive", Image: "Data:Image/JPEG;base64,QUJD",
				LastImage: frame, Audio: new(false), Watermark: new(true),
			},
			want: `{"aigc_watermark":true,"duration":6,"first_frame_image":"data:image/jpeg;base64,QUJD",` +
				`"last_frame_image":"https://example.com/A.png","model":"MiniMax-Hailuo-02","prompt":"a cat","resolution":"1080P"}`,
			billing: provider.Billing{Seconds: 6, Resolution: "1080p"},
		},
		"a size as OpenAI writes it": {
			model: hailuo02, in: request{Prompt: "a cat", Duration: 10, Resolution: "720p", AspectRatio: "16:9"},
			want:    `{"aigc_watermark":false,"duration":10,"model":"MiniMax-Hailuo-02","prompt":"a cat","resolution":"768P"}`,
			billing: provider.Billing{Seconds: 10, Resolution: "768p"},
			warnings: []string{
				near, "aspect_ratio: Hailuo-02 has no such parameter, so it was not sent; the first frame or the model decides.",
			},
		},
		"the smallest, of an image alone": {
			model: hailuo02, in: request{Image: frame, Resolution: "480p", Duration: 10, Watermark: new(false)},
			want: `{"aigc_watermark":false,"duration":10,"first_frame_image":"https://example.com/A.png","model":"MiniMax-Hailuo-02",` +
				`"resolution":"512P"}`,
			billing:  provider.Billing{Seconds: 10, Resolution: "512p"},
			warnings: []string{"resolution: Hailuo-02 makes 512p, the nearest to 480p."},
		},
		"a model that nobody knows takes what any takes": {
			model: director, in: request{Prompt: "a cat", Image: frame, Resolution: "512p"},
			want: `{"aigc_watermark":false,"duration":6,"first_frame_image":"https://example.com/A.png","model":"T2V-01-Director",` +
				`"prompt":"a cat","resolution":"512P"}`,
			billing: provider.Billing{Seconds: 6, Resolution: "512p"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Video().SubmitVideo(t.Context(), upstream(tc.model), &tc.in)
			if err != nil {
				t.Fatalf("SubmitVideo() error = %v", err)
			}
			req := got.Step.Request
			if body := bodyOf(t, req); body != tc.want {
				t.Errorf("body = %s\nwant   %s", body, tc.want)
			}
			const address = "https://api.minimaxi.com/v1/video_generation"
			if req.Method != http.MethodPost || req.URL.String() != address {
				t.Errorf("call = %s %s, want POST %s", req.Method, req.URL, address)
			}
			got.Step.Request, got.Step.Read = nil, nil
			want := &provider.Submission{
				Step: &provider.Step[provider.Task]{Paid: true}, Billing: tc.billing, Warnings: tc.warnings, RetryAfter: 10 * time.Second,
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("submission (-want +got):\n%s", diff)
			}
		})
	}
}

func TestVideoBilling(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		parameters provider.Parameters
		want       provider.Billing
	}{
		"nothing":              {provider.Parameters{}, provider.Billing{Seconds: 10, Resolution: "768p"}},
		"another length":       {override("duration", "6"), provider.Billing{Seconds: 6, Resolution: "768p"}},
		"no length":            {drop("duration"), provider.Billing{Seconds: 6, Resolution: "768p"}},
		"another resolution":   {override("resolution", `"1080P"`), provider.Billing{Seconds: 10, Resolution: "1080p"}},
		"no resolution":        {drop("resolution"), provider.Billing{Seconds: 10, Resolution: "768p"}},
		"a resolution of null": {override("resolution", "null"), provider.Billing{Seconds: 10, Resolution: "768p"}},
		"something else":       {override("prompt_optimizer", "false"), provider.Billing{Seconds: 10, Resolution: "768p"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			up := upstream(hailuo02)
			up.Parameters = tc.parameters
			got, err := Video().SubmitVideo(t.Context(), up, &provider.VideoRequest{Prompt: "a cat", Duration: 10})
			if err != nil {
				t.Fatal(err)
			}
			if got.Billing != tc.want {
				t.Errorf("billing = %+v, want %+v", got.Billing, tc.want)
			}
			body := bodyOf(t, got.Step.Request)
			for _, o := range tc.parameters.Overrides {
				if part := `"` + o.Name + `":` + string(o.Value); !strings.Contains(body, part) {
					t.Errorf("body = %s, want %s in it", body, part)
				}
			}
			for _, name := range tc.parameters.Drop {
				if strings.Contains(body, name) {
					t.Errorf("body = %s, want no %s in it", body, name)
				}
			}
		})
	}
}

func TestVideoRefusals(t *testing.T) {
	t.Parallel()
	type request = provider.VideoRequest
	const frame = "https://example.com/a.png"
	tests := map[string]struct {
		model   string
		in      provider.VideoRequest
		param   string
		message string // what is in it
	}{
		"1080p of ten seconds":          {hailuo02, request{Resolution: "1080p", Duration: 10}, "duration", "not 10: send duration 6, or"},
		"seven seconds":                 {hailuo02, request{Duration: 7}, "duration", "6 or 10 seconds (1080p: 6), not 7"},
		"1080p of seven seconds":        {hailuo02, request{Resolution: "1080p", Duration: 7}, "duration", "(1080p: 6), not 7"},
		"fifteen seconds":               {fast23, request{Duration: 15}, "duration", "Hailuo-2.3-Fast makes videos of 6 or 10"},
		"512p of a text":                {hailuo02, request{Resolution: "512p"}, "resolution", "(image); otherwise it makes 768p, 1080p"},
		"480p of a text":                {hailuo02, request{Resolution: "480p"}, "resolution", "otherwise it makes 768p, 1080p"},
		"512p of two frames":            {hailuo02, request{Resolution: "512p", Image: frame, LastImage: frame}, "resolution", "768p, 1080p"},
		"512p of 2.3":                   {hailuo23, request{Resolution: "512p", Image: frame}, "resolution", `768p, 1080p here, not "512p"`},
		"540p":                          {hailuo02, request{Resolution: "540p"}, "resolution", `Hailuo-02 makes 768p, 1080p here, not "540p"`},
		"4k of an image":                {hailuo02, request{Resolution: "4k", Image: frame}, "resolution", "512p, 768p, 1080p"},
		"portrait":                      {hailuo02, request{AspectRatio: "9:16"}, "aspect_ratio", "Leave aspect_ratio out"},
		"portrait of an image":          {hailuo02, request{AspectRatio: "9:16", Image: frame}, "aspect_ratio", "first frame (image) decides"},
		"a seed":                        {hailuo02, request{Seed: new(int64(0))}, "seed", "no seed"},
		"a negative prompt":             {hailuo02, request{NegativePrompt: "dogs"}, "negative_prompt", "no negative prompt"},
		"sound":                         {hailuo02, request{Audio: new(true)}, "audio", "without sound"},
		"a last frame without a first":  {hailuo02, request{LastImage: frame}, "last_image", "send image"},
		"a last frame of 2.3":           {hailuo23, request{Image: frame, LastImage: frame}, "last_image", "Hailuo-2.3 takes no last frame"},
		"a prompt that is too long":     {hailuo02, request{Prompt: strings.Repeat("猫", 2001)}, "prompt", "2000 characters, not 2001"},
		"too long, of an unknown model": {director, request{Duration: 30}, "duration", "Hailuo makes videos of 6 or 10"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tc.in.Prompt == "" {
				tc.in.Prompt = "a cat"
			}
			_, err := Video().SubmitVideo(t.Context(), upstream(tc.model), &tc.in)
			if e := refusal(t, err); e.Param != tc.param || !strings.Contains(e.Message, tc.message) {
				t.Errorf("%s: %s; want %s and %q", e.Param, e.Message, tc.param, tc.message)
			}
		})
	}
	t.Run("nothing at all", func(t *testing.T) {
		t.Parallel()
		_, err := Video().SubmitVideo(t.Context(), upstream(hailuo02), &request{})
		if e := refusal(t, err); e.Param != "prompt" {
			t.Errorf("param = %s, want prompt", e.Param)
		}
	})
}
