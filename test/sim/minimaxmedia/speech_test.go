package minimaxmedia_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/test/sim/minimaxmedia"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

func bytesOf(t *testing.T, digits string) []byte {
	t.Helper()
	data, err := hex.DecodeString(digits)
	if err != nil {
		t.Fatalf("the audio is not hex: %v", err)
	}
	return data
}

// events reads a stream: the documents of its data lines, and whether [DONE] ended it.
func events(t *testing.T, r reply) (documents []gjson.Result, done bool) {
	t.Helper()
	if !strings.HasPrefix(r.header.Get("Content-Type"), "text/event-stream") {
		t.Fatalf("Content-Type = %q: %s", r.header.Get("Content-Type"), r.body)
	}
	for event := range strings.SplitSeq(strings.TrimSuffix(r.body, "\n\n"), "\n\n") {
		data, ok := strings.CutPrefix(event, "data: ")
		switch {
		case !ok || done || strings.Contains(data, "\n"):
			t.Fatalf("an event is %q", event)
		case data == "[DONE]":
			done = true
		case !gjson.Valid(data):
			t.Fatalf("an event is no JSON: %q", data)
		default:
			documents = append(documents, gjson.Parse(data))
		}
	}
	return documents, done
}

func TestSpeech_isHexOfMP3(t *testing.T) {
	b := start(t, studio.Options{})
	got := b.post(speech, hello)
	if got.status != http.StatusOK || got.code() != 0 || got.get("data.status").Int() != 2 {
		t.Fatalf("= %d %s", got.status, got.body)
	}
	audio := bytesOf(t, got.get("data.audio").Str)
	// 29 characters of 60 ms are 1.74 s: 48 frames of 36 ms and 576 bytes.
	if len(audio) != 48*576 || audio[0] != 0xff || audio[1] != 0xfb {
		t.Errorf("audio = %d bytes, beginning %x", len(audio), audio[:4])
	}
	want := `{"audio_length":1728,"audio_sample_rate":32000,"audio_size":27648,"bitrate":128000,"word_count":29,` +
		`"invisible_character_ratio":0,"usage_characters":29,"audio_format":"mp3","audio_channel":1}`
	if diff := cmp.Diff(want, got.get("extra_info").Raw); diff != "" {
		t.Errorf("extra_info (-want +got):\n%s", diff)
	}
	if trace := got.get("trace_id").Str; trace == "" || got.header.Get("Trace-Id") != trace {
		t.Errorf("trace_id = %q, header %q", trace, got.header.Get("Trace-Id"))
	}
	want1 := []studio.Charge{{ID: got.get("trace_id").Str, Kind: studio.Speech, Model: "speech-02-hd", Units: 29}}
	if diff := cmp.Diff(want1, b.Charges()); diff != "" {
		t.Errorf("charges (-want +got):\n%s", diff)
	}
	if e := b.last(); e.Model != "speech-02-hd" || e.Status != http.StatusOK || e.Mode != "" || e.Reason != "" {
		t.Errorf("the ledger has %+v", e)
	}
}

func TestSpeech_billsHanCharactersTwice(t *testing.T) {
	b := start(t, studio.Options{})
	got := b.post(speech, with(t, hello, "text", `"你好, ab"`))
	if got.get("extra_info.usage_characters").Int() != 8 || got.get("extra_info.word_count").Int() != 6 || b.Charges()[0].Units != 8 {
		t.Errorf("extra_info = %s, charges %v", got.get("extra_info").Raw, b.Charges())
	}
}

