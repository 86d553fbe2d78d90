package tencent

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

// The credential of the tests. The key must not turn up anywhere.
const (
	secretID  = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE"
	secretKey = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"
)

// tuesday is the time of calls.
var tuesday = time.Date(2026, time.November, 24, 8, 0, 0, 0, time.UTC)

// upstream is a target at the vendor's own address.
func upstream() *provider.Upstream {
	return &provider.Upstream{
		Endpoint: "https://tencentcloudapi.com", Model: "hunyuan",
		Secrets: map[string]provider.Secret{
			"access-key": provider.NewSecret(" " + secretID + "\n"), "secret-key": provider.NewSecret(secretKey + "\n"),
		},
		Header: http.Header{},
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

// respond is a successful answer with these members in its Response.
func respond(members string) *provider.Response {
	return answer(http.StatusOK, `{"Response":{`+members+`}}`)
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

// call makes a call of the tests.
func call(t *testing.T, up *provider.Upstream, region string) *http.Request {
	t.Helper()
	req, err := newCall(t.Context(), up, queryImage(), region, provider.Body{"JobId": "1"}, tuesday)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func TestEndpoint(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ endpoint, want string }{
		"the vendor's domain":              {"https://tencentcloudapi.com", "https://aiart.tencentcloudapi.com/"},
		"the domain with a slash":          {"https://tencentcloudapi.com/", "https://aiart.tencentcloudapi.com/"},
		"the domain in capitals":           {"https://TencentCloudAPI.com", "https://aiart.TencentCloudAPI.com/"},
		"the domain with a port":           {"https://tencentcloudapi.com:443", "https://aiart.tencentcloudapi.com:443/"},
		"a product's host":                 {"https://aiart.tencentcloudapi.com", "https://aiart.tencentcloudapi.com/"},
		"a host of a region":               {"https://aiart.ap-guangzhou.tencentcloudapi.com", "https://aiart.ap-guangzhou.tencentcloudapi.com/"},
		"a proxy":                          {"http://127.0.0.1:8080", "http://127.0.0.1:8080/"},
		"a proxy with a path":              {"https://proxy.example.com/tencent/", "https://proxy.example.com/tencent/"},
		"a host that ends like the domain": {"https://nottencentcloudapi.com", "https://nottencentcloudapi.com/"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			up := upstream()
			up.Endpoint = tc.endpoint
			if got := call(t, up, "").URL.String(); got != tc.want {
				t.Errorf("address = %s, want %s", got, tc.want)
			}
		})
	}
}

func TestHeader(t *testing.T) {
	t.Parallel()
	up := upstream()
	up.Header.Set("X-Team", "platform")
	up.Header.Set("X-TC-Action", "DeleteEverything")
	type mark struct{}
	ctx := context.WithValue(t.Context(), mark{}, true)
	req, err := newCall(ctx, up, queryImage(), "", provider.Body{"JobId": "1"}, tuesday)
	if err != nil {
		t.Fatal(err)
	}
	want := http.Header{
		"Accept": {"application/json"}, "Content-Type": {"application/json"}, "User-Agent": {"vipcloud"}, "X-Team": {"platform"},
		"X-Tc-Action": {"QueryTextToImageJob"}, "X-Tc-Language": {"en-US"}, "X-Tc-Region": {"ap-guangzhou"},
		"X-Tc-Timestamp": {"1795507200"}, "X-Tc-Version": {"2022-12-29"},
		"Authorization": {"TC3-HMAC-SHA256 Credential=" + secretID + "/2026-11-24/aiart/tc3_request, " +
			"SignedHeaders=content-type;host;x-tc-action, Signature=7434a05418732f33df64d2e8d3ef28d8bb6c076324a5dd5bf54dea92b5b3285e"},
	}
	if diff := cmp.Diff(want, req.Header); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
	if req.Context().Value(mark{}) == nil || req.Method != http.MethodPost || bodyOf(t, req) != `{"JobId":"1"}` {
		t.Error("the request is no POST of the body, or does not carry the caller's context")
	}
}

func TestRegion(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ header, task, region, language, wantRegion, wantLanguage string }{
		"the default":                            {wantRegion: "ap-guangzhou", wantLanguage: "en-US"},
		"the admin's":                            {header: "ap-beijing", language: "zh-CN", wantRegion: "ap-beijing", wantLanguage: "zh-CN"},
		"a task's":                               {task: "ap-shanghai", wantRegion: "ap-shanghai", wantLanguage: "en-US"},
		"a task's, made before the admin's word": {header: "ap-beijing", task: "ap-shanghai", wantRegion: "ap-shanghai", wantLanguage: "en-US"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			up := upstream()
			if tc.header != "" {
				up.Header.Set("X-TC-Region", tc.header)
			}
			if tc.language != "" {
				up.Header.Set("X-TC-Language", tc.language)
			}
			h := call(t, up, tc.task).Header
			if got := h.Values("X-TC-Region"); len(got) != 1 || got[0] != tc.wantRegion || h.Get("X-TC-Language") != tc.wantLanguage {
				t.Errorf("region %q, language %q; want %q, %q", got, h.Get("X-TC-Language"), tc.wantRegion, tc.wantLanguage)
			}
		})
	}
}

func TestCredentialThatIsNotWholeSignsNothing(t *testing.T) {
	t.Parallel()
	for name, missing := range map[string]string{"no id": "access-key", "no key": "secret-key"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			up := upstream()
			delete(up.Secrets, missing)
			if got := call(t, up, "").Header.Get("Authorization"); got != "" {
				t.Errorf("Authorization = %s, want none", got)
			}
		})
	}
}

func TestEndpointThatMakesNoURL(t *testing.T) {
	t.Parallel()
	up := upstream()
	up.Endpoint = "https://user:hunter2@tencent cloudapi.com"
	calls := map[string]func() error{
		"images": func() error {
			_, err := images{}.Generate(t.Context(), up, &provider.ImageRequest{Prompt: "a cat", N: 1})
			return err
		},
		"images, poll": func() error {
			_, err := images{}.PollImages(t.Context(), up, &provider.ImageRequest{}, provider.Task{ID: "1"})
			return err
		},
		"submit": func() error {
			_, err := videos{}.SubmitVideo(t.Context(), up, &provider.VideoRequest{Prompt: "a cat"})
			return err
		},
		"poll": func() error { _, err := videos{}.Poll(t.Context(), up, provider.Task{ID: "1"}, tuesday); return err },
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

func TestAdapter(t *testing.T) {
	t.Parallel()
	a := Adapter()
	want := provider.Info{
		Name: "Tencent", Regions: []provider.Region{{Name: "cn", Endpoint: "https://tencentcloudapi.com"}},
		Entries: [][]string{{"access-key", "secret-key"}}, Modalities: []provider.Modality{"Image", "Video"},
	}
	if diff := cmp.Diff(want, a.Info); diff != "" {
		t.Errorf("info (-want +got):\n%s", diff)
	}
	if a.Image == nil || a.Video == nil || a.Chat != nil || a.Speech != nil || a.Music != nil {
		t.Errorf("capabilities = %+v", a)
	}
}
