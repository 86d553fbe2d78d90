package ark

import (
	"io"
	"strings"
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
)

func TestImageBody(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		model string
		in    provider.ImageRequest
		want  string
	}{
		"nothing but a prompt": {
			model: "doubao-seedream-4-5-251128",
			want: `{"model":"doubao-seedream-4-5-251128","prompt":"a cat","response_format":"url",` +
				`"sequential_image_generation":"disabled","watermark":false}`,
		},
		"the documented call": {
			model: "seedream-4-5-251128", in: provider.ImageRequest{Width: 1024, Height: 1024},
			want: `{"model":"seedream-4-5-251128","prompt":"a cat","response_format":"url","sequential_image_generation":"disabled",` +
				`"size":"2048x2048","watermark":false}`,
		},
		"bytes and a watermark": {
			model: "seedream-4-0-250828", in: provider.ImageRequest{Base64: true, Watermark: ptr(true), Width: 1024, Height: 1024},
			want: `{"model":"seedream-4-0-250828","prompt":"a cat","response_format":"b64_json","sequential_image_generation":"disabled",` +
				`"size":"1024x1024","watermark":true}`,
		},
		"one reference": {
			model: "seedream-4-5-251128", in: provider.ImageRequest{Images: []string{"https://example.com/A,B.PNG"}},
			want: `{"image":"https://example.com/A,B.PNG","model":"seedream-4-5-251128","prompt":"a cat","response_format":"url",` +
				`"sequential_image_generation":"disabled","watermark":false}`,
		},
		"several references, whose types are written in lower case": {
			model: "seedream-4-5-251128", in: provider.ImageRequest{Images: []string{"Data:Image/PNG;Base64,QUJD", "https://example.com/b.jpg"}},
			want: `{"image":["data:image/png;base64,QUJD","https://example.com/b.jpg"],"model":"seedream-4-5-251128","prompt":"a cat",` +
				`"response_format":"url","sequential_image_generation":"disabled","watermark":false}`,
		},
		"another format": {
			model: "seedream-5-0-260128", in: provider.ImageRequest{OutputFormat: "png", Watermark: ptr(false)},
			want: `{"model":"seedream-5-0-260128","output_format":"png","prompt":"a cat","response_format":"url",` +
				`"sequential_image_generation":"disabled","watermark":false}`,
		},
		"jpeg is what 4.5 makes and has no parameter for": {
			model: "seedream-4-5-251128", in: provider.ImageRequest{OutputFormat: "jpeg"},
			want: `{"model":"seedream-4-5-251128","prompt":"a cat","response_format":"url","sequential_image_generation":"disabled","watermark":false}`,
		},
		"3.0 takes a seed and knows no sets": {
			model: "doubao-seedream-3-0-t2i-250415", in: provider.ImageRequest{Seed: ptr(int64(0)), Width: 1024, Height: 1024},
			want: `{"model":"doubao-seedream-3-0-t2i-250415","prompt":"a cat","response_format":"url","seed":0,"size":"1024x1024","watermark":false}`,
		},
		"an edit": {
			model: "doubao-seededit-3-0-i2i-250628", in: provider.ImageRequest{Images: []string{"https://example.com/a.png"}},
			want: `{"image":"https://example.com/a.png","model":"doubao-seededit-3-0-i2i-250628","prompt":"a cat","response_format":"url","watermark":false}`,
		},
		"an endpoint takes what any version takes": {
			model: "ep-20260101000000-abcde", in: provider.ImageRequest{Seed: ptr(int64(7)), OutputFormat: "png", Width: 1024, Height: 1024},
			want: `{"model":"ep-20260101000000-abcde","output_format":"png","prompt":"a cat","response_format":"url","seed":7,` +
				`"size":"2048x2048","watermark":false}`,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.in.Prompt, tc.in.N = "a cat", 1
			plan, err := Image().Generate(t.Context(), upstream(tc.model), &tc.in)
			if err != nil {
				t.Fatalf("Generate() error = %v", err)
			}
			req := plan.Steps[0].Request
			if got := bodyOf(t, req); got != tc.want {
				t.Errorf("body = %s\nwant   %s", got, tc.want)
			}
			if got, want := req.Method+" "+req.URL.String(), "POST https://ark.cn-beijing.volces.com/api/v3/images/generations"; got != want {
				t.Errorf("call = %s, want %s", got, want)
			}
		})
	}
}

func TestImageFanOut(t *testing.T) {
	t.Parallel()
	plan, err := Image().Generate(t.Context(), upstream("seedream-4-5-251128"), &provider.ImageRequest{Prompt: "a cat", N: 3})
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Steps) != 3 || plan.Parallel != 4 {
		t.Fatalf("%d steps, %d at a time; want 3, 4 at a time", len(plan.Steps), plan.Parallel)
	}
	first := ""
	for i, s := range plan.Steps {
		if !s.Paid || s.Request.Header.Get("Authorization") != "Bearer "+key {
			t.Errorf("step %d: paid = %v, or the key is missing", i, s.Paid)
		}
		body := bodyOf(t, s.Request)
		replayed, err := s.Request.GetBody()
		if err != nil {
			t.Fatal(err)
		}
		again, err := io.ReadAll(replayed)
		if err != nil || string(again) != body {
			t.Errorf("step %d: replayed body = %s, %v; want %s", i, again, err, body)
		}
		if i == 0 {
			first = body
		}
		if body == "" || body != first {
			t.Errorf("step %d: body = %s, want %s", i, body, first)
		}
	}
}

