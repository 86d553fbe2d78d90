package tencent

import (
	"net/http"
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// seeds adds answers of every kind, each with a status.
func seeds(f *testing.F) {
	f.Helper()
	for _, s := range []string{
		`{"Response":{"JobId":"1300000000-1719988888-5143eaa5-0","RequestId":"r1"}}`, `{"Response":{"JobId":1387262242604040192}}`,
		`{"Response":{"JobStatusCode":"1","JobStatusMsg":"排队中","ResultImage":[]}}`,
		`{"Response":{"JobStatusCode":"5","ResultImage":["https://e.com/a"],"ResultDetails":["Success"],"RevisedPrompt":["x"]}}`,
		`{"Response":{"JobStatusCode":"5","ResultImage":["","https://e.com/a"],"ResultDetails":["no","Success"]}}`,
		`{"Response":{"JobStatusCode":"5","ResultImage":"https://e.com/a"}}`, `{"Response":{"JobStatusCode":"5"}}`,
		`{"Response":{"JobStatusCode":"4","JobErrorCode":"FailedOperation.InnerError","JobErrorMsg":"oh"}}`,
		`{"Response":{"Status":"WAIT"}}`, `{"Response":{"Status":"DONE","ResultVideoUrl":"https://e.com/v"}}`, `{"Response":{"Status":"DONE"}}`,
		`{"Response":{"Status":"FAIL","ErrorCode":"FailedOperation.ModerationFailed","ErrorMessage":"no"}}`,
		`{"Response":{"Error":{"Code":"FailedOperation.JobNotExist","Message":"no"},"RequestId":"r1"}}`,
		`{"Response":{"Error":{"Code":"AuthFailure.SignatureExpire","Message":"no"},"RequestId":"r1"}}`,
		`{"Response":{"Error":"no"}}`, `{"Response":{}}`, `{}`, `<html>`, ``, "\xff\x00", `{"Response":{"JobId":"`,
	} {
		for _, status := range []int{200, 404, 429, 500} {
			f.Add(status, []byte(s), "")
			f.Add(status, []byte(s), "Tue, 24 Nov 2026 09:00:00 GMT")
		}
	}
}

// response is one with a fuzzed status, body and date.
func response(status int, body []byte, date string) *provider.Response {
	return &provider.Response{Status: status, Header: http.Header{"Date": {date}}, Body: body}
}

// reread hands a response to a step, and to the one that may follow. There are never more.
func reread[T any](t *testing.T, step *provider.Step[T], r *provider.Response) (T, error) {
	t.Helper()
	v, next, err := step.Read(r)
	if next == nil {
		return v, err
	}
	if next.Request == nil || next.Paid != step.Paid || err != nil {
		t.Fatalf("next = %+v, error %v", next, err)
	}
	v, third, err := next.Read(r)
	if third != nil || err == nil {
		t.Fatalf("after the second call: %+v, error %v", third, err)
	}
	return v, err
}

func FuzzReadImages(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, status int, body []byte, date string) {
		step, err := images{}.PollImages(t.Context(), upstream(), &provider.ImageRequest{Now: tuesday}, job())
		if err != nil {
			t.Fatal(err)
		}
		a, err := reread(t, step, response(status, body, date))
		if err != nil {
			fit(t, errorOf(t, err))
			return
		}
		if (len(a.Images) == 0) != (a.Task == job()) || a.Usage.Known || !success(status) {
			t.Fatalf("%d images, task %v, usage %+v, status %d", len(a.Images), a.Task, a.Usage, status)
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
		if a.Usage.Images != made {
			t.Errorf("%d images of %d are counted", a.Usage.Images, made)
		}
	})
}

func FuzzReadJob(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, status int, body []byte, date string) {
		s, err := videos{}.SubmitVideo(t.Context(), upstream(), &provider.VideoRequest{Prompt: "a cat", Now: tuesday})
		if err != nil {
			t.Fatal(err)
		}
		plan, err := images{}.Generate(t.Context(), upstream(), &provider.ImageRequest{Prompt: "a cat", N: 1, Now: tuesday})
		if err != nil {
			t.Fatal(err)
		}
		task, err := reread(t, s.Step, response(status, body, date))
		a, imageErr := reread(t, plan.Steps[0], response(status, body, date))
		if a.Task != task || (err == nil) != (imageErr == nil) || len(a.Images) > 0 {
			t.Errorf("an image's job is %+v, %v; a video's %+v, %v", a, imageErr, task, err)
		}
		if err != nil {
			fit(t, errorOf(t, err))
			return
		}
		if task.ID == "" || task.ID != word(task.ID) || task.State != "ap-guangzhou" || !success(status) {
			t.Errorf("task = %+v, status %d", task, status)
		}
	})
}

func FuzzReadState(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, status int, body []byte, date string) {
		step, err := videos{}.Poll(t.Context(), upstream(), job(), tuesday)
		if err != nil {
			t.Fatal(err)
		}
		s, err := reread(t, step, response(status, body, date))
		if err != nil {
			fit(t, errorOf(t, err))
			return
		}
		if (s.Status == "") != s.Gone || (len(s.Files) == 1) != (s.Status == provider.TaskCompleted) ||
			(s.Failure != nil) != (s.Status == provider.TaskFailed) || s.Progress != -1 || !success(status) {
			t.Errorf("state = %+v, status %d", s, status)
		}
		if s.Failure != nil {
			fit(t, s.Failure)
		}
	})
}

func FuzzSizeFor(f *testing.F) {
	for _, s := range [...]size{{1024, 1024}, {1792, 1024}, {1, 1}, {0, 5}, {1 << 40, 1 << 40}, {-3, -1}, {512, 2049}} {
		f.Add(s.width, s.height)
	}
	f.Fuzz(func(t *testing.T, width, height int) {
		got, err := sizeFor(size{width, height})
		if err != nil {
			if e := refusal(t, err); e.Param != "size" {
				t.Errorf("param = %s, want size", e.Param)
			}
		} else if !got.made() {
			t.Errorf("%dx%d became %s", width, height, got)
		}
	})
}
