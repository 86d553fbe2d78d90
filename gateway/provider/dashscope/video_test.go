package dashscope

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// submitPath is where videos are made.
const submitPath = "/api/v1/services/aigc/video-generation/video-synthesis"

// tuesday is a time to ask at.
var tuesday = time.Date(2026, time.November, 24, 8, 0, 0, 0, time.UTC)

// Addresses of frames.
const first, last = "https://example.com/a.png", "https://example.com/b.png"

func TestVideoBody(t *testing.T) {
	t.Parallel()
	type request = provider.VideoRequest
	tests := map[string]struct {
		model   string
		in      request
		want    string // the body without the model
		billing provider.Billing
	}{
		"2.7 from a text": {
			"wan2.7-t2v", request{Prompt: "a cat"},
			`"input":{"prompt":"a cat"},"parameters":{"duration":5,"resolution":"1080P","watermark":false}`,
			provider.Billing{Seconds: 5, Resolution: "1080p", Audio: true},
		},
		"2.7 from a text, everything": {
			"wan2.7-t2v-2026-06-12",
			request{
				Prompt: "a cat", NegativePrompt: "dogs", Duration: 15, Resolution: "720p", AspectRatio: "3:4", Seed: new(int64(0)),
				Watermark: new(true), Audio: new(true),
			},
			`"input":{"negative_prompt":"dogs","prompt":"a cat"},` +
				`"parameters":{"duration":15,"ratio":"3:4","resolution":"720P","seed":0,"watermark":true}`,
			provider.Billing{Seconds: 15, Resolution: "720p", Audio: true},
		},
		"2.7 from frames, without a prompt": {
			"wan2.7-i2v", request{Image: "Data:Image/PNG;Base64,QUJD", LastImage: last},
			`"input":{"media":[{"type":"first_frame","url":"data:image/png;base64,QUJD"},{"type":"last_frame","url":"` + last + `"}]},` +
				`"parameters":{"duration":5,"resolution":"1080P","watermark":false}`,
			provider.Billing{Seconds: 5, Resolution: "1080p", Audio: true},
		},
		"2.7 from a frame has a shape": {
			"wan2.7-i2v-2026-04-25", request{Prompt: "a cat", Image: first, AspectRatio: "9:16"},
			`"input":{"media":[{"type":"first_frame","url":"` + first + `"}],"prompt":"a cat"},` +
				`"parameters":{"duration":5,"ratio":"9:16","resolution":"1080P","watermark":false}`,
			provider.Billing{Seconds: 5, Resolution: "1080p", Audio: true},
		},
		"3.0 says that there is sound": {
			"wan3.0-video", request{Prompt: "a cat", AspectRatio: "21:9"},
			`"input":{"prompt":"a cat"},"parameters":{"audio":true,"duration":5,"ratio":"21:9","resolution":"1080P","watermark":false}`,
			provider.Billing{Seconds: 5, Resolution: "1080p", Audio: true},
		},
		"3.0 without sound, from frames": {
			"wan3.0-video-prime",
			request{
				Image: first, LastImage: last, AspectRatio: "adaptive", Resolution: "480p", Duration: 30, Audio: new(false), Seed: new(int64(7)),
			},
			`"input":{"media":[{"type":"first_frame","url":"` + first + `"},{"type":"last_frame","url":"` + last + `"}]},` +
				`"parameters":{"audio":false,"duration":30,"ratio":"adaptive","resolution":"480P","seed":7,"watermark":false}`,
			provider.Billing{Seconds: 30, Resolution: "480p"},
		},
		"2.6 from a text has a size": {
			"wan2.6-t2v", request{Prompt: "a cat"},
			`"input":{"prompt":"a cat"},"parameters":{"duration":5,"size":"1920*1080","watermark":false}`,
			provider.Billing{Seconds: 5, Resolution: "1080p", Audio: true},
		},
		"2.6 from a text, everything": {
			"wan2.6-t2v",
			request{
				Prompt: "a cat", NegativePrompt: "dogs", Duration: 10, Resolution: "720p", AspectRatio: "4:3", Seed: new(int64(7)),
				Watermark: new(true), Audio: new(false),
			},
			`"input":{"negative_prompt":"dogs","prompt":"a cat"},` +
				`"parameters":{"audio":false,"duration":10,"seed":7,"size":"1088*832","watermark":true}`,
			provider.Billing{Seconds: 10, Resolution: "720p"},
		},
		"2.6 from a frame follows it": {
			"wan2.6-i2v-flash", request{Image: first, AspectRatio: "adaptive", Audio: new(true)},
			`"input":{"img_url":"` + first + `"},"parameters":{"audio":true,"duration":5,"resolution":"1080P","watermark":false}`,
			provider.Billing{Seconds: 5, Resolution: "1080p", Audio: true},
		},
		"2.5 makes small ones, too": {
			"wan2.5-t2v-preview", request{Prompt: "a cat", Resolution: "480p", AspectRatio: "1:1"},
			`"input":{"prompt":"a cat"},"parameters":{"duration":5,"size":"624*624","watermark":false}`,
			provider.Billing{Seconds: 5, Resolution: "480p", Audio: true},
		},
		"2.2 is silent": {
			"wan2.2-t2v-plus", request{Prompt: "a cat", AspectRatio: "9:16", Audio: new(false)},
			`"input":{"prompt":"a cat"},"parameters":{"duration":5,"size":"1080*1920","watermark":false}`,
			provider.Billing{Seconds: 5, Resolution: "1080p"},
		},
		"2.2 flash makes smaller ones": {
			"wan2.2-i2v-flash", request{Image: first},
			`"input":{"img_url":"` + first + `"},"parameters":{"duration":5,"resolution":"720P","watermark":false}`,
			provider.Billing{Seconds: 5, Resolution: "720p"},
		},
		"2.1 too": {
			"wanx2.1-t2v-turbo", request{Prompt: "a cat"},
			`"input":{"prompt":"a cat"},"parameters":{"duration":5,"size":"1280*720","watermark":false}`,
			provider.Billing{Seconds: 5, Resolution: "720p"},
		},
		"another vendor's model has the newest form": {
			"vidu/viduq3-pro_text2video",
			request{
				Prompt: "a cat", NegativePrompt: "dogs", Image: first, Resolution: "4k", AspectRatio: "9:21", Duration: 60, Audio: new(false),
			},
			`"input":{"media":[{"type":"first_frame","url":"` + first + `"}],"negative_prompt":"dogs","prompt":"a cat"},` +
				`"parameters":{"audio":false,"duration":60,"ratio":"9:21","resolution":"4K","watermark":false}`,
			provider.Billing{Seconds: 60, Resolution: "4k"},
		},
		"a version that nobody knows too": {
			"wan2.8-t2v", request{Prompt: "a cat", Duration: 60},
			`"input":{"prompt":"a cat"},"parameters":{"duration":60,"resolution":"1080P","watermark":false}`,
			provider.Billing{Seconds: 60, Resolution: "1080p", Audio: true},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.in.Now = tuesday
			s, err := Video().SubmitVideo(t.Context(), upstream(tc.model), &tc.in)
			if err != nil {
				t.Fatalf("SubmitVideo() error = %v", err)
			}
			checkSubmission(t, s.Step.Request, submitPath)
			input, parameters, _ := strings.Cut(tc.want, `,"parameters"`)
			want := "{" + input + `,"model":"` + tc.model + `","parameters"` + parameters + "}"
			if got := bodyOf(t, s.Step.Request); got != want {
				t.Errorf("body = %s\nwant   %s", got, want)
			}
			if diff := cmp.Diff(tc.billing, s.Billing); diff != "" {
				t.Errorf("Billing (-want +got):\n%s", diff)
			}
			if !s.Step.Paid || len(s.Warnings) > 0 || s.RetryAfter != 10*time.Second || s.Deadline != 0 {
				t.Errorf("paid %v, warnings %q, polls every %s, deadline %s", s.Step.Paid, s.Warnings, s.RetryAfter, s.Deadline)
			}
		})
	}
}

