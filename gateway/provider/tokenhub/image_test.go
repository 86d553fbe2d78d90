package tokenhub

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/provider"
)

func TestImageBody(t *testing.T) {
	t.Parallel()
	const (
		plain  = `{"logo_add":0,"model":"hy-image-v3.0",`
		marked = `{"logo_add":1,"model":"hy-image-v3.0",`
	)
	tests := map[string]struct {
		in   provider.ImageRequest
		want string
	}{
		"nothing but a prompt": {want: plain + `"prompt":"a cat"}`},
		"the documented call": {
			in: provider.ImageRequest{Width: 1024, Height: 1024}, want: plain + `"prompt":"a cat","resolution":"1024:1024"}`,
		},
		"a large size": {
			in: provider.ImageRequest{Width: 1536, Height: 1024}, want: plain + `"prompt":"a cat","resolution":"1216:832"}`,
		},
		"bytes are the caller's to fetch": {in: provider.ImageRequest{Base64: true}, want: plain + `"prompt":"a cat"}`},
		"a watermark":                     {in: provider.ImageRequest{Watermark: new(true)}, want: marked + `"prompt":"a cat"}`},
		"no watermark":                    {in: provider.ImageRequest{Watermark: new(false)}, want: plain + `"prompt":"a cat"}`},
		"a negative prompt": {
			in:   provider.ImageRequest{NegativePrompt: "dogs"},
			want: plain + `"negative_prompt":"dogs","prompt":"a cat"}`,
		},
		"a seed": {
			in: provider.ImageRequest{Seed: new(int64(1))}, want: plain + `"prompt":"a cat","revise":0,"seed":1}`,
		},
		"references": {
			in:   provider.ImageRequest{Images: []string{"https://example.com/A.PNG", "data:image/png;base64,QUJD"}},
			want: `{"images":["https://example.com/A.PNG","data:image/png;base64,QUJD"],"logo_add":0,"model":"hy-image-v3.0","prompt":"a cat"}`,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.in.Prompt, tc.in.N = "a cat", 1
			plan, err := Image().Generate(t.Context(), upstream(imageModel), &tc.in)
			if err != nil {
				t.Fatalf("Generate() error = %v", err)
			}
			req := plan.Steps[0].Request
			if got := bodyOf(t, req); got != tc.want {
				t.Errorf("body = %s\nwant   %s", got, tc.want)
			}
			if req.Method != http.MethodPost || req.URL.String() != "https://tokenhub.tencentmaas.com/v1/api/image/submit" {
				t.Errorf("call = %s %s", req.Method, req.URL)
			}
		})
	}
}

func TestImageFanOut(t *testing.T) {
	t.Parallel()
	up := upstream("m")
	up.Parameters = provider.Parameters{
		Overrides: []provider.Parameter{{Name: "resolution", Value: []byte(`"1024x1024"`)}, {Name: "model", Value: []byte(`"hy-image-v4"`)}},
		Drop:      []string{"logo_add"},
	}
	plan, err := Image().Generate(t.Context(), up, &provider.ImageRequest{Prompt: "a cat", N: 3, Width: 2048, Height: 2048})
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Steps) != 3 || plan.Parallel != 1 {
		t.Fatalf("%d steps, %d at a time; want 3, one at a time", len(plan.Steps), plan.Parallel)
	}
	for i, s := range plan.Steps {
		want := `{"model":"hy-image-v4","prompt":"a cat","resolution":"1024x1024"}`
		if got := bodyOf(t, s.Request); got != want || !s.Paid || s.Request.Header.Get("Authorization") != "Bearer "+key {
			t.Errorf("step %d: body = %s, paid %v; want %s", i, got, s.Paid, want)
		}
		replayed, err := s.Request.GetBody()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := io.ReadAll(replayed); err != nil || string(again) != want {
			t.Errorf("step %d: replayed body = %s, %v", i, again, err)
		}
		a, next, err := s.Read(answer(200, `{"id":"251-1","request_id":"r1","object":"image_job","created_at":1774806585,"status":"queued"}`))
		if err != nil || next != nil || a.Task != (provider.Task{ID: "251-1", State: "hy-image-v4"}) || len(a.Images) > 0 {
			t.Errorf("step %d: answer = %+v, %v, %v", i, a, next, err)
		}
	}
}

