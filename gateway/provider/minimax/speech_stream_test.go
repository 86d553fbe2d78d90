package minimax

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// event is an event with audio.
func event(status int, audio string) string {
	return fmt.Sprintf(`{"data":{"audio":%q,"status":%d,"ced":""},"trace_id":"t1","base_resp":{"status_code":0,"status_msg":"success"}}`,
		audio, status)
}

// last is an event that ends a speech of 26 billed characters.
func last(audio string) string {
	return `{"data":{"audio":"` + audio + `","status":2},"extra_info":{"audio_size":0,"usage_characters":26},"base_resp":{"status_code":0}}`
}

// failing is an event that reports a failure.
func failing(code int) string {
	return fmt.Sprintf(`{"data":null,"trace_id":"t1","base_resp":{"status_code":%d,"status_msg":"no"}}`, code)
}

// sent is an event stream.
func sent(list ...string) string {
	var b strings.Builder
	for _, e := range list {
		b.WriteString("data: " + e + "\n\n")
	}
	return b.String()
}

// hear reads all of the audio.
func hear(s provider.SpeechStream) ([]byte, provider.Usage, error) {
	var audio []byte
	for {
		piece, err := s.Next()
		switch {
		case errors.Is(err, io.EOF):
			return audio, s.Usage(), nil
		case err != nil:
			return audio, s.Usage(), err
		case len(piece) == 0:
			return audio, s.Usage(), errors.New("an empty piece")
		}
		audio = append(audio, piece...)
	}
}

// decode reads an answer to a request for MP3.
func decode(body io.Reader) provider.SpeechStream {
	return Speech().Decode(upstream("speech-02-hd"), request(nil), http.Header{"Trace-Id": {"04b2"}}, body)
}

