package zhiputts

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"iter"
	"strconv"
	"unicode/utf8"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

const typeSSE = "text/event-stream"

// spoken is what came of a request.
type spoken struct {
	request *request
	marked  bool
	size    int // with the watermark, in bytes of samples
	samples iter.Seq[[]byte]
}

// speech serves POST /api/paas/v4/audio/speech.
func (x *exchange) speech() {
	var r request
	if p := x.decode(&r); p != nil {
		x.refuse(p)
		return
	}
	x.Entry.Model = r.Model
	if p := r.check(x.sim.unmarked.Load()); p != nil {
		x.refuse(p)
		return
	}
	mode := nearest(x.Mode(r.Input), r.Stream)
	if x.fails(mode) || !x.Work() {
		return
	}
	say := &spoken{request: &r, marked: or(r.Watermark, true), size: sizeOf(r.Input)}
	say.samples = pieces(say.size, say.marked)
	switch {
	case mode == studio.NoAudio:
		say.size, say.samples = 0, func(func([]byte) bool) {}
	case say.marked:
		say.size += len(Beep())
	}
	// Every character is billed as one. What the vendor itself breaks off is taken to be free.
	if mode != studio.NoAudio && mode != studio.MidStream {
		x.Bill(studio.Charge{ID: x.id, Kind: studio.Speech, Model: r.Model, Units: int64(utf8.RuneCountInString(r.Input))})
	}
	switch {
	case mode == studio.Lost:
		x.Abort()
	case r.Stream:
		x.stream(say, mode)
	default:
		x.reply(say, mode)
	}
}

// reply answers with the bytes; their Content-Type is not documented. A truncated body breaks before the length that its header
// tells, because nothing else would show it.
func (x *exchange) reply(say *spoken, mode studio.Mode) {
	contentType, head := "audio/pcm", []byte(nil)
	if or(say.request.ResponseFormat, "pcm") == "wav" {
		contentType, head = "audio/wav", wavHeader(say.size)
	}
	x.W.Header().Set("Content-Length", strconv.Itoa(len(head)+say.size))
	if !x.Chunk(contentType, string(head)) {
		return
	}
	sent := 0
	for piece := range say.samples {
		if mode == studio.Truncated && sent > say.size/2 {
			break
		}
		if !x.Chunk(contentType, string(piece)) {
			return
		}
		sent += len(piece)
	}
	if mode == studio.Truncated {
		x.Abort()
	}
}

// chunk is one event of a stream.
type chunk struct {
	Choices   []choice   `json:"choices,omitempty"`
	RequestID string     `json:"request_id"`
	Created   int64      `json:"created"`
	Error     *errorBody `json:"error,omitempty"`
}

type choice struct {
	Index        int    `json:"index"`
	Delta        delta  `json:"delta"`
	FinishReason string `json:"finish_reason,omitempty"`
}

type delta struct {
	Role       string `json:"role,omitempty"`
	Content    string `json:"content"`
	SampleRate int    `json:"return_sample_rate,omitempty"`
}

// stream answers with events. The piece that is not sent yet is kept, because the last one may carry the finish.
func (x *exchange) stream(say *spoken, mode studio.Mode) {
	odd, sent, held := x.sim.streams.Add(1)%2 == 1, 0, []byte(nil)
	for piece := range say.samples {
		if sent > say.size/2 && (mode == studio.Truncated || mode == studio.MidStream) {
			break
		}
		if held != nil && !x.part(say, held, "") {
			return
		}
		held, sent = piece, sent+len(piece)
	}
	if held != nil && (odd || mode != "") {
		if !x.part(say, held, "") {
			return
		}
		held = nil
	}
	switch mode {
	case studio.Truncated:
		return
	case studio.MidStream:
		p := coded("1234")
		x.Entry.Reason = p.code + " " + p.message
		x.event(chunk{RequestID: x.requestID(say), Created: x.Now().Unix(), Error: p.body()})
		return
	}
	if x.part(say, held, "stop") && odd {
		x.Chunk(typeSSE, "data: [DONE]\n\n")
	}
}

// part sends a piece of the speech.
func (x *exchange) part(say *spoken, piece []byte, finish string) bool {
	text := base64.StdEncoding.EncodeToString(piece)
	if or(say.request.EncodeFormat, "base64") == "hex" {
		text = hex.EncodeToString(piece)
	}
	c := choice{Delta: delta{Role: "assistant", Content: text, SampleRate: sampleRate}, FinishReason: finish}
	return x.event(chunk{Choices: []choice{c}, RequestID: x.requestID(say), Created: x.Now().Unix()})
}

// requestID is the caller's own id, if there is one.
func (x *exchange) requestID(say *spoken) string { return or(say.request.RequestID, x.id) }

func (x *exchange) event(c chunk) bool {
	data, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	return x.Chunk(typeSSE, "data: "+string(data)+"\n\n")
}
