package vidu_test

import (
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/provider/providertest"
	"vipcloud.ai/vipcloud/gateway/provider/vidu"
	"vipcloud.ai/vipcloud/test/sim/studio"
	simulator "vipcloud.ai/vipcloud/test/sim/vidu"
)

const picture = "https://example.com/a.png"

// media is the adapter in front of a simulator.
func media(model string) providertest.Media {
	clock := providertest.NewClock()
	vendor := simulator.New(studio.Options{Now: clock.Now})
	return providertest.Media{
		Adapter: vidu.Adapter(), Handler: vendor, Studio: vendor.Studio, Clock: clock,
		Upstream: provider.Upstream{
			Model: model, Secrets: map[string]provider.Secret{"api-key": provider.NewSecret(vendor.Key() + "\n")},
		},
		Without: []string{providertest.WithoutUsage}, // it counts in credits
		Failures: map[studio.Mode]provider.Class{
			studio.Unauthorized: provider.ClassUnauthorized, studio.NoBalance: provider.ClassNoBalance,
			studio.RateLimit: provider.ClassRateLimited, studio.Concurrency: provider.ClassRateLimited,
			studio.Overload: provider.ClassOverloaded, studio.ServerError: provider.ClassServerError,
			studio.Moderation: provider.ClassModeration, studio.NotOpen: provider.ClassModelNotFound,
			studio.ModerationOutput: provider.ClassModeration, studio.TaskFailed: provider.ClassServerError,
			studio.HTML: provider.ClassTimeout, // its status is 504
		},
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	type request = provider.VideoRequest
	providertest.RunVideo(t, media("viduq3-pro"), providertest.VideoCases{
		Accepted: map[string]providertest.Acceptance[request]{
			"everything": {
				Request: request{
					Duration: 16, Resolution: "1080p", AspectRatio: "9:16", Audio: new(false), Watermark: new(true), Seed: new(int64(7)),
				},
				Billing: &provider.Billing{Seconds: 16, Resolution: "1080p"},
			},
			"a first frame": {
				Request: request{Image: picture, Duration: 1, Resolution: "540p"},
				Billing: &provider.Billing{Seconds: 1, Resolution: "540p", Audio: true},
			},
			"two frames": {
				Request: request{Image: picture, LastImage: picture, AspectRatio: "adaptive"},
				Billing: &provider.Billing{Seconds: 5, Resolution: "720p", Audio: true},
			},
		},
		Refused: map[string]providertest.Refusal[request]{
			"too long":                       {Request: request{Duration: 17}, Param: "duration", Allowed: []string{"1 to 16"}},
			"a resolution that nobody makes": {Request: request{Resolution: "4k"}, Param: "resolution", Allowed: []string{"540p", "720p", "1080p"}},
			"a ratio that nobody makes":      {Request: request{AspectRatio: "21:9"}, Param: "aspect_ratio", Allowed: []string{"16:9", "3:4"}},
			"a ratio beside an image": {
				Request: request{Image: picture, AspectRatio: "16:9"}, Param: "aspect_ratio", Allowed: []string{"adaptive"},
			},
			"a negative prompt":  {Request: request{NegativePrompt: "dogs"}, Param: "negative_prompt"},
			"a random seed":      {Request: request{Seed: new(int64(0))}, Param: "seed"},
			"a last frame alone": {Request: request{LastImage: picture}, Param: "last_image", Allowed: []string{"image"}},
		},
	})
}

func TestFastConformance(t *testing.T) {
	t.Parallel()
	providertest.RunVideo(t, media("viduq3-pro-fast"), providertest.VideoCases{Request: provider.VideoRequest{Image: picture}})
}
