package openaicompat

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// ordinaryChunk is an ordinary delta of some 270 bytes.
const ordinaryChunk = `{"id":"f6117a0b-1111-2222-3333-444455556666","object":"chat.completion.chunk","created":1764657993,` +
	`"model":"deepseek-chat","system_fingerprint":"fp_eaab8d114b_prod0820_fp8_kvcache",` +
	`"choices":[{"index":0,"delta":{"content":"##"},"logprobs":null,"finish_reason":null}],"usage":null}`

func newStream(a provider.Adapter, includeUsage bool) provider.ChatStream {
	return a.Chat.Stream(&provider.ChatRequest{PublicModel: "public-model", Stream: true, IncludeUsage: includeUsage})
}

// decode plays events and returns what the client gets.
func decode(t *testing.T, s provider.ChatStream, events ...string) (out []string, done bool) {
	t.Helper()
	for _, e := range events {
		var chunk provider.ChatChunk
		if err := s.Event([]byte(e), &chunk); err != nil {
			t.Fatalf("Event(%s) error = %v", e, err)
		}
		if chunk.Data != nil {
			out = append(out, string(chunk.Data))
		}
		done = done || chunk.Done
	}
	return out, done
}

// withDelta is a chunk around a delta.
func withDelta(delta string) string {
	return `{"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":` + delta + `}]}`
}

func TestStream_allocatesNothingForOrdinaryChunks(t *testing.T) {
	cases := map[string]struct {
		adapter provider.Adapter
		event   string
	}{
		"a text delta":                           {DeepSeek(), ordinaryChunk},
		"a delta with usage in every chunk":      {SiliconFlow(), strings.Replace(ordinaryChunk, `"usage":null`, `"usage":{"prompt_tokens":3,"completion_tokens":2}`, 1)},
		"a delta with two copies of reasoning":   {MiniMax(), withDelta(`{"role":"assistant","reasoning_content":"a","reasoning_details":[{"text":"a"}]}`)},
		"a chunk within a frame of the vendor's": {Spark(), `{"code":0,"message":"Success","sid":"s","id":"s","created":2,"choices":[{"delta":{"role":"assistant","content":"a"},"index":0}]}`},
		"a piece of a tool call":                 {Qwen(), withDelta(`{"tool_calls":[{"index":0,"id":"","function":{"arguments":"{"}}]}`)},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s, data := newStream(tc.adapter, false), []byte(tc.event)
			var chunk provider.ChatChunk
			got := testing.AllocsPerRun(200, func() {
				chunk = provider.ChatChunk{}
				if err := s.Event(data, &chunk); err != nil {
					t.Fatal(err)
				}
			})
			if got != 0 {
				t.Errorf("%v allocations per event, want none", got)
			}
		})
	}
}

func TestStream_numbersToolCalls(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		pieces []string
		// want is "index id name arguments" of each piece, as the client gets it.
		want []string
	}{
		"two calls on the same index are told apart by their ids": {
			pieces: []string{`{"index":0,"id":"a","function":{"name":"f","arguments":""}}`, `{"index":0,"id":"b","function":{"name":"g","arguments":""}}`},
			want:   []string{"0 a f ", "1 b g "},
		},
		"a known id wins over another index": {
			pieces: []string{`{"index":0,"id":"a","function":{"name":"f"}}`, `{"index":1,"id":"b","function":{"name":"g"}}`, `{"index":1,"id":"a","function":{"arguments":"x"}}`},
			want:   []string{"0 a f ", "1 b g ", "0 a  x"},
		},
		"a piece without an id goes by its index": {
			pieces: []string{`{"index":0,"id":"a","function":{"name":"f"}}`, `{"index":1,"id":"b","function":{"name":"g"}}`, `{"index":0,"id":"","function":{"arguments":"x"}}`},
			want:   []string{"0 a f ", "1 b g ", "0   x"},
		},
		"an index that was used twice means the later call": {
			pieces: []string{`{"index":0,"id":"a","function":{"name":"f"}}`, `{"index":0,"id":"b","function":{"name":"g"}}`, `{"index":0,"function":{"arguments":"x"}}`},
			want:   []string{"0 a f ", "1 b g ", "1   x"},
		},
		"a piece without id and index continues the open call": {
			pieces: []string{`{"id":"a","function":{"name":"f"}}`, `{"function":{"arguments":"x"}}`, `{"id":"b","function":{"name":"g"}}`, `{"function":{"arguments":"y"}}`},
			want:   []string{"0 a f ", "0   x", "1 b g ", "1   y"},
		},
		"a name begins a call where there are neither ids nor indices": {
			pieces: []string{`{"function":{"name":"f","arguments":"x"}}`, `{"function":{"name":"g","arguments":"y"}}`},
			want:   []string{"0 call_1_0_0 f x", "1 call_1_0_1 g y"},
		},
		"indices that start at one or are null are numbered anew": {
			pieces: []string{`{"index":1,"id":"a","function":{"name":"f"}}`, `{"index":null,"id":null,"function":{"arguments":"x"}}`},
			want:   []string{"0 a f ", "0   x"},
		},
		"empty ids and types never reach the client": {
			pieces: []string{`{"index":0,"id":"","type":"","function":{"name":"f"}}`, `{"type":"","id":"","index":0,"function":{"arguments":"x"}}`},
			want:   []string{"0 call_1_0_0 f ", "0   x"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStream(OpenAI(), false)
			var got []string
			for _, p := range tc.pieces {
				out, _ := decode(t, s, withDelta(`{"tool_calls":[`+p+`]}`))
				got = append(got, calls(t, out[0])...)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("pieces (-want +got):\n%s", diff)
			}
			s = newStream(OpenAI(), false)
			out, _ := decode(t, s, withDelta(`{"tool_calls":[`+strings.Join(tc.pieces, " , ")+`]}`))
			if diff := cmp.Diff(tc.want, calls(t, out[0])); diff != "" {
				t.Errorf("pieces in one chunk (-want +got):\n%s", diff)
			}
		})
	}
}

