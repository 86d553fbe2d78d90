package kling_test

import (
	"net/http/httptest"
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/provider/kling"
	"vipcloud.ai/vipcloud/gateway/provider/providertest"
	simulator "vipcloud.ai/vipcloud/test/sim/kling"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

// media is the adapter in front of a simulator, which refuses unknown tasks or leaves them out of its answer.
func media(refuse bool) (*simulator.Simulator, providertest.Media) {
	clock := providertest.NewClock()
	vendor := simulator.New(studio.Options{Now: clock.Now})
	vendor.RefuseUnknownTasks(refuse)
	return vendor, providertest.Media{
		Adapter: kling.Adapter(), Handler: vendor, Studio: vendor.Studio, Clock: clock,
		Signing: []string{"secret-key"}, Identifiers: []string{"access-key"},
		Without: []string{
			providertest.WithoutCancel,
			providertest.WithoutUsage, // it tells the length of the file and what was paid, not the seconds that it bills
		},
		Failures: map[studio.Mode]provider.Class{
			studio.Unauthorized: provider.ClassUnauthorized, studio.NoBalance: provider.ClassNoBalance,
			studio.RateLimit: provider.ClassRateLimited, studio.Concurrency: provider.ClassRateLimited,
			studio.Overload: provider.ClassOverloaded, studio.ServerError: provider.ClassServerError,
			studio.Moderation: provider.ClassModeration, studio.NotOpen: provider.ClassForbidden,
			studio.ModerationOutput: provider.ClassModeration, studio.TaskFailed: provider.ClassServerError,
			studio.HTML: provider.ClassTimeout, // its status is 504
		},
	}
}

// secrets makes a Secret of names and values in turn.
func secrets(entries ...string) map[string]provider.Secret {
	m := map[string]provider.Secret{}
	for i := 0; i < len(entries); i += 2 {
		m[entries[i]] = provider.NewSecret(entries[i+1])
	}
	return m
}

// Refusals and acceptances that both generations of the API have in common.
const picture = "https://example.com/a.png"

func refused() map[string]providertest.Refusal[provider.VideoRequest] {
	return map[string]providertest.Refusal[provider.VideoRequest]{
		"too long":  {Request: provider.VideoRequest{Duration: 16}, Param: "duration", Allowed: []string{"3 to 15"}},
		"too short": {Request: provider.VideoRequest{Duration: 2}, Param: "duration", Allowed: []string{"3 to 15"}},
		"a resolution that nobody makes": {
			Request: provider.VideoRequest{Resolution: "768p"}, Param: "resolution", Allowed: []string{"720p", "1080p", "4k"},
		},
		"a ratio that nobody makes": {
			Request: provider.VideoRequest{AspectRatio: "21:9"}, Param: "aspect_ratio", Allowed: []string{"16:9", "9:16", "1:1"},
		},
		"a ratio beside an image": {
			Request: provider.VideoRequest{Image: picture, AspectRatio: "16:9"}, Param: "aspect_ratio", Allowed: []string{"adaptive"},
		},
		"a seed":             {Request: provider.VideoRequest{Seed: new(int64(1))}, Param: "seed"},
		"a last frame alone": {Request: provider.VideoRequest{LastImage: picture}, Param: "last_image", Allowed: []string{"image"}},
	}
}

func accepted() map[string]providertest.Acceptance[provider.VideoRequest] {
	return map[string]providertest.Acceptance[provider.VideoRequest]{
		"everything": {
			Request: provider.VideoRequest{Duration: 15, Resolution: "4k", AspectRatio: "9:16", Audio: new(true), Watermark: new(true)},
			Billing: &provider.Billing{Seconds: 15, Resolution: "4k", Audio: true},
		},
		"two frames": {
			Request: provider.VideoRequest{Image: picture, LastImage: picture, AspectRatio: "adaptive", Resolution: "1080p", Duration: 3},
			Billing: &provider.Billing{Seconds: 3, Resolution: "1080p"},
		},
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	for name, refuse := range map[string]bool{"unknown tasks are left out": false, "unknown tasks are refused": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			vendor, m := media(refuse)
			m.Upstream = provider.Upstream{Model: "kling-3.0", Protocol: "New", Secrets: secrets("api-key", vendor.Key()+"\n")}
			cases := providertest.VideoCases{Accepted: accepted(), Refused: refused()}
			cases.Refused["a negative prompt"] = providertest.Refusal[provider.VideoRequest]{
				Request: provider.VideoRequest{NegativePrompt: "dogs"}, Param: "negative_prompt",
			}
			providertest.RunVideo(t, m, cases)
		})
	}
}

