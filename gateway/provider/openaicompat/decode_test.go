package openaicompat

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/provider"
)

func TestDecode_refusesWhatIsNoCompletion(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		"nothing":                       "",
		"blanks alone":                  "\n\n \n",
		"a page":                        "<html></html>",
		"text":                          "upstream connect error",
		"a list":                        `[{"choices":[]}]`,
		"a string":                      `"ok"`,
		"JSON that is cut off":          `{"choices":[{"index":0,"message":{"content":"a"}`,
		"a cut behind what goes":        `{"error":null`,
		"two objects":                   `{"choices":[]} {"choices":[]}`,
		"an event stream":               `data: {"choices":[]}`,
		"no choices":                    `{"id":"1","object":"chat.completion"}`,
		"choices of null":               `{"choices":null}`,
		"choices of null beside usage":  `{"choices":null,"usage":{"prompt_tokens":1,"completion_tokens":1}}`,
		"an empty list of choices":      `{"choices":[]}`,
		"choices that are no list":      `{"choices":{"message":{}}}`,
		"a choice that is no object":    `{"choices":[1]}`,
		"a choice without a message":    `{"choices":[{"index":0,"finish_reason":"stop"}]}`,
		"a message of null":             `{"choices":[{"index":0,"message":null}]}`,
		"a tool call that is no object": `{"choices":[{"message":{"tool_calls":["f"]}}]}`,
		"a bomb of brackets":            `{"choices":` + strings.Repeat("[", 1<<20),
	}
	for name, body := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, a := range []provider.Adapter{OpenAI(), Spark(), MiniMax()} {
				_, err := a.Chat.Decode(&provider.ChatRequest{PublicModel: "p"}, []byte(body))
				if classOf(err) != provider.ClassBadResponse {
					t.Errorf("%s: error = %v, want a bad_response", a.Info.Name, err)
				}
			}
		})
	}
}

func TestDecode_completesTheShape(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		adapter    provider.Adapter
		body, want string
	}{
		"a bare message": {
			OpenAI(), `{"choices":[{"message":{}}]}`,
			`{"choices":[{"message":{"content":null,"role":"assistant"},"index":0,"finish_reason":"stop"}],"id":"","object":"chat.completion","created":0,"model":"p"}`,
		},
		"a finish reason of null": {
			OpenAI(), `{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"a"},"finish_reason":null}]}`,
			`{"id":"1","object":"chat.completion","created":1,"model":"p","choices":[{"index":0,"message":{"role":"assistant","content":"a"},"finish_reason":"stop"}]}`,
		},
		"the time that the vendor tells, and the id of its frame": {
			Spark(), `{"code":0,"message":"Success","sid":"s1","created":7,"choices":[{"message":{"role":"assistant","content":"a"},"index":0}]}`,
			`{"created":7,"choices":[{"message":{"role":"assistant","content":"a"},"index":0,"finish_reason":"stop"}],"id":"s1","object":"chat.completion","model":"p"}`,
		},
		"a tool call that is an object and has no id": {
			Spark(), `{"code":0,"sid":"s1","choices":[{"message":{"role":"assistant","content":"","tool_calls":{"function":{"name":"f","arguments":"{}"}}},"index":0}]}`,
			`{"choices":[{"message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":"{}"},"id":"call_s1_0_0","type":"function"}]},"index":0,"finish_reason":"tool_calls"}],"id":"s1","object":"chat.completion","created":0,"model":"p"}`,
		},
		"reasoning under the vendor's name": {
			StepFun(), `{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"a","reasoning":"b"},"finish_reason":"stop"}]}`,
			`{"id":"1","object":"chat.completion","created":1,"model":"p","choices":[{"index":0,"message":{"role":"assistant","content":"a","reasoning_content":"b"},"finish_reason":"stop"}]}`,
		},
		"reasoning details without a copy stay": {
			MiniMax(), `{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"a","reasoning_details":[{"text":"b"}]},"finish_reason":"stop"}]}`,
			`{"id":"1","object":"chat.completion","created":1,"model":"p","choices":[{"index":0,"message":{"role":"assistant","content":"a","reasoning_details":[{"text":"b"}]},"finish_reason":"stop"}]}`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := tc.adapter.Chat.Decode(&provider.ChatRequest{PublicModel: "p"}, []byte(tc.body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, string(got.Body)); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFinishReasons(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		want   string
		failed bool
	}{
		"stop": {want: "stop"}, "length": {want: "length"}, "tool_calls": {want: "tool_calls"}, "content_filter": {want: "content_filter"},
		"sensitive": {want: "content_filter"}, "model_context_window_exceeded": {want: "length"}, "eos": {want: "stop"}, "normal": {want: "stop"},
		"something_new": {want: "something_new"},
		"network_error": {failed: true}, "insufficient_system_resource": {failed: true}, "aborted": {failed: true},
	}
	for reason, tc := range cases {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			whole := `{"choices":[{"index":0,"message":{"role":"assistant","content":"a"},"finish_reason":"` + reason + `"}]}`
			got, err := Zhipu().Chat.Decode(&provider.ChatRequest{PublicModel: "p"}, []byte(whole))
			var chunk provider.ChatChunk
			streamErr := newStream(Zhipu(), false).Event([]byte(strings.Replace(whole, "message", "delta", 1)), &chunk)
			if tc.failed {
				for _, err := range []error{err, streamErr} {
					e, ok := errors.AsType[*provider.Error](err)
					if !ok || e.Class != provider.ClassServerError || e.Code != reason {
						t.Errorf("error = %v, want a server_error of code %s", err, reason)
					}
				}
				return
			}
			if err != nil || streamErr != nil {
				t.Fatalf("errors = %v, %v", err, streamErr)
			}
			for _, out := range []string{string(got.Body), string(chunk.Data)} {
				if !strings.Contains(out, `"finish_reason":"`+tc.want+`"`) {
					t.Errorf("answer = %s, want finish_reason %s", out, tc.want)
				}
			}
		})
	}
}
