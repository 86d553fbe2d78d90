package zhiputts_test

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/test/sim/studio"
	"vipcloud.ai/vipcloud/test/sim/zhiputts"
)

// samples is how many bytes the nine characters of hello become: 540 ms of 24000 samples of two bytes.
const samples = 540 * 48

// events reads a stream: its documents, and whether [DONE] ended it.
func events(t *testing.T, r reply) (documents []gjson.Result, done bool) {
	t.Helper()
	if r.header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("Content-Type = %q: %.300s", r.header.Get("Content-Type"), r.body)
	}
	for event := range strings.SplitSeq(strings.TrimSuffix(r.body, "\n\n"), "\n\n") {
		data, ok := strings.CutPrefix(event, "data: ")
		switch {
		case !ok || done:
			t.Fatalf("an event is %q", event)
		case data == "[DONE]":
			done = true
		case !gjson.Valid(data):
			t.Fatalf("an event is no JSON: %q", data)
		default:
			documents = append(documents, gjson.Parse(data))
		}
	}
	return documents, done
}

// spoken decodes the audio of a stream.
func spoken(t *testing.T, documents []gjson.Result, decode func(string) ([]byte, error)) []byte {
	t.Helper()
	var audio []byte
	for _, d := range documents {
		piece, err := decode(d.Get("choices.0.delta.content").Str)
		if err != nil {
			t.Fatalf("the audio of %.300s: %v", d.Raw, err)
		}
		audio = append(audio, piece...)
	}
	return audio
}

func TestSpeech_isPCMBehindABeepByDefault(t *testing.T) {
	for name, body := range map[string]string{
		"nothing said": hello, "no voice": with(t, hello, "voice", ""), "pcm": with(t, hello, "response_format", `"pcm"`),
		"a mark wanted": with(t, hello, "watermark_enabled", "true"), "no stream": with(t, hello, "stream", "false"),
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t, studio.Options{})
			got := b.post(body)
			want := string(zhiputts.Beep()) + string(studio.PCM(24000, 540*time.Millisecond))
			if got.status != http.StatusOK || got.body != want || len(want) <= samples {
				t.Errorf("= %d with %d bytes, want %d", got.status, len(got.body), len(want))
			}
			charges := b.Charges()
			if len(charges) != 1 || charges[0].Units != 9 || charges[0].Model != "glm-tts" || charges[0].Kind != studio.Speech {
				t.Errorf("charges = %v", charges)
			}
		})
	}
}

func TestSpeech_isWAVWithAHeaderThatFits(t *testing.T) {
	b := start(t, studio.Options{})
	got := b.post(with(t, hello, "response_format", `"wav"`))
	head := []byte(got.body[:44])
	size, rate := int(binary.LittleEndian.Uint32(head[40:])), binary.LittleEndian.Uint32(head[24:])
	if string(head[:4]) != "RIFF" || size != len(got.body)-44 || size != samples+len(zhiputts.Beep()) || rate != 24000 ||
		int(binary.LittleEndian.Uint32(head[4:])) != size+36 || got.header.Get("Content-Type") != "audio/wav" {
		t.Errorf("%d bytes: %x", len(got.body), head)
	}
}

func TestSpeech_hasNoMarkOnlyWhereThatIsAllowed(t *testing.T) {
	b := start(t, studio.Options{})
	body := with(t, hello, "watermark_enabled", "false")
	if got := b.post(body); got.status != http.StatusBadRequest || got.code() != "1210" || !strings.Contains(got.message(),
		"watermark_enabled") {
		t.Errorf("= %d %.300s", got.status, got.body)
	}
	b.AllowUnmarked(true)
	if got := b.post(body); got.body != string(studio.PCM(24000, 540*time.Millisecond)) {
		t.Errorf("= %d with %d bytes", got.status, len(got.body))
	}
	if got := b.post(hello); len(got.body) != samples+len(zhiputts.Beep()) {
		t.Errorf("without the member %d bytes", len(got.body))
	}
}

