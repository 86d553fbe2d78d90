package feature_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/test/sim"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

// newSpeech starts a gateway that serves one speech model of a vendor.
func newSpeech(t *testing.T, v sim.Vendor, upstream string) *env {
	t.Helper()
	e := newEnv(t)
	r := e.route("voice", upstream, strings.ToLower(string(v)))
	r.Spec.Modality = v1alpha1.ModalitySpeech
	r.Spec.Voices = []v1alpha1.Voice{{Name: "warm-female-en", ID: "English_Graceful_Lady"}}
	price := v1alpha1.Decimal("100")
	r.Spec.Pricing = &v1alpha1.Pricing{Currency: "USD", Prices: v1alpha1.Prices{PerMillionCharacters: &price}}
	e.key(shop, "web", testKey, nil)
	e.apply()
	return e
}

// say is a speech request.
func say(text string, more ...any) map[string]any {
	body := map[string]any{"model": "voice", "voice": "warm-female-en", "input": text}
	for i := 0; i+1 < len(more); i += 2 {
		name, _ := more[i].(string)
		body[name] = more[i+1]
	}
	return body
}

func TestSpeech_BytesAndEventsAreTheSameAudio(t *testing.T) {
	e := newSpeech(t, sim.MiniMax, "speech-02-hd")
	whole := e.post("/v1/audio/speech", say("Welcome to vipcloud.")).expect(http.StatusOK)
	if whole.header.Get("Content-Type") != "audio/mpeg" || len(whole.body) < 1000 || whole.body[0] != 0xff {
		t.Fatalf("type %q, %d bytes", whole.header.Get("Content-Type"), len(whole.body))
	}
	events := e.post("/v1/audio/speech", say("Welcome to vipcloud.", "stream_format", "sse")).expect(http.StatusOK)
	var audio bytes.Buffer
	last := ""
	for line := range strings.SplitSeq(strings.TrimSpace(string(events.body)), "\n\n") {
		var event struct{ Type, Audio string }
		if err := json.Unmarshal([]byte(strings.TrimPrefix(line, "data: ")), &event); err != nil {
			t.Fatalf("event %q: %v", line, err)
		}
		piece, err := base64.StdEncoding.DecodeString(event.Audio)
		if err != nil {
			t.Fatal(err)
		}
		audio.Write(piece)
		last = event.Type
	}
	if !bytes.Equal(audio.Bytes(), whole.body) || last != "speech.audio.done" {
		t.Errorf("events hold %d bytes and end with %s, the body has %d", audio.Len(), last, len(whole.body))
	}
	charges := e.vendors.Media(sim.MiniMax).Charges()
	if line := e.request(1); len(charges) != 2 || line["characters"] != float64(charges[0].Units) || line["cost"] == nil {
		t.Errorf("logged %v, the vendor bills %v", line, charges)
	}
}

func TestSpeech_AnUnknownVoiceIsToldWhereTheListIs(t *testing.T) {
	e := newSpeech(t, sim.MiniMax, "speech-02-hd")
	body := say("hello")
	body["voice"] = "nobody"
	got := e.post("/v1/audio/speech", body).expect(http.StatusBadRequest).error()
	if got.Param != "voice" || !strings.Contains(got.Message, "/v1/models/voice?detail=1") {
		t.Errorf("got %+v", got)
	}
	body["voice"] = map[string]string{"id": "Wise_Woman"}
	e.post("/v1/audio/speech", body).expect(http.StatusOK)
	var detail struct{ Voices []struct{ ID string } }
	e.get("/v1/models/voice?detail=1").expect(http.StatusOK).decode(&detail)
	if len(detail.Voices) != 1 || detail.Voices[0].ID != "warm-female-en" {
		t.Errorf("voices %+v", detail)
	}
}

func TestSpeech_FormatsAVendorCannotMakeAreListed(t *testing.T) {
	e := newSpeech(t, sim.MiniMax, "speech-02-hd")
	got := e.post("/v1/audio/speech", say("hello", "response_format", "aac")).expect(http.StatusBadRequest).error()
	if got.Param != "response_format" || !strings.Contains(got.Message, "mp3") {
		t.Errorf("got %+v", got)
	}
	if n := len(e.vendors.Media(sim.MiniMax).Ledger()); n != 0 {
		t.Errorf("the vendor was called %d times", n)
	}
}

func TestSpeech_AShortFileNeverLooksWhole(t *testing.T) {
	e := newSpeech(t, sim.MiniMax, "speech-02-hd")
	for _, mode := range []studio.Mode{studio.Truncated, studio.MidStream} {
		data, err := json.Marshal(say("a rather long text, so that the audio comes in several pieces [[fail " + string(mode) + "]]"))
		if err != nil {
			t.Fatal(err)
		}
		resp := e.do(http.MethodPost, "/v1/audio/speech", string(data))
		if resp.StatusCode != http.StatusOK {
			continue // the failure came before the first piece, and was answered
		}
		if _, err := io.ReadAll(resp.Body); err == nil {
			t.Errorf("%s: the body ends cleanly", mode)
		}
		_ = resp.Body.Close()
	}
}

func TestSpeech_FailuresAreAnswered(t *testing.T) {
	for mode, status := range map[studio.Mode]int{
		studio.RateLimit: http.StatusTooManyRequests, studio.NoBalance: http.StatusBadGateway, studio.Moderation: http.StatusBadRequest,
		studio.HTML: http.StatusGatewayTimeout, studio.NoAudio: 0,
	} {
		e := newSpeech(t, sim.MiniMax, "speech-02-hd")
		answer := e.post("/v1/audio/speech", say("hello [[fail "+string(mode)+"]]"))
		if answer.status < 400 || (status != 0 && status != answer.status && mode != studio.HTML) || answer.error().Code == "" {
			t.Errorf("%s: status %d %s", mode, answer.status, answer.body)
		}
	}
}
