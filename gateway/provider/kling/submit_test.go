package kling

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// golden is a request and what becomes of it.
type golden struct {
	model   string
	in      provider.VideoRequest
	path    string
	want    string
	billing provider.Billing
}

// check submits and compares.
func (g *golden) check(t *testing.T) {
	t.Helper()
	got := submit(t, upstream(g.model), g.in)
	req := got.Step.Request
	if body := bodyOf(t, req); body != g.want {
		t.Errorf("body = %s\nwant   %s", body, g.want)
	}
	if address := "https://api-beijing.klingai.com" + g.path; req.Method != http.MethodPost || req.URL.String() != address {
		t.Errorf("call = %s %s, want POST %s", req.Method, req.URL, address)
	}
	got.Step.Request, got.Step.Read = nil, nil
	want := &provider.Submission{Step: &provider.Step[provider.Task]{Paid: true}, Billing: g.billing}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("submission (-want +got):\n%s", diff)
	}
}

func TestCurrentBody(t *testing.T) {
	t.Parallel()
	const off = `"options":{"watermark_info":{"enabled":false}}`
	tests := map[string]golden{
		"nothing but a prompt is one silent shot": {
			model: "kling-3.0", in: provider.VideoRequest{Prompt: "a cat", ID: "0001"}, path: "/text-to-video/kling-3.0",
			want: `{"options":{"external_task_id":"0001","watermark_info":{"enabled":false}},"prompt":"a cat",` +
				`"settings":{"audio":"off","duration":5,"multi_shot":false,"resolution":"720p"}}`,
			billing: provider.Billing{Seconds: 5, Resolution: "720p"},
		},
		"everything of a video from a prompt": {
			model: "kling-3.0",
			in: provider.VideoRequest{
				Prompt: "a cat", Duration: 15, Resolution: "4k", AspectRatio: "9:16", Audio: new(true), Watermark: new(true), ID: "0002",
			},
			path: "/text-to-video/kling-3.0",
			want: `{"options":{"external_task_id":"0002","watermark_info":{"enabled":true}},"prompt":"a cat",` +
				`"settings":{"aspect_ratio":"9:16","audio":"native","duration":15,"multi_shot":false,"resolution":"4k"}}`,
			billing: provider.Billing{Seconds: 15, Resolution: "4k", Audio: true},
		},
		"two frames, one of them as data": {
			model: "kling-3.0",
			in: provider.VideoRequest{
				Prompt: "a cat", Image: "data:image/png;base64,QUJD+/8=", LastImage: "https://example.com/B.png", AspectRatio: "adaptive",
				Audio: new(false), Resolution: "1080p",
			},
			path: "/image-to-video/kling-3.0",
			want: `{"contents":[{"text":"a cat","type":"prompt"},{"type":"first_frame","url":"QUJD+/8="},` +
				`{"type":"last_frame","url":"https://example.com/B.png"}],` + off +
				`,"settings":{"audio":"off","duration":5,"multi_shot":false,"resolution":"1080p"}}`,
			billing: provider.Billing{Seconds: 5, Resolution: "1080p"},
		},
		"an image without a prompt": {
			model: "kling-3.0", in: provider.VideoRequest{Prompt: " ", Image: "https://example.com/a.png"}, path: "/image-to-video/kling-3.0",
			want: `{"contents":[{"type":"first_frame","url":"https://example.com/a.png"}],` + off +
				`,"settings":{"audio":"off","duration":5,"multi_shot":false,"resolution":"720p"}}`,
			billing: provider.Billing{Seconds: 5, Resolution: "720p"},
		},
		"turbo has neither sound nor shots to speak of": {
			model: "kling-3.0-turbo", in: provider.VideoRequest{Prompt: "a cat", Audio: new(false), Duration: 3},
			path:    "/text-to-video/kling-3.0-turbo",
			want:    `{` + off + `,"prompt":"a cat","settings":{"duration":3,"resolution":"720p"}}`,
			billing: provider.Billing{Seconds: 3, Resolution: "720p"},
		},
		"turbo from an image": {
			model: "kling-3.0-turbo", in: provider.VideoRequest{Prompt: "a cat", Image: "Data:Image/JPEG;Base64,QUJD"},
			path: "/image-to-video/kling-3.0-turbo",
			want: `{"contents":[{"text":"a cat","type":"prompt"},{"type":"first_frame","url":"QUJD"}],` + off +
				`,"settings":{"duration":5,"resolution":"720p"}}`,
			billing: provider.Billing{Seconds: 5, Resolution: "720p"},
		},
		"omni has a door of its own": {
			model: "kling-3.0-omni", in: provider.VideoRequest{Prompt: "a cat", Image: "https://example.com/a.png", Audio: new(true)},
			path: "/omni-video/kling-3.0-omni",
			want: `{"contents":[{"text":"a cat","type":"prompt"},{"type":"first_frame","url":"https://example.com/a.png"}],` + off +
				`,"settings":{"audio":"native","duration":5,"multi_shot":false,"resolution":"720p"}}`,
			billing: provider.Billing{Seconds: 5, Resolution: "720p", Audio: true},
		},
		"omni without an image is the vendor's to judge": {
			model: "kling-3.0-omni", in: provider.VideoRequest{Prompt: "a cat", AspectRatio: "1:1"}, path: "/omni-video/kling-3.0-omni",
			want: `{"contents":[{"text":"a cat","type":"prompt"}],` + off +
				`,"settings":{"aspect_ratio":"1:1","audio":"off","duration":5,"multi_shot":false,"resolution":"720p"}}`,
			billing: provider.Billing{Seconds: 5, Resolution: "720p"},
		},
		"a model stays within its part of the path": {
			model: "a/b?c", in: provider.VideoRequest{Prompt: "a cat"}, path: "/text-to-video/a%2Fb%3Fc",
			want:    `{` + off + `,"prompt":"a cat","settings":{"audio":"off","duration":5,"multi_shot":false,"resolution":"720p"}}`,
			billing: provider.Billing{Seconds: 5, Resolution: "720p"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.check(t)
		})
	}
}