func TestSpeech_isWhatTheFormatSays(t *testing.T) {
	b := start(t, studio.Options{})
	ten := with(t, hello, "text", `"0123456789"`) // 0.6 s
	t.Run("pcm has the ordered rate and both channels", func(t *testing.T) {
		got := b.post(speech, with(t, ten, "audio_setting", `{"format":"pcm","sample_rate":24000,"channel":2}`))
		audio := bytesOf(t, got.get("data.audio").Str)
		if len(audio) != 24000*6/10*4 || audio[0] != audio[2] || audio[1] != audio[3] {
			t.Errorf("pcm = %d bytes, beginning %x", len(audio), audio[:4])
		}
	})
	t.Run("wav has a header that fits", func(t *testing.T) {
		got := b.post(speech, with(t, ten, "audio_setting", `{"format":"wav","sample_rate":16000,"channel":2}`))
		audio := bytesOf(t, got.get("data.audio").Str)
		size, channels := binary.LittleEndian.Uint32(audio[40:]), binary.LittleEndian.Uint16(audio[22:])
		rate, byteRate := binary.LittleEndian.Uint32(audio[24:]), binary.LittleEndian.Uint32(audio[28:])
		if string(audio[:4]) != "RIFF" || int(size) != len(audio)-44 || size != 38400 || channels != 2 || rate != 16000 || byteRate != 64000 {
			t.Errorf("wav = %d bytes: %x", len(audio), audio[:44])
		}
	})
	t.Run("flac tells its size", func(t *testing.T) {
		got := b.post(speech, with(t, ten, "audio_setting", `{"format":"flac","sample_rate":16000,"channel":2}`))
		audio := bytesOf(t, got.get("data.audio").Str)
		// 0.6 s are two whole frames of 4096 samples.
		if string(audio[:4]) != "fLaC" || len(audio) != 42+2*(4096*2*2+10) || got.get("extra_info.audio_size").Int() != int64(len(audio)) {
			t.Errorf("flac = %d bytes, %s", len(audio), got.get("extra_info").Raw)
		}
	})
}

// TestSpeech_opens asks a real player's parser and decoder, where there is one.
func TestSpeech_opens(t *testing.T) {
	probe, err := exec.LookPath("ffprobe")
	if err != nil {
		t.Skip("ffprobe is not installed")
	}
	b := start(t, studio.Options{})
	for _, tc := range []struct{ format, rate, channels, wantRate, wantChannels string }{
		{"mp3", "24000", "1", "32000", "1"}, // always the same silence
		{"wav", "24000", "2", "24000", "2"},
		{"flac", "44100", "1", "44100", "1"},
		{"flac", "16000", "2", "16000", "2"},
	} {
		t.Run(tc.format+" "+tc.rate, func(t *testing.T) {
			setting := fmt.Sprintf(`{"format":%q,"sample_rate":%s,"channel":%s}`, tc.format, tc.rate, tc.channels)
			body := with(t, hello, "text", quote(strings.Repeat("0123456789", 20)), "audio_setting", setting)
			name := filepath.Join(t.TempDir(), "speech."+tc.format)
			if err := os.WriteFile(name, bytesOf(t, b.post(speech, body).get("data.audio").Str), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), probe, "-v", "error", "-err_detect", "+crccheck", "-count_frames", "-show_streams",
				"-of", "json", name)
			var complaints bytes.Buffer
			cmd.Stderr = &complaints
			out, err := cmd.Output()
			if err != nil || complaints.Len() > 0 {
				t.Fatalf("ffprobe: %v %s", err, complaints.String())
			}
			stream := gjson.GetBytes(out, "streams.0")
			codec := map[string]string{"mp3": "mp3", "wav": "pcm_s16le", "flac": "flac"}[tc.format]
			if stream.Get("codec_name").Str != codec || stream.Get("sample_rate").Str != tc.wantRate ||
				stream.Get("channels").Raw != tc.wantChannels ||
				stream.Get("nb_read_frames").Int() == 0 {
				t.Errorf("stream = %s", stream.Raw)
			}
		})
	}
}

