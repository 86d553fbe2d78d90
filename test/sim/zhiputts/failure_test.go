package zhiputts_test

import (
	"encoding/base64"
	"net/http"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

func TestSpeech_refusesAsTold(t *testing.T) {
	for mode, tc := range map[studio.Mode]struct {
		status int
		code   string
	}{
		studio.Unauthorized: {401, "1000"}, studio.NoBalance: {429, "1113"}, studio.RateLimit: {429, "1303"}, studio.Concurrency: {429, "1302"},
		studio.Overload: {429, "1305"}, studio.ServerError: {500, "1234"}, studio.Moderation: {400, "1301"}, studio.NotOpen: {400, "1211"},
		studio.TaskFailed: {500, "1234"}, studio.ModerationOutput: {400, "1301"}, studio.MidStream: {500, "1234"},
		"1003": {401, "1003"}, "1110": {429, "1110"}, "1200": {500, "1200"}, "1213": {400, "1213"}, "1215": {400, "1215"},
		"1304": {429, "1304"}, "1308": {429, "1308"}, "1310": {429, "1310"}, "1312": {429, "1312"},
	} {
		t.Run(string(mode), func(t *testing.T) {
			b := start(t, studio.Options{})
			got := b.post(with(t, hello, "input", quote("Hello [[fail "+string(mode)+"]]")))
			if got.status != tc.status || got.code() != tc.code || got.message() == "" {
				t.Errorf("= %d %s, want %d %s", got.status, got.body, tc.status, tc.code)
			}
			if e := b.last(); e.Mode != mode || e.Reason == "" || len(b.Charges()) != 0 {
				t.Errorf("entry %+v, charges %v", e, b.Charges())
			}
			if again := b.post(hello); again.status != http.StatusOK {
				t.Errorf("afterwards %d %.300s", again.status, again.body)
			}
		})
	}
}

func TestSpeech_breaksInTheMiddleOfTheBytes(t *testing.T) {
	b := start(t, studio.Options{})
	for name, body := range map[string]string{
		"pcm": hello, "wav": with(t, hello, "response_format", `"wav"`), "a short one": with(t, hello, "input", `"x"`),
	} {
		whole := len(b.post(body).body)
		for _, mode := range []studio.Mode{studio.Truncated, studio.PartialOutput} {
			b.FailNext(1, mode)
			got := b.post(body)
			if got.status != http.StatusOK || got.err == nil || got.body == "" || len(got.body) >= whole {
				t.Errorf("%s: %s = %d with %d bytes of %d, %v", name, mode, got.status, len(got.body), whole, got.err)
			}
		}
	}
	if got := len(b.Charges()); got != 9 {
		t.Errorf("%d charges, want 9", got)
	}
}

func TestSpeech_breaksInTheMiddleOfTheStream(t *testing.T) {
	for name, body := range map[string]string{"long": with(t, hello, "stream", "true"), "short": with(t, hello, "stream", "true", "input",
		`"x"`)} {
		t.Run(name, func(t *testing.T) {
			b := start(t, studio.Options{})
			for range 2 {
				b.FailNext(1, studio.Truncated)
				documents, done := events(t, b.post(body))
				last := documents[len(documents)-1]
				if done || last.Get("choices.0.finish_reason").Exists() || last.Get("choices.0.delta.content").Str == "" {
					t.Errorf("truncated: %d chunks, the last %.300s", len(documents), last.Raw)
				}
			}
			for range 2 {
				b.FailNext(1, studio.MidStream)
				documents, done := events(t, b.post(body))
				last := documents[len(documents)-1]
				if done || len(documents) < 2 || last.Get("error.code").Str != "1234" || last.Get("error.message").Str == "" ||
					last.Get("choices").Exists() {
					t.Errorf("mid_stream: %d chunks, the last %.300s", len(documents), last.Raw)
				}
			}
			if len(b.Charges()) != 2 || b.last().Reason == "" {
				t.Errorf("charges %v, entry %+v", b.Charges(), b.last())
			}
		})
	}
}

func TestSpeech_succeedsWithoutAudio(t *testing.T) {
	b := start(t, studio.Options{})
	b.FailAlways(studio.NoAudio)
	if got := b.post(hello); got.status != http.StatusOK || got.body != "" || got.err != nil {
		t.Errorf("pcm = %+v", got)
	}
	if got := b.post(with(t, hello, "response_format", `"wav"`)); got.status != http.StatusOK || len(got.body) != 44 ||
		got.body[40:] != "\x00\x00\x00\x00" {
		t.Errorf("wav = %d bytes", len(got.body))
	}
	for range 2 {
		documents, _ := events(t, b.post(with(t, hello, "stream", "true")))
		if len(documents) != 1 || documents[0].Get("choices.0.finish_reason").Str != "stop" || len(spoken(t, documents,
			base64.StdEncoding.DecodeString)) != 0 {
			t.Errorf("chunks = %v", documents)
		}
	}
	if len(b.Charges()) != 0 || b.last().Status != http.StatusOK {
		t.Errorf("charges %v, entry %+v", b.Charges(), b.last())
	}
}

func TestSpeech_goesAstray(t *testing.T) {
	for mode, tc := range map[studio.Mode]struct {
		status, charges int
		err             bool
	}{
		studio.Lost: {0, 1, true}, studio.Drop: {0, 0, true}, studio.Stall: {0, 0, true}, studio.TaskStuck: {0, 0, true},
		studio.Malformed: {200, 0, false}, studio.HTML: {504, 0, false}, studio.Empty: {200, 0, false},
		studio.Redirect: {307, 0, false}, "no such mode": {501, 0, false}, "1999": {501, 0, false}, studio.TaskSlow: {200, 1, false},
	} {
		for _, body := range []string{hello, with(t, hello, "stream", "true")} {
			b := start(t, studio.Options{StallFor: 5 * time.Millisecond})
			b.FailNext(1, mode)
			got := b.post(body)
			if got.status != tc.status || (got.err != nil) != tc.err || len(b.Charges()) != tc.charges || gjson.Valid(got.body) {
				t.Errorf("%s = %d %.300s, %v, charges %v", mode, got.status, got.body, got.err, b.Charges())
			}
		}
	}
}
