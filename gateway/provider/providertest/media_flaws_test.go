package providertest

import (
	"strings"
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

// flaw is a mistake of an adapter's, the trial that must find it, and a part of what it must complain of.
type flaw struct{ name, trial, complaint string }

// checkFlaws runs the trial of each flaw.
func checkFlaws(t *testing.T, trials func(t *testing.T, m Media) []trial, flaws []flaw) {
	t.Helper()
	for _, f := range flaws {
		t.Run(f.name+"/"+f.trial, func(t *testing.T) {
			t.Parallel()
			a := atelierAdapter{
				flaw: f.name, shelves: strings.HasPrefix(f.name, "the second call"),
				later: f.trial == "unknown task" || f.name == "paid polls",
			}
			complaints := examine(t, trials(t, atelierMedia(a, NewClock())), f.trial)
			if !strings.Contains(strings.Join(complaints, "\n"), f.complaint) {
				t.Errorf("the suite does not complain of %q, but of %q", f.complaint, complaints)
			}
			if len(complaints) == 0 {
				t.Error("the suite passes it")
			}
		})
	}
}

func TestSuite_findsFlawsOfImages(t *testing.T) {
	t.Parallel()
	trials := func(t *testing.T, m Media) []trial { t.Helper(); return imageTrials(newRig(t, m), atelierPictures) }
	checkFlaws(t, trials, []flaw{
		{"another context", "requests", "does not carry the caller's context"},
		{"key in the address", "requests", `the address holds the values of ["key-id"]`},
		{"key in the body", "requests", `the body holds the values of ["key-id"]`},
		{"the secret key travels", "requests", `header X-Atelier-Secret holds the values of ["secret-key"]`},
		{"no replay", "requests", "GetBody is nil"},
		{"replays something else", "requests", "the replayed body is another"},
		{"no header of the admin's", "requests", `header X-Conformance = []`},
		{"no user agent", "requests", `User-Agent = "atelier-go"`},
		{"changes the upstream", "requests", "changes what it is made of"},
		{"changes what the client sent", "requests", "changes what it is made of"},
		{"not pure", "requests", "two builds of one request differ"},
		{"no overrides", "requests", "override of prompt"},
		{"no drop", "requests", "drop of prompt"},
		{"the last word", "requests", "override of model"},
		{"another length", "requests", "ContentLength = "},
		{"another host", "requests", `(Host "atelier.example"), want the endpoint's host`},
		{"no modalities", "modality", "lacks Image"},
		{"blames another member", "refused", `Param = "width", want "size"`},
		{"spoils the bytes", "ordinary/n=1 base64=true size=0x0", "opening the image"},
		{"waits for what is gone", "unknown task", "or an error"},
		{"paid polls", "ordinary", "a poll is Paid"},
		{"blames the client", "failure/malformed", "of class invalid_request, want [bad_response server_error]"},
		{"blames the client", "answers", "another class than bad_response and server_error"},
		{"a nil error", "failure/malformed", "a nil *provider.Error"},
		{"goes on after an error", "answers", "a next step beside an error"},
		{"goes on with nothing", "answers", "lacks its request or its reader"},
		{"free images", "ordinary", "its step is not Paid"},
		{"nothing at a time", "ordinary", "0 at a time"},
		{"one image for three", "ordinary/n=3 base64=false size=0x0", "1 images, of which the vendor bills 1, want 3"},
		{"no count", "ordinary/n=1 base64=false size=0x0", "1 images, of which the vendor bills 4, want 1"},
		{"no bytes", "ordinary/n=1 base64=true size=0x0", "the image is there as bytes: false, want true"},
		{"another size", "ordinary", `the image's Size is "1024x1024", and it is 32x32`},
		{"miscounts", "ordinary", "Usage is 2"},
		{"drops what failed", "partial", "2 images and failures"},
		{"errors without a status", "failure/rate_limit", "Status is 0, want 429"},
		{"one class for all", "failure/no_balance", "of class server_error, want [no_balance]"},
		{"secret in the error", "failure/overload", `the error holds the values of ["key-id"]`},
		{"long messages", "failure/moderation", "want at most 1024"},
		{"plain errors", "failure/not_open", "no *provider.Error"},
		{"empty is fine", "failure/empty", "no error"},
		{"ignores the status", "answers", "is taken for a success"},
		{"panics where something is missing", "answers", "panic: interface conversion"},
		{"lenient with what is cut off", "answers", "cut off after"},
		{"empty is fine", "answers", "neither an image nor a task nor an error"},
		{"images of nothing", "answers", "has 0 of URL, Base64 and Failure"},
	})
}

func TestSuite_findsFlawsOfVideos(t *testing.T) {
	t.Parallel()
	trials := func(t *testing.T, m Media) []trial { t.Helper(); return videoTrials(newRig(t, m), atelierFilms) }
	checkFlaws(t, trials, []flaw{
		{"key in the address", "requests", `the address holds the values of ["key-id"]`},
		{"the secret key travels", "requests", `header X-Atelier-Secret holds the values of ["secret-key"]`},
		{"not pure", "requests", "two builds of one request differ"},
		{"panics where something is missing", "ordinary", "panic: interface conversion"},
		{"no drop", "requests", "drop of prompt"},
		{"paid polls", "requests", "a poll is Paid"},
		{"paid polls", "ordinary", "a poll is Paid"},
		{"free tasks", "ordinary", "not Paid"},
		{"secret in the task", "ordinary", `the task holds the values of ["secret-key"]`},
		{"tasks without an id", "answers", "neither a task nor an error"},
		{"impatient", "ordinary", "the status is failed (gone: false), and at the vendor's"},
		{"impatient", "slow task", "in the end the task is failed"},
		{"the vendor's own duration", "ordinary", "the vendor bills 5"},
		{"miscounts", "ordinary", "Usage is 7"},
		{"counts nothing", "ordinary", "Usage.Known is false"},
		{"another time zone", "ordinary", "the task finished at"},
		{"addresses without a signature", "ordinary", "fetching a result without a credential: status 404"},
		{"refuses without a reason", "refused", `the message does not tell ["6" "10"]`},
		{"errors without a status", "failure/rate_limit", "Status is 0, want 429"},
		{"one class for all", "failure/unauthorized", "of class server_error, want [unauthorized]"},
		{"one class for all", "wrong key", "of class server_error"},
		{"a failed poll is a failed task", "wrong key/poll", "want an error"},
		{"a failed task is an error", "task failed", "want a failed one with a Failure, and no error"},
		{"fails without a reason", "moderated output", "the task is failed, and has a Failure: false"},
		{"one class for all", "moderated output", "want [moderation]"},
		{"a failed poll is a failed task", "poll failures", `a poll that fails with "malformed" tells`},
		{"the second call is never wrong", "poll failures", `a poll that fails with "malformed" tells`},
		{"the second call has another context", "ordinary", "does not carry the caller's context"},
		{"gone is failed", "unknown task", "want it Gone"},
		{"cancel destroys", "cancel/finished", "its result is lost"},
		{"cancel destroys", "cancel/running", "its result is lost"},
		{"cancel does nothing", "cancel/queued", "want it cancelled"},
		{"cancel claims", "cancel/running", "a task that is in_progress is cancelled after it was cancelled"},
		{"cancel claims", "cancel/finished", "a task that is completed is cancelled after it was cancelled"},
		{"cancel complains", "cancel/running", "want the state that the task is in"},
		{"no cancel", "cancel/queued", "differs from Without"},
		{"ignores the status", "answers", "is taken for a success"},
		{"completed with nothing", "answers", "the task is completed with 0 files"},
		{"files of nothing", "answers", "lacks its address"},
		{"any progress", "answers", "the progress is"},
		{"lenient with what is cut off", "answers", "cut off after"},
	})
}

func TestSuite_findsFlawsOfMusic(t *testing.T) {
	t.Parallel()
	trials := func(t *testing.T, m Media) []trial { t.Helper(); return musicTrials(newRig(t, m), atelierSongs) }
	checkFlaws(t, trials, []flaw{
		{"half of the songs", "accepted", "there are 1 results, want 2"},
		{"silent about what it ignores", "accepted", `no warning tells "duration"`},
		{"not pure", "requests", "two builds of one request differ"},
	})
}

func TestSuite_findsFlawsOfSpeech(t *testing.T) {
	t.Parallel()
	trials := func(t *testing.T, m Media) []trial { t.Helper(); return speechTrials(newRig(t, m), atelierVoices) }
	checkFlaws(t, trials, []flaw{
		{"key in the address", "requests", `the address holds the values of ["key-id"]`},
		{"no replay", "requests", "GetBody is nil"},
		{"no overrides", "requests", "override of prompt"},
		{"repeats everything", "format/mp3", "bytes of audio, want the"},
		{"mislabels", "format/aac", "no error, want one of class [invalid_request]"},
		{"clamps the speed", "speeds", "no error, want one of class [invalid_request]"},
		{"cuts the text", "long text", "no error, want one of class [invalid_request]"},
		{"voice without a param", "unknown voice", `Param = "", want voice`},
		{"no error", "failure/server_error", "no error"},
		{"errors without a status", "failure/server_error", "Status is 0, want 500"},
		{"one class for all", "failure/no_balance", "want [no_balance]"},
		{"secret in the error", "failure/unauthorized", `the error holds the values of ["key-id"]`},
		{"truncation is the end", "broken inside", "truncated: no error"},
		{"truncation is the end", "answers", "pass for the whole"},
		{"silence is fine", "broken inside", "no_audio: no error"},
		{"empty pieces", "format/mp3", errEmptyPiece.Error()},
		{"an event for each read", "answers", "mp3"},
		{"slices without a look", "answers", "panic: runtime error: slice bounds out of range"},
		{"buffers", "streaming", "well before the end of the answer: false"},
	})
}

func TestSuite_wantsAFixtureThatSaysEverything(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		change    func(*Media)
		complaint string
	}{
		"a failure that nobody speaks of": {func(m *Media) { delete(m.Failures, studio.NotOpen) }, `failure "not_open"`},
		"a failure of both kinds":         {func(m *Media) { m.Without = []string{"overload"} }, `failure "overload"`},
		"a name that means nothing":       {func(m *Media) { m.Without = []string{"colour"} }, `"colour", which means nothing`},
		"a secret that may be anywhere": {
			func(m *Media) {
				m.Upstream.Secrets = map[string]provider.Secret{"key-id": provider.NewSecret("a")}
			}, "the value of key-id is shorter",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := atelierMedia(atelierAdapter{}, NewClock())
			tc.change(&m)
			complaints := strings.Join(examine(t, videoTrials(newRig(t, m), atelierFilms), "fixture"), "\n")
			if !strings.Contains(complaints, tc.complaint) {
				t.Errorf("complaints = %q, want %q", complaints, tc.complaint)
			}
		})
	}
}

func TestSuite_wantsWithoutToBeTrue(t *testing.T) {
	t.Parallel()
	cases := map[string]string{WithoutUsage: "ordinary", WithoutCancel: "cancel", WithoutPollFailures: "", WithoutUnknownTask: ""}
	for name, trial := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := atelierMedia(atelierAdapter{}, NewClock())
			m.Without = []string{name}
			all := videoTrials(newRig(t, m), atelierFilms)
			if trial != "" && len(examine(t, all, trial)) == 0 {
				t.Errorf("the vendor has %q, and the suite believes that it has not", name)
			}
			if complaints := examine(t, all, "fixture"); len(complaints) > 0 {
				t.Errorf("the fixture: %q", complaints)
			}
		})
	}
}

func TestSuite_wantsSimulatorsToPlayAlong(t *testing.T) {
	t.Parallel()
	m := atelierMedia(atelierAdapter{}, NewClock())
	s := m.Studio
	m.Handler = s.Handler(func(v *studio.Visit) { looked(v) })
	complaints := strings.Join(examine(t, videoTrials(newRig(t, m), atelierFilms), "failure/overload"), "\n")
	if !strings.Contains(complaints, `the simulator has not played "overload"`) {
		t.Errorf("complaints = %q", complaints)
	}
}
