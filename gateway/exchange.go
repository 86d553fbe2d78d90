package gateway

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"vipcloud.ai/vipcloud/gateway/openai"
	"vipcloud.ai/vipcloud/gateway/quota"
	"vipcloud.ai/vipcloud/gateway/table"
	"vipcloud.ai/vipcloud/gateway/tracing"
	"vipcloud.ai/vipcloud/gateway/usage"
)

// statusClientGone is logged for clients that left before there was an answer; it is never sent.
const statusClientGone = 499

// handler serves one exchange. It returns the error to answer with, or nil if it has answered.
type handler func(x *exchange) *openai.Error

// exchange is a request and its answer under way.
type exchange struct {
	server *Server
	w      *recorder
	r      *http.Request
	key    *table.Key
	// client tells callers without a key apart; empty for those who have one.
	client string
	// grant is the leave to make the request; nil if none was needed or given.
	grant *quota.Grant
	// jobGrant holds what a job may cost until the job itself is in the books.
	jobGrant *quota.Grant
	rec      usage.Record
	// span is the request's; the zero one if nothing is traced.
	span tracing.Span
}

// entry surrounds a handler with what every request gets: an id, a bound on its headers, a record that is settled exactly once,
// and an answer even if the handler panics.
func (s *Server) entry(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &exchange{server: s, w: &recorder{ResponseWriter: w}, r: r}
		x.rec = usage.Record{RequestID: requestID(r), Method: r.Method, Path: r.URL.Path, Start: s.opts.Now()}
		x.r, x.span = s.opts.Tracer.Request(r)
		x.rec.Span = x.span.Context()
		header := w.Header()
		header.Set("X-Request-Id", x.rec.RequestID)
		header.Set("Access-Control-Allow-Origin", "*")
		header.Set("Access-Control-Expose-Headers", exposedHeaders)
		s.metrics.InFlight.Inc()
		s.underWay.Add(1)
		defer func() {
			s.metrics.InFlight.Dec()
			s.lastEnd.Store(time.Now().UnixNano())
			s.underWay.Add(-1)
		}()
		defer x.settle()
		defer x.recover()
		if s.draining.Load() {
			// The next request takes another connection. Streams say so only now: Node takes a close for a clean end, so that one which is
			// cut would look whole.
			header.Set("Connection", "close")
		}
		if r.ContentLength != 0 {
			// The server itself reads what a handler leaves of a body, so a client that stalls must be bounded even if nobody here
			// reads: readBody moves the deadline on and takes it away.
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(s.opts.BodyIdleTimeout)) // test recorders cannot
		}
		if size := headerSize(r); size > s.opts.HeaderBytes {
			x.fail(openai.HeadersTooLarge(s.opts.HeaderBytes))
			return
		}
		if e := h(x); e != nil {
			x.fail(e)
		}
	})
}

// exposedHeaders are what scripts in browsers may read of an answer.
const exposedHeaders = "x-request-id, retry-after, server-timing, x-vipcloud-fallback, x-should-retry, openai-poll-after-ms, idempotent-replayed, " +
	"content-range, x-ratelimit-limit-requests, x-ratelimit-remaining-requests, x-ratelimit-reset-requests, x-ratelimit-limit-tokens, " +
	"x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens"

// fail answers with an error, unless the answer has begun.
func (x *exchange) fail(e *openai.Error) {
	x.rec.Err = e
	if x.rec.Outcome == "" {
		x.rec.Outcome = usage.OutcomeRefused
	}
	if x.w.status == 0 {
		e.Write(x.w)
	}
}

// recover turns a panic into a 500 and a log line with the stack. A handler that aborts on purpose is let through.
func (x *exchange) recover() {
	p := recover()
	if p == nil {
		return
	}
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p)
	}
	x.server.metrics.Panics.Inc()
	x.server.opts.Log.Error("Recovered from panic", "requestID", x.rec.RequestID, "reason", fmt.Sprint(p), "stack", string(debug.Stack()))
	x.rec.Outcome = usage.OutcomeFailed
	x.fail(openai.Internal(x.rec.RequestID))
}

// settle ends the exchange.
func (x *exchange) settle() {
	x.rec.Key = x.key
	x.rec.Status = x.w.status
	x.rec.BytesOut = x.w.bytes
	if x.rec.Status == 0 {
		x.rec.Status = http.StatusOK
		if x.rec.Outcome == usage.OutcomeClientGone {
			x.rec.Status = statusClientGone
		}
	}
	if x.rec.Outcome == "" {
		x.rec.Outcome = usage.OutcomeOK
	}
	settled := x.server.settler.Settle(&x.rec)
	x.endSpan(&settled)
	x.server.count(&x.rec, &settled)
	x.jobGrant.Release()
	x.grant.Settle(settled.Usage.PromptTokens + settled.Usage.CompletionTokens) // after it was counted, so that it is never neither
}

// authenticated finds the key before anything else is done for the request; its body has not been touched then.
func (s *Server) authenticated(h handler) handler {
	return func(x *exchange) *openai.Error {
		now := s.opts.Now()
		caller, e := s.keys.Authenticate(x.r.Header, now)
		if e != nil {
			return e
		}
		x.key = caller.Key
		if caller.Previous {
			s.countPrevious(&caller, now)
		}
		return h(x)
	}
}

// recorder notes what was answered.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader implements http.ResponseWriter.
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController find what the connection can do.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Bounds of a request id that a client brings.
const maxRequestID = 128

// requestID keeps the client's id, if it is one that can stand in a log line, or makes one.
func requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-Id")
	if id != "" && len(id) <= maxRequestID && printableID(id) {
		return id
	}
	buf := append(make([]byte, 0, 36), "req_"...)
	buf = strconv.AppendUint(buf, rand.Uint64()|1<<63, 36)
	return string(strconv.AppendUint(buf, rand.Uint64()|1<<63, 36))
}

// printableID allows letters, digits and a little punctuation.
func printableID(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' && c != ':' {
			return false
		}
	}
	return true
}

// headerSize is the sum of names and values.
func headerSize(r *http.Request) int {
	n := len(r.URL.RequestURI())
	for name, values := range r.Header {
		for _, v := range values {
			n += len(name) + len(v) + 4
		}
	}
	return n
}