func TestImageParameters(t *testing.T) {
	t.Parallel()
	up := upstream("seedream-4-5-251128")
	up.Parameters = provider.Parameters{
		Overrides: []provider.Parameter{{Name: "size", Value: []byte(`"4K"`)}, {Name: "watermark", Value: []byte(`true`)}},
		Drop:      []string{"sequential_image_generation"},
	}
	plan, err := Image().Generate(t.Context(), up, &provider.ImageRequest{Prompt: "a cat", N: 1, Width: 2048, Height: 2048})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"model":"seedream-4-5-251128","prompt":"a cat","response_format":"url","size":"4K","watermark":true}`
	if got := bodyOf(t, plan.Steps[0].Request); got != want {
		t.Errorf("body = %s, want %s", got, want)
	}
}

func TestImageRefusals(t *testing.T) {
	t.Parallel()
	references := func(n int) []string {
		return strings.Split(strings.Repeat("https://example.com/a.png ", n)[:max(26*n-1, 0)], " ")
	}
	tests := map[string]struct {
		model   string
		in      provider.ImageRequest
		param   string
		message string // what is in it
	}{
		"a negative prompt":        {"seedream-4-5-251128", provider.ImageRequest{NegativePrompt: "dogs"}, "negative_prompt", "no negative prompt"},
		"a negative prompt, ep":    {"ep-20260101000000-abcde", provider.ImageRequest{NegativePrompt: "dogs"}, "negative_prompt", "no negative prompt"},
		"a seed of 4.5":            {"seedream-4-5-251128", provider.ImageRequest{Seed: ptr(int64(0))}, "seed", "Seedream 4.5 takes no seed"},
		"a seed of 4.0":            {"seedream-4-0-250828", provider.ImageRequest{Seed: ptr(int64(1))}, "seed", "Seedream 4.0 takes no seed"},
		"a seed of 5.0":            {"seedream-5-0-lite-260128", provider.ImageRequest{Seed: ptr(int64(1))}, "seed", "Seedream 5.0 takes no seed"},
		"a seed too small":         {"doubao-seedream-3-0-t2i-250415", provider.ImageRequest{Seed: ptr(int64(-2))}, "seed", "-1 to 2147483647"},
		"a seed too large":         {"ep-20260101000000-abcde", provider.ImageRequest{Seed: ptr(int64(1 << 31))}, "seed", "-1 to 2147483647"},
		"png of 4.5":               {"seedream-4-5-251128", provider.ImageRequest{OutputFormat: "png"}, "output_format", "jpeg"},
		"webp of 5.0":              {"seedream-5-0-260128", provider.ImageRequest{OutputFormat: "webp"}, "output_format", "jpeg or png"},
		"15 references":            {"seedream-4-5-251128", provider.ImageRequest{Images: references(15)}, "image", "0 to 14"},
		"a reference of 3.0":       {"doubao-seedream-3-0-t2i-250415", provider.ImageRequest{Images: references(1)}, "image", "no reference images"},
		"an edit of nothing":       {"doubao-seededit-3-0-i2i-250628", provider.ImageRequest{}, "image", "1 to 1"},
		"an edit of two":           {"doubao-seededit-3-0-i2i-250628", provider.ImageRequest{Images: references(2)}, "image", "1 to 1"},
		"a size of an edit":        {"doubao-seededit-3-0-i2i-250628", provider.ImageRequest{Images: references(1), Width: 1024, Height: 1024}, "size", "as large as the reference"},
		"too large a size":         {"seedream-4-5-251128", provider.ImageRequest{Width: 4097, Height: 4096}, "size", "3686400 to 16777216 pixels"},
		"a size with one side":     {"seedream-4-5-251128", provider.ImageRequest{Width: 2048}, "size", "2048x2048 2304x1728"},
		"a size of negative sides": {"seedream-4-5-251128", provider.ImageRequest{Width: -1, Height: -1}, "size", "2048x2048"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.in.Prompt, tc.in.N = "a cat", 1
			_, err := Image().Generate(t.Context(), upstream(tc.model), &tc.in)
			if e := refusal(t, err); e.Param != tc.param || !strings.Contains(e.Message, tc.message) {
				t.Errorf("%s: %s; want %s and %q", e.Param, e.Message, tc.param, tc.message)
			}
		})
	}
}

func TestImageTasksDoNotExist(t *testing.T) {
	t.Parallel()
	step, err := Image().PollImages(t.Context(), upstream("seedream-4-5-251128"), &provider.ImageRequest{}, provider.Task{ID: "x"})
	if e := errorOf(t, err); step != nil || e.Class != provider.ClassBadResponse {
		t.Errorf("PollImages() = %v, %v", step, err)
	}
}