func TestImageRefusals(t *testing.T) {
	t.Parallel()
	type request = provider.ImageRequest
	tests := map[string]struct {
		in      request
		param   string
		message string // what is in it
	}{
		"no prompt":            {request{}, "prompt", "needs a prompt"},
		"blanks for a prompt":  {request{Prompt: " \n"}, "prompt", "needs a prompt"},
		"a format":             {request{Prompt: "a", OutputFormat: "png"}, "output_format", "no choice of formats"},
		"a seed of zero":       {request{Prompt: "a", Seed: new(int64(0))}, "seed", "1 to 4294967295, not 0"},
		"too large a seed":     {request{Prompt: "a", Seed: new(int64(1 << 32))}, "seed", "1 to 4294967295"},
		"too wide a size":      {request{Prompt: "a", Width: 2049, Height: 512}, "size", "1:4 to 4:1"},
		"a size with one side": {request{Prompt: "a", Height: 1024}, "size", "1024x1024"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.in.N = 1
			plan, err := Image().Generate(t.Context(), upstream(imageModel), &tc.in)
			if e := refusal(t, err); e.Param != tc.param || !strings.Contains(e.Message, tc.message) || plan != nil {
				t.Errorf("%s: %s; want %s and %q", e.Param, e.Message, tc.param, tc.message)
			}
		})
	}
}

func TestReferencesStayTheClients(t *testing.T) {
	t.Parallel()
	in := &provider.ImageRequest{Images: []string{"https://example.com/a.png"}, Prompt: "a"}
	body, err := imageBody(imageModel, in)
	if err != nil {
		t.Fatal(err)
	}
	in.Images[0] = "changed"
	if got, ok := body["images"].([]string); !ok || !slices.Equal(got, []string{"https://example.com/a.png"}) {
		t.Errorf("images = %v", body["images"])
	}
}

func TestReadImages(t *testing.T) {
	t.Parallel()
	task := provider.Task{ID: "251-1", State: imageModel}
	image := func(name, prompt string) provider.ImageResult {
		return provider.ImageResult{URL: "https://f.example.com/" + name, Lifetime: time.Hour, RevisedPrompt: prompt}
	}
	failed := func(class provider.Class, code, message string) []provider.ImageResult {
		return []provider.ImageResult{{Failure: &provider.Error{Class: class, Status: 200, Code: code, Message: message, RequestID: "r1"}}}
	}
	missing := provider.ImageResult{Failure: provider.BadResponse(200, "no_image", "An image of the answer is missing.")}
	nothing := []provider.ImageResult{{Failure: provider.BadResponse(200, "no_images", "The task is completed and has made no images.")}}
	tests := map[string]struct {
		status, members string
		want            []provider.ImageResult // nil: the task goes on
	}{
		"waiting":                  {"queued", `"data":null`, nil},
		"waiting, in another word": {"pending", `"data":[]`, nil},
		"running":                  {"in_progress", `"data":[{"url":"https://f.example.com/a"}]`, nil},
		"a word that nobody knows": {"pondering", `"data":[]`, nil},
		"completed": {
			"completed", `"data":[{"url":"https://f.example.com/a","revised_prompt":"a fine cat"}],"usage":{"credits":0.2}`,
			[]provider.ImageResult{image("a", "a fine cat")},
		},
		"capitals":                  {"Completed", `"data":[{"url":"https://f.example.com/a"}]`, []provider.ImageResult{image("a", "")}},
		"an object in place of one": {"completed", `"data":{"url":"https://f.example.com/a"}`, []provider.ImageResult{image("a", "")}},
		"one of several": {
			"completed", `"data":[{"url":""},{"url":"https://f.example.com/b"},null,{"url":"ftp://f.example.com/c"}]`,
			[]provider.ImageResult{missing, image("b", ""), missing, missing},
		},
		"completed, and nothing":  {"completed", `"data":[]`, nothing},
		"completed, and a text":   {"completed", `"data":"https://f.example.com/a"`, nothing},
		"completed, and an error": {"completed", `"error":{"code":"451001","message":"no"}`, failed(provider.ClassModeration, "451001", "no")},
		"failed":                  {"failed", `"error":{"code":"500001","message":"oh"}`, failed(provider.ClassServerError, "500001", "oh")},
		"failed by the content":   {"failed", `"error":{"code":451001,"message_zh":"不"}`, failed(provider.ClassModeration, "451001", "不")},
		"failed for no reason":    {"failed", `"error":null`, failed(provider.ClassServerError, "task_failed", "OK")},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := provider.ImageAnswer{Images: tc.want}
			if tc.want == nil {
				want.Task = task
			}
			for _, i := range tc.want {
				if i.Failure == nil {
					want.Usage.Images++
				}
			}
			got, err := readImages(answer(200, `{"request_id":"r1","object":"image_job","status":"`+tc.status+`",`+tc.members+`}`), task)
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("error = %v, answer (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestImageTaskThatIsNotKnown(t *testing.T) {
	t.Parallel()
	got, err := readImages(answer(404, `{"error":{"code":"404001","message":"no task"},"request_id":"r1"}`), provider.Task{ID: "1"})
	want := provider.ImageAnswer{Images: []provider.ImageResult{{Failure: &provider.Error{
		Class: provider.ClassServerError, Status: 404, Code: "404001", Message: "no task", RequestID: "r1",
	}}}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("error = %v, answer (-want +got):\n%s", err, diff)
	}
}
