package doubaospeech

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/gateway/provider"
)

func TestResource(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ model, voice, resource, variant string }{
		"a voice of 2.0":              {"doubao-tts", voice2, "seed-tts-2.0", ""},
		"another of 2.0":              {"doubao-tts", "saturn_zh_female_cancan_tob", "seed-tts-2.0", ""},
		"one more of 2.0":             {"doubao-tts", "ICL_uranus_zh_female_tob", "seed-tts-2.0", ""},
		"a voice that nobody knows":   {"doubao-tts", "alloy", "seed-tts-2.0", ""},
		"a voice of 1.0, moon":        {"doubao-tts", "zh_female_shuangkuaisisi_moon_bigtts", "seed-tts-1.0", ""},
		"a voice of 1.0, mars":        {"doubao-tts", voice1, "seed-tts-1.0", ""},
		"a voice of 1.0, wvae":        {"doubao-tts", "zh_male_M392_conversation_wvae_bigtts", "seed-tts-1.0", ""},
		"a cloned voice":              {"doubao-tts", cloned, "seed-icl-2.0", ""},
		"the admin's word counts":     {"seed-tts-1.0-concurr", voice2, "seed-tts-1.0-concurr", ""},
		"a generation to come":        {"seed-tts-3.0", voice2, "seed-tts-3.0", ""},
		"another resource of clones":  {"seed-icl-1.0", cloned, "seed-icl-1.0", ""},
		"an old name":                 {"volc.service_type.10048", voice1, "volc.service_type.10048", ""},
		"an old name of clones":       {"volc.megatts.default", cloned, "volc.megatts.default", ""},
		"a variant, of a clone":       {"seed-tts-2.0-expressive", cloned, "seed-icl-2.0", "seed-tts-2.0-expressive"},
		"a variant, of another voice": {"seed-tts-2.0-standard", voice2, "seed-tts-2.0", ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := build(t, upstream("V3", tc.model, "api-key"), request(func(in *provider.SpeechRequest) { in.Voice = tc.voice }))
			if got := req.Header.Get("X-Api-Resource-Id"); got != tc.resource {
				t.Errorf("resource = %s, want %s", got, tc.resource)
			}
			body := bodyOf(t, req)
			if got := gjson.Get(body, "req_params.model"); got.String() != tc.variant || got.Exists() != (tc.variant != "") {
				t.Errorf("model = %s, want %q", got.Raw, tc.variant)
			}
		})
	}
}

func TestBodyV3(t *testing.T) {
	t.Parallel()
	const said = `"speaker":"zh_female_vv_uranus_bigtts","text":"你好."`
	const plain = `"additions":"{\"max_length_to_filter_parenthesis\":0}"`
	tests := map[string]struct {
		change func(*provider.SpeechRequest)
		want   string
	}{
		"mp3": {
			nil, plain + `,"audio_params":{"format":"mp3","sample_rate":24000,"speech_rate":0},` + said,
		},
		"opus, as slow as can be": {
			func(in *provider.SpeechRequest) { in.Format, in.Speed = "opus", 0.5 },
			plain + `,"audio_params":{"format":"ogg_opus","sample_rate":48000,"speech_rate":-50},` + said,
		},
		"pcm, as fast as can be": {
			func(in *provider.SpeechRequest) { in.Format, in.Speed = "pcm", 2 },
			plain + `,"audio_params":{"format":"pcm","sample_rate":24000,"speech_rate":100},` + said,
		},
		"wav is pcm, and speeds are rounded": {
			func(in *provider.SpeechRequest) { in.Format, in.Speed = "wav", 1.126 },
			plain + `,"audio_params":{"format":"pcm","sample_rate":24000,"speech_rate":13},` + said,
		},
		"instructions": {
			func(in *provider.SpeechRequest) { in.Instructions = `Say "it" softly.` },
			`"additions":"{\"context_texts\":[\"Say \\\"it\\\" softly.\"],\"max_length_to_filter_parenthesis\":0}",` +
				`"audio_params":{"format":"mp3","sample_rate":24000,"speech_rate":0},` + said,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := `{"req_params":{` + tc.want + `},"user":{"uid":"vipcloud"}}`
			if got := bodyOf(t, build(t, v3(), request(tc.change))); got != want {
				t.Errorf("body = %s\nwant   %s", got, want)
			}
		})
	}
}

func TestRequestWithoutID(t *testing.T) {
	t.Parallel()
	req := build(t, v3(), request(func(in *provider.SpeechRequest) { in.ID = "" }))
	if got, ok := req.Header["X-Api-Request-Id"]; ok {
		t.Errorf("X-Api-Request-Id = %q, want none", got)
	}
}

func TestParametersV3(t *testing.T) {
	t.Parallel()
	up := v3()
	up.Parameters = provider.Parameters{
		Overrides: []provider.Parameter{{Name: "namespace", Value: []byte(`"BidirectionalTTS"`)}}, Drop: []string{"user"},
	}
	const want = `{"namespace":"BidirectionalTTS","req_params":{"additions":"{\"max_length_to_filter_parenthesis\":0}",` +
		`"audio_params":{"format":"mp3","sample_rate":24000,"speech_rate":0},"speaker":"zh_female_vv_uranus_bigtts","text":"你好."}}`
	if got := bodyOf(t, build(t, up, request(nil))); got != want {
		t.Errorf("body = %s\nwant   %s", got, want)
	}
}

func TestWAVHeaderIsOfWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	header := func(rate, perSecond string) string {
		return "RIFF\xff\xff\xff\xffWAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00" + rate + perSecond + "\x02\x00\x10\x00data\xff\xff\xff\xff"
	}
	usual := header("\xc0\x5d\x00\x00", "\x80\xbb\x00\x00")
	tests := map[string]struct{ params, want string }{
		"by default":                  {"", usual},
		"another rate":                {`{"audio_params":{"format":"pcm","sample_rate":16000}}`, header("\x80\x3e\x00\x00", "\x00\x7d\x00\x00")},
		"the vendor's rate":           {`{"audio_params":{"format":"pcm"}}`, usual},
		"a rate that cannot be":       {`{"audio_params":{"format":"pcm","sample_rate":-5}}`, usual},
		"another format":              {`{"audio_params":{"format":"mp3"}}`, ""},
		"the vendor's format is mp3":  {`{}`, ""},
		"parameters that are nothing": {`null`, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			up := v3()
			if tc.params != "" {
				up.Parameters.Overrides = []provider.Parameter{{Name: "req_params", Value: []byte(tc.params)}}
			}
			in := request(func(in *provider.SpeechRequest) { in.Format = "wav" })
			s := Adapter().Speech.Decode(up, in, http.Header{}, strings.NewReader(sent(part("abcd"), part("ef"), end)))
			if got, _, err := hear(s); err != nil || string(got) != tc.want+"abcdef" {
				t.Errorf("audio = %q, %v\nwant    %q", got, err, tc.want+"abcdef")
			}
		})
	}
}
