package providertest

import (
	"context"
	"slices"
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

// RunImage checks an adapter's Image against the contract.
func RunImage(t *testing.T, m Media, cases ImageCases) {
	t.Helper()
	if m.Adapter.Image == nil {
		t.Fatal("the adapter serves no images")
	}
	run(t, imageTrials(newRig(t, m), cases))
}

// RunVideo checks an adapter's Video against the contract.
func RunVideo(t *testing.T, m Media, cases VideoCases) {
	t.Helper()
	if m.Adapter.Video == nil {
		t.Fatal("the adapter serves no videos")
	}
	run(t, videoTrials(newRig(t, m), cases))
}

// RunMusic checks an adapter's Music against the contract.
func RunMusic(t *testing.T, m Media, cases MusicCases) {
	t.Helper()
	if m.Adapter.Music == nil {
		t.Fatal("the adapter serves no music")
	}
	run(t, musicTrials(newRig(t, m), cases))
}

// RunSpeech checks an adapter's Speech against the contract.
func RunSpeech(t *testing.T, m Media, cases SpeechCases) {
	t.Helper()
	switch {
	case m.Adapter.Speech == nil:
		t.Fatal("the adapter serves no speech")
	case cases.Audio == nil || len(cases.Formats) == 0 || cases.MinSpeed > 1 || cases.MaxSpeed < 1:
		t.Fatal("SpeechCases lacks Audio, Formats, MinSpeed or MaxSpeed")
	}
	run(t, speechTrials(newRig(t, m), cases))
}

// run takes the trials one after the other.
func run(t *testing.T, all []trial) {
	t.Helper()
	for _, tr := range all {
		t.Run(tr.name, func(t *testing.T) { tr.run(t) })
	}
}

// videoTrials are what the suite proves of videos.
func videoTrials(r *rig, cases VideoCases) []trial {
	adapter := r.m.Adapter.Video
	request := func(in provider.VideoRequest) ask {
		return func(mode studio.Mode) (any, submit) {
			made := in
			if made.Prompt == "" {
				made.Prompt = "A lighthouse at dusk, filmed from a boat"
			}
			made.Prompt += directed(mode)
			if made.Now.IsZero() {
				made.Now = r.m.Studio.Now()
			}
			if made.ID == "" {
				made.ID = r.id()
			}
			return &made, func(ctx context.Context, up *provider.Upstream) (*provider.Submission, error) {
				return adapter.SubmitVideo(ctx, up, &made)
			}
		}
	}
	s := &jobs{
		rig: r, tasks: adapter, kind: studio.Video, media: "video/", ordinary: request(cases.Request),
		counted: func(u provider.Usage) int64 { return u.Seconds },
		priced:  func(b provider.Billing) int64 { return b.Seconds },
	}
	return taskTrials(s, provider.ModalityVideo, request, cases.Accepted, cases.Refused)
}

// musicTrials are what the suite proves of music.
func musicTrials(r *rig, cases MusicCases) []trial {
	adapter := r.m.Adapter.Music
	request := func(in provider.MusicRequest) ask {
		return func(mode studio.Mode) (any, submit) {
			made := in
			if made.Prompt == "" {
				made.Prompt = "A slow shanty with an accordion"
			}
			made.Prompt += directed(mode)
			made.N = max(made.N, 1)
			if made.Now.IsZero() {
				made.Now = r.m.Studio.Now()
			}
			if made.ID == "" {
				made.ID = r.id()
			}
			return &made, func(ctx context.Context, up *provider.Upstream) (*provider.Submission, error) {
				return adapter.SubmitMusic(ctx, up, &made)
			}
		}
	}
	s := &jobs{
		rig: r, tasks: adapter, kind: studio.Music, media: "audio/", ordinary: request(cases.Request),
		counted: func(u provider.Usage) int64 { return u.Songs },
		priced:  func(b provider.Billing) int64 { return b.Songs },
	}
	return taskTrials(s, provider.ModalityMusic, request, cases.Accepted, cases.Refused)
}

// taskTrials adds what is asked for in particular.
func taskTrials[T any](
	s *jobs, modality provider.Modality, request func(T) ask, accepted map[string]Acceptance[T], refused map[string]Refusal[T],
) []trial {
	var all []trial
	for _, name := range sorted(accepted) {
		c := accepted[name]
		all = append(all, trial{"accepted/" + name, func(tb testing.TB) {
			tb.Helper()
			_, submit := request(c.Request)("")
			s.succeed(tb, submit, c.Billing, c.Warnings)
		}})
	}
	for _, name := range sorted(refused) {
		c := refused[name]
		all = append(all, trial{"refused/" + name, func(tb testing.TB) {
			tb.Helper()
			_, submit := request(c.Request)("")
			s.checkRefused(tb, name, c.Param, c.Allowed, submit.build())
		}})
	}
	return s.rig.trials(slices.Concat(s.trials(modality), all)...)
}
