package sdk_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"vipcloud.ai/vipcloud/test/sim"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

// speechInput is what is said.
const speechInput = "Welcome to vipcloud."

// speechCase is a voice and a format.
type speechCase struct {
	Name, Model, Voice, Format, Type, Kind string
	BytesPerCharacter                      int
}

// params is a request to say something.
func (c *speechCase) params(input string) openai.AudioSpeechNewParams {
	return openai.AudioSpeechNewParams{
		Model: c.Model, Voice: openai.AudioSpeechNewParamsVoiceUnion{OfString: openai.String(c.Voice)}, Input: input,
		ResponseFormat: openai.AudioSpeechNewParamsResponseFormat(c.Format),
	}
}

// want checks a file.
func (c *speechCase) want(t *testing.T, data []byte) {
	t.Helper()
	wantOpens(t, data, c.Kind)
	if want := len(speechInput) * c.BytesPerCharacter; want > 0 && len(data) != want {
		t.Errorf("%d bytes, want %d: 24 kHz, 16 bit, mono", len(data), want)
	}
}

// usual is speech that streams.
func usual() *speechCase {
	return &speechCase{Model: "minimax-speech-02", Voice: "warm-female-en", Format: "mp3", Kind: "mp3"}
}

func TestSpeech_filesAndEventsOpen(t *testing.T) {
	w := newWorld(t, catalog)
	client := w.client("")
	for _, tc := range load[[]speechCase](t, "speech") {
		t.Run(tc.Name+", as a file", func(t *testing.T) {
			resp, err := client.Audio.Speech.New(t.Context(), tc.params(speechInput))
			if err != nil {
				t.Fatal(err)
			}
			if got := resp.Header.Get("Content-Type"); got != tc.Type {
				t.Errorf("content type is %s, want %s", got, tc.Type)
			}
			name := filepath.Join(t.TempDir(), "speech."+tc.Format)
			if err := os.WriteFile(name, readAll(t, resp), 0o600); err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			tc.want(t, data)
		})
		t.Run(tc.Name+", as events", func(t *testing.T) {
			params := tc.params(speechInput)
			params.StreamFormat = openai.AudioSpeechNewParamsStreamFormatSSE
			resp, err := client.Audio.Speech.New(t.Context(), params)
			if err != nil || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
				t.Fatalf("got %+v (%v)", resp, err)
			}
			tc.want(t, readSpeech(t, readAll(t, resp)))
		})
	}
}

// readSpeech puts the audio of events together.
func readSpeech(t *testing.T, body []byte) []byte {
	t.Helper()
	var audio []byte
	last := ""
	for line := range strings.SplitSeq(strings.TrimSuffix(string(body), "\n\n"), "\n\n") {
		var e struct {
			Type, Audio string
			Usage       map[string]int
		}
		if err := json.Unmarshal([]byte(strings.TrimPrefix(line, "data: ")), &e); err != nil {
			t.Fatalf("event %q: %v", line, err)
		}
		if _, counted := e.Usage["total_tokens"]; last == "speech.audio.done" || (e.Type == "speech.audio.done") != counted {
			t.Errorf("event %s after %s", line, last)
		}
		piece, err := base64.StdEncoding.DecodeString(e.Audio)
		if err != nil {
			t.Fatal(err)
		}
		audio, last = append(audio, piece...), e.Type
	}
	if last != "speech.audio.done" {
		t.Errorf("the last event is %s", last)
	}
	return audio
}

func TestSpeech_eachListedVoiceSpeaks(t *testing.T) {
	w := newWorld(t, catalog)
	client := w.client("")
	for _, model := range []string{"minimax-speech-02", "doubao-tts", "glm-tts"} {
		t.Run(model, func(t *testing.T) {
			m, err := client.Models.Get(t.Context(), model, option.WithQuery("detail", "1"))
			if err != nil {
				t.Fatal(err)
			}
			var voices []struct{ ID string }
			if err := json.Unmarshal([]byte(m.JSON.ExtraFields["voices"].Raw()), &voices); err != nil || len(voices) == 0 {
				t.Fatalf("voices are %s (%v)", m.JSON.ExtraFields["voices"].Raw(), err)
			}
			for _, v := range voices {
				tc := speechCase{Model: model, Voice: v.ID, Format: "pcm"}
				resp, err := client.Audio.Speech.New(t.Context(), tc.params(speechInput))
				if err != nil {
					t.Fatalf("%s: %v", v.ID, err)
				}
				if len(readAll(t, resp)) == 0 {
					t.Errorf("%s says nothing", v.ID)
				}
			}
		})
	}
}

func TestSpeech_20MBComeWholeAndBeginLongBeforeTheEnd(t *testing.T) {
	w := newWorld(t, catalog)
	client := w.client("")
	const size = 20 << 20
	began := time.Now()
	resp, err := client.Audio.Speech.New(t.Context(), usual().params(fmt.Sprintf("[[bytes %d]]", size)))
	if err != nil {
		t.Fatal(err)
	}
	first := time.Since(began)
	if data := readAll(t, resp); len(data) > size || len(data) <= size-len(studio.MP3(0)) {
		t.Errorf("%d bytes", len(data))
	}
	if whole := time.Since(began); first > whole/2 {
		t.Errorf("the first byte came after %v of %v", first, whole)
	}
}

func TestSpeech_leavingEndsItEverywhere(t *testing.T) {
	w := newWorld(t, catalog)
	client := w.client("")
	resp, err := client.Audio.Speech.New(t.Context(), usual().params("[[bytes 500000000]]"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(io.Discard, resp.Body, 1024); err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "no request at a vendor", func() bool { return w.vendors.InFlight() == 0 })
	w.wantIdle(t)
	if ledger := w.vendors.Media(sim.MiniMax).Ledger(); len(ledger) != 1 || !ledger[0].ClientGone {
		t.Errorf("the vendor saw %+v", ledger)
	}
}

func TestSpeech_breaksAndNeverLooksWhole(t *testing.T) {
	w := newWorld(t, catalog)
	client := w.client("")
	params := usual().params(strings.Repeat(speechInput, 50) + "[[fail mid_stream]]")
	resp, err := client.Audio.Speech.New(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err == nil || len(data) == 0 {
		t.Errorf("%d bytes and %v", len(data), err)
	}
	params.StreamFormat = openai.AudioSpeechNewParamsStreamFormatSSE
	if resp, err = client.Audio.Speech.New(t.Context(), params); err != nil {
		t.Fatal(err)
	}
	events := bytes.Split(bytes.TrimSpace(readAll(t, resp)), []byte("\n\n"))
	if last := events[len(events)-1]; !bytes.Contains(last, []byte(`"type":"upstream_error"`)) || resp.StatusCode != http.StatusOK {
		t.Errorf("the last event is %s", last)
	}
}