func TestSpeech_canBeALink(t *testing.T) {
	b := start(t, studio.Options{})
	got := b.post(speech, with(t, hello, "output_format", `"url"`))
	link := got.get("data.audio").Str
	if !strings.HasPrefix(link, b.url+"/files/") {
		t.Fatalf("data.audio = %q", link)
	}
	file := b.send(t.Context(), http.MethodGet, strings.TrimPrefix(link, b.url), "", "Authorization", "")
	if file.status != http.StatusOK || int64(len(file.body)) != got.get("extra_info.audio_size").Int() || file.body[0] != 0xff {
		t.Errorf("file = %d, %d bytes", file.status, len(file.body))
	}
}

func TestSpeech_hasSubtitles(t *testing.T) {
	b := start(t, studio.Options{})
	got := b.post(speech, with(t, hello, "subtitle_enable", "true", "subtitle_type", `"sentence"`))
	file := b.send(t.Context(), http.MethodGet, strings.TrimPrefix(got.get("data.subtitle_file").Str, b.url), "", "Authorization", "")
	want := []any{map[string]any{"text": "Hello, world. This is a test.", "time_begin": 0.0, "time_end": 1728.0}}
	if diff := cmp.Diff(any(want), gjson.Parse(file.body).Value()); diff != "" {
		t.Errorf("subtitles (-want +got):\n%s", diff)
	}
}

func TestSpeech_streamRepeatsItselfUnlessTold(t *testing.T) {
	b := start(t, studio.Options{})
	for name, tc := range map[string]struct {
		body      string
		aggregate bool
	}{
		"by default":   {with(t, hello, "stream", "true"), true},
		"not excluded": {with(t, hello, "stream", "true", "stream_options.exclude_aggregated_audio", "false"), true},
		"excluded":     {with(t, hello, "stream", "true", "stream_options.exclude_aggregated_audio", "true"), false},
	} {
		t.Run(name, func(t *testing.T) {
			documents, _ := events(t, b.post(speech, tc.body))
			parts, last := documents[:len(documents)-1], documents[len(documents)-1]
			sum := 0
			for _, d := range parts {
				if d.Get("data.status").Int() != 1 || d.Get("extra_info").Exists() || d.Get("base_resp.status_code").Int() != 0 {
					t.Errorf("a part is %s", d.Raw)
				}
				sum += len(bytesOf(t, d.Get("data.audio").Str))
			}
			again := len(bytesOf(t, last.Get("data.audio").Str))
			if len(parts) < 5 || sum != 27648 || last.Get("data.status").Int() != 2 || last.Get("extra_info.usage_characters").Int() != 29 {
				t.Errorf("%d parts of %d bytes, then %s", len(parts), sum, last.Get("extra_info").Raw)
			}
			if tc.aggregate && (again <= sum || again > sum+1000) || !tc.aggregate && again != 0 {
				t.Errorf("the final event holds %d bytes after %d", again, sum)
			}
		})
	}
}

func TestSpeech_streamEndsWithAndWithoutDone(t *testing.T) {
	b := start(t, studio.Options{})
	_, first := events(t, b.post(speech, with(t, hello, "stream", "true")))
	_, second := events(t, b.post(speech, with(t, hello, "stream", "true")))
	if first == second {
		t.Errorf("both streams end alike, with [DONE]: %v", first)
	}
}

func TestSpeech_streamOfFLACBeginsWithItsHeadOnce(t *testing.T) {
	b := start(t, studio.Options{})
	body := with(t, hello, "stream", "true", "stream_options.exclude_aggregated_audio", "true", "audio_setting.format", `"flac"`)
	documents, _ := events(t, b.post(speech, body))
	var audio []byte
	for _, d := range documents {
		audio = append(audio, bytesOf(t, d.Get("data.audio").Str)...)
	}
	size := documents[len(documents)-1].Get("extra_info.audio_size").Int()
	if bytes.Count(audio, []byte("fLaC")) != 1 || !bytes.HasPrefix(audio, []byte("fLaC")) || int64(len(audio)) != size {
		t.Errorf("%d bytes of %d, beginning %x", len(audio), size, audio[:4])
	}
}

