package doubao_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

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
	for text := range strings.SplitSeq(strings.TrimSuffix(r.body, "\n\n"), "\n\n") {
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
		"the new console":          {nil, 20000000, ""},
		"the old console":          {old, 20000000, ""},
		"nothing":                  {[]string{"X-Api-Key", ""}, 45000000, "app key not found in header or query"},
		"a wrong key":              {[]string{"X-Api-Key", "x"}, 45000010, "Invalid X-Api-Key"},
		"an app without its token": {old[:4], 45000000, "access denied"},
		"a token of another app":   {append(old[:6:6], "X-Api-App-Id", "1"), 45000000, "access denied"},
		"another token":            {append(old[:4:4], "X-Api-Access-Key", "x"), 45000000, "access denied"},
		"both consoles":            {old[2:], 45000001, "exclude"},
		"the scheme of V1":         {[]string{"X-Api-Key", "", "Authorization", "Bearer;sim-doubao-access-token"}, 45000000, "app key"},
		"no resource":              {[]string{"X-Api-Resource-Id", ""}, 45000001, "X-Api-Resource-Id"},
		"an unknown resource":      {[]string{"X-Api-Resource-Id", "seed-tts-3.0"}, 45000001, "X-Api-Resource-Id"},
		"no id of the request":     {[]string{"X-Api-Request-Id", ""}, 45000001, "X-Api-Request-Id"},
		"an id that is no UUID":    {[]string{"X-Api-Request-Id", "1"}, 45000001, "X-Api-Request-Id"},
		"usage of another kind":    {[]string{"X-Control-Require-Usage-Tokens-Return", "tokens"}, 45000001, "Usage"},
		"a resource of older ones": {[]string{"X-Api-Resource-Id", "seed-tts-1.0"}, 55000000, "mismatched with speaker related resource"},
		"a resource of clones":     {[]string{"X-Api-Resource-Id", "seed-icl-2.0"}, 55000000, "mismatched with speaker related resource"},
		"the other name of a clone": {[]string{"X-Api-Resource-Id", "volc.megatts.default"}, 55000000,
			"mismatched with speaker related resource"},
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
