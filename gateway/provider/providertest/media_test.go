package providertest

import (
	"context"
	"encoding/binary"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

// atelierMedia is the fictional vendor, as the test of its adapter would describe it.
func atelierMedia(a atelierAdapter, clock *Clock) Media {
	opts := studio.Options{}
	if clock != nil {
		opts.Now = clock.Now
	}
	s := studio.New(opts)
	return Media{
		Adapter: atelierVendor(a), Handler: atelier(s), Studio: s, Clock: clock,
		Upstream: provider.Upstream{Model: "brush-2", Secrets: map[string]provider.Secret{
			"app": provider.NewSecret(atelierApp), "key-id": provider.NewSecret(atelierKey), "secret-key": provider.NewSecret(atelierSecret),
		}},
		Signing: []string{"secret-key"}, Identifiers: []string{"app"},
		Failures: map[studio.Mode]provider.Class{
			studio.Unauthorized: provider.ClassUnauthorized, studio.NoBalance: provider.ClassNoBalance, studio.RateLimit: provider.ClassRateLimited,
			studio.Concurrency: provider.ClassRateLimited, studio.Overload: provider.ClassOverloaded, studio.ServerError: provider.ClassServerError,
			studio.Moderation: provider.ClassModeration, studio.NotOpen: provider.ClassModelNotFound,
			studio.ModerationOutput: provider.ClassModeration, studio.PartialOutput: provider.ClassModeration,
			studio.TaskFailed: provider.ClassServerError, studio.MidStream: provider.ClassServerError,
			studio.Truncated: provider.ClassBadResponse, studio.NoAudio: provider.ClassBadResponse,
		},
	}
}

// atelierWAV is what clients get of the vendor's samples.
func atelierWAV(data []byte) []byte {
	head := append([]byte("RIFF"), binary.LittleEndian.AppendUint32(nil, uint32(36+len(data)))...)
	head = append(head, "WAVEfmt "...)
	return slices.Concat(head, make([]byte, 44-len(head)), data)
}

// The cases of the fictional vendor.
var (
	atelierPictures = ImageCases{
		Base64:   true,
		Accepted: map[string]provider.ImageRequest{"two small ones": {N: 2, Width: 512, Height: 512}},
		Refused: map[string]Refusal[provider.ImageRequest]{
			"too small": {Request: provider.ImageRequest{Width: 64, Height: 64}, Param: "size", Allowed: []string{"512x512", "1024x1024"}},
		},
	}
	atelierFilms = VideoCases{
		Accepted: map[string]Acceptance[provider.VideoRequest]{
			"ten seconds": {Request: provider.VideoRequest{Duration: 10}, Billing: &provider.Billing{Seconds: 10}},
		},
		Refused: map[string]Refusal[provider.VideoRequest]{
			"seven seconds": {Request: provider.VideoRequest{Duration: 7}, Param: "duration", Allowed: []string{"6", "10"}},
		},
	}
	atelierSongs = MusicCases{
		Accepted: map[string]Acceptance[provider.MusicRequest]{
			"two songs of a length": {
				Request: provider.MusicRequest{N: 2, Duration: 30}, Billing: &provider.Billing{Songs: 2}, Warnings: []string{"duration"},
			},
		},
	}
	atelierVoices = SpeechCases{
		Request: provider.SpeechRequest{Voice: "anna"}, Formats: []string{"mp3", "wav", "pcm"}, MinSpeed: slowest, MaxSpeed: fastest,
		MaxRunes: maxSpoken, UnknownVoice: "bertha",
		Audio: func(in *provider.SpeechRequest) []byte {
			if in.Format == provider.FormatWAV {
				return atelierWAV(speechSound("pcm"))
			}
			return speechSound(in.Format)
		},
	}
)

func TestSuite_passesAnAdapterThatIsRight(t *testing.T) {
	t.Parallel()
	t.Run("images", func(t *testing.T) {
		t.Parallel()
		RunImage(t, atelierMedia(atelierAdapter{}, NewClock()), atelierPictures)
	})
	t.Run("images by tasks", func(t *testing.T) {
		t.Parallel()
		m := atelierMedia(atelierAdapter{later: true}, NewClock())
		m.Without = []string{string(studio.PartialOutput)}
		delete(m.Failures, studio.PartialOutput)
		RunImage(t, m, atelierPictures)
	})
	t.Run("images one by one", func(t *testing.T) {
		t.Parallel()
		RunImage(t, atelierMedia(atelierAdapter{each: true}, NewClock()), atelierPictures)
	})
	t.Run("videos by two calls", func(t *testing.T) {
		t.Parallel()
		RunVideo(t, atelierMedia(atelierAdapter{shelves: true}, NewClock()), atelierFilms)
	})
	t.Run("speech as it is", func(t *testing.T) {
		t.Parallel()
		m := atelierMedia(atelierAdapter{raw: true}, NewClock())
		m.Without = []string{WithoutUsage, string(studio.Truncated), string(studio.MidStream)}
		delete(m.Failures, studio.Truncated)
		delete(m.Failures, studio.MidStream)
		cases := atelierVoices
		cases.Formats = []string{"mp3"}
		RunSpeech(t, m, cases)
	})
	t.Run("videos", func(t *testing.T) {
		t.Parallel()
		RunVideo(t, atelierMedia(atelierAdapter{}, NewClock()), atelierFilms)
	})
	t.Run("music", func(t *testing.T) {
		t.Parallel()
		RunMusic(t, atelierMedia(atelierAdapter{}, NewClock()), atelierSongs)
	})
	t.Run("speech", func(t *testing.T) {
		t.Parallel()
		RunSpeech(t, atelierMedia(atelierAdapter{}, NewClock()), atelierVoices)
	})
}

// recorder is a test that may fail without failing this one.
type recorder struct {
	testing.TB
	ctx    context.Context
	mu     sync.Mutex
	failed []string
}

func (r *recorder) Helper()                  {}
func (r *recorder) Context() context.Context { return r.ctx }
func (r *recorder) Error(args ...any)        { r.note(fmt.Sprint(args...)) }
func (r *recorder) Errorf(format string, args ...any) {
	r.note(fmt.Sprintf(format, args...))
}

func (r *recorder) Fatal(args ...any) {
	r.note(fmt.Sprint(args...))
	runtime.Goexit()
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.note(fmt.Sprintf(format, args...))
	runtime.Goexit()
}

// note keeps a failure.
func (r *recorder) note(message string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = append(r.failed, message)
}

// examine runs the trials whose names begin so, and returns what they complain of.
func examine(t *testing.T, all []trial, name string) []string {
	t.Helper()
	rec := &recorder{TB: t, ctx: t.Context()}
	found := false
	for _, tr := range all {
		if tr.name != name && !strings.HasPrefix(tr.name, name+"/") {
			continue
		}
		found = true
		done := make(chan struct{})
		go func() {
			defer close(done)
			tr.run(rec)
		}()
		<-done
	}
	if !found {
		t.Fatalf("there is no trial %q", name)
	}
	return rec.failed
}

func TestSuite_worksInRealTime(t *testing.T) {
	t.Parallel()
	all := videoTrials(newRig(t, atelierMedia(atelierAdapter{}, nil)), atelierFilms)
	for _, name := range []string{"ordinary", "task failed", "cancel/queued"} {
		if complaints := examine(t, all, name); len(complaints) > 0 {
			t.Errorf("%s: %q", name, complaints)
		}
	}
}
