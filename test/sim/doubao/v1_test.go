package doubao_test

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/test/sim/doubao"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

// orders is a body of V1 with a reqid of its own each time.
type orders struct{ n atomic.Int64 }

func (o *orders) body(b *bench) string {
	return fmt.Sprintf(`{"app":{"appid":%q,"token":"unused","cluster":"volcano_tts"},"user":{"uid":"sim"},`+
		`"audio":{"voice_type":"zh_female_shuangkuaisisi_moon_bigtts","encoding":"mp3"},`+
		`"request":{"reqid":"req-%d","text":"你好, world","operation":"query"}}`, b.AppID(), o.n.Add(1))
}

func startV1(t *testing.T, opts studio.Options) (b *bench, body func(pairs ...string) string) {
	t.Helper()
	b, o := start(t, opts), &orders{}
	return b, func(pairs ...string) string { return with(t, o.body(b), pairs...) }
}

func audioOf(t *testing.T, text string) []byte {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatalf("the audio is not base64: %v", err)
	}
	return data
}

func TestV1_isBase64InOneDocument(t *testing.T) {
	b, body := startV1(t, studio.Options{})
	got := b.post(pathV1, body("request.reqid", `"my-own"`))
	// 9 characters of 60 ms are 540 ms: 15 frames of 36 ms and 576 bytes.
	audio := audioOf(t, got.get("data").Str)
	if len(audio) != 15*576 || audio[0] != 0xff || got.status != http.StatusOK {
		t.Errorf("= %d, %d bytes of audio", got.status, len(audio))
	}
	want := map[string]any{"reqid": "my-own", "code": 3000.0, "message": "Success", "operation": "query", "sequence": -1.0,
		"data": got.get("data").Str, "addition": map[string]any{"duration": "540"}}
	if diff := cmp.Diff(any(want), gjson.Parse(got.body).Value()); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	logID := got.header.Get("X-Tt-Logid")
	charges := []studio.Charge{{ID: logID, Kind: studio.Speech, Model: "volcano_tts", Units: 9}}
	if diff := cmp.Diff(charges, b.Charges()); diff != "" || logID == "" {
		t.Errorf("log id %q, charges (-want +got):\n%s", logID, diff)
	}
}

func TestV1_isWhatTheEncodingSays(t *testing.T) {
	b, body := startV1(t, studio.Options{})
	t.Run("pcm of 24000 Hz by default", func(t *testing.T) {
		if audio := audioOf(t, b.post(pathV1, body("audio.encoding", "")).get("data").Str); len(audio) != 24000*2*540/1000 {
			t.Errorf("%d bytes", len(audio))
		}
	})
	t.Run("wav has a header that fits", func(t *testing.T) {
		audio := audioOf(t, b.post(pathV1, body("audio.encoding", `"wav"`, "audio.rate", "16000")).get("data").Str)
		rate, size := binary.LittleEndian.Uint32(audio[24:]), binary.LittleEndian.Uint32(audio[40:])
		if string(audio[:4]) != "RIFF" || rate != 16000 || size != 17280 || len(audio) != 44+17280 {
			t.Errorf("%d bytes: %x", len(audio), audio[:44])
		}
	})
	t.Run("opus is mp3 by another name", func(t *testing.T) {
		if audio := audioOf(t, b.post(pathV1, body("audio.encoding", `"ogg_opus"`)).get("data").Str); audio[0] != 0xff {
			t.Errorf("%x", audio[:4])
		}
	})
	t.Run("as long as ordered", func(t *testing.T) {
		audio := audioOf(t, b.post(pathV1, body("request.text", `"x [[bytes 2000000]]"`)).get("data").Str)
		if len(audio) < 1_999_000 || len(audio) > 2_000_000 {
			t.Errorf("%d bytes", len(audio))
		}
	})
}

func TestV1_refusesWhoeverHasNoToken(t *testing.T) {
	for name, header := range map[string]string{
		"no header": "", "a blank for a semicolon": "Bearer sim-doubao-access-token", "a blank after it": "Bearer; sim-doubao-access-token",
		"another token": "Bearer;x",
	} {
		t.Run(name, func(t *testing.T) {
			b, body := startV1(t, studio.Options{})
			got := b.post(pathV1, body(), "Authorization", header)
			code, message := got.problem()
			if got.status != http.StatusUnauthorized || code != 3001 || !strings.Contains(message, "load grant: requested grant not found") {
				t.Errorf("= %d %s", got.status, got.body)
			}
		})
	}
}

