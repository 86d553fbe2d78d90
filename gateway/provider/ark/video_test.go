package ark

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/provider"
)

func TestVideoBody(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		model    string
		in       provider.VideoRequest
		want     string
		billing  provider.Billing
		warnings []string
	}{
		"nothing but a prompt": {
			model: "doubao-seedance-2-0-260128", in: provider.VideoRequest{Prompt: "a cat"},
			want: `{"content":[{"text":"a cat","type":"text"}],"duration":5,"generate_audio":true,"model":"doubao-seedance-2-0-260128",` +
				`"resolution":"720p","watermark":false}`,
			billing: provider.Billing{Seconds: 5, Resolution: "720p", Audio: true},
		},
		"the documented call": {
			model: "dreamina-seedance-2-0-260128",
			in:    provider.VideoRequest{Prompt: "a samurai cat surfing a giant wave, cinematic", Duration: 10, Resolution: "1080p"},
			want: `{"content":[{"text":"a samurai cat surfing a giant wave, cinematic","type":"text"}],"duration":10,` +
				`"generate_audio":true,"model":"dreamina-seedance-2-0-260128","resolution":"1080p","watermark":false}`,
			billing: provider.Billing{Seconds: 10, Resolution: "1080p", Audio: true},
		},
		"everything": {
			model: "doubao-seedance-2-0-260128",
			in: provider.VideoRequest{
				Prompt: "a cat", Duration: 15, Resolution: "4k", AspectRatio: "9:16", Image: "Data:Image/PNG;base64,QUJD",
				LastImage: "https://example.com/B.png", Audio: new(false), Watermark: new(true),
			},
			want: `{"content":[{"text":"a cat","type":"text"},` +
				`{"image_url":{"url":"data:image/png;base64,QUJD"},"role":"first_frame","type":"image_url"},` +
				`{"image_url":{"url":"https://example.com/B.png"},"role":"last_frame","type":"image_url"}],` +
				`"duration":15,"generate_audio":false,"model":"doubao-seedance-2-0-260128","ratio":"9:16","resolution":"4k",` +
				`"watermark":true}`,
			billing: provider.Billing{Seconds: 15, Resolution: "4k"},
		},
		"an image without a prompt": {
			model: "doubao-seedance-2-0-fast-260128",
			in:    provider.VideoRequest{Image: "https://example.com/a.png", AspectRatio: "adaptive"},
			want: `{"content":[{"image_url":{"url":"https://example.com/a.png"},"role":"first_frame","type":"image_url"}],"duration":5,` +
				`"generate_audio":true,"model":"doubao-seedance-2-0-fast-260128","ratio":"adaptive","resolution":"720p","watermark":false}`,
			billing: provider.Billing{Seconds: 5, Resolution: "720p", Audio: true},
		},
		"flags in the prompt": {
			model: "doubao-seedance-2-0-260128", in: provider.VideoRequest{Prompt: "a cat --dur 15 --rs 4k"},
			want: `{"content":[{"text":"a cat —dur 15 —rs 4k","type":"text"}],"duration":5,"generate_audio":true,` +
				`"model":"doubao-seedance-2-0-260128","resolution":"720p","watermark":false}`,
			billing:  provider.Billing{Seconds: 5, Resolution: "720p", Audio: true},
			warnings: []string{flagWarning},
		},
		"1.5 takes a seed": {
			model: "seedance-1-5-pro-251215", in: provider.VideoRequest{Prompt: "a cat", Seed: new(int64(0)), Duration: 4},
			want: `{"content":[{"text":"a cat","type":"text"}],"duration":4,"generate_audio":true,"model":"seedance-1-5-pro-251215",` +
				`"resolution":"720p","seed":0,"watermark":false}`,
			billing: provider.Billing{Seconds: 4, Resolution: "720p", Audio: true},
		},
		"1.0 has no sound to switch off": {
			model: "doubao-seedance-1-0-pro-250528", in: provider.VideoRequest{Prompt: "a cat", Audio: new(false)},
			want: `{"content":[{"text":"a cat","type":"text"}],"duration":5,"model":"doubao-seedance-1-0-pro-250528","resolution":"720p",` +
				`"watermark":false}`,
			billing: provider.Billing{Seconds: 5, Resolution: "720p"},
		},
		"an endpoint takes what any version takes": {
			model: "ep-20260101000000-abcde",
			in:    provider.VideoRequest{Prompt: "a cat", Seed: new(int64(7)), Duration: 30, Resolution: "4k"},
			want: `{"content":[{"text":"a cat","type":"text"}],"duration":30,"generate_audio":true,"model":"ep-20260101000000-abcde",` +
				`"resolution":"4k","seed":7,"watermark":false}`,
			billing: provider.Billing{Seconds: 30, Resolution: "4k", Audio: true},
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
			const address = "https://ark.cn-beijing.volces.com/api/v3/contents/generations/tasks"
			if req.Method != http.MethodPost || req.URL.String() != address {
				t.Errorf("call = %s %s, want POST %s", req.Method, req.URL, address)
			}
			got.Step.Request, got.Step.Read = nil, nil
			want := &provider.Submission{
				Step: &provider.Step[provider.Task]{Paid: true}, Billing: tc.billing, Warnings: tc.warnings, Deadline: 48 * time.Hour,
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("submission (-want +got):\n%s", diff)
			}
		})
	}
}

