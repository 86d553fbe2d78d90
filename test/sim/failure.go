package sim

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Mode names a failure. Some take an argument after a blank: "cut 5" strikes after five chunks, "bad_finish sensitive" and
// "base_resp_200 1008" choose the reason or inner code. A mode without meaning at a vendor, or for a call without stream, takes
// the nearest general form.
type Mode string

// The switchable failures. The first group is refused in the vendor's own words.
const (
	Unauthorized  Mode = "unauthorized"
	NoBalance     Mode = "no_balance"
	RateLimit     Mode = "rate_limit"
	Overload      Mode = "overload"
	ServerError   Mode = "server_error"
	Moderation    Mode = "moderation"
	ContextLength Mode = "context_length"

	// ModerationStream puts the moderation error into a 200 stream after two chunks.
	ModerationStream Mode = "moderation_stream"
	// BaseResp200 is an error as the whole body, or only data line, of a 200.
	BaseResp200 Mode = "base_resp_200"
	// SparkCode is a vendor error inside a 200 stream after two chunks; without stream it equals BaseResp200.
	SparkCode Mode = "spark_code"
	// BadFinish answers with a finish reason that means failure.
	BadFinish Mode = "bad_finish"

	// Cut closes the connection in the middle of the answer; CutClean ends it early but properly, without finish and [DONE].
	Cut      Mode = "cut"
	CutClean Mode = "cut_clean"
	// Drop closes the connection before the first byte, HalfHeader in the middle of the response header.
	Drop       Mode = "drop"
	HalfHeader Mode = "half_header"
	// StallFirst sends nothing at all, StallMid nothing after two chunks, CommentsOnly nothing but keep-alive signs.
	StallFirst   Mode = "stall_first"
	StallMid     Mode = "stall_mid"
	CommentsOnly Mode = "comments_only"
	// Slow trickles a true answer, 64 bytes a millisecond.
	Slow Mode = "slow"

	// MalformedSSE puts broken JSON into the answer, Garbage binary bytes into a 200, HTML504 and PlainText foreign error bodies.
	MalformedSSE Mode = "malformed_sse"
	Garbage      Mode = "garbage"
	HTML504      Mode = "html_504"
	PlainText    Mode = "plain_text"
	// HugeLine sends a valid piece of content of 2 MB.
	HugeLine Mode = "huge_line"
	// JSONForStream answers a streaming call with one JSON body.
	JSONForStream Mode = "json_for_stream"
	// Empty answers 200 without a body, Redirect 307 to another host.
	Empty    Mode = "empty"
	Redirect Mode = "redirect"
)

// Modes lists the switchable failures in a fixed order.
func Modes() []Mode {
	return []Mode{Unauthorized, NoBalance, RateLimit, Overload, ServerError, Moderation, ContextLength, ModerationStream, BaseResp200,
		SparkCode, BadFinish, Cut, CutClean, Drop, HalfHeader, StallFirst, StallMid, CommentsOnly, Slow, MalformedSSE, Garbage, HTML504,
		PlainText, HugeLine, JSONForStream, Empty, Redirect}
}

func (m Mode) name() Mode {
	name, _, _ := strings.Cut(string(m), " ")
	return Mode(name)
}

func (m Mode) argument() string {
	_, arg, _ := strings.Cut(string(m), " ")
	return arg
}

func (m Mode) number(byDefault int) int {
	if n, err := strconv.Atoi(m.argument()); err == nil && n < 1000 {
		return n
	}
	return byDefault
}

// failures is what FailNext and FailAlways have switched on.
type failures struct {
	mu     sync.Mutex
	next   []Mode
	always Mode
}

func (f *failures) take() Mode {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.next) > 0 {
		m := f.next[0]
		f.next = f.next[1:]
		return m
	}
	return f.always
}

// FailNext makes the next n valid requests fail so; several calls queue up. A directive in a prompt comes first.
func (s *Simulator) FailNext(n int, mode Mode) {
	s.failures.mu.Lock()
	defer s.failures.mu.Unlock()
	for range n {
		s.failures.next = append(s.failures.next, mode)
	}
}

// FailAlways makes every valid request fail so, until Heal.
func (s *Simulator) FailAlways(mode Mode) {
	s.failures.mu.Lock()
	defer s.failures.mu.Unlock()
	s.failures.always = mode
}

// Heal switches off FailNext and FailAlways.
func (s *Simulator) Heal() {
	s.failures.mu.Lock()
	defer s.failures.mu.Unlock()
	s.failures.next, s.failures.always = nil, ""
}

// play answers a valid request with a failure.
func (x *exchange) play(mode Mode) {
	switch mode.name() {
	case Unauthorized, NoBalance, RateLimit, Overload, ServerError, Moderation, ContextLength:
		x.refuse(&problem{mode: mode.name()})
	case BaseResp200:
		x.inband(mode)
	case BadFinish:
		if x.answer.finish = mode.argument(); x.answer.finish == "" {
			x.answer.finish = x.spec.badFinish
		}
		if x.answer.finish == "" {
			x.answer.finish = "content_filter"
		}
		x.respond("")
	case Slow:
		x.slow = true
		x.respond("")
	case JSONForStream:
		x.reply("")
	case StallFirst:
		x.entry.bill(x.answer, false)
		x.stall()
	case CommentsOnly:
		x.entry.bill(x.answer, false)
		x.comments()
	case Drop:
		x.entry.bill(x.answer, false)
		panic(http.ErrAbortHandler)
	case HalfHeader:
		x.entry.bill(x.answer, false)
		x.halfHeader()
	case Garbage, HTML504, PlainText, Empty, Redirect:
		x.foreign(mode)
	case Cut, CutClean, StallMid, MalformedSSE, HugeLine, ModerationStream, SparkCode:
		x.respond(mode)
	default:
		http.Error(x.w, "the simulator knows no failure mode "+string(mode), http.StatusNotImplemented)
		x.entry.Status = http.StatusNotImplemented
	}
}

