package providertest

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

// speechTrials are what the suite proves of speech.
func speechTrials(r *rig, cases SpeechCases) []trial {
	s := &speech{rig: r, adapter: r.m.Adapter.Speech, cases: cases}
	all := []trial{
		r.fixture(studio.Speech),
		{"modality", func(tb testing.TB) { tb.Helper(); r.checkModality(tb, provider.ModalitySpeech) }},
		{"requests", s.requests},
		{"speeds", s.speeds},
		{"long text", s.longText},
		{"unknown voice", s.unknownVoice},
		{"broken inside", s.brokenInside},
		{"streaming", s.streaming},
		{"answers", s.answers},
		r.wrongKey(func(tb testing.TB, r *rig) outcome {
			tb.Helper()
			return (&speech{rig: r, adapter: s.adapter, cases: cases}).try(tb, "")
		}),
	}
	for _, format := range formats() {
		all = append(all, trial{"format/" + format, func(tb testing.TB) { tb.Helper(); s.format(tb, format) }})
	}
	for _, name := range sorted(cases.Accepted) {
		all = append(all, trial{"accepted/" + name, func(tb testing.TB) { tb.Helper(); s.succeed(tb, s.request(cases.Accepted[name], "")) }})
	}
	for _, name := range sorted(cases.Refused) {
		c := cases.Refused[name]
		all = append(all, trial{"refused/" + name, func(tb testing.TB) {
			tb.Helper()
			r.checkRefused(tb, name, c.Param, c.Allowed, s.build(s.request(c.Request, "")))
		}})
	}
	return r.trials(slices.Concat(all, r.failures(s.try))...)
}

// succeed checks that a request is spoken, once, and returns what came back.
func (s *speech) succeed(tb testing.TB, in *provider.SpeechRequest) spoken {
	tb.Helper()
	books := s.books()
	got := s.utter(tb, in)
	if got.err != nil {
		e, _ := errors.AsType[*provider.Error](got.err)
		tb.Fatalf("%s of %d bytes: %v (%+v)", in.Format, len(in.Input), got.err, e)
	}
	want := s.cases.Audio(in)
	if !bytes.Equal(got.audio, want) {
		tb.Errorf("%s: %d bytes of audio, want the %d that the vendor made, once", in.Format, len(got.audio), len(want))
	}
	if problem := sounds(in.Format, got.audio); problem != nil {
		tb.Errorf("%s: %v", in.Format, problem)
	}
	billed := s.billed(tb, books, studio.Speech)
	if billed == 0 {
		tb.Errorf("%s: the vendor bills nothing", in.Format)
	}
	s.checkUsage(tb, got.usage, got.usage.Characters, billed)
	return got
}

// format checks that a format is spoken, or refused with those that are.
func (s *speech) format(tb testing.TB, format string) {
	tb.Helper()
	ask := s.cases.Request
	ask.Format = format
	in := s.request(ask, "")
	if !slices.Contains(s.cases.Formats, format) {
		s.checkRefused(tb, format, "response_format", s.cases.Formats, s.build(in))
		return
	}
	s.succeed(tb, in)
}

// requests checks how calls are made.
func (s *speech) requests(tb testing.TB) {
	tb.Helper()
	in := s.request(s.cases.Request, "")
	s.checkBuild(tb, in, s.build(in))
	echoed := s.echoed(tb, s.build(in))
	other := &speech{adapter: s.adapter, cases: s.cases, rig: s.under(func(up *provider.Upstream) { up.Parameters = echoed })}
	other.succeed(tb, in)
}

// speeds checks the slowest and the fastest speech, and those beyond.
func (s *speech) speeds(tb testing.TB) {
	tb.Helper()
	slowest, fastest := s.cases.MinSpeed, s.cases.MaxSpeed
	limits := []string{strconv.FormatFloat(slowest, 'g', -1, 64), strconv.FormatFloat(fastest, 'g', -1, 64)}
	ask := s.cases.Request
	for _, ask.Speed = range []float64{slowest, fastest, 0.25, slowest - 0.01, fastest + 0.01, 4} {
		in := s.request(ask, "")
		switch {
		case ask.Speed < 0.25 || ask.Speed > 4:
		case ask.Speed < slowest || ask.Speed > fastest:
			s.checkRefused(tb, "speed "+strconv.FormatFloat(ask.Speed, 'g', -1, 64), "speed", limits, s.build(in))
		default:
			s.succeed(tb, in)
		}
	}
}