func TestSpeech_isAStreamOfChunks(t *testing.T) {
	for name, tc := range map[string]struct {
		encoding string
		decode   func(string) ([]byte, error)
	}{
		"base64 by default": {"", base64.StdEncoding.DecodeString},
		"base64":            {`"base64"`, base64.StdEncoding.DecodeString},
		"hex":               {`"hex"`, hex.DecodeString},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t, studio.Options{Now: func() time.Time { return time.Unix(7, 0) }})
			body := with(t, hello, "stream", "true", "encode_format", tc.encoding, "request_id", `"my-own"`)
			documents, _ := events(t, b.post(body))
			audio := spoken(t, documents, tc.decode)
			if want := string(zhiputts.Beep()) + string(studio.PCM(24000, 540*time.Millisecond)); string(audio) != want {
				t.Errorf("%d bytes of audio, want %d", len(audio), len(want))
			}
			for i, d := range documents {
				finish := d.Get("choices.0.finish_reason")
				if last := i == len(documents)-1; finish.Exists() != last || last && finish.Str != "stop" {
					t.Errorf("chunk %d finishes with %q", i, finish.Raw)
				}
				if d.Get("choices.0.delta.return_sample_rate").Int() != 24000 || d.Get("choices.0.index").Int() != 0 ||
					d.Get("request_id").Str != "my-own" || d.Get("created").Int() != 7 {
					t.Errorf("a chunk is %.300s", d.Raw)
				}
			}
			if len(documents) < 6 || len(b.Charges()) != 1 {
				t.Errorf("%d chunks, charges %v", len(documents), b.Charges())
			}
		})
	}
}

func TestSpeech_streamsEndInTwoWays(t *testing.T) {
	b := start(t, studio.Options{})
	first, done := events(t, b.post(with(t, hello, "stream", "true")))
	second, doneAgain := events(t, b.post(with(t, hello, "stream", "true")))
	empty := func(all []gjson.Result) bool { return all[len(all)-1].Get("choices.0.delta.content").Str == "" }
	if !done || !empty(first) || doneAgain || empty(second) {
		t.Errorf("[DONE] %v with an empty last chunk %v, then %v with %v", done, empty(first), doneAgain, empty(second))
	}
	if a, b := spoken(t, first, base64.StdEncoding.DecodeString), spoken(t, second, base64.StdEncoding.DecodeString); string(a) != string(b) {
		t.Errorf("%d bytes, then %d", len(a), len(b))
	}
}

func TestSpeech_isAsLongAsOrdered(t *testing.T) {
	b := start(t, studio.Options{})
	long := with(t, hello, "input", `"x [[bytes 2000000]]"`)
	want := 2_000_000 + len(zhiputts.Beep())
	if got := b.post(long); len(got.body) != want {
		t.Errorf("%d bytes, want %d", len(got.body), want)
	}
	documents, _ := events(t, b.post(with(t, long, "stream", "true")))
	for _, d := range documents {
		if len(d.Raw) > 100_000 {
			t.Errorf("a chunk of %d bytes", len(d.Raw))
		}
	}
	if got := len(spoken(t, documents, base64.StdEncoding.DecodeString)); got != want {
		t.Errorf("%d bytes streamed, want %d", got, want)
	}
}

