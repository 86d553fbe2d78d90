package mureka

import (
	"encoding/json"
	"net/http"
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// seeds adds answers of every kind, each with a status.
func seeds(f *testing.F) {
	f.Helper()
	for _, s := range []string{
		`{"id":"43000000000001","created_at":1,"model":"mureka-o1","status":"preparing","trace_id":"t"}`,
		`{"code":0,"message":"success","resp_data":{"task_id":43,"status":"running","progress":50}}`,
		`{"code":0,"data":{"status":"succeeded","finished_at":1,"choices":[{"url":"https://e.com/s","duration":95500}]}}`,
		`{"status":"succeeded","choices":[{"url":"https://e.com/s","flac_url":"https://e.com/f","wav_url":"https://e.com/w"}]}`,
		`{"status":"failed","failed_reason":"not allowed","finished_at":1}`, `{"status":"timeouted"}`, `{"status":"cancelled"}`,
		`{"title":"Sea","lyrics":"[Verse]\nwaves"}`, `{"code":0,"data":{"lyrics":"la"}}`,
		`{"error":{"message":"You exceeded your current quota"},"trace_id":"t"}`, `{"code":404,"message":"no"}`, `{"code":10007}`,
		`{}`, `<html>`, ``, "\xff\x00", `{"data":[{"url":"https://`,
	} {
		for _, status := range []int{200, 400, 404, 429, 500} {
			f.Add(status, []byte(s))
		}
	}
}

// response is one with a fuzzed status and body.
func response(status int, body []byte) *provider.Response {
	return &provider.Response{Status: status, Header: http.Header{}, Body: body}
}

// FuzzReadTask reads the answers to both calls of a song that has no lyrics yet.
func FuzzReadTask(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		step := submit(t, skywork("mureka-o1"), provider.MusicRequest{Prompt: "the sea"}).Step
		task, next, err := step.Read(response(status, body))
		switch {
		case err != nil:
			fit(t, errorOf(t, err))
		case next == nil || !next.Paid || task != (provider.Task{}):
			t.Fatalf("lyrics are followed by %+v, %v", task, next)
		case blank(sung(t, next)):
			t.Error("there are no lyrics to sing")
		}
		_, step, err = step.Read(answer(200, `{"lyrics":"la"}`))
		if err != nil {
			t.Fatal(err)
		}
		task, next, err = step.Read(response(status, body))
		if err != nil {
			fit(t, errorOf(t, err))
			return
		}
		if !identity.MatchString(task.ID) || task.State != kindSong || next != nil || !success(status) {
			t.Errorf("task = %+v, next %v, status %d", task, next, status)
		}
	})
}

// sung is the lyrics that a call sends.
func sung(t *testing.T, step *taskStep) string {
	t.Helper()
	body, err := step.Request.GetBody()
	if err != nil {
		t.Fatal(err)
	}
	var o struct{ Lyrics string }
	if err := json.NewDecoder(body).Decode(&o); err != nil {
		t.Fatal(err)
	}
	return o.Lyrics
}

func FuzzReadState(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		s, next, err := readState(response(status, body))
		if err != nil {
			fit(t, errorOf(t, err))
			return
		}
		settled(t, s, next)
	})
}

// settled checks what holds for all states.
func settled(t *testing.T, s provider.TaskState, next *stateStep) {
	t.Helper()
	if next != nil || (s.Status == "") != s.Gone || s.Progress < -1 || s.Progress > 100 {
		t.Errorf("state = %+v, next %v", s, next)
	}
	if (len(s.Files) > 0) != (s.Status == provider.TaskCompleted) || (s.Failure != nil) != (s.Status == provider.TaskFailed) {
		t.Errorf("state = %+v", s)
	}
	songs := int64(0)
	for i, file := range s.Files {
		if file.URL == "" || file.Seconds < 0 || file.Seconds > maxFileSeconds || i == 0 && file.Variant != "" {
			t.Errorf("file %d = %+v", i, file)
		}
		if file.Variant == "" {
			songs++
		}
	}
	if s.Usage != (provider.Usage{Known: songs > 0, Songs: songs}) {
		t.Errorf("usage = %+v, with %d songs", s.Usage, songs)
	}
	if s.Failure != nil {
		fit(t, s.Failure)
	}
	if _, err := s.FinishedAt.MarshalJSON(); err != nil {
		t.Error(err)
	}
}
