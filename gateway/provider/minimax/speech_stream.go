package minimax

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strconv"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// maxUsage bounds what is believed of a count of characters.
const maxUsage = 1 << 40

// doneMark is what may follow the last event. The vendor does not promise it.
var doneMark = []byte("[DONE]")

// speechStream decodes the audio of one answer. Its buffer grows to the largest event and stays.
type speechStream struct {
	events *events
	// answer is the header of the answer, for ids.
	answer http.Header
	// head is a WAV header that is still to be given out.
	head []byte
	out  []byte

	usage provider.Usage
	// heard says that there was audio, silent that there was a success without any, ended that the last event was read.
	heard, silent, ended bool
}

// Usage implements provider.SpeechStream.
func (s *speechStream) Usage() provider.Usage { return s.usage }

// Next implements provider.SpeechStream.
func (s *speechStream) Next() ([]byte, error) {
	for !s.ended {
		data, err := s.events.next()
		if errors.Is(err, io.EOF) {
			return nil, s.cutShort()
		}
		if err != nil {
			return nil, err
		}
		if piece, err := s.read(data); err != nil || len(piece) > 0 {
			return piece, err
		}
	}
	if !s.heard {
		return nil, s.noAudio()
	}
	return nil, io.EOF
}

// cutShort is the error of an answer that ended without its last event.
func (s *speechStream) cutShort() error {
	if s.silent && !s.heard {
		return s.noAudio()
	}
	return s.badResponse("truncated", "The answer ended before the speech did.")
}

// noAudio is the error of a success without audio, which is how bursts of requests beyond the limit were seen to be answered.
func (s *speechStream) noAudio() error {
	return &provider.Error{
		Class: provider.ClassOverloaded, Status: http.StatusOK, Code: "no_audio", Message: "The answer has no audio.", RequestID: s.trace(),
	}
}

// badResponse is the error of an answer that cannot be understood.
func (s *speechStream) badResponse(code, message string) error {
	e := provider.BadResponse(http.StatusOK, code, message)
	e.RequestID = s.trace()
	return e
}

// trace is the vendor's id of the answer.
func (s *speechStream) trace() string { return word(s.answer.Get("Trace-Id")) }

// read returns the audio of an event, which has none if it only ends the answer.
func (s *speechStream) read(data []byte) ([]byte, error) {
	if bytes.HasPrefix(data, doneMark) {
		return nil, nil
	}
	var e speechEvent
	if !e.parse(data) {
		return nil, cmp.Or(s.events.broken(), s.badResponse("not_json", "An event of the answer is not a JSON object."))
	}
	if e.failed {
		return nil, failure(http.StatusOK, s.answer, data, "input")
	}
	s.count(e.characters)
	s.silent = s.silent || e.succeeded && isNull(e.data)
	if s.events.document && !e.succeeded && isNull(e.audio) {
		return nil, s.badResponse("no_base_resp", "The answer is neither a speech nor a failure.")
	}
	if s.ended = s.events.document || string(e.status) == "2"; s.ended && s.heard {
		return nil, nil // it repeats all of the audio
	}
	return s.decode(e.audio)
}

// count notes how many characters are billed, which the last event tells.
func (s *speechStream) count(value []byte) {
	if len(value) == 0 {
		return
	}
	if n, err := strconv.ParseInt(string(value), 10, 64); err == nil && n >= 0 && n <= maxUsage {
		s.usage = provider.Usage{Known: true, Characters: n}
	}
}

// decode turns hexadecimal digits into audio, with the WAV header before the first of it.
func (s *speechStream) decode(value []byte) ([]byte, error) {
	if isNull(value) {
		return nil, nil
	}
	digits, ok := content(value)
	if !ok {
		return nil, s.badResponse("bad_audio", "The audio is not a string.")
	}
	if len(digits) == 0 {
		return nil, nil
	}
	out, err := hex.AppendDecode(append(s.out[:0], s.head...), digits)
	if err != nil {
		return nil, s.badResponse("bad_audio", "The audio is not hexadecimal.")
	}
	s.out, s.head, s.heard = out, nil, true
	return out, nil
}

// speechEvent is what matters of one event, as JSON that shares the event's memory.
type speechEvent struct {
	data, audio, status, characters []byte
	// failed and succeeded are what base_resp says; both are false if there is none.
	failed, succeeded bool
}

// parse reads an event; false if it is no JSON object.
func (e *speechEvent) parse(raw []byte) bool {
	return members(raw, func(name, value []byte) {
		switch string(name) {
		case "data":
			e.data = value
			members(value, e.inData)
		case "extra_info":
			members(value, e.inExtra)
		case "base_resp":
			members(value, e.inBaseResp)
		case "error":
			e.failed = e.failed || !isNull(value)
		}
	})
}

func (e *speechEvent) inData(name, value []byte) {
	switch string(name) {
	case "audio":
		e.audio = value
	case "status":
		e.status = value
	}
}

func (e *speechEvent) inExtra(name, value []byte) {
	if string(name) == "usage_characters" {
		e.characters = value
	}
}

func (e *speechEvent) inBaseResp(name, value []byte) {
	if string(name) != "status_code" || isNull(value) {
		return
	}
	e.succeeded = string(value) == "0" || string(value) == `"0"`
	e.failed = e.failed || !e.succeeded
}
