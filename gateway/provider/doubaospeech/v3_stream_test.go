package doubaospeech

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// part is a value with audio.
func part(audio string) string {
	return fmt.Sprintf(`{"code":0,"message":"","data":%q}`, base64.StdEncoding.EncodeToString([]byte(audio)))
}

// The values that have none.
const (
	sentence = `{"code":0,"message":"","data":null,"sentence":{"text":"Hi.","words":[{"word":"Hi","startTime":0.1,"endTime":0.2}]}}`
	end      = `{"code":20000000,"message":"ok","data":null,"usage":{"text_words":26}}`
	bareEnd  = `{"code":20000000,"message":"ok","data":null}`
)

// failing is a value that reports a failure.
func failing(code int, text string) string {
	return fmt.Sprintf(`{"reqid":"r1","code":%d,"message":%q}`, code, text)
}

// sent is an event stream. The numbers of events are wrong, since they mean nothing.
func sent(list ...string) string {
	var b strings.Builder
	for i, v := range list {
		fmt.Fprintf(&b, "event: %d\ndata: %s\n\n", 153-i, v)
	}
	return b.String()
}

// decode reads an answer of V3 to a request for MP3.
func decode(body io.Reader) provider.SpeechStream {
	return Adapter().Speech.Decode(v3(), request(nil), http.Header{"X-Tt-Logid": {"2026"}}, body)
}

func TestAudioV3(t *testing.T) {
	t.Parallel()
	billed := provider.Usage{Known: true, Characters: 26}
	tests := map[string]struct {
		body, audio string
		usage       provider.Usage
	}{
		"parts, a sentence and the end": {sent(part("ab"), part("cd"), sentence, end), "abcd", billed},
		"an end that does not count":    {sent(part("ab"), bareEnd), "ab", provider.Usage{}},
		"an end with audio":             {sent(strings.Replace(end, "null", `"YWI="`, 1)), "ab", billed},
		"a count that cannot be":        {sent(part("ab"), strings.Replace(end, "26", "-1", 1)), "ab", provider.Usage{}},
		"a count of zero":               {sent(part("ab"), strings.Replace(end, "26", "0", 1)), "ab", provider.Usage{Known: true}},
		"parts without audio":           {sent(part(""), sentence, `{"code":0}`, part("ab"), end), "ab", billed},
		"an escaped text":               {sent(`{"code":0,"data":"YWI\u003d"}`, end), "ab", billed},
		"line ends alone":               {sent(`{"code":0,"data":"\n"}`, part("ab"), end), "ab", billed},
		"what follows the end":          {sent(part("ab"), end, failing(55000000, "no"), "rubbish"), "ab", billed},
		"an end without its empty line": {sent(part("ab")) + "data: " + end, "ab", billed},
		"comments":                      {": hi\n\n" + sent(part("ab")) + ":\n\n" + sent(end), "ab", billed},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for way, body := range map[string]io.Reader{
				"at once": strings.NewReader(tc.body), "byte by byte": iotest.OneByteReader(strings.NewReader(tc.body)),
			} {
				audio, usage, err := hear(decode(body))
				if string(audio) != tc.audio || usage != tc.usage || err != nil {
					t.Errorf("%s: audio = %q, usage = %+v, %v; want %q, %+v", way, audio, usage, err, tc.audio, tc.usage)
				}
			}
		})
	}
}

