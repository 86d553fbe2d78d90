package jsonscan_test

import (
	"encoding/json"
	"strings"
	"testing"

	"vipcloud.ai/vipcloud/gateway/jsonscan"
)

func TestTextSize(t *testing.T) {
	for _, raw := range []string{
		`""`, `"hello"`, `"你好，世界 🌏"`, `"a\nb\t\"c\"\\"`, `"\u0041\u00e9\u4f60"`, `"\ud83c\udf0f!"`, `"\u000a\\u0041"`, `"🌏\ud83c\udf0f\n"`,
	} {
		var text string
		if err := json.Unmarshal([]byte(raw), &text); err != nil {
			t.Fatal(err)
		}
		if got := jsonscan.TextSize([]byte(raw)); got != len(text) {
			t.Errorf("%s holds %d bytes, got %d", raw, len(text), got)
		}
	}
	for _, raw := range []string{``, `"`, `{"a":1}`, `null`} {
		if got := jsonscan.TextSize([]byte(raw)); got != len(raw) {
			t.Errorf("%s: got %d", raw, got)
		}
	}
	for _, raw := range []string{`"\u"`, `"\`, `"\"`, `"\u12"`, `"\ud83c"`} { // no JSON: any size, but no panic
		_ = jsonscan.TextSize([]byte(raw))
	}
}

func FuzzText(f *testing.F) {
	for _, raw := range []string{`""`, `"a\"b"`, `"\\"`, `"\ud83c\udf0f"`, `"\u00e9\\\""`, `"open`, `"\`, `"\u`} {
		f.Add(raw, ",1")
	}
	f.Fuzz(func(t *testing.T, raw, rest string) {
		_, end, ok := jsonscan.Text([]byte(raw+rest), 0)
		if want, valid := jsonscan.String([]byte(raw+rest), 0); valid && strings.HasPrefix(raw, `"`) && (!ok || end != want) {
			t.Errorf("%s%s ends at %d, %t; want %d", raw, rest, end, ok, want)
		}
	})
}
