package dashscope

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// Where images are made.
const (
	dialoguePath  = "/api/v1/services/aigc/image-generation/generation"
	synthesisPath = "/api/v1/services/aigc/text2image/image-synthesis"
)

func TestImageBody(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		model string
		in    provider.ImageRequest
		path  string
		want  string
	}{
		"nothing but a prompt": {
			model: "wan2.7-image", path: dialoguePath,
			want: `{"input":{"messages":[{"content":[{"text":"a cat"}],"role":"user"}]},"model":"wan2.7-image",` +
				`"parameters":{"n":1,"watermark":false}}`,
		},
		"bytes change nothing, and png is what is made": {
			model: "wan2.7-image", in: provider.ImageRequest{Base64: true, OutputFormat: "png", Watermark: new(false)}, path: dialoguePath,
			want: `{"input":{"messages":[{"content":[{"text":"a cat"}],"role":"user"}]},"model":"wan2.7-image",` +
				`"parameters":{"n":1,"watermark":false}}`,
		},
		"everything": {
			model: "wan2.7-image-pro", path: dialoguePath,
			in: provider.ImageRequest{
				N: 4, Width: 1792, Height: 1024, Seed: new(int64(0)), Watermark: new(true),
				Images: []string{"https://example.com/A,B.PNG", "Data:Image/PNG;Base64,QUJD"},
			},
			want: `{"input":{"messages":[{"content":[{"text":"a cat"},{"image":"https://example.com/A,B.PNG"},` +
				`{"image":"data:image/png;base64,QUJD"}],"role":"user"}]},"model":"wan2.7-image-pro",` +
				`"parameters":{"n":4,"seed":0,"size":"1792*1024","watermark":true}}`,
		},
		"2.6 takes a negative prompt among the parameters": {
			model: "wan2.6-t2i", in: provider.ImageRequest{NegativePrompt: "dogs", Width: 1024, Height: 1024}, path: dialoguePath,
			want: `{"input":{"messages":[{"content":[{"text":"a cat"}],"role":"user"}]},"model":"wan2.6-t2i",` +
				`"parameters":{"n":1,"negative_prompt":"dogs","size":"1280*1280","watermark":false}}`,
		},
		"2.5 has the older form": {
			model: "wan2.5-t2i-preview", path: synthesisPath,
			in: provider.ImageRequest{N: 2, NegativePrompt: "dogs", Seed: new(int64(7)), Width: 256, Height: 256},
			want: `{"input":{"negative_prompt":"dogs","prompt":"a cat"},"model":"wan2.5-t2i-preview",` +
				`"parameters":{"n":2,"seed":7,"size":"1024*1024","watermark":false}}`,
		},
		"2.2 too": {
			model: "wan2.2-t2i-plus", path: synthesisPath,
			want: `{"input":{"prompt":"a cat"},"model":"wan2.2-t2i-plus","parameters":{"n":1,"watermark":false}}`,
		},
		"2.0 too": {
			model: "wanx2.0-t2i-turbo", path: synthesisPath,
			want: `{"input":{"prompt":"a cat"},"model":"wanx2.0-t2i-turbo","parameters":{"n":1,"watermark":false}}`,
		},
		"a model that nobody knows takes what any takes": {
			model: "wan9.9-image", path: dialoguePath,
			in: provider.ImageRequest{
				NegativePrompt: "dogs", Images: slices.Repeat([]string{"https://example.com/a.png"}, 2), Width: 8192, Height: 1024,
			},
			want: `{"input":{"messages":[{"content":[{"text":"a cat"},{"image":"https://example.com/a.png"},` +
				`{"image":"https://example.com/a.png"}],"role":"user"}]},"model":"wan9.9-image",` +
				`"parameters":{"n":1,"negative_prompt":"dogs","size":"8192*1024","watermark":false}}`,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.in.Prompt, tc.in.N = "a cat", max(tc.in.N, 1)
			plan, err := Image().Generate(t.Context(), upstream(tc.model), &tc.in)
			if err != nil {
				t.Fatalf("Generate() error = %v", err)
			}
			checkSubmission(t, plan.Steps[0].Request, tc.path)
			if got := bodyOf(t, plan.Steps[0].Request); got != tc.want {
				t.Errorf("body = %s\nwant   %s", got, tc.want)
			}
		})
	}
}

// A task makes at most four images; the vendor's default is four, too, so that the number must be there. The tasks of a request have
// different seeds.
func TestImageTasks(t *testing.T) {
	t.Parallel()
	tests := map[int][]string{
		1:  {`"n":1,"seed":2147483647`},
		4:  {`"n":4,"seed":2147483647`},
		5:  {`"n":4,"seed":2147483647`, `"n":1,"seed":3`},
		10: {`"n":4,"seed":2147483647`, `"n":4,"seed":3`, `"n":2,"seed":7`},
	}
	for n, want := range tests {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			in := &provider.ImageRequest{Prompt: "a cat", N: n, Seed: new(int64(maxSeed))}
			plan, err := Image().Generate(t.Context(), upstream("wan2.7-image"), in)
			if err != nil {
				t.Fatal(err)
			}
			if len(plan.Steps) != len(want) || plan.Parallel != 3 {
				t.Fatalf("%d steps, %d at a time; want %d, 3 at a time", len(plan.Steps), plan.Parallel, len(want))
			}
			for i, step := range plan.Steps {
				body := bodyOf(t, step.Request)
				if !step.Paid || !strings.Contains(body, `"parameters":{`+want[i]+`,`) {
					t.Errorf("step %d: paid = %v, body = %s, want %s", i, step.Paid, body, want[i])
				}
				replayed, err := step.Request.GetBody()
				if err != nil {
					t.Fatal(err)
				}
				if again, err := io.ReadAll(replayed); err != nil || string(again) != body {
					t.Errorf("step %d: replayed body = %s, %v; want %s", i, again, err, body)
				}
				made, next, err := step.Read(answer(200, `{"output":{"task_id":"a-1","task_status":"PENDING"},"request_id":"r"}`))
				if state := want[i][4:5]; err != nil || next != nil || made.Task != (provider.Task{ID: "a-1", State: state}) {
					t.Errorf("step %d: answer = %+v, %v, %v; want a task of %s images", i, made, next, err, state)
				}
			}
		})
	}
}

