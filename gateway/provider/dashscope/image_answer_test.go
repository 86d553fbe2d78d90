package dashscope

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// succeeded is the answer of a task that has succeeded.
func succeeded(output, usage string) string {
	return `{"request_id":"r-1","output":{"task_id":"a-1","task_status":"SUCCEEDED","finished":true,` + output + `},"usage":` + usage + `}`
}

// choice is a choice with so many images, of which the addresses end with the words.
func choice(words ...string) string {
	items := make([]string, len(words))
	for i, w := range words {
		items[i] = `{"type":"image","image":"https://f.example.com/` + w + `"}`
	}
	return `{"finish_reason":"stop","message":{"role":"assistant","content":[` + strings.Join(items, ",") + `]}}`
}

func TestReadImages(t *testing.T) {
	t.Parallel()
	image := func(word, extent string) provider.ImageResult {
		return provider.ImageResult{URL: "https://f.example.com/" + word, Lifetime: 24 * time.Hour, Size: extent}
	}
	failures := func(e *provider.Error, n int) []provider.ImageResult {
		var all []provider.ImageResult
		for range n {
			all = append(all, provider.ImageResult{Failure: e})
		}
		return all
	}
	none := provider.BadResponse(200, "no_image", "An image of the answer is missing.")
	fewer := provider.BadResponse(200, "missing_image", "The vendor has made fewer images than asked for, and does not say why.")
	three := []provider.ImageResult{image("a", "1024x768"), image("b", "1024x768"), image("c", "1024x768")}
	counted := provider.Usage{Known: true, Images: 3, PromptTokens: 5, CompletionTokens: 7}
	const usage = `{"image_count":3,"size":"1024*768","input_tokens":5,"output_tokens":7,"total_tokens":12}`
	tests := map[string]struct {
		body string
		want provider.ImageAnswer
	}{
		"an image for each choice": {
			succeeded(`"choices":[`+choice("a")+","+choice("b")+","+choice("c")+`]`, usage),
			provider.ImageAnswer{Images: three, Usage: counted},
		},
		"all images in one choice": {
			succeeded(`"choices":[`+choice("a", "b", "c")+`]`, usage),
			provider.ImageAnswer{Images: three, Usage: counted},
		},
		"some in one and some in another, and texts between": {
			succeeded(`"choices":[`+choice("a", "b")+
				`,{"message":{"content":[{"text":"hm"}]}},{"message":{"content":"hm"}},`+choice("c")+`]`, usage),
			provider.ImageAnswer{Images: three, Usage: counted},
		},
		"more than asked for": {
			succeeded(`"choices":[`+choice("a", "b", "c", "d")+`]`, `{"image_count":4}`),
			provider.ImageAnswer{
				Images: []provider.ImageResult{image("a", ""), image("b", ""), image("c", ""), image("d", "")},
				Usage:  provider.Usage{Known: true, Images: 4},
			},
		},
		"fewer than asked for": {
			succeeded(`"choices":[`+choice("a")+`]`, `{"image_count":1,"size":"1K"}`),
			provider.ImageAnswer{
				Images: append([]provider.ImageResult{image("a", "")}, failures(fewer, 2)...), Usage: provider.Usage{Known: true, Images: 1},
			},
		},
		"fewer than asked for, with a reason": {
			succeeded(`"code":"DataInspectionFailed","message":"No.","choices":[`+choice("a", "b")+`]`, `{"image_count":2}`),
			provider.ImageAnswer{
				Images: []provider.ImageResult{image("a", ""), image("b", ""), {Failure: &provider.Error{
					Class: provider.ClassModeration, Status: 200, Code: "DataInspectionFailed", Message: "No.", RequestID: "r-1",
				}}},
				Usage: provider.Usage{Known: true, Images: 2},
			},
		},
		"counted, but not there": {
			succeeded(`"choices":[]`, `{"image_count":3}`),
			provider.ImageAnswer{Images: failures(fewer, 3), Usage: provider.Usage{Known: true}},
		},
		"not even choices": {
			succeeded(`"x":1`, `null`),
			provider.ImageAnswer{Images: failures(fewer, 3)},
		},
		"addresses that are none": {
			succeeded(`"choices":[{"message":{"content":[{"image":"ftp://f.example.com/a"},{"image":null},{"image":{"url":"x"}}]}}]`, `{}`),
			provider.ImageAnswer{Images: failures(none, 3)},
		},
		"the older form": {
			succeeded(`"results":[{"orig_prompt":"a cat","actual_prompt":"a fine cat","url":"https://f.example.com/a"},`+
				`{"code":"InternalError.Algo","message":"oh"},{"url":"https://f.example.com/c"}],`+
				`"task_metrics":{"TOTAL":3,"SUCCEEDED":2,"FAILED":1}`, `{"image_count":2}`),
			provider.ImageAnswer{
				Images: []provider.ImageResult{
					{URL: "https://f.example.com/a", Lifetime: 24 * time.Hour, RevisedPrompt: "a fine cat"},
					{Failure: &provider.Error{Status: 200, Code: "InternalError.Algo", Message: "oh"}},
					image("c", ""),
				},
				Usage: provider.Usage{Known: true, Images: 2},
			},
		},
		"elements of the older form that are none": {
			succeeded(`"results":[null,{"message":"oh"},"text"]`, `{"image_count":0}`),
			provider.ImageAnswer{Images: failures(none, 3), Usage: provider.Usage{Known: true}},
		},
		"usage that is not told": {
			succeeded(`"choices":[`+choice("a", "b", "c")+`]`, `{"size":"1024*768"}`),
			provider.ImageAnswer{Images: three, Usage: provider.Usage{Images: 3}},
		},
		"usage as text": {
			succeeded(`"choices":[`+choice("a", "b", "c")+`]`,
				`{"image_count":"3","input_tokens":"5.0","output_tokens":7.2,"size":"1024*768"}`),
			provider.ImageAnswer{Images: three, Usage: counted},
		},
		"usage that cannot be": {
			succeeded(`"choices":[`+choice("a", "b", "c")+`]`, `{"image_count":-1,"input_tokens":5,"size":"1024*768"}`),
			provider.ImageAnswer{Images: three, Usage: provider.Usage{Images: 3}},
		},
		"more counted than there is, and tokens that cannot be": {
			succeeded(`"choices":[`+choice("a", "b", "c")+`]`,
				`{"image_count":2e9,"input_tokens":1e300,"output_tokens":-7,"size":"1024*768"}`),
			provider.ImageAnswer{Images: three, Usage: provider.Usage{Known: true, Images: 3}},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := readImages(answer(http.StatusOK, tc.body), task())
			if err != nil {
				t.Fatalf("Read() error = %v", err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadImagesOfATaskThatHasNone(t *testing.T) {
	t.Parallel()
	running := provider.ImageAnswer{Task: task()}
	failed := func(e provider.Error) provider.ImageAnswer {
		e.Status = http.StatusOK
		return provider.ImageAnswer{Images: []provider.ImageResult{{Failure: &e}, {Failure: &e}, {Failure: &e}}}
	}
	cancelled := failed(provider.Error{Code: "task_cancelled", Message: "The task was cancelled."})
	tests := map[string]struct {
		output string
		want   provider.ImageAnswer
	}{
		"queued":                  {`"task_status":"PENDING"`, running},
		"running":                 {`"task_status":"RUNNING"`, running},
		"in a state nobody knows": {`"task_status":"SUSPENDED"`, running},
		"in small letters":        {`"task_status":"running"`, running},
		"failed for a reason": {`"task_status":"FAILED","code":"InvalidURL","message":"No."`, failed(provider.Error{
			Class: provider.ClassInvalidRequest, Code: "InvalidURL", Message: "No.", RequestID: "r-1",
		})},
		"failed without a message": {`"task_status":"FAILED","code":"InternalError"`, failed(provider.Error{
			Code: "InternalError", RequestID: "r-1",
		})},
		"failed without any reason": {`"task_status":"FAILED"`, failed(provider.Error{Code: "task_failed", RequestID: "r-1"})},
		"cancelled":                 {`"task_status":"CANCELED"`, cancelled},
		"cancelled with two L":      {`"task_status":"CANCELLED"`, cancelled},
		"unknown": {`"task_status":"UNKNOWN"`, failed(provider.Error{
			Code: "unknown_task", Message: "The vendor does not know the task, or no longer.",
		})},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := readImages(answer(http.StatusOK, `{"request_id":"r-1","output":{"task_id":"a-1",`+tc.output+`}}`), task())
			if err != nil {
				t.Fatalf("Read() error = %v", err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

// The number of images of a task is what the submission said, and at least one whatever became of that.
func TestImagesOfAStateThatWasLost(t *testing.T) {
	t.Parallel()
	for state, want := range map[string]int{"": 1, "x": 1, "0": 1, "-3": 1, "2": 2, "4": 4, "1000000000": 4} {
		got, err := readImages(answer(http.StatusOK, `{"output":{"task_status":"FAILED"}}`), provider.Task{ID: "a-1", State: state})
		if err != nil || len(got.Images) != want {
			t.Errorf("State %q: %d failures, %v; want %d", state, len(got.Images), err, want)
		}
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	t.Parallel()
	for body, code := range map[string]string{
		``: "not_json", `null`: "not_json", `[]`: "not_json", `<html>`: "not_json", `{"output":`: "not_json", "\xff": "not_json",
		`{"a":1}{"b":2}`: "not_json", `{}`: "no_", `{"output":null}`: "no_", `{"output":[]}`: "no_",
		`{"output":{"task_status":5,"task_id":7}}`:   "no_",
		`{"output":{"task_status":"","task_id":""}}`: "no_", `{"output":{"task_id":"with a space"}}`: "no_",
	} {
		t.Run(body, func(t *testing.T) {
			t.Parallel()
			for name, err := range readAll(answer(http.StatusOK, body)) {
				if e := errorOf(t, err); e.Class != provider.ClassBadResponse || e.Status != http.StatusOK || !strings.HasPrefix(e.Code, code) {
					t.Errorf("%s: error = %v, want one of class bad_response, code %s", name, e, code)
				}
			}
		})
	}
}
