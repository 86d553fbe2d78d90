package zhipuspeech_test

import (
	"bytes"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/provider/providertest"
	"vipcloud.ai/vipcloud/gateway/provider/zhipuspeech"
	"vipcloud.ai/vipcloud/test/sim/studio"
	"vipcloud.ai/vipcloud/test/sim/zhiputts"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	clock := providertest.NewClock()
	vendor := zhiputts.New(studio.Options{Now: clock.Now})
	m := providertest.Media{
		Adapter: provider.Adapter{
			Info:   provider.Info{Name: "Zhipu", Modalities: []provider.Modality{provider.ModalitySpeech}},
			Speech: zhipuspeech.Speech(),
		},
		Handler: vendor, Studio: vendor.Studio, Clock: clock,
		Upstream: provider.Upstream{
			Model: "glm-tts", Secrets: map[string]provider.Secret{"api-key": provider.NewSecret(vendor.Key() + "\n")},
		},
		Failures: map[studio.Mode]provider.Class{
			studio.Unauthorized: provider.ClassUnauthorized, studio.NoBalance: provider.ClassNoBalance,
			studio.RateLimit: provider.ClassRateLimited, studio.Concurrency: provider.ClassRateLimited,
			studio.Overload: provider.ClassOverloaded, studio.ServerError: provider.ClassServerError,
			studio.Moderation: provider.ClassModeration, studio.NotOpen: provider.ClassModelNotFound,
			studio.Truncated: provider.ClassBadResponse, studio.MidStream: provider.ClassServerError,
			studio.NoAudio: provider.ClassServerError,
			studio.HTML:    provider.ClassTimeout, // its status is 504
		},
		Without: []string{providertest.WithoutUsage},
	}
	providertest.RunSpeech(t, m, providertest.SpeechCases{
		Request:  provider.SpeechRequest{Voice: "tongtong"},
		Audio:    audio,
		Formats:  []string{"wav", "pcm"},
		MinSpeed: 0.5, MaxSpeed: 2,
		MaxRunes:     1024,
		UnknownVoice: "alloy",
		Accepted: map[string]provider.SpeechRequest{
			"a cloned voice": {Voice: zhiputts.ClonedVoice},
		},
		Refused: map[string]providertest.Refusal[provider.SpeechRequest]{
			"instructions": {Request: provider.SpeechRequest{Voice: "jam", Instructions: "Whisper."}, Param: "instructions"},
		},
	})
}

// audio is what the vendor makes of a text: its watermark, and 60 ms for each character.
func audio(in *provider.SpeechRequest) []byte {
	second := studio.PCM(24000, time.Second)
	size := 2 * int(time.Duration(utf8.RuneCountInString(in.Input))*60*time.Millisecond*24000/time.Second)
	data := slices.Concat(zhiputts.Beep(), bytes.Repeat(second, size/len(second)+1)[:size])
	if in.Format == provider.FormatWAV {
		const head = "RIFF\xff\xff\xff\xffWAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\xc0\x5d\x00\x00\x80\xbb\x00\x00" +
			"\x02\x00\x10\x00data\xff\xff\xff\xff"
		data = append([]byte(head), data...)
	}
	return data
}
