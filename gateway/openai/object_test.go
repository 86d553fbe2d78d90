package openai_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/openai"
)

// mustParse parses an object that is known to be good.
func mustParse(tb testing.TB, raw string) *openai.Object {
	tb.Helper()
	o, err := openai.ParseObject([]byte(raw))
	if err != nil {
		tb.Fatalf("parsing %s: %v", raw, err)
	}
	return o
}

func TestParseObject_FindsMembers(t *testing.T) {
	const raw = " {\n \"model\" : \"a\\u0062c\" ,\t\"n\":12345678901234567890.123456789e-5,\"o\":{\"model\":1},\"a\":[1, 2 ],\"t\":true,\"z\":null,\"\":\"\"}\r\n"
	o := mustParse(t, raw)
	tests := map[string]struct {
		name   string
		want   string
		wantOK bool
	}{
		"a string, escapes untouched":      {"model", `"a\u0062c"`, true},
		"a number of any length":           {"n", `12345678901234567890.123456789e-5`, true},
		"an object":                        {"o", `{"model":1}`, true},
		"an array with its spaces":         {"a", `[1, 2 ]`, true},
		"true":                             {"t", `true`, true},
		"null is a value":                  {"z", `null`, true},
		"the empty name":                   {"", `""`, true},
		"no member":                        {"messages", ``, false},
		"another spelling of a name":       {"Model", ``, false},
		"what could be taken for a path":   {"o.model", ``, false},
		"what could be taken for a query":  {"a.#", ``, false},
		"what could be taken for a search": {"mod*", ``, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, ok := o.Get(tc.name)
			if string(got) != tc.want || ok != tc.wantOK || o.Has(tc.name) != tc.wantOK {
				t.Errorf("got %s, %t; want %s, %t", got, ok, tc.want, tc.wantOK)
			}
		})
	}
	if string(o.Raw()) != raw || o.Len() != len(raw) {
		t.Errorf("the bytes are not those that were parsed: %q", o.Raw())
	}
}

func TestParseObject_ValuesCannotGrowIntoTheirNeighbours(t *testing.T) {
	raw := []byte(`{"a":1,"b":2}`)
	o, err := openai.ParseObject(raw)
	if err != nil {
		t.Fatal(err)
	}
	value, _ := o.Get("a")
	_ = append(value, "more"...)
	if string(raw) != `{"a":1,"b":2}` {
		t.Errorf("appending to a value changed the object: %s", raw)
	}
}

func TestParseObject_Refuses(t *testing.T) {
	deep := func(n int) string { return `{"a":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}` }
	tests := map[string]struct {
		raw  string
		want error
	}{
		"nothing":                           {"", openai.ErrNotJSON},
		"white space":                       {" \n", openai.ErrNotJSON},
		"half an object":                    {`{"a":1`, openai.ErrNotJSON},
		"two objects":                       {`{}{}`, openai.ErrNotJSON},
		"an object and something more":      {`{} x`, openai.ErrNotJSON},
		"a comma at the end":                {`{"a":1,}`, openai.ErrNotJSON},
		"a name without quotes":             {`{a:1}`, openai.ErrNotJSON},
		"single quotes":                     {`{'a':1}`, openai.ErrNotJSON},
		"a comment":                         {`{/* */}`, openai.ErrNotJSON},
		"not a number":                      {`{"a":NaN}`, openai.ErrNotJSON},
		"a number with a leading zero":      {`{"a":01}`, openai.ErrNotJSON},
		"a raw line break in a string":      {"{\"a\":\"\n\"}", openai.ErrNotJSON},
		"an unknown escape":                 {`{"a":"\x"}`, openai.ErrNotJSON},
		"a byte order mark":                 {"\ufeff{}", openai.ErrNotJSON},
		"broken far inside":                 {`{"a":[{"b":[1,2,{"c":tru}]}]}`, openai.ErrNotJSON},
		"an array":                          {`[]`, openai.ErrNotObject},
		"a string":                          {`"{}"`, openai.ErrNotObject},
		"a number":                          {`1`, openai.ErrNotObject},
		"null":                              {`null`, openai.ErrNotObject},
		"nested too deeply":                 {deep(10_000), openai.ErrNotJSON},
		"brackets without end":              {`{"a":` + strings.Repeat("[", 8<<20), openai.ErrNotJSON},
		"braces without end":                {strings.Repeat(`{"a":`, 2<<20), openai.ErrNotJSON},
		"brackets after a string with them": {`{"b":"]]]\"]\\","a":` + strings.Repeat("[", 20_000), openai.ErrNotJSON},
		"closing before opening":            {`]]` + strings.Repeat("[", 20_000), openai.ErrNotJSON},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if o, err := openai.ParseObject([]byte(tc.raw)); o != nil || !errors.Is(err, tc.want) {
				t.Errorf("got %v, %v; want %v", o, err, tc.want)
			}
		})
	}
}

