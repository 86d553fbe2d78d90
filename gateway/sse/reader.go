// Package sse frames event streams: it finds events in the bytes of an upstream, wherever reads happen to end, and writes
// events the way every OpenAI SDK understands them. It knows nothing of what is inside the data.
package sse

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// DefaultMaxEvent bounds the data of one event: room for a base64 image or long tool arguments.
const DefaultMaxEvent = 16 << 20

const (
	// readSize is the read buffer of a stream at first. Thousands of slow streams hold one each.
	readSize = 4 << 10
	// maxReadSize is what the buffer of a stream grows to whose reads fill it.
	maxReadSize = 16 << 10
	// keepSize is the largest data buffer that is kept between events.
	keepSize = 16 << 10
)

// ErrEventTooLarge means that one event exceeded the limit.
var ErrEventTooLarge = errors.New("event larger than the limit")

// byteOrderMark may precede the first line; two of the SDKs would lose the first event over it.
var byteOrderMark = []byte("\xef\xbb\xbf")

// Kind is what Next found.
type Kind int

const (
	// Data is an event with data.
	Data Kind = iota
	// Comment is a comment or another line without data: a sign of life, nothing to pass on.
	Comment
)

// Reader splits a stream into events. Lines may end in LF, CRLF or CR; a blank after "data:" is optional; data over several
// lines is joined with LF; event names, ids and retry lines are passed over. It is used by one goroutine.
type Reader struct {
	src   io.Reader
	max   int
	buf   []byte // bytes read and not yet parsed are buf[r:w]
	r, w  int
	err   error // the source's last word
	ended bool  // there was one
	full  bool  // the last read filled the buffer

	line    []byte // the beginning of a line that goes on beyond buf
	data    []byte // data of the event being put together
	hasData bool
	skipLF  bool // the last line ended in CR: an LF right after it belongs to it
	started bool // the first line has been seen
}

// NewReader returns a Reader for src; max is the largest event, 0 for DefaultMaxEvent.
func NewReader(src io.Reader, limit int) *Reader {
	if limit <= 0 {
		limit = DefaultMaxEvent
	}
	return &Reader{src: src, max: limit, buf: make([]byte, readSize)}
}

// Next returns the next event's data, valid until the next call, or a Comment without data. At the end of the stream an event
// that lacks its empty line is still returned, and then the error of the source: io.EOF for a regular end.
func (r *Reader) Next() (Kind, []byte, error) {
	if !r.hasData {
		r.resetData()
	}
	for {
		line, ok, err := r.nextLine()
		if err != nil {
			return 0, nil, err
		}
		if !ok {
			if r.hasData {
				r.hasData = false
				return Data, r.data, nil
			}
			return 0, nil, r.err
		}
		if len(line) == 0 {
			if !r.hasData {
				continue
			}
			r.hasData = false
			return Data, r.data, nil
		}
		if !r.started {
			r.started = true
			line = bytes.TrimPrefix(line, byteOrderMark)
		}
		comment, err := r.field(line)
		if err != nil {
			return 0, nil, err
		}
		if comment && !r.hasData {
			return Comment, nil, nil
		}
	}
}

// Buffered says whether bytes are waiting that a further Next would look at before reading.
func (r *Reader) Buffered() bool { return r.r < r.w }

// resetData empties the data buffer, giving up one that has grown large.
func (r *Reader) resetData() {
	if cap(r.data) > keepSize {
		r.data = nil
	}
	r.data = r.data[:0]
}

// field takes one line of an event and says whether it was a comment.
func (r *Reader) field(line []byte) (comment bool, err error) {
	if len(line) > 0 && line[0] == ':' {
		return true, nil
	}
	value, ok := bytes.CutPrefix(line, []byte("data"))
	if !ok || (len(value) > 0 && value[0] != ':') {
		return false, nil // event, id, retry and unknown fields mean nothing here
	}
	if len(value) > 0 {
		value = value[1:]
	}
	if len(value) > 0 && value[0] == ' ' {
		value = value[1:]
	}
	if len(r.data)+len(value) >= r.max {
		return false, fmt.Errorf("reading event: %w", ErrEventTooLarge)
	}
	if r.hasData {
		r.data = append(r.data, '\n')
	}
	r.data = append(r.data, value...)
	r.hasData = true
	return false, nil
}

// nextLine returns the next line without its end, valid until the next call. ok is false at the end of the source; a last
// line without an end is returned before that.
func (r *Reader) nextLine() (line []byte, ok bool, err error) {
	r.line = r.line[:0]
	for {
		if r.skipLF && r.r < r.w {
			if r.buf[r.r] == '\n' {
				r.r++
			}
			r.skipLF = false
		}
		chunk := r.buf[r.r:r.w]
		if i := lineEnd(chunk); i >= 0 {
			r.skipLF = chunk[i] == '\r'
			r.r += i + 1
			return r.join(chunk[:i]), true, nil
		}
		if len(r.line)+len(chunk) > r.max {
			return nil, false, fmt.Errorf("reading line: %w", ErrEventTooLarge)
		}
		r.line = append(r.line, chunk...)
		r.r, r.w = 0, 0
		if r.ended {
			return r.line, len(r.line) > 0, nil
		}
		r.fill()
	}
}

// fill reads into the empty buffer. One that was filled to its end is too small for how fast the source is.
func (r *Reader) fill() {
	if r.full && len(r.buf) < maxReadSize {
		r.buf = make([]byte, 2*len(r.buf))
	}
	r.w, r.err = r.src.Read(r.buf)
	r.ended, r.full = r.err != nil, r.w == len(r.buf)
}

// join returns a line whose beginning may be in r.line.
func (r *Reader) join(rest []byte) []byte {
	if len(r.line) == 0 {
		return rest
	}
	r.line = append(r.line, rest...)
	return r.line
}

// lineEnd returns the place of the first LF or CR, or -1.
func lineEnd(b []byte) int {
	lf := bytes.IndexByte(b, '\n')
	if lf >= 0 {
		b = b[:lf]
	}
	if cr := bytes.IndexByte(b, '\r'); cr >= 0 {
		return cr
	}
	return lf
}
