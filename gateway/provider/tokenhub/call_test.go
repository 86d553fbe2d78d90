package tokenhub

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// key is the credential of the tests. It must not turn up anywhere but in one header.
const key = "sk-0123456789abcdef0123456789abcdef"

// The vendor's models.
const (
	imageModel = "hy-image-v3.0"
	clipModel  = "hy-video-1.5"
)

// tuesday is a time to ask at.
var tuesday = time.Date(2026, time.November, 24, 8, 0, 0, 0, time.UTC)

// upstream is a target at the vendor's own address.
func upstream(model string) *provider.Upstream {
	return &provider.Upstream{
		Endpoint: "https://tokenhub.tencentmaas.com", Model: model,
		Secrets: map[string]provider.Secret{"api-key": provider.NewSecret(key + "\n")}, Header: http.Header{},
	}
}

// bodyOf reads what a request would send.
func bodyOf(t *testing.T, req *http.Request) string {
	t.Helper()
	raw, err := io.ReadAll(req.Body)
	if err != nil {
		t.Fatal(err)
	}
	if req.ContentLength != int64(len(raw)) {
		t.Errorf("ContentLength = %d, want %d", req.ContentLength, len(raw))
	}
	return string(raw)
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

// refusal returns the error of a request that is refused, without anything having been sent.
func refusal(t *testing.T, err error) *provider.Error {
	t.Helper()
	e := errorOf(t, err)
	if e.Class != provider.ClassInvalidRequest {
		t.Fatalf("error = %v, want one of class invalid_request", err)
	}
	return e
}

func TestEndpoint(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ endpoint, want string }{
		"a root":                         {"https://tokenhub.tencentmaas.com", "https://tokenhub.tencentmaas.com/v1/x"},
		"a root with a slash":            {"https://tokenhub.tencentmaas.com/", "https://tokenhub.tencentmaas.com/v1/x"},
		"a root with a port":             {"http://127.0.0.1:8080", "http://127.0.0.1:8080/v1/x"},
		"a base as an SDK takes it":      {"https://tokenhub-intl.tencentmaas.com/v1/", "https://tokenhub-intl.tencentmaas.com/v1/x"},
		"another version":                {"https://tokenhub.example.com/v12", "https://tokenhub.example.com/v12/x"},
		"a proxy that has a path":        {"https://proxy.example.com/hub", "https://proxy.example.com/hub/v1/x"},
		"a version within a word":        {"https://proxy.example.com/hubv1", "https://proxy.example.com/hubv1/v1/x"},
		"a host that reads like version": {"https://v1", "https://v1/v1/x"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			up := upstream("m")
			up.Endpoint = tc.endpoint
			req, err := newCall(t.Context(), "/x", up, provider.Body{})
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
	req, err := newCall(ctx, "/x", up, provider.Body{"a": 1})
	if err != nil {
		t.Fatal(err)
	}
	want := http.Header{
		"Accept": {"application/json"}, "Authorization": {"Bearer " + key}, "Content-Type": {"application/json"},
		"User-Agent": {"vipcloud"}, "X-Team": {"platform"},
	}
	if diff := cmp.Diff(want, req.Header); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
	if req.Context().Value(mark{}) == nil || req.Method != http.MethodPost {
		t.Error("the request is no POST, or does not carry the caller's context")
	}
}

func TestQuery(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		task provider.Task
		want string
	}{
		"the model that made the task": {provider.Task{ID: "a/1", State: "hy-older"}, `{"id":"a/1","model":"hy-older"}`},
		"a task without a model":       {provider.Task{ID: "a/1"}, `{"id":"a/1","model":"hy-video-1.5"}`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			up := upstream(clipModel)
			up.Parameters = provider.Parameters{Overrides: []provider.Parameter{{Name: "logo_add", Value: []byte(`1`)}}, Drop: []string{"id"}}
			image, err := Image().PollImages(t.Context(), up, &provider.ImageRequest{}, tc.task)
			if err != nil {
				t.Fatal(err)
			}
			video, err := Video().Poll(t.Context(), up, tc.task, tuesday)
			if err != nil {
				t.Fatal(err)
			}
			for path, req := range map[string]*http.Request{"image": image.Request, "video": video.Request} {
				const root = "https://tokenhub.tencentmaas.com/v1/api/"
				if got := bodyOf(t, req); got != tc.want || req.URL.String() != root+path+"/query" || req.Method != http.MethodPost {
					t.Errorf("call = %s %s %s, want %s", req.Method, req.URL, got, tc.want)
				}
			}
			if image.Paid || video.Paid {
				t.Error("a query is paid")
			}
		})
	}
}

func TestEndpointThatMakesNoURL(t *testing.T) {
	t.Parallel()
	up := upstream(imageModel)
	up.Endpoint = "https://user:hunter2@token hub.example.com"
	calls := map[string]func() error{
		"images": func() error {
			_, err := Image().Generate(t.Context(), up, &provider.ImageRequest{Prompt: "a cat", N: 1})
			return err
		},
		"images, query": func() error {
			_, err := Image().PollImages(t.Context(), up, &provider.ImageRequest{}, provider.Task{ID: "1"})
			return err
		},
		"submit": func() error {
			_, err := Video().SubmitVideo(t.Context(), up, &provider.VideoRequest{Prompt: "a cat"})
			return err
		},
		"query": func() error { _, err := Video().Poll(t.Context(), up, provider.Task{ID: "1"}, tuesday); return err },
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

func TestCancelDoesNotExist(t *testing.T) {
	t.Parallel()
	if step, err := Video().Cancel(t.Context(), upstream(clipModel), provider.Task{ID: "1"}, tuesday); step != nil || err != nil {
		t.Errorf("Cancel() = %v, %v; want nothing", step, err)
	}
}
