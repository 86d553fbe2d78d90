package zhipuspeech

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"vipcloud.ai/vipcloud/gateway/provider"
)

func FuzzAudio(f *testing.F) {
	for _, s := range []string{
		sent(part("ab"), end("cd"), "[DONE]"), sent(part("ab"), end("")), sent(end("")), sent(part("ab")), sent(failing("1302")), failing("1113"),
		sent(`{"choices":[{"delta":{"content":"YW\u003d="},"finish_reason":"stop"}]}`), sent(`{"choices":[{"delta":{"content":"6162"}}]}`),
		sent(`{"choices":[`), "event: x\r\ndata: {}\r\rdata\n\n", "{}", "", "<html>", "data: \xff\n\n", "\x01\x02",
	} {
		f.Add([]byte(s), true, false)
		f.Add([]byte(s), false, true)
	}
	f.Fuzz(func(t *testing.T, body []byte, wav, hexadecimal bool) {
		up, format := upstream(), provider.FormatPCM
		if wav {
			format = provider.FormatWAV
		}
		if hexadecimal {
			up.Parameters.Overrides = []provider.Parameter{{Name: "encode_format", Value: []byte(`"hex"`)}}
		}
		read := func(r io.Reader) ([]byte, error) { return hear(decode(up, format, r)) }
		audio, err := read(bytes.NewReader(body))
		slowly, slow := read(iotest.OneByteReader(bytes.NewReader(body)))
		if !bytes.Equal(audio, slowly) || (err == nil) != (slow == nil) {
			t.Errorf("byte by byte: %q, %v; at once: %q, %v", slowly, slow, audio, err)
		}
		if wav && len(audio) > 0 && (!bytes.HasPrefix(audio, []byte("RIFF")) || len(audio) <= 44) {
			t.Errorf("%q is no WAV", audio)
		}
		switch {
		case err != nil:
			fit(t, errorOf(t, err))
		case len(audio) == 0:
			t.Error("there is neither audio nor an error")
		}
	})
}

func FuzzError(f *testing.F) {
	for _, s := range []string{
		failing("1302"), `{"code":1214,"message":"voice"}`, `{"error":"x"}`, `<html>`, ``, "\xff", `{"error":{"code":`,
	} {
		for _, status := range []int{200, 400, 429, 500} {
			f.Add(status, []byte(s))
		}
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		e := Speech().Error(status, nil, body)
		if e.Status != status {
			t.Errorf("status = %d, want %d", e.Status, status)
		}
		fit(t, e)
	})
}

func FuzzMembers(f *testing.F) {
	for _, s := range []string{`{}`, ` { } `, `{"a":1,"b":[{"c":"\""}]}`, `{"a":1,}`, `{"a" : 1}x`, `{"a\"":1}`, `{,}`, `{"a"`, ``} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var want map[string]json.RawMessage
		err := json.Unmarshal(raw, &want)
		syntax, _ := errors.AsType[*json.SyntaxError](err)
		values := 0
		ok := members(raw, func(_, value []byte) {
			values++
			if one := first(value); !json.Valid(value) || one != nil && !json.Valid(one) {
				t.Errorf("%q is no value, or its first element is none: %q", value, one)
			}
		})
		switch deep := bytes.Count(raw, []byte("[")) + bytes.Count(raw, []byte("{")); {
		case ok && (syntax != nil || values < len(want)):
			t.Errorf("members(%q) gives %d values, want %d (%v)", raw, values, len(want), err)
		case !ok && err == nil && want != nil && deep < maxDepth:
			t.Errorf("members(%q) finds no object", raw)
		}
	})
}
