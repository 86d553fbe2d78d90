package sse

import "bytes"

// Done is the data of the last event of an OpenAI stream.
const Done = "[DONE]"

// KeepAlive is a comment, which every SDK passes over.
const KeepAlive = ": keep-alive\n\n"

// AppendEvent appends an event with its empty line, which half of the SDKs need even after the last one. Its data is JSON: line
// ends, which there can only be white space, become blanks.
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
