package mureka

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/provider"
)

func TestPoll(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		up   *provider.Upstream
		task provider.Task
		want string
	}{
		"a song": {upstream("m"), provider.Task{ID: "43/1", State: "song"}, "https://api.mureka.cn/v1/song/query/43%2F1"},
		"an instrumental": {
			upstream("m"), provider.Task{ID: "43", State: "instrumental"}, "https://api.mureka.cn/v1/instrumental/query/43",
		},
		"a song at Skywork": {
			skywork("m"), provider.Task{ID: "43&x", State: "song"},
			"https://api.skyworkmodel.ai/api/v1/music?action=song_query&task_id=43%26x",
		},
		"instrumental at Skywork": {
			skywork("m"), provider.Task{ID: "43", State: "instrumental"},
			"https://api.skyworkmodel.ai/api/v1/music?action=instrumental_query&task_id=43",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			step, err := Adapter().Music.Poll(t.Context(), tc.up, tc.task, tuesday)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := call(t, step.Request), "GET "+tc.want; got != want || step.Paid {
				t.Errorf("call = %s, paid %v; want %s, free", got, step.Paid, want)
			}
			if step.Request.Header.Get("Authorization") != "Bearer "+key {
				t.Error("the key is missing")
			}
		})
	}
}

func TestCancelIsNotThere(t *testing.T) {
	t.Parallel()
	step, err := Adapter().Music.Cancel(t.Context(), upstream("m"), provider.Task{ID: "43", State: "song"}, tuesday)
	if step != nil || err != nil {
		t.Errorf("Cancel() = %v, %v; want neither", step, err)
	}
}

// poll reads what both doors tell of a task: the same members, in an envelope or not.
func poll(t *testing.T, members string) map[string]provider.TaskState {
	t.Helper()
	states := map[string]provider.TaskState{}
	for name, body := range map[string]string{
		"platform":  `{"id":"43","created_at":1735689000,"trace_id":"t",` + members + `}`,
		"resp_data": `{"code":0,"message":"success","resp_data":{"task_id":"43",` + members + `}}`,
		"data":      `{"code":0,"message":"success","data":{"id":"43",` + members + `}}`,
	} {
		got, next, err := readState(answer(http.StatusOK, body))
		if err != nil || next != nil {
			t.Fatalf("%s: next = %v, error = %v", name, next, err)
		}
		states[name] = got
	}
	return states
}

// finished is the time that the records tell.
var finished = time.Date(2025, time.January, 1, 0, 0, 0, 0, time.UTC)

func TestReadState(t *testing.T) {
	t.Parallel()
	state := func(s provider.TaskStatus) provider.TaskState { return provider.TaskState{Status: s, Progress: -1} }
	halfway := provider.TaskState{Status: provider.TaskInProgress, Progress: 50}
	done := func(songs int64, files ...provider.TaskFile) provider.TaskState {
		return provider.TaskState{
			Status: provider.TaskCompleted, Progress: -1, FinishedAt: finished, Files: files, Usage: provider.Usage{Known: true, Songs: songs},
		}
	}
	failed := func(class provider.Class, code, message string) provider.TaskState {
		return provider.TaskState{
			Status: provider.TaskFailed, Progress: -1, FinishedAt: finished,
			Failure: &provider.Error{Class: class, Status: 200, Code: code, Message: message},
		}
	}
	file := func(name, contentType, variant string) provider.TaskFile {
		return provider.TaskFile{URL: "https://f.example.com/" + name, ContentType: contentType, Variant: variant, Seconds: 95.5}
	}
	mp3, flac, wav := file("1.mp3", "audio/mpeg", ""), file("1.flac", "audio/flac", "flac"), file("1.wav", "audio/wav", "wav")
	lost := failed(provider.ClassBadResponse, "no_songs", "The task has succeeded without a song.")
	const end = `,"finished_at":1735689600`
	tests := map[string]struct {
		members string
		want    provider.TaskState
	}{
		"preparing":              {`"status":"preparing"`, state(provider.TaskQueued)},
		"queued":                 {`"status":"Queued","finished_at":0,"choices":null`, state(provider.TaskQueued)},
		"running":                {`"status":"running","choices":[]`, state(provider.TaskInProgress)},
		"running, half of it":    {`"status":"running","progress":50`, halfway},
		"running, more than all": {`"status":"running","progress":101`, state(provider.TaskInProgress)},
		"running, in words":      {`"status":"running","progress":"50"`, state(provider.TaskInProgress)},
		"streaming": {
			`"status":"streaming","choices":[{"index":0,"stream_url":"https://f.example.com/s"}]`, state(provider.TaskInProgress),
		},
		"a word that nobody knows": {`"status":"pondering"`, state(provider.TaskInProgress)},
		"cancelled":                {`"status":"cancelled"`, state(provider.TaskCancelled)},
		"canceled":                 {`"status":"canceled"`, state(provider.TaskCancelled)},
		"a song in all its forms": {
			`"status":"succeeded","choices":[{"index":0,"url":"https://f.example.com/1.mp3",` +
				`"flac_url":"https://f.example.com/1.flac","wav_url":"https://f.example.com/1.wav","duration":95500,"lyrics_sections":[]}]` + end,
			done(1, mp3, flac, wav),
		},
		"two songs": {
			`"status":"succeeded","choices":[{"url":"https://f.example.com/1.mp3","flac_url":"https://f.example.com/1.flac",` +
				`"duration":95500},{"url":"https://f.example.com/1.mp3","duration":95500}]` + end,
			done(2, mp3, flac, mp3),
		},
		"one of two songs is missing": {
			`"status":"succeeded","choices":[{"index":0},{"url":"https://f.example.com/1.mp3","duration":95500}]` + end, done(1, mp3),
		},
		"a song without an mp3": {
			`"status":"succeeded","choices":[{"url":"","flac_url":"https://f.example.com/1.mp3","duration":95500}]` + end,
			done(1, provider.TaskFile{URL: mp3.URL, ContentType: "audio/flac", Seconds: 95.5}),
		},
		"a length that cannot be": {
			`"status":"succeeded","choices":[{"url":"https://f.example.com/1.mp3","duration":1e300}]` + end,
			done(1, provider.TaskFile{URL: mp3.URL, ContentType: "audio/mpeg"}),
		},
		"a success without songs":   {`"status":"succeeded","choices":[]` + end, lost},
		"a success without choices": {`"status":"succeeded"` + end, lost},
		"choices that are no list":  {`"status":"succeeded","choices":{"url":"https://f.example.com/1.mp3"}` + end, lost},
		"a song that is not for us": {`"status":"succeeded","choices":[{"url":"asset://x"}]` + end, lost},
		"a reason": {
			`"status":"failed","failed_reason":"it broke"` + end, failed(provider.ClassServerError, "failed", "it broke"),
		},
		"content that was refused": {
			`"status":"failed","failed_reason":"the generated content is not allowed"` + end,
			failed(provider.ClassModeration, "failed", "the generated content is not allowed"),
		},
		"no reason": {`"status":"failed"` + end, failed(provider.ClassServerError, "failed", "")},
		"too late":  {`"status":"timeouted"` + end, failed(provider.ClassTimeout, "timeouted", "")},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for door, got := range poll(t, tc.members) {
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", door, diff)
				}
			}
		})
	}
}

