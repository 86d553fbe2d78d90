package minimaxmedia

import (
	"net/http"
	"unicode"
	"unicode/utf8"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

const (
	typeSSE  = "text/event-stream"
	typeJSON = "application/json"
)

// speechAnswer is a whole answer, and also one event of a stream.
type speechAnswer struct {
	Data     *speechData `json:"data"`
	Extra    *extraInfo  `json:"extra_info,omitempty"`
	TraceID  string      `json:"trace_id"`
	BaseResp baseResp    `json:"base_resp"`
}

type speechData struct {
	Audio string `json:"audio"`
	// Status is 1 for a part and 2 for the end.
	Status   int    `json:"status"`
	Subtitle string `json:"subtitle_file,omitempty"`
	Ced      string `json:"ced"`
}

type extraInfo struct {
	LengthMS   int64   `json:"audio_length"`
	SampleRate int     `json:"audio_sample_rate"`
	Size       int     `json:"audio_size"`
	Bitrate    int     `json:"bitrate"`
	Words      int     `json:"word_count"`
	Invisible  float64 `json:"invisible_character_ratio"`
	Characters int64   `json:"usage_characters"`
	Format     string  `json:"audio_format"`
	Channel    int     `json:"audio_channel"`
}

// audioMark stands for the audio of an answer that is written in pieces.
const audioMark = "@audio@"

// speech serves T2A v2.
func (x *exchange) speech() {
	r := speechRequest{newFormats: x.sim.newFormats.Load()}
	if p := x.decode(&r); p != nil {
		x.refuse(p, false)
		return
	}
	x.Entry.Model = r.Model
	if p := r.check(); p != nil {
		x.refuse(p, r.Stream)
		return
	}
	mode := nearestSpeech(x.Mode(r.Text), r.Stream)
	if x.fails(mode, r.Stream, studio.Truncated, studio.NoAudio, studio.MidStream, OddHex) || !x.Work() {
		return
	}
	say := x.compose(&r)
	// What a stream that broke costs is not documented: what the vendor itself breaks off is taken to be free.
	if mode == studio.NoAudio || mode == studio.MidStream {
		say.extra.Characters = 0
	} else {
		x.Bill(studio.Charge{ID: x.trace, Kind: studio.Speech, Model: r.Model, Units: say.extra.Characters})
	}
	switch {
	case mode == studio.Lost:
		x.Abort()
	case mode == studio.NoAudio:
		x.silence(say)
	case r.Stream:
		x.stream(say, mode)
	default:
		x.reply(say, mode)
	}
}

// nearestSpeech gives the modes that mean nothing here the nearest meaning.
func nearestSpeech(mode studio.Mode, stream bool) studio.Mode {
	switch {
	case mode == studio.PartialOutput:
		return studio.Truncated
	case mode == studio.TaskStuck:
		return studio.Stall
	case mode == studio.TaskSlow:
		return ""
	case mode == studio.MidStream && !stream:
		return studio.ServerError
	}
	return mode
}

// spoken is what came of a request.
type spoken struct {
	request *speechRequest
	clip    clip
	extra   extraInfo
}

func (x *exchange) compose(r *speechRequest) *spoken {
	rate, channels := or(r.AudioSetting.SampleRate, 32000), or(r.AudioSetting.Channel, 1)
	c := newClip(r.format(), rate, channels, r.Text)
	return &spoken{request: r, clip: c, extra: extraInfo{
		LengthMS: c.length().Milliseconds(), SampleRate: rate, Size: c.total(), Bitrate: or(r.AudioSetting.Bitrate, 128000),
		Words: utf8.RuneCountInString(r.Text), Invisible: invisible(r.Text), Characters: billed(r.Text), Format: r.format(), Channel: channels,
	}}
}

// billed counts the billed characters. How the vendor counts a Chinese character is not documented, nor can it be derived from
// its samples; here a Han character counts two and anything else one, so that nobody's own count agrees by accident.
func billed(text string) int64 {
	var n int64
	for _, c := range text {
		n++
		if unicode.Is(unicode.Han, c) {
			n++
		}
	}
	return n
}

// silence is a success without audio, as after bursts: null data or empty audio.
func (x *exchange) silence(say *spoken) {
	say.extra.LengthMS, say.extra.Size = 0, 0
	answer := speechAnswer{Extra: &say.extra, TraceID: x.trace, BaseResp: success()}
	if x.odd {
		answer.Data = &speechData{Status: 2}
	}
	if say.request.Stream {
		x.event(answer)
		return
	}
	x.JSON(http.StatusOK, answer)
}

// reply answers without stream. A truncated answer ends properly, in the middle of the JSON.
func (x *exchange) reply(say *spoken, mode studio.Mode) {
	answer := x.final(say)
	if or(say.request.OutputFormat, "hex") == "url" {
		format := say.request.format()
		answer.Data.Audio = x.Publish(format, "audio/"+format, say.clip.whole())
		if mode == studio.Truncated {
			x.half(answer)
			return
		}
		x.JSON(http.StatusOK, answer)
		return
	}
	x.spell(typeJSON, "", answer, say.clip, mode, "")
}

// final is the answer at the end, without its audio.
func (x *exchange) final(say *spoken) speechAnswer {
	data := &speechData{Audio: audioMark, Status: 2}
	if say.request.SubtitleEnable {
		data.Subtitle = x.subtitles(say)
	}
	return speechAnswer{Data: data, Extra: &say.extra, TraceID: x.trace, BaseResp: success()}
}

// subtitles publishes a list of one sentence, with times in milliseconds.
func (x *exchange) subtitles(say *spoken) string {
	return x.Publish("titles", typeJSON, encode([]map[string]any{{"text": say.request.Text, "time_begin": 0, "time_end": say.extra.LengthMS}}))
}