func TestAudio(t *testing.T) {
	t.Parallel()
	ab, cd, abcd := hex.EncodeToString([]byte("ab")), hex.EncodeToString([]byte("cd")), hex.EncodeToString([]byte("abcde"))
	billed := provider.Usage{Known: true, Characters: 26}
	tests := map[string]struct {
		body, audio string
		usage       provider.Usage
	}{
		"parts, and an end without audio": {sent(event(1, ab), event(1, cd), last("")), "abcd", billed},
		"an end that repeats everything":  {sent(event(1, ab), event(1, cd), last(abcd)), "abcd", billed},
		"nothing but an end":              {sent(last(abcd)), "abcde", billed},
		"an end mark besides":             {sent(event(1, ab), last(""), "[DONE]"), "ab", billed},
		"an end mark before the end":      {sent(event(1, ab), "[DONE]", last("")), "ab", billed},
		"an end that says nothing more": {
			sent(event(1, ab), `{"data":{"status":2},"base_resp":{"status_code":0}}`), "ab", provider.Usage{},
		},
		"parts without audio":           {sent(event(1, ""), `{"data":null}`, event(1, ab), last("")), "ab", billed},
		"digits of any case":            {sent(event(1, "4aFf"), last("")), "J\xff", billed},
		"digits with escapes":           {sent(`{"data":{"audio":"\u0036\u0031","status":1}}`, last("")), "a", billed},
		"members in another order":      {sent(`{"base_resp":{"status_code":0},"data":{"status":1,"audio":"61"}}`, last("")), "a", billed},
		"a whole document":              {last(abcd), "abcde", billed},
		"a document after white space":  {" \r\n" + last(abcd) + "\n", "abcde", billed},
		"comments and names of events":  {": hi\n\nevent: audio\nid: 1\n" + sent(event(1, ab), last("")), "ab", billed},
		"an end without its empty line": {sent(event(1, ab)) + "data: " + last(""), "ab", billed},
		"what follows the end":          {sent(event(1, ab), last(""), failing(1000), "rubbish"), "ab", billed},
		"a count of zero": {
			sent(event(1, ab), `{"data":{"status":2},"extra_info":{"usage_characters":0}}`), "ab", provider.Usage{Known: true},
		},
		"a count that cannot be": {sent(event(1, ab), `{"data":{"status":2},"extra_info":{"usage_characters":-5}}`), "ab", provider.Usage{}},
		"a count that is none":   {sent(event(1, ab), `{"data":{"status":2},"extra_info":{"usage_characters":"26"}}`), "ab", provider.Usage{}},
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

func TestAudioThatIsNone(t *testing.T) {
	t.Parallel()
	ab := event(1, "6162")
	tests := map[string]struct {
		body  string
		audio string // what is heard before
		class provider.Class
		code  string
	}{
		"an empty answer":                       {"", "", provider.ClassBadResponse, "truncated"},
		"white space":                           {" \n\n", "", provider.ClassBadResponse, "truncated"},
		"a page":                                {"<html></html>", "", provider.ClassBadResponse, "truncated"},
		"an event that is no JSON":              {sent("hello"), "", provider.ClassBadResponse, "not_json"},
		"an event that is no object":            {sent("[]"), "", provider.ClassBadResponse, "not_json"},
		"an event with something behind it":     {sent(ab + "x"), "", provider.ClassBadResponse, "not_json"},
		"a stream that was cut off":             {sent(ab), "ab", provider.ClassBadResponse, "truncated"},
		"a stream that was cut off by its mark": {sent(ab, "[DONE]"), "ab", provider.ClassBadResponse, "truncated"},
		"an event that was cut off":             {sent(ab) + "data: " + event(1, "6162")[:40], "ab", provider.ClassBadResponse, "not_json"},
		"a document that was cut off":           {last("6162")[:30], "", provider.ClassBadResponse, "not_json"},
		"a document that says nothing":          {`{}`, "", provider.ClassBadResponse, "no_base_resp"},
		"an odd number of digits":               {sent(event(1, "616")), "", provider.ClassBadResponse, "bad_audio"},
		"letters":                               {sent(event(1, "zz")), "", provider.ClassBadResponse, "bad_audio"},
		"an address":                            {last("https://example.com/a.mp3"), "", provider.ClassBadResponse, "bad_audio"},
		"a number":                              {sent(`{"data":{"audio":6162,"status":1}}`), "", provider.ClassBadResponse, "bad_audio"},
		"silence with an end":                   {sent(event(1, ""), last("")), "", provider.ClassOverloaded, "no_audio"},
		"silence without data":                  {sent(`{"data":null,"base_resp":{"status_code":0}}`), "", provider.ClassOverloaded, "no_audio"},
		"a silent document":                     {`{"data":null,"base_resp":{"status_code":0}}`, "", provider.ClassOverloaded, "no_audio"},
		"a failure":                             {sent(failing(1002)), "", provider.ClassRateLimited, "1002"},
		"a failure as a document":               {failing(1008), "", provider.ClassNoBalance, "1008"},
		"a failure on the way":                  {sent(ab, failing(1000), last("")), "ab", provider.ClassServerError, "1000"},
		"a failure that has a text for a code":  {sent(`{"base_resp":{"status_code":"1002"}}`), "", provider.ClassRateLimited, "1002"},
		"a failure of the newer interfaces": {
			`{"type":"error","error":{"type":"authorized_error","message":"login fail (1004)"},"request_id":"r1"}`, "",
			provider.ClassUnauthorized, "1004",
		},
		"a failure that nobody knows": {sent(failing(999999)), "", provider.ClassServerError, "999999"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			audio, _, err := hear(decode(strings.NewReader(tc.body)))
			e := errorOf(t, err)
			if string(audio) != tc.audio || e.Class != tc.class || e.Code != tc.code || e.Status != http.StatusOK || e.RequestID != "04b2" {
				t.Errorf("audio = %q, error = %v of request %q; want %q, %s %s", audio, e, e.RequestID, tc.audio, tc.class, tc.code)
			}
			fit(t, e)
		})
	}
}

func TestAudioFailuresName(t *testing.T) {
	t.Parallel()
	tests := map[int]provider.Error{
		20132: {Class: provider.ClassInvalidRequest, Param: "voice"},
		2042:  {Class: provider.ClassInvalidRequest, Param: "voice"},
		2054:  {Class: provider.ClassInvalidRequest, Param: "voice"},
		1042:  {Class: provider.ClassInvalidRequest, Param: "input"},
		2013:  {Class: provider.ClassInvalidRequest},
		1026:  {Class: provider.ClassModeration},
	}
	for code, want := range tests {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			t.Parallel()
			want.Status, want.Code, want.Message, want.RequestID = http.StatusOK, fmt.Sprint(code), "no", "04b2"
			_, _, err := hear(decode(strings.NewReader(sent(failing(code)))))
			if diff := cmp.Diff(&want, errorOf(t, err)); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

// errCut is a connection that breaks.
var errCut = errors.New("the connection broke")

func TestAudioOfABrokenConnection(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"at once": "", "after a part": sent(event(1, "6162")),
		"in a part": sent(event(1, "6162"))[:30], "in a document": last("6162")[:20],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := hear(decode(io.MultiReader(strings.NewReader(body), iotest.ErrReader(errCut))))
			if !errors.Is(err, errCut) {
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
	for name, before := range map[string]string{"an event": `data: {"data":{"audio":"`, "a document": `{"data":{"audio":"`} {
		t.Run(name, func(t *testing.T) {
			_, _, err := hear(decode(io.MultiReader(strings.NewReader(before), &endless{data: strings.Repeat("00", 1<<15)})))
			if e := errorOf(t, err); e.Class != provider.ClassBadResponse || e.Code != "event_too_large" {
				t.Errorf("error = %v, want event_too_large", e)
			}
		})
	}
}

func TestAudioOfAnEndThatRepeatsMegabytes(t *testing.T) {
	whole := strings.Repeat("6162", 4<<20)
	audio, usage, err := hear(decode(strings.NewReader(sent(event(1, "6162"), last(whole)))))
	if string(audio) != "ab" || usage.Characters != 26 || err != nil {
		t.Errorf("%d bytes of audio, usage = %+v, %v; want 2 bytes", len(audio), usage, err)
	}
}

// steady is a stream whose events carry so many bytes of audio each, and never end.
func steady(size int) provider.SpeechStream {
	return decode(&endless{data: sent(event(1, strings.Repeat("5a", size)))})
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
