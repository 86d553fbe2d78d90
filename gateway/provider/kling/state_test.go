package kling

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/provider"
)

func TestPoll(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		task     provider.Task
		protocol string
		want     string
	}{
		"the new API":              {provider.Task{ID: "87"}, "New", "/tasks?task_ids=87"},
		"the legacy API":           {provider.Task{ID: "87", State: "image2video"}, "Legacy", "/v1/videos/image2video/87"},
		"an odd id":                {provider.Task{ID: "8,7"}, "New", "/tasks?task_ids=8%2C7"},
		"an odd legacy id":         {provider.Task{ID: "8/7", State: "text2video"}, "Legacy", "/v1/videos/text2video/8%2F7"},
		"a task knows who made it": {provider.Task{ID: "87", State: "omni-video"}, "New", "/v1/videos/omni-video/87"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			up := upstream("kling-3.0")
			up.Protocol = tc.protocol
			step, err := Adapter().Video.Poll(t.Context(), up, tc.task, tuesday)
			if err != nil {
				t.Fatal(err)
			}
			want := "GET https://api-beijing.klingai.com" + tc.want
			if got := step.Request.Method + " " + step.Request.URL.String(); got != want || step.Paid || step.Request.Body != nil {
				t.Errorf("call = %s, paid %v; want %s without a body, free", got, step.Paid, want)
			}
		})
	}
	t.Run("a token is made for the time of the poll", func(t *testing.T) {
		t.Parallel()
		up := upstream("kling-v3")
		up.Secrets = secret("access-key", knownAccess, "secret-key", knownSecret)
		step, err := Adapter().Video.Poll(t.Context(), up, provider.Task{ID: "87", State: "text2video"}, tuesday)
		if err != nil || step.Request.Header.Get("Authorization") != "Bearer "+knownToken {
			t.Errorf("step %+v, error %v; want one with the known token", step, err)
		}
		_, err = Adapter().Video.Poll(t.Context(), up, provider.Task{ID: "87"}, tuesday)
		if e := errorOf(t, err); e.Code != "missing_api_key" {
			t.Errorf("error = %v, want missing_api_key", e)
		}
	})
}

func TestCancelIsNotThere(t *testing.T) {
	t.Parallel()
	step, err := Adapter().Video.Cancel(t.Context(), upstream("kling-3.0"), provider.Task{ID: "87"}, tuesday)
	if step != nil || err != nil {
		t.Errorf("Cancel() = %v, %v; want neither", step, err)
	}
}

// poll reads a task as either generation of the API tells it: a word, and more members of the new one and of the legacy one.
func poll(t *testing.T, word, current, legacy string) map[string]provider.TaskState {
	t.Helper()
	bodies := map[string]string{
		"new": fmt.Sprintf(`{"code":0,"data":[{"id":"87","status":%q,"create_time":1735689000000,"update_time":1735689600000%s}]}`,
			word, current),
		"legacy": fmt.Sprintf(`{"code":0,"data":{"task_id":"87","task_status":%q,"created_at":1735689000000,"updated_at":1735689600000%s}}`,
			word, legacy),
	}
	states := map[string]provider.TaskState{}
	for name, read := range map[string]reader{"new": currentReader("87"), "legacy": readLegacy} {
		got, next, err := read(answer(http.StatusOK, bodies[name]))
		if err != nil || next != nil {
			t.Fatalf("%s: next = %v, error = %v", name, next, err)
		}
		states[name] = got
	}
	return states
}

// finished is the time that the records tell.
var finished = time.Date(2025, time.January, 1, 0, 0, 0, 0, time.UTC)

func TestTaskStatus(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]provider.TaskStatus{
		"submitted": provider.TaskQueued, "Submitted": provider.TaskQueued, "processing": provider.TaskInProgress,
		"pondering": provider.TaskInProgress, // nobody knows the word
	} {
		t.Run(word, func(t *testing.T) {
			t.Parallel()
			for name, got := range poll(t, word, `,"message":""`, `,"task_info":{}`) {
				if diff := cmp.Diff(provider.TaskState{Status: want, Progress: -1}, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
		})
	}
}

func TestTaskWithVideo(t *testing.T) {
	t.Parallel()
	const month = 30 * 24 * time.Hour
	plain := provider.TaskFile{URL: "https://f.example.com/v.mp4", ContentType: "video/mp4", Lifetime: month, Seconds: 5}
	marked, timeless := plain, plain
	marked.URL, marked.Variant = "https://f.example.com/w.mp4", "watermarked"
	timeless.Seconds = 0
	tests := map[string]struct {
		list string
		want []provider.TaskFile
	}{
		"a video": {
			`[{"type":"video","id":"1","url":"https://f.example.com/v.mp4","watermark_url":"","duration":"5"}]`, []provider.TaskFile{plain},
		},
		"a video beside a marked one": {
			`[{"url":"https://f.example.com/v.mp4","watermark_url":"https://f.example.com/w.mp4","duration":"5"}]`,
			[]provider.TaskFile{plain, marked},
		},
		"a length that is a number": {`[{"url":"https://f.example.com/v.mp4","duration":5.0}]`, []provider.TaskFile{plain}},
		"no length":                 {`[{"url":"https://f.example.com/v.mp4"}]`, []provider.TaskFile{timeless}},
		"a length that is a word":   {`[{"url":"https://f.example.com/v.mp4","duration":"NaN"}]`, []provider.TaskFile{timeless}},
		"a length that cannot be":   {`[{"url":"https://f.example.com/v.mp4","duration":"1e300"}]`, []provider.TaskFile{timeless}},
		"something else is left out": {
			`[{"type":"cover","url":"https://f.example.com/c.png"},{"url":"https://f.example.com/v.mp4","duration":"5"}]`,
			[]provider.TaskFile{plain},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := provider.TaskState{Status: provider.TaskCompleted, Progress: -1, FinishedAt: finished, Files: tc.want}
			for _, word := range []string{"succeeded", "succeed", "Succeed"} {
				for name, got := range poll(t, word, `,"outputs":`+tc.list, `,"task_result":{"videos":`+tc.list+`}`) {
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("%s, %s (-want +got):\n%s", name, word, diff)
					}
				}
			}
		})
	}
}

