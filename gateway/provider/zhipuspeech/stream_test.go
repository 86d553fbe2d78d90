package zhipuspeech

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

// part is an event with audio, in base64.
func part(audio string) string {
	return fmt.Sprintf(`{"choices":[{"index":0,"delta":{"role":"assistant","content":%q,"return_sample_rate":24000}}],"request_id":"r1"}`,
		base64.StdEncoding.EncodeToString([]byte(audio)))
}

// end is the last event, with audio or without.
func end(audio string) string {
	return strings.Replace(part(audio), `}}],`, `},"finish_reason":"stop"}],`, 1)
}

// instead is the last event with something else for its reason, and chosen an event with a text for its audio, both as JSON.
func instead(audio, reason string) string { return strings.Replace(end(audio), `"stop"`, reason, 1) }
func chosen(text string) string           { return `{"choices":[{"delta":{"content":` + text + `}}]}` }

// failing is an event that reports a failure.
func failing(code string) string {
	return `{"request_id":"r1","created":1,"error":{"code":"` + code + `","message":"no"}}`
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
func hear(s provider.SpeechStream) ([]byte, error) {
	var audio []byte
	for {
		piece, err := s.Next()
		switch {
		case s.Usage() != provider.Usage{}:
			return audio, errors.New("usage that the vendor has not told")
		case errors.Is(err, io.EOF):
			return audio, nil
		case err != nil:
			return audio, err
		case len(piece) == 0:
			return audio, errors.New("an empty piece")
		}
		audio = append(audio, piece...)
	}
}

// decode reads an answer to a request for a format.
func decode(up *provider.Upstream, format string, body io.Reader) provider.SpeechStream {
	in := request(func(in *provider.SpeechRequest) { in.Format = format })
	return Speech().Decode(up, in, http.Header{"X-Log-Id": {"2026"}}, body)
}

func TestAudio(t *testing.T) {
	t.Parallel()
	header := func(rate, perSecond string) string {
		return "RIFF\xff\xff\xff\xffWAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00" + rate + perSecond + "\x02\x00\x10\x00data\xff\xff\xff\xff"
	}
	usual := header("\xc0\x5d\x00\x00", "\x80\xbb\x00\x00")
	rated := func(rate string) string { return strings.Replace(part("ab"), "24000", rate, 1) }
	tests := map[string]struct{ format, body, audio string }{
		"an end with audio":            {"pcm", sent(part("ab"), end("cd")), "abcd"},
		"an end without audio":         {"pcm", sent(part("abc"), end("")), "abc"},
		"an end mark besides":          {"pcm", sent(part("ab"), end("cd"), "[DONE]"), "abcd"},
		"nothing but an end mark":      {"pcm", sent(part("ab"), "[DONE]"), "ab"},
		"nothing but an end":           {"pcm", sent(end("ab")), "ab"},
		"another end":                  {"pcm", sent(part("ab"), instead("", `"length"`)), "ab"},
		"ends that are none yet":       {"pcm", sent(instead("a", `null`), instead("b", `""`), end("c")), "abc"},
		"events without audio":         {"pcm", sent(`{}`, `{"choices":[]}`, chosen(`null`), part("ab"), end("")), "ab"},
		"an escaped text":              {"pcm", sent(`{"choices":[{"delta":{"content":"YWI\u003d"},"finish_reason":"stop"}]}`), "ab"},
		"line ends in a text":          {"pcm", sent(chosen(`"\n"`), chosen(`"YW\nI="`), end("")), "ab"},
		"an error of null":             {"pcm", sent(strings.Replace(end("ab"), `{"choices"`, `{"error":null,"code":200,"choices"`, 1)), "ab"},
		"what follows the end":         {"pcm", sent(end("ab"), failing("1234"), "rubbish"), "ab"},
		"a document in place of event": {"pcm", end("ab"), "ab"},
		"wav":                          {"wav", sent(part("ab"), end("cd")), usual + "abcd"},
		"wav after silence":            {"wav", sent(chosen(`"\n"`), part("ab"), end("")), usual + "ab"},
		"wav of the rate that is told": {"wav", sent(rated("16000"), end("cd")), header("\x80\x3e\x00\x00", "\x00\x7d\x00\x00") + "abcd"},
		"wav of a rate that cannot be": {"wav", sent(rated("-1"), end("")), usual + "ab"},
		"wav of a rate that is a text": {"wav", sent(rated(`"8000"`), end("")), usual + "ab"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for way, body := range map[string]io.Reader{
				"at once": strings.NewReader(tc.body), "byte by byte": iotest.OneByteReader(strings.NewReader(tc.body)),
			} {
				audio, err := hear(decode(upstream(), tc.format, body))
				if string(audio) != tc.audio || err != nil {
					t.Errorf("%s: audio = %q, %v; want %q", way, audio, err, tc.audio)
				}
			}
		})
	}
}

