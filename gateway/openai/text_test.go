package openai_test

import (
	"fmt"
	"strings"
	"testing"

	"vipcloud.ai/vipcloud/gateway/openai"
)

func TestPromptText(t *testing.T) {
	for body, want := range map[string]int64{
		`{"messages":[]}`:  0,
		`{}`:               0,
		`{"messages":"x"}`: 0,
		`{"messages":[{"role":"user","content":"hello"}]}`:                                                                               5,
		`{ "messages" : [ { "role" : "user" , "content" : "你好\n" } , 7 ] }`:                                                              7,
		`{"messages":[{"role":"system","content":"ab"},{"role":"user","name":"x","content":"cd"}]}`:                                      4,
		`{"messages":[{"role":"user","content":[{"type":"text","text":"ab"},{"type":"text","text":"c"}]}]}`:                              3,
		`{"messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"1"}]},{"role":"tool","tool_call_id":"1","content":"ok"}]}`: 12 + 2,
		`{"messages":[{"role":"assistant","content":"a","reasoning_content":"bc"}]}`:                                                     3,
		`{"messages":[{"role":"user","content":"a"}],"tools":[{"a":1}]}`:                                                                 1 + 9,
		`{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:` + strings.Repeat("A", 1<<20) + `"}}]}]}`:  4096,
	} {
		o, err := openai.ParseObject([]byte(body))
		if err != nil {
			t.Fatalf("%.80s: %v", body, err)
		}
		if got := openai.PromptText(o); got != want {
			t.Errorf("%.120s: %d bytes, want %d", body, got, want)
		}
	}
}

func BenchmarkPromptText(b *testing.B) {
	for _, size := range []int{1 << 10, 64 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			text := strings.Repeat("Tell me more about 你好. ", size/26/4)
			message := fmt.Sprintf(`{"role":"user","content":%q}`, text)
			o, err := openai.ParseObject([]byte(`{"model":"m","messages":[` + strings.Repeat(message+",", 3) + message + `]}`))
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				_ = openai.PromptText(o)
			}
		})
	}
}
