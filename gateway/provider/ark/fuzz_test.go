package ark

import (
	"net/http"
	"strings"
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// seeds adds answers of every kind, each with a status.
func seeds(f *testing.F) {
	f.Helper()
	for _, s := range []string{
		`{"data":[{"url":"https://e.com/a","size":"2048x2048"},{"b64_json":"QUJD"}],"usage":{"generated_images":2,"output_tokens":7}}`,
		`{"data":[{"error":{"code":"OutputImageSensitiveContentDetected","message":"No. Request id: 02"}}],"usage":{"generated_images":0}}`,
		`{"data":[],"error":{"code":"InternalServiceError","message":"oh"}}`,
		`{"id":"cgt-20260128000000-abcde"}`,
		`{"id":"cgt-1","status":"queued","content":{}}`,
		`{"status":"succeeded","content":{"video_url":"https://e.com/v"},"duration":5.04,"usage":{"completion_tokens":1},"updated_at":1}`,
		`{"status":"succeeded","content":{"video_url":"https://e.com/v"},"frames":121,"framespersecond":24}`,
		`{"status":"failed","error":{"code":"InvalidParameter.TaskTypeMismatch"}}`,
		`{"status":"failed","failure_reason":{"code":1}}`, `{"status":"expired"}`, `{"status":"canceled"}`, `{}`,
		`{"error":{"code":"InvalidParameter.size","message":"No. Request id: 02ab","param":"size","type":"BadRequest"}}`,
		`<html>`, ``, "\xff\x00", `{"data":[{"url":"https://`,
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

// sane checks what holds for all usage.
func sane(t *testing.T, u provider.Usage) {
	t.Helper()
	if u.Images < 0 || u.Seconds < 0 || u.Seconds > maxSeconds || u.CompletionTokens < 0 {
		t.Errorf("usage = %+v", u)
	}
}

func FuzzReadImages(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		for _, base64 := range []bool{false, true} {
			a, next, err := imageReader(base64)(response(status, body))
			if err != nil {
				fit(t, errorOf(t, err))
				continue
			}
			if len(a.Images) == 0 || next != nil || a.Task != (provider.Task{}) || !success(status) {
				t.Fatalf("%d images, next %v, task %v, status %d", len(a.Images), next, a.Task, status)
			}
			made := int64(0)
			for _, i := range a.Images {
				if i.Failure != nil {
					fit(t, i.Failure)
					continue
				}
				made++
				if (i.URL == "") == (i.Base64 == "") || (i.URL == "") != (i.Lifetime == 0) {
					t.Errorf("image = %+v", i)
				}
			}
			if sane(t, a.Usage); a.Usage.Images > made {
				t.Errorf("%d images of %d are counted", a.Usage.Images, made)
			}
		}
	})
}

func FuzzReadTask(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		task, next, err := readTask(response(status, body))
		if err != nil {
			fit(t, errorOf(t, err))
			return
		}
		if task.ID == "" || task.ID != word(task.ID) || task.State != "" || next != nil || !success(status) {
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
	for _, s := range []string{`{}`, `{"status":"running"}`, `{"error":{"code":"OperationDenied.InvalidState"}}`, `<html>`, ``} {
		for _, status := range []int{200, 204, 403, 404, 500} {
			f.Add(status, []byte(s))
		}
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		step, err := Video().Cancel(t.Context(), upstream("m"), task(), tuesday)
		if err != nil {
			t.Fatal(err)
		}
		_, step, err = step.Read(answer(http.StatusOK, `{"status":"queued"}`))
		if err != nil || step == nil || step.Request.Method != http.MethodDelete {
			t.Fatalf("a queued task is followed by %v, %v", step, err)
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

func FuzzPlainPrompt(f *testing.F) {
	for _, s := range []string{"a cat --dur 15", "--rs=4k", "a -- b", "---wm true", "\xff--seed", "——dur"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, prompt string) {
		text, changed := plainPrompt(prompt)
		if flag.MatchString(text) || changed != (text != prompt) || !strings.Contains(prompt, "--") && changed {
			t.Errorf("%q became %q", prompt, text)
		}
	})
}
