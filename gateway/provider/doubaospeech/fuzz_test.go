package doubaospeech

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
		sent(part("ab"), part("cd"), sentence, end), sent(part("ab"), bareEnd), sent(end), sent(part("ab")), spoken("abc"), spoken(""),
		sent(failing(45000000, "quota exceeded for types: concurrency")), failing(3003, "no"), `{"header":{"code":3001}}`,
		sent(`{"code":0,"data":"YWI\u003d"}`, end), sent(`{"code":0,"data":"\n"}`, end), part("ab") + end, "event: x\r\ndata: {}\r\rdata\n\n",
		"{}", "", "<html>", "data: \xff\n\n",
	} {
		f.Add([]byte(s), true, false)
		f.Add([]byte(s), false, false)
		f.Add([]byte(s), false, true)
	}
	f.Fuzz(func(t *testing.T, body []byte, wav, first bool) {
		up, in := v3(), request(nil)
		if first {
			up = v1()
		}
		if wav {
			in.Format = provider.FormatWAV
		}
		read := func(r io.Reader) ([]byte, provider.Usage, error) {
			return hear(Adapter().Speech.Decode(up, in, nil, r))
		}
		audio, usage, err := read(bytes.NewReader(body))
		slowly, again, slow := read(iotest.OneByteReader(bytes.NewReader(body)))
		if !bytes.Equal(audio, slowly) || usage != again || (err == nil) != (slow == nil) {
			t.Errorf("byte by byte: %q, %+v, %v; at once: %q, %+v, %v", slowly, again, slow, audio, usage, err)
		}
		if wav && !first && len(audio) > 0 && (!bytes.HasPrefix(audio, []byte("RIFF")) || len(audio) <= 44) {
			t.Errorf("%q is no WAV", audio)
		}
		if err == nil && len(audio) == 0 || usage.Characters < 0 || !usage.Known && usage != (provider.Usage{}) {
			t.Errorf("%d bytes of audio, usage = %+v", len(audio), usage)
		}
		if err != nil {
			fit(t, errorOf(t, err))
		}
	})
}

func FuzzError(f *testing.F) {
	for _, s := range []string{
		failing(45000000, "access denied"), `{"header":{"code":55000000,"message":"resource ID is mismatched with speaker"}}`, `{"code":3001}`,
		`<html>`, ``, "\xff", `{"code":`,
	} {
		for _, status := range []int{200, 400, 403, 500} {
			f.Add(status, []byte(s))
		}
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		e := Adapter().Speech.Error(status, nil, body)
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
			if !json.Valid(value) {
				t.Errorf("%q is no value", value)
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
