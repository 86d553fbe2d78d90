package tokenhub_test

import (
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/provider/providertest"
	"vipcloud.ai/vipcloud/gateway/provider/tokenhub"
	"vipcloud.ai/vipcloud/test/sim/studio"
	"vipcloud.ai/vipcloud/test/sim/tokenhubmedia"
)

// address and picture are images, at an address and in a data URI.
const (
	address = "https://example.com/a.png"
	picture = "data:image/png;base64,iVBORw0KGgo="
)

// media is an account at the vendor by one reading of its documents.
func media(rules tokenhubmedia.Rules, model string) providertest.Media {
	clock := providertest.NewClock()
	vendor := tokenhubmedia.New(studio.Options{Now: clock.Now})
	vendor.SetRules(rules)
	return providertest.Media{
		Adapter: provider.Adapter{
			Info:  provider.Info{Name: "TokenHub", Modalities: []provider.Modality{provider.ModalityImage, provider.ModalityVideo}},
			Image: tokenhub.Image(), Video: tokenhub.Video(),
		},
		Handler: vendor, Studio: vendor.Studio, Clock: clock,
		Upstream: provider.Upstream{Model: model, Secrets: map[string]provider.Secret{"api-key": provider.NewSecret(vendor.Key() + "\n")}},
		Failures: map[studio.Mode]provider.Class{
			studio.Unauthorized: provider.ClassUnauthorized, studio.NoBalance: provider.ClassNoBalance,
			studio.RateLimit: provider.ClassRateLimited, studio.Concurrency: provider.ClassRateLimited,
			studio.Overload: provider.ClassServerError, studio.ServerError: provider.ClassServerError,
			studio.Moderation: provider.ClassModeration, studio.NotOpen: provider.ClassForbidden,
			studio.ModerationOutput: provider.ClassModeration, studio.TaskFailed: provider.ClassServerError,
			studio.HTML: provider.ClassTimeout, // its status is 504
		},
		// A task makes one image or fails.
		Without: []string{providertest.WithoutUsage, string(studio.PartialOutput)},
	}
}

func TestImageConformance(t *testing.T) {
	t.Parallel()
	for name, other := range map[string]bool{"first reading": false, "other reading": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cases := imageCases()
			rules := tokenhubmedia.Rules{JobFields: other, InlineImages: other}
			if other {
				cases.Accepted["a seed"] = provider.ImageRequest{Seed: new(int64(7)), N: 2}
				cases.Accepted["a data URI"] = provider.ImageRequest{Images: []string{picture, address}}
			}
			providertest.RunImage(t, media(rules, "hy-image-v3.0"), cases)
		})
	}
}

// imageCases are what is tried with images.
func imageCases() providertest.ImageCases {
	return providertest.ImageCases{
		Accepted: map[string]provider.ImageRequest{
			"a size that is made": {Width: 720, Height: 1280},
			"a small size":        {Width: 256, Height: 256},
			"a large size":        {Width: 1792, Height: 1024},
			"a watermark":         {Watermark: new(true)},
			"a negative prompt":   {NegativePrompt: "dogs"},
			"references":          {Images: []string{address, address}, N: 2},
		},
		Refused: map[string]providertest.Refusal[provider.ImageRequest]{
			"too wide a size": {
				Request: provider.ImageRequest{Width: 1700, Height: 400}, Param: "size", Allowed: []string{"1:4 to 4:1", "1280x720"},
			},
			"a seed of zero": {Request: provider.ImageRequest{Seed: new(int64(0))}, Param: "seed", Allowed: []string{"1 to 4294967295"}},
			"a format":       {Request: provider.ImageRequest{OutputFormat: "webp"}, Param: "output_format"},
		},
	}
}

// TestResolutionInAnotherForm shows how an admin serves a vendor that writes sizes otherwise.
func TestResolutionInAnotherForm(t *testing.T) {
	t.Parallel()
	m := media(tokenhubmedia.Rules{ResolutionBy: "x"}, "hy-image-v3.0")
	m.Upstream.Parameters = provider.Parameters{Overrides: []provider.Parameter{{Name: "resolution", Value: []byte(`"1024x1024"`)}}}
	m.Upstream.Endpoint = "/v1"
	providertest.RunImage(t, m, providertest.ImageCases{Accepted: map[string]provider.ImageRequest{"a size": {Width: 1920, Height: 1080}}})
}

func TestVideoConformance(t *testing.T) {
	t.Parallel()
	bill := &provider.Billing{Seconds: 5, Resolution: "720p"}
	m := media(tokenhubmedia.Rules{}, "hy-video-1.5")
	m.Without = append(m.Without, providertest.WithoutCancel, providertest.WithoutUnknownTask)
	providertest.RunVideo(t, m, providertest.VideoCases{
		Accepted: map[string]providertest.Acceptance[provider.VideoRequest]{
			"nothing but a prompt": {Billing: bill},
			"what one gets":        {Request: provider.VideoRequest{Duration: 5, Resolution: "720p", Audio: new(false)}, Billing: bill},
			"1080p": {
				Request: provider.VideoRequest{Resolution: "1080p"}, Billing: &provider.Billing{Seconds: 5, Resolution: "1080p"},
			},
			"an image":     {Request: provider.VideoRequest{Image: address, Watermark: new(true)}, Billing: bill},
			"no watermark": {Request: provider.VideoRequest{Watermark: new(false)}, Billing: bill, Warnings: []string{"approved"}},
		},
		Refused: map[string]providertest.Refusal[provider.VideoRequest]{
			"too long":           {Request: provider.VideoRequest{Duration: 6}, Param: "duration", Allowed: []string{"5"}},
			"another resolution": {Request: provider.VideoRequest{Resolution: "4k"}, Param: "resolution", Allowed: []string{"720p", "1080p"}},
			"a ratio":            {Request: provider.VideoRequest{AspectRatio: "16:9"}, Param: "aspect_ratio"},
			"a seed":             {Request: provider.VideoRequest{Seed: new(int64(1))}, Param: "seed"},
			"a negative prompt":  {Request: provider.VideoRequest{NegativePrompt: "dogs"}, Param: "negative_prompt"},
			"a last frame":       {Request: provider.VideoRequest{Image: address, LastImage: address}, Param: "last_image"},
			"sound":              {Request: provider.VideoRequest{Audio: new(true)}, Param: "audio"},
		},
	})
}