func TestImageParameters(t *testing.T) {
	t.Parallel()
	up := upstream("wan2.7-image")
	up.Parameters = provider.Parameters{
		Overrides: []provider.Parameter{{Name: "parameters", Value: []byte(`{"n":1,"thinking_mode":false}`)}}, Drop: []string{"model"},
	}
	plan, err := Image().Generate(t.Context(), up, &provider.ImageRequest{Prompt: "a cat", N: 1, Width: 2048, Height: 2048})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"input":{"messages":[{"content":[{"text":"a cat"}],"role":"user"}]},"parameters":{"n":1,"thinking_mode":false}}`
	if got := bodyOf(t, plan.Steps[0].Request); got != want {
		t.Errorf("body = %s, want %s", got, want)
	}
}

func TestImageRefusals(t *testing.T) {
	t.Parallel()
	const newest, pro, newer, old, older, oldest, unknown = "wan2.7-image", "wan2.7-image-pro", "wan2.6-t2i", "wan2.5-t2i-preview",
		"wan2.2-t2i-flash", "wanx2.0-t2i-turbo", "wan9.9-image"
	type request = provider.ImageRequest
	references := func(n int) []string { return slices.Repeat([]string{"https://example.com/a.png"}, n) }
	letters := func(n int) string { return strings.Repeat("图", n) }
	tests := map[string]struct {
		model   string
		in      provider.ImageRequest
		param   string
		message string // what is in it
	}{
		"no prompt":              {newest, request{}, "prompt", "needs a prompt"},
		"a long prompt of 2.7":   {newest, request{Prompt: letters(5001)}, "prompt", "at most 5000 characters, not 5001"},
		"a long prompt of 2.6":   {newer, request{Prompt: letters(2101)}, "prompt", "at most 2100 characters"},
		"a long prompt of 2.5":   {old, request{Prompt: letters(2001)}, "prompt", "at most 2000 characters"},
		"a long prompt of 2.2":   {older, request{Prompt: letters(501)}, "prompt", "at most 500 characters"},
		"a long prompt of 2.0":   {oldest, request{Prompt: letters(801)}, "prompt", "at most 800 characters"},
		"a negative prompt":      {newest, request{Prompt: "a", NegativePrompt: "dogs"}, "negative_prompt", "say in the prompt"},
		"a negative prompt, pro": {pro, request{Prompt: "a", NegativePrompt: "dogs"}, "negative_prompt", "say in the prompt"},
		"jpeg":                   {newest, request{Prompt: "a", OutputFormat: "jpeg"}, "output_format", "makes png"},
		"png of whatever it is":  {unknown, request{Prompt: "a", OutputFormat: "png"}, "output_format", "Leave output_format out"},
		"10 references":          {newest, request{Prompt: "a", Images: references(10)}, "image", "at most 9 reference images, not 10"},
		"a reference of 2.6":     {newer, request{Prompt: "a", Images: references(1)}, "image", "no reference images"},
		"a reference of 2.2":     {older, request{Prompt: "a", Images: references(1)}, "image", "no reference images"},
		"a drawing": {
			pro, request{Prompt: "a", Images: []string{"data:image/svg+xml;base64,QQ=="}}, "image", "JPEG, PNG, BMP and WEBP",
		},
		"a text":           {pro, request{Prompt: "a", Images: []string{"data:text/plain,a"}}, "image", "JPEG, PNG, BMP and WEBP"},
		"a seed too small": {newest, request{Prompt: "a", Seed: new(int64(-1))}, "seed", "0 to 2147483647"},
		"a seed too large": {unknown, request{Prompt: "a", Seed: new(int64(1 << 31))}, "seed", "0 to 2147483647"},
		"a size": {
			newest, request{Prompt: "a", Width: 3840, Height: 2160}, "size",
			"589824 to 4194304 pixels in all and ratios of 1:8 to 8:1",
		},
		"a size, by size":   {newest, request{Prompt: "a", Width: 3840, Height: 2160}, "size", "1024x1024, 1536x1024"},
		"a size of an edit": {pro, request{Prompt: "a", Images: references(1), Width: 3840, Height: 2160}, "size", "4194304"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.in.N = 1
			plan, err := Image().Generate(t.Context(), upstream(tc.model), &tc.in)
			if plan != nil {
				t.Errorf("there is a plan of %d steps", len(plan.Steps))
			}
			checkRefusal(t, err, tc.param, tc.message)
		})
	}
}

func TestPollImages(t *testing.T) {
	t.Parallel()
	step, err := Image().PollImages(t.Context(), upstream("wan2.7-image"), &provider.ImageRequest{}, task())
	if err != nil {
		t.Fatal(err)
	}
	want := "GET https://dashscope.aliyuncs.com/api/v1/tasks/a-1%2F2"
	if got := step.Request.Method + " " + step.Request.URL.String(); got != want || step.Paid || step.Request.Body != nil {
		t.Errorf("call = %s, paid %v; want %s without a body, free", got, step.Paid, want)
	}
	if got := step.Request.Header.Values("X-DashScope-Async"); got != nil {
		t.Errorf("X-DashScope-Async = %q, want none", got)
	}
}
