package tencent

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
)

func TestImageBody(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		in   provider.ImageRequest
		want string
	}{
		"nothing but a prompt": {want: `{"LogoAdd":0,"Prompt":"a cat"}`},
		"the documented call": {
			in: provider.ImageRequest{Width: 1024, Height: 1024}, want: `{"LogoAdd":0,"Prompt":"a cat","Resolution":"1024:1024"}`,
		},
		"a large size": {
			in: provider.ImageRequest{Width: 1024, Height: 1536}, want: `{"LogoAdd":0,"Prompt":"a cat","Resolution":"832:1216"}`,
		},
		"bytes are the caller's to fetch": {
			in: provider.ImageRequest{Base64: true}, want: `{"LogoAdd":0,"Prompt":"a cat"}`,
		},
		"a watermark":    {in: provider.ImageRequest{Watermark: new(true)}, want: `{"LogoAdd":1,"Prompt":"a cat"}`},
		"no watermark":   {in: provider.ImageRequest{Watermark: new(false)}, want: `{"LogoAdd":0,"Prompt":"a cat"}`},
		"the least seed": {in: provider.ImageRequest{Seed: new(int64(1))}, want: `{"LogoAdd":0,"Prompt":"a cat","Revise":0,"Seed":1}`},
		"the largest seed": {
			in:   provider.ImageRequest{Seed: new(int64(4294967295))},
			want: `{"LogoAdd":0,"Prompt":"a cat","Revise":0,"Seed":4294967295}`,
		},
		"references": {
			in: provider.ImageRequest{Images: []string{"https://example.com/A,B.PNG", "Data:Image/PNG;Base64,QUJD", "http://example.com/c"}},
			want: `{"Images":["https://example.com/A,B.PNG","QUJD","http://example.com/c"],` +
				`"LogoAdd":0,"Prompt":"a cat"}`,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.in.Prompt, tc.in.N, tc.in.Now = "a cat", 1, tuesday
			plan, err := images{}.Generate(t.Context(), upstream(), &tc.in)
			if err != nil {
				t.Fatalf("Generate() error = %v", err)
			}
			req := plan.Steps[0].Request
			if got := bodyOf(t, req); got != tc.want {
				t.Errorf("body = %s\nwant   %s", got, tc.want)
			}
			if req.URL.String() != "https://aiart.tencentcloudapi.com/" || req.Header.Get("X-TC-Action") != "SubmitTextToImageJob" {
				t.Errorf("call = %s %s", req.URL, req.Header.Get("X-TC-Action"))
			}
		})
	}
}

func TestImageFanOut(t *testing.T) {
	t.Parallel()
	plan, err := images{}.Generate(t.Context(), upstream(), &provider.ImageRequest{Prompt: "a cat", N: 3, Now: tuesday})
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Steps) != 3 || plan.Parallel != 1 {
		t.Fatalf("%d steps, %d at a time; want 3, one at a time", len(plan.Steps), plan.Parallel)
	}
	for i, s := range plan.Steps {
		if !s.Paid || s.Request.Header.Get("Authorization") == "" {
			t.Errorf("step %d: paid = %v, or it is not signed", i, s.Paid)
		}
		if got := bodyOf(t, s.Request); got != `{"LogoAdd":0,"Prompt":"a cat"}` {
			t.Errorf("step %d: body = %s", i, got)
		}
		a, next, err := s.Read(respond(`"JobId":"12-34","RequestId":"r1"`))
		if err != nil || next != nil || a.Task != (provider.Task{ID: "12-34", State: "ap-guangzhou"}) || len(a.Images) > 0 {
			t.Errorf("step %d: answer = %+v, %v, %v", i, a, next, err)
		}
	}
}

