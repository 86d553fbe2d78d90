package tokenhub

import (
	"net/http"
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// seeds adds answers of every kind, each with a status.
func seeds(f *testing.F) {
	f.Helper()
	for _, s := range []string{
		`{"id":"251-1","request_id":"r1","object":"image_job","created_at":1774806585,"status":"queued"}`,
		`{"status":"pending"}`, `{"status":"in_progress","progress":50}`,
		`{"status":"completed","completed_at":1774806639,"data":[{"url":"https://e.com/a","revised_prompt":"x"}],"usage":{"credits":0.2}}`,
		`{"status":"completed","progress":100,"data":{"url":"https://e.com/v"}}`, `{"status":"completed","data":[]}`,
		`{"status":"completed","data":[{"url":""},{"url":"https://e.com/b"}]}`,
		`{"status":"failed","error":{"code":"451001","message":"no"}}`, `{"status":"failed"}`,
		`{"error":{"code":"404001","message":"no","request_id":"r1"}}`, `{"error":{"code":"400001","message_zh":"不"}}`, `{"error":"no"}`,
		`{}`, `<html>`, ``, "\xff\x00", `{"id":"`,
	} {
		for _, status := range []int{200, 402, 404, 429, 500} {
			f.Add(status, []byte(s))
		}
	}
}

// response is one with a fuzzed status and body.
func response(status int, body []byte) *provider.Response {
	return &provider.Response{Status: status, Header: http.Header{}, Body: body}
}

func FuzzReadImages(f *testing.F) {
	seeds(f)
	task := provider.Task{ID: "1", State: imageModel}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		step, err := Image().PollImages(t.Context(), upstream(imageModel), &provider.ImageRequest{}, task)
		if err != nil {
			t.Fatal(err)
		}
		a, next, err := step.Read(response(status, body))
		if err != nil {
			fit(t, errorOf(t, err))
			return
		}
		if (len(a.Images) == 0) != (a.Task == task) || a.Usage.Known || next != nil {
			t.Fatalf("%d images, task %v, usage %+v, next %v", len(a.Images), a.Task, a.Usage, next)
		}
		made := int64(0)
		for _, i := range a.Images {
			switch {
			case i.Failure != nil:
				fit(t, i.Failure)
			case i.URL == "" || i.Lifetime <= 0:
				t.Errorf("image = %+v", i)
			default:
				made++
			}
		}
		if a.Usage.Images != made || !success(status) && made > 0 {
			t.Errorf("%d images of %d are counted, status %d", a.Usage.Images, made, status)
		}
	})
}

func FuzzReadTask(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		s, err := Video().SubmitVideo(t.Context(), upstream(clipModel), &provider.VideoRequest{Prompt: "a cat"})
		if err != nil {
			t.Fatal(err)
		}
		task, next, err := s.Step.Read(response(status, body))
		if err != nil {
			fit(t, errorOf(t, err))
			return
		}
		if task.ID == "" || task.ID != word(task.ID) || task.State != clipModel || next != nil || !success(status) {
			t.Errorf("task = %+v, next %v, status %d", task, next, status)
		}
	})
}

func FuzzReadState(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		step, err := Video().Poll(t.Context(), upstream(clipModel), provider.Task{ID: "1"}, tuesday)
		if err != nil {
			t.Fatal(err)
		}
		s, next, err := step.Read(response(status, body))
		if err != nil {
			fit(t, errorOf(t, err))
			return
		}
		if next != nil || (s.Status == "") != s.Gone || (len(s.Files) == 1) != (s.Status == provider.TaskCompleted) ||
			(s.Failure != nil) != (s.Status == provider.TaskFailed) || s.Progress < -1 || s.Progress > 100 || s.Usage != (provider.Usage{}) {
			t.Errorf("state = %+v, next %v", s, next)
		}
		if !success(status) && !s.Gone {
			t.Errorf("status %d says %+v", status, s)
		}
		if s.Failure != nil {
			fit(t, s.Failure)
		}
		if _, err := s.FinishedAt.MarshalJSON(); err != nil {
			t.Error(err)
		}
	})
}
