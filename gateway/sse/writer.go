package sse

import (
	"bytes"
	"io"
)

// Pieces of events. Every event ends with an empty line, also the last one: half of the SDKs drop one that does not.
var (
	done      = []byte("data: [DONE]\n\n")
	keepAlive = []byte(": keep-alive\n\n")
)

// AppendEvent appends an event whose data is JSON. Line ends, which in JSON can only be white space, become blanks.
func AppendEvent(dst, data []byte) []byte {
	dst = append(dst, "data: "...)
	start := len(dst)
	dst = append(dst, data...)
	for i := bytes.IndexByte(dst[start:], '\n'); i >= 0; i = bytes.IndexByte(dst[start:], '\n') {
		start += i
		dst[start] = ' '
	}
	return append(dst, "\n\n"...)
}

// WriteDone writes the end of an OpenAI stream.
func WriteDone(w io.Writer) error {
	_, err := w.Write(done)
	return err
}

// WriteKeepAlive writes a comment, which every SDK passes over.
func WriteKeepAlive(w io.Writer) error {
	_, err := w.Write(keepAlive)
	return err
}
