package minimax_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/provider/minimax"
	"vipcloud.ai/vipcloud/gateway/provider/providertest"
	"vipcloud.ai/vipcloud/test/sim/minimaxmedia"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

// media is the vendor. Its endpoint is a root, or what an SDK takes.
func media(endpoint string) providertest.Media {
	clock := providertest.NewClock()
	vendor := minimaxmedia.New(studio.Options{Now: clock.Now})
	return providertest.Media{
		Adapter: provider.Adapter{
			Info:  provider.Info{Name: "MiniMax", Modalities: []provider.Modality{provider.ModalityVideo, provider.ModalitySpeech}},
			Video: minimax.Video(), Speech: minimax.Speech(),
		},
		Handler: vendor, Studio: vendor.Studio, Clock: clock,
		Upstream: provider.Upstream{Endpoint: endpoint, Secrets: map[string]provider.Secret{"api-key": provider.NewSecret(vendor.Key() + "\n")}},
		Failures: map[studio.Mode]provider.Class{
			studio.Unauthorized: provider.ClassUnauthorized, studio.NoBalance: provider.ClassNoBalance,
			studio.RateLimit: provider.ClassRateLimited, studio.Concurrency: provider.ClassRateLimited,
			studio.Overload: provider.ClassServerError, studio.ServerError: provider.ClassServerError,
			studio.Moderation: provider.ClassModeration, studio.NotOpen: provider.ClassForbidden,
			studio.HTML: provider.ClassTimeout, // its status is 504
		},
	}
}

// The longest text makes ten megabytes of audio, for which the suite allows ten seconds: nothing runs beside it.
func TestSpeechConformance(t *testing.T) {
	m := media("")
	m.Upstream.Model = "speech-02-hd"
	m.Failures[studio.Truncated] = provider.ClassBadResponse
	m.Failures[studio.MidStream] = provider.ClassServerError
	m.Failures[studio.NoAudio] = provider.ClassOverloaded
	providertest.RunSpeech(t, m, providertest.SpeechCases{
		Request:  provider.SpeechRequest{Voice: "English_Graceful_Lady"},
		Audio:    audio(t),
		Formats:  []string{"mp3", "flac", "wav", "pcm"},
		MinSpeed: 0.5, MaxSpeed: 2,
		MaxRunes:     9999,
		UnknownVoice: "alloy",
		Accepted: map[string]provider.SpeechRequest{
			"a voice with blanks and parentheses":   {Voice: "Chinese (Mandarin)_Lyrical_Voice"},
			"a cloned voice":                        {Voice: minimaxmedia.ClonedVoice},
			"an answer that is nothing but its end": {Voice: "Wise_Woman", Input: "At once. " + once, Format: provider.FormatPCM},
			"audio of several megabytes":            {Voice: "Wise_Woman", Input: "Much of it. [[bytes 3000000]]", Format: provider.FormatWAV},
		},
		Refused: map[string]providertest.Refusal[provider.SpeechRequest]{
			"instructions": {Request: provider.SpeechRequest{Voice: "Wise_Woman", Instructions: "Whisper."}, Param: "instructions"},
		},
	})
}

// once makes the vendor send nothing but the last event, which is a sample longer than the sum of the others would be.
const once = "[[once]]"

// audio tells what the vendor makes of a text: what an account of its own gets, all at once, of another vendor of the same kind.
func audio(t *testing.T) func(*provider.SpeechRequest) []byte {
	t.Helper()
	vendor := minimaxmedia.New(studio.Options{})
	return func(in *provider.SpeechRequest) []byte {
		format, rate := in.Format, 32000
		if format == provider.FormatWAV || format == provider.FormatPCM {
			format, rate = provider.FormatPCM, 24000
		}
		data := whole(t, vendor, map[string]any{
			"model": "speech-02-hd", "text": in.Input, "voice_setting": map[string]any{"voice_id": in.Voice},
			"audio_setting": map[string]any{"format": format, "sample_rate": rate},
		})
		if strings.HasSuffix(in.Input, once) {
			second := studio.PCM(24000, time.Second)
			data = bytes.Repeat(second, len(data)/len(second)+1)[:len(data)+2]
		}
		if in.Format == provider.FormatWAV {
			const head = "RIFF\xff\xff\xff\xffWAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\xc0\x5d\x00\x00\x80\xbb\x00\x00" +
				"\x02\x00\x10\x00data\xff\xff\xff\xff"
			data = append([]byte(head), data...)
		}
		return data
	}
}

