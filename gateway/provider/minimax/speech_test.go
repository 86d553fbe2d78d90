package minimax

import (
	"bytes"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// request is a client's request for speech.
func request(change func(*provider.SpeechRequest)) *provider.SpeechRequest {
	in := &provider.SpeechRequest{Input: "Welcome.", Voice: "Wise_Woman", Format: provider.FormatMP3, Speed: 1}
	if change != nil {
		change(in)
	}
	return in
}

func TestSpeechBody(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		in    *provider.SpeechRequest
		audio string
		rest  string
	}{
		"mp3": {
			request(nil), `{"channel":1,"format":"mp3","sample_rate":32000}`,
			`"text":"Welcome.","voice_setting":{"speed":1,"voice_id":"Wise_Woman"}}`,
		},
		"flac, fast": {
			request(func(in *provider.SpeechRequest) { in.Format, in.Speed = "flac", 2 }),
			`{"channel":1,"format":"flac","sample_rate":32000}`, `"text":"Welcome.","voice_setting":{"speed":2,"voice_id":"Wise_Woman"}}`,
		},
		"pcm, slow, with a voice as the vendor names them": {
			request(func(in *provider.SpeechRequest) {
				in.Format, in.Speed, in.Voice = "pcm", 0.5, "Chinese (Mandarin)_Lyrical_Voice"
			}),
			`{"channel":1,"format":"pcm","sample_rate":24000}`,
			`"text":"Welcome.","voice_setting":{"speed":0.5,"voice_id":"Chinese (Mandarin)_Lyrical_Voice"}}`,
		},
		"wav is streamed as pcm": {
			request(func(in *provider.SpeechRequest) { in.Format, in.Input = "wav", "你好\n<#1.5#>再见" }),
			`{"channel":1,"format":"pcm","sample_rate":24000}`,
			`"text":"你好\n\u003c#1.5#\u003e再见","voice_setting":{"speed":1,"voice_id":"Wise_Woman"}}`,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req, err := Speech().NewRequest(t.Context(), upstream("speech-02-hd"), tc.in)
			if err != nil {
				t.Fatal(err)
			}
			want := `{"audio_setting":` + tc.audio + `,"model":"speech-02-hd","stream":true,` +
				`"stream_options":{"exclude_aggregated_audio":true},` + tc.rest
			if got := bodyOf(t, req); got != want {
				t.Errorf("body = %s\nwant   %s", got, want)
			}
			const address = "POST https://api.minimaxi.com/v1/t2a_v2 text/event-stream"
			if got := req.Method + " " + req.URL.String() + " " + req.Header.Get("Accept"); got != address {
				t.Errorf("call = %s, want %s", got, address)
			}
		})
	}
}

func TestSpeechRefusals(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change  func(*provider.SpeechRequest)
		param   string
		message string // what is in it
	}{
		"aac":              {func(in *provider.SpeechRequest) { in.Format = "aac" }, "response_format", `mp3, flac, wav, pcm, not "aac"`},
		"opus":             {func(in *provider.SpeechRequest) { in.Format = "opus" }, "response_format", "mp3, flac, wav, pcm"},
		"too slow":         {func(in *provider.SpeechRequest) { in.Speed = 0.49 }, "speed", "from 0.5 to 2, not 0.49"},
		"too fast":         {func(in *provider.SpeechRequest) { in.Speed = 2.01 }, "speed", "from 0.5 to 2, not 2.01"},
		"too long":         {func(in *provider.SpeechRequest) { in.Input = strings.Repeat("灯", 10000) }, "input", "9999 characters, not 10000"},
		"any instructions": {func(in *provider.SpeechRequest) { in.Instructions = "Whisper." }, "instructions", "no instructions"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Speech().NewRequest(t.Context(), upstream("speech-02-hd"), request(tc.change))
			if e := refusal(t, err); e.Param != tc.param || !strings.Contains(e.Message, tc.message) {
				t.Errorf("%s: %s; want %s and %q", e.Param, e.Message, tc.param, tc.message)
			}
		})
	}
	t.Run("not the longest text", func(t *testing.T) {
		t.Parallel()
		long := request(func(in *provider.SpeechRequest) { in.Input = strings.Repeat("灯", 9999) })
		if _, err := Speech().NewRequest(t.Context(), upstream("speech-02-hd"), long); err != nil {
			t.Errorf("NewRequest() error = %v", err)
		}
	})
}

// wav is the header of a WAV file of unknown length, by its fields as they lie in the file.
func wav(channels, rate, perSecond, block string) string {
	return "RIFF\xff\xff\xff\xffWAVEfmt \x10\x00\x00\x00\x01\x00" + channels + rate + perSecond + block + "\x10\x00data\xff\xff\xff\xff"
}

func TestWAVHeaderIsOfWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	const mono, stereo, two, four = "\x01\x00", "\x02\x00", "\x02\x00", "\x04\x00"
	tests := map[string]struct {
		parameters provider.Parameters
		want       string
	}{
		"by default": {provider.Parameters{}, wav(mono, "\xc0\x5d\x00\x00", "\x80\xbb\x00\x00", two)},
		"another rate": {
			override("audio_setting", `{"format":"pcm","sample_rate":8000}`), wav(mono, "\x40\x1f\x00\x00", "\x80\x3e\x00\x00", two),
		},
		"two channels at the vendor's rate": {
			override("audio_setting", `{"format":"pcm","channel":2}`), wav(stereo, "\x00\x7d\x00\x00", "\x00\xf4\x01\x00", four),
		},
		"a rate that cannot be": {
			override("audio_setting", `{"format":"pcm","sample_rate":-1}`), wav(mono, "\x00\x7d\x00\x00", "\x00\xfa\x00\x00", two),
		},
		"another format has no header of ours": {override("audio_setting", `{"format":"mp3"}`), ""},
		"nor has the vendor's default, mp3":    {drop("audio_setting"), ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			up := upstream("speech-02-hd")
			up.Parameters = tc.parameters
			in := request(func(in *provider.SpeechRequest) { in.Format = "wav" })
			body := "data: " + event(1, hex.EncodeToString([]byte("abcd"))) + "\n\ndata: " + event(1, "6566") + "\n\ndata: " + event(2, "") + "\n\n"
			got, _, err := hear(Speech().Decode(up, in, http.Header{}, strings.NewReader(body)))
			if want := []byte(tc.want + "abcdef"); err != nil || !bytes.Equal(got, want) {
				t.Errorf("audio = %q, %v\nwant    %q", got, err, want)
			}
		})
	}
}