func TestLegacyBody(t *testing.T) {
	t.Parallel()
	const off = `"watermark_info":{"enabled":false}}`
	tests := map[string]golden{
		"nothing but a prompt": {
			model: "kling-v3", in: provider.VideoRequest{Prompt: "a cat", ID: "0001"}, path: "/v1/videos/text2video",
			want:    `{"duration":"5","external_task_id":"0001","mode":"std","model_name":"kling-v3","prompt":"a cat","sound":"off",` + off,
			billing: provider.Billing{Seconds: 5, Resolution: "720p"},
		},
		"everything of a video from a prompt": {
			model: "kling-v3",
			in: provider.VideoRequest{
				Prompt: "a cat", NegativePrompt: "dogs", Duration: 10, Resolution: "1080p", AspectRatio: "1:1", Audio: new(true),
				Watermark: new(true),
			},
			path: "/v1/videos/text2video",
			want: `{"aspect_ratio":"1:1","duration":"10","mode":"pro","model_name":"kling-v3","negative_prompt":"dogs","prompt":"a cat",` +
				`"sound":"on","watermark_info":{"enabled":true}}`,
			billing: provider.Billing{Seconds: 10, Resolution: "1080p", Audio: true},
		},
		"two frames": {
			model: "kling-v3",
			in: provider.VideoRequest{
				Image: "data:image/jpeg;base64,QUJD", LastImage: "https://example.com/b.png", AspectRatio: "adaptive", Resolution: "4k",
			},
			path: "/v1/videos/image2video",
			want: `{"duration":"5","image":"QUJD","image_tail":"https://example.com/b.png","mode":"4k","model_name":"kling-v3",` +
				`"sound":"off",` + off,
			billing: provider.Billing{Seconds: 5, Resolution: "4k"},
		},
		"omni": {
			model: "kling-v3-omni", in: provider.VideoRequest{Prompt: "a cat"}, path: "/v1/videos/omni-video",
			want:    `{"duration":"5","mode":"std","model_name":"kling-v3-omni","prompt":"a cat","sound":"off",` + off,
			billing: provider.Billing{Seconds: 5, Resolution: "720p"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.check(t)
		})
	}
}