// whole has a text spoken without streaming.
func whole(t *testing.T, vendor *minimaxmedia.Simulator, body map[string]any) []byte {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/t2a_v2", bytes.NewReader(raw))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+vendor.Key())
	answer := httptest.NewRecorder()
	vendor.ServeHTTP(answer, req)
	data, err := hex.DecodeString(gjson.GetBytes(answer.Body.Bytes(), "data.audio").Str)
	if err != nil || len(data) == 0 {
		t.Fatalf("the vendor says nothing: %v, %.300s", err, answer.Body)
	}
	return data
}

func TestVideoConformance(t *testing.T) {
	t.Parallel()
	const frame = "https://example.com/a.png"
	for name, endpoint := range map[string]string{"root": "", "versioned": "/v1"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := media(endpoint)
			m.Upstream.Model = "MiniMax-Hailuo-02"
			m.Failures[studio.TaskFailed] = provider.ClassServerError
			m.Failures[studio.ModerationOutput] = provider.ClassModeration
			m.Without = []string{providertest.WithoutUsage, providertest.WithoutCancel, providertest.WithoutUnknownTask}
			providertest.RunVideo(t, m, providertest.VideoCases{
				Accepted: map[string]providertest.Acceptance[provider.VideoRequest]{
					"1080p": {
						Request: provider.VideoRequest{Resolution: "1080p", Duration: 6},
						Billing: &provider.Billing{Seconds: 6, Resolution: "1080p"},
					},
					"ten seconds": {
						Request: provider.VideoRequest{Duration: 10, Resolution: "768p", Watermark: new(true)},
						Billing: &provider.Billing{Seconds: 10, Resolution: "768p"},
					},
					"the nearest to 720p": {
						Request:  provider.VideoRequest{Resolution: "720p", AspectRatio: "16:9"},
						Billing:  &provider.Billing{Seconds: 6, Resolution: "768p"},
						Warnings: []string{"768p", "aspect_ratio"},
					},
					"512p of a first frame": {
						Request: provider.VideoRequest{Resolution: "512p", Duration: 10, Image: "DATA:image/PNG;base64,QUJD"},
						Billing: &provider.Billing{Seconds: 10, Resolution: "512p"},
					},
					"two frames": {
						Request: provider.VideoRequest{Image: frame, LastImage: frame},
						Billing: &provider.Billing{Seconds: 6, Resolution: "768p"},
					},
				},
				Refused: map[string]providertest.Refusal[provider.VideoRequest]{
					"1080p of ten seconds": {
						Request: provider.VideoRequest{Resolution: "1080p", Duration: 10}, Param: "duration", Allowed: []string{"6", "768p"},
					},
					"seven seconds": {Request: provider.VideoRequest{Duration: 7}, Param: "duration", Allowed: []string{"6", "10"}},
					"512p of a text": {
						Request: provider.VideoRequest{Resolution: "512p"}, Param: "resolution", Allowed: []string{"768p", "1080p", "image"},
					},
					"512p of two frames": {
						Request: provider.VideoRequest{Resolution: "512p", Image: frame, LastImage: frame}, Param: "resolution",
						Allowed: []string{"768p", "1080p"},
					},
					"4k":   {Request: provider.VideoRequest{Resolution: "4k"}, Param: "resolution", Allowed: []string{"768p", "1080p"}},
					"9:16": {Request: provider.VideoRequest{AspectRatio: "9:16"}, Param: "aspect_ratio"},
					"a last frame alone": {
						Request: provider.VideoRequest{LastImage: frame}, Param: "last_image", Allowed: []string{"image"},
					},
				},
			})
		})
	}
}
