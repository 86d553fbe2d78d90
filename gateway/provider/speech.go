package provider

import (
	"context"
	"io"
	"net/http"
	"time"
)

// Formats of speech, as OpenAI names them.
const (
	FormatMP3  = "mp3"
	FormatOpus = "opus"
	FormatAAC  = "aac"
	FormatFLAC = "flac"
	FormatWAV  = "wav"
	FormatPCM  = "pcm"
)

// SpeechRequest is a client's request for speech. Zero values are parameters that were not given.
type SpeechRequest struct {
	// Input is the text.
	Input string
	// Voice is the vendor's own id.
	Voice string
	// Format is one of the formats; never empty.
	Format string
	// Speed is 0.25 to 4; 1 if the client gave none.
	Speed float64
	// Instructions say how to speak.
	Instructions string
	// Now is the time of the call, for signatures.
	Now time.Time
	// ID is unique for each attempt, for vendors that want such a value.
	ID string
}

// Speech is implemented by adapters that serve speech. It is safe for concurrent use.
type Speech interface {
	// NewRequest builds the upstream call. It performs no I/O. An error is an *Error: of class ClassInvalidRequest if this vendor
	// cannot take what the client sent, with the values that it takes (formats, speeds, the longest text).
	NewRequest(ctx context.Context, up *Upstream, in *SpeechRequest) (*http.Request, error)
	// Decode returns a reader of the audio in a 2xx answer. Body is the answer as it comes; reading from the result reads from it,
	// and holds no more than a few events in memory.
	Decode(up *Upstream, in *SpeechRequest, header http.Header, body io.Reader) SpeechStream
	// Error classifies a response that is not 2xx. Body is at most 64 KiB of it.
	Error(status int, header http.Header, body []byte) *Error
}

// SpeechStream is the audio of one answer. It is used by one goroutine.
type SpeechStream interface {
	// Next returns the next piece of audio in the format that was asked for, never empty, valid until the next call; io.EOF after
	// the last one. Other errors are of type *Error, or the body's own: failures inside the answer (a voice that the vendor does
	// not know has Param "voice"), an answer that ends too early or that has no audio at all.
	Next() ([]byte, error)
	// Usage is what the vendor has counted so far: Characters.
	Usage() Usage
}
