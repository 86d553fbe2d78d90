package ark

import (
	"io"
	"net/http"
	"slices"
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
			model: "seedream-4-0-250828", in: provider.ImageRequest{Base64: true, Watermark: new(true), Width: 1024, Height: 1024},
			want: `{"model":"seedream-4-0-250828","prompt":"a cat","response_format":"b64_json","sequential_image_generation":"disabled",` +
				`"size":"1024x1024","watermark":true}`,
		},
		"one reference": {
			model: "seedream-4-5-251128", in: provider.ImageRequest{Images: []string{"https://example.com/A,B.PNG"}},
			want: `{"image":"https://example.com/A,B.PNG","model":"seedream-4-5-251128","prompt":"a cat","response_format":"url",` +
				`"sequential_image_generation":"disabled","watermark":false}`,
		},
		"several references, whose types are written in lower case": {
			model: "seedream-4-5-251128",
			in:    provider.ImageRequest{Images: []string{"Data:Image/PNG;Base64,QUJD", "https://example.com/b.jpg"}},
			want: `{"image":["data:image/png;base64,QUJD","https://example.com/b.jpg"],"model":"seedream-4-5-251128","prompt":"a cat",` +
				`"response_format":"url","sequential_image_generation":"disabled","watermark":false}`,
		},
		"another format": {
			model: "seedream-5-0-260128", in: provider.ImageRequest{OutputFormat: "png", Watermark: new(false)},
			want: `{"model":"seedream-5-0-260128","output_format":"png","prompt":"a cat","response_format":"url",` +
				`"sequential_image_generation":"disabled","watermark":false}`,
		},
		"jpeg is what 4.5 makes and has no parameter for": {
			model: "seedream-4-5-251128", in: provider.ImageRequest{OutputFormat: "jpeg"},
			want: `{"model":"seedream-4-5-251128","prompt":"a cat","response_format":"url",` +
				`"sequential_image_generation":"disabled","watermark":false}`,
		},
		"3.0 takes a seed and knows no sets": {
			model: "doubao-seedream-3-0-t2i-250415", in: provider.ImageRequest{Seed: new(int64(0)), Width: 1024, Height: 1024},
			want: `{"model":"doubao-seedream-3-0-t2i-250415","prompt":"a cat","response_format":"url",` +
				`"seed":0,"size":"1024x1024","watermark":false}`,
		},
		"an edit": {
			model: "doubao-seededit-3-0-i2i-250628", in: provider.ImageRequest{Images: []string{"https://example.com/a.png"}},
			want: `{"image":"https://example.com/a.png","model":"doubao-seededit-3-0-i2i-250628","prompt":"a cat",` +
				`"response_format":"url","watermark":false}`,
		},
		"an endpoint takes what any version takes": {
			model: "ep-20260101000000-abcde",
			in:    provider.ImageRequest{Seed: new(int64(7)), OutputFormat: "png", Width: 1024, Height: 1024},
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
			const address = "https://ark.cn-beijing.volces.com/api/v3/images/generations"
			if req.Method != http.MethodPost || req.URL.String() != address {
				t.Errorf("call = %s %s, want POST %s", req.Method, req.URL, address)
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
	const (
		newest, usual = "seedream-5-0-lite-260128", "seedream-4-5-251128"
		older, oldest = "seedream-4-0-250828", "doubao-seedream-3-0-t2i-250415"
		edit          = "doubao-seededit-3-0-i2i-250628"
		endpoint      = "ep-20260101000000-abcde"
	)
	type request = provider.ImageRequest
	references := func(n int) []string { return slices.Repeat([]string{"https://example.com/a.png"}, n) }
	tests := map[string]struct {
		model   string
		in      provider.ImageRequest
		param   string
		message string // what is in it
	}{
		"a negative prompt":        {usual, request{NegativePrompt: "dogs"}, "negative_prompt", "no negative prompt"},
		"a negative prompt, ep":    {endpoint, request{NegativePrompt: "dogs"}, "negative_prompt", "no negative prompt"},
		"a seed of 4.5":            {usual, request{Seed: new(int64(0))}, "seed", "Seedream 4.5 takes no seed"},
		"a seed of 4.0":            {older, request{Seed: new(int64(1))}, "seed", "Seedream 4.0 takes no seed"},
		"a seed of 5.0":            {newest, request{Seed: new(int64(1))}, "seed", "Seedream 5.0 takes no seed"},
		"a seed too small":         {oldest, request{Seed: new(int64(-2))}, "seed", "-1 to 2147483647"},
		"a seed too large":         {endpoint, request{Seed: new(int64(1 << 31))}, "seed", "-1 to 2147483647"},
		"png of 4.5":               {usual, request{OutputFormat: "png"}, "output_format", "jpeg"},
		"webp of 5.0":              {newest, request{OutputFormat: "webp"}, "output_format", "jpeg or png"},
		"15 references":            {usual, request{Images: references(15)}, "image", "at most 14 reference images, not 15"},
		"a reference of 3.0":       {oldest, request{Images: references(1)}, "image", "at most 0 reference images"},
		"an edit of nothing":       {edit, request{}, "image", "one reference image"},
		"an edit of two":           {edit, request{Images: references(2)}, "image", "one reference image"},
		"a size of an edit":        {edit, request{Images: references(1), Width: 1, Height: 1}, "size", "as large as the reference"},
		"too large a size":         {usual, request{Width: 4097, Height: 4096}, "size", "3686400 to 16777216 pixels"},
		"a size with one side":     {usual, request{Width: 2048}, "size", "2048x2048, 2304x1728"},
		"a size of negative sides": {usual, request{Width: -1, Height: -1}, "size", "2048x2048"},
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
