package doubao_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/test/sim/doubao"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

const (
	hello = `{"user":{"uid":"sim"},"req_params":{"text":"你好, world","speaker":"zh_female_vv_uranus_bigtts"}}`
	older = `{"user":{"uid":"sim"},"req_params":{"text":"你好, world","speaker":"zh_female_cancan_mars_bigtts"}}`
)

// values reads an answer by HTTP chunks.
func values(t *testing.T, r reply) []gjson.Result {
	t.Helper()
	var all []gjson.Result
	for decoder := json.NewDecoder(strings.NewReader(r.body)); ; {
		var raw json.RawMessage
		err := decoder.Decode(&raw)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("value %d of %.300q: %v", len(all), r.body, err)
		}
		all = append(all, gjson.ParseBytes(raw))
	}
}

// event is one event by SSE.
type event struct {
	number string
	gjson.Result
}

func events(t *testing.T, r reply) []event {
	t.Helper()
	if r.header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("Content-Type = %q: %s", r.header.Get("Content-Type"), r.body)
	}
	var all []event
	for _, text := range strings.Split(strings.TrimSuffix(r.body, "\n\n"), "\n\n") {
		number, data, ok := strings.Cut(text, "\ndata: ")
		if !ok || !strings.HasPrefix(number, "event: ") || !gjson.Valid(data) {
			t.Fatalf("an event is %q", text)
		}
		all = append(all, event{strings.TrimPrefix(number, "event: "), gjson.Parse(data)})
	}
	return all
}

// spoken returns the audio of all values.
func spoken(t *testing.T, all []gjson.Result) []byte {
	t.Helper()
	var audio []byte
	for _, v := range all {
		if v.Get("data").Type == gjson.String {
			audio = append(audio, audioOf(t, v.Get("data").Str)...)
		}
	}
	return audio
}