func TestSubmittedTask(t *testing.T) {
	t.Parallel()
	s, err := Video().SubmitVideo(t.Context(), upstream("wan2.7-t2v"), &provider.VideoRequest{Prompt: "a cat", Now: tuesday})
	if err != nil {
		t.Fatal(err)
	}
	got, next, err := s.Step.Read(answer(200, `{"output":{"task_id":"a-1","task_status":"PENDING"},"request_id":"r"}`))
	if want := (provider.Task{ID: "a-1", State: "1795507200"}); err != nil || next != nil || got != want {
		t.Errorf("Read() = %+v, %v, %v; want %+v", got, next, err, want)
	}
	if submission(got) != tuesday {
		t.Errorf("submission() = %s, want %s", submission(got), tuesday)
	}
	if _, _, err := s.Step.Read(answer(400, `{"code":"Arrearage"}`)); errorOf(t, err).Class != provider.ClassNoBalance {
		t.Errorf("Read() error = %v, want one of class no_balance", err)
	}
}

func TestVideoParameters(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		model, parameters string // no parameters: they are dropped
		want              provider.Billing
	}{
		"dropped": {"wan3.0-video", "", provider.Billing{Seconds: 5, Resolution: "1080p", Audio: true}},
		"a length that the model chooses": {
			"wan3.0-video", `{"duration":-1,"resolution":"480P","audio":false}`, provider.Billing{Seconds: 30, Resolution: "480p"},
		},
		"a length as text": {
			"wan2.7-t2v", `{"duration":"7","audio":false}`, provider.Billing{Seconds: 7, Resolution: "1080p", Audio: true},
		},
		"a size": {"wan2.6-t2v", `{"size":"960*960"}`, provider.Billing{Seconds: 5, Resolution: "720p", Audio: true}},
		"a small size": {
			"wan2.5-t2v-preview", `{"size":"832*480"}`, provider.Billing{Seconds: 5, Resolution: "480p", Audio: true},
		},
		"a size that is none":         {"wan2.6-t2v", `{"size":"large"}`, provider.Billing{Seconds: 5, Audio: true}},
		"sound of a model without it": {"wan2.2-t2v-plus", `{"audio":true}`, provider.Billing{Seconds: 5, Resolution: "1080p"}},
		"no object":                   {"wan2.7-t2v", `7`, provider.Billing{Seconds: 5, Resolution: "1080p", Audio: true}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			up := upstream(tc.model)
			up.Parameters.Drop = []string{"parameters"}
			want := `{"input":{"prompt":"a cat"},"model":"` + tc.model + `"`
			if tc.parameters != "" {
				up.Parameters = provider.Parameters{Overrides: []provider.Parameter{{Name: "parameters", Value: []byte(tc.parameters)}}}
				want += `,"parameters":` + tc.parameters
			}
			s, err := Video().SubmitVideo(t.Context(), up, &provider.VideoRequest{Prompt: "a cat", Duration: 9})
			if err != nil {
				t.Fatal(err)
			}
			if got := bodyOf(t, s.Step.Request); got != want+"}" {
				t.Errorf("body = %s, want %s}", got, want)
			}
			if diff := cmp.Diff(tc.want, s.Billing); diff != "" {
				t.Errorf("Billing (-want +got):\n%s", diff)
			}
		})
	}
}