func TestParameters(t *testing.T) {
	t.Parallel()
	override := func(name, value string) provider.Parameters {
		return provider.Parameters{Overrides: []provider.Parameter{{Name: name, Value: []byte(value)}}}
	}
	drop := func(name string) provider.Parameters { return provider.Parameters{Drop: []string{name}} }
	tests := map[string]struct {
		model      string
		parameters provider.Parameters
		want       provider.Billing
	}{
		"nothing": {"kling-3.0", provider.Parameters{}, provider.Billing{Seconds: 10, Resolution: "1080p", Audio: true}},
		"settings of the admin's": {
			"kling-3.0", override("settings", `{"multi_shot":true,"duration":7,"resolution":"4K","audio":"native"}`),
			provider.Billing{Seconds: 7, Resolution: "4k", Audio: true},
		},
		"half of the settings": {
			"kling-3.0", override("settings", `{"multi_shot":true}`), provider.Billing{Seconds: 5, Resolution: "720p"},
		},
		"the sound of another video": {
			"kling-3.0", override("settings", `{"audio":"original"}`), provider.Billing{Seconds: 5, Resolution: "720p", Audio: true},
		},
		"silence": {
			"kling-3.0", override("settings", `{"audio":"off","duration":4}`), provider.Billing{Seconds: 4, Resolution: "720p"},
		},
		"no settings":            {"kling-3.0", drop("settings"), provider.Billing{Seconds: 5, Resolution: "720p"}},
		"settings that are none": {"kling-3.0", override("settings", `"x"`), provider.Billing{Seconds: 5, Resolution: "720p"}},
		"nothing, legacy":        {"kling-v3", provider.Parameters{}, provider.Billing{Seconds: 10, Resolution: "1080p", Audio: true}},
		"another length, legacy": {"kling-v3", override("duration", `"4"`), provider.Billing{Seconds: 4, Resolution: "1080p", Audio: true}},
		"no length, legacy":      {"kling-v3", drop("duration"), provider.Billing{Seconds: 5, Resolution: "1080p", Audio: true}},
		"another mode, legacy":   {"kling-v3", override("mode", `"4k"`), provider.Billing{Seconds: 10, Resolution: "4k", Audio: true}},
		"no mode, legacy":        {"kling-v3", drop("mode"), provider.Billing{Seconds: 10, Resolution: "720p", Audio: true}},
		"silence, legacy":        {"kling-v3", override("sound", `"off"`), provider.Billing{Seconds: 10, Resolution: "1080p"}},
		"no sound, legacy":       {"kling-v3", drop("sound"), provider.Billing{Seconds: 10, Resolution: "1080p"}},
		"several shots, legacy": {
			"kling-v3", override("multi_shot", "true"), provider.Billing{Seconds: 10, Resolution: "1080p", Audio: true},
		},
		"a length that is none at all": {
			"kling-v3", override("duration", "null"), provider.Billing{Seconds: 5, Resolution: "1080p", Audio: true},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			up := upstream(tc.model)
			up.Parameters = tc.parameters
			got := submit(t, up, provider.VideoRequest{Prompt: "a cat", Duration: 10, Resolution: "1080p", Audio: new(true)})
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
				if strings.Contains(body, `"`+name+`"`) {
					t.Errorf("body = %s, want no %s in it", body, name)
				}
			}
		})
	}
}

func TestReadTask(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		kind, body string
		want       provider.Task
	}{
		"the new API": {
			"", `{"code":0,"message":"SUCCEED","request_id":"r","data":{"id":"870000000000000001","status":"submitted"}}`,
			provider.Task{ID: "870000000000000001"},
		},
		"the legacy API": {
			"image2video", `{"code":0,"data":{"task_id":"870000000000000001","task_status":"submitted"}}`,
			provider.Task{ID: "870000000000000001", State: "image2video"},
		},
		"an id as a number keeps its digits": {
			"", `{"data":{"id":870000000000000001}}`, provider.Task{ID: "870000000000000001"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, next, err := taskReader(tc.kind)(answer(200, tc.body))
			if err != nil || next != nil || got != tc.want {
				t.Errorf("Read() = %+v, %v, %v; want %+v", got, next, err, tc.want)
			}
		})
	}
	for name, body := range map[string]string{
		"no id":                    `{"code":0,"data":{}}`,
		"no data":                  `{"code":0}`,
		"the other API's id":       `{"code":0,"data":{"task_id":"870000000000000001"}}`,
		"an id that is two":        `{"code":0,"data":{"id":"1,2"}}`,
		"an id that leads away":    `{"code":0,"data":{"id":"../x"}}`,
		"an id that is too long":   `{"code":0,"data":{"id":"` + strings.Repeat("1", 97) + `"}}`,
		"an id that is a fraction": `{"code":0,"data":{"id":1.5}}`,
		"a list":                   `[]`,
		"half a list":              `{"data":[{"url":"https://`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := taskReader("")(answer(200, body))
			if e := errorOf(t, err); e.Class != provider.ClassBadResponse || e.Status != 200 {
				t.Errorf("error = %v, want a bad response", e)
			}
		})
	}
}