func TestV1_refuses(t *testing.T) {
	for name, tc := range map[string]struct {
		path, value string
		want        int64
		says        string
	}{
		"another app":                  {"app.appid", `"1"`, 3001, "grant not found"},
		"no app":                       {"app.appid", "", 3001, "appid"},
		"an app that is a number":      {"app.appid", "1", 3001, "appid"},
		"no dummy token":               {"app.token", "", 3001, "token"},
		"no cluster":                   {"app.cluster", "", 3001, "cluster"},
		"another cluster":              {"app.cluster", `"x"`, 3031, "Init Engine Instance failed"},
		"the cluster of clones":        {"app.cluster", `"volcano_icl"`, 3031, "Init Engine Instance failed"},
		"a clone in the wrong cluster": {"audio.voice_type", quote(doubao.ClonedVoice), 3031, "Init Engine Instance failed"},
		"no user":                      {"user.uid", "", 3001, "uid"},
		"an unknown voice":             {"audio.voice_type", `"alloy"`, 3050, "voice"},
		"no voice":                     {"audio.voice_type", "", 3050, "voice"},
		"a voice of V3":                {"audio.voice_type", `"zh_female_vv_uranus_bigtts"`, 3050, "voice"},
		"aac":                          {"audio.encoding", `"aac"`, 3001, "encoding"},
		"too slow":                     {"audio.speed_ratio", "0.79", 3001, "speed_ratio"},
		"too fast":                     {"audio.speed_ratio", "2.1", 3001, "speed_ratio"},
		"a speed in a string":          {"audio.speed_ratio", `"1"`, 3001, "speed_ratio"},
		"too quiet":                    {"audio.loudness_ratio", "0.4", 3001, "loudness_ratio"},
		"an old name":                  {"audio.volume_ratio", "1", 3001, "volume_ratio"},
		"a rate of 44100":              {"audio.rate", "44100", 3001, "rate"},
		"an emotion not enabled":       {"audio.emotion", `"happy"`, 3001, "enable_emotion"},
		"too emotional":                {"audio.emotion_scale", "6", 3001, "enable_emotion"},
		"no reqid":                     {"request.reqid", "", 3001, "reqid"},
		"no text":                      {"request.text", "", 3011, "illegal input text!"},
		"a text of no words":           {"request.text", `"... 😀"`, 3011, "illegal input text!"},
		"1026 bytes":                   {"request.text", quote(strings.Repeat("字", 342)), 3010, "too long"},
		"the other operation":          {"request.operation", `"submit"`, 3001, "operation"},
		"no operation":                 {"request.operation", "", 3001, "operation"},
		"another kind of text":         {"request.text_type", `"plain"`, 3001, "text_type"},
		"a silence not enabled":        {"request.silence_duration", "125", 3001, "enable_trailing_silence_audio"},
		"a silence too long":           {"request.silence_duration", "30001", 3001, "silence_duration"},
		"a timestamp that is a flag":   {"request.with_timestamp", "true", 3001, "with_timestamp"},
		"another timestamp":            {"request.with_timestamp", "2", 3001, "with_timestamp"},
		"an object for a string":       {"request.extra_param", `{"a":1}`, 3001, "extra_param"},
		"a string of no object":        {"request.extra_param", `"[1]"`, 3001, "extra_param"},
		"a null in a string":           {"request.extra_param", `"null"`, 3001, "extra_param"},
		"an unknown member":            {"request.stream", "true", 3001, "stream"},
	} {
		t.Run(name, func(t *testing.T) {
			b, body := startV1(t, studio.Options{})
			got := b.post(pathV1, body(tc.path, tc.value))
			code, message := got.problem()
			if code != tc.want || !strings.Contains(message, tc.says) || got.get("data").Str != "" {
				t.Errorf("= %d %s, want %d with %q", got.status, got.body, tc.want, tc.says)
			}
			if len(b.Charges()) != 0 || b.last().Reason == "" {
				t.Errorf("charges %v, entry %+v", b.Charges(), b.last())
			}
		})
	}
}

func TestV1_wantsJSONOfTheRightKind(t *testing.T) {
	b, body := startV1(t, studio.Options{})
	for name, got := range map[string]reply{
		"a form":           b.post(pathV1, body(), "Content-Type", "application/x-www-form-urlencoded"),
		"bytes for text":   b.post(pathV1, strings.Replace(body(), "world", "\xff", 1)),
		"half a document":  b.post(pathV1, body()[:40]),
		"a doubled member": b.post(pathV1, `{"user":{"uid":"1"},"user":{"uid":"1"}}`),
	} {
		if code, _ := got.problem(); code != 3001 {
			t.Errorf("%s = %d %s", name, got.status, got.body)
		}
	}
}

func TestV1_takesAReqidOnce(t *testing.T) {
	b, body := startV1(t, studio.Options{})
	same := body()
	if got := b.post(pathV1, same); got.get("code").Int() != 3000 {
		t.Fatalf("first = %s", got.body)
	}
	if got := b.post(pathV1, same); got.get("code").Int() != 3006 {
		t.Errorf("second = %s", got.body)
	}
	failed := body("request.operation", `"submit"`)
	b.post(pathV1, failed)
	if got := b.post(pathV1, with(t, failed, "request.operation", `"query"`)); got.get("code").Int() != 3006 {
		t.Errorf("after a failure = %s", got.body)
	}
	if len(b.Charges()) != 1 {
		t.Errorf("charges = %v", b.Charges())
	}
}