// calls describes the pieces of tool calls of a chunk.
func calls(t *testing.T, chunk string) []string {
	t.Helper()
	var c struct {
		Choices []struct {
			Delta struct {
				ToolCalls []struct {
					Index    json.Number
					ID       *string
					Function struct{ Name, Arguments string }
				} `json:"tool_calls"`
			}
		}
	}
	if err := json.Unmarshal([]byte(chunk), &c); err != nil {
		t.Fatalf("the chunk is not JSON: %v: %s", err, chunk)
	}
	var out []string
	for _, k := range c.Choices[0].Delta.ToolCalls {
		id := ""
		if k.ID != nil {
			if id = *k.ID; id == "" {
				t.Errorf("an empty id reaches the client: %s", chunk)
			}
		}
		out = append(out, strings.Join([]string{k.Index.String(), id, k.Function.Name, k.Function.Arguments}, " "))
	}
	return out
}

func TestStream_refusesEndlessToolCalls(t *testing.T) {
	t.Parallel()
	s := newStream(OpenAI(), false)
	piece := `{"function":{"name":"f"}}`
	event := withDelta(`{"tool_calls":[` + strings.Repeat(piece+",", maxCalls) + piece + `]}`)
	if err := s.Event([]byte(event), &provider.ChatChunk{}); classOf(err) != provider.ClassBadResponse {
		t.Errorf("error = %v, want a bad_response", err)
	}
}

// classOf is the class of an error, or -1.
func classOf(err error) provider.Class {
	if e, ok := errors.AsType[*provider.Error](err); ok {
		return e.Class
	}
	return -1
}

