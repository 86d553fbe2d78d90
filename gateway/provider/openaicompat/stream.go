package openaicompat

import (
	"bytes"
	"errors"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// stream decodes the events of one answer. Its buffers grow to the size of the largest event and stay.
type stream struct {
	translator   translator
	includeUsage bool
	done         bool
	out          []byte
	shape        shape
}

var _ provider.ChatStream = (*stream)(nil)

// doneMark is the data of the event after the last one. Upstreams were seen to append junk to it.
var doneMark = []byte("[DONE]")

// Event implements provider.ChatStream.
func (s *stream) Event(data []byte, chunk *provider.ChatChunk) error {
	data = trim(data)
	if s.done || len(data) == 0 {
		return nil
	}
	if bytes.HasPrefix(data, doneMark) {
		s.done, chunk.Done = true, true
		return nil
	}
	if text, ok := s.shape.match(data); ok {
		s.out = s.shape.apply(s.out[:0], text)
		chunk.Data, chunk.Content, chunk.Text = s.out, true, len(text)
		return nil
	}
	t := &s.translator
	if err := t.translate(data); err != nil {
		return err
	}
	chunk.Finished = t.finished
	if !t.now.answered {
		// Bookkeeping: usage is told at the end, and an event without choices would crash clients that read the first.
		return nil
	}
	s.out = t.edits.apply(s.out[:0], data)
	chunk.Data, chunk.Content, chunk.Text = s.out, t.now.content, t.now.text
	if t.now.content && !t.finished {
		s.shape.learn(data, s.out)
	}
	return nil
}

// Usage implements provider.ChatStream.
func (s *stream) Usage() provider.Usage { return s.translator.usage }

// errTruncated is the cause of the error of a stream that ended before the answer did.
var errTruncated = errors.New("the stream ended before the answer did")

// Close implements provider.ChatStream.
func (s *stream) Close() error {
	if s.done || s.translator.finished {
		return nil
	}
	e := badResponse("truncated", errTruncated.Error())
	e.Cause = errTruncated
	return e
}

// Trailer implements provider.ChatStream: the one usage chunk of the stream, wherever the vendor put the figures.
func (s *stream) Trailer() []byte {
	t := &s.translator
	if !s.includeUsage || !t.usage.Known {
		return nil
	}
	out := append([]byte(`{"id":`), orElse(t.id, `""`)...)
	out = append(out, `,"object":"chat.completion.chunk","created":`...)
	out = append(out, orElse(t.created, "0")...)
	out = append(out, `,"model":`...)
	out = append(out, t.model...)
	out = append(out, `,"choices":[],"usage":`...)
	out = append(out, t.rawUsage...)
	return append(out, '}')
}