func TestTaskThatFailed(t *testing.T) {
	t.Parallel()
	lost := *provider.BadResponse(200, "no_video", "The task has succeeded without a video.")
	failed := func(class provider.Class, message string) provider.Error {
		return provider.Error{Class: class, Status: 200, Code: "failed", Message: message}
	}
	tests := map[string]struct {
		word, current, legacy string
		want                  provider.Error
	}{
		"a success without a video":      {"succeed", `,"outputs":[]`, `,"task_result":{"videos":[]}`, lost},
		"a success without anything":     {"succeeded", "", "", lost},
		"a video that cannot be fetched": {"succeed", `,"outputs":[{"url":"asset://x"}]`, `,"task_result":{"videos":[{"url":""}]}`, lost},
		"videos that are no list":        {"succeed", `,"outputs":{"url":"https://e.com"}`, `,"task_result":{"videos":"https://e.com"}`, lost},
		"a reason": {
			"failed", `,"message":"it broke"`, `,"task_status_msg":"it broke"`, failed(provider.ClassServerError, "it broke"),
		},
		"content that was refused": {
			"Failed", `,"message":"Failure to pass the risk control system"`, `,"task_status_msg":"Failure to pass the risk control system"`,
			failed(provider.ClassModeration, "Failure to pass the risk control system"),
		},
		"no reason": {"failed", "", "", failed(provider.ClassServerError, "")},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := provider.TaskState{Status: provider.TaskFailed, Progress: -1, FinishedAt: finished, Failure: &tc.want}
			for name, got := range poll(t, tc.word, tc.current, tc.legacy) {
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
		})
	}
}

func TestUnknownTask(t *testing.T) {
	t.Parallel()
	want := provider.TaskState{Gone: true, Progress: -1}
	tests := map[string]struct {
		read   reader
		status int
		body   string
	}{
		"an empty list":              {currentReader("87"), 200, `{"code":0,"data":[]}`},
		"a refusal":                  {currentReader("87"), 404, `{"code":1203,"message":"no such task"}`},
		"a refusal inside a success": {currentReader("87"), 200, `{"code":1203}`},
		"a legacy refusal":           {readLegacy, 404, `{"code":1203,"message":"no such task"}`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, _, err := tc.read(answer(tc.status, tc.body))
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("error %v, state (-want +got):\n%s", err, diff)
			}
		})
	}
	for name, tc := range map[string]struct {
		read   reader
		status int
		body   string
		class  provider.Class
	}{
		"another task": {
			currentReader("87"), 200, `{"code":0,"data":[{"id":"88","status":"submitted"}]}`, provider.ClassBadResponse,
		},
		"no list": {currentReader("87"), 200, `{"code":0,"data":null}`, provider.ClassBadResponse},
		"a task where a list should be": {
			currentReader("87"), 200, `{"code":0,"data":{"id":"87","status":"submitted"}}`, provider.ClassBadResponse,
		},
		"a list where a task should be":   {readLegacy, 200, `{"code":0,"data":[{"task_status":"submitted"}]}`, provider.ClassBadResponse},
		"a task without a status":         {currentReader("87"), 200, `{"code":0,"data":[{"id":"87"}]}`, provider.ClassBadResponse},
		"nothing at all":                  {readLegacy, 200, `{"code":0}`, provider.ClassBadResponse},
		"a page":                          {currentReader("87"), 404, `<html>404</html>`, provider.ClassBadResponse},
		"an address that does not exist":  {currentReader("87"), 404, `{"code":1202}`, provider.ClassServerError},
		"a credential that is not known":  {readLegacy, 401, `{"code":1203}`, provider.ClassModelNotFound},
		"a success that is called lost":   {readLegacy, 404, `{"code":0,"data":{"task_status":"submitted"}}`, provider.ClassModelNotFound},
		"a failure that says it is fine":  {currentReader("87"), 500, `{"code":0,"data":[]}`, provider.ClassServerError},
		"a redirect to somewhere else":    {currentReader("87"), 307, `{"code":0,"data":[]}`, provider.ClassBadResponse},
		"a list of things that are no id": {currentReader("87"), 200, `{"code":0,"data":[null,7,{"id":{}}]}`, provider.ClassBadResponse},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			state, _, err := tc.read(answer(tc.status, tc.body))
			if e := errorOf(t, err); e.Class != tc.class || state.Gone {
				t.Errorf("class = %s, gone = %v; want %s", e.Class, state.Gone, tc.class)
			}
		})
	}
}

func TestTimeThatCannotBe(t *testing.T) {
	t.Parallel()
	for _, ms := range []string{"0", "-5", "9e18", `"x"`} {
		got, _, err := readLegacy(answer(200, `{"code":0,"data":{"task_status":"failed","updated_at":`+ms+`}}`))
		if err != nil || !got.FinishedAt.IsZero() {
			t.Errorf("%s: FinishedAt = %s, error %v; want none", ms, got.FinishedAt, err)
		}
	}
}
