package doubaospeech_test

import (
	"bytes"
	"errors"
	"net/http/httptest"
	"testing"
	"time"
	"unicode/utf8"

	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/provider/doubaospeech"
	"vipcloud.ai/vipcloud/gateway/provider/providertest"
	"vipcloud.ai/vipcloud/test/sim/doubao"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

// media is the vendor. Which entries the Secret has decides how the adapter authenticates.
func media(protocol, model string, entries ...string) providertest.Media {
	clock := providertest.NewClock()
	vendor := doubao.New(studio.Options{Now: clock.Now})
	all := map[string]string{"api-key": vendor.Key(), "app-id": vendor.AppID(), "access-token": vendor.AccessToken()}
	secrets := map[string]provider.Secret{}
	for _, entry := range entries {
		secrets[entry] = provider.NewSecret(all[entry] + "\n")
	}
	return providertest.Media{
		Adapter: doubaospeech.Adapter(), Handler: vendor, Studio: vendor.Studio, Clock: clock,
		Upstream:    provider.Upstream{Protocol: protocol, Model: model, Secrets: secrets},
		Identifiers: []string{"app-id"},
		Failures: map[studio.Mode]provider.Class{
			studio.Unauthorized: provider.ClassUnauthorized, studio.NoBalance: provider.ClassNoBalance,
			studio.RateLimit: provider.ClassRateLimited, studio.Concurrency: provider.ClassRateLimited,
			studio.ServerError: provider.ClassServerError,
			studio.Moderation:  provider.ClassInvalidRequest, // there is no code for it; the text counts as one that cannot be spoken
			studio.NotOpen:     provider.ClassInvalidRequest, // what an account may not use is a voice
			studio.Truncated:   provider.ClassBadResponse, studio.MidStream: provider.ClassServerError, studio.NoAudio: provider.ClassServerError,
			studio.HTML: provider.ClassTimeout, // its status is 504
		},
	}
}

// speech is what both protocols share.
func speech(voice string) providertest.SpeechCases {
	return providertest.SpeechCases{
		Request: provider.SpeechRequest{Voice: voice}, Formats: []string{"mp3", "opus", "wav", "pcm"},
		MinSpeed: 0.5, MaxSpeed: 2, UnknownVoice: "alloy", Audio: audio,
	}
}

func TestV3Conformance(t *testing.T) {
	t.Parallel()
	for name, entries := range map[string][]string{
		"new console": {"api-key"}, "old console": {"app-id", "access-token"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := media("V3", "doubao-tts", entries...)
			m.Failures[studio.Overload] = provider.ClassServerError
			cases := speech("zh_female_vv_uranus_bigtts")
			cases.Accepted = map[string]provider.SpeechRequest{
				"a voice of 1.0":      {Voice: "zh_female_shuangkuaisisi_moon_bigtts"},
				"another of 1.0":      {Voice: "zh_male_M392_conversation_wvae_bigtts", Format: provider.FormatOpus},
				"a cloned voice":      {Voice: doubao.ClonedVoice},
				"another of 2.0":      {Voice: "ICL_uranus_zh_female_sim_tob"},
				"instructions":        {Voice: "saturn_zh_female_cancan_tob", Instructions: "Whisper."},
				"text in parentheses": {Voice: "en_male_tim_uranus_bigtts", Input: "Out (and in) again."},
			}
			cases.Refused = map[string]providertest.Refusal[provider.SpeechRequest]{
				"instructions for a voice of 1.0": {
					Request: provider.SpeechRequest{Voice: "zh_female_cancan_mars_bigtts", Instructions: "Whisper."}, Param: "instructions",
				},
			}
			providertest.RunSpeech(t, m, cases)
		})
	}
}

