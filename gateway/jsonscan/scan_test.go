package jsonscan

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
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

func TestValid_escapesCostLinearTime(t *testing.T) {
	in := []byte(`"` + strings.Repeat(`\n`, 8<<20) + `"`)
	started := time.Now()
	if !Valid(in) {
		t.Error("not valid")
	}
	if took := time.Since(started); took > 20*time.Second { // looking for the end again after each escape would take hours
		t.Errorf("16 MB of escapes took %s", took)
	}
}

func TestValid_allocatesNothingForWhatIsReallySent(t *testing.T) {
	in := []byte(`{"a":[{"b":"c\n"},1.5,true,null],"d":{"e":[[[[]]]]}}`)
	if n := testing.AllocsPerRun(100, func() { _ = Valid(in) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestValid_tellsBracketsApartAtEveryDepth(t *testing.T) {
	for _, depth := range []int{1, 63, 64, 65, 127, 128, 129, 1000} {
		opening, closing := strings.Repeat(`[{"a":`, depth), strings.Repeat(`}]`, depth)
		if !Valid([]byte(opening + "1" + closing)) {
			t.Errorf("depth %d is refused", 2*depth)
		}
		if swapped := strings.Replace(closing, "}]", "]}", 1); Valid([]byte(opening + "1" + swapped)) {
			t.Errorf("wrong brackets at depth %d are taken", 2*depth)
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

func TestValid_stringsAroundTheWindow(t *testing.T) {
	for _, middle := range []string{"", `\n`, `\"`, `\\`, `\u00e9`, "\x1f", `\x`, `\u12`} {
		for n := window - 8; n < window+8; n++ {
			for _, in := range []string{`"` + strings.Repeat("x", n) + middle + `"`, `"` + strings.Repeat("x", n) + middle + strings.Repeat("y", window) + `"`, `"` + strings.Repeat("x", n) + middle} {
				if got, want := Valid([]byte(in)), json.Valid([]byte(in)); got != want {
					t.Errorf("%d characters and %q: %v, want %v", n, middle, got, want)
				}
			}
		}
	}
}

func BenchmarkValid(b *testing.B) {
	for name, text := range map[string]string{
		"prose": strings.Repeat("lorem ipsum ", 1<<20/12),
		"code":  strings.Repeat(`\tif x == \"y\" {\n\t\treturn nil, errNone\n\t}\n`, 1<<20/52),
	} {
		in := []byte(`{"model":"m","messages":[{"role":"user","content":"` + text + `"}]}`)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				if !Valid(in) {
					b.Fatal("not valid")
				}
			}
		})
	}
}