func TestV3_isASequenceOfValues(t *testing.T) {
	b := start(t, studio.Options{})
	got := b.post(pathV3, hello)
	all := values(t, got)
	if len(all) < 7 || got.status != http.StatusOK {
		t.Fatalf("= %d with %d values", got.status, len(all))
	}
	for _, v := range all[:len(all)-2] {
		if v.Get("code").Int() != 0 || v.Get("message").Raw != `""` || v.Get("data").Str == "" || v.Get("sentence").Exists() {
			t.Errorf("a piece is %.200s", v.Raw)
		}
	}
	sentence, end := all[len(all)-2], all[len(all)-1]
	if diff := cmp.Diff(`{"code":0,"message":"","data":null,"sentence":{"text":"你好, world","words":[]}}`, sentence.Raw); diff != "" {
		t.Errorf("sentence (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(`{"code":20000000,"message":"ok","data":null}`, end.Raw); diff != "" {
		t.Errorf("end (-want +got):\n%s", diff)
	}
	if audio := spoken(t, all); len(audio) != 15*576 || audio[0] != 0xff {
		t.Errorf("%d bytes of audio", len(audio))
	}
	want := []studio.Charge{{ID: got.header.Get("X-Tt-Logid"), Kind: studio.Speech, Model: "seed-tts-2.0", Units: 9}}
	if diff := cmp.Diff(want, b.Charges()); diff != "" {
		t.Errorf("charges (-want +got):\n%s", diff)
	}
}

func TestV3_separatesItsValuesAsToldOrByTurns(t *testing.T) {
	b := start(t, studio.Options{})
	newlines := func() int { return strings.Count(b.post(pathV3, hello).body, "}\n") }
	first, second, third := newlines(), newlines(), newlines()
	if first != 0 || second < 7 || third != 0 {
		t.Errorf("newlines = %d, %d, %d, want none, many, none", first, second, third)
	}
	b.Separate(doubao.Newline)
	if a, b := newlines(), newlines(); a != second || b != second {
		t.Errorf("newlines = %d, %d, want %d", a, b, second)
	}
	b.Separate(doubao.Glued)
	if a, b := newlines(), newlines(); a != 0 || b != 0 {
		t.Errorf("newlines = %d, %d, want none", a, b)
	}
}

func TestV3_isAStreamOfEvents(t *testing.T) {
	b := start(t, studio.Options{})
	all := events(t, b.post(pathSSE, hello, "X-Control-Require-Usage-Tokens-Return", "*"))
	var numbers []string
	var results []gjson.Result
	for _, e := range all {
		numbers, results = append(numbers, e.number), append(results, e.Result)
	}
	if n := len(numbers); n < 7 || numbers[0] != "352" || numbers[n-3] != "352" || numbers[n-2] != "351" || numbers[n-1] != "152" {
		t.Errorf("events = %v", numbers)
	}
	end := results[len(results)-1]
	if end.Get("code").Int() != 20000000 || end.Get("usage.text_words").Int() != 9 || len(spoken(t, results)) != 15*576 {
		t.Errorf("end = %s", end.Raw)
	}
}

func TestV3_isWhatTheFormatSays(t *testing.T) {
	b := start(t, studio.Options{})
	t.Run("pcm of the rate", func(t *testing.T) {
		body := with(t, hello, "req_params.audio_params", `{"format":"pcm","sample_rate":48000}`)
		if audio := spoken(t, values(t, b.post(pathV3, body))); len(audio) != 48000*2*540/1000 {
			t.Errorf("%d bytes", len(audio))
		}
	})
	t.Run("wav repeats its header", func(t *testing.T) {
		all := values(t, b.post(pathV3, with(t, hello, "req_params.audio_params.format", `"wav"`)))
		for _, v := range all[:len(all)-2] {
			if !strings.HasPrefix(string(audioOf(t, v.Get("data").Str)), "RIFF") {
				t.Errorf("a piece is %.100s", v.Raw)
			}
		}
	})
	t.Run("as long as ordered", func(t *testing.T) {
		all := values(t, b.post(pathV3, with(t, hello, "req_params.text", `"x [[bytes 2000000]]"`)))
		for _, v := range all {
			if len(v.Raw) > 100_000 {
				t.Errorf("a value of %d bytes", len(v.Raw))
			}
		}
		if n := len(spoken(t, all)); n < 1_999_000 || n > 2_000_000 {
			t.Errorf("%d bytes", n)
		}
	})
	t.Run("words are timed if asked", func(t *testing.T) {
		all := values(t, b.post(pathV3, with(t, hello, "req_params.audio_params.enable_subtitle", "true")))
		want := `[{"word":"你好,","startTime":0,"endTime":0.18,"confidence":0.9},{"word":"world","startTime":0.24,"endTime":0.54,"confidence":0.9}]`
		if diff := cmp.Diff(want, all[len(all)-2].Get("sentence.words").Raw); diff != "" {
			t.Errorf("words (-want +got):\n%s", diff)
		}
	})
}

func TestV3_authenticates(t *testing.T) {
	old := []string{"X-Api-Key", "", "X-Api-App-Id", "6900000001", "X-Api-Access-Key", "sim-doubao-access-token"}
	for name, tc := range map[string]struct {
		header []string
		want   int64
		says   string
	}{
		"the new console":           {nil, 20000000, ""},
		"the old console":           {old, 20000000, ""},
		"nothing":                   {[]string{"X-Api-Key", ""}, 45000000, "app key not found in header or query"},
		"a wrong key":               {[]string{"X-Api-Key", "x"}, 45000010, "Invalid X-Api-Key"},
		"an app without its token":  {old[:4], 45000000, "access denied"},
		"a token of another app":    {append(old[:6:6], "X-Api-App-Id", "1"), 45000000, "access denied"},
		"another token":             {append(old[:4:4], "X-Api-Access-Key", "x"), 45000000, "access denied"},
		"both consoles":             {old[2:], 45000001, "exclude"},
		"the scheme of V1":          {[]string{"X-Api-Key", "", "Authorization", "Bearer;sim-doubao-access-token"}, 45000000, "app key"},
		"no resource":               {[]string{"X-Api-Resource-Id", ""}, 45000001, "X-Api-Resource-Id"},
		"an unknown resource":       {[]string{"X-Api-Resource-Id", "seed-tts-3.0"}, 45000001, "X-Api-Resource-Id"},
		"no id of the request":      {[]string{"X-Api-Request-Id", ""}, 45000001, "X-Api-Request-Id"},
		"an id that is no UUID":     {[]string{"X-Api-Request-Id", "1"}, 45000001, "X-Api-Request-Id"},
		"usage of another kind":     {[]string{"X-Control-Require-Usage-Tokens-Return", "tokens"}, 45000001, "Usage"},
		"a resource of older ones":  {[]string{"X-Api-Resource-Id", "seed-tts-1.0"}, 55000000, "mismatched with speaker related resource"},
		"a resource of clones":      {[]string{"X-Api-Resource-Id", "seed-icl-2.0"}, 55000000, "mismatched with speaker related resource"},
		"the other name of a clone": {[]string{"X-Api-Resource-Id", "volc.megatts.default"}, 55000000, "mismatched with speaker related resource"},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t, studio.Options{})
			for _, path := range []string{pathV3, pathSSE} {
				got := b.post(path, hello, tc.header...)
				code, message := got.problem()
				if strings.Contains(got.body, "20000000") {
					code = 20000000
				}
				if code != tc.want || !strings.Contains(message, tc.says) {
					t.Errorf("%s = %d %.300s, want %d with %q", path, got.status, got.body, tc.want, tc.says)
				}
			}
		})
	}
}

