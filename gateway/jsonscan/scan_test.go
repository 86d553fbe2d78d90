package jsonscan

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestValid_agreesWithEncodingJSON(t *testing.T) {
	for _, in := range []string{
		``, ` `, `{}`, `[]`, ` { } `, `[ ]`, `{"a":1}`, `{"a":1,}`, `{,}`, `[1,]`, `[,1]`, `[1 2]`, `{"a" 1}`, `{"a":}`, `{a:1}`, `{"a":1}{}`, `nul`, `null`, `true`,
		`false`, `falsey`, `-`, `-0`, `01`, `1.`, `.5`, `1.5`, `1e`, `1e5`, `1E+5`, `1e-`, `-1.5e-10`, `+1`, `"`, `"a`, `"a"`, `"\"`, `"\\"`, `"\u12"`,
		`"\u12aF"`, `"\u12ag"`, `"\x"`, "\"\n\"", "\"\x00\"", "\"\x1f\"", "\"\x7f\"", `"é世🌏"`, "\"\xff\"", `[[[]]]`, `[[[]]`, `[}`, `{]`, `{"a":[{"b":[]}]}`, `[1,"a",{}]`,
		`{"a":1,"a":2}`, "\t[\r\n]\t", "\xef\xbb\xbf{}", `"` + strings.Repeat("x", 100) + "\x1e" + strings.Repeat("y", 100) + `"`,
		`"` + strings.Repeat(`\n`, 50) + `"`, `"` + strings.Repeat("\x80", 64) + `"`, `"` + strings.Repeat(" !", 40) + `"`,
		strings.Repeat("[", 9999) + strings.Repeat("]", 9999), strings.Repeat("[", 10000) + strings.Repeat("]", 10000),
		strings.Repeat("[", 10001) + strings.Repeat("]", 10001), strings.Repeat("[", 100_000),
	} {
		if got, want := Valid([]byte(in)), json.Valid([]byte(in)); got != want {
			t.Errorf("Valid(%.60q) is %v, encoding/json says %v", in, got, want)
		}
	}
}

func FuzzValid(f *testing.F) {
	f.Add([]byte(`{"a":[1,-2.5e3,"x\u0041\n",true,null,{}]}`))
	f.Add([]byte(`"` + strings.Repeat("long text ", 10) + "\x1f\""))
	f.Fuzz(func(t *testing.T, in []byte) {
		if got, want := Valid(in), json.Valid(in); got != want {
			t.Errorf("Valid(%q) is %v, encoding/json says %v", in, got, want)
		}
	})
}

func BenchmarkValid(b *testing.B) {
	in := []byte(`{"model":"m","messages":[{"role":"user","content":"` + strings.Repeat("lorem ipsum ", 1<<20/12) + `"}]}`)
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		if !Valid(in) {
			b.Fatal("not valid")
		}
	}
}
