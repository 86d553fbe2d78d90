package openaicompat

import (
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// ordinaryChunk is an ordinary delta of some 270 bytes.
const ordinaryChunk = `{"id":"f6117a0b-1111-2222-3333-444455556666","object":"chat.completion.chunk","created":1764657993,` +
	`"model":"deepseek-chat","system_fingerprint":"fp_eaab8d114b_prod0820_fp8_kvcache",` +
	`"choices":[{"index":0,"delta":{"content":"##"},"logprobs":null,"finish_reason":null}],"usage":null}`

func newStream(a provider.Adapter, includeUsage bool) provider.ChatStream {
	return a.Chat.Stream(&provider.ChatRequest{PublicModel: "public-model", Stream: true, IncludeUsage: includeUsage})
}

func TestStream_allocatesNothingForOrdinaryChunks(t *testing.T) {
	t.Parallel()
}

func BenchmarkStream_ordinaryChunk(b *testing.B) {
	s := newStream(DeepSeek(), false)
	data := []byte(ordinaryChunk)
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