// foreign sends what no vendor wrote: a proxy's page, a text, noise.
func (x *exchange) foreign(mode Mode) {
	switch mode {
	case Garbage:
		contentType := typeJSON
		if x.r.stream {
			contentType = typeSSE
		}
		x.sendBody(http.StatusOK, contentType, []byte("\x00\xff\xfe\x8b\x1f<html>\xc3\x28 noise\n\n\x00"))
	case HTML504:
		x.sendBody(http.StatusGatewayTimeout, "text/html", []byte("<html><head><title>504 Gateway Time-out</title></head>"+
			"<body><center><h1>504 Gateway Time-out</h1></center><hr><center>nginx</center></body></html>\r\n"))
	case PlainText:
		x.sendBody(http.StatusInternalServerError, "text/plain", []byte("upstream connect error or disconnect/reset before headers"))
	case Empty:
		x.sendBody(http.StatusOK, typeJSON, nil)
	case Redirect:
		x.w.Header().Set("Location", "http://redirected.invalid"+x.req.URL.Path)
		x.sendBody(http.StatusTemporaryRedirect, "text/plain", nil)
	}
}

// badReason is the problem that a mode puts inside a 200.
func (x *exchange) badReason(mode Mode) problem {
	p := x.spec.complete(problem{mode: Moderation})
	if code := mode.argument(); code != "" && x.spec.badCode != nil {
		p = x.spec.badCode(code)
	}
	x.entry.Reason = p.message
	return p
}

// inbandBody is an error as a vendor writes it inside a 200.
func (x *exchange) inbandBody(mode Mode) []byte {
	write := x.spec.inband
	if write == nil {
		write = x.spec.envelope
	}
	return encode(write(x.badReason(mode), x.entry.ID))
}

func (x *exchange) inband(mode Mode) {
	if !x.r.stream {
		x.sendJSON(http.StatusOK, x.inbandBody(mode))
		return
	}
	x.begin(typeSSE)
	x.line(x.inbandBody(mode))
}

// stall waits until the client leaves or Options.StallFor has passed, then cuts the connection.
func (x *exchange) stall() {
	limit := x.sim.opts.StallFor
	if limit == 0 {
		limit = 24 * time.Hour
	}
	x.pause(limit)
	panic(http.ErrAbortHandler)
}

// comments sends keep-alive signs and nothing else.
func (x *exchange) comments() {
	contentType, sign := typeJSON, "\n"
	if x.r.stream {
		contentType, sign = typeSSE, ": keep-alive\n\n"
	}
	x.begin(contentType)
	gap := max(x.sim.opts.ChunkDelay, 5*time.Millisecond)
	for spent := time.Duration(0); x.sim.opts.StallFor == 0 || spent < x.sim.opts.StallFor; spent += gap {
		if !x.write([]byte(sign)) || !x.pause(gap) {
			return
		}
	}
	panic(http.ErrAbortHandler)
}

func (x *exchange) halfHeader() {
	conn, _, err := x.rc.Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	x.entry.Status = http.StatusOK
	// The client may be gone already; either way the connection ends here.
	_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Type: text/ev"))
	_ = conn.Close()
}

// twistStream does its harm between two chunks and reports whether the stream goes on.
func (x *exchange) twistStream(mode Mode) bool {
	switch mode.name() {
	case Cut:
		panic(http.ErrAbortHandler)
	case StallMid:
		x.stall()
	case MalformedSSE:
		return x.line([]byte(`{"id":"` + x.entry.ID + `","choices":[{"index":0,"delta":{"content":"bro`))
	case HugeLine:
		huge := x.spec.choice(x.r, partChunk, twistAfter, 0, "delta", obj("content", hugeText()), "")
		return x.line(encode(x.spec.framed(x.answer, partChunk, []object{huge}, x.spec.noUsage(x.r))))
	case ModerationStream, SparkCode:
		x.line(x.inbandBody(mode))
	}
	return false
}

// twistReply does the same to the body of a call without stream; it reports whether that was all.
func (x *exchange) twistReply(mode Mode, body []byte) bool {
	half := body[:len(body)/2]
	switch mode.name() {
	case Cut, StallMid:
		x.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		x.begin(typeJSON)
		x.write(half)
		if mode.name() == StallMid {
			x.stall()
		}
		panic(http.ErrAbortHandler)
	case CutClean, MalformedSSE:
		x.sendJSON(http.StatusOK, half)
	case HugeLine:
		x.answer.text = []string{hugeText()}
		x.sendJSON(http.StatusOK, encode(x.spec.reply(x.r, x.answer)))
	case ModerationStream, SparkCode:
		x.sendJSON(http.StatusOK, x.inbandBody(mode))
	}
	return true
}

func hugeText() string { return strings.Repeat("lots of it ", 2<<20/11) }
