package dashscope

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// key is the credential of the tests. It must not turn up anywhere but in one header.
const key = "sk-0a51c0de51c04a518a510123456789ab"

// upstream is a target of the China region.
func upstream(model string) *provider.Upstream {
	return &provider.Upstream{
		Endpoint: "https://dashscope.aliyuncs.com", Model: model,
		Secrets: map[string]provider.Secret{"api-key": provider.NewSecret(key + "\n")},
		Header:  http.Header{},
	}
}

// bodyOf reads what a request would send.
func bodyOf(t *testing.T, req *http.Request) string {
	t.Helper()
	if req.Body == nil {
		return ""
	}
	raw, err := io.ReadAll(req.Body)
	if err != nil {
		t.Fatal(err)
	}
	if req.ContentLength != int64(len(raw)) {
		t.Errorf("ContentLength = %d, want %d", req.ContentLength, len(raw))
	}
	return string(raw)
}

// checkSubmission checks where a task is submitted, and how.
func checkSubmission(t *testing.T, req *http.Request, path string) {
	t.Helper()
	if got, want := req.Method+" "+req.URL.String(), "POST https://dashscope.aliyuncs.com"+path; got != want {
		t.Errorf("call = %s, want %s", got, want)
	}
	if got := req.Header.Get("X-DashScope-Async"); got != "enable" {
		t.Errorf("X-DashScope-Async = %q, want enable", got)
	}
	if req.Header.Get("Authorization") != "Bearer "+key {
		t.Error("the key is missing")
	}
}

// checkRefusal checks the error of a request that is refused, without anything having been sent.
func checkRefusal(t *testing.T, err error, param, text string) {
	t.Helper()
	e := errorOf(t, err)
	if e.Class != provider.ClassInvalidRequest || e.Status != 0 || e.Param != param || !strings.Contains(e.Message, text) {
		t.Errorf("error = %v, %s: %q; want one of class invalid_request, %s and %q", e, e.Param, e.Message, param, text)
	}
}

// answer is a response with a JSON body.
func answer(status int, body string) *provider.Response {
	return &provider.Response{Status: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}
}

// errorOf returns an error as what it has to be.
func errorOf(t *testing.T, err error) *provider.Error {
	t.Helper()
	e, ok := errors.AsType[*provider.Error](err)
	if !ok {
		t.Fatalf("error = %v, want a *provider.Error", err)
	}
	return e
}

func TestEndpoint(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ endpoint, want string }{
		"a root":                        {"https://dashscope.aliyuncs.com", "https://dashscope.aliyuncs.com/api/v1/x"},
		"a root with a slash":           {"https://dashscope.aliyuncs.com/", "https://dashscope.aliyuncs.com/api/v1/x"},
		"a root with a port":            {"http://127.0.0.1:8080", "http://127.0.0.1:8080/api/v1/x"},
		"a workspace":                   {"https://ws.cn-beijing.maas.aliyuncs.com", "https://ws.cn-beijing.maas.aliyuncs.com/api/v1/x"},
		"the base of an SDK":            {"https://dashscope-intl.aliyuncs.com/api/v1", "https://dashscope-intl.aliyuncs.com/api/v1/x"},
		"another version":               {"https://dashscope.aliyuncs.com/api/v2/", "https://dashscope.aliyuncs.com/api/v2/x"},
		"the base of chat completions":  {"https://dashscope.aliyuncs.com/compatible-mode/v1", "https://dashscope.aliyuncs.com/api/v1/x"},
		"the base with a slash":         {"https://dashscope.aliyuncs.com/compatible-mode/v1/", "https://dashscope.aliyuncs.com/api/v1/x"},
		"the base of another API":       {"https://dashscope.aliyuncs.com/compatible-api/v1", "https://dashscope.aliyuncs.com/api/v1/x"},
		"the base of a plan":            {"https://coding.dashscope.aliyuncs.com/v1", "https://coding.dashscope.aliyuncs.com/api/v1/x"},
		"a proxy that has a path":       {"https://proxy.example.com/qwen", "https://proxy.example.com/qwen/api/v1/x"},
		"a proxy before the base":       {"https://proxy.example.com/a/b/compatible-mode/v1", "https://proxy.example.com/a/b/api/v1/x"},
		"a proxy before the API":        {"https://proxy.example.com/a/api/v1", "https://proxy.example.com/a/api/v1/x"},
		"a version within a word":       {"https://proxy.example.com/qwenv1", "https://proxy.example.com/qwenv1/api/v1/x"},
		"a host that reads like a base": {"https://v1", "https://v1/api/v1/x"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			up := upstream("m")
			up.Endpoint = tc.endpoint
			req, err := newCall(t.Context(), http.MethodGet, "/x", up, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := req.URL.String(); got != tc.want {
				t.Errorf("address = %s, want %s", got, tc.want)
			}
		})
	}
}

func TestHeader(t *testing.T) {
	t.Parallel()
	up := upstream("m")
	up.Header.Set("X-Team", "platform")
	type mark struct{}
	ctx := context.WithValue(t.Context(), mark{}, true)
	req, err := newSubmission(ctx, "/x", up, provider.Body{"a": 1})
	if err != nil {
		t.Fatal(err)
	}
	want := http.Header{
		"Accept": {"application/json"}, "Authorization": {"Bearer " + key}, "Content-Type": {"application/json"},
		"User-Agent": {"vipcloud"}, "X-Dashscope-Async": {"enable"}, "X-Team": {"platform"},
	}
	if diff := cmp.Diff(want, req.Header); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
	if req.Context().Value(mark{}) == nil {
		t.Error("the request does not carry the caller's context")
	}
}

func TestEndpointThatMakesNoURL(t *testing.T) {
	t.Parallel()
	up := upstream("wan2.7-image")
	up.Endpoint = "https://user:hunter2@dash scope.example.com"
	calls := map[string]func() error{
		"images": func() error {
			_, err := Image().Generate(t.Context(), up, &provider.ImageRequest{Prompt: "a cat", N: 1})
			return err
		},
		"images of a task": func() error {
			_, err := Image().PollImages(t.Context(), up, &provider.ImageRequest{}, task())
			return err
		},
		"submit": func() error {
			_, err := Video().SubmitVideo(t.Context(), up, &provider.VideoRequest{Prompt: "a cat"})
			return err
		},
		"poll":   func() error { _, err := Video().Poll(t.Context(), up, task(), tuesday); return err },
		"cancel": func() error { _, err := Video().Cancel(t.Context(), up, task(), tuesday); return err },
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := errorOf(t, call())
			if e.Class != provider.ClassNetwork || strings.Contains(e.Error(), "hunter2") {
				t.Errorf("error = %v, want one of class network that does not show the address", e)
			}
		})
	}
}
