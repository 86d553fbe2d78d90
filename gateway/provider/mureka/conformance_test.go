package mureka_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/provider/mureka"
	"vipcloud.ai/vipcloud/gateway/provider/providertest"
	simulator "vipcloud.ai/vipcloud/test/sim/mureka"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

// lyrics are what the suite sings.
const lyrics = "La"

// reading is a door of the vendor's, and a way to read its documents.
type reading struct {
	protocol string
	unknown  int
	flat     bool
	o1       simulator.O1
}

// readings are all that matter, by a sentence.
func readings() map[string]reading {
	return map[string]reading{
		"the platform": {protocol: "Platform", unknown: http.StatusNotFound},
		"the platform, where an unknown task is 400 and the model another": {
			protocol: "Platform", unknown: http.StatusBadRequest, o1: simulator.O1Aliased,
		},
		"Skywork": {protocol: "Skywork", unknown: http.StatusNotFound},
		"Skywork, where errors are inside successes and an unknown task is 400": {
			protocol: "Skywork", unknown: http.StatusBadRequest, flat: true,
		},
	}
}

// media is the adapter in front of a simulator.
func (r reading) media(model string) (*simulator.Simulator, providertest.Media) {
	clock := providertest.NewClock()
	vendor := simulator.New(studio.Options{Now: clock.Now})
	vendor.LimitConcurrency(100) // the suite leaves tasks behind
	vendor.AnswerUnknownTasks(r.unknown)
	vendor.FlattenErrors(r.flat)
	vendor.TreatO1(r.o1)
	return vendor, providertest.Media{
		Adapter: mureka.Adapter(), Handler: vendor, Studio: vendor.Studio, Clock: clock,
		Upstream: provider.Upstream{
			Model: model, Protocol: r.protocol, Secrets: map[string]provider.Secret{"api-key": provider.NewSecret(vendor.Key() + "\n")},
		},
		Without: []string{providertest.WithoutCancel},
		Failures: map[studio.Mode]provider.Class{
			studio.Unauthorized: provider.ClassUnauthorized, studio.NoBalance: provider.ClassNoBalance,
			studio.RateLimit: provider.ClassRateLimited, studio.Concurrency: provider.ClassRateLimited,
			studio.Overload: provider.ClassOverloaded, studio.ServerError: provider.ClassServerError,
			studio.Moderation: provider.ClassModeration, studio.NotOpen: provider.ClassModelNotFound,
			studio.ModerationOutput: provider.ClassModeration, studio.TaskFailed: provider.ClassServerError,
			studio.HTML: provider.ClassTimeout, // its status is 504
		},
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	type request = provider.MusicRequest
	for name, r := range readings() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, m := r.media("mureka-o1")
			providertest.RunMusic(t, m, providertest.MusicCases{
				Request: request{Lyrics: lyrics},
				Accepted: map[string]providertest.Acceptance[request]{
					"three songs": {Request: request{Lyrics: lyrics, N: 3}, Billing: &provider.Billing{Songs: 3}},
					"a length": {
						Request: request{Lyrics: lyrics, Duration: 90}, Billing: &provider.Billing{Songs: 1}, Warnings: []string{"duration"},
					},
				},
				Refused: map[string]providertest.Refusal[request]{
					"an album":                {Request: request{Lyrics: lyrics, N: 4}, Param: "n", Allowed: []string{"1 to 3"}},
					"an instrumental of o1":   {Request: request{Instrumental: true}, Param: "instrumental"},
					"more lyrics than o1 can": {Request: request{Lyrics: string(make([]byte, 3001))}, Param: "lyrics", Allowed: []string{"3000"}},
				},
			})
		})
	}
}

func TestInstrumentalConformance(t *testing.T) {
	t.Parallel()
	_, m := reading{protocol: "Platform", unknown: http.StatusNotFound}.media("mureka-9.5")
	providertest.RunMusic(t, m, providertest.MusicCases{Request: provider.MusicRequest{Instrumental: true}})
}

// stage is a simulator that serves, for songs that have no lyrics yet.
type stage struct {
	vendor *simulator.Simulator
	media  providertest.Media
	up     *provider.Upstream
}

func newStage(t *testing.T, r reading) *stage {
	t.Helper()
	s := &stage{}
	s.vendor, s.media = r.media("mureka-o1")
	server := httptest.NewServer(s.vendor)
	t.Cleanup(server.Close)
	up := s.media.Upstream
	up.Endpoint = server.URL
	s.up = &up
	return s
}

// submit asks for two songs without lyrics.
func (s *stage) submit(t *testing.T) (*provider.Submission, provider.Task, error) {
	t.Helper()
	return s.ask(t, &provider.MusicRequest{Prompt: "A song about the sea", N: 2})
}

// ask asks for something.
func (s *stage) ask(t *testing.T, in *provider.MusicRequest) (*provider.Submission, provider.Task, error) {
	t.Helper()
	in.Now, in.ID = s.vendor.Now(), "00000000-0000-4000-8000-000000000001"
	submission, err := s.media.Adapter.Music.SubmitMusic(t.Context(), s.up, in)
	if err != nil {
		t.Fatal(err)
	}
	task, err := providertest.Do(t, providertest.Client(), submission.Step)
	return submission, task, err
}

// bill is what the vendor has billed, by kind.
func (s *stage) bill() map[studio.Kind]int64 {
	bill := map[studio.Kind]int64{}
	for _, c := range s.vendor.Charges() {
		bill[c.Kind] += c.Units
	}
	return bill
}