func TestParseObject_TakesManyBracketsThatAreNotDeep(t *testing.T) {
	for name, raw := range map[string]string{
		"as deep as it gets":   `{"a":` + strings.Repeat("[", 9_999) + strings.Repeat("]", 9_999) + `}`,
		"many side by side":    `{"a":[` + strings.Repeat(`{},[],`, 20_000) + `1]}`,
		"many within a string": `{"a":"` + strings.Repeat(`[{\"\\`, 20_000) + `"}`,
	} {
		t.Run(name, func(t *testing.T) { mustParse(t, raw) })
	}
}

func TestParseObject_RefusesMembersNamedTwice(t *testing.T) {
	tests := map[string]struct {
		raw  string
		want string
	}{
		"the same spelling":           {`{"model":"a","x":1,"model":"b"}`, "model"},
		"an escape in the second":     {`{"model":"a","mod\u0065l":"b"}`, "model"},
		"an escape in the first":      {`{"mod\u0065l":"a","model":"b"}`, "model"},
		"different escapes":           {`{"\u006dodel":"a","m\u006Fdel":"b"}`, "model"},
		"an escaped slash":            {`{"a/b":1,"a\/b":2}`, "a/b"},
		"the same values":             {`{"stream":true,"stream":true}`, "stream"},
		"beyond the basic plane":      {`{"😀":1,"\ud83d\ude00":2}`, "😀"},
		"the empty name":              {`{"":1,"":2}`, ""},
		"separated by a large object": {`{"model":1,"m":{"model":[` + strings.Repeat("1,", 5000) + `1]},"model":2}`, "model"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := openai.ParseObject([]byte(tc.raw))
			var duplicate *openai.DuplicateMemberError
			if !errors.As(err, &duplicate) || duplicate.Name != tc.want {
				t.Fatalf("got %v, want a duplicate %q", err, tc.want)
			}
			if !strings.Contains(err.Error(), "twice") {
				t.Errorf("the message is %q", err)
			}
		})
	}
	// Inside members nothing is looked at: it is the upstream's business.
	mustParse(t, `{"messages":[{"role":"a","role":"b"}]}`)
}

func TestParseObject_ManyMembers(t *testing.T) {
	object := func(n int, last string) string {
		var raw strings.Builder
		raw.WriteString("{")
		for i := range n - 1 {
			fmt.Fprintf(&raw, `"%x":1,`, i)
		}
		return raw.String() + last + "}"
	}
	o := mustParse(t, object(4096, `"last":2`))
	if value, ok := o.Get("last"); !ok || string(value) != "2" {
		t.Errorf("the last member is %s, %t", value, ok)
	}
	if _, err := openai.ParseObject([]byte(object(4097, `"last":2`))); !errors.Is(err, openai.ErrTooManyMembers) {
		t.Errorf("one member too many gives %v", err)
	}
	for _, n := range []int{2, 48, 49, 4096} {
		_, err := openai.ParseObject([]byte(object(n, `"\u0030":2`)))
		var duplicate *openai.DuplicateMemberError
		if !errors.As(err, &duplicate) || duplicate.Name != "0" {
			t.Errorf("%d members: got %v, want a duplicate", n, err)
		}
	}
}

