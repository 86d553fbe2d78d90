package vidu

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/provider"
)

func TestBody(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		model   string
		in      provider.VideoRequest
		path    string
		want    string
		billing provider.Billing
	}{
		"nothing but a prompt": {
			model: "viduq3-pro", in: provider.VideoRequest{Prompt: "a cat", ID: "0001"}, path: "/text2video",
			want: `{"audio":true,"duration":5,"model":"viduq3-pro","payload":"0001","prompt":"a cat","resolution":"720p",` +
				`"watermark":false}`,
			billing: provider.Billing{Seconds: 5, Resolution: "720p", Audio: true},
		},
		"everything of a video from a prompt": {
			model: "viduq3-turbo",
			in: provider.VideoRequest{
				Prompt: "a cat", Duration: 16, Resolution: "1080p", AspectRatio: "3:4", Audio: new(false), Watermark: new(true),
				Seed: new(int64(4294967295)), ID: "0002",
			},
			path: "/text2video",
			want: `{"aspect_ratio":"3:4","audio":false,"duration":16,"model":"viduq3-turbo","payload":"0002","prompt":"a cat",` +
				`"resolution":"1080p","seed":4294967295,"watermark":true}`,
			billing: provider.Billing{Seconds: 16, Resolution: "1080p"},
		},
		"a first frame without a prompt": {
			model: "viduq3-pro-fast",
			in: provider.VideoRequest{
				Prompt: " ", Image: "Data:Image/PNG;Base64,QUJD+/8=", AspectRatio: "adaptive", Duration: 1, Resolution: "540p",
			},
			path: "/img2video",
			want: `{"audio":true,"duration":1,"images":["data:image/png;base64,QUJD+/8="],"model":"viduq3-pro-fast",` +
				`"resolution":"540p","watermark":false}`,
			billing: provider.Billing{Seconds: 1, Resolution: "540p", Audio: true},
		},
		"two frames in their order": {
			model: "viduq3-pro",
			in:    provider.VideoRequest{Prompt: "a cat", LastImage: "https://example.com/B.png", Image: "https://example.com/a.png"},
			path:  "/start-end2video",
			want: `{"audio":true,"duration":5,"images":["https://example.com/a.png","https://example.com/B.png"],"model":"viduq3-pro",` +
				`"prompt":"a cat","resolution":"720p","watermark":false}`,
			billing: provider.Billing{Seconds: 5, Resolution: "720p", Audio: true},
		},
		"older models have no sound to switch off": {
			model: "viduq2", in: provider.VideoRequest{Prompt: "a cat", Audio: new(false)}, path: "/text2video",
			want:    `{"duration":5,"model":"viduq2","prompt":"a cat","resolution":"720p","watermark":false}`,
			billing: provider.Billing{Seconds: 5, Resolution: "720p"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Adapter().Video.SubmitVideo(t.Context(), upstream(tc.model), &tc.in)
			if err != nil {
				t.Fatalf("SubmitVideo() error = %v", err)
			}
			req := got.Step.Request
			if body := bodyOf(t, req); body != tc.want {
				t.Errorf("body = %s\nwant   %s", body, tc.want)
			}
			if address := "https://api.vidu.cn/ent/v2" + tc.path; req.Method != http.MethodPost || req.URL.String() != address {
				t.Errorf("call = %s %s, want POST %s", req.Method, req.URL, address)
			}
			got.Step.Request, got.Step.Read = nil, nil
			want := &provider.Submission{Step: &provider.Step[provider.Task]{Paid: true}, Billing: tc.billing}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("submission (-want +got):\n%s", diff)
			}
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
		parameters provider.Parameters
		seconds    int64
		resolution string
		audio      bool
		hours      int64
	}{
		"nothing":                   {provider.Parameters{}, 10, "1080p", true, 0},
		"another length":            {override("duration", "4"), 4, "1080p", true, 0},
		"no length":                 {drop("duration"), 5, "1080p", true, 0},
		"a length that is none":     {override("duration", "null"), 5, "1080p", true, 0},
		"another resolution":        {override("resolution", `"540P"`), 10, "540p", true, 0},
		"no resolution":             {drop("resolution"), 10, "720p", true, 0},
		"no sound":                  {override("audio", "false"), 10, "1080p", false, 0},
		"sound is up to the vendor": {drop("audio"), 10, "1080p", true, 0},
		"when there is room":        {override("off_peak", "true"), 10, "1080p", true, 48},
		"at once":                   {override("off_peak", "false"), 10, "1080p", true, 0},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			up := upstream("viduq3-pro")
			up.Parameters = tc.parameters
			got, err := Adapter().Video.SubmitVideo(t.Context(), up, &provider.VideoRequest{Prompt: "a cat", Duration: 10, Resolution: "1080p"})
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
				if strings.Contains(body, `"`+name+`"`) {
					t.Errorf("body = %s, want no %s in it", body, name)
				}
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	const pro, fast, older, picture = "viduq3-pro", "viduq3-pro-fast", "viduq1", "https://example.com/a.png"
	type request = provider.VideoRequest
	tests := map[string]struct {
		model   string
		in      provider.VideoRequest
		param   string
		message string // what is in it
	}{
		"nothing to show":              {pro, request{Prompt: "\n"}, "prompt", "a prompt or an image"},
		"a prompt without end":         {pro, request{Prompt: strings.Repeat("图", 5001)}, "prompt", "at most 5000 characters, not 5001"},
		"a last frame without a first": {pro, request{Prompt: "p", LastImage: picture}, "last_image", "send image"},
		"a negative prompt":            {pro, request{Prompt: "p", NegativePrompt: "dogs"}, "negative_prompt", "say in the prompt"},
		"a random seed":                {pro, request{Prompt: "p", Seed: new(int64(0))}, "seed", "leave seed out"},
		"a seed below any":             {pro, request{Prompt: "p", Seed: new(int64(-1))}, "seed", "above 0"},
		"sound of an older model":      {older, request{Prompt: "p", Audio: new(true)}, "audio", "Leave audio out"},
		"4k":                           {pro, request{Prompt: "p", Resolution: "4k"}, "resolution", `540p, 720p, 1080p, not "4k"`},
		"480p of fast":                 {fast, request{Image: picture, Resolution: "480p"}, "resolution", "540p, 720p, 1080p"},
		"a ratio that nobody makes":    {pro, request{Prompt: "p", AspectRatio: "21:9"}, "aspect_ratio", "16:9, 9:16, 3:4, 4:3, 1:1"},
		"a ratio of no image":          {pro, request{Prompt: "p", AspectRatio: "adaptive"}, "aspect_ratio", "16:9"},
		"a ratio beside an image":      {pro, request{Image: picture, AspectRatio: "16:9"}, "aspect_ratio", "leave aspect_ratio (or size) out"},
		"17 seconds":                   {pro, request{Prompt: "p", Duration: 17}, "duration", "1 to 16 seconds, not 17"},
		"less than nothing":            {pro, request{Prompt: "p", Duration: -1}, "duration", "1 to 16 seconds"},
		"fast from words":              {fast, request{Prompt: "p"}, "image", "from a first frame"},
		"fast to a last frame":         {fast, request{Image: picture, LastImage: picture}, "last_image", "Leave last_image out"},
		"a picture of another kind":    {pro, request{Image: "data:image/gif;base64,QUJD"}, "image", `image/webp, not "image/gif"`},
		"a last one of another kind":   {pro, request{Image: picture, LastImage: "data:image/gif;base64,QUJD"}, "last_image", "image/png"},
		"data that is text":            {pro, request{Image: "data:image/png,QUJD"}, "image", "in base64"},
		"data without end":             {pro, request{Image: "data:image/png;base64"}, "image", "in base64"},
		"a body that is too large":     {pro, request{Image: "data:image/png;base64," + strings.Repeat("A", 20<<20)}, "image", "20 MB"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Adapter().Video.SubmitVideo(t.Context(), upstream(tc.model), &tc.in)
			e := errorOf(t, err)
			if got != nil || e.Class != provider.ClassInvalidRequest || e.Param != tc.param || !strings.Contains(e.Message, tc.message) {
				t.Errorf("%s: %s: %s; want %s and %q", e.Class, e.Param, e.Message, tc.param, tc.message)
			}
		})
	}
}

func TestReadTask(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"as documented":  `{"task_id":"890000000000000001","state":"created","model":"viduq3-pro","credits":50,"seed":1}`,
		"a number is id": `{"task_id":890000000000000001}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, next, err := readTask(answer(200, body))
			if err != nil || next != nil || got != (provider.Task{ID: "890000000000000001"}) {
				t.Errorf("Read() = %+v, %v, %v", got, next, err)
			}
		})
	}
	for name, body := range map[string]string{
		"no id":                  `{"state":"created"}`,
		"an id that leads away":  `{"task_id":"../x"}`,
		"an id that is too long": `{"task_id":"` + strings.Repeat("1", 97) + `"}`,
		"an id that is a list":   `{"task_id":["1"]}`,
		"a list":                 `[]`,
		"half an answer":         `{"task_id":"1"`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := readTask(answer(200, body))
			if e := errorOf(t, err); e.Class != provider.ClassBadResponse || e.Status != 200 {
				t.Errorf("error = %v, want a bad response", e)
			}
		})
	}
}
