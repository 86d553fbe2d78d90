package minimax

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/iotest"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// seeds adds answers of every kind, each with a status.
func seeds(f *testing.F) {
	f.Helper()
	for _, s := range []string{
		succeeded, retrieved, `{"task_id":"176","base_resp":{"status_code":0,"status_msg":"success"}}`,
		`{"status":"Fail","base_resp":{"status_code":1027,"status_msg":"no"}}`, `{"status":"Queueing"}`, `{}`,
		`{"type":"error","error":{"type":"authorized_error","message":"login fail (1004)"}}`,
		`<html>`, ``, "\xff\x00", `{"task_id":`,
	} {
		for _, status := range []int{200, 404, 429, 500} {
			f.Add(status, []byte(s))
		}
	}
}

func FuzzReadTask(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		task, next, err := readTask(&provider.Response{Status: status, Header: http.Header{}, Body: body})
		if err != nil {
			fit(t, errorOf(t, err))
			return
		}
		if task.ID == "" || task.ID != word(task.ID) || task.State != "" || next != nil || !success(status) {
			t.Errorf("task = %+v, next %v, status %d", task, next, status)
		}
	})
}

func FuzzPoll(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		r := &provider.Response{Status: status, Header: http.Header{}, Body: body}
		state, file, err := readState(r)
		if err != nil {
			fit(t, errorOf(t, err))
		} else if failed := state.Status == provider.TaskFailed; (file == "") == (state.Status == "") || (state.Failure != nil) != failed {
			t.Errorf("state = %+v, file %q", state, file)
		}
		if state, _, err = readFile(r); err != nil {
			fit(t, errorOf(t, err))
		} else if state.Status != provider.TaskCompleted || len(state.Files) != 1 || !success(status) {
			t.Errorf("state = %+v, status %d", state, status)
		}
	})
}

func FuzzSpeech(f *testing.F) {
	for _, s := range []string{
		sent(event(1, "6162"), event(1, "6364"), last("")), sent(event(1, "6162"), last("61626364"), "[DONE]"), last("6162"),
		sent(event(1, "6162")), sent(event(1, "616")), sent(failing(1002)), failing(1002), sent(`{"data":{"audio":"\u0036\u0031"}}`),
		"event: x\r\ndata: {}\r\rdata\n\n", "{}", "", "<html>", "data: \xff\n\n",
	} {
		f.Add([]byte(s), true)
		f.Add([]byte(s), false)
	}
	f.Fuzz(func(t *testing.T, body []byte, wav bool) {
		in := request(nil)
		if wav {
			in.Format = provider.FormatWAV
		}
		read := func(r io.Reader) ([]byte, provider.Usage, error) {
			return hear(Speech().Decode(upstream("speech-02-hd"), in, nil, r))
		}
		audio, usage, err := read(bytes.NewReader(body))
		slowly, again, slow := read(iotest.OneByteReader(bytes.NewReader(body)))
		if !bytes.Equal(audio, slowly) || usage != again || (err == nil) != (slow == nil) {
			t.Errorf("byte by byte: %q, %+v, %v; at once: %q, %+v, %v", slowly, again, slow, audio, usage, err)
		}
		if wav && len(audio) > 0 && (!bytes.HasPrefix(audio, []byte("RIFF")) || len(audio) <= 44) {
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

func FuzzSpeechError(f *testing.F) {
	seeds(f)
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
