package minimaxmedia_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/test/sim/minimaxmedia"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

// refusals are the modes that are a status code.
func refusals() map[studio.Mode]int64 {
	return map[studio.Mode]int64{
		studio.Unauthorized: 2049, studio.NoBalance: 1008, studio.RateLimit: 1002, studio.Concurrency: 1041, studio.Overload: 1033,
		studio.ServerError: 1000, studio.Moderation: 1026, studio.NotOpen: 2061,
		"1001": 1001, "1004": 1004, "1013": 1013, "1024": 1024, "1027": 1027, "1028": 1028, "1030": 1030, "1039": 1039, "1042": 1042,
		"2013": 2013, "2038": 2038, "2042": 2042, "2056": 2056, "20132": 20132,
	}
}

func TestSpeech_refusesAsToldInside200(t *testing.T) {
	for mode, want := range refusals() {
		for name, body := range map[string]string{"whole": hello, "streamed": with(t, hello, "stream", "true")} {
			t.Run(string(mode)+" "+name, func(t *testing.T) {
				b := start(t, studio.Options{})
				b.FailNext(1, mode)
				got := b.post(speech, body)
				got.body = strings.TrimPrefix(got.body, "data: ")
				if got.status != http.StatusOK || got.code() != want || got.get("base_resp.status_msg").Str == "" ||
					got.get("data").Type != gjson.Null {
					t.Errorf("= %d %s, want %d", got.status, got.body, want)
				}
				if e := b.last(); e.Mode != mode || e.Reason == "" || len(b.Charges()) != 0 {
					t.Errorf("the ledger has %+v, charges %v", e, b.Charges())
				}
				if again := b.post(speech, hello); again.code() != 0 {
					t.Errorf("afterwards %s", again.body)
				}
			})
		}
	}
}

func TestSpeech_aRefusedStreamIsABodyOrAnEvent(t *testing.T) {
	b := start(t, studio.Options{})
	b.FailAlways(studio.Moderation)
	first := b.post(speech, with(t, hello, "stream", "true")).header.Get("Content-Type")
	second := b.post(speech, with(t, hello, "stream", "true")).header.Get("Content-Type")
	if first != "text/event-stream" || second != "application/json" {
		t.Errorf("Content-Type = %q, then %q", first, second)
	}
}

func TestSpeech_obeysTheTextFirst(t *testing.T) {
	b := start(t, studio.Options{})
	b.FailAlways(studio.NoBalance)
	if got := b.post(speech, with(t, hello, "text", `"Hello [[fail rate_limit]]"`)); got.code() != 1002 {
		t.Errorf("= %s", got.body)
	}
	b.Heal()
	if got := b.post(speech, hello); got.code() != 0 {
		t.Errorf("healed: %s", got.body)
	}
}

func TestSpeech_lostIsBilledAndUnanswered(t *testing.T) {
	for mode, charges := range map[studio.Mode]int{studio.Lost: 1, studio.Drop: 0} {
		b := start(t, studio.Options{})
		b.FailNext(1, mode)
		got := b.post(speech, hello)
		if got.err == nil || len(b.Charges()) != charges || b.last().Status != 0 {
			t.Errorf("%s = %+v, charges %v", mode, got, b.Charges())
		}
	}
}

func TestSpeech_succeedsWithoutAudio(t *testing.T) {
	for name, body := range map[string]string{"whole": hello, "streamed": with(t, hello, "stream", "true")} {
		t.Run(name, func(t *testing.T) {
			b := start(t, studio.Options{})
			b.FailAlways(studio.NoAudio)
			for _, want := range []string{`{"audio":"","status":2,"ced":""}`, "null"} {
				got := b.post(speech, body)
				got.body = strings.TrimPrefix(got.body, "data: ")
				if got.code() != 0 || got.get("data").Raw != want || got.get("extra_info.usage_characters").Int() != 0 {
					t.Errorf("= %s, want data %s", got.body, want)
				}
			}
			if len(b.Charges()) != 0 {
				t.Errorf("charges = %v", b.Charges())
			}
		})
	}
}

