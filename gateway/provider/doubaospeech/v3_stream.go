package doubaospeech

import (
	"cmp"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strconv"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// Codes of V3 that are no failures.
const (
	codeV3 = "0"
	endV3  = "20000000"
)

// maxUsage bounds what is believed of a count of characters.
const maxUsage = 1 << 40

// stream decodes the audio of an answer of V3. Its buffer grows to the largest event and stays.
type stream struct {
	events *events
	// answer is the header of the answer, for ids.
	answer http.Header
	// head is a WAV header that is still to be given out.
	head []byte
	out  []byte

	usage provider.Usage
	// heard says that there was audio, ended that the last event was read.
	heard, ended bool
}

// Usage implements provider.SpeechStream.
func (s *stream) Usage() provider.Usage { return s.usage }

// Next implements provider.SpeechStream.
func (s *stream) Next() ([]byte, error) {
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
		return nil, noAudio(s.answer)
	}
	return nil, io.EOF
}

// cutShort is the error of an answer that ended without its last event. One without a single byte is what voices that the vendor does
// not know were seen to get.
func (s *stream) cutShort() error {
	if s.events.empty() {
		return noAudio(s.answer)
	}
	return badResponse(s.answer, "truncated", "The answer ended before the speech did.")
}

// read returns the audio of an event, which has none if it tells of times or ends the answer. The code decides what it is; the
// numbers of events are, in the vendor's words, for reference.
func (s *stream) read(data []byte) ([]byte, error) {
	var e value
	if !e.parse(data) {
		return nil, cmp.Or(s.events.broken(), badResponse(s.answer, "not_json", "An event of the answer is not a JSON object."))
	}
	switch string(e.code) {
	case codeV3:
	case endV3:
		s.ended = true
		s.count(e.words)
	case "":
		return nil, badResponse(s.answer, "no_code", "An event of the answer has no code.")
	default:
		return nil, failure(http.StatusOK, s.answer, data)
	}
	return s.decode(e.data)
}

// count notes how many characters are billed.
func (s *stream) count(words []byte) {
	if len(words) == 0 {
		return
	}
	if n, err := strconv.ParseInt(string(words), 10, 64); err == nil && n >= 0 && n <= maxUsage {
		s.usage = provider.Usage{Known: true, Characters: n}
	}
}

// decode turns base64 into audio, with the WAV header before the first of it.
func (s *stream) decode(data []byte) ([]byte, error) {
	digits, err := audioText(s.answer, data)
	if err != nil || len(digits) == 0 {
		return nil, err
	}
	s.out = append(s.out[:0], s.head...)
	before := len(s.out)
	if s.out, err = base64.StdEncoding.AppendDecode(s.out, digits); err != nil {
		return nil, badResponse(s.answer, "bad_audio", "The audio is not base64.")
	}
	if len(s.out) == before {
		return nil, nil // line ends alone
	}
	s.head, s.heard = nil, true
	return s.out, nil
}

// audioText returns what is in a string of audio; nil if there is none.
func audioText(answer http.Header, data []byte) ([]byte, error) {
	if isNull(data) {
		return nil, nil
	}
	digits, ok := content(data)
	if !ok {
		return nil, badResponse(answer, "bad_audio", "The audio is not a string.")
	}
	return digits, nil
}

// value is what matters of one of the JSON values of an answer, as JSON that shares its memory.
type value struct{ code, data, words, sequence []byte }

// parse reads a value; false if it is no JSON object. Failures were seen with and without a header around their members.
func (e *value) parse(raw []byte) bool {
	return members(raw, func(name, value []byte) {
		switch string(name) {
		case "code":
			e.code = value
		case "header":
			members(value, e.inHeader)
		case "data":
			e.data = value
		case "sequence":
			e.sequence = value
		case "usage":
			members(value, e.inUsage)
		}
	})
}

func (e *value) inHeader(name, value []byte) {
	if string(name) == "code" {
		e.code = value
	}
}

func (e *value) inUsage(name, value []byte) {
	if string(name) == "text_words" {
		e.words = value
	}
}