func TestStream_changesOnlyWhatItMust(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		adapter      provider.Adapter
		includeUsage bool
		event, want  string
	}{
		"unknown members and blanks pass": {
			adapter: OpenAI(),
			event:   `{ "x" : [1, {"choices":null}] , "id":"1","object":"chat.completion.chunk","created":1,"model" : "m","choices":[ {"index":0,"delta":{"role":"assistant","x":"\"}"},"y":{}} ] }`,
			want:    `{ "x" : [1, {"choices":null}] , "id":"1","object":"chat.completion.chunk","created":1,"model" : "public-model","choices":[ {"index":0,"delta":{"role":"assistant","x":"\"}"},"y":{}} ] }`,
		},
		"usage of null goes unless the client asked": {
			adapter: OpenAI(),
			event:   `{"usage":null,"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant"}}]}`,
			want:    `{"id":"1","object":"chat.completion.chunk","created":1,"model":"public-model","choices":[{"index":0,"delta":{"role":"assistant"}}]}`,
		},
		"usage of null stays if the client asked": {
			adapter: OpenAI(), includeUsage: true,
			event: `{"usage":null,"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant"}}]}`,
			want:  `{"usage":null,"id":"1","object":"chat.completion.chunk","created":1,"model":"public-model","choices":[{"index":0,"delta":{"role":"assistant"}}]}`,
		},
		"several members in a row go": {
			adapter: MiniMax(),
			event:   `{"base_resp":{"status_code":0},"error":null,"service_tier":"standard","id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"usage":{},"index":0,"delta":{"role":"assistant"},"usage":null}],"service_tier":"standard","base_resp":{}}`,
			want:    `{"id":"1","object":"chat.completion.chunk","created":1,"model":"public-model","choices":[{"index":0,"delta":{"role":"assistant"}}]}`,
		},
		"what is missing is added": {
			adapter: OpenAI(),
			event:   `{"choices":[{"delta":{}}]}`,
			want:    `{"choices":[{"delta":{"role":"assistant"},"index":0}],"id":"","object":"chat.completion.chunk","created":0,"model":"public-model"}`,
		},
		"what is null where clients read is replaced": {
			adapter: OpenAI(),
			event:   `{"id":"1","object":null,"created":1,"model":null,"choices":[{"index":0,"delta":null,"finish_reason":""}]}`,
			want:    `{"id":"1","object":"chat.completion.chunk","created":1,"model":"public-model","choices":[{"index":0,"delta":{},"finish_reason":null}]}`,
		},
		"a role of null is one in the first delta": {
			adapter: OpenAI(),
			event:   withDelta(`{"role":null,"content":"a"}`),
			want:    strings.Replace(withDelta(`{"role":"assistant","content":"a"}`), `"m"`, `"public-model"`, 1),
		},
		"a completion in a stream becomes a chunk": {
			adapter: OpenAI(),
			event:   `{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"a"},"finish_reason":"stop"}]}`,
			want:    `{"id":"1","object":"chat.completion.chunk","created":1,"model":"public-model","choices":[{"index":0,"delta":{"role":"assistant","content":"a"},"finish_reason":"stop"}]}`,
		},
		"a chunk without choices is not for the client": {
			adapter: OpenAI(), event: `{"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[]}`,
		},
		"an event of another kind is not for the client": {adapter: OpenAI(), event: `{"type":"ping"}`},
		"a frame without choices is not for the client":  {adapter: Spark(), event: `{"code":0,"message":"Success","sid":"1"}`},
		"choices of null beside usage are bookkeeping": {
			adapter: OpenAI(), event: `{"choices":null,"usage":{"prompt_tokens":1,"completion_tokens":1}}`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, _ := decode(t, newStream(tc.adapter, tc.includeUsage), tc.event)
			if diff := cmp.Diff(tc.want, strings.Join(got, "\n")); diff != "" {
				t.Errorf("chunk (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStream_ends(t *testing.T) {
	t.Parallel()
	text := withDelta(`{"content":"a"}`)
	finish := strings.Replace(text, `}}]`, `},"finish_reason":"stop"}]`, 1)
	cases := map[string]struct {
		events   []string
		wantDone bool
		wantErr  bool
	}{
		"nothing came":                              {wantErr: true},
		"text came but no end":                      {events: []string{text}, wantErr: true},
		"a finish reason without DONE is an end":    {events: []string{text, finish}},
		"DONE without a finish reason is an end":    {events: []string{text, "[DONE]"}, wantDone: true},
		"DONE with blanks around it":                {events: []string{text, " [DONE] \r"}, wantDone: true},
		"DONE with junk behind it":                  {events: []string{text, "[DONE]xyz"}, wantDone: true},
		"empty data says nothing":                   {events: []string{text, "", " "}, wantErr: true},
		"what follows DONE is not read":             {events: []string{text, "[DONE]", "junk", `{"error":{"message":"x"}}`}, wantDone: true},
		"an empty finish reason is none":            {events: []string{strings.Replace(finish, `"stop"`, `""`, 1)}, wantErr: true},
		"usage alone is no end unless the vendor's": {events: []string{text, `{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}`}, wantErr: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStream(OpenAI(), false)
			if _, done := decode(t, s, tc.events...); done != tc.wantDone {
				t.Errorf("done = %v, want %v", done, tc.wantDone)
			}
			err := s.Close()
			if (err != nil) != tc.wantErr || (err != nil && classOf(err) != provider.ClassBadResponse) {
				t.Errorf("Close() = %v, want an error: %v", err, tc.wantErr)
			}
		})
	}
}

func TestStream_countsContent(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		delta string
		want  bool
	}{
		"text":                 {`{"content":"a"}`, true},
		"reasoning":            {`{"content":null,"reasoning_content":"a"}`, true},
		"a tool call":          {`{"tool_calls":[{"index":0,"id":"a","function":{"name":"f"}}]}`, true},
		"a refusal":            {`{"refusal":"no"}`, true},
		"a role alone":         {`{"role":"assistant","content":""}`, false},
		"nulls":                {`{"content":null,"reasoning_content":null,"tool_calls":null}`, false},
		"an empty tool list":   {`{"tool_calls":[]}`, false},
		"the mark of a switch": {`{"reasoning_content":""}`, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var chunk provider.ChatChunk
			if err := newStream(Moonshot(), false).Event([]byte(withDelta(tc.delta)), &chunk); err != nil {
				t.Fatal(err)
			}
			if chunk.Content != tc.want {
				t.Errorf("Content = %v, want %v", chunk.Content, tc.want)
			}
		})
	}
}

func BenchmarkStream_ordinaryChunk(b *testing.B) {
	s, data := newStream(DeepSeek(), false), []byte(ordinaryChunk)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	var chunk provider.ChatChunk
	for b.Loop() {
		chunk = provider.ChatChunk{}
		if err := s.Event(data, &chunk); err != nil {
			b.Fatal(err)
		}
	}
}