func TestVideoParameters(t *testing.T) {
	t.Parallel()
	override := func(name, value string) provider.Parameters {
		return provider.Parameters{Overrides: []provider.Parameter{{Name: name, Value: []byte(value)}}}
	}
	drop := func(name string) provider.Parameters { return provider.Parameters{Drop: []string{name}} }
	tests := map[string]struct {
		parameters provider.Parameters
		seconds    int64
		resolution string
		audio      bool
		hours      int64
	}{
		"nothing":                     {provider.Parameters{}, 10, "1080p", true, 48},
		"another length":              {override("duration", "4"), 4, "1080p", true, 48},
		"a length up to the model":    {override("duration", "-1"), 15, "1080p", true, 48},
		"no length":                   {drop("duration"), 5, "1080p", true, 48},
		"another resolution":          {override("resolution", `"480P"`), 10, "480p", true, 48},
		"no resolution":               {drop("resolution"), 10, "720p", true, 48},
		"no sound":                    {override("generate_audio", "false"), 10, "1080p", false, 48},
		"sound is up to the vendor":   {drop("generate_audio"), 10, "1080p", true, 48},
		"a longer life":               {override("execution_expires_after", "259200"), 10, "1080p", true, 72},
		"a life longer than a record": {override("execution_expires_after", "9000000000000000000"), 10, "1080p", true, 168},
		"a life that is none":         {override("execution_expires_after", "null"), 10, "1080p", true, 48},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			up := upstream("doubao-seedance-2-0-260128")
			up.Parameters = tc.parameters
			got, err := Video().SubmitVideo(t.Context(), up, &provider.VideoRequest{Prompt: "a cat", Duration: 10, Resolution: "1080p"})
			if err != nil {
				t.Fatal(err)
			}
			want := provider.Billing{Seconds: tc.seconds, Resolution: tc.resolution, Audio: tc.audio}
			if got.Billing != want || got.Deadline != time.Duration(tc.hours)*time.Hour {
				t.Errorf("billing = %+v, deadline %s; want %+v, %d hours", got.Billing, got.Deadline, want, tc.hours)
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
	const (
		standard, fast = "doubao-seedance-2-0-260128", "dreamina-seedance-2-0-fast-260128"
		mini, newest   = "doubao-seedance-2-0-mini-260615", "doubao-seedance-2-5-260628"
		older, oldest  = "seedance-1-5-pro-251215", "seedance-1-0-pro-250528"
		endpoint       = "ep-20260101000000-abcde"
	)
	type request = provider.VideoRequest
	tests := map[string]struct {
		model   string
		in      provider.VideoRequest
		param   string
		message string // what is in it
	}{
		"1080p of fast":                {fast, request{Resolution: "1080p"}, "resolution", `fast makes 480p, 720p, not "1080p"`},
		"4k of mini":                   {mini, request{Resolution: "4k"}, "resolution", "Seedance 2.0 mini makes 480p, 720p"},
		"4k of 2.5":                    {newest, request{Resolution: "4k"}, "resolution", "480p, 720p, 1080p"},
		"768p":                         {standard, request{Resolution: "768p"}, "resolution", "480p, 720p, 1080p, 4k"},
		"2k of an endpoint":            {endpoint, request{Resolution: "2k"}, "resolution", "480p, 720p, 1080p, 4k"},
		"3 seconds":                    {standard, request{Duration: 3}, "duration", "4 to 15 seconds"},
		"16 seconds":                   {standard, request{Duration: 16}, "duration", "4 to 15 seconds"},
		"16 seconds of fast":           {fast, request{Duration: 16}, "duration", "4 to 15 seconds"},
		"31 seconds of 2.5":            {newest, request{Duration: 31}, "duration", "4 to 30 seconds"},
		"31 seconds of an endpoint":    {endpoint, request{Duration: 31}, "duration", "2 to 30 seconds"},
		"13 seconds of 1.5":            {older, request{Duration: 13}, "duration", "4 to 12 seconds"},
		"a length up to the model":     {standard, request{Duration: -1}, "duration", "4 to 15 seconds"},
		"a ratio that nobody makes":    {standard, request{AspectRatio: "2:1"}, "aspect_ratio", "3:4, 9:16, 21:9, adaptive"},
		"a seed":                       {standard, request{Seed: new(int64(0))}, "seed", "Seedance 2.0 takes no seed"},
		"a seed of 2.5":                {newest, request{Seed: new(int64(1))}, "seed", "Seedance 2.5 takes no seed"},
		"too large a seed":             {older, request{Seed: new(int64(1 << 32))}, "seed", "-1 to 4294967295"},
		"a negative prompt":            {standard, request{NegativePrompt: "dogs"}, "negative_prompt", "no negative prompt"},
		"a negative prompt of 1.0":     {oldest, request{NegativePrompt: "dogs"}, "negative_prompt", "no negative prompt"},
		"sound of 1.0":                 {oldest, request{Audio: new(true)}, "audio", "without sound"},
		"a last frame without a first": {standard, request{LastImage: "https://example.com/a.png"}, "last_image", "send image"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.in.Prompt = "a cat"
			_, err := Video().SubmitVideo(t.Context(), upstream(tc.model), &tc.in)
			if e := refusal(t, err); e.Param != tc.param || !strings.Contains(e.Message, tc.message) {
				t.Errorf("%s: %s; want %s and %q", e.Param, e.Message, tc.param, tc.message)
			}
		})
	}
	t.Run("nothing at all", func(t *testing.T) {
		t.Parallel()
		_, err := Video().SubmitVideo(t.Context(), upstream(standard), &request{})
		if e := refusal(t, err); e.Param != "prompt" {
			t.Errorf("param = %s, want prompt", e.Param)
		}
	})
}

func TestReadTask(t *testing.T) {
	t.Parallel()
	got, next, err := readTask(answer(200, `{"id":"cgt-20260128000000-abcde"}`))
	if err != nil || next != nil || got != (provider.Task{ID: "cgt-20260128000000-abcde"}) {
		t.Errorf("Read() = %+v, %v, %v", got, next, err)
	}
}
