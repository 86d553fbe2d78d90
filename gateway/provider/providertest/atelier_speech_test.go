package providertest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// Limits of the fictional vendor's speech.
const (
	maxSpoken          = 200
	slowest, fastest   = 0.5, 2
	wavRate, wavHeader = 8000, 44
)

// atelierSpeech speaks.
type atelierSpeech struct{ atelierAdapter }

func (a *atelierSpeech) NewRequest(ctx context.Context, up *provider.Upstream, in *provider.SpeechRequest) (*http.Request, error) {
	format, speed, text := in.Format, in.Speed, in.Input
	switch {
	case a.raw && format != provider.FormatMP3:
		return nil, provider.Invalid("response_format", "The format is mp3.")
	case format == provider.FormatWAV:
		format = provider.FormatPCM
	case format == provider.FormatAAC && a.has("mislabels"):
		format = provider.FormatMP3
	case format != provider.FormatMP3 && format != provider.FormatPCM:
		return nil, provider.Invalid("response_format", "The formats are mp3, wav and pcm.")
	}
	if speed < slowest || speed > fastest {
		if !a.has("clamps the speed") {
			return nil, provider.Invalid("speed", "The speed is from %g to %g.", slowest, float64(fastest))
		}
		speed = min(max(speed, slowest), fastest)
	}
	if utf8.RuneCountInString(text) > maxSpoken {
		if !a.has("cuts the text") {
			return nil, provider.Invalid("input", "The text has at most %d characters.", maxSpoken)
		}
		text = text[:maxSpoken]
	}
	body := provider.Body{"prompt": text, "voice": in.Voice, "format": format, "speed": speed}
	provider.Set(body, "raw", a.raw)
	return a.request(ctx, http.MethodPost, "/voice", up, body)
}

func (a *atelierSpeech) Error(status int, _ http.Header, body []byte) *provider.Error {
	err := a.read(&provider.Response{Status: status, Body: body}, &struct{}{})
	if e, ok := errors.AsType[*provider.Error](err); ok && !a.has("no error") {
		return e
	}
	return nil
}

func (a *atelierSpeech) Decode(_ *provider.Upstream, in *provider.SpeechRequest, header http.Header, body io.Reader) provider.SpeechStream {
	if strings.HasPrefix(header.Get("Content-Type"), "audio/") {
		return &atelierSound{body: body}
	}
	s := &atelierStream{atelierAdapter: a.atelierAdapter, body: bufio.NewReader(body)}
	switch {
	case a.has("buffers"), in.Format == provider.FormatWAV:
		s.whole = true
		s.header = in.Format == provider.FormatWAV
	case a.has("an event for each read"):
		s.lines = body
	}
	return s
}

// atelierSound is audio as it comes.
type atelierSound struct {
	body   io.Reader
	heard  bool
	buffer [512]byte
}

func (*atelierSound) Usage() provider.Usage { return provider.Usage{} }

func (s *atelierSound) Next() ([]byte, error) {
	n, err := s.body.Read(s.buffer[:])
	switch {
	case n > 0:
		s.heard = true
		return s.buffer[:n], nil
	case errors.Is(err, io.EOF) && !s.heard:
		return nil, provider.BadResponse(http.StatusOK, "", "no audio")
	}
	return nil, err
}

// atelierStream is the audio of an answer.
type atelierStream struct {
	atelierAdapter
	body          *bufio.Reader
	lines         io.Reader
	whole, header bool
	heard, ended  bool
	usage         provider.Usage
}

func (s *atelierStream) Usage() provider.Usage { return s.usage }

func (s *atelierStream) Next() ([]byte, error) {
	if !s.whole {
		return s.piece()
	}
	var all []byte
	for {
		piece, err := s.piece()
		if errors.Is(err, io.EOF) && len(all) > 0 {
			break
		}
		if err != nil {
			return nil, err
		}
		all = append(all, piece...)
	}
	if s.header {
		head := append([]byte("RIFF"), binary.LittleEndian.AppendUint32(nil, uint32(wavHeader-8+len(all)))...)
		head = append(head, "WAVEfmt "...)
		head = append(head, make([]byte, wavHeader-len(head))...)
		all = append(head, all...)
	}
	return all, nil
}

// atelierLine is one event of the vendor's.
type atelierLine struct {
	Audio   []byte        `json:"audio"`
	End     bool          `json:"end"`
	Counted *int64        `json:"counted"`
	Error   *atelierError `json:"error"`
}

// piece reads the next event with audio.
func (s *atelierStream) piece() ([]byte, error) {
	for !s.ended {
		line, err := s.next()
		if errors.Is(err, io.EOF) {
			if s.has("truncation is the end") && s.heard {
				return nil, io.EOF
			}
			return nil, provider.BadResponse(http.StatusOK, "", "it ended too early")
		}
		if err != nil {
			return nil, err
		}
		piece, err := s.understand(line)
		if err != nil || len(piece) > 0 || s.ended && s.has("empty pieces") {
			return piece, err
		}
	}
	if !s.heard && !s.has("silence is fine") {
		return nil, provider.BadResponse(http.StatusOK, "", "no audio")
	}
	return nil, io.EOF
}

// next reads a line.
func (s *atelierStream) next() ([]byte, error) {
	if s.lines != nil {
		buffer := make([]byte, 1<<20)
		n, err := s.lines.Read(buffer)
		if n > 0 {
			return buffer[:n], nil
		}
		return nil, err
	}
	line, err := s.body.ReadBytes('\n')
	if errors.Is(err, io.EOF) && len(bytes.TrimSpace(line)) > 0 {
		return line, nil
	}
	return line, err
}

// understand reads an event.
func (s *atelierStream) understand(line []byte) ([]byte, error) {
	if s.has("slices without a look") {
		_ = line[len(`{"audio":`):]
	}
	var got atelierLine
	if err := json.Unmarshal(line, &got); err != nil {
		return nil, provider.BadResponse(http.StatusOK, "", "not JSON")
	}
	if got.Error != nil {
		return nil, s.error(http.StatusOK, got.Error)
	}
	if got.End {
		s.ended = true
		if got.Counted != nil {
			s.usage = provider.Usage{Known: true, Characters: *got.Counted}
		}
		if s.heard && !s.has("repeats everything") {
			return nil, nil
		}
	}
	s.heard = s.heard || len(got.Audio) > 0
	return got.Audio, nil
}
