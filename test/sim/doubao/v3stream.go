package doubao

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

const (
	typeSSE     = "text/event-stream"
	typeJSON    = "application/json"
	usageHeader = "X-Control-Require-Usage-Tokens-Return"
)

// The numbers of the events by SSE. The list is for reference, the vendor says: the code inside decides.
const (
	eventFinished = 152
	eventFailed   = 153
	eventSentence = 351
	eventAudio    = 352
)

// codeEnd is the code of the last value of a whole answer.
const codeEnd = 20000000

// valueV3 is one of the JSON values that an answer consists of.
type valueV3 struct {
	Code     int       `json:"code"`
	Message  string    `json:"message"`
	Data     *string   `json:"data"`
	Sentence *sentence `json:"sentence,omitempty"`
	Usage    *usageV3  `json:"usage,omitempty"`
}

type usageV3 struct {
	TextWords int64 `json:"text_words"`
}

type sentence struct {
	Text  string `json:"text"`
	Words []word `json:"words"`
}

// word is timed in seconds from the beginning of the answer.
type word struct {
	Word       string  `json:"word"`
	Start      float64 `json:"startTime"`
	End        float64 `json:"endTime"`
	Confidence float64 `json:"confidence"`
}

// streamV3 answers with audio, the sentence and the end. A success without audio is nothing at all or only its end, by turns. The
// end of input is the only sign of a truncated answer.
func (x *exchange) streamV3(p *paramsV3, mode studio.Mode, units int64) {
	x.prepare()
	if mode == studio.NoAudio && x.turn%2 == 0 {
		x.Chunk(x.contentType(), "")
		return
	}
	c := newClip(or(p.Audio.Format, "mp3"), or(p.Audio.SampleRate, 24000), p.text())
	if mode != studio.NoAudio && !x.audio(c, or(p.Audio.Format, "mp3") == "wav", mode) {
		return
	}
	switch {
	case mode == studio.Truncated:
		return
	case mode == studio.MidStream:
		x.Entry.Reason = codeV3(55000000).text
		x.value(eventFailed, valueV3{Code: 55000000, Message: x.Entry.Reason})
		return
	case mode != studio.NoAudio && !x.value(eventSentence, valueV3{Sentence: p.sentence()}):
		return
	}
	end := valueV3{Code: codeEnd, Message: "ok"}
	if x.R.Header.Get(usageHeader) != "" {
		end.Usage = &usageV3{TextWords: units}
	}
	x.value(eventFinished, end)
}

// audio sends the audio, about half of it if the answer breaks, and says whether the client took it. Every piece of wav has a
// header of its own.
func (x *exchange) audio(c clip, wav bool, mode studio.Mode) bool {
	sent := 0
	for piece := range c.pieces() {
		if sent > c.size/2 && (mode == studio.Truncated || mode == studio.MidStream) {
			break
		}
		sent += len(piece)
		if wav {
			piece = append(c.header(len(piece)), piece...)
		}
		data := base64.StdEncoding.EncodeToString(piece)
		if !x.value(eventAudio, valueV3{Data: &data}) {
			return false
		}
	}
	return true
}

// sentence is the whole text as one. Words are there if the request wants times.
func (p *paramsV3) sentence() *sentence {
	s := &sentence{Text: p.text(), Words: []word{}}
	if !p.Audio.EnableTimestamp && !p.Audio.EnableSubtitle {
		return s
	}
	start := 0.0
	for w := range strings.FieldsSeq(s.Text) {
		end := start + perCharacter.Seconds()*float64(utf8.RuneCountInString(w))
		s.Words = append(s.Words, word{Word: w, Start: start, End: end, Confidence: 0.9})
		start = end + perCharacter.Seconds()
	}
	return s
}

// prepare chooses the separator of this answer.
func (x *exchange) prepare() {
	by := Separator(x.sim.separator.Load())
	if by == Alternate {
		by = Glued + Separator(x.sim.streams.Add(1)-1)%2
	}
	x.newline = by == Newline
}

func (x *exchange) contentType() string {
	if x.R.URL.Path == pathSSE {
		return typeSSE
	}
	return typeJSON
}

// value sends one value, by HTTP chunks torn in two.
func (x *exchange) value(event int, v valueV3) bool {
	data := string(encode(v))
	if x.R.URL.Path == pathSSE {
		return x.Chunk(typeSSE, fmt.Sprintf("event: %d\ndata: %s\n\n", event, data))
	}
	half := len(data) / 2
	if x.newline {
		data += "\n"
	}
	return x.Chunk(typeJSON, data[:half]) && x.Chunk(typeJSON, data[half:])
}

func encode(document any) []byte {
	data, err := json.Marshal(document)
	if err != nil {
		panic(err)
	}
	return data
}