func TestUnknownTask(t *testing.T) {
	t.Parallel()
	want := provider.TaskState{Gone: true, Progress: -1}
	for _, status := range []int{http.StatusBadRequest, http.StatusNotFound} {
		for door, r := range forms(status, "no such thing") {
			got, _, err := readState(r)
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("%d, %s: error %v, state (-want +got):\n%s", status, door, err, diff)
			}
		}
	}
	got, _, err := readState(answer(200, `{"code":10009,"message":"The task does not exist"}`))
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("a code that nobody knows: error %v, state (-want +got):\n%s", err, diff)
	}
	for name, tc := range map[string]struct {
		status int
		body   string
		class  provider.Class
	}{
		"a page":                               {404, `<html>404</html>`, provider.ClassBadResponse},
		"somebody else's word":                 {404, `{"detail":"Not Found"}`, provider.ClassBadResponse},
		"an error without a word":              {400, `{"error":{"message":""}}`, provider.ClassInvalidRequest},
		"a success with a failure's status":    {400, `{"code":0,"message":"success","data":{"status":"running"}}`, provider.ClassInvalidRequest},
		"a task with a failure's status":       {404, `{"id":"43","status":"running"}`, provider.ClassBadResponse},
		"a code that nobody knows":             {200, `{"code":10009,"message":"it broke"}`, provider.ClassServerError},
		"a key that nobody knows":              {401, `{"error":{"message":"The task does not exist"}}`, provider.ClassUnauthorized},
		"no status":                            {200, `{"id":"43"}`, provider.ClassBadResponse},
		"a status that is none":                {200, `{"status":7}`, provider.ClassBadResponse},
		"an envelope with nothing in it":       {200, `{"code":0,"message":"success","resp_data":null}`, provider.ClassBadResponse},
		"an envelope with something else":      {200, `{"code":0,"data":[]}`, provider.ClassBadResponse},
		"a failure's word inside of a success": {200, `{"error":{"message":"The task does not exist"}}`, provider.ClassServerError},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			state, _, err := readState(answer(tc.status, tc.body))
			if e := errorOf(t, err); e.Class != tc.class || state.Gone {
				t.Errorf("class = %s, gone = %v; want %s", e.Class, state.Gone, tc.class)
			}
		})
	}
}

func TestTimeThatCannotBe(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"0", "-5", "9e18", `"x"`, "null"} {
		for door, got := range poll(t, `"status":"failed","finished_at":`+at) {
			if !got.FinishedAt.IsZero() {
				t.Errorf("%s, %s: FinishedAt = %s, want none", door, at, got.FinishedAt)
			}
		}
	}
}