func TestSpeech_truncated(t *testing.T) {
	b := start(t, studio.Options{})
	b.FailAlways(studio.Truncated)
	t.Run("a stream ends without its final event", func(t *testing.T) {
		for _, body := range []string{hello, with(t, hello, "text", `"x"`)} {
			got := b.post(speech, with(t, body, "stream", "true"))
			documents, done := events(t, got)
			if len(documents) == 0 || documents[len(documents)-1].Get("data.status").Int() != 1 || done || got.err != nil {
				t.Errorf("= %.300s, %v", got.body, got.err)
			}
		}
	})
	for name, body := range map[string]string{
		"an answer ends in its audio": hello,
		"so does a short one":         with(t, hello, "text", `"x"`),
		"a link ends, too":            with(t, hello, "output_format", `"url"`),
	} {
		t.Run(name, func(t *testing.T) {
			if got := b.post(speech, body); got.err != nil || got.body == "" || gjson.Valid(got.body) {
				t.Errorf("= %.300s, %v", got.body, got.err)
			}
		})
	}
	if got := len(b.Charges()); got != 5 {
		t.Errorf("%d charges, want 5", got)
	}
}

func TestSpeech_failsInMidStream(t *testing.T) {
	b := start(t, studio.Options{})
	b.FailNext(1, studio.MidStream)
	documents, _ := events(t, b.post(speech, with(t, hello, "stream", "true")))
	last := documents[len(documents)-1]
	if len(documents) < 3 || documents[0].Get("data.audio").Str == "" || last.Get("base_resp.status_code").Int() != 1000 ||
		last.Get("data").Type != gjson.Null {
		t.Errorf("events = %v", documents)
	}
	if len(b.Charges()) != 0 || b.last().Reason == "" {
		t.Errorf("charges %v, entry %+v", b.Charges(), b.last())
	}
	b.FailNext(1, studio.MidStream)
	if got := b.post(speech, hello); got.code() != 1000 {
		t.Errorf("without stream %s", got.body)
	}
}

func TestSpeech_hexIsOdd(t *testing.T) {
	b := start(t, studio.Options{})
	b.FailAlways(minimaxmedia.OddHex)
	if got := b.post(speech, hello); got.code() != 0 || len(got.get("data.audio").Str)%2 != 1 {
		t.Errorf("= %.300s", got.body)
	}
	documents, _ := events(t, b.post(speech, with(t, hello, "stream", "true")))
	for _, d := range documents {
		if len(d.Get("data.audio").Str)%2 != 1 {
			t.Errorf("an event is %.300s", d.Raw)
		}
	}
}

func TestSpeech_playsWhatHasNoVendor(t *testing.T) {
	for mode, want := range map[studio.Mode]int{
		studio.Malformed: http.StatusOK, studio.HTML: http.StatusGatewayTimeout, studio.Empty: http.StatusOK,
		studio.Redirect: http.StatusTemporaryRedirect, "no such mode": http.StatusNotImplemented,
	} {
		b := start(t, studio.Options{})
		b.FailNext(1, mode)
		if got := b.post(speech, hello); got.status != want || gjson.Valid(got.body) || len(b.Charges()) != 0 {
			t.Errorf("%s = %d %s, charges %v", mode, got.status, got.body, b.Charges())
		}
	}
	b := start(t, studio.Options{StallFor: 5 * time.Millisecond})
	for _, mode := range []studio.Mode{studio.Stall, studio.TaskStuck} {
		b.FailNext(1, mode)
		if got := b.post(speech, hello); got.err == nil {
			t.Errorf("%s = %+v", mode, got)
		}
	}
}

func TestSpeech_takesTheNearestMeaningOfOtherModes(t *testing.T) {
	b := start(t, studio.Options{})
	for mode, want := range map[studio.Mode]int64{studio.TaskFailed: 1000, studio.ModerationOutput: 1027, studio.TaskSlow: 0} {
		b.FailNext(1, mode)
		if got := b.post(speech, hello); got.code() != want {
			t.Errorf("%s = %s", mode, got.body)
		}
	}
	b.FailNext(1, studio.PartialOutput)
	if got := b.post(speech, hello); gjson.Valid(got.body) || got.body == "" {
		t.Errorf("partial = %.300s", got.body)
	}
}

func TestSpeech_takesItsTime(t *testing.T) {
	b := start(t, studio.Options{Latency: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if got := b.send(ctx, http.MethodPost, speech, hello); got.err == nil || !b.last().ClientGone || len(b.Charges()) != 0 {
		t.Errorf("= %+v, entry %+v", got, b.last())
	}
}
