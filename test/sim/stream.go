package sim

import (
	"net/http"
	"strconv"
	"time"
)

// twistAfter is the number of chunks after which a failure mode strikes a stream, unless its argument says otherwise.
const twistAfter = 2

// respond sends the answer, twisted by a failure mode unless that is empty.
func (x *exchange) respond(mode Mode) {
	if x.r.stream {
		x.stream(mode)
		return
	}
	x.reply(mode)
}

// wait lets Options.Latency pass; a vendor that holds connections open says so meanwhile.
func (x *exchange) wait(contentType, sign string) bool {
	if x.spec.keepAlive {
		x.begin(contentType)
		x.write([]byte(sign))
	}
	return x.pause(x.sim.opts.Latency)
}

func (x *exchange) begin(contentType string) {
	if x.entry.Status == 0 {
		x.w.Header().Set("Content-Type", contentType)
		x.entry.Status = http.StatusOK
		x.w.WriteHeader(http.StatusOK)
	}
}

const (
	typeJSON = "application/json"
	typeSSE  = "text/event-stream"
)

func (x *exchange) reply(mode Mode) {
	x.entry.bill(x.answer, false)
	if !x.wait(typeJSON, "\n\n") {
		return
	}
	x.entry.bill(x.answer, true)
	body := encode(x.spec.reply(x.r, x.answer))
	if mode != "" && x.twistReply(mode, body) {
		return
	}
	x.sendJSON(http.StatusOK, body)
}

func (x *exchange) stream(mode Mode) {
	x.entry.bill(x.answer, false)
	if !x.wait(typeSSE, ": keep-alive\n\n") {
		return
	}
	x.begin(typeSSE)
	strike, struck := mode.number(twistAfter), mode == ""
	for ev := range x.spec.events(x.r, x.answer) {
		if x.entry.Chunks > 0 && !x.pause(x.sim.opts.ChunkDelay) {
			return
		}
		if !struck && x.entry.Chunks == strike {
			if struck = true; !x.twistStream(mode) {
				return
			}
		}
		if !x.line(encode(ev.payload)) {
			return
		}
		x.entry.Chunks++
		x.entry.addOutput(ev.output, x.answer)
	}
	x.entry.bill(x.answer, true)
	// A stream shorter than the mode expects is hit before its end.
	if !struck && !x.twistStream(mode) {
		return
	}
	if !x.spec.noDone {
		x.line([]byte("[DONE]"))
	}
}

// line sends one data line.
func (x *exchange) line(data []byte) bool {
	prefix := x.spec.prefix
	if prefix == "" {
		prefix = "data: "
	}
	b := make([]byte, 0, len(prefix)+len(data)+2)
	b = append(append(append(b, prefix...), data...), "\n\n"...)
	return x.write(b)
}

// write sends and flushes b; it reports false once the client has left.
func (x *exchange) write(b []byte) bool {
	for _, piece := range x.cut(b) {
		if x.gone() {
			return false
		}
		if _, err := x.w.Write(piece); err != nil {
			x.entry.ClientGone = true
			return false
		}
		if err := x.rc.Flush(); err != nil {
			x.entry.ClientGone = true
			return false
		}
		if (x.split || x.slow) && !x.pause(time.Millisecond) {
			return false
		}
	}
	return true
}

// cut divides b for [[split]] and the slow mode: inside the first multi-byte rune, inside the event, before its last byte.
func (x *exchange) cut(b []byte) [][]byte {
	var cuts []int
	switch {
	case x.slow:
		for i := 64; i < len(b); i += 64 {
			cuts = append(cuts, i)
		}
	case x.split:
		for i, c := range b {
			if c >= 0xC0 {
				cuts = append(cuts, i+1)
				break
			}
		}
		if half := len(b) / 2; len(cuts) == 0 || half > cuts[0] {
			cuts = append(cuts, half)
		}
		cuts = append(cuts, len(b)-1)
	}
	var pieces [][]byte
	from := 0
	for _, to := range cuts {
		pieces, from = append(pieces, b[from:to]), to
	}
	return append(pieces, b[from:])
}

// pause waits for d; it reports false once the client has left.
func (x *exchange) pause(d time.Duration) bool {
	if d <= 0 {
		return !x.gone()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-x.req.Context().Done():
		return !x.gone()
	}
}

func (x *exchange) gone() bool {
	if x.req.Context().Err() != nil {
		x.entry.ClientGone = true
	}
	return x.entry.ClientGone
}

func (x *exchange) sendJSON(status int, body []byte) { x.sendBody(status, typeJSON, body) }

// sendBody sends a whole body, of known length unless bytes have gone out already.
func (x *exchange) sendBody(status int, contentType string, body []byte) {
	if x.entry.Status == 0 {
		x.w.Header().Set("Content-Type", contentType)
		x.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		x.entry.Status = status
		x.w.WriteHeader(status)
	}
	x.write(body)
}
