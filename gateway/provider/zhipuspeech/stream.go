package zhipuspeech

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strconv"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// defaultRate is the rate in Hz of speech that does not tell it, and maxRate the highest that is believed.
const (
	defaultRate = 24000
	maxRate     = 192000
)

// doneMark ends streams of this vendor's other interfaces; of this one it is not promised.
var doneMark = []byte("[DONE]")

// stream decodes the audio of one answer. Its buffer grows to the largest event and stays.
type stream struct {
	events *events
	// answer is the header of the answer, for ids.
	answer      http.Header
	hexadecimal bool
	// headless says that a WAV header is still to be given out.
	headless bool
	out      []byte
	// heard says that there was audio, ended that the last event was read.
	heard, ended bool
}

// Usage implements provider.SpeechStream. The vendor tells none.
func (*stream) Usage() provider.Usage { return provider.Usage{} }

// Next implements provider.SpeechStream.
func (s *stream) Next() ([]byte, error) {
	for !s.ended {
		data, err := s.events.next()
		if errors.Is(err, io.EOF) {
			return nil, s.badResponse("truncated", "The answer ended before the speech did.")
		}
		if err != nil {
			return nil, err
		}
		if piece, err := s.read(data); err != nil || len(piece) > 0 {
			return piece, err
		}
	}
	if !s.heard {
		return nil, s.fault(provider.ClassServerError, "no_audio", "The answer has no audio.")
	}
	return nil, io.EOF
}

// badResponse is the error of an answer that cannot be understood.
func (s *stream) badResponse(code, message string) error {
	return s.fault(provider.ClassBadResponse, code, message)
}

// fault is an error that the vendor did not report.
func (s *stream) fault(class provider.Class, code, message string) error {
	return &provider.Error{Class: class, Status: http.StatusOK, Code: code, Message: message, RequestID: headerID(s.answer)}
}

// read returns the audio of an event, which has none if it only ends the answer.
func (s *stream) read(data []byte) ([]byte, error) {
	if bytes.HasPrefix(data, doneMark) {
		s.ended = true
		return nil, nil
	}
	var c chunk
	if !c.parse(data) {
		return nil, cmp.Or(s.events.broken(), s.badResponse("not_json", "An event of the answer is not a JSON object."))
	}
	if c.failed {
		return nil, failure(http.StatusOK, s.answer, data)
	}
	// These ends are known from the vendor's chats.
	switch string(c.finish) {
	case `"sensitive"`:
		return nil, s.fault(provider.ClassModeration, "sensitive", "The vendor refuses the content.")
	case `"network_error"`:
		return nil, s.fault(provider.ClassServerError, "network_error", "The vendor's inference failed.")
	}
	s.ended = !isNull(c.finish) && string(c.finish) != `""`
	return s.decode(&c)
}

// decode turns the text of a chunk into audio, with the WAV header before the first of it.
func (s *stream) decode(c *chunk) ([]byte, error) {
	if isNull(c.audio) {
		return nil, nil
	}
	digits, ok := content(c.audio)
	if !ok {
		return nil, s.badResponse("bad_audio", "The audio is not a string.")
	}
	if len(digits) == 0 {
		return nil, nil
	}
	out := s.out[:0]
	if s.headless {
		out = appendWAVHeader(out, c.sampleRate())
	}
	var err error
	if before := len(out); s.hexadecimal {
		out, err = hex.AppendDecode(out, digits)
	} else if out, err = base64.StdEncoding.AppendDecode(out, digits); err == nil && len(out) == before {
		return nil, nil // line ends alone
	}
	if err != nil {
		return nil, s.badResponse("bad_audio", "The audio is not encoded as it was asked for.")
	}
	s.out, s.headless, s.heard = out, false, true
	return out, nil
}

// chunk is what matters of one event, as JSON that shares the event's memory.
type chunk struct {
	audio, finish, rate []byte
	// failed says that the event reports a failure.
	failed bool
}

// parse reads an event; false if it is no JSON object. An error may lack its wrapping: a code without choices is one, too.
func (c *chunk) parse(raw []byte) bool {
	var wrapped, bare, chosen bool
	ok := members(raw, func(name, value []byte) {
		switch string(name) {
		case "choices":
			chosen = members(first(value), c.inChoice)
		case "error":
			wrapped = !isNull(value)
		case "code":
			bare = !isNull(value)
		}
	})
	c.failed = wrapped || bare && !chosen
	return ok
}

func (c *chunk) inChoice(name, value []byte) {
	switch string(name) {
	case "delta":
		members(value, c.inDelta)
	case "finish_reason":
		c.finish = value
	}
}

func (c *chunk) inDelta(name, value []byte) {
	switch string(name) {
	case "content":
		c.audio = value
	case "return_sample_rate":
		c.rate = value
	}
}

// sampleRate is the rate that the chunk tells, in Hz, or the usual one.
func (c *chunk) sampleRate() int {
	rate, err := strconv.Atoi(string(c.rate))
	if err != nil || rate <= 0 || rate > maxRate {
		return defaultRate
	}
	return rate
}
