package providertest

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// spoken is what became of a request for speech.
type spoken struct {
	audio []byte
	usage provider.Usage
	err   error
	// answer is what came back, as far as it was read.
	answer *provider.Response
}

// Speak sends a request for speech and reads all of the audio. Errors are those of NewRequest, Error and Next; a connection that
// fails is one of class network.
func Speak(
	tb testing.TB, client *http.Client, adapter provider.Speech, up *provider.Upstream, in *provider.SpeechRequest,
) ([]byte, provider.Usage, error) {
	tb.Helper()
	req, err := adapter.NewRequest(tb.Context(), up, in)
	if err != nil {
		return nil, provider.Usage{}, err
	}
	s := (&courier{tb: tb, client: client}).speak(adapter, up, in, req)
	return s.audio, s.usage, s.err
}

// speak sends a request and listens.
func (c *courier) speak(adapter provider.Speech, up *provider.Upstream, in *provider.SpeechRequest, req *http.Request) spoken {
	c.tb.Helper()
	resp, err := c.open(req, true)
	if err != nil {
		return spoken{err: err}
	}
	defer resp.Body.Close()
	answer := &provider.Response{Status: resp.StatusCode, Header: resp.Header}
	if resp.StatusCode/100 != 2 {
		answer.Body, _ = io.ReadAll(io.LimitReader(resp.Body, 64<<10)) // Error takes what there is
		s := spoken{answer: answer}
		if e := adapter.Error(resp.StatusCode, resp.Header, bytes.Clone(answer.Body)); e != nil {
			s.err = e
		}
		return s
	}
	var seen bytes.Buffer
	s := listen(adapter.Decode(up, in, resp.Header, io.TeeReader(resp.Body, &seen)))
	_, _ = io.Copy(io.Discard, resp.Body) // the simulator has booked the call once its answer has ended
	answer.Body = seen.Bytes()
	s.answer = answer
	return s
}

// errEmptyPiece and errEndless are what a stream must not do.
var (
	errEmptyPiece = errors.New("the stream gave an empty piece")
	errEndless    = errors.New("the stream does not end")
)

// listen reads a stream to its end.
func listen(stream provider.SpeechStream) spoken {
	var s spoken
	for range maxPieces {
		piece, err := stream.Next()
		if err != nil {
			s.usage = stream.Usage()
			if _, failure := errors.AsType[*provider.Error](err); failure || !errors.Is(err, io.EOF) {
				s.err = err
			}
			return s
		}
		if len(piece) == 0 {
			s.err = errEmptyPiece
			return s
		}
		s.audio = append(s.audio, piece...)
	}
	s.err = errEndless
	return s
}