func TestV3_keepsNoCredentialInItsBooks(t *testing.T) {
	b := start(t, studio.Options{})
	b.post(pathV3, hello)
	b.post(pathV3, hello, "X-Api-Key", "", "X-Api-App-Id", b.AppID(), "X-Api-Access-Key", b.AccessToken())
	for _, e := range b.Ledger() {
		for name, values := range e.Header {
			if text := strings.Join(values, " "); strings.Contains(text, b.Key()) || strings.Contains(text, b.AccessToken()) {
				t.Errorf("%s = %s", name, text)
			}
		}
	}
}

func TestV3_refuses(t *testing.T) {
	const one, icl = "seed-tts-1.0", "seed-icl-2.0"
	for name, tc := range map[string]struct {
		resource, body, path, value string
		want                        int64
		says                        string
	}{
		"no user":                     {"", hello, "user", "", 45000001, "uid"},
		"no text":                     {"", hello, "req_params.text", "", 45000001, "text"},
		"a text of no words":          {"", hello, "req_params.text", `"...!"`, 45002001, "readable"},
		"a long text":                 {"", hello, "req_params.text", quote(strings.Repeat("字", 4097)), 40402003, "TTSExceededTextLimit"},
		"text and SSML":               {one, older, "req_params.ssml", `"<speak>x</speak>"`, 45000001, "ssml"},
		"no speaker":                  {"", hello, "req_params.speaker", "", 45000001, "speaker not found"},
		"a speaker of OpenAI":         {"", hello, "req_params.speaker", `"alloy"`, 45000000, "access denied"},
		"somebody else's clone":       {icl, hello, "req_params.speaker", `"S_other"`, 45000000, "access denied"},
		"an older speaker":            {"", older, "user.uid", `"x"`, 55000000, "mismatched"},
		"a model without clone":       {"", hello, "req_params.model", `"seed-tts-2.0-standard"`, 45000001, "InvalidModel"},
		"an unknown model":            {"", hello, "req_params.model", `"x"`, 45000001, "InvalidModel"},
		"mixed voices":                {one, older, "req_params.mix_speaker", `{"speakers":[]}`, 45000001, "mix_speaker"},
		"flac":                        {"", hello, "req_params.audio_params.format", `"flac"`, 45000001, "format"},
		"a rate of 11025":             {"", hello, "req_params.audio_params.sample_rate", "11025", 45000001, "sample_rate"},
		"opus of 24000":               {"", hello, "req_params.audio_params.format", `"ogg_opus"`, 45000001, "48000"},
		"a low bit rate":              {"", hello, "req_params.audio_params.bit_rate", "32000", 45000001, "bit_rate"},
		"too slow":                    {"", hello, "req_params.audio_params.speech_rate", "-51", 45000001, "speech_rate"},
		"too fast":                    {"", hello, "req_params.audio_params.speech_rate", "101", 45000001, "speech_rate"},
		"a broken speed":              {"", hello, "req_params.audio_params.speech_rate", "1.5", 45000001, "speech_rate"},
		"too loud":                    {"", hello, "req_params.audio_params.loudness_rate", "101", 45000001, "loudness_rate"},
		"the scale of no emotion":     {"", hello, "req_params.audio_params.emotion_scale", "4", 45000001, "emotion"},
		"too emotional":               {"", hello, "req_params.audio_params", `{"emotion":"happy","emotion_scale":6}`, 45000001, "emotion_scale"},
		"times of 2.0":                {"", hello, "req_params.audio_params.enable_timestamp", "true", 45000001, "enable_timestamp"},
		"subtitles of 1.0":            {one, older, "req_params.audio_params.enable_subtitle", "true", 45000001, "enable_subtitle"},
		"additions as an object":      {"", hello, "req_params.additions", `{}`, 45000001, "additions"},
		"additions that are no JSON":  {"", hello, "req_params.additions", `"x"`, 45000001, "additions"},
		"additions that are a list":   {"", hello, "req_params.additions", `"[]"`, 45000001, "additions"},
		"additions that are null":     {"", hello, "req_params.additions", `"null"`, 45000001, "additions"},
		"an unknown addition":         {"", hello, "req_params.additions", `"{\"context_text\":[]}"`, 45000001, "context_text"},
		"a context in a string":       {"", hello, "req_params.additions", `"{\"context_texts\":\"x\"}"`, 45000001, "context_texts"},
		"a context of 1.0":            {one, older, "req_params.additions", `"{\"context_texts\":[\"x\"]}"`, 45000001, "context_texts"},
		"a pitch out of range":        {"", hello, "req_params.additions", `"{\"post_process\":{\"pitch\":13}}"`, 45000001, "pitch"},
		"a long silence":              {"", hello, "req_params.additions", `"{\"silence_duration\":30001}"`, 45000001, "silence_duration"},
		"a share above one":           {"", hello, "req_params.additions", `"{\"unsupported_char_ratio_thresh\":2}"`, 45000001, "unsupported_char_ratio_thresh"},
		"parentheses below nothing":   {"", hello, "req_params.additions", `"{\"max_length_to_filter_parenthesis\":-1}"`, 45000001, "parenthesis"},
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
	if code, message := b.post(pathV3, with(t, hello, "req_params.text", "", "req_params.ssml", `"x"`)).problem(); code != 45000001 || !strings.Contains(message, "ssml") {
		t.Errorf("of a 2.0 voice = %d %s", code, message)
	}
}

func TestV3_accepts(t *testing.T) {
	for name, tc := range map[string]struct {
		resource, body string
		units          int64
	}{
		"4096 characters":  {"seed-tts-2.0", with(t, hello, "req_params.text", quote(strings.Repeat("字", 4096))), 4096},
		"SSML of 1.0":      {"seed-tts-1.0", with(t, older, "req_params.text", "", "req_params.ssml", `"<speak>x</speak>"`), 16},
		"an older name":    {"volc.service_type.10029", older, 9},
		"shared voices":    {"seed-tts-1.0-concurr", older, 9},
		"a cloned voice":   {"seed-icl-2.0", with(t, hello, "req_params.speaker", quote(doubao.ClonedVoice), "req_params.model", `"seed-tts-2.0-expressive"`), 9},
		"every audio":      {"seed-tts-2.0", with(t, hello, "req_params.audio_params", `{"format":"ogg_opus","sample_rate":48000,"bit_rate":64000,"emotion":"happy","emotion_scale":5,"speech_rate":-50,"loudness_rate":100,"enable_subtitle":true}`), 9},
		"times of 1.0":     {"seed-tts-1.0", with(t, older, "req_params.audio_params.enable_timestamp", "true"), 9},
		"every addition":   {"seed-tts-2.0", with(t, hello, "req_params.additions", quote(`{"silence_duration":0,"explicit_language":"zh","disable_markdown_filter":true,"max_length_to_filter_parenthesis":0,"context_texts":["calmly"],"section_id":"x","post_process":{"pitch":-12},"cache_config":{},"aigc_watermark":false,"unsupported_char_ratio_thresh":0.3,"pronunciation_dict":{}}`)), 9},
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

func TestV3_refusesInEveryFormByTurns(t *testing.T) {
	b := start(t, studio.Options{})
	b.FailAlways(studio.Concurrency)
	forms := map[string]bool{}
	for range 12 {
		got := b.post(pathV3, hello)
		code, message := got.problem()
		if code != 45000000 || message != "quota exceeded for types: concurrency" {
			t.Errorf("= %d %s", got.status, got.body)
		}
		form := http.StatusText(got.status)
		for _, path := range []string{"header.reqid", "reqid", "code"} {
			if got.get(path).Exists() {
				form += " " + path
			}
		}
		forms[form] = true
	}
	want := map[string]bool{}
	for _, status := range []string{"OK", "Too Many Requests"} {
		for _, form := range []string{" code", " reqid code", " header.reqid"} {
			want[status+form] = true
		}
	}
	if diff := cmp.Diff(want, forms); diff != "" {
		t.Errorf("forms (-want +got):\n%s", diff)
	}
	found := false
	for range 4 {
		got := b.post(pathSSE, hello)
		found = found || got.status == http.StatusOK && strings.HasPrefix(got.body, "event: 153\n")
		if code, _ := got.problem(); code != 45000000 {
			t.Errorf("by SSE %d %s", got.status, got.body)
		}
	}
	if !found {
		t.Error("no refusal came as an event")
	}
}

func TestV3_refusesAsTold(t *testing.T) {
	for mode, tc := range map[studio.Mode]struct {
		code int64
		says string
	}{
		studio.Unauthorized: {45000010, "Invalid X-Api-Key"}, studio.NoBalance: {45000000, "_lifetime"},
		studio.RateLimit: {45000000, "concurrency"}, studio.Overload: {55000000, ""}, studio.ServerError: {55000000, ""},
		studio.TaskFailed: {55000000, ""}, studio.Moderation: {45002001, ""}, studio.ModerationOutput: {45002001, ""},
		studio.NotOpen: {45000000, "access denied"}, "40402003": {40402003, "TTSExceededTextLimit"}, "45000001": {45000001, ""},
		"45002000": {45002000, "invalid speaker"}, "45000010": {45000010, ""},
	} {
		t.Run(string(mode), func(t *testing.T) {
			b := start(t, studio.Options{})
			got := b.post(pathV3, with(t, hello, "req_params.text", quote("Hello [[fail "+string(mode)+"]]")))
			if code, message := got.problem(); code != tc.code || message == "" || !strings.Contains(message, tc.says) {
				t.Errorf("= %d %s, want %d %q", got.status, got.body, tc.code, tc.says)
			}
			if e := b.last(); e.Mode != mode || e.Reason == "" || len(b.Charges()) != 0 {
				t.Errorf("entry %+v, charges %v", e, b.Charges())
			}
		})
	}
}

func TestV3_breaksOff(t *testing.T) {
	for _, path := range []string{pathV3, pathSSE} {
		for _, text := range []string{"Hello there", "x"} {
			b := start(t, studio.Options{})
			body := with(t, hello, "req_params.text", quote(text))
			b.FailNext(1, studio.Truncated)
			got := b.post(path, body)
			if got.status != http.StatusOK || got.err != nil || !strings.Contains(got.body, `"data":"`) || strings.Contains(got.body, "20000000") {
				t.Errorf("%s: truncated = %.300v", path, got)
			}
			if len(b.Charges()) != 1 {
				t.Errorf("%s: truncated, charges %v", path, b.Charges())
			}
			b.FailNext(1, studio.MidStream)
			got = b.post(path, body)
			if !strings.Contains(got.body, `"data":"`) || strings.Contains(got.body, "20000000") || !strings.Contains(got.body, `"code":55000000`) {
				t.Errorf("%s: mid_stream = %.300v", path, got)
			}
			if path == pathSSE && !strings.Contains(got.body, "event: 153\n") {
				t.Errorf("mid_stream = %.300v", got)
			}
			if len(b.Charges()) != 1 || b.last().Reason == "" {
				t.Errorf("%s: mid_stream, charges %v, entry %+v", path, b.Charges(), b.last())
			}
		}
	}
}

func TestV3_succeedsWithoutAudio(t *testing.T) {
	b := start(t, studio.Options{})
	b.FailAlways(studio.NoAudio)
	first, second := b.post(pathV3, hello), b.post(pathV3, hello)
	if all := values(t, first); len(all) != 1 || all[0].Get("code").Int() != 20000000 {
		t.Errorf("first = %s", first.body)
	}
	if second.status != http.StatusOK || second.body != "" || b.last().Status != http.StatusOK || len(b.Charges()) != 0 {
		t.Errorf("second = %+v, entry %+v", second, b.last())
	}
}

func TestV3_goesAstray(t *testing.T) {
	for mode, tc := range map[studio.Mode]struct {
		status, charges int
		err             bool
	}{
		studio.Lost: {0, 1, true}, studio.Drop: {0, 0, true}, studio.Stall: {0, 0, true}, studio.TaskStuck: {0, 0, true},
		studio.Malformed: {200, 0, false}, studio.HTML: {504, 0, false}, studio.Empty: {200, 0, false},
		studio.Redirect: {307, 0, false}, "no such mode": {501, 0, false},
	} {
		b := start(t, studio.Options{StallFor: 5 * time.Millisecond})
		b.FailNext(1, mode)
		got := b.post(pathV3, hello)
		if got.status != tc.status || (got.err != nil) != tc.err || len(b.Charges()) != tc.charges || gjson.Valid(got.body) {
			t.Errorf("%s = %.300v, charges %v", mode, got, b.Charges())
		}
	}
}

func TestV3_noticesWhoLeaves(t *testing.T) {
	b := start(t, studio.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url+pathV3,
		strings.NewReader(with(t, hello, "req_params.text", `"x [[bytes 200000000]]"`)))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"Content-Type": "application/json", "X-Api-Key": b.Key(), "X-Api-Resource-Id": "seed-tts-2.0",
		"X-Api-Request-Id": "01234567-89ab-cdef-0123-456789abcdef"} {
		req.Header.Set(name, value)
	}
	res, err := (&http.Client{}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(res.Body, make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	cancel()
	res.Body.Close()
	if e := b.last(); !e.ClientGone || len(b.Charges()) != 1 {
		t.Errorf("entry %+v, charges %v", e, b.Charges())
	}
}