func TestLegacyConformance(t *testing.T) {
	t.Parallel()
	vendor, m := media(false)
	m.Upstream = provider.Upstream{
		Model: "kling-v3", Protocol: "Legacy",
		Secrets: secrets("access-key", vendor.AccessKey(), "secret-key", vendor.SecretKey()+"\n"),
	}
	cases := providertest.VideoCases{Accepted: accepted(), Refused: refused()}
	cases.Accepted["a negative prompt"] = providertest.Acceptance[provider.VideoRequest]{
		Request: provider.VideoRequest{NegativePrompt: "dogs"}, Billing: &provider.Billing{Seconds: 5, Resolution: "720p"},
	}
	providertest.RunVideo(t, m, cases)
}

// TestOtherModels makes a video with each model and credential that the suite was not run with.
func TestOtherModels(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		model, protocol string
		in              provider.VideoRequest
		billing         provider.Billing
	}{
		"turbo": {
			"kling-3.0-turbo", "", provider.VideoRequest{Prompt: "a cat", Audio: new(false)}, provider.Billing{Seconds: 5, Resolution: "720p"},
		},
		"turbo from images": {
			"kling-3.0-turbo", "New", provider.VideoRequest{Prompt: "a cat", Image: picture, LastImage: picture, Resolution: "1080p"},
			provider.Billing{Seconds: 5, Resolution: "1080p"},
		},
		"omni": {
			"kling-3.0-omni", "New", provider.VideoRequest{Prompt: "a cat", Image: picture, Audio: new(true)},
			provider.Billing{Seconds: 5, Resolution: "720p", Audio: true},
		},
		"the legacy omni": {
			"kling-v3-omni", "Legacy", provider.VideoRequest{Prompt: "a cat", AspectRatio: "1:1", Duration: 3},
			provider.Billing{Seconds: 3, Resolution: "720p"},
		},
		"the API key over the legacy API": {
			"kling-v3", "Legacy", provider.VideoRequest{Prompt: "a cat", Image: picture, Audio: new(true), Resolution: "1080p"},
			provider.Billing{Seconds: 5, Resolution: "1080p", Audio: true},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			vendor, m := media(false)
			server := httptest.NewServer(vendor)
			t.Cleanup(server.Close)
			up := &provider.Upstream{
				Endpoint: server.URL, Model: tc.model, Protocol: tc.protocol, Secrets: secrets("api-key", vendor.Key()),
			}
			tc.in.Now, tc.in.ID = vendor.Now(), "00000000-0000-4000-8000-000000000001"
			submission, err := m.Adapter.Video.SubmitVideo(t.Context(), up, &tc.in)
			if err != nil {
				t.Fatal(err)
			}
			task, err := providertest.Do(t, providertest.Client(), submission.Step)
			if err != nil {
				t.Fatal(err)
			}
			state, err := providertest.Await(t, providertest.Client(), m.Adapter.Video, up, task, m.Clock)
			if err != nil || state.Status != provider.TaskCompleted || len(state.Files) != 1 {
				t.Errorf("state = %+v, error %v; want a video", state, err)
			}
			if charges := vendor.Charges(); len(charges) != 1 || charges[0].Units != tc.billing.Seconds || submission.Billing != tc.billing {
				t.Errorf("billing = %+v, and the vendor bills %+v; want %+v", submission.Billing, charges, tc.billing)
			}
		})
	}
}