// longText checks the longest text that the vendor takes, and longer ones.
func (s *speech) longText(tb testing.TB) {
	tb.Helper()
	ask := s.cases.Request
	say := func(text string) *provider.SpeechRequest { ask.Input = text; return s.request(ask, "") }
	refuse := func(text string, limit int) {
		tb.Helper()
		s.checkRefused(tb, strconv.Itoa(len(text))+" bytes of text", "input", []string{strconv.Itoa(limit)}, s.build(say(text)))
	}
	const wide = "灯"
	if limit := s.cases.MaxRunes; limit > 0 {
		if s.cases.MaxBytes == 0 {
			s.succeed(tb, say(strings.Repeat(wide, limit)))
		}
		refuse(strings.Repeat("a", limit+1), limit)
	}
	if limit := s.cases.MaxBytes; limit > 0 {
		s.succeed(tb, say(strings.Repeat("a", limit)))
		refuse(strings.Repeat("a", limit+1), limit)
		refuse(strings.Repeat(wide, limit/len(wide)+1), limit)
	}
}

// unknownVoice checks a voice that the vendor has not.
func (s *speech) unknownVoice(tb testing.TB) {
	tb.Helper()
	if s.lacks(WithoutUnknownVoice) {
		return
	}
	ask := s.cases.Request
	if ask.Voice = s.cases.UnknownVoice; ask.Voice == "" {
		tb.Fatalf("SpeechCases lacks UnknownVoice: name %q in Without if the vendor takes any", WithoutUnknownVoice)
	}
	got := s.utter(tb, s.request(ask, ""))
	s.classed(tb, "an unknown voice", got.err, -1, provider.ClassInvalidRequest)
	if e, ok := errors.AsType[*provider.Error](got.err); ok && e.Param != "voice" {
		tb.Errorf("an unknown voice: Param = %q, want voice", e.Param)
	}
}

// brokenInside checks answers that begin as a success and are none.
func (s *speech) brokenInside(tb testing.TB) {
	tb.Helper()
	for _, mode := range special(studio.Speech) {
		if s.lacks(string(mode)) {
			continue
		}
		got := s.played(tb, mode, func() outcome { return s.try(tb, mode) })
		if _, lawful := errors.AsType[*provider.Error](got.err); got.err != nil && !lawful && mode != studio.NoAudio {
			continue // the body's own error
		}
		s.classed(tb, string(mode), got.err, got.status, s.expected(mode)...)
	}
}

// errCut is a connection that breaks.
var errCut = errors.New("the connection broke")

// answers checks that an answer is understood however it comes, and that what is no answer is not taken for one.
func (s *speech) answers(tb testing.TB) {
	tb.Helper()
	ask := s.cases.Request
	for _, ask.Format = range s.cases.Formats {
		in := s.request(ask, "")
		got := s.succeed(tb, in)
		for name, way := range map[string]func(io.Reader) io.Reader{
			"byte by byte": iotest.OneByteReader, "in halves": iotest.HalfReader, "with the end at the last bytes": iotest.DataErrReader,
		} {
			if again := s.hear(in, got.answer, way); again.err != nil || !bytes.Equal(again.audio, got.audio) || again.usage != got.usage {
				tb.Errorf("%s, read %s: %d bytes of audio, %+v, %v, want as at once", ask.Format, name, len(again.audio), again.usage, again.err)
			}
		}
		half := int64(len(got.answer.Body) / 2)
		cut := s.hear(in, got.answer, func(body io.Reader) io.Reader {
			return io.MultiReader(io.LimitReader(body, half), iotest.ErrReader(errCut))
		})
		if e, lawful := errors.AsType[*provider.Error](cut.err); !errors.Is(cut.err, errCut) && (!lawful || e == nil) {
			tb.Errorf("%s: a connection that breaks half way gives %v, want its error or one of ours", ask.Format, cut.err)
		}
		s.attack(tb, s.target(in, got))
	}
}

// streaming checks that audio comes before the answer has ended, in one format at least, if the vendor sends it so.
func (s *speech) streaming(tb testing.TB) {
	tb.Helper()
	streamed := false
	ask := s.cases.Request
	for _, ask.Format = range s.cases.Formats {
		in := s.request(ask, "")
		got := s.utter(tb, in)
		if got.err != nil {
			tb.Fatalf("%s: %v", ask.Format, got.err)
		}
		body := bytes.NewReader(got.answer.Body)
		slowly := iotest.OneByteReader(body)
		if _, err := s.adapter.Decode(s.up, in, got.answer.Header, slowly).Next(); err != nil {
			tb.Fatalf("%s: %v", ask.Format, err)
		}
		streamed = streamed || body.Len() > len(got.answer.Body)/4
	}
	if streamed == s.lacks(WithoutStreaming) {
		tb.Errorf("the first piece of audio comes well before the end of the answer: %v, which differs from Without %q", streamed, s.m.Without)
	}
}
