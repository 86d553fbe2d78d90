package dashscope_test

import (
	"context"
	"fmt"
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/provider/dashscope"
	"vipcloud.ai/vipcloud/gateway/provider/providertest"
	sim "vipcloud.ai/vipcloud/test/sim/dashscope"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

// unsized hides the sizes of results: the simulator paints smaller pictures than it says, so as to be quick.
type unsized struct{ provider.Image }

// PollImages implements provider.Image.
func (u unsized) PollImages(
	ctx context.Context, up *provider.Upstream, in *provider.ImageRequest, t provider.Task,
) (*provider.Step[provider.ImageAnswer], error) {
	step, err := u.Image.PollImages(ctx, up, in, t)
	if err != nil {
		return nil, err
	}
	read := step.Read
	step.Read = func(r *provider.Response) (provider.ImageAnswer, *provider.Step[provider.ImageAnswer], error) {
		answer, next, err := read(r)
		for i := range answer.Images {
			answer.Images[i].Size = ""
		}
		return answer, next, err
	}
	return step, nil
}

// The readings of the vendor's documents.
const (
	first = false
	other = true
)

// fixture is the vendor, as its documents read first or as they can be read, too.
func fixture(reading bool, model string) providertest.Media {
	clock := providertest.NewClock()
	vendor := sim.New(studio.Options{Now: clock.Now})
	vendor.Alternate = reading
	return providertest.Media{
		Adapter: provider.Adapter{
			Info:  provider.Info{Name: "Qwen", Modalities: []provider.Modality{provider.ModalityImage, provider.ModalityVideo}},
			Image: unsized{dashscope.Image()}, Video: dashscope.Video(),
		},
		Handler: vendor, Studio: vendor.Studio, Clock: clock,
		Upstream: provider.Upstream{
			Model: model, Secrets: map[string]provider.Secret{"api-key": provider.NewSecret(vendor.Key() + "\n")},
		},
		Failures: map[studio.Mode]provider.Class{
			studio.Unauthorized: provider.ClassUnauthorized, studio.NoBalance: provider.ClassNoBalance,
			studio.RateLimit: provider.ClassRateLimited, studio.Concurrency: provider.ClassRateLimited,
			studio.Overload:    provider.ClassRateLimited, // the vendor has no word of its own for it
			studio.ServerError: provider.ClassServerError, studio.NotOpen: provider.ClassForbidden,
			studio.Moderation: provider.ClassModeration, studio.ModerationOutput: provider.ClassModeration,
			studio.TaskFailed: provider.ClassServerError,
			studio.HTML:       provider.ClassTimeout, // its status is 504
		},
	}
}

// runImages runs the suite for images. Missing is the class of an image that was not made: the newer form does not say why.
func runImages(t *testing.T, model string, missing provider.Class, cases *providertest.ImageCases, readings ...bool) {
	t.Helper()
	for _, reading := range readings {
		t.Run(fmt.Sprintf("%s, other reading %v", model, reading), func(t *testing.T) {
			t.Parallel()
			m := fixture(reading, model)
			m.Failures[studio.PartialOutput] = missing
			providertest.RunImage(t, m, *cases)
		})
	}
}

// runVideos runs the suite for videos.
func runVideos(t *testing.T, model string, cases *providertest.VideoCases, readings ...bool) {
	t.Helper()
	for _, reading := range readings {
		t.Run(fmt.Sprintf("%s, other reading %v", model, reading), func(t *testing.T) {
			t.Parallel()
			providertest.RunVideo(t, fixture(reading, model), *cases)
		})
	}
}

// imageRefusal and the others shorten the tables.
type (
	imageRequest    = provider.ImageRequest
	imageRefusal    = providertest.Refusal[provider.ImageRequest]
	videoRequest    = provider.VideoRequest
	videoRefusal    = providertest.Refusal[provider.VideoRequest]
	videoAcceptance = providertest.Acceptance[provider.VideoRequest]
)

func TestImageConformance(t *testing.T) {
	t.Parallel()
	runImages(t, "wan2.7-image", provider.ClassBadResponse, &providertest.ImageCases{
		Accepted: map[string]imageRequest{
			"more images than a task makes": {N: 10, Seed: new(int64(2147483647))},
			"a small size":                  {Width: 256, Height: 256},
			"an odd ratio":                  {Width: 900, Height: 300},
			"a wide size":                   {Width: 160, Height: 20},
			"the largest size":              {Width: 2048, Height: 2048},
			"a watermark":                   {Watermark: new(true)},
			"references":                    {Images: []string{"https://example.com/a.png", "https://example.com/b.png"}, N: 2},
			"png":                           {OutputFormat: "png"},
		},
		Refused: map[string]imageRefusal{
			"too large a size": {
				Request: imageRequest{Width: 3840, Height: 2160}, Param: "size", Allowed: []string{"589824 to 4194304", "1024x1024"},
			},
			"too wide a size": {
				Request: imageRequest{Width: 1700, Height: 200}, Param: "size", Allowed: []string{"1:8 to 8:1"},
			},
			"a negative prompt": {Request: imageRequest{NegativePrompt: "dogs"}, Param: "negative_prompt"},
			"a large seed": {
				Request: imageRequest{Seed: new(int64(1 << 31))}, Param: "seed", Allowed: []string{"0 to 2147483647"},
			},
			"jpeg": {Request: imageRequest{OutputFormat: "jpeg"}, Param: "output_format", Allowed: []string{"png"}},
		},
	}, first, other)
	runImages(t, "wan2.7-image-pro", provider.ClassBadResponse, &providertest.ImageCases{
		Accepted: map[string]imageRequest{"a large size": {Width: 4096, Height: 4096}},
		Refused: map[string]imageRefusal{
			"a large size of an edit": {
				Request: imageRequest{Width: 4096, Height: 4096, Images: []string{"https://example.com/a.png"}},
				Param:   "size", Allowed: []string{"4194304"},
			},
		},
	}, first)
}

func TestOlderImageConformance(t *testing.T) {
	t.Parallel()
	runImages(t, "wan2.6-t2i", provider.ClassBadResponse, &providertest.ImageCases{
		Accepted: map[string]imageRequest{
			"a negative prompt": {NegativePrompt: "dogs"},
			"OpenAI's sizes":    {Width: 1536, Height: 1024},
		},
	}, other)
	cases := &providertest.ImageCases{
		Accepted: map[string]imageRequest{
			"everything":   {NegativePrompt: "dogs", Seed: new(int64(0)), Watermark: new(true), N: 5},
			"a small size": {Width: 512, Height: 256},
		},
		Refused: map[string]imageRefusal{
			"a reference": {Request: imageRequest{Images: []string{"https://example.com/a.png"}}, Param: "image"},
		},
	}
	runImages(t, "wan2.5-t2i-preview", provider.ClassModeration, cases, first)
	runImages(t, "wan2.2-t2i-flash", provider.ClassModeration, cases, other)
}

func TestVideoConformance(t *testing.T) {
	t.Parallel()
	runVideos(t, "wan2.7-t2v", &providertest.VideoCases{
		Accepted: map[string]videoAcceptance{
			"nothing but a prompt": {Billing: &provider.Billing{Seconds: 5, Resolution: "1080p", Audio: true}},
			"everything": {
				Request: videoRequest{
					Duration: 15, Resolution: "720p", AspectRatio: "9:16", Seed: new(int64(7)), NegativePrompt: "dogs", Watermark: new(true),
					Audio: new(true),
				},
				Billing: &provider.Billing{Seconds: 15, Resolution: "720p", Audio: true},
			},
		},
		Refused: map[string]videoRefusal{
			"too long": {Request: videoRequest{Duration: 16}, Param: "duration", Allowed: []string{"2 to 15"}},
			"a resolution that it does not make": {
				Request: videoRequest{Resolution: "480p"}, Param: "resolution", Allowed: []string{"720p", "1080p"},
			},
			"a ratio that it does not make": {
				Request: videoRequest{AspectRatio: "21:9"}, Param: "aspect_ratio", Allowed: []string{"16:9", "3:4"},
			},
			"silence":  {Request: videoRequest{Audio: new(false)}, Param: "audio"},
			"an image": {Request: videoRequest{Image: frameA}, Param: "image"},
		},
	}, first, other)
	runVideos(t, "wan2.5-t2v-preview", &providertest.VideoCases{
		Accepted: map[string]videoAcceptance{
			"a square": {
				Request: videoRequest{Resolution: "720p", AspectRatio: "1:1"},
				Billing: &provider.Billing{Seconds: 5, Resolution: "720p", Audio: true},
			},
		},
	}, other)
}

// Addresses of frames.
const frameA, frameB = "https://example.com/a.png", "https://example.com/b.png"

func TestFrameConformance(t *testing.T) {
	t.Parallel()
	runVideos(t, "wan3.0-video", &providertest.VideoCases{
		Accepted: map[string]videoAcceptance{
			"two frames, without sound": {
				Request: videoRequest{
					Image: frameA, LastImage: frameB, AspectRatio: "adaptive", Resolution: "480p", Audio: new(false), Duration: 30,
				},
				Billing: &provider.Billing{Seconds: 30, Resolution: "480p"},
			},
		},
		Refused: map[string]videoRefusal{"a negative prompt": {Request: videoRequest{NegativePrompt: "dogs"}, Param: "negative_prompt"}},
	}, first)
	runVideos(t, "wan2.7-i2v-2026-04-25", &providertest.VideoCases{
		Request: videoRequest{Image: frameA},
		Accepted: map[string]videoAcceptance{
			"two frames": {
				Request: videoRequest{Image: frameA, LastImage: frameB},
				Billing: &provider.Billing{Seconds: 5, Resolution: "1080p", Audio: true},
			},
		},
		Refused: map[string]videoRefusal{"no frame": {Param: "image"}},
	}, other)
	runVideos(t, "wan2.6-i2v-flash", &providertest.VideoCases{
		Request: videoRequest{Image: frameA},
		Accepted: map[string]videoAcceptance{
			"without sound": {
				Request: videoRequest{Image: frameA, Resolution: "720p", Duration: 10, Audio: new(false), AspectRatio: "adaptive"},
				Billing: &provider.Billing{Seconds: 10, Resolution: "720p"},
			},
		},
		Refused: map[string]videoRefusal{
			"two frames": {Request: videoRequest{Image: frameA, LastImage: frameB}, Param: "last_image"},
			"a ratio":    {Request: videoRequest{Image: frameA, AspectRatio: "1:1"}, Param: "aspect_ratio"},
		},
	}, first)
}
