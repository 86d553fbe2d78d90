package openaicompat

import (
	"fmt"
	"strings"
	"testing"

	"vipcloud.ai/vipcloud/gateway/openai"
	"vipcloud.ai/vipcloud/gateway/provider"
)

// decodeAll feeds chunks to a decoder and returns what the client gets; without shapes if plain.
func decodeAll(t *testing.T, plain bool, chunks []string) []string {
	t.Helper()
	body, err := openai.ParseObject([]byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	s, ok := OpenAI().Chat.Stream(&provider.ChatRequest{Body: body, PublicModel: "public", Stream: true}).(*stream)
	if !ok {
		t.Fatal("not a stream of ours")
	}
	var out []string
	for _, c := range chunks {
		if plain {
			s.shape = shape{misfits: shapeTries}
		}
		var chunk provider.ChatChunk
		if err := s.Event([]byte(c), &chunk); err != nil {
			out = append(out, "error: "+err.Error())
			continue
		}
		out = append(out, fmt.Sprintf("%s %v %v", chunk.Data, chunk.Content, chunk.Done))
	}
	return append(out, fmt.Sprint(s.Close() == nil, s.Usage()))
}

// chunkOf is an ordinary chunk with a delta.
func chunkOf(delta string) string {
	return `{"id":"i","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":` + delta + `,"finish_reason":null}],"usage":null}`
}

func TestShape_changesNothingButTheTime(t *testing.T) {
	text := func(s string) string { return chunkOf(`{"content":"` + s + `"}`) }
	finish := `{"id":"i","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}`
	for name, chunks := range map[string][]string{
		"plain text":                     {text("a"), text("b"), text("c"), text("d"), finish, "[DONE]"},
		"escapes in between":             {text("a"), text("b"), text(`\n`), text(`say \"c\"`), text("d"), text(`\u0041`), finish},
		"broken escapes in between":      {text("a"), text("b"), text("c"), text(`\x`), text("d")},
		"control characters in between":  {text("a"), text("b"), text("c"), text("\t"), text("d")},
		"text that looks like a chunk":   {text("a"), text("b"), text(`\"content\":\"x`), text("c")},
		"reasoning, then text":           {chunkOf(`{"content":null,"reasoning_content":"a"}`), chunkOf(`{"content":null,"reasoning_content":"b"}`), chunkOf(`{"content":null,"reasoning_content":"c"}`), text("a"), text("b"), text("c"), text("d")},
		"reasoning beside empty text":    {chunkOf(`{"content":"","reasoning_content":"a"}`), chunkOf(`{"content":"","reasoning_content":"b"}`), chunkOf(`{"content":"","reasoning_content":"c"}`), chunkOf(`{"content":"","reasoning_content":""}`)},
		"a role in every chunk":          {chunkOf(`{"role":"assistant","content":"a"}`), chunkOf(`{"role":"assistant","content":"b"}`), chunkOf(`{"role":"assistant","content":"c"}`), chunkOf(`{"role":"assistant","content":"d"}`)},
		"two choices in turn":            {text("a"), text("b"), text("c"), strings.Replace(text("x"), `"index":0`, `"index":1`, 1), text("d"), strings.Replace(text("y"), `"index":0`, `"index":1`, 1)},
		"two texts in a chunk":           {chunkOf(`{"content":"a","x":{"content":"b"}}`), chunkOf(`{"content":"c","x":{"content":"b"}}`), chunkOf(`{"content":"d","x":{"content":"e"}}`)},
		"an error after text":            {text("a"), text("b"), text("c"), `{"error":{"message":"m"}}`},
		"cut chunk after text":           {text("a"), text("b"), text("c"), text("d")[:60], text("e")},
		"empty text after text":          {text("a"), text("b"), text("c"), text(""), text("d")},
		"another id after text":          {text("a"), text("b"), text("c"), strings.Replace(text("d"), `"id":"i"`, `"id":"j"`, 1), text("e")},
		"every chunk of another time":    {text("a"), strings.Replace(text("b"), `"created":1`, `"created":2`, 1), strings.Replace(text("c"), `"created":1`, `"created":3`, 1)},
		"end without a reason":           {text("a"), text("b"), text("c")},
		"text after the end":             {text("a"), text("b"), finish, text("c"), "[DONE]", text("d")},
		"prefix and suffix that overlap": {text("a"), text("b"), text("c"), strings.Replace(text("d"), `"d"`, `"`, 1)},
	} {
		t.Run(name, func(t *testing.T) {
			want, got := decodeAll(t, true, chunks), decodeAll(t, false, chunks)
			for i := range want {
				if want[i] != got[i] {
					t.Errorf("chunk %d\n long way: %s\n by shape: %s", i, want[i], got[i])
				}
			}
		})
	}
}

func TestShape_isUsed(t *testing.T) {
	var s shape
	a, b := []byte(chunkOf(`{"content":"a"}`)), []byte(chunkOf(`{"content":"bb"}`))
	s.learn(a, a)
	if _, ok := s.match(b); ok {
		t.Error("a shape that was seen once is trusted")
	}
	s.learn(b, b)
	if text, ok := s.match(b); !ok || string(text) != "bb" || string(s.apply(nil, text)) != string(b) {
		t.Errorf("text %q, %v", text, ok)
	}
	for range shapeTries + 1 {
		s.learn([]byte("x"), []byte("x"))
	}
	if s.learn([]byte(chunkOf(`{"content":"c","y":1}`)), []byte(chunkOf(`{"content":"c","y":1}`))); s.misfits > shapeTries {
		t.Error("the search for a shape goes on for ever")
	}
}

func FuzzShape(f *testing.F) {
	f.Add("a", "b", "c", "d")
	f.Add(`\n`, `\"`, "\x00", `","x":"`)
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		var chunks []string
		for _, text := range []string{a, b, "x", "y", "z", c, d, a} {
			chunks = append(chunks, chunkOf(`{"content":"`+text+`"}`))
		}
		want, got := decodeAll(t, true, chunks), decodeAll(t, false, chunks)
		for i := range want {
			if want[i] != got[i] {
				t.Errorf("chunk %d\n long way: %s\n by shape: %s", i, want[i], got[i])
			}
		}
	})
}