func TestEdit(t *testing.T) {
	const raw = `{"model": "public", "n": 1,"messages":[{"model":"x"}] ,"mod\u0065\u006c2":2}`
	tests := map[string]struct {
		edit func(*openai.Edit)
		want string
	}{
		"nothing changes but the space around members": {func(*openai.Edit) {},
			`{"model": "public","n": 1,"messages":[{"model":"x"}],"mod\u0065\u006c2":2}`},
		"a value is replaced in its place": {func(e *openai.Edit) { e.SetString("model", "up") },
			`{"model": "up","n": 1,"messages":[{"model":"x"}],"mod\u0065\u006c2":2}`},
		"a new member comes last": {func(e *openai.Edit) { e.Set("top_p", []byte("0.5")) },
			`{"model": "public","n": 1,"messages":[{"model":"x"}],"mod\u0065\u006c2":2,"top_p":0.5}`},
		"the first member is removed": {func(e *openai.Edit) { e.Delete("model") },
			`{"n": 1,"messages":[{"model":"x"}],"mod\u0065\u006c2":2}`},
		"the last member is removed": {func(e *openai.Edit) { e.Delete("model2") },
			`{"model": "public","n": 1,"messages":[{"model":"x"}]}`},
		"an escaped name is found": {func(e *openai.Edit) { e.Set("model2", []byte("3")) },
			`{"model": "public","n": 1,"messages":[{"model":"x"}],"mod\u0065\u006c2":3}`},
		"all members are removed and one is new": {func(e *openai.Edit) {
			for _, name := range []string{"model", "n", "messages", "model2"} {
				e.Delete(name)
			}
			e.Set("a", []byte("1"))
		}, `{"a":1}`},
		"what is not there is not removed": {func(e *openai.Edit) { e.Delete("nobody") },
			`{"model": "public","n": 1,"messages":[{"model":"x"}],"mod\u0065\u006c2":2}`},
		"the last of several changes counts": {func(e *openai.Edit) {
			e.Set("n", []byte("2"))
			e.Delete("n")
			e.Set("n", []byte("3"))
			e.Set("new", []byte("1"))
			e.Set("new", []byte("2"))
		}, `{"model": "public","n": 3,"messages":[{"model":"x"}],"mod\u0065\u006c2":2,"new":2}`},
		"a new member is removed again": {func(e *openai.Edit) {
			e.Set("new", []byte("1"))
			e.Delete("new")
		}, `{"model": "public","n": 1,"messages":[{"model":"x"}],"mod\u0065\u006c2":2}`},
		"a member gets another name": {func(e *openai.Edit) { e.Rename("n", "count") },
			`{"model": "public","messages":[{"model":"x"}],"mod\u0065\u006c2":2,"count":1}`},
		"a member does not replace the one of its new name": {func(e *openai.Edit) { e.Rename("n", "model2") },
			`{"model": "public","messages":[{"model":"x"}],"mod\u0065\u006c2":2}`},
		"a changed member gets another name": {func(e *openai.Edit) {
			e.Set("n", []byte("7"))
			e.Rename("n", "count")
		}, `{"model": "public","messages":[{"model":"x"}],"mod\u0065\u006c2":2,"count":7}`},
		"a member gets the name of a removed one": {func(e *openai.Edit) {
			e.Delete("model2")
			e.Rename("n", "model2")
		}, `{"model": "public","messages":[{"model":"x"}],"mod\u0065\u006c2":1}`},
		"a removed member has nothing to rename": {func(e *openai.Edit) {
			e.Delete("n")
			e.Rename("n", "count")
		}, `{"model": "public","messages":[{"model":"x"}],"mod\u0065\u006c2":2}`},
		"a name is kept when it is its own new one": {func(e *openai.Edit) { e.Rename("n", "n") },
			`{"model": "public","n": 1,"messages":[{"model":"x"}],"mod\u0065\u006c2":2}`},
		"a new name is escaped": {func(e *openai.Edit) { e.Set("a\"b\n", []byte("1")) },
			`{"model": "public","n": 1,"messages":[{"model":"x"}],"mod\u0065\u006c2":2,"a\"b\n":1}`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			o := mustParse(t, raw)
			e := o.Edit()
			tc.edit(e)
			body := e.Body()
			if got := string(body.Bytes()); got != tc.want {
				t.Errorf("got\n%s, want\n%s", got, tc.want)
			}
			if body.Len() != int64(len(tc.want)) {
				t.Errorf("Len is %d, want %d", body.Len(), len(tc.want))
			}
			if string(o.Raw()) != raw {
				t.Errorf("the object changed: %s", o.Raw())
			}
		})
	}
}

