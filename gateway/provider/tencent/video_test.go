package tencent

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/provider"
)

func TestVideoBody(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		in       provider.VideoRequest
		want     string
		warnings []string
	}{
		"nothing but a prompt": {
			in: provider.VideoRequest{Prompt: "a cat"}, want: `{"LogoAdd":0,"Prompt":"a cat","Resolution":"720p"}`,
		},
		"what one gets": {
			in:   provider.VideoRequest{Prompt: "a cat", Duration: 5, Resolution: "720p", Audio: new(false)},
			want: `{"LogoAdd":0,"Prompt":"a cat","Resolution":"720p"}`,
		},
		"blanks do not count": {
			in:   provider.VideoRequest{Prompt: " \n" + strings.Repeat("猫", 200) + "\t "},
			want: `{"LogoAdd":0,"Prompt":"` + strings.Repeat("猫", 200) + `","Resolution":"720p"}`,
		},
		"an address": {
			in:   provider.VideoRequest{Prompt: "a cat", Image: "https://example.com/a.png"},
			want: `{"Image":{"Url":"https://example.com/a.png"},"LogoAdd":0,"Prompt":"a cat","Resolution":"720p"}`,
		},
		"an image alone": {
			in:   provider.VideoRequest{Image: "data:image/png;base64,QUJD", Prompt: " "},
			want: `{"Image":{"Base64":"QUJD"},"LogoAdd":0,"Resolution":"720p"}`,
		},
		"a watermark": {
			in: provider.VideoRequest{Prompt: "a cat", Watermark: new(true)}, want: `{"LogoAdd":1,"Prompt":"a cat","Resolution":"720p"}`,
		},
		"no watermark": {
			in: provider.VideoRequest{Prompt: "a cat", Watermark: new(false)}, want: `{"LogoAdd":0,"Prompt":"a cat","Resolution":"720p"}`,
			warnings: []string{markWarning},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.in.Now = tuesday
			got, err := videos{}.SubmitVideo(t.Context(), upstream(), &tc.in)
			if err != nil {
				t.Fatalf("SubmitVideo() error = %v", err)
			}
			req := got.Step.Request
			if body := bodyOf(t, req); body != tc.want {
				t.Errorf("body = %s\nwant   %s", body, tc.want)
			}
			h := req.Header
			if req.Method != http.MethodPost || req.URL.String() != "https://vclm.tencentcloudapi.com/" ||
				h.Get("X-TC-Action") != "SubmitHunyuanToVideoJob" || h.Get("X-TC-Version") != "2024-05-23" ||
				!strings.Contains(h.Get("Authorization"), "/2026-11-24/vclm/tc3_request, ") {
				t.Errorf("call = %s %s, header %v", req.Method, req.URL, h)
			}
			got.Step.Request, got.Step.Read = nil, nil
			want := &provider.Submission{
				Step:    &provider.Step[provider.Task]{Paid: true},
				Billing: provider.Billing{Seconds: 5, Resolution: "720p"}, Warnings: tc.warnings,
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("submission (-want +got):\n%s", diff)
			}
		})
	}
}

func TestVideoParameters(t *testing.T) {
	t.Parallel()
	override := func(value string) provider.Parameters {
		return provider.Parameters{Overrides: []provider.Parameter{{Name: "Resolution", Value: []byte(value)}}}
	}
	tests := map[string]struct {
		parameters              provider.Parameters
		wantBody, wantBillingOf string
	}{
		"another resolution":            {override(`"1080P"`), `{"LogoAdd":0,"Prompt":"a cat","Resolution":"1080P"}`, "1080p"},
		"a resolution that is none":     {override(`{}`), `{"LogoAdd":0,"Prompt":"a cat","Resolution":{}}`, "720p"},
		"no resolution":                 {provider.Parameters{Drop: []string{"Resolution"}}, `{"LogoAdd":0,"Prompt":"a cat"}`, "720p"},
		"the switch for the mark is no": {provider.Parameters{Drop: []string{"LogoAdd"}}, `{"Prompt":"a cat","Resolution":"720p"}`, "720p"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			up := upstream()
			up.Parameters = tc.parameters
			got, err := videos{}.SubmitVideo(t.Context(), up, &provider.VideoRequest{Prompt: "a cat", Now: tuesday})
			if err != nil {
				t.Fatal(err)
			}
			want := provider.Billing{Seconds: 5, Resolution: tc.wantBillingOf}
			if body := bodyOf(t, got.Step.Request); body != tc.wantBody || got.Billing != want {
				t.Errorf("body = %s, billing %+v; want %s, %+v", body, got.Billing, tc.wantBody, want)
			}
		})
	}
}

func TestVideoRefusals(t *testing.T) {
	t.Parallel()
	type request = provider.VideoRequest
	address := "https://example.com/a.png"
	tests := map[string]struct {
		in      request
		param   string
		message string // what is in it
	}{
		"nothing at all":        {request{}, "prompt", "needs a prompt"},
		"blanks":                {request{Prompt: " \n"}, "prompt", "needs a prompt"},
		"too long a prompt":     {request{Prompt: strings.Repeat("猫", 201)}, "prompt", "at most 200 characters, not 201"},
		"four seconds":          {request{Prompt: "a", Duration: 4}, "duration", "about 5 seconds"},
		"six seconds":           {request{Prompt: "a", Duration: 6}, "duration", "send 5"},
		"1080p":                 {request{Prompt: "a", Resolution: "1080p"}, "resolution", `makes 720p, not "1080p"`},
		"a ratio":               {request{Prompt: "a", AspectRatio: "16:9"}, "aspect_ratio", "no aspect ratio"},
		"the image's ratio":     {request{Prompt: "a", Image: address, AspectRatio: "adaptive"}, "aspect_ratio", "no aspect ratio"},
		"a last frame":          {request{Image: address, LastImage: address}, "last_image", "no last frame"},
		"a seed":                {request{Prompt: "a", Seed: new(int64(0))}, "seed", "no seed"},
		"a negative prompt":     {request{Prompt: "a", NegativePrompt: "dogs"}, "negative_prompt", "no negative prompt"},
		"sound":                 {request{Prompt: "a", Audio: new(true)}, "audio", "without sound"},
		"an image of no type":   {request{Prompt: "a", Image: "QUJD"}, "image", "data URI"},
		"an image too large":    {request{Image: "data:image/png;base64," + strings.Repeat("A", 8_000_001)}, "image", "may have 8000000"},
		"an image of a new one": {request{Prompt: "a", Image: "data:image/heic;base64,QUJD"}, "image", `not "heic"`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.in.Now = tuesday
			s, err := videos{}.SubmitVideo(t.Context(), upstream(), &tc.in)
			if e := refusal(t, err); e.Param != tc.param || !strings.Contains(e.Message, tc.message) || s != nil {
				t.Errorf("%s: %s; want %s and %q", e.Param, e.Message, tc.param, tc.message)
			}
		})
	}
}

func TestVideoOfTheLargestImage(t *testing.T) {
	t.Parallel()
	in := &provider.VideoRequest{Image: "data:image/jpg;base64," + strings.Repeat("A", 8_000_000), Now: tuesday}
	if _, err := (videos{}).SubmitVideo(t.Context(), upstream(), in); err != nil {
		t.Errorf("SubmitVideo() error = %v", err)
	}
}
