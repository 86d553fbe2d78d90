package ark

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
const key = "0a51c0de-51c0-4a51-8a51-0123456789ab"

// upstream is a target of the China region.
func upstream(model string) *provider.Upstream {
	return &provider.Upstream{
		Endpoint: "https://ark.cn-beijing.volces.com", Model: model,
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

// refusal returns the error of a request that is refused, without anything having been sent.
func refusal(t *testing.T, err error) *provider.Error {
	t.Helper()
	e, ok := errors.AsType[*provider.Error](err)
	if !ok || e.Class != provider.ClassInvalidRequest {
		t.Fatalf("error = %v, want one of class invalid_request", err)
	}
	return e
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
		"a root":                         {"https://ark.cn-beijing.volces.com", "https://ark.cn-beijing.volces.com/api/v3/x"},
		"a root with a slash":            {"https://ark.cn-beijing.volces.com/", "https://ark.cn-beijing.volces.com/api/v3/x"},
		"a root with a port":             {"http://127.0.0.1:8080", "http://127.0.0.1:8080/api/v3/x"},
		"a base as an SDK takes it":      {"https://ark.example.com/api/v3", "https://ark.example.com/api/v3/x"},
		"another version":                {"https://ark.example.com/api/v12/", "https://ark.example.com/api/v12/x"},
		"a plan":                         {"https://ark.example.com/api/coding/v3", "https://ark.example.com/api/coding/v3/x"},
		"a proxy that has a path":        {"https://proxy.example.com/ark", "https://proxy.example.com/ark/api/v3/x"},
		"a version within a word":        {"https://proxy.example.com/arkv3", "https://proxy.example.com/arkv3/api/v3/x"},
		"a host that reads like version": {"https://v3", "https://v3/api/v3/x"},
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
	req, err := newCall(ctx, http.MethodPost, "/x", up, provider.Body{"a": 1})
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
	if req.Context().Value(mark{}) == nil {
		t.Error("the request does not carry the caller's context")
	}
}

func TestEndpointThatMakesNoURL(t *testing.T) {
	t.Parallel()
	up := upstream("seedream-4-5-251128")
	up.Endpoint = "https://user:hunter2@ark example.com"
	calls := map[string]func() error{
		"images": func() error {
			_, err := Image().Generate(t.Context(), up, &provider.ImageRequest{Prompt: "a cat", N: 1})
			return err
		},
		"submit": func() error {
			_, err := Video().SubmitVideo(t.Context(), up, &provider.VideoRequest{Prompt: "a cat"})
			return err
		},
		"poll": func() error { _, err := Video().Poll(t.Context(), up, provider.Task{ID: "cgt-1"}, tuesday); return err },
		"cancel": func() error {
			_, err := Video().Cancel(t.Context(), up, provider.Task{ID: "cgt-1"}, tuesday)
			return err
		},
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
