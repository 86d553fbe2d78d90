package dashscope

import (
	"net/http"
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// seeds adds answers of every kind, each with a status.
func seeds(f *testing.F) {
	f.Helper()
	for _, s := range []string{
		`{"output":{"task_id":"0385dc79-5ff8-4d82-bcb6-0123456789ab","task_status":"PENDING"},"request_id":"r"}`,
		`{"output":{"task_status":"RUNNING","submit_time":"2026-11-24 16:00:01.500"}}`,
		`{"output":{"task_status":"UNKNOWN"}}`, `{"output":{"task_status":"CANCELED","end_time":"9999-12-31 23:59:59.999"}}`,
		`{"output":{"task_status":"SUCCEEDED","choices":[{"message":{"content":[{"type":"image","image":"https://e.com/a"},{"text":"x"}]}}]},` +
			`"usage":{"image_count":1,"size":"1024*1024","input_tokens":"1","output_tokens":2.5}}`,
		`{"output":{"task_status":"SUCCEEDED","results":[{"url":"https://e.com/a","actual_prompt":"x"},` +
			`{"code":"DataInspectionFailed","message":"No"}],"code":"x"},"usage":{"image_count":"2"}}`,
		`{"output":{"task_status":"SUCCEEDED","video_url":"https://e.com/v","submit_time":"2026-11-24 16:00:01.500",` +
			`"end_time":"2026-11-24 16:03:01.500"},"usage":{"duration":5.04,"SR":"720","output_video_duration":"5"}}`,
		`{"output":{"task_status":"FAILED","code":"InternalError.Algo"}}`, `{"output":{"task_status":"FAILED","message":"\u0000"}}`, `{}`,
		`{"code":"Arrearage","message":"Access denied.","request_id":"02ab"}`, `<html>`, ``, "\xff\x00", `{"output":{"task_id":"`,
	} {
		for _, status := range []int{200, 400, 404, 429, 500} {
			f.Add(status, []byte(s), "1795507200")
		}
	}
}

// response is one with a fuzzed status and body.
func response(status int, body []byte) *provider.Response {
	return &provider.Response{Status: status, Header: http.Header{}, Body: body}
}

// sane checks what holds for all usage.
func sane(t *testing.T, u provider.Usage) {
	t.Helper()
	if u.Images < 0 || u.Seconds < 0 || u.Seconds > maxSeconds || u.PromptTokens < 0 || u.CompletionTokens < 0 {
		t.Errorf("usage = %+v", u)
	}
}

func FuzzReadSubmission(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, status int, body []byte, _ string) {
		a, next, err := submissionReader(2)(response(status, body))
		if err != nil {
			fit(t, errorOf(t, err))
			return
		}
		if id := a.Task.ID; id == "" || id != word(id) || a.Task.State != "2" || len(a.Images) > 0 || next != nil || !success(status) {
			t.Errorf("answer = %+v, next %v, status %d", a, next, status)
		}
	})
}

func FuzzReadTask(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, status int, body []byte, _ string) {
		s, err := Video().SubmitVideo(t.Context(), upstream("wan2.7-t2v"), &provider.VideoRequest{Prompt: "a cat", Now: tuesday})
		if err != nil {
			t.Fatal(err)
		}
		task, next, err := s.Step.Read(response(status, body))
		if err != nil {
			fit(t, errorOf(t, err))
			return
		}
		if task.ID == "" || task.ID != word(task.ID) || task.State != filming().State || next != nil || !success(status) {
			t.Errorf("task = %+v, next %v, status %d", task, next, status)
		}
	})
}

func FuzzReadImages(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, status int, body []byte, state string) {
		asked := provider.Task{ID: "a-1", State: state}
		a, next, err := imageReader(asked)(response(status, body))
		if err != nil {
			fit(t, errorOf(t, err))
			return
		}
		if (len(a.Images) == 0) != (a.Task == asked) || a.Task != asked && a.Task != (provider.Task{}) || next != nil || !success(status) {
			t.Fatalf("%d images, next %v, task %v, status %d", len(a.Images), next, a.Task, status)
		}
		made := int64(0)
		for _, i := range a.Images {
			if i.Failure != nil {
				fit(t, i.Failure)
				if i.URL != "" || i.Size != "" {
					t.Errorf("image = %+v", i)
				}
				continue
			}
			made++
			if i.URL == "" || i.Base64 != "" || i.Lifetime != lifetime {
				t.Errorf("image = %+v", i)
			}
		}
		if sane(t, a.Usage); a.Usage.Images > made {
			t.Errorf("%d images of %d are counted", a.Usage.Images, made)
		}
	})
}

func FuzzReadState(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, status int, body []byte, state string) {
		s, next, err := stateReader(provider.Task{ID: "a-1", State: state})(response(status, body))
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
	sane(t, s.Usage)
	if next != nil || (s.Status == "") != s.Gone {
		t.Errorf("state = %+v, next %v", s, next)
	}
	if (len(s.Files) == 1) != (s.Status == provider.TaskCompleted) || (s.Failure != nil) != (s.Status == provider.TaskFailed) {
		t.Errorf("state = %+v", s)
	}
	if s.Failure != nil {
		fit(t, s.Failure)
	}
	if s.Usage.Known && s.Usage.Seconds == 0 {
		t.Error("a length of zero is known")
	}
	if _, err := s.FinishedAt.MarshalJSON(); err != nil {
		t.Error(err)
	}
}

func FuzzCancel(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, status int, body []byte, state string) {
		step, err := Video().Cancel(t.Context(), upstream("m"), provider.Task{ID: "a-1", State: state}, tuesday)
		if err != nil {
			t.Fatal(err)
		}
		s, look, err := step.Read(response(status, body))
		if err == nil {
			if look == nil {
				t.Fatalf("the task is not looked at: %+v", s)
			}
			s, look, err = look.Read(response(http.StatusOK, body))
		}
		if err != nil {
			fit(t, errorOf(t, err))
			return
		}
		settled(t, s, look)
	})
}

func FuzzSizeFor(f *testing.F) {
	f.Add("wan2.7-image", 512, 512, true)
	f.Add("wan2.6-t2i", 1, 4, false)
	f.Add("wan2.2-t2i-plus", 500, 1280, false)
	f.Add("x", 1<<62, -1, false)
	f.Fuzz(func(t *testing.T, id string, width, height int, edit bool) {
		m := imageModelOf(id)
		s, err := m.sizeFor(size{width, height}, edit)
		if err != nil {
			checkRefusal(t, err, "size", "It takes")
			return
		}
		if !m.takes(s, edit) || m.ratio > 0 && max(s.width, s.height) > m.ratio*min(s.width, s.height) {
			t.Errorf("%s: %dx%d becomes %v", id, width, height, s)
		}
	})
}

func FuzzReference(f *testing.F) {
	for _, s := range []string{"Data:Image/PNG;Base64,QUJD", "https://e.com/A,b", "data:", "DATA:İ,x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, address string) {
		got := reference(address)
		if len(got) != len(address) || reference(got) != got {
			t.Errorf("%q became %q", address, got)
		}
		if (checkReference("image", "Wan", got) == nil) != (checkReference("image", "Wan", address) == nil) {
			t.Errorf("%q is judged otherwise than %q", got, address)
		}
	})
}
