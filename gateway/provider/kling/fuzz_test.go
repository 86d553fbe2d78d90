package kling

import (
	"net/http"
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// seeds adds answers of every kind, each with a status.
func seeds(f *testing.F) {
	f.Helper()
	for _, s := range []string{
		`{"code":0,"message":"SUCCEED","request_id":"r","data":{"id":"87","status":"submitted","create_time":1}}`,
		`{"code":0,"data":{"task_id":87,"task_status":"submitted","task_info":{"external_task_id":"x"}}}`,
		`{"code":0,"data":[{"id":"87","status":"processing"}]}`, `{"code":0,"data":[]}`,
		`{"code":0,"data":[{"id":87,"status":"succeeded","update_time":1,"outputs":[{"url":"https://e.com/v","duration":"5.04"}]}]}`,
		`{"code":0,"data":[{"id":"87","status":"failed","message":"risk control"}]}`,
		`{"code":0,"data":{"task_status":"succeed","task_result":{"videos":[{"url":"https://e.com/v","watermark_url":"https://e.com/w"}]}}}`,
		`{"code":0,"data":{"task_status":"failed","task_status_msg":"no"}}`,
		`{"code":1203,"message":"no","request_id":"r"}`, `{"code":1102}`, `{"code":"x"}`,
		`{}`, `<html>`, ``, "\xff\x00", `{"data":[{"url":"https://`,
	} {
		for _, status := range []int{200, 404, 429, 500} {
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
		for _, kind := range []string{"", kindImage} {
			task, next, err := taskReader(kind)(response(status, body))
			if err != nil {
				fit(t, errorOf(t, err))
				continue
			}
			if !identity.MatchString(task.ID) || task.State != kind || next != nil || !success(status) {
				t.Errorf("task = %+v, next %v, status %d", task, next, status)
			}
		}
	})
}

func FuzzReadState(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		for _, read := range []reader{currentReader("87"), readLegacy} {
			s, next, err := read(response(status, body))
			if err != nil {
				fit(t, errorOf(t, err))
				continue
			}
			settled(t, s, next)
		}
	})
}

// settled checks what holds for all states.
func settled(t *testing.T, s provider.TaskState, next *provider.Step[provider.TaskState]) {
	t.Helper()
	if next != nil || (s.Status == "") != s.Gone || s.Usage != (provider.Usage{}) {
		t.Errorf("state = %+v, next %v", s, next)
	}
	if (len(s.Files) > 0) != (s.Status == provider.TaskCompleted) || (s.Failure != nil) != (s.Status == provider.TaskFailed) {
		t.Errorf("state = %+v", s)
	}
	for i, file := range s.Files {
		if file.URL == "" || file.Seconds < 0 || file.Seconds > maxFileSeconds || i == 0 && file.Variant != "" {
			t.Errorf("file %d = %+v", i, file)
		}
	}
	if s.Failure != nil {
		fit(t, s.Failure)
	}
	if _, err := s.FinishedAt.MarshalJSON(); err != nil {
		t.Error(err)
	}
}