func TestV1_accepts(t *testing.T) {
	for name, pairs := range map[string][]string{
		"1024 bytes": {"request.text", quote(strings.Repeat("字", 341) + "a")},
		"every audio": {"audio", `{"voice_type":"zh_female_cancan_mars_bigtts","encoding":"mp3","speed_ratio":0.8,"loudness_ratio":2,` +
			`"rate":8000,"bitrate":160,"enable_emotion":true,"emotion":"happy","emotion_scale":4,` +
			`"explicit_language":"zh","context_language":"id"}`},
		"every request": {"request.text_type", `"ssml"`, "request.silence_duration", "30000", "request.enable_trailing_silence_audio",
			"true", "request.with_timestamp", "1", "request.extra_param", `"{\"disable_markdown_filter\":true}"`},
		"a cloned voice":   {"audio.voice_type", quote(doubao.ClonedVoice), "app.cluster", `"volcano_icl"`},
		"an older speaker": {"audio.voice_type", `"zh_male_M392_conversation_wvae_bigtts"`},
	} {
		t.Run(name, func(t *testing.T) {
			b, body := startV1(t, studio.Options{})
			if got := b.post(pathV1, body(pairs...)); got.get("code").Int() != 3000 || got.get("data").Str == "" {
				t.Errorf("= %.300s", got.body)
			}
		})
	}
}

func TestV1_refusesAsTold(t *testing.T) {
	for mode, tc := range map[studio.Mode]struct {
		codes  []int64
		status int
		says   string
	}{
		studio.Unauthorized: {[]int64{3001, 3001}, 401, "grant not found"},
		studio.NoBalance:    {[]int64{3003, 3001}, 429, "_lifetime"},
		studio.RateLimit:    {[]int64{3003, 3003}, 429, "concurrency"},
		studio.Concurrency:  {[]int64{3003, 3003}, 429, "concurrency"},
		studio.Overload:     {[]int64{3005, 3005}, 503, "busy"},
		studio.ServerError:  {[]int64{3031, 3031}, 500, "processing"},
		studio.MidStream:    {[]int64{3031, 3031}, 500, "processing"},
		studio.TaskFailed:   {[]int64{3031, 3031}, 500, "processing"},
		studio.Moderation:   {[]int64{3011, 3011}, 400, "illegal input text!"},
		studio.NotOpen:      {[]int64{3001, 3001}, 403, "access denied"},
		"3006":              {[]int64{3006, 3006}, 400, "reqid"},
		"3010":              {[]int64{3010, 3010}, 400, "long"},
		"3030":              {[]int64{3030, 3030}, 504, "timeout"},
		"3032":              {[]int64{3032, 3032}, 504, "timeout"},
		"3040":              {[]int64{3040, 3040}, 500, "processing"},
		"3050":              {[]int64{3050, 3050}, 400, "voice"},
		"3001":              {[]int64{3001, 3001}, 400, "invalid request"},
	} {
		t.Run(string(mode), func(t *testing.T) {
			b, body := startV1(t, studio.Options{})
			b.FailAlways(mode)
			for i, want := range tc.codes {
				got := b.post(pathV1, body("request.reqid", quote(fmt.Sprint("r", i))))
				status := tc.status
				if i == 1 && status != http.StatusUnauthorized {
					status = http.StatusOK
				}
				if code, message := got.problem(); got.status != status || code != want || !strings.Contains(message, tc.says) {
					t.Errorf("= %d %s, want %d with %d", got.status, got.body, status, want)
				}
				if got.get("reqid").Str != fmt.Sprint("r", i) || len(b.Charges()) != 0 {
					t.Errorf("reqid %q, charges %v", got.get("reqid").Str, b.Charges())
				}
			}
		})
	}
}

func TestV1_goesAstray(t *testing.T) {
	for mode, tc := range map[studio.Mode]struct {
		status, charges int
		err, audio      bool
	}{
		studio.Lost: {0, 1, true, false}, studio.Drop: {0, 0, true, false}, studio.Truncated: {200, 1, false, true},
		studio.PartialOutput: {200, 1, false, true}, studio.Malformed: {200, 0, false, false}, studio.HTML: {504, 0, false, false},
		studio.Empty: {200, 0, false, false}, studio.Redirect: {307, 0, false, false}, "no such mode": {501, 0, false, false},
		"3999": {501, 0, false, false},
	} {
		t.Run(string(mode), func(t *testing.T) {
			b, body := startV1(t, studio.Options{})
			got := b.post(pathV1, body("request.text", quote("Hello [[fail "+string(mode)+"]]")))
			if got.status != tc.status || (got.err != nil) != tc.err || len(b.Charges()) != tc.charges || gjson.Valid(got.body) ||
				strings.Contains(got.body, `"data":"`) != tc.audio {
				t.Errorf("= %.300v, charges %v", got, b.Charges())
			}
		})
	}
	b, body := startV1(t, studio.Options{})
	b.FailNext(1, studio.NoAudio)
	if got := b.post(pathV1, body()); got.get("code").Int() != 3000 || got.get("data").Raw != `""` || len(b.Charges()) != 0 {
		t.Errorf("no_audio = %s, charges %v", got.body, b.Charges())
	}
	b.FailNext(1, studio.TaskSlow)
	if got := b.post(pathV1, body()); got.get("data").Str == "" {
		t.Errorf("task_slow = %s", got.body)
	}
}
