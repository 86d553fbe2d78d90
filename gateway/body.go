package gateway

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"vipcloud.ai/vipcloud/gateway/openai"
)

const (
	// bodyStep is how much room is taken at a time for a body of unknown length.
	bodyStep = 256 << 10
	// overloadPause is what a client is asked to wait when bodies fill the memory.
	overloadPause = time.Second
)

// readBody reads a request body under the limits: its own size, the sum of all bodies in memory, and the time it may stall. The
// room is given back by release, which is never nil and may be called again.
func (s *Server) readBody(x *exchange) (body []byte, release func(), problem *openai.Error) {
	held := int64(0)
	release = func() {
		s.bodies.Release(held)
		s.bodyBytes.Add(-held)
		held = 0
	}
	take := func(n int64) bool {
		if !s.bodies.TryAcquire(n) {
			return false
		}
		held += n
		s.bodyBytes.Add(n)
		return true
	}
	length, limit := x.r.ContentLength, s.bodyLimit(x)
	if length > limit {
		return nil, release, openai.BodyTooLarge(limit)
	}
	if length > 0 && !take(length) {
		return nil, release, overloaded()
	}
	reader := &bodyReader{
		src: http.MaxBytesReader(x.w.ResponseWriter, x.r.Body, limit), held: &held, limit: limit, take: take,
		control: http.NewResponseController(x.w), idle: s.opts.BodyIdleTimeout, moved: time.Now(), // entry has set the first deadline
	}
	var buf bytes.Buffer
	if length > 0 {
		buf.Grow(int(length) + bytes.MinRead)
	}
	if _, err := buf.ReadFrom(reader); err != nil {
		return nil, release, bodyProblem(err, limit) // the deadline stays: it bounds what the server still reads
	}
	_ = reader.control.SetReadDeadline(time.Time{}) // test recorders cannot; the server's connections can
	return buf.Bytes(), release, nil
}

// errNoRoom means that a body outgrew the memory that is left.
var errNoRoom = errors.New("no room for request bodies")

// bodyReader takes room as a body of unknown length grows, and moves the deadline as long as bytes arrive.
type bodyReader struct {
	src     io.Reader
	read    int64
	held    *int64
	limit   int64
	take    func(n int64) bool
	control *http.ResponseController
	idle    time.Duration
	moved   time.Time
}

// Read implements io.Reader.
func (r *bodyReader) Read(p []byte) (int, error) {
	if now := time.Now(); now.Sub(r.moved) > time.Second {
		r.moved = now
		_ = r.control.SetReadDeadline(now.Add(r.idle)) // as in readBody
	}
	n, err := r.src.Read(p)
	r.read += int64(n)
	for r.read > *r.held && err == nil {
		if !r.take(min(bodyStep, r.limit-*r.held)) {
			return n, errNoRoom
		}
	}
	return n, err
}

// bodyProblem says what is wrong with a body that could not be read.
func bodyProblem(err error, limit int64) *openai.Error {
	var tooLarge *http.MaxBytesError
	var problem *openai.Error
	switch {
	case errors.As(err, &tooLarge):
		problem = openai.BodyTooLarge(limit)
	case errors.Is(err, errNoRoom):
		problem = overloaded()
	case errors.Is(err, os.ErrDeadlineExceeded):
		problem = openai.BodyTimeout()
	default:
		problem = openai.InvalidRequest("invalid_body", "", "The request body could not be read to its end.")
	}
	problem.Cause = err
	return problem
}

// overloaded is the answer while bodies fill the memory.
func overloaded() *openai.Error {
	return openai.Unavailable("overloaded", "The gateway has too many requests in flight; try again shortly.", overloadPause)
}
