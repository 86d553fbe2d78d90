package minimaxmedia

import (
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
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

// stream answers with events of status 1, and one of status 2 that repeats the audio unless the request excludes that. The
// repeated audio is a little longer than the sum of the parts, as was seen. The end of input is the only sign of a truncated
// stream.
func (x *exchange) stream(say *spoken, mode studio.Mode) {
	once := strings.Contains(say.request.Text, "[[once]]")
	if !once && !x.parts(say.clip, mode) || mode == studio.Truncated {
		return
	}
	if mode == studio.MidStream {
		p := refused(1000)
		x.Entry.Reason = p.text
		x.event(speechAnswer{TraceID: x.trace, BaseResp: p.resp()})
		return
	}
	again := say.clip
	again.size += again.unit
	if options := say.request.StreamOptions; options != nil && options.ExcludeAggregated && !once {
		again.size = 0
	}
	end := "\n\n"
	if x.odd {
		end += "data: [DONE]\n\n"
	}
	x.spell(typeSSE, "data: ", x.final(say), again, mode, end)
}

// parts sends the events of status 1, about half of them if the stream breaks, and says whether the client took them.
func (x *exchange) parts(c clip, mode studio.Mode) bool {
	sent := 0
	for piece := range c.pieces() {
		if sent > c.size/2 && (mode == studio.Truncated || mode == studio.MidStream) {
			break
		}
		data := speechData{Audio: hex.EncodeToString(piece), Status: 1}
		if mode == OddHex {
			data.Audio = data.Audio[1:]
		}
		if !x.event(speechAnswer{Data: &data, TraceID: x.trace, BaseResp: success()}) {
			return false
		}
		sent += len(piece)
	}
	return true
}

// spell sends an answer whose audio is written in pieces.
func (x *exchange) spell(contentType, before string, answer speechAnswer, c clip, mode studio.Mode, after string) {
	head, tail, _ := strings.Cut(string(encode(answer)), audioMark)
	if !x.Chunk(contentType, before+head) {
		return
	}
	sent := 0
	for piece := range c.pieces() {
		digits := hex.EncodeToString(piece)
		if mode == OddHex && sent == 0 {
			digits = digits[1:]
		}
		if sent > c.size/2 && mode == studio.Truncated || !x.Chunk(contentType, digits) {
			return
		}
		sent += len(piece)
	}
	if mode != studio.Truncated {
		x.Chunk(contentType, tail+after)
	}
}

// event sends one event of a stream.
func (x *exchange) event(answer speechAnswer) bool {
	return x.Chunk(typeSSE, "data: "+string(encode(answer))+"\n\n")
}

func encode(document any) []byte {
	data, err := json.Marshal(document)
	if err != nil {
		panic(err)
	}
	return data
}

// half answers with the first half of a document.
func (x *exchange) half(document any) {
	data := encode(document)
	x.Text(http.StatusOK, typeJSON, string(data[:len(data)/2]))
}
