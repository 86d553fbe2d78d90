package doubao_test

import (
	"strings"
	"testing"

	"vipcloud.ai/vipcloud/test/sim/doubao"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

func TestV3_refuses(t *testing.T) {
	const one, icl = "seed-tts-1.0", "seed-icl-2.0"
	for name, tc := range map[string]struct {
		resource, body, path, value string
		want                        int64
		says                        string
	}{
		"no user":                    {"", hello, "user", "", 45000001, "uid"},
		"no text":                    {"", hello, "req_params.text", "", 45000001, "text"},
		"a text of no words":         {"", hello, "req_params.text", `"...!"`, 45002001, "readable"},
		"a long text":                {"", hello, "req_params.text", quote(strings.Repeat("字", 4097)), 40402003, "TTSExceededTextLimit"},
		"text and SSML":              {one, older, "req_params.ssml", `"<speak>x</speak>"`, 45000001, "ssml"},
		"no speaker":                 {"", hello, "req_params.speaker", "", 45000001, "speaker not found"},
		"a speaker of OpenAI":        {"", hello, "req_params.speaker", `"alloy"`, 45000000, "access denied"},
		"somebody else's clone":      {icl, hello, "req_params.speaker", `"S_other"`, 45000000, "access denied"},
		"an older speaker":           {"", older, "user.uid", `"x"`, 55000000, "mismatched"},
		"a model without clone":      {"", hello, "req_params.model", `"seed-tts-2.0-standard"`, 45000001, "InvalidModel"},
		"an unknown model":           {"", hello, "req_params.model", `"x"`, 45000001, "InvalidModel"},
		"mixed voices":               {one, older, "req_params.mix_speaker", `{"speakers":[]}`, 45000001, "mix_speaker"},
		"flac":                       {"", hello, "req_params.audio_params.format", `"flac"`, 45000001, "format"},
		"a rate of 11025":            {"", hello, "req_params.audio_params.sample_rate", "11025", 45000001, "sample_rate"},
		"opus of 24000":              {"", hello, "req_params.audio_params.format", `"ogg_opus"`, 45000001, "48000"},
		"a low bit rate":             {"", hello, "req_params.audio_params.bit_rate", "32000", 45000001, "bit_rate"},
		"too slow":                   {"", hello, "req_params.audio_params.speech_rate", "-51", 45000001, "speech_rate"},
		"too fast":                   {"", hello, "req_params.audio_params.speech_rate", "101", 45000001, "speech_rate"},
		"a broken speed":             {"", hello, "req_params.audio_params.speech_rate", "1.5", 45000001, "speech_rate"},
		"too loud":                   {"", hello, "req_params.audio_params.loudness_rate", "101", 45000001, "loudness_rate"},
		"the scale of no emotion":    {"", hello, "req_params.audio_params.emotion_scale", "4", 45000001, "emotion"},
		"too emotional":              {"", hello, "req_params.audio_params", `{"emotion":"happy","emotion_scale":6}`, 45000001, "emotion_scale"},
		"times of 2.0":               {"", hello, "req_params.audio_params.enable_timestamp", "true", 45000001, "enable_timestamp"},
		"subtitles of 1.0":           {one, older, "req_params.audio_params.enable_subtitle", "true", 45000001, "enable_subtitle"},
		"additions as an object":     {"", hello, "req_params.additions", `{}`, 45000001, "additions"},
		"additions that are no JSON": {"", hello, "req_params.additions", `"x"`, 45000001, "additions"},
		"additions that are a list":  {"", hello, "req_params.additions", `"[]"`, 45000001, "additions"},
		"additions that are null":    {"", hello, "req_params.additions", `"null"`, 45000001, "additions"},
		"an unknown addition":        {"", hello, "req_params.additions", `"{\"context_text\":[]}"`, 45000001, "context_text"},
		"a context in a string":      {"", hello, "req_params.additions", `"{\"context_texts\":\"x\"}"`, 45000001, "context_texts"},
		"a context of 1.0":           {one, older, "req_params.additions", `"{\"context_texts\":[\"x\"]}"`, 45000001, "context_texts"},
		"a pitch out of range":       {"", hello, "req_params.additions", `"{\"post_process\":{\"pitch\":13}}"`, 45000001, "pitch"},
		"a long silence":             {"", hello, "req_params.additions", `"{\"silence_duration\":30001}"`, 45000001, "silence_duration"},
		"a share above one": {"", hello, "req_params.additions", `"{\"unsupported_char_ratio_thresh\":2}"`, 45000001,
			"unsupported_char_ratio_thresh"},
		"parentheses below nothing": {"", hello, "req_params.additions", `"{\"max_length_to_filter_parenthesis\":-1}"`, 45000001,
			"parenthesis"},
		"an unknown member":           {"", hello, "req_params.speed", "1", 45000001, "speed"},
		"a number for a text":         {"", hello, "req_params.text", "1", 45000001, "text"},
		"the shape of V1":             {"", hello, "app", `{"appid":"1"}`, 45000001, "app"},
		"a doubled text in a variant": {"", hello, "req_params.Text", `"x"`, 45000001, "Text"},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t, studio.Options{})
			resource := tc.resource
			if resource == "" {
				resource = "seed-tts-2.0"
			}
			got := b.post(pathV3, with(t, tc.body, tc.path, tc.value), "X-Api-Resource-Id", resource)
			if code, message := got.problem(); code != tc.want || !strings.Contains(message, tc.says) {
				t.Errorf("= %d %s, want %d with %q", got.status, got.body, tc.want, tc.says)
			}
			if len(b.Charges()) != 0 || b.last().Reason == "" {
				t.Errorf("charges %v, entry %+v", b.Charges(), b.last())
			}
		})
	}
}

