package vidu

import (
	"net/http"
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// seeds adds answers of every kind, each with a status.
func seeds(f *testing.F) {
	f.Helper()
	for _, s := range []string{
		`{"task_id":"890000000000000001","state":"created","seed":7,"credits":50,"created_at":"2026-11-24T08:00:00.000000Z"}`,
		`{"task_id":89}`, `{"state":"queueing","err_code":"","creations":[]}`,
		`{"state":"success","err_code":"","creations":[{"url":"https://e.com/v","watermarked_url":"https://e.com/w"}]}`,
		`{"state":"failed","err_code":"CreationPolicyViolation"}`, `{"state":"failed","err_code":"UserCancelled"}`,
		`{"code":404,"reason":"TaskNotFound","message":"no","metadata":{"trace_id":"t"}}`, `{"code":400,"reason":"BadRequest"}`,
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

func FuzzReadTask(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		task, next, err := readTask(response(status, body))
		if err != nil {
			fit(t, errorOf(t, err))
			return
		}
		if !identity.MatchString(task.ID) || task.State != "" || next != nil || !success(status) {
			t.Errorf("task = %+v, next %v, status %d", task, next, status)
		}
	})
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

func FuzzCancel(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		step, err := Adapter().Video.Cancel(t.Context(), upstream("m"), task(), tuesday)
		if err != nil {
			t.Fatal(err)
		}
		s, next, err := step.Read(response(status, body))
		if next != nil {
			s, next, err = next.Read(response(status, body))
		}
		if err != nil {
			fit(t, errorOf(t, err))
			return
		}
		settled(t, s, next)
	})
}

// settled checks what holds for all states.
func settled(t *testing.T, s provider.TaskState, next *provider.Step[provider.TaskState]) {
	t.Helper()
	if next != nil || (s.Status == "") != s.Gone || s.Usage != (provider.Usage{}) || !s.FinishedAt.IsZero() {
		t.Errorf("state = %+v, next %v", s, next)
	}
	if (len(s.Files) > 0) != (s.Status == provider.TaskCompleted) || (s.Failure != nil) != (s.Status == provider.TaskFailed) {
		t.Errorf("state = %+v", s)
	}
	for i, file := range s.Files {
		if file.URL == "" || i == 0 && file.Variant != "" {
			t.Errorf("file %d = %+v", i, file)
		}
	}
	if s.Failure != nil {
		fit(t, s.Failure)
	}
}
