package mureka

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
const key = "op_0a51c0de51c04a51"

// tuesday is a time to ask at.
var tuesday = time.Date(2026, time.November, 24, 8, 0, 0, 0, time.UTC)

// upstream is a target of the platform.
func upstream(model string) *provider.Upstream {
	return &provider.Upstream{
		Endpoint: "https://api.mureka.cn", Model: model, Header: http.Header{}, Protocol: "Platform",
		Secrets: map[string]provider.Secret{"api-key": provider.NewSecret(key + "\n")},
	}
}

// skywork is a target of the other door.
func skywork(model string) *provider.Upstream {
	up := upstream(model)
	up.Endpoint, up.Protocol = "https://api.skyworkmodel.ai/", "Skywork"
	return up
}

// submit makes the submission of a request.
func submit(t *testing.T, up *provider.Upstream, in provider.MusicRequest) *provider.Submission {
	t.Helper()
	in.N, in.Now = max(in.N, 1), tuesday
	got, err := Adapter().Music.SubmitMusic(t.Context(), up, &in)
	if err != nil {
		t.Fatalf("SubmitMusic() error = %v", err)
	}
	return got
}

// call is what a request says: method, address and body.
func call(t *testing.T, req *http.Request) string {
	t.Helper()
	text := req.Method + " " + req.URL.String()
	if req.Body == nil {
		return text
	}
	raw, err := io.ReadAll(req.Body)
	if err != nil {
		t.Fatal(err)
	}
	if req.ContentLength != int64(len(raw)) {
		t.Errorf("ContentLength = %d, want %d", req.ContentLength, len(raw))
	}
	return text + " " + string(raw)
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
		Name:    "Mureka",
		Regions: []provider.Region{{Name: "cn", Endpoint: "https://api.mureka.cn"}, {Name: "intl", Endpoint: "https://api.mureka.ai"}},
		Entries: [][]string{{"api-key"}}, Protocols: []string{"Platform", "Skywork"}, Modalities: []provider.Modality{"Music"},
	}
	if diff := cmp.Diff(want, Adapter().Info); diff != "" {
		t.Errorf("info (-want +got):\n%s", diff)
	}
}

func TestHeader(t *testing.T) {
	t.Parallel()
	up := upstream("mureka-o1")
	up.Endpoint += "/"
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
	if got := req.URL.String(); got != "https://api.mureka.cn/x" || req.Context().Value(mark{}) == nil {
		t.Errorf("address = %s, and the caller's context is carried: %v", got, req.Context().Value(mark{}) != nil)
	}
}

func TestEndpoints(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ endpoint, protocol, code, shown string }{
		"one that makes no URL":              {"https://user:hunter2@mureka example.com", "Platform", "invalid_endpoint", ""},
		"the platform's own for Skywork":     {"https://api.mureka.cn", "Skywork", "wrong_endpoint", "https://api.skyworkmodel.ai"},
		"the platform's other for Skywork":   {"https://api.mureka.ai/", "Skywork", "wrong_endpoint", "https://api.skyworkmodel.ai"},
		"one that makes no URL, for Skywork": {"https://user:hunter2@sky work.com", "Skywork", "invalid_endpoint", ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			up := upstream("mureka-o1")
			up.Endpoint, up.Protocol = tc.endpoint, tc.protocol
			_, errSong := Adapter().Music.SubmitMusic(t.Context(), up, &provider.MusicRequest{Lyrics: "la", N: 1})
			_, errWords := Adapter().Music.SubmitMusic(t.Context(), up, &provider.MusicRequest{Prompt: "a song", N: 1})
			_, errPoll := Adapter().Music.Poll(t.Context(), up, provider.Task{ID: "1"}, tuesday)
			for _, err := range []error{errSong, errWords, errPoll} {
				e := errorOf(t, err)
				if e.Code != tc.code || strings.Contains(e.Error(), "hunter2") || !strings.Contains(e.Error(), tc.shown) {
					t.Errorf("error = %v, want %s, %q in it and no password", e, tc.code, tc.shown)
				}
			}
		})
	}
}