func TestSpeech_streamCanBeOneEvent(t *testing.T) {
	b := start(t, studio.Options{})
	body := with(t, hello, "text", `"Hi [[once]]"`, "stream", "true", "stream_options.exclude_aggregated_audio", "true")
	documents, _ := events(t, b.post(speech, body))
	if len(documents) != 1 || documents[0].Get("data.status").Int() != 2 || documents[0].Get("data.audio").Str == "" {
		t.Errorf("events = %v", documents)
	}
}

func TestSpeech_isAsLongAsOrdered(t *testing.T) {
	b := start(t, studio.Options{})
	const size = 3_000_000
	long := with(t, hello, "text", `"x [[bytes 3000000]]"`)
	for name, audio := range map[string]func(t *testing.T) int{
		"a whole answer": func(t *testing.T) int {
			t.Helper()
			return len(bytesOf(t, b.post(speech, long).get("data.audio").Str))
		},
		"a link": func(t *testing.T) int {
			t.Helper()
			link := b.post(speech, with(t, long, "output_format", `"url"`)).get("data.audio").Str
			return len(b.send(t.Context(), http.MethodGet, strings.TrimPrefix(link, b.url), "", "Authorization", "").body)
		},
		"a stream": func(t *testing.T) int {
			t.Helper()
			documents, _ := events(t, b.post(speech, with(t, long, "stream", "true", "audio_setting.format", `"pcm"`)))
			sum := 0
			for _, d := range documents {
				if len(d.Raw) > 200_000 && d.Get("data.status").Int() == 1 {
					t.Errorf("a part of %d bytes", len(d.Raw))
				}
				if d.Get("data.status").Int() == 1 {
					sum += len(bytesOf(t, d.Get("data.audio").Str))
				}
			}
			return sum
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := audio(t); got < size-1000 || got > size {
				t.Errorf("%d bytes, want about %d", got, size)
			}
		})
	}
}

