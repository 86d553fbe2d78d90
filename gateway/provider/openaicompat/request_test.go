package openaicompat

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/openai"
	"vipcloud.ai/vipcloud/gateway/provider"
)

func TestQuirks_url(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		adapter         provider.Adapter
		endpoint, model string
		want            string
	}{
		"a root":                              {Qwen(), "https://h", "m", "https://h/compatible-mode/v1/chat/completions"},
		"a root behind a proxy's path":        {Qwen(), "https://proxy/qwen", "m", "https://proxy/qwen/compatible-mode/v1/chat/completions"},
		"a base as an SDK takes it":           {Qwen(), "https://h/compatible-mode/v1", "m", "https://h/compatible-mode/v1/chat/completions"},
		"a base with a slash":                 {Qwen(), "https://h/compatible-mode/v1/", "m", "https://h/compatible-mode/v1/chat/completions"},
		"a plan's base":                       {Zhipu(), "https://h/api/coding/paas/v4", "m", "https://h/api/coding/paas/v4/chat/completions"},
		"another plan's base":                 {Ark(), "https://h/api/plan/v3", "m", "https://h/api/plan/v3/chat/completions"},
		"a base with two digits":              {Yi(), "https://h/v12", "m", "https://h/v12/chat/completions"},
		"a host that looks like a version":    {Yi(), "https://v1", "m", "https://v1/v1/chat/completions"},
		"a path that only begins like one":    {Yi(), "https://h/v1beta", "m", "https://h/v1beta/v1/chat/completions"},
		"a path that ends with the letter":    {Yi(), "https://h/v", "m", "https://h/v/v1/chat/completions"},
		"a vendor without a base":             {DeepSeek(), "https://h", "m", "https://h/chat/completions"},
		"a base URL of OpenAI's":              {OpenAI(), "http://llm:8000/v1", "m", "http://llm:8000/v1/chat/completions"},
		"a base URL without a version":        {OpenAI(), "http://llm:8000/openai", "m", "http://llm:8000/openai/chat/completions"},
		"a model with a base of its own":      {Spark(), "https://h", "X1", "https://h/v2/chat/completions"},
		"another model of the same vendor":    {Spark(), "https://h", "generalv3.5", "https://h/v1/chat/completions"},
		"a base that is no version":           {Spark(), "https://h/x2", "spark-x", "https://h/x2/chat/completions"},
		"a base that the model would not get": {Spark(), "https://h/v1", "x1", "https://h/v1/chat/completions"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req, err := tc.adapter.Chat.NewRequest(t.Context(), &provider.Upstream{Endpoint: tc.endpoint, Model: tc.model}, chatRequest(t, `{"model":"p"}`))
			if err != nil {
				t.Fatal(err)
			}
			if got := req.URL.String(); got != tc.want {
				t.Errorf("url = %s, want %s", got, tc.want)
			}
		})
	}
}

// chatRequest is a client's request.
func chatRequest(t *testing.T, body string) *provider.ChatRequest {
	t.Helper()
	o, err := openai.ParseObject([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	stream, _ := o.Get("stream")
	return &provider.ChatRequest{Body: o, PublicModel: "p", Stream: string(stream) == "true"}
}

func TestNewRequest_setsTheHeader(t *testing.T) {
	t.Parallel()
	bearer := map[string]provider.Secret{"api-key": provider.NewSecret("k1")}
	cases := map[string]struct {
		adapter provider.Adapter
		secrets map[string]provider.Secret
		header  http.Header
		want    http.Header
	}{
		"the key as a bearer": {
			OpenAI(), bearer, nil,
			http.Header{"Authorization": {"Bearer k1"}, "User-Agent": {"vipcloud"}},
		},
		"the key in a header of the vendor's": {MiMo(), bearer, nil, http.Header{"Api-Key": {"k1"}, "User-Agent": {"vipcloud"}}},
		"a key with slashes and a line feed": {
			Qianfan(), map[string]provider.Secret{"api-key": provider.NewSecret("bce-v3/ALTAK-a/b\n")}, nil,
			http.Header{"Authorization": {"Bearer bce-v3/ALTAK-a/b"}, "User-Agent": {"vipcloud"}},
		},
		"no key": {OpenAI(), nil, nil, http.Header{"User-Agent": {"vipcloud"}}},
		"what the admin adds, but for what the protocol needs": {
			OpenAI(), bearer, http.Header{"user-agent": {"mine"}, "X-Team": {"a", "b"}, "Content-Type": {"text/plain"}, "Authorization": {"Basic x"}},
			http.Header{"Authorization": {"Bearer k1"}, "User-Agent": {"mine"}, "X-Team": {"a", "b"}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for stream, accept := range map[string]string{`{"model":"p"}`: "application/json", `{"model":"p","stream":true}`: "text/event-stream"} {
				up := &provider.Upstream{Endpoint: "https://h/v1", Model: "m", Secrets: tc.secrets, Header: tc.header}
				req, err := tc.adapter.Chat.NewRequest(t.Context(), up, chatRequest(t, stream))
				if err != nil {
					t.Fatal(err)
				}
				want := tc.want.Clone()
				want.Set("Accept", accept)
				want.Set("Content-Type", "application/json")
				if diff := cmp.Diff(want, req.Header); diff != "" {
					t.Errorf("header (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestNewRequest_keepsTheAddressOutOfErrors(t *testing.T) {
	t.Parallel()
	up := &provider.Upstream{Endpoint: "https://user:hunter2@ho st", Model: "m"}
	_, err := OpenAI().Chat.NewRequest(t.Context(), up, chatRequest(t, `{"model":"p"}`))
	if classOf(err) != provider.ClassNetwork {
		t.Fatalf("error = %v, want one of class network", err)
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error quotes the endpoint: %v", err)
	}
}

func TestNewRequest_setsStream(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		stream       bool
		client, want string
	}{
		"a stream asks for usage":               {true, `{"stream":true}`, `{"stream":true,"model":"m","stream_options":{"include_usage":true}}`},
		"options are merged":                    {true, `{"stream":true,"stream_options":{"a":1,"include_usage":false}}`, `{"stream":true,"stream_options":{"a":1,"include_usage":true},"model":"m"}`},
		"no stream has no options":              {false, `{"stream":false,"stream_options":{"a":1}}`, `{"stream":false,"model":"m"}`},
		"stream is set where the client's not":  {true, `{}`, `{"model":"m","stream":true,"stream_options":{"include_usage":true}}`},
		"stream is removed if it is not wanted": {false, `{"stream":true}`, `{"model":"m"}`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := chatRequest(t, tc.client)
			in.Stream = tc.stream
			req, err := OpenAI().Chat.NewRequest(t.Context(), &provider.Upstream{Endpoint: "https://h/v1", Model: "m"}, in)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(req.Body)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != tc.want {
				t.Errorf("body = %s, want %s", got, tc.want)
			}
		})
	}
}

func BenchmarkNewRequest(b *testing.B) {
	o, err := openai.ParseObject([]byte(`{"model":"p","stream":true,"messages":[{"role":"user","content":"` + strings.Repeat("hello ", 3000) + `"}],"max_tokens":5}`))
	if err != nil {
		b.Fatal(err)
	}
	chat := DeepSeek().Chat
	up := &provider.Upstream{Endpoint: "https://api.deepseek.com", Model: "deepseek-flash", Secrets: map[string]provider.Secret{"api-key": provider.NewSecret("k")}}
	in := &provider.ChatRequest{Body: o, PublicModel: "p", Stream: true}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := chat.NewRequest(b.Context(), up, in); err != nil {
			b.Fatal(err)
		}
	}
}
