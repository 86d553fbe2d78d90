package tencent_test

import (
	"strings"
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/provider/providertest"
	"vipcloud.ai/vipcloud/gateway/provider/tencent"
	"vipcloud.ai/vipcloud/test/sim/studio"
	simulator "vipcloud.ai/vipcloud/test/sim/tencent"
)

// picture is a data URI of an image that the vendor takes.
const picture = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAAAAACPAi4CAAAAG0lEQVR42u3B" +
	"gQAAAADDoPlT3+AEVQEAAAB8AxBAAAG9PLePAAAAAElFTkSuQmCC"

// media is an account at the vendor under some rules.
func media(rules simulator.Rules) providertest.Media {
	clock := providertest.NewClock()
	vendor := simulator.New(studio.Options{Now: clock.Now})
	vendor.SetRules(rules)
	return providertest.Media{
		Adapter: tencent.Adapter(), Handler: vendor, Studio: vendor.Studio, Clock: clock,
		Upstream: provider.Upstream{Model: "hunyuan", Secrets: map[string]provider.Secret{
			"access-key": provider.NewSecret(vendor.SecretID() + "\n"), "secret-key": provider.NewSecret(vendor.SecretKey() + "\n"),
		}},
		Signing: []string{"secret-key"},
		Failures: map[studio.Mode]provider.Class{
			studio.Unauthorized: provider.ClassUnauthorized, studio.NoBalance: provider.ClassNoBalance,
			studio.RateLimit: provider.ClassRateLimited, studio.Concurrency: provider.ClassRateLimited,
			studio.Overload: provider.ClassServerError, studio.ServerError: provider.ClassServerError,
			studio.Moderation: provider.ClassModeration, studio.NotOpen: provider.ClassModelNotFound,
			studio.ModerationOutput: provider.ClassModeration, studio.TaskFailed: provider.ClassServerError,
			studio.HTML: provider.ClassTimeout, // its status is 504
		},
		// A job makes one image or fails.
		Without: []string{providertest.WithoutUsage, string(studio.PartialOutput)},
	}
}

func TestImageConformance(t *testing.T) {
	t.Parallel()
	for name, rules := range map[string]simulator.Rules{"one job at a time": {}, "several jobs at a time": {Jobs: 4}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			providertest.RunImage(t, media(rules), imageCases())
		})
	}
}

// imageCases are what is tried with images.
func imageCases() providertest.ImageCases {
	return providertest.ImageCases{
		Accepted: map[string]provider.ImageRequest{
			"a size that is made":         {Width: 720, Height: 1280},
			"a small size":                {Width: 256, Height: 256},
			"a large size":                {Width: 1792, Height: 1024},
			"the widest size":             {Width: 4000, Height: 1000},
			"a watermark":                 {Watermark: new(true)},
			"a seed":                      {Seed: new(int64(4294967295))},
			"an address and a data URI":   {Images: []string{"https://example.com/a.png", picture}},
			"references, several results": {Images: []string{picture, picture, picture}, N: 2, Width: 1536, Height: 1024},
		},
		Refused: map[string]providertest.Refusal[provider.ImageRequest]{
			"too wide a size": {
				Request: provider.ImageRequest{Width: 1700, Height: 400}, Param: "size", Allowed: []string{"1:4 to 4:1", "1280x720"},
			},
			"a seed of zero":      {Request: provider.ImageRequest{Seed: new(int64(0))}, Param: "seed", Allowed: []string{"1 to 4294967295"}},
			"a negative prompt":   {Request: provider.ImageRequest{NegativePrompt: "dogs"}, Param: "negative_prompt"},
			"a format":            {Request: provider.ImageRequest{OutputFormat: "webp"}, Param: "output_format"},
			"too many references": {Request: provider.ImageRequest{Images: make([]string, 4)}, Param: "image", Allowed: []string{"at most 3"}},
		},
	}
}

func TestVideoConformance(t *testing.T) {
	t.Parallel()
	for name, rules := range map[string]simulator.Rules{
		"first reading": {Jobs: 1000}, "other reading": {Jobs: 1000, ImageAlone: true, LogoApproved: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := media(rules)
			m.Without = append(m.Without, providertest.WithoutCancel)
			cases := videoCases()
			if rules.ImageAlone {
				alone := provider.VideoRequest{Prompt: " ", Image: picture}
				cases.Accepted["an image alone"] = providertest.Acceptance[provider.VideoRequest]{Request: alone}
			}
			providertest.RunVideo(t, m, cases)
		})
	}
}

// videoCases are what is tried with videos.
func videoCases() providertest.VideoCases {
	blanks := strings.Repeat(" ", 100)
	bill := &provider.Billing{Seconds: 5, Resolution: "720p"}
	return providertest.VideoCases{
		Accepted: map[string]providertest.Acceptance[provider.VideoRequest]{
			"nothing but a prompt":   {Billing: bill},
			"what one gets":          {Request: provider.VideoRequest{Duration: 5, Resolution: "720p", Audio: new(false)}, Billing: bill},
			"an image":               {Request: provider.VideoRequest{Image: "https://example.com/a.png"}, Billing: bill},
			"an image in the body":   {Request: provider.VideoRequest{Image: picture, Watermark: new(true)}, Billing: bill},
			"no watermark":           {Request: provider.VideoRequest{Watermark: new(false)}, Billing: bill, Warnings: []string{"approved"}},
			"blanks around a prompt": {Request: provider.VideoRequest{Prompt: blanks + "一只猫在草原上奔跑" + blanks}, Billing: bill},
		},
		Refused: map[string]providertest.Refusal[provider.VideoRequest]{
			"too long":           {Request: provider.VideoRequest{Duration: 6}, Param: "duration", Allowed: []string{"5"}},
			"another resolution": {Request: provider.VideoRequest{Resolution: "1080p"}, Param: "resolution", Allowed: []string{"720p"}},
			"a ratio":            {Request: provider.VideoRequest{AspectRatio: "16:9"}, Param: "aspect_ratio"},
			"a seed":             {Request: provider.VideoRequest{Seed: new(int64(1))}, Param: "seed"},
			"a negative prompt":  {Request: provider.VideoRequest{NegativePrompt: "dogs"}, Param: "negative_prompt"},
			"a last frame":       {Request: provider.VideoRequest{Image: picture, LastImage: picture}, Param: "last_image"},
			"sound":              {Request: provider.VideoRequest{Audio: new(true)}, Param: "audio"},
			"too long a prompt":  {Request: provider.VideoRequest{Prompt: strings.Repeat("猫", 201)}, Param: "prompt", Allowed: []string{"200"}},
			"a frame that is GIF": {
				Request: provider.VideoRequest{Image: "data:image/gif;base64,R0lG"}, Param: "image", Allowed: []string{"jpeg", "webp"},
			},
		},
	}
}
