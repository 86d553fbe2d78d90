package doubaospeech

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"vipcloud.ai/vipcloud/gateway/provider"
)

func TestBodyV1(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		model  string
		change func(*provider.SpeechRequest)
		want   string
	}{
		"mp3": {
			"doubao-tts", nil,
			`{"app":{"appid":"6912345678","cluster":"volcano_tts","token":"vipcloud"},` +
				`"audio":{"encoding":"mp3","rate":24000,"speed_ratio":1,"voice_type":"zh_female_vv_uranus_bigtts"},` +
				`"request":{"operation":"query","reqid":"0f9bd6a3-2a5c-4c8e-9a46-3f0f6d3d6d11","text":"你好."},"user":{"uid":"vipcloud"}}`,
		},
		"opus of a cloned voice, slow, of another attempt": {
			"doubao-tts", func(in *provider.SpeechRequest) {
				in.Format, in.Voice, in.Speed, in.ID = "opus", cloned, 0.8, "2"
			},
			`{"app":{"appid":"6912345678","cluster":"volcano_icl","token":"vipcloud"},` +
				`"audio":{"encoding":"ogg_opus","rate":24000,"speed_ratio":0.8,"voice_type":"S_abc123"},` +
				`"request":{"operation":"query","reqid":"2","text":"你好."},"user":{"uid":"vipcloud"}}`,
		},
		"wav of a cluster that the admin names": {
			"volcano_mega", func(in *provider.SpeechRequest) { in.Format, in.Voice = "wav", voice1 },
			`{"app":{"appid":"6912345678","cluster":"volcano_mega","token":"vipcloud"},` +
				`"audio":{"encoding":"wav","rate":24000,"speed_ratio":1,"voice_type":"zh_female_cancan_mars_bigtts"},` +
				`"request":{"operation":"query","reqid":"0f9bd6a3-2a5c-4c8e-9a46-3f0f6d3d6d11","text":"你好."},"user":{"uid":"vipcloud"}}`,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			up := v1()
			up.Model = tc.model
			if got := bodyOf(t, build(t, up, request(tc.change))); got != tc.want {
				t.Errorf("body = %s\nwant   %s", got, tc.want)
			}
		})
	}
}

// spoken is an answer of V1 with audio.
func spoken(audio string) string {
	return fmt.Sprintf(`{"reqid":"r1","code":3000,"message":"Success","sequence":-1,"data":%q,"addition":{"duration":"5"}}`,
		base64.StdEncoding.EncodeToString([]byte(audio)))
}

func TestAudioV1(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body  string
		audio string
		class provider.Class // of the error, if there is no audio
		code  string
	}{
		"audio":                     {spoken("abc"), "abc", 0, ""},
		"audio with an end of line": {"\n" + spoken("abcd") + "\n", "abcd", 0, ""},
		"an escaped text":           {strings.Replace(spoken("ab"), "=", `\u003d`, 1), "ab", 0, ""},
		"no sequence":               {strings.Replace(spoken("ab"), `"sequence":-1,`, "", 1), "ab", 0, ""},
		"a first piece":             {strings.Replace(spoken("ab"), "-1", "1", 1), "", provider.ClassBadResponse, "truncated"},
		"an empty answer":           {"", "", provider.ClassBadResponse, "not_json"},
		"a page":                    {"<html></html>", "", provider.ClassBadResponse, "not_json"},
		"half an answer":            {spoken("abc")[:90], "", provider.ClassBadResponse, "not_json"},
		"an answer and a half":      {spoken("abc") + "{", "", provider.ClassBadResponse, "not_json"},
		"no code":                   {`{"data":"YWI="}`, "", provider.ClassBadResponse, "no_code"},
		"silence":                   {spoken(""), "", provider.ClassServerError, "no_audio"},
		"silence of null":           {strings.Replace(spoken(""), `""`, "null", 1), "", provider.ClassServerError, "no_audio"},
		"a text that is no base64":  {strings.Replace(spoken("abc"), "YWJj", "a*", 1), "", provider.ClassBadResponse, "bad_audio"},
		"an object":                 {strings.Replace(spoken("abc"), `"YWJj"`, "{}", 1), "", provider.ClassBadResponse, "bad_audio"},
		"a failure":                 {`{"reqid":"r1","code":3005,"message":"busy","sequence":0,"data":""}`, "", provider.ClassOverloaded, "3005"},
		"another protocol's end":    {end, "", provider.ClassServerError, "20000000"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			header := http.Header{"X-Tt-Logid": {"2026"}}
			got, usage, err := hear(Adapter().Speech.Decode(v1(), request(nil), header, iotest.HalfReader(strings.NewReader(tc.body))))
			if string(got) != tc.audio || usage != (provider.Usage{}) || (err == nil) != (tc.code == "") {
				t.Fatalf("audio = %q, usage = %+v, %v; want %q", got, usage, err, tc.audio)
			}
			if err == nil {
				return
			}
			if e := errorOf(t, err); e.Class != tc.class || e.Code != tc.code || e.Status != http.StatusOK || e.RequestID != "2026" {
				t.Errorf("error = %v of request %q, want %s %s", e, e.RequestID, tc.class, tc.code)
			}
		})
	}
}
