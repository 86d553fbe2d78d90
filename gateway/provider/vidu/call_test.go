package vidu

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
const key = "vda_0a51c0de51c04a51"

// tuesday is a time to ask at.
var tuesday = time.Date(2026, time.November, 24, 8, 0, 0, 0, time.UTC)

// upstream is a target of the China region.
func upstream(model string) *provider.Upstream {
	return &provider.Upstream{
		Endpoint: "https://api.vidu.cn", Model: model, Header: http.Header{},
		Secrets: map[string]provider.Secret{"api-key": provider.NewSecret(key + "\n")},
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

func TestInfo(t *testing.T) {
	t.Parallel()
	want := provider.Info{
		Name:    "Vidu",
		Regions: []provider.Region{{Name: "cn", Endpoint: "https://api.vidu.cn"}, {Name: "intl", Endpoint: "https://api.vidu.com"}},
		Entries: [][]string{{"api-key"}}, Modalities: []provider.Modality{"Video"},
	}
	if diff := cmp.Diff(want, Adapter().Info); diff != "" {
		t.Errorf("info (-want +got):\n%s", diff)
	}
}

func TestHeader(t *testing.T) {
	t.Parallel()
	up := upstream("viduq3-pro")
	up.Endpoint += "/"
	up.Header.Set("X-Team", "platform")
	type mark struct{}
	ctx := context.WithValue(t.Context(), mark{}, true)
	req, err := newCall(ctx, http.MethodPost, "/x", up, provider.Body{"a": 1})
	if err != nil {
		t.Fatal(err)
	}
	want := http.Header{
		"Accept": {"application/json"}, "Authorization": {"Token " + key}, "Content-Type": {"application/json"},
		"User-Agent": {"vipcloud"}, "X-Team": {"platform"},
	}
	if diff := cmp.Diff(want, req.Header); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
	if got := req.URL.String(); got != "https://api.vidu.cn/ent/v2/x" || req.Context().Value(mark{}) == nil {
		t.Errorf("address = %s, and the caller's context is carried: %v", got, req.Context().Value(mark{}) != nil)
	}
}

func TestEndpointThatMakesNoURL(t *testing.T) {
	t.Parallel()
	up := upstream("viduq3-pro")
	up.Endpoint = "https://user:hunter2@vidu example.com"
	video := Adapter().Video
	calls := map[string]func() error{
		"submit": func() error {
			_, err := video.SubmitVideo(t.Context(), up, &provider.VideoRequest{Prompt: "a cat"})
			return err
		},
		"poll":   func() error { _, err := video.Poll(t.Context(), up, provider.Task{ID: "1"}, tuesday); return err },
		"cancel": func() error { _, err := video.Cancel(t.Context(), up, provider.Task{ID: "1"}, tuesday); return err },
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