func TestImageParameters(t *testing.T) {
	t.Parallel()
	up := upstream()
	up.Parameters = provider.Parameters{
		Overrides: []provider.Parameter{
			{Name: "Revise", Value: []byte(`1`)}, {Name: "LogoParam", Value: []byte(`{"LogoUrl":"https://e.com/l"}`)},
		},
		Drop: []string{"LogoAdd"},
	}
	plan, err := images{}.Generate(t.Context(), up, &provider.ImageRequest{Prompt: "a cat", N: 1, Seed: new(int64(7)), Now: tuesday})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"LogoParam":{"LogoUrl":"https://e.com/l"},"Prompt":"a cat","Revise":1,"Seed":7}`
	if got := bodyOf(t, plan.Steps[0].Request); got != want {
		t.Errorf("body = %s, want %s", got, want)
	}
}

func TestImageRefusals(t *testing.T) {
	t.Parallel()
	type request = provider.ImageRequest
	address := "https://example.com/a.png"
	heavy := "data:image/png;base64," + strings.Repeat("A", 5_999_996)
	tests := map[string]struct {
		in      request
		param   string
		message string // what is in it
	}{
		"no prompt":             {request{}, "prompt", "needs a prompt"},
		"blanks for a prompt":   {request{Prompt: " \n"}, "prompt", "needs a prompt"},
		"too long a prompt":     {request{Prompt: strings.Repeat("猫", 8193)}, "prompt", "at most 8192 characters, not 8193"},
		"a negative prompt":     {request{NegativePrompt: "dogs"}, "negative_prompt", "no negative prompt"},
		"a format":              {request{OutputFormat: "png"}, "output_format", "no choice of formats"},
		"four references":       {request{Images: slices.Repeat([]string{address}, 4)}, "image", "at most 3 reference images, not 4"},
		"a seed of zero":        {request{Seed: new(int64(0))}, "seed", "1 to 4294967295, not 0"},
		"a negative seed":       {request{Seed: new(int64(-1))}, "seed", "1 to 4294967295, not -1"},
		"too large a seed":      {request{Seed: new(int64(1 << 32))}, "seed", "1 to 4294967295"},
		"too wide a size":       {request{Width: 2049, Height: 512}, "size", "1:4 to 4:1"},
		"a size with one side":  {request{Height: 1024}, "size", "1024x1024"},
		"a file that is local":  {request{Images: []string{address, "file:///etc/passwd"}}, "image", "http(s) address or a data URI"},
		"together too large":    {request{Images: []string{heavy, heavy}}, "image", "10485760 bytes; this one has 12000039"},
		"a reference too large": {request{Images: []string{heavy + "AAAA"}}, "image", "5999999 characters in base64; this one has 6000000"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.in.N, tc.in.Now = 1, tuesday
			if tc.in.Prompt == "" && tc.param != "prompt" {
				tc.in.Prompt = "a cat"
			}
			plan, err := images{}.Generate(t.Context(), upstream(), &tc.in)
			if e := refusal(t, err); e.Param != tc.param || !strings.Contains(e.Message, tc.message) || plan != nil {
				t.Errorf("%s: %s; want %s and %q", e.Param, e.Message, tc.param, tc.message)
			}
		})
	}
}

func TestImageOfTheLargestPromptAndReference(t *testing.T) {
	t.Parallel()
	in := &provider.ImageRequest{
		Prompt: strings.Repeat("猫", 8192), N: 1, Now: tuesday, Images: []string{"data:image/webp;base64," + strings.Repeat("A", 5_999_999)},
	}
	if _, err := (images{}).Generate(t.Context(), upstream(), in); err != nil {
		t.Errorf("Generate() error = %v", err)
	}
}

func TestPollImages(t *testing.T) {
	t.Parallel()
	task := provider.Task{ID: "12-34", State: "ap-beijing"}
	step, err := images{}.PollImages(t.Context(), upstream(), &provider.ImageRequest{Now: tuesday}, task)
	if err != nil {
		t.Fatal(err)
	}
	req := step.Request
	const address = "https://aiart.tencentcloudapi.com/"
	if step.Paid || req.Method != http.MethodPost || req.URL.String() != address || bodyOf(t, req) != `{"JobId":"12-34"}` {
		t.Errorf("call = %s %s, paid %v", req.Method, req.URL, step.Paid)
	}
	h := req.Header
	if h.Get("X-TC-Action") != "QueryTextToImageJob" || h.Get("X-TC-Region") != "ap-beijing" ||
		h.Get("X-TC-Timestamp") != timestamp(tuesday) {
		t.Errorf("header = %v", h)
	}
}

func TestPollIsNotChangedByParameters(t *testing.T) {
	t.Parallel()
	up := upstream()
	up.Parameters = provider.Parameters{Overrides: []provider.Parameter{{Name: "LogoAdd", Value: []byte(`1`)}}, Drop: []string{"JobId"}}
	step, err := images{}.PollImages(t.Context(), up, &provider.ImageRequest{Now: tuesday}, provider.Task{ID: "1"})
	if err != nil {
		t.Fatal(err)
	}
	if got := bodyOf(t, step.Request); got != `{"JobId":"1"}` {
		t.Errorf("body = %s", got)
	}
}