func TestSpeech_refuses(t *testing.T) {
	pause := func(text string) string { return with(t, hello, "text", quote(text)) }
	streamed := with(t, hello, "stream", "true")
	for name, tc := range map[string]struct {
		body string
		want int64
		says string
	}{
		"no model":                       {with(t, hello, "model", ""), 2013, "model"},
		"an unknown model":               {with(t, hello, "model", `"speech-2.5-hd-preview"`), 2013, "model"},
		"no text":                        {with(t, hello, "text", ""), 2013, "text"},
		"a blank text":                   {with(t, hello, "text", `" \n"`), 2013, "text"},
		"ten thousand characters":        {with(t, hello, "text", quote(strings.Repeat("字", 10000))), 2013, "10000"},
		"too much that cannot be seen":   {with(t, hello, "text", `"abcdefgh\u200b\u200b"`), 1042, "invisible"},
		"a pause at the beginning":       {pause("<#1#>word"), 2013, "pause"},
		"a pause at the end":             {pause("word<#1#>"), 2013, "pause"},
		"two pauses in a row":            {pause("one<#1#><#1#>two"), 2013, "pause"},
		"a pause too short":              {pause("one<#0.001#>two"), 2013, "pause"},
		"a pause too long":               {pause("one<#100#>two"), 2013, "pause"},
		"a pause of no number":           {pause("one<#NaN#>two"), 2013, "pause"},
		"no voice":                       {with(t, hello, "voice_setting", ""), 2013, "voice_id"},
		"an unknown voice":               {with(t, hello, "voice_setting.voice_id", `"alloy"`), 20132, "voice_id"},
		"somebody else's voice":          {with(t, hello, "voice_setting.voice_id", quote(minimaxmedia.ForeignVoice)), 2042, "access"},
		"a slow voice":                   {with(t, hello, "voice_setting.speed", "0.49"), 2013, "speed"},
		"a fast voice":                   {with(t, hello, "voice_setting.speed", "2.01"), 2013, "speed"},
		"no volume":                      {with(t, hello, "voice_setting.vol", "0"), 2013, "vol"},
		"too loud":                       {with(t, hello, "voice_setting.vol", "10.1"), 2013, "vol"},
		"too low":                        {with(t, hello, "voice_setting.pitch", "-13"), 2013, "pitch"},
		"an unknown emotion":             {with(t, hello, "voice_setting.emotion", `"neutral"`), 2013, "emotion"},
		"fluent outside 2.6":             {with(t, hello, "voice_setting.emotion", `"fluent"`), 2013, "emotion"},
		"whisper on 2.8":                 {with(t, hello, "model", `"speech-2.8-hd"`, "voice_setting.emotion", `"whisper"`), 2013, "emotion"},
		"a rate of 48000":                {with(t, hello, "audio_setting.sample_rate", "48000"), 2013, "sample_rate"},
		"an odd bitrate":                 {with(t, hello, "audio_setting.bitrate", "96000"), 2013, "bitrate"},
		"a bitrate of pcm":               {with(t, hello, "audio_setting", `{"bitrate":128000,"format":"pcm"}`), 2013, "bitrate"},
		"aac":                            {with(t, hello, "audio_setting.format", `"aac"`), 2013, "format"},
		"opus":                           {with(t, hello, "audio_setting.format", `"opus"`), 2013, "format"},
		"six channels":                   {with(t, hello, "audio_setting.channel", "6"), 2013, "channel"},
		"a constant rate without stream": {with(t, hello, "audio_setting.force_cbr", "true"), 2013, "force_cbr"},
		"a constant rate of pcm": {with(t, hello, "stream", "true", "audio_setting", `{"force_cbr":true,"format":"pcm"}`), 2013,
			"force_cbr"},
		"wav as a stream":               {with(t, streamed, "audio_setting.format", `"wav"`), 2013, "wav"},
		"a link as a stream":            {with(t, streamed, "output_format", `"url"`), 2013, "url"},
		"an unknown way of output":      {with(t, hello, "output_format", `"base64"`), 2013, "output_format"},
		"stream options without stream": {with(t, hello, "stream_options.exclude_aggregated_audio", "true"), 2013, "stream_options"},
		"a watermark in a stream":       {with(t, streamed, "aigc_watermark", "false"), 2013, "aigc_watermark"},
		"streamed subtitles on 02":      {with(t, streamed, "subtitle_enable", "true"), 2013, "subtitles"},
		"a kind of no subtitles":        {with(t, hello, "subtitle_type", `"word"`), 2013, "subtitle_enable"},
		"an unknown kind of subtitles":  {with(t, hello, "subtitle_enable", "true", "subtitle_type", `"line"`), 2013, "subtitle_type"},
		"streamed words of a whole": {with(t, hello, "subtitle_enable", "true", "subtitle_type", `"word_streaming"`), 2013,
			"word_streaming"},
		"a tone without replacement": {with(t, hello, "pronunciation_dict.tone", `["omg"]`), 2013, "tone"},
		"an unknown language":        {with(t, hello, "language_boost", `"Klingon"`), 2013, "language_boost"},
		"a voice and a mixture":      {with(t, hello, "timbre_weights", `[{"voice_id":"Wise_Woman","weight":1}]`), 2013, "exclude"},
		"a mixture of an unknown voice": {with(t, hello, "voice_setting", "", "timbre_weights", `[{"voice_id":"alloy","weight":1}]`),
			20132, "voice_id"},
		"a mixture with weight 0": {with(t, hello, "voice_setting", "", "timbre_weights", `[{"voice_id":"Wise_Woman"}]`), 2013, "weight"},
		"a mixture of five":       {with(t, hello, "voice_setting", "", "timbre_weights", `[{},{},{},{},{}]`), 2013, "at most 4"},
		"an effect too strong":    {with(t, hello, "voice_modify.pitch", "101"), 2013, "pitch"},
		"an unknown effect":       {with(t, hello, "voice_modify.sound_effects", `"opera"`), 2013, "sound_effects"},
		"an effect on pcm":        {with(t, hello, "voice_modify.pitch", "1", "audio_setting.format", `"pcm"`), 2013, "voice_modify"},
		"an effect on a stream of flac": {with(t, streamed, "voice_modify.timbre", "1", "audio_setting.format", `"flac"`), 2013,
			"voice_modify"},
		"an intensity out of its range":   {with(t, hello, "voice_modify.intensity", "-101"), 2013, "intensity"},
		"a timbre that is out of a range": {with(t, hello, "voice_modify.timbre", "101"), 2013, "timbre"},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t, studio.Options{})
			got := b.post(speech, tc.body)
			if data, ok := strings.CutPrefix(got.body, "data: "); ok {
				got.body = data
			}
			if got.status != http.StatusOK || got.code() != tc.want || !strings.Contains(got.get("base_resp.status_msg").Str, tc.says) {
				t.Errorf("= %d %s, want %d with %q", got.status, got.body, tc.want, tc.says)
			}
			if got.get("data").Type != gjson.Null || len(b.Charges()) != 0 || b.last().Reason == "" {
				t.Errorf("data = %s, charges %v, entry %+v", got.get("data").Raw, b.Charges(), b.last())
			}
		})
	}
}