func TestEdit_TellsWhatWillBe(t *testing.T) {
	e := mustParse(t, `{"a":1,"b":2}`).Edit()
	e.Delete("a")
	e.Set("c", []byte("3"))
	for name, want := range map[string]string{"a": "", "b": "2", "c": "3", "d": ""} {
		got, ok := e.Get(name)
		if string(got) != want || ok != (want != "") || e.Has(name) != ok {
			t.Errorf("%s: got %q, %t; want %q", name, got, ok, want)
		}
	}
}

func TestEdit_EmptyObjects(t *testing.T) {
	e := mustParse(t, " { } ").Edit()
	if got := string(e.Body().Bytes()); got != "{}" {
		t.Errorf("got %s", got)
	}
	e.Set("a", []byte("1"))
	if got := string(e.Body().Bytes()); got != `{"a":1}` {
		t.Errorf("got %s", got)
	}
}

func TestEdit_KeepsValuesByteForByte(t *testing.T) {
	const values = `"big":123456789012345678901234567890,"exp":1E+400,"zero":-0.0,"pair":"\ud83d\ude00","lone":"\ud800",` +
		`"emoji":"😀","html":"<a&b>\u2028","slash":"\/","nested":{"z":1, "a" : [ 1.10 ,{"model":"m"}]}`
	e := mustParse(t, `{"model":"m",`+values+`}`).Edit()
	e.SetString("model", "up/stream")
	if got, want := string(e.Body().Bytes()), `{"model":"up/stream",`+values+`}`; got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
}