func TestAudioInHexadecimal(t *testing.T) {
	t.Parallel()
	up := upstream()
	up.Parameters.Overrides = []provider.Parameter{{Name: "encode_format", Value: []byte(`"hex"`)}}
	const event = `{"choices":[{"delta":{"content":"6162"},"finish_reason":"stop"}]}`
	if audio, err := hear(decode(up, "pcm", strings.NewReader(sent(event)))); string(audio) != "ab" || err != nil {
		t.Errorf("audio = %q, %v; want ab", audio, err)
	}
	up.Parameters.Drop = []string{"encode_format"} // the vendor's default is base64
	if audio, err := hear(decode(up, "pcm", strings.NewReader(sent(event)))); string(audio) != "\xeb\x5e\xb6" || err != nil {
		t.Errorf("audio = %q, %v; want what 6162 is in base64", audio, err)
	}
}

func TestAudioThatIsNone(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body  string
		audio string // what is heard before
		class provider.Class
		code  string
	}{
		"an empty answer":                 {"", "", provider.ClassBadResponse, "truncated"},
		"a page":                          {"<html></html>", "", provider.ClassBadResponse, "truncated"},
		"audio that is not in events":     {"\x01\x02\x03\x04", "", provider.ClassBadResponse, "truncated"},
		"an event that is no JSON":        {sent("hello"), "", provider.ClassBadResponse, "not_json"},
		"a stream that was cut off":       {sent(part("ab")), "ab", provider.ClassBadResponse, "truncated"},
		"an event that was cut off":       {sent(part("ab")) + "data: " + end("cd")[:60], "ab", provider.ClassBadResponse, "not_json"},
		"a document that was cut off":     {end("ab")[:60], "", provider.ClassBadResponse, "not_json"},
		"a document that says nothing":    {`{}`, "", provider.ClassBadResponse, "truncated"},
		"a text that is no base64":        {sent(`{"choices":[{"delta":{"content":"a*"}}]}`), "", provider.ClassBadResponse, "bad_audio"},
		"a text that is cut":              {sent(`{"choices":[{"delta":{"content":"YWI"}}]}`), "", provider.ClassBadResponse, "bad_audio"},
		"a number":                        {sent(`{"choices":[{"delta":{"content":5}}]}`), "", provider.ClassBadResponse, "bad_audio"},
		"silence":                         {sent(end("")), "", provider.ClassServerError, "no_audio"},
		"silence with an end mark":        {sent(`{"choices":[]}`, "[DONE]"), "", provider.ClassServerError, "no_audio"},
		"content that is refused":         {sent(part("ab"), instead("", `"sensitive"`)), "ab", provider.ClassModeration, "sensitive"},
		"a failure as an end":             {sent(instead("", `"network_error"`)), "", provider.ClassServerError, "network_error"},
		"a failure":                       {sent(failing("1302")), "", provider.ClassRateLimited, "1302"},
		"a failure as a document":         {failing("1113"), "", provider.ClassNoBalance, "1113"},
		"a failure on the way":            {sent(part("ab"), failing("1234"), end("")), "ab", provider.ClassServerError, "1234"},
		"a failure whose code is no text": {sent(`{"error":{"code":1305,"message":"no"}}`), "", provider.ClassOverloaded, "1305"},
		"a failure without wrapping":      {sent(`{"code":1214,"message":"no"}`), "", provider.ClassInvalidRequest, "1214"},
		"a failure that is a text":        {sent(`{"error":"no"}`), "", provider.ClassServerError, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			audio, err := hear(decode(upstream(), "pcm", strings.NewReader(tc.body)))
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
	for name, body := range map[string]string{
		"at once": "", "after a part": sent(part("ab")),
		"in a part": sent(part("ab"))[:30], "in a document": end("ab")[:20],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := hear(decode(upstream(), "pcm", io.MultiReader(strings.NewReader(body), iotest.ErrReader(errCut))))
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
	for name, before := range map[string]string{"an event": `data: {"a":"`, "a document": `{"a":"`} {
		t.Run(name, func(t *testing.T) {
			_, err := hear(decode(upstream(), "pcm", io.MultiReader(strings.NewReader(before), &endless{data: strings.Repeat("YWJj", 1<<14)})))
			if e := errorOf(t, err); e.Class != provider.ClassBadResponse || e.Code != "event_too_large" {
				t.Errorf("error = %v, want event_too_large", e)
			}
		})
	}
}

// steady is a stream whose events carry so many bytes of audio each, and never end.
func steady(size int) provider.SpeechStream {
	return decode(upstream(), "pcm", &endless{data: sent(part(strings.Repeat("z", size)))})
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