func TestAudioV3ThatIsNone(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body  string
		audio string // what is heard before
		class provider.Class
		code  string
	}{
		"an empty answer":              {"", "", provider.ClassServerError, "no_audio"},
		"white space":                  {"\r\n ", "", provider.ClassServerError, "no_audio"},
		"an end and nothing else":      {sent(end), "", provider.ClassServerError, "no_audio"},
		"a sentence that is not heard": {sent(sentence, bareEnd), "", provider.ClassServerError, "no_audio"},
		"a page":                       {"<html></html>", "", provider.ClassBadResponse, "truncated"},
		"a comment":                    {": hi\n\n", "", provider.ClassBadResponse, "truncated"},
		"a stream that was cut off":    {sent(part("ab"), sentence), "ab", provider.ClassBadResponse, "truncated"},
		"an event that was cut off":    {sent(part("ab")) + "data: " + end[:30], "ab", provider.ClassBadResponse, "not_json"},
		"an event that is no JSON":     {sent("hello"), "", provider.ClassBadResponse, "not_json"},
		"values without events":        {part("ab") + end, "", provider.ClassBadResponse, "not_json"},
		"a value without events":       {part("ab"), "ab", provider.ClassBadResponse, "truncated"},
		"a value without a code":       {sent(`{"data":"YWI="}`), "", provider.ClassBadResponse, "no_code"},
		"a text that is no base64":     {sent(`{"code":0,"data":"a*"}`), "", provider.ClassBadResponse, "bad_audio"},
		"a number":                     {sent(`{"code":0,"data":5}`), "", provider.ClassBadResponse, "bad_audio"},
		"a failure": {
			sent(failing(45000000, "quota exceeded for types: concurrency")), "", provider.ClassRateLimited, "45000000",
		},
		"a failure as a document":    {failing(45000010, "Invalid X-Api-Key"), "", provider.ClassUnauthorized, "45000010"},
		"a failure within a header":  {`{"header":` + failing(40402003, "no") + `}`, "", provider.ClassInvalidRequest, "40402003"},
		"a failure on the way":       {sent(part("ab"), failing(55000000, "no"), end), "ab", provider.ClassServerError, "55000000"},
		"a code that is a text":      {sent(`{"code":"45000010","message":"no"}`), "", provider.ClassUnauthorized, "45000010"},
		"a code that nobody knows":   {sent(failing(99999999, "no")), "", provider.ClassServerError, "99999999"},
		"a code of null":             {sent(`{"code":null,"data":"YWI="}`), "", provider.ClassServerError, ""},
		"a document of another kind": {`{"error":"no"}`, "", provider.ClassBadResponse, "no_code"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			audio, _, err := hear(decode(strings.NewReader(tc.body)))
			e := errorOf(t, err)
			if string(audio) != tc.audio || e.Class != tc.class || e.Code != tc.code || e.Status != http.StatusOK || e.RequestID != "2026" {
				t.Errorf("audio = %q, error = %v of request %q; want %q, %s %s", audio, e, e.RequestID, tc.audio, tc.class, tc.code)
			}
			fit(t, e)
		})
	}
}

// errCut is a connection that breaks.
var errCut = errors.New("the connection broke")

func TestAudioOfABrokenConnection(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		up   *provider.Upstream
		body string
	}{
		"V3, at once": {v3(), ""}, "V3, after a part": {v3(), sent(part("ab"))}, "V3, in a part": {v3(), sent(part("ab"))[:30]},
		"V3, in a document": {v3(), failing(55000000, "no")[:9]},
		"V1, at once":       {v1(), ""}, "V1, within": {v1(), spoken("abc")[:20]},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := io.MultiReader(strings.NewReader(tc.body), iotest.ErrReader(errCut))
			if _, _, err := hear(Adapter().Speech.Decode(tc.up, request(nil), nil, body)); !errors.Is(err, errCut) {
				t.Errorf("error = %v, want the connection's", err)
			}
		})
	}
}

// endless is a reader of the same bytes over and over.
type endless struct {
	data string
	at   int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.data[e.at:])
	e.at = (e.at + n) % len(e.data)
	return n, nil
}

func TestAudioIsBounded(t *testing.T) {
	for name, tc := range map[string]struct {
		up     *provider.Upstream
		before string
	}{
		"an event of V3": {v3(), `data: {"a":"`}, "a document of V3": {v3(), `{"a":"`}, "V1": {v1(), `{"a":"`},
	} {
		t.Run(name, func(t *testing.T) {
			body := io.MultiReader(strings.NewReader(tc.before), &endless{data: strings.Repeat("YWJj", 1<<14)})
			_, _, err := hear(Adapter().Speech.Decode(tc.up, request(nil), nil, body))
			if e := errorOf(t, err); e.Class != provider.ClassBadResponse || e.Code != "event_too_large" {
				t.Errorf("error = %v, want event_too_large", e)
			}
		})
	}
}

// steady is a stream whose events carry so many bytes of audio each, and never end.
func steady(size int) provider.SpeechStream {
	return decode(&endless{data: sent(part(strings.Repeat("z", size)))})
}

func TestAudioCostsNoMemoryPerEvent(t *testing.T) {
	for size, most := range map[int]float64{960: 0, 6 << 10: 0, 48 << 10: 8} {
		s := steady(size)
		got := testing.AllocsPerRun(100, func() {
			if piece, err := s.Next(); err != nil || len(piece) != size {
				t.Fatalf("%d bytes, %v; want %d", len(piece), err, size)
			}
		})
		if got > most {
			t.Errorf("an event of %d bytes of audio allocates %g times, want at most %g", size, got, most)
		}
	}
}

func BenchmarkAudio(b *testing.B) {
	const size = 6 << 10
	s := steady(size)
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Next(); err != nil {
			b.Fatal(err)
		}
	}
}