func TestSpeech_accepts(t *testing.T) {
	for name, body := range map[string]string{
		"9999 characters":     with(t, hello, "text", quote(strings.Repeat("字", 9999))),
		"a pause":             with(t, hello, "text", `"one<#0.5#>two<#99.99#>three"`),
		"a cloned voice":      with(t, hello, "voice_setting.voice_id", quote(minimaxmedia.ClonedVoice)),
		"a voice with blanks": with(t, hello, "voice_setting.voice_id", `"Chinese (Mandarin)_Lyrical_Voice"`),
		"every setting of voices": with(t, hello, "voice_setting",
			`{"voice_id":"Wise_Woman","speed":0.5,"vol":10,"pitch":-12,"emotion":"calm","text_normalization":true,"latex_read":false}`),
		"every setting of audio": with(t, hello, "audio_setting", `{"sample_rate":44100,"bitrate":256000,"format":"mp3","channel":2}`),
		"fluent on 2.6":          with(t, hello, "model", `"speech-2.6-turbo"`, "voice_setting.emotion", `"fluent"`),
		"a mixture": with(t, hello, "voice_setting.voice_id", "", "timbre_weights",
			`[{"voice_id":"Wise_Woman","weight":1},{"voice_id":"male-qn-qingse","weight":100}]`),
		"a mixture, misspelt": with(t, hello, "voice_setting", "", "timber_weights", `[{"voice_id":"Wise_Woman","weight":1}]`),
		"a language":          with(t, hello, "language_boost", `"Chinese,Yue"`),
		"no language":         with(t, hello, "language_boost", "null"),
		"a pronunciation":     with(t, hello, "pronunciation_dict.tone", `["omg/oh my god"]`),
		"an effect":           with(t, hello, "voice_modify", `{"pitch":100,"intensity":-100,"timbre":0,"sound_effects":"robotic"}`),
		"a watermark":         with(t, hello, "aigc_watermark", "true"),
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t, studio.Options{})
			if got := b.post(speech, body); got.code() != 0 || got.get("data.audio").Str == "" || len(b.Charges()) != 1 {
				t.Errorf("= %.300s", got.body)
			}
		})
	}
}

func TestSimulator_AcceptNewFormats(t *testing.T) {
	b := start(t, studio.Options{})
	b.AcceptNewFormats(true)
	for _, format := range []string{"opus", "pcmu_raw", "pcmu_wav"} {
		if got := b.post(speech, with(t, hello, "audio_setting.format", quote(format))); got.get("extra_info.audio_format").Str != format {
			t.Errorf("%s: %.300s", format, got.body)
		}
	}
	if got := b.post(speech, with(t, hello, "stream", "false", "audio_setting.format", `"aac"`)); got.code() != 2013 {
		t.Errorf("aac: %.300s", got.body)
	}
}