func TestV3TakesTheResourceThatTheModelNames(t *testing.T) {
	t.Parallel()
	m := media("", "", "api-key", "app-id", "access-token")
	server := httptest.NewServer(m.Handler)
	t.Cleanup(server.Close)
	tests := map[string]struct {
		voice string
		class provider.Class // of the error where the voice belongs to another resource
	}{
		"seed-icl-1.0":            {voice: doubao.ClonedVoice},
		"volc.megatts.default":    {voice: doubao.ClonedVoice},
		"volc.service_type.10029": {voice: "zh_female_cancan_mars_bigtts"},
		"seed-tts-2.0-expressive": {voice: doubao.ClonedVoice},
		"seed-tts-2.0":            {voice: "zh_female_cancan_mars_bigtts", class: provider.ClassInvalidRequest},
		"something else":          {voice: "zh_female_cancan_mars_bigtts"},
	}
	for model, tc := range tests {
		t.Run(model, func(t *testing.T) {
			t.Parallel()
			up := m.Upstream
			up.Endpoint, up.Model = server.URL, model
			in := &provider.SpeechRequest{
				Input: "Hi.", Voice: tc.voice, Format: provider.FormatPCM, Speed: 1, ID: "0f9bd6a3-2a5c-4c8e-9a46-3f0f6d3d6d11",
			}
			got, usage, err := providertest.Speak(t, providertest.Client(), m.Adapter.Speech, &up, in)
			if tc.class != 0 {
				e, _ := errors.AsType[*provider.Error](err)
				if e == nil || e.Class != tc.class || e.Param != "voice" {
					t.Errorf("error = %v, want one of class %s about the voice", err, tc.class)
				}
				return
			}
			if err != nil || !bytes.Equal(got, audio(in)) || usage != (provider.Usage{Known: true, Characters: 3}) {
				t.Errorf("%d bytes of audio, usage = %+v, %v", len(got), usage, err)
			}
		})
	}
}

func TestV1Conformance(t *testing.T) {
	t.Parallel()
	m := media("V1", "doubao-tts", "app-id", "access-token")
	m.Failures[studio.Overload] = provider.ClassOverloaded
	m.Without = []string{providertest.WithoutUsage, providertest.WithoutStreaming}
	cases := speech("zh_female_shuangkuaisisi_moon_bigtts")
	cases.MinSpeed, cases.MaxBytes = 0.8, 1024
	cases.Accepted = map[string]provider.SpeechRequest{"a cloned voice": {Voice: doubao.ClonedVoice}}
	cases.Refused = map[string]providertest.Refusal[provider.SpeechRequest]{
		"instructions": {
			Request: provider.SpeechRequest{Voice: "zh_female_cancan_mars_bigtts", Instructions: "Whisper."}, Param: "instructions",
		},
	}
	cases.Audio = func(in *provider.SpeechRequest) []byte {
		sound := audio(in)
		if in.Format == provider.FormatWAV { // it is the vendor's own, and has its size
			copy(sound[4:], little(len(sound)-8))
			copy(sound[40:], little(len(sound)-44))
		}
		return sound
	}
	providertest.RunSpeech(t, m, cases)
}

// audio is what the vendor makes of a text: 60 ms for each character. What is not pcm is MP3 frames by another name.
func audio(in *provider.SpeechRequest) []byte {
	length := time.Duration(utf8.RuneCountInString(in.Input)) * 60 * time.Millisecond
	if in.Format != provider.FormatPCM && in.Format != provider.FormatWAV {
		frame := studio.MP3(0)
		return bytes.Repeat(frame, max(int(length*16000/time.Second)/len(frame), 1))
	}
	second := studio.PCM(24000, time.Second)
	size := int(length * 48000 / time.Second)
	data := bytes.Repeat(second, size/len(second)+1)[:size]
	if in.Format == provider.FormatWAV {
		const head = "RIFF\xff\xff\xff\xffWAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\xc0\x5d\x00\x00\x80\xbb\x00\x00" +
			"\x02\x00\x10\x00data\xff\xff\xff\xff"
		data = append([]byte(head), data...)
	}
	return data
}

// little is a number as it lies in the header of a file.
func little(n int) []byte { return []byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)} }
