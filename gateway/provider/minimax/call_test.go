package minimax

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
const key = "sk-api-0a51c0de51c04a518a51"

// tuesday is a time to ask at.
var tuesday = time.Date(2026, time.November, 24, 8, 0, 0, 0, time.UTC)

// upstream is a target of the China site.
func upstream(model string) *provider.Upstream {
	return &provider.Upstream{
		Endpoint: "https://api.minimaxi.com", Model: model,
		Secrets: map[string]provider.Secret{"api-key": provider.NewSecret(key + "\n")},
		Header:  http.Header{},
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

// refusal returns the error of a request that is refused, without anything having been sent.
func refusal(t *testing.T, err error) *provider.Error {
	t.Helper()
	e := errorOf(t, err)
	if e.Class != provider.ClassInvalidRequest || e.Status != 0 {
		t.Fatalf("error = %v, want one of class invalid_request without a status", err)
	}
	return e
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

// answer is a response with a JSON body.
func answer(status int, body string) *provider.Response {
	return &provider.Response{Status: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}
}

// override is an admin's last word on a member.
func override(name, value string) provider.Parameters {
	return provider.Parameters{Overrides: []provider.Parameter{{Name: name, Value: []byte(value)}}}
}

// drop takes a member away.
func drop(name string) provider.Parameters { return provider.Parameters{Drop: []string{name}} }

func TestEndpoint(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ endpoint, want string }{
		"a root":                         {"https://api.minimax.io", "https://api.minimax.io/v1/x"},
		"a root with a slash":            {"https://api.minimax.io/", "https://api.minimax.io/v1/x"},
		"a root with a port":             {"http://127.0.0.1:8080", "http://127.0.0.1:8080/v1/x"},
		"a base as an SDK takes it":      {"https://api.minimaxi.com/v1", "https://api.minimaxi.com/v1/x"},
		"a proxy that has a path":        {"https://proxy.example.com/minimax", "https://proxy.example.com/minimax/v1/x"},
		"a proxy that has a version":     {"https://proxy.example.com/minimax/v1/", "https://proxy.example.com/minimax/v1/x"},
		"a host that reads like version": {"https://v1", "https://v1/v1/x"},
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
	up := upstream("speech-02-hd")
	up.Endpoint = "https://user:hunter2@api minimax io"
	calls := map[string]func() error{
		"speech": func() error {
			_, err := Speech().NewRequest(t.Context(), up, &provider.SpeechRequest{Input: "a", Voice: "b", Format: "mp3", Speed: 1})
			return err
		},
		"submit": func() error {
			_, err := Video().SubmitVideo(t.Context(), up, &provider.VideoRequest{Prompt: "a cat"})
			return err
		},
		"poll": func() error { _, err := Video().Poll(t.Context(), up, provider.Task{ID: "1"}, tuesday); return err },
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
