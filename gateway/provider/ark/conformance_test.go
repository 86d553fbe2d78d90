package ark_test

import (
	"context"
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/provider/ark"
	"vipcloud.ai/vipcloud/gateway/provider/providertest"
	"vipcloud.ai/vipcloud/test/sim/arkmedia"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

// unsized hides the sizes of results: the simulator paints smaller pictures than it says, so as to be quick.
type unsized struct{ provider.Image }

// Generate implements provider.Image.
func (u unsized) Generate(ctx context.Context, up *provider.Upstream, in *provider.ImageRequest) (*provider.ImagePlan, error) {
	plan, err := u.Image.Generate(ctx, up, in)
	if err != nil {
		return nil, err
	}
	for _, step := range plan.Steps {
		read := step.Read
		step.Read = func(r *provider.Response) (provider.ImageAnswer, *provider.Step[provider.ImageAnswer], error) {
			answer, next, err := read(r)
			for i := range answer.Images {
				answer.Images[i].Size = ""
			}
			return answer, next, err
		}
	}
	return plan, nil
}

// conformances runs a check with the vendor as its documents read first, and as they can be read, too.
func conformances(t *testing.T, run func(*testing.T, providertest.Media)) {
	t.Helper()
	for name, alternate := range map[string]bool{"first reading": false, "other reading": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := providertest.NewClock()
			vendor := arkmedia.New(studio.Options{Now: clock.Now})
			vendor.Alternate = alternate
			run(t, providertest.Media{
				Adapter: provider.Adapter{
					Info:  provider.Info{Name: "Ark", Modalities: []provider.Modality{provider.ModalityImage, provider.ModalityVideo}},
					Image: unsized{ark.Image()}, Video: ark.Video(),
				},
				Handler: vendor, Studio: vendor.Studio, Clock: clock,
				Upstream: provider.Upstream{Secrets: map[string]provider.Secret{"api-key": provider.NewSecret(vendor.Key() + "\n")}},
				Failures: map[studio.Mode]provider.Class{
					studio.Unauthorized: provider.ClassUnauthorized, studio.NoBalance: provider.ClassNoBalance,
					studio.RateLimit: provider.ClassRateLimited, studio.Concurrency: provider.ClassRateLimited,
					studio.Overload: provider.ClassOverloaded, studio.ServerError: provider.ClassServerError,
					studio.Moderation: provider.ClassModeration, studio.NotOpen: provider.ClassModelNotFound,
					studio.ModerationOutput: provider.ClassModeration, studio.TaskFailed: provider.ClassServerError,
					studio.PartialOutput: provider.ClassModeration,
					studio.HTML:          provider.ClassTimeout, // its status is 504
				},
			})
		})
	}
}

func TestImageConformance(t *testing.T) {
	t.Parallel()
	conformances(t, func(t *testing.T, m providertest.Media) {
		t.Helper()
		m.Upstream.Model = "doubao-seedream-4-5-251128"
		providertest.RunImage(t, m, providertest.ImageCases{
			Base64: true,
			Accepted: map[string]provider.ImageRequest{
				"a small size":  {Width: 256, Height: 256},
				"an odd ratio":  {Width: 900, Height: 300},
				"a narrow size": {Width: 10, Height: 160},
				"a watermark":   {Watermark: new(true)},
				"a reference":   {Images: []string{"https://example.com/a.png"}},
				"references":    {Images: []string{"https://example.com/a.png", "https://example.com/b.png"}, N: 2},
				"jpeg":          {OutputFormat: "jpeg"},
			},
			Refused: map[string]providertest.Refusal[provider.ImageRequest]{
				"too large a size": {
					Request: provider.ImageRequest{Width: 5000, Height: 5000}, Param: "size",
					Allowed: []string{"3686400 to 16777216", "2048x2048"},
				},
				"too wide a size": {
					Request: provider.ImageRequest{Width: 1700, Height: 100}, Param: "size", Allowed: []string{"1:16 to 16:1"},
				},
				"a seed":            {Request: provider.ImageRequest{Seed: new(int64(1))}, Param: "seed"},
				"a negative prompt": {Request: provider.ImageRequest{NegativePrompt: "dogs"}, Param: "negative_prompt"},
				"png": {
					Request: provider.ImageRequest{OutputFormat: "png"}, Param: "output_format", Allowed: []string{"jpeg"},
				},
			},
		})
	})
}

func TestVideoConformance(t *testing.T) {
	t.Parallel()
	conformances(t, func(t *testing.T, m providertest.Media) {
		t.Helper()
		m.Upstream.Model = "doubao-seedance-2-0-260128"
		providertest.RunVideo(t, m, providertest.VideoCases{
			Accepted: map[string]providertest.Acceptance[provider.VideoRequest]{
				"the documented call": {
					Request: provider.VideoRequest{Duration: 10, Resolution: "1080p"},
					Billing: &provider.Billing{Seconds: 10, Resolution: "1080p", Audio: true},
				},
				"two frames, without sound": {
					Request: provider.VideoRequest{
						Image: "https://example.com/a.png", LastImage: "https://example.com/b.png", AspectRatio: "adaptive",
						Audio: new(false),
					},
					Billing: &provider.Billing{Seconds: 5, Resolution: "720p"},
				},
				"flags in the prompt change nothing that is billed": {
					Request:  provider.VideoRequest{Prompt: "a cat --dur 15 --rs 4k --wm true"},
					Billing:  &provider.Billing{Seconds: 5, Resolution: "720p", Audio: true},
					Warnings: []string{"--duration"},
				},
			},
			Refused: map[string]providertest.Refusal[provider.VideoRequest]{
				"too long": {Request: provider.VideoRequest{Duration: 16}, Param: "duration", Allowed: []string{"4 to 15"}},
				"a resolution that nobody makes": {
					Request: provider.VideoRequest{Resolution: "768p"}, Param: "resolution",
					Allowed: []string{"480p", "720p", "1080p", "4k"},
				},
				"a ratio that nobody makes": {
					Request: provider.VideoRequest{AspectRatio: "2:1"}, Param: "aspect_ratio", Allowed: []string{"21:9", "adaptive"},
				},
				"a seed":            {Request: provider.VideoRequest{Seed: new(int64(1))}, Param: "seed"},
				"a negative prompt": {Request: provider.VideoRequest{NegativePrompt: "dogs"}, Param: "negative_prompt"},
				"a last frame alone": {
					Request: provider.VideoRequest{LastImage: "https://example.com/a.png"}, Param: "last_image", Allowed: []string{"image"},
				},
			},
		})
	})
}