func TestBody_ReadsAlikeInEveryWay(t *testing.T) {
	e := mustParse(t, `{"a":"`+strings.Repeat("x", 5000)+`","model":"m","b":2}`).Edit()
	e.SetString("model", "up")
	e.Delete("b")
	body := e.Body()
	if err := iotest.TestReader(body.NewReader(), body.Bytes()); err != nil {
		t.Error(err)
	}
	for name, read := range map[string]func(io.Reader) ([]byte, error){
		"all at once":  io.ReadAll,
		"byte by byte": func(r io.Reader) ([]byte, error) { return io.ReadAll(iotest.OneByteReader(r)) },
		"written": func(r io.Reader) ([]byte, error) {
			var b bytes.Buffer
			_, err := r.(io.WriterTo).WriteTo(&b)
			return b.Bytes(), err
		},
		"read, written": readThenWrite,
	} {
		t.Run(name, func(t *testing.T) {
			reader := body.NewReader()
			got, err := read(reader)
			if err != nil || !bytes.Equal(got, body.Bytes()) {
				t.Errorf("got %d bytes, %v; want %d", len(got), err, body.Len())
			}
			if err := reader.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// readThenWrite reads a few bytes and has the rest written.
func readThenWrite(r io.Reader) ([]byte, error) {
	var b bytes.Buffer
	if _, err := io.CopyN(&b, r, 3); err != nil {
		return nil, err
	}
	_, err := r.(io.WriterTo).WriteTo(&b)
	return b.Bytes(), err
}

func TestBody_StopsWhereTheWriterFails(t *testing.T) {
	body := mustParse(t, `{"a":1,"b":2}`).Edit().Body()
	n, err := body.NewReader().(io.WriterTo).WriteTo(&limitedWriter{left: 2})
	if !errors.Is(err, io.ErrShortWrite) || n != 2 {
		t.Errorf("got %d, %v", n, err)
	}
}

// limitedWriter takes some bytes and then fails.
type limitedWriter struct{ left int }

func (w *limitedWriter) Write(p []byte) (int, error) {
	n := min(len(p), w.left)
	w.left -= n
	if n < len(p) {
		return n, io.ErrShortWrite
	}
	return n, nil
}

func TestAppendString_AgreesWithEncodingJSON(t *testing.T) {
	for _, s := range []string{"", "plain", `q"uote`, `back\slash`, "line\n", "\x00", "\x7f", "é", "😀", "<&>", "\u2028", "\xff broken"} {
		got := openai.AppendString([]byte("x"), s)
		var back string
		if err := json.Unmarshal(got[1:], &back); err != nil || back != strings.ToValidUTF8(s, "\ufffd") || got[0] != 'x' {
			t.Errorf("%q is written as %s, which reads as %q, %v", s, got, back, err)
		}
	}
}

// decode reads an object the slow way, with numbers as they are written.
func decode(t *testing.T, raw []byte) map[string]json.RawMessage {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		t.Fatalf("%q: %v", raw, err)
	}
	return members
}

// isObject says whether JSON is an object.
func isObject(raw []byte) bool {
	return strings.HasPrefix(strings.TrimLeft(string(raw), " \t\r\n"), "{")
}

func FuzzObject(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, ` { } `, `[]`, `{"model":"a"}`, `{"model":"a","mod\u0065l":"b"}`, `{"a":{"b":[1,2,{"c":null}]},"d":-1.5e+7}`,
		`{"\ud800":1,"\udfff":2}`, "{\"\xff\":1,\"b\":\"\xfe\"}", `{"a" : "\\\"" , "b":[ ] }`, `{"a":1}x`, "{\"a\":\"\x1f\"}", `{"a":0.}`, `{"\u0000":1}`,
	} {
		f.Add([]byte(seed), "model", "new")
	}
	f.Fuzz(func(t *testing.T, raw []byte, name, to string) {
		before := bytes.Clone(raw)
		o, err := openai.ParseObject(raw)
		if got, want := !errors.Is(err, openai.ErrNotJSON), json.Valid(raw); got != want {
			t.Fatalf("%q: %v, but encoding/json says %t", raw, err, want)
		}
		if errors.Is(err, openai.ErrTooManyMembers) {
			return
		}
		if err != nil {
			if errors.Is(err, openai.ErrNotObject) == isObject(raw) && json.Valid(raw) {
				t.Fatalf("%q: %v", raw, err)
			}
			return
		}
		want := decode(t, raw)
		if diff := cmp.Diff(want, decode(t, o.Edit().Body().Bytes())); diff != "" {
			t.Fatalf("an edit without changes changed %q (-want +got):\n%s", raw, diff)
		}
		checkEdits(t, o, want, strings.ToValidUTF8(name, ""), strings.ToValidUTF8(to, ""))
		if !bytes.Equal(raw, before) {
			t.Fatalf("%q became %q", before, raw)
		}
	})
}

// checkEdits compares changes with the same changes to a map.
func checkEdits(t *testing.T, o *openai.Object, members map[string]json.RawMessage, name, to string) {
	t.Helper()
	e := o.Edit()
	value, ok := e.Get(name)
	if want, there := members[name]; ok != there || string(value) != string(want) {
		t.Fatalf("%q of %q is %q, want %q", name, o.Raw(), value, want)
	}
	e.Rename(name, to)
	if ok && name != to {
		if _, taken := members[to]; !taken {
			members[to] = value
		}
		delete(members, name)
	}
	e.SetString("model", to)
	members["model"] = openai.AppendString(nil, to)
	e.Delete("stream")
	delete(members, "stream")
	body := e.Body()
	if diff := cmp.Diff(members, decode(t, body.Bytes())); diff != "" {
		t.Fatalf("renaming %q to %q in %q (-want +got):\n%s", name, to, o.Raw(), diff)
	}
	if body.Len() != int64(len(body.Bytes())) {
		t.Fatalf("Len is %d of %q", body.Len(), body.Bytes())
	}
}

func BenchmarkParseObject(b *testing.B) {
	raw := []byte(`{"model":"deepseek-v4","stream":true,"messages":[{"role":"user","content":"` + strings.Repeat("hello world ", 80_000) + `"}]}`)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := openai.ParseObject(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func TestBody_readsFillTheBuffer(t *testing.T) {
	o := mustParse(t, `{"model":"m","messages":[1,2,3],"x":true}`)
	e := o.Edit()
	e.SetString("model", "upstream")
	e.Set("y", []byte(`{"z":1}`))
	body := e.Body()
	for _, size := range []int{1, 3, 7, 1000} {
		var got []byte
		r, p := body.NewReader(), make([]byte, size)
		reads := 0
		for {
			n, err := r.Read(p)
			got = append(got, p[:n]...)
			if err != nil {
				break
			}
			if reads++; n < size && len(got) < int(body.Len()) {
				t.Errorf("a read of %d gave %d although more was there", size, n)
			}
		}
		if string(got) != string(body.Bytes()) {
			t.Errorf("reads of %d gave %q", size, got)
		}
	}
}