func TestVideoRefusals(t *testing.T) {
	t.Parallel()
	const newest, text, frame, oldText, oldFrame = "wan3.0-video", "wan2.7-t2v", "wan2.7-i2v", "wan2.6-t2v", "wan2.6-i2v"
	const older, silent = "wan2.5-t2v-preview", "wan2.2-t2v-plus"
	type request = provider.VideoRequest
	tests := map[string]struct {
		model   string
		in      request
		param   string
		message string // what is in it
	}{
		"nothing":                        {newest, request{}, "prompt", "needs a prompt"},
		"a text model without a text":    {text, request{Image: first}, "prompt", "needs a prompt"},
		"an image for a text model":      {text, request{Prompt: "a", Image: first}, "image", "takes no image"},
		"an image for an old text model": {oldText, request{Prompt: "a", Image: first}, "image", "takes no image"},
		"no image for an image model":    {frame, request{Prompt: "a"}, "image", "send image"},
		"no image for an old one":        {oldFrame, request{Prompt: "a"}, "image", "send image"},
		"a last frame alone":             {newest, request{Prompt: "a", LastImage: last}, "last_image", "send image, too"},
		"a last frame alone, 2.7":        {frame, request{Prompt: "a", LastImage: last}, "last_image", "send image, too"},
		"a last frame of an old model":   {oldFrame, request{Image: first, LastImage: last}, "last_image", "takes no last frame"},
		"a last frame of a text model":   {text, request{Prompt: "a", LastImage: last}, "last_image", "takes no last frame"},
		"a moving picture":               {frame, request{Image: "data:image/gif;base64,QQ=="}, "image", "JPEG, PNG, BMP and WEBP"},
		"a moving picture at the end":    {frame, request{Image: first, LastImage: "data:image/gif;base64,QQ=="}, "last_image", "JPEG"},
		"a negative prompt of 3.0":       {newest, request{Prompt: "a", NegativePrompt: "b"}, "negative_prompt", "say in the prompt"},
		"a long negative prompt":         {text, request{Prompt: "a", NegativePrompt: strings.Repeat("图", 501)}, "negative_prompt", "at most 500"},
		"silence of 2.7":                 {text, request{Prompt: "a", Audio: new(false)}, "audio", "sound always"},
		"silence of 2.7 from a frame":    {frame, request{Image: first, Audio: new(false)}, "audio", "sound always"},
		"sound of 2.2":                   {silent, request{Prompt: "a", Audio: new(true)}, "audio", "without sound"},
		"too short for 3.0":              {newest, request{Prompt: "a", Duration: 1}, "duration", "2 to 30 seconds, not 1"},
		"too long for 3.0":               {newest, request{Prompt: "a", Duration: 31}, "duration", "2 to 30 seconds"},
		"too long for 2.7":               {text, request{Prompt: "a", Duration: 16}, "duration", "2 to 15 seconds, not 16"},
		"too short for 2.7":              {frame, request{Image: first, Duration: 1}, "duration", "2 to 15 seconds"},
		"4k of 3.0":                      {newest, request{Prompt: "a", Resolution: "4k"}, "resolution", "480p, 720p, 1080p"},
		"480p of 2.7":                    {text, request{Prompt: "a", Resolution: "480p"}, "resolution", "720p, 1080p, not"},
		"480p of 2.6":                    {oldText, request{Prompt: "a", Resolution: "480p"}, "resolution", "720p, 1080p, not"},
		"768p of 2.5":                    {older, request{Prompt: "a", Resolution: "768p"}, "resolution", "480p, 720p, 1080p"},
		"a wide 2.7":                     {text, request{Prompt: "a", AspectRatio: "21:9"}, "aspect_ratio", "16:9, 9:16, 1:1, 4:3, 3:4"},
		"an adaptive 2.7":                {text, request{Prompt: "a", AspectRatio: "adaptive"}, "aspect_ratio", "16:9, 9:16, 1:1, 4:3, 3:4"},
		"a wide 2.6":                     {oldText, request{Prompt: "a", AspectRatio: "21:9"}, "aspect_ratio", "16:9, 9:16, 1:1, 4:3, 3:4"},
		"a shape of 2.6 from a frame":    {oldFrame, request{Image: first, AspectRatio: "16:9"}, "aspect_ratio", "shape of the image"},
		"a shape that is too small": {
			older, request{Prompt: "a", Resolution: "480p", AspectRatio: "4:3"}, "aspect_ratio", "16:9, 9:16 or 1:1",
		},
		"a negative seed":         {text, request{Prompt: "a", Seed: new(int64(-1))}, "seed", "0 to 2147483647"},
		"a large seed":            {newest, request{Prompt: "a", Seed: new(int64(1 << 31))}, "seed", "0 to 2147483647"},
		"a model from references": {"wan2.7-r2v-2026-06-12", request{Prompt: "a"}, "model", "reference images"},
		"a model that edits":      {"wan2.7-videoedit", request{Prompt: "a"}, "model", "clips"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := Video().SubmitVideo(t.Context(), upstream(tc.model), &tc.in)
			if s != nil {
				t.Errorf("there is a submission: %+v", s)
			}
			checkRefusal(t, err, tc.param, tc.message)
		})
	}
}

// Every size is of the tier that it is found by.
func TestSizesOfVideos(t *testing.T) {
	t.Parallel()
	for resolution, shapes := range sizes() {
		for shape, s := range shapes {
			if got := tierOf(s); got != resolution {
				t.Errorf("%s in %s is %s, which is billed as %q", shape, resolution, s, got)
			}
		}
	}
}
