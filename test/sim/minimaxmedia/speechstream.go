package minimaxmedia

import (
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

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