func TestSongWithoutLyrics(t *testing.T) {
	t.Parallel()
	for name, r := range readings() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, r)
			submission, task, err := s.submit(t)
			if err != nil {
				t.Fatal(err)
			}
			state, err := providertest.Await(t, providertest.Client(), s.media.Adapter.Music, s.up, task, s.media.Clock)
			if err != nil || state.Status != provider.TaskCompleted || state.Usage.Songs != 2 || submission.Billing.Songs != 2 {
				t.Errorf("state = %+v, error %v, billing %+v; want two songs", state, err, submission.Billing)
			}
			if diff := cmp.Diff(map[studio.Kind]int64{studio.Music: 2, simulator.Lyrics: 1}, s.bill()); diff != "" {
				t.Errorf("bill (-want +got):\n%s", diff)
			}
		})
	}
}

// TestInstrumentalAtSkywork asks the other door, with the call of its own that such a task has.
func TestInstrumentalAtSkywork(t *testing.T) {
	t.Parallel()
	s := newStage(t, reading{protocol: "Skywork", unknown: http.StatusNotFound})
	s.up.Model = "mureka-7.5"
	_, task, err := s.ask(t, &provider.MusicRequest{Prompt: "A waltz", N: 1, Instrumental: true})
	if err != nil {
		t.Fatal(err)
	}
	state, err := providertest.Await(t, providertest.Client(), s.media.Adapter.Music, s.up, task, s.media.Clock)
	if err != nil || state.Status != provider.TaskCompleted || state.Usage.Songs != 1 {
		t.Errorf("state = %+v, error %v; want one piece of music", state, err)
	}
	task.State = "song"
	state, err = providertest.Await(t, providertest.Client(), s.media.Adapter.Music, s.up, task, s.media.Clock)
	if err != nil || !state.Gone {
		t.Errorf("asked about as a song: %+v, error %v; want it gone", state, err)
	}
}

// TestSongWhoseLyricsFail makes either of the two calls fail: the song is made once or not at all, and nothing is called again.
func TestSongWhoseLyricsFail(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		before int // calls that succeed
		mode   studio.Mode
		class  provider.Class
		lyrics int64 // that were billed
	}{
		"no lyrics, for want of money":      {0, studio.NoBalance, provider.ClassNoBalance, 0},
		"lyrics that are refused":           {0, studio.Moderation, provider.ClassModeration, 0},
		"lyrics that nobody hears of":       {0, studio.Lost, provider.ClassNetwork, 1},
		"lyrics that break off":             {0, studio.Truncated, provider.ClassNetwork, 1},
		"lyrics without a word":             {0, studio.NoAudio, provider.ClassBadResponse, 1},
		"a song that is refused":            {1, studio.RateLimit, provider.ClassRateLimited, 1},
		"a song that there is no money for": {1, studio.NoBalance, provider.ClassNoBalance, 1},
		"a song that is not understood":     {1, studio.Malformed, provider.ClassBadResponse, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, reading{protocol: "Platform", unknown: http.StatusNotFound})
			s.vendor.FailNext(tc.before, "")
			s.vendor.FailNext(1, tc.mode)
			_, task, err := s.submit(t)
			e, ok := errors.AsType[*provider.Error](err)
			if !ok || e.Class != tc.class || task != (provider.Task{}) {
				t.Errorf("task = %+v, error = %v; want none, class %s", task, err, tc.class)
			}
			if n := len(s.vendor.Ledger()); n != tc.before+1 {
				t.Errorf("%d calls, want %d", n, tc.before+1)
			}
			if got := s.bill(); got[simulator.Lyrics] != tc.lyrics || got[studio.Music] != 0 || s.vendor.Unfinished() != 0 {
				t.Errorf("bill = %v, %d tasks; want %d texts and no song", got, s.vendor.Unfinished(), tc.lyrics)
			}
		})
	}
}

// TestModelThatIsGone is about what may have become of the model on the platform: another target may still have it.
func TestModelThatIsGone(t *testing.T) {
	t.Parallel()
	s := newStage(t, reading{protocol: "Platform", unknown: http.StatusNotFound, o1: simulator.O1Refused})
	_, _, err := s.submit(t)
	if e, ok := errors.AsType[*provider.Error](err); !ok || e.Class != provider.ClassModelNotFound {
		t.Errorf("error = %v, want one of class model_not_found", err)
	}
}

// TestTooManyTasks is about the smallest customers, who may run one task at a time.
func TestTooManyTasks(t *testing.T) {
	t.Parallel()
	s := newStage(t, reading{protocol: "Skywork", unknown: http.StatusNotFound})
	s.vendor.LimitConcurrency(1)
	if _, _, err := s.submit(t); err != nil {
		t.Fatal(err)
	}
	_, _, err := s.submit(t)
	if e, ok := errors.AsType[*provider.Error](err); !ok || e.Class != provider.ClassRateLimited {
		t.Errorf("error = %v, want one of class rate_limited", err)
	}
}

// TestTaskThatEndsOtherwise is about ends that only this vendor has.
func TestTaskThatEndsOtherwise(t *testing.T) {
	t.Parallel()
	for mode, want := range map[studio.Mode]provider.TaskStatus{
		simulator.TimedOut: provider.TaskFailed, simulator.Withdrawn: provider.TaskCancelled,
	} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			s := newStage(t, reading{protocol: "Platform", unknown: http.StatusNotFound})
			s.vendor.FailNext(1, "")
			s.vendor.FailNext(1, mode)
			_, task, err := s.submit(t)
			if err != nil {
				t.Fatal(err)
			}
			state, err := providertest.Await(t, providertest.Client(), s.media.Adapter.Music, s.up, task, s.media.Clock)
			if err != nil || state.Status != want {
				t.Errorf("state = %+v, error %v; want %s", state, err, want)
			}
		})
	}
}