func TestSpeech_refuses(t *testing.T) {
	for name, tc := range map[string]struct{ body, code, says string }{
		"nothing":                     {"", "1210", ""},
		"half a document":             {hello[:20], "1210", ""},
		"an array":                    {"[]", "1210", ""},
		"a doubled member":            {`{"model":"glm-tts","model":"glm-tts"}`, "1210", `duplicate field "model"`},
		"bytes for text":              {strings.Replace(hello, "world", "\xff", 1), "1210", "UTF-8"},
		"an unknown member":           {with(t, hello, "instructions", `"x"`), "1210", `unknown field "instructions"`},
		"a member of OpenAI":          {with(t, hello, "stream_format", `"sse"`), "1210", "stream_format"},
		"another case":                {with(t, hello, "Voice", `"jam"`), "1210", "Voice"},
		"a voice that is an object":   {with(t, hello, "voice", `{"id":"jam"}`), "1210", "voice"},
		"a speed in a string":         {with(t, hello, "speed", `"1"`), "1210", "speed"},
		"a flag in a string":          {with(t, hello, "stream", `"true"`), "1210", "stream"},
		"a check that is no object":   {with(t, hello, "sensitive_word_check", "true"), "1210", "sensitive_word_check"},
		"no model":                    {with(t, hello, "model", ""), "1213", "model"},
		"an unknown model":            {with(t, hello, "model", `"tts-1"`), "1211", ""},
		"the older model":             {with(t, hello, "model", `"cogtts"`), "1211", ""},
		"no input":                    {with(t, hello, "input", ""), "1213", "input"},
		"a blank input":               {with(t, hello, "input", `" \n"`), "1213", "input"},
		"1025 characters":             {with(t, hello, "input", quote(strings.Repeat("字", 1025))), "1214", "1024"},
		"an unknown voice":            {with(t, hello, "voice", `"alloy"`), "1214", "voice"},
		"an empty voice":              {with(t, hello, "voice", `""`), "1214", "voice"},
		"mp3":                         {with(t, hello, "response_format", `"mp3"`), "1214", "response_format"},
		"wav as a stream":             {with(t, hello, "response_format", `"wav"`, "stream", "true"), "1214", "response_format"},
		"too slow":                    {with(t, hello, "speed", "0.49"), "1214", "speed"},
		"too fast":                    {with(t, hello, "speed", "2.01"), "1214", "speed"},
		"no volume":                   {with(t, hello, "volume", "0"), "1214", "volume"},
		"too loud":                    {with(t, hello, "volume", "10.1"), "1214", "volume"},
		"an unknown encoding":         {with(t, hello, "stream", "true", "encode_format", `"utf8"`), "1214", "encode_format"},
		"an encoding of no stream":    {with(t, hello, "encode_format", `"hex"`), "1210", "encode_format"},
		"an empty id of the request":  {with(t, hello, "request_id", `""`), "1210", "request_id"},
		"an empty id of the end user": {with(t, hello, "user_id", `""`), "1210", "user_id"},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t, studio.Options{})
			got := b.post(tc.body)
			if got.status != http.StatusBadRequest || got.code() != tc.code || got.message() == "" || !strings.Contains(got.message(), tc.says) {
				t.Errorf("= %d %s, want %s with %q", got.status, got.body, tc.code, tc.says)
			}
			if len(b.Charges()) != 0 || b.last().Reason == "" {
				t.Errorf("charges %v, entry %+v", b.Charges(), b.last())
			}
		})
	}
	b := start(t, studio.Options{})
	if got := b.post(hello, "Content-Type", "multipart/form-data; boundary=x"); got.status != http.StatusBadRequest || got.code() != "1210" {
		t.Errorf("a form = %d %.300s", got.status, got.body)
	}
}

func TestSpeech_accepts(t *testing.T) {
	for name, body := range map[string]string{
		"1024 characters": with(t, hello, "input", quote(strings.Repeat("字", 1024))),
		"a cloned voice":  with(t, hello, "voice", quote(zhiputts.ClonedVoice)),
		"the limits":      with(t, hello, "speed", "0.5", "volume", "10"),
		"the rest": with(t, hello, "speed", "2", "volume", "0.1", "sensitive_word_check", `{"type":"ALL","status":"DISABLE"}`,
			"user_id", `"u"`),
		"nulls": with(t, hello, "voice", "null", "speed", "null", "watermark_enabled", "null"),
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t, studio.Options{})
			if got := b.post(body, "Content-Type", "application/json; charset=utf-8"); got.status != http.StatusOK || len(got.body) < samples {
				t.Errorf("= %d %.300s", got.status, got.body)
			}
		})
	}
}
