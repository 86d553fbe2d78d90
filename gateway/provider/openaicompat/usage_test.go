package openaicompat

import (
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
)

func TestReadUsage(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		raw  string
		want provider.Usage
	}{
		"OpenAI's": {
			`{"prompt_tokens":9,"completion_tokens":5,"total_tokens":14,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":2}}`,
			provider.Usage{Known: true, PromptTokens: 9, CompletionTokens: 5, CachedTokens: 4, ReasoningTokens: 2},
		},
		"the same cached tokens in three places count once": {
			`{"prompt_tokens":9,"completion_tokens":5,"cached_tokens":4,"prompt_cache_hit_tokens":4,"prompt_tokens_details":{"cached_tokens":4}}`,
			provider.Usage{Known: true, PromptTokens: 9, CompletionTokens: 5, CachedTokens: 4},
		},
		"a zero in one place does not hide the other": {
			`{"prompt_tokens":9,"completion_tokens":5,"prompt_cache_hit_tokens":4,"prompt_tokens_details":{"cached_tokens":0}}`,
			provider.Usage{Known: true, PromptTokens: 9, CompletionTokens: 5, CachedTokens: 4},
		},
		"tokens written to caches of two ages add up": {
			`{"prompt_tokens":90,"completion_tokens":5,"cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":20}}`,
			provider.Usage{Known: true, PromptTokens: 90, CompletionTokens: 5, CacheWriteTokens: 30},
		},
		"tokens written to the cache, named flat": {
			`{"prompt_tokens":90,"completion_tokens":5,"cache_creation_input_tokens":30,"cache_write_tokens":30}`,
			provider.Usage{Known: true, PromptTokens: 90, CompletionTokens: 5, CacheWriteTokens: 30},
		},
		"parts never exceed the whole": {
			`{"prompt_tokens":9,"completion_tokens":5,"cached_tokens":40,"cache_write_tokens":7,"completion_tokens_details":{"reasoning_tokens":6}}`,
			provider.Usage{Known: true, PromptTokens: 9, CompletionTokens: 5, CachedTokens: 9, ReasoningTokens: 5},
		},
		"negative and absurd figures are zero": {
			`{"prompt_tokens":-9,"completion_tokens":1e30,"cached_tokens":-1}`, provider.Usage{Known: true},
		},
		"figures with decimals": {
			`{"prompt_tokens":9.0,"completion_tokens":5e2}`, provider.Usage{Known: true, PromptTokens: 9, CompletionTokens: 500},
		},
		"zero is known":                 {`{"prompt_tokens":0,"completion_tokens":0}`, provider.Usage{Known: true}},
		"a total alone tells nothing":   {`{"total_tokens":7,"total_characters":0}`, provider.Usage{}},
		"nulls tell nothing":            {`{"prompt_tokens":null,"completion_tokens":null,"prompt_tokens_details":null}`, provider.Usage{}},
		"an empty object tells nothing": {`{}`, provider.Usage{}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := readUsage([]byte(tc.raw)); got != tc.want {
				t.Errorf("readUsage() = %+v, want %+v", got, tc.want)
			}
		})
	}
}

func TestStream_takesUsageOnce(t *testing.T) {
	t.Parallel()
	const inChoice = `{"id":"1","created":1,"choices":[{"index":0,"delta":{},"finish_reason":"stop","usage":{"prompt_tokens":5,"completion_tokens":3}}]}`
	cases := map[string]struct {
		events []string
		want   provider.Usage
	}{
		"the last of cumulative figures": {
			[]string{`{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":1}}`, `{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":4}}`},
			provider.Usage{Known: true, PromptTokens: 5, CompletionTokens: 4},
		},
		"the chunk's own before the choice's": {
			[]string{inChoice, `{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":4}}`},
			provider.Usage{Known: true, PromptTokens: 5, CompletionTokens: 4},
		},
		"the chunk's own, also when it came first": {
			[]string{`{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":4}}`, inChoice},
			provider.Usage{Known: true, PromptTokens: 5, CompletionTokens: 4},
		},
		"the choice's if there is no other": {[]string{inChoice}, provider.Usage{Known: true, PromptTokens: 5, CompletionTokens: 3}},
		"zeros at the end don't wipe figures": {
			[]string{`{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":4}}`, `{"choices":[],"usage":{"prompt_tokens":0,"completion_tokens":0}}`},
			provider.Usage{Known: true, PromptTokens: 5, CompletionTokens: 4},
		},
		"null and totals alone tell nothing": {[]string{`{"choices":[],"usage":null}`, `{"choices":[],"usage":{"total_tokens":0}}`}, provider.Usage{}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, includeUsage := range []bool{true, false} {
				s := newStream(Moonshot(), includeUsage)
				decode(t, s, tc.events...)
				if got := s.Usage(); got != tc.want {
					t.Errorf("Usage() = %+v, want %+v", got, tc.want)
				}
				if got, want := s.Trailer() != nil, includeUsage && tc.want.Known; got != want {
					t.Errorf("there is a trailer: %v, want %v", got, want)
				}
			}
		})
	}
}

func TestDecode_findsUsageInAChoice(t *testing.T) {
	t.Parallel()
	body := `{"id":"1","choices":[{"index":0,"message":{"role":"assistant","content":"a"},"finish_reason":"stop","usage":{"prompt_tokens":5,"completion_tokens":3}}]}`
	got, err := Moonshot().Chat.Decode(&provider.ChatRequest{PublicModel: "p"}, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"id":"1","choices":[{"index":0,"message":{"role":"assistant","content":"a"},"finish_reason":"stop"}],` +
		`"object":"chat.completion","created":0,"model":"p","usage":{"prompt_tokens":5,"completion_tokens":3}}`
	if string(got.Body) != want {
		t.Errorf("body = %s, want %s", got.Body, want)
	}
	if (got.Usage != provider.Usage{Known: true, PromptTokens: 5, CompletionTokens: 3}) {
		t.Errorf("usage = %+v", got.Usage)
	}
}
