package zhipuspeech

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
const key = "0a51c0de51c04a518a51.abcdef0123456789"

// upstream is a target of the China site.
func upstream() *provider.Upstream {
	return &provider.Upstream{
		Endpoint: "https://open.bigmodel.cn", Model: "glm-tts",
		Secrets: map[string]provider.Secret{"api-key": provider.NewSecret(key + "\n")},
		Header:  http.Header{},
	}
}

// request is a client's request for speech.
func request(change func(*provider.SpeechRequest)) *provider.SpeechRequest {
	in := &provider.SpeechRequest{Input: "你好.", Voice: "tongtong", Format: provider.FormatPCM, Speed: 1}
	if change != nil {
		change(in)
	}
	return in
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

func TestBody(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		in         *provider.SpeechRequest
		parameters provider.Parameters
		want       string
	}{
		"pcm": {
			request(nil), provider.Parameters{},
			`{"encode_format":"base64","input":"你好.","model":"glm-tts","response_format":"pcm","speed":1,"stream":true,"voice":"tongtong"}`,
		},
		"wav is streamed as pcm": {
			request(func(in *provider.SpeechRequest) { in.Format, in.Speed, in.Voice = "wav", 0.5, "jam" }), provider.Parameters{},
			`{"encode_format":"base64","input":"你好.","model":"glm-tts","response_format":"pcm","speed":0.5,"stream":true,"voice":"jam"}`,
		},
		"an account without the watermark": {
			request(nil),
			provider.Parameters{
				Overrides: []provider.Parameter{{Name: "watermark_enabled", Value: []byte("false")}, {Name: "volume", Value: []byte("2")}},
				Drop:      []string{"encode_format"},
			},
			`{"input":"你好.","model":"glm-tts","response_format":"pcm","speed":1,"stream":true,"voice":"tongtong","volume":2,` +
				`"watermark_enabled":false}`,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			up := upstream()
			up.Parameters = tc.parameters
			req, err := Speech().NewRequest(t.Context(), up, tc.in)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(req.Body)
			if err != nil || string(got) != tc.want || req.ContentLength != int64(len(got)) {
				t.Errorf("body = %s (%v), length %d\nwant   %s", got, err, req.ContentLength, tc.want)
			}
		})
	}
}

func TestCall(t *testing.T) {
	t.Parallel()
	for endpoint, want := range map[string]string{
		"https://open.bigmodel.cn":                        "https://open.bigmodel.cn/api/paas/v4/audio/speech",
		"https://api.z.ai/":                               "https://api.z.ai/api/paas/v4/audio/speech",
		"https://open.bigmodel.cn/api/paas/v4":            "https://open.bigmodel.cn/api/paas/v4/audio/speech",
		"https://open.bigmodel.cn/api/coding/paas/v4/":    "https://open.bigmodel.cn/api/coding/paas/v4/audio/speech",
		"https://proxy.example.com/zhipu":                 "https://proxy.example.com/zhipu/api/paas/v4/audio/speech",
		"https://v4":                                      "https://v4/api/paas/v4/audio/speech",
		"http://127.0.0.1:8080":                           "http://127.0.0.1:8080/api/paas/v4/audio/speech",
		"https://proxy.example.com/a/version-of-paas-is4": "https://proxy.example.com/a/version-of-paas-is4/api/paas/v4/audio/speech",
	} {
		t.Run(endpoint, func(t *testing.T) {
			t.Parallel()
			up := upstream()
			up.Endpoint = endpoint
			up.Header.Set("X-Team", "platform")
			type mark struct{}
			req, err := Speech().NewRequest(context.WithValue(t.Context(), mark{}, true), up, request(nil))
			if err != nil {
				t.Fatal(err)
			}
			if req.Method != http.MethodPost || req.URL.String() != want || req.Context().Value(mark{}) == nil {
				t.Errorf("call = %s %s, want POST %s with the caller's context", req.Method, req.URL, want)
			}
			header := http.Header{
				"Accept": {"text/event-stream"}, "Authorization": {"Bearer " + key}, "Content-Type": {"application/json"},
				"User-Agent": {"vipcloud"}, "X-Team": {"platform"},
			}
			if diff := cmp.Diff(header, req.Header); diff != "" {
				t.Errorf("header (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("an endpoint that makes no address", func(t *testing.T) {
		t.Parallel()
		up := upstream()
		up.Endpoint = "https://user:hunter2@open bigmodel cn"
		_, err := Speech().NewRequest(t.Context(), up, request(nil))
		if e := errorOf(t, err); e.Class != provider.ClassNetwork || strings.Contains(e.Error(), "hunter2") {
			t.Errorf("error = %v, want one of class network that does not show the address", e)
		}
	})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change  func(*provider.SpeechRequest)
		param   string
		message string // what is in it
	}{
		"mp3":              {func(in *provider.SpeechRequest) { in.Format = "mp3" }, "response_format", `wav, pcm, not "mp3"`},
		"opus":             {func(in *provider.SpeechRequest) { in.Format = "opus" }, "response_format", "wav, pcm"},
		"too slow":         {func(in *provider.SpeechRequest) { in.Speed = 0.49 }, "speed", "from 0.5 to 2, not 0.49"},
		"too fast":         {func(in *provider.SpeechRequest) { in.Speed = 2.01 }, "speed", "from 0.5 to 2, not 2.01"},
		"too long":         {func(in *provider.SpeechRequest) { in.Input = strings.Repeat("灯", 1025) }, "input", "1024 characters, not 1025"},
		"any instructions": {func(in *provider.SpeechRequest) { in.Instructions = "Whisper." }, "instructions", "no instructions"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Speech().NewRequest(t.Context(), upstream(), request(tc.change))
			e := errorOf(t, err)
			if e.Class != provider.ClassInvalidRequest || e.Param != tc.param || !strings.Contains(e.Message, tc.message) || e.Status != 0 {
				t.Errorf("%v: %s: %s; want %s and %q", e, e.Param, e.Message, tc.param, tc.message)
			}
		})
	}
	t.Run("not the longest text", func(t *testing.T) {
		t.Parallel()
		long := request(func(in *provider.SpeechRequest) { in.Input = strings.Repeat("灯", 1024) })
		if _, err := Speech().NewRequest(t.Context(), upstream(), long); err != nil {
			t.Errorf("NewRequest() error = %v", err)
		}
	})
}
