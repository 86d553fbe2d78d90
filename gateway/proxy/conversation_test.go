package proxy

import (
	"strings"
	"testing"

	"vipcloud.ai/vipcloud/gateway/openai"
)

// conversation hashes messages.
func conversation(t *testing.T, messages string) (uint64, bool) {
	t.Helper()
	body, err := openai.ParseObject([]byte(`{"model":"m","messages":` + messages + `}`))
	if err != nil {
		t.Fatal(err)
	}
	return conversationOf(body)
}

func TestConversationOf_requestsOfAConversationAreEqualAndOthersAreNot(t *testing.T) {
	const (
		system   = `{"role":"system","content":"Be brief."}`
		question = `{"role":"user","content":"What is a pangolin?"}`
		answer   = `{"role":"assistant","content":"A scaly mammal."}`
	)
	first, ok := conversation(t, "["+system+","+question+"]")
	if !ok {
		t.Fatal("no conversation")
	}
	for name, tc := range map[string]struct {
		messages string
		wantSame bool
	}{
		"the same":                 {"[" + system + "," + question + "]", true},
		"with white space":         {"[ \n" + system + " ,\t" + question + " ]", true},
		"later":                    {"[" + system + "," + question + "," + answer + `,{"role":"user","content":"And?"}]`, true},
		"members beside":           {"[" + system + `,{"name":"x","content":"What is a pangolin?","role":"user"}]`, true},
		"another question":         {"[" + system + `,{"role":"user","content":"What is a dugong?"}]`, false},
		"another system message":   {`[{"role":"system","content":"Be long."},` + question + "]", false},
		"no system message":        {"[" + question + "]", false},
		"the role is another":      {`[{"role":"developer","content":"Be brief."},` + question + "]", false},
		"content moved to the one": {`[{"role":"system","content":"Be brief.What is"},{"role":"user","content":" a pangolin?"}]`, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := conversation(t, tc.messages)
			if !ok || (got == first) != tc.wantSame {
				t.Errorf("same conversation: %v (%v), want %v", got == first, ok, tc.wantSame)
			}
		})
	}
}

func TestConversationOf_takesAnythingThatIsJSON(t *testing.T) {
	for messages, want := range map[string]bool{
		`[]`: false, `[1]`: true, `["a",null]`: true, `[{}]`: true, `[{"role":7}]`: true, `[[[]]]`: true, `[{"content":{}}]`: true,
		`[{"role":"user","role":"system"}]`:                                 true,
		"[" + strings.Repeat(`{"role":"system"},`, 50) + `{"role":"user"}]`: true,
	} {
		if _, ok := conversation(t, messages); ok != want {
			t.Errorf("%.40s: %v, want %v", messages, ok, want)
		}
	}
	for _, body := range []string{`{}`, `{"messages":"x"}`} {
		o, err := openai.ParseObject([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := conversationOf(o); ok {
			t.Errorf("%s is a conversation", body)
		}
	}
	if _, ok := conversationOf(nil); ok {
		t.Error("nothing is a conversation")
	}
}

func TestConversationOf_whatBeginsAlikeIsTheSame(t *testing.T) {
	long := strings.Repeat("x", 2*maxHashed)
	a, _ := conversation(t, `[{"role":"user","content":"`+long+`a"}]`)
	b, _ := conversation(t, `[{"role":"user","content":"`+long+`b"}]`)
	if a != b {
		t.Error("the end of a long message counts")
	}
}

func BenchmarkConversationOf(b *testing.B) {
	body, err := openai.ParseObject([]byte(`{"messages":[{"role":"system","content":"` + strings.Repeat("x", 64<<10) +
		`"},{"role":"user","content":"What is a pangolin?"}]}`))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		conversationOf(body)
	}
}
