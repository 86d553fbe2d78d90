package providertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

// spokenText is what is said where a case says nothing.
const spokenText = "The lamp is lit at dusk, and the keeper writes the hour into the book. 灯塔亮了。"

// speech is the suite for an adapter's Speech.
type speech struct {
	*rig
	adapter provider.Speech
	cases   SpeechCases
}

// request completes a request; mode is how it shall fail.
func (s *speech) request(in provider.SpeechRequest, mode studio.Mode) *provider.SpeechRequest {
	if in.Input == "" {
		in.Input = spokenText
	}
	in.Input += directed(mode)
	if in.Format == "" {
		in.Format = s.cases.Formats[0]
	}
	if in.Speed == 0 {
		in.Speed = 1
	}
	if in.Now.IsZero() {
		in.Now = s.m.Studio.Now()
	}
	if in.ID == "" {
		in.ID = s.id()
	}
	return &in
}

// build makes the request of a call.
func (s *speech) build(in *provider.SpeechRequest) build {
	return func(ctx context.Context, up *provider.Upstream) ([]*http.Request, error) {
		req, err := s.adapter.NewRequest(ctx, up, in)
		if req == nil {
			return nil, err
		}
		return []*http.Request{req}, err
	}
}

// utter has a request spoken over the network.
func (s *speech) utter(tb testing.TB, in *provider.SpeechRequest) spoken {
	tb.Helper()
	req, err := s.adapter.NewRequest(s.context(tb), s.up, in)
	if err != nil {
		return spoken{err: err}
	}
	return s.courier(tb).speak(s.adapter, s.up, in, req)
}

// hear reads an answer again, through a reader that gives it in its own way.
func (s *speech) hear(in *provider.SpeechRequest, answer *provider.Response, way func(io.Reader) io.Reader) spoken {
	body := way(bytes.NewReader(bytes.Clone(answer.Body)))
	return listen(s.adapter.Decode(s.up, in, answer.Header.Clone(), body))
}

// try says something that is to fail.
func (s *speech) try(tb testing.TB, mode studio.Mode) outcome {
	tb.Helper()
	books := s.books()
	in := s.request(s.cases.Request, mode)
	got := s.utter(tb, in)
	o := outcome{err: got.err, status: -1, billed: s.billed(tb, books, studio.Speech)}
	if got.answer != nil {
		o.status = got.answer.Status
		o.targets = []target{s.target(in, got)}
	}
	return o
}

// target is the adapter as a reader of an answer. What is cut off of it must not pass for the whole.
func (s *speech) target(in *provider.SpeechRequest, whole spoken) target {
	return target{name: "speech", answer: whole.answer, worded: !raw(whole), read: func(variant *provider.Response) reading {
		if variant.Status/100 != 2 {
			e := s.adapter.Error(variant.Status, variant.Header.Clone(), bytes.Clone(variant.Body))
			if e == nil {
				return reading{problem: errors.New("Error() returns none")}
			}
			return reading{err: e, problem: s.fault(e, variant.Status)}
		}
		got := s.hear(in, variant, func(body io.Reader) io.Reader { return body })
		switch {
		case errors.Is(got.err, errEmptyPiece) || errors.Is(got.err, errEndless):
			return reading{problem: got.err}
		case got.err != nil:
			return reading{err: got.err, problem: s.fault(got.err, variant.Status)}
		case len(got.audio) == 0:
			return reading{problem: errors.New("there is neither audio nor an error")}
		case len(variant.Body) < len(whole.answer.Body) && bytes.HasPrefix(whole.answer.Body, variant.Body) && short(whole, got.audio):
			return reading{problem: fmt.Errorf("%d bytes of audio of %d pass for the whole", len(got.audio), len(whole.audio))}
		}
		return reading{}
	}}
}

// raw says that a vendor sends audio as it is: such an answer has no form, and shows no end.
func raw(whole spoken) bool {
	return len(whole.audio) > 0 && bytes.Contains(whole.answer.Body, whole.audio)
}

// short says that audio lacks something of the whole, where that can be told.
func short(whole spoken, audio []byte) bool {
	return whole.err == nil && !raw(whole) && !bytes.Equal(audio, whole.audio)
}

// formats are all that clients can ask for.
func formats() []string {
	return []string{
		provider.FormatMP3, provider.FormatOpus, provider.FormatAAC, provider.FormatFLAC, provider.FormatWAV, provider.FormatPCM,
	}
}