func TestV3_refusesSSMLWhereItIsNotSpoken(t *testing.T) {
	b := start(t, studio.Options{})
	long := with(t, older, "req_params.text", "", "req_params.ssml", quote("<speak>"+strings.Repeat("字", 140)+"</speak>"))
	if code, _ := b.post(pathV3, long, "X-Api-Resource-Id", "seed-tts-1.0").problem(); code != 40402003 {
		t.Errorf("a long one = %d", code)
	}
	if code, message := b.post(pathV3, with(t, hello, "req_params.text", "", "req_params.ssml", `"x"`)).problem(); code != 45000001 ||
		!strings.Contains(message, "ssml") {
		t.Errorf("of a 2.0 voice = %d %s", code, message)
	}
}

func TestV3_accepts(t *testing.T) {
	for name, tc := range map[string]struct {
		resource, body string
		units          int64
	}{
		"4096 characters": {"seed-tts-2.0", with(t, hello, "req_params.text", quote(strings.Repeat("字", 4096))), 4096},
		"SSML of 1.0":     {"seed-tts-1.0", with(t, older, "req_params.text", "", "req_params.ssml", `"<speak>x</speak>"`), 16},
		"an older name":   {"volc.service_type.10029", older, 9},
		"shared voices":   {"seed-tts-1.0-concurr", older, 9},
		"a cloned voice": {"seed-icl-2.0", with(t, hello, "req_params.speaker", quote(doubao.ClonedVoice), "req_params.model",
			`"seed-tts-2.0-expressive"`), 9},
		"every audio": {"seed-tts-2.0", with(t, hello, "req_params.audio_params",
			`{"format":"ogg_opus","sample_rate":48000,"bit_rate":64000,`+
				`"emotion":"happy","emotion_scale":5,"speech_rate":-50,"loudness_rate":100,"enable_subtitle":true}`), 9},
		"times of 1.0": {"seed-tts-1.0", with(t, older, "req_params.audio_params.enable_timestamp", "true"), 9},
		"every addition": {"seed-tts-2.0", with(t, hello, "req_params.additions",
			quote(`{"silence_duration":0,"explicit_language":"zh","disable_markdown_filter":true,`+
				`"max_length_to_filter_parenthesis":0,"context_texts":["calmly"],"section_id":"x",`+
				`"post_process":{"pitch":-12},"cache_config":{},"aigc_watermark":false,"unsupported_char_ratio_thresh":0.3,"pronunciation_dict":{}}`)), 9},
		"a saturn speaker": {"seed-tts-2.0", with(t, hello, "req_params.speaker", `"saturn_zh_female_cancan_tob"`), 9},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t, studio.Options{})
			got := b.post(pathV3, tc.body, "X-Api-Resource-Id", tc.resource, "X-Control-Require-Usage-Tokens-Return", "text_words")
			if !strings.Contains(got.body, `"code":20000000`) {
				t.Fatalf("= %d %.300s", got.status, got.body)
			}
			all := values(t, got)
			if end := all[len(all)-1]; end.Get("usage.text_words").Int() != tc.units || b.Charges()[0].Units != tc.units {
				t.Errorf("end = %s, charges %v", end.Raw, b.Charges())
			}
		})
	}
}
