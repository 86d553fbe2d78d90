package doubaospeech

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"

	"vipcloud.ai/vipcloud/gateway/jsonscan"
	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/sse"
)

// maxEvent bounds one event, or the answer of V1, in bytes.
const maxEvent = 64 << 20

// events reads the data of the events of an answer, one at a time. A JSON document in their place, as a failure may be one, is read
// as if it were an event.
type events struct {
	source source
	body   *bufio.Reader
	stream *sse.Reader
	// document says that the answer is no event stream.
	document, done bool
}

// newEvents reads events from body. The buffer is for a look at the first byte; reads into larger ones go past it.
func newEvents(body io.Reader) *events {
	e := &events{source: source{Reader: body}}
	e.body = bufio.NewReaderSize(&e.source, 1)
	return e
}

// broken is the error with which the body has broken off, nil if it has not. The event before that may be half of one.
func (e *events) broken() error { return e.source.err }

// source is a body that remembers its error, unless that is a regular end.
type source struct {
	io.Reader
	err error
}

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// empty says that nothing but white space has come.
func (e *events) empty() bool { return e.stream == nil }

// next returns the data of the next event, valid until the next call, or io.EOF after the last one. Other errors are an *Error
// or the body's own.
func (e *events) next() ([]byte, error) {
	if e.stream == nil {
		if err := e.begin(); err != nil {
			return nil, err
		}
	}
	if e.document {
		return e.whole()
	}
	for {
		kind, data, err := e.stream.Next()
		switch {
		case errors.Is(err, sse.ErrEventTooLarge):
			return nil, tooLarge(err)
		case err != nil:
			return nil, err
		case kind == sse.Data && len(bytes.TrimSpace(data)) > 0:
			return data, nil
		}
	}
}

// begin looks at what the answer begins with.
func (e *events) begin() error {
	for {
		c, err := e.body.ReadByte()
		switch {
		case err != nil:
			return err
		case jsonscan.IsSpace(c):
			continue
		}
		e.document = c == '{'
		e.stream = sse.NewReader(e.body, maxEvent)
		return e.body.UnreadByte()
	}
}

// whole returns the document, once.
func (e *events) whole() ([]byte, error) {
	if e.done {
		return nil, io.EOF
	}
	e.done = true
	return readAll(e.body)
}

// readAll reads a document.
func readAll(body io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(body, maxEvent+1))
	if err == nil && len(data) > maxEvent {
		err = tooLarge(sse.ErrEventTooLarge)
	}
	return data, err
}

// tooLarge is the error of an event that exceeds maxEvent.
func tooLarge(cause error) error {
	e := provider.BadResponse(http.StatusOK, "event_too_large", "An event of the answer is too large.")
	e.Cause = cause
	return e
}
