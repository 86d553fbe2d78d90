package vidu

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// task is a task of the tests.
func task() provider.Task { return provider.Task{ID: "89/1"} }

func TestPoll(t *testing.T) {
	t.Parallel()
	step, err := Adapter().Video.Poll(t.Context(), upstream("viduq3-pro"), task(), tuesday)
	if err != nil {
		t.Fatal(err)
	}
	want := "GET https://api.vidu.cn/ent/v2/tasks/89%2F1/creations"
	if got := step.Request.Method + " " + step.Request.URL.String(); got != want || step.Paid || step.Request.Body != nil {
		t.Errorf("call = %s, paid %v; want %s without a body, free", got, step.Paid, want)
	}
	if step.Request.Header.Get("Authorization") != "Token "+key {
		t.Error("the key is missing")
	}
}

// failed is a state of a task that has failed.
func failed(e provider.Error) provider.TaskState {
	e.Status = http.StatusOK
	return provider.TaskState{Status: provider.TaskFailed, Progress: -1, Failure: &e}
}

func TestReadState(t *testing.T) {
	t.Parallel()
	state := func(s provider.TaskStatus) provider.TaskState { return provider.TaskState{Status: s, Progress: -1} }
	done := func(files ...provider.TaskFile) provider.TaskState {
		return provider.TaskState{Status: provider.TaskCompleted, Progress: -1, Files: files}
	}
	plain := provider.TaskFile{URL: "https://f.example.com/v.mp4", ContentType: "video/mp4", Lifetime: time.Hour}
	marked := provider.TaskFile{URL: "https://f.example.com/w.mp4", ContentType: "video/mp4", Lifetime: time.Hour, Variant: "watermarked"}
	lost := failed(*provider.BadResponse(200, "no_video", "The task has succeeded without a video."))
	const video = `{"id":"1","url":"https://f.example.com/v.mp4","cover_url":"https://f.example.com/c.jpeg","watermarked_url":""}`
	tests := map[string]struct {
		body string
		want provider.TaskState
	}{
		"created":                  {`{"id":"89","state":"created","err_code":"","creations":[]}`, state(provider.TaskQueued)},
		"queueing":                 {`{"state":"queueing","err_code":"","credits":50}`, state(provider.TaskQueued)},
		"processing":               {`{"state":"Processing","creations":null}`, state(provider.TaskInProgress)},
		"a word that nobody knows": {`{"state":"pondering"}`, state(provider.TaskInProgress)},
		"a video":                  {`{"state":"success","err_code":"","creations":[` + video + `]}`, done(plain)},
		"a video beside a marked one": {
			`{"state":"Success","creations":[` + strings.Replace(video, `""`, `"https://f.example.com/w.mp4"`, 1) + `]}`,
			done(plain, marked),
		},
		"a success without a video":      {`{"state":"success","creations":[]}`, lost},
		"a success without anything":     {`{"state":"success"}`, lost},
		"a video that cannot be fetched": {`{"state":"success","creations":[{"url":"asset://x"}]}`, lost},
		"videos that are no list":        {`{"state":"success","creations":` + video + `}`, lost},
		"cancelled, by the reason":       {`{"state":"failed","err_code":"UserCancelled"}`, state(provider.TaskCancelled)},
		"cancelled, by another reason":   {`{"state":"failed","err_code":"canceled"}`, state(provider.TaskCancelled)},
		"cancelled, by the state":        {`{"state":"cancelled","err_code":""}`, state(provider.TaskCancelled)},
		"cancelled, in American":         {`{"state":"canceled"}`, state(provider.TaskCancelled)},
		"content that was refused": {
			`{"state":"failed","err_code":"CreationPolicyViolation"}`,
			failed(provider.Error{Class: provider.ClassModeration, Code: "CreationPolicyViolation"}),
		},
		"an image that was not there": {
			`{"state":"failed","err_code":"ImageDownloadFailure"}`,
			failed(provider.Error{Class: provider.ClassInvalidRequest, Code: "ImageDownloadFailure", Param: "image"}),
		},
		"the vendor's own fault": {
			`{"state":"failed","err_code":"InternalServiceFailure"}`,
			failed(provider.Error{Class: provider.ClassServerError, Code: "InternalServiceFailure"}),
		},
		"a reason that nobody knows": {
			`{"state":"failed","err_code":"SomethingNew"}`, failed(provider.Error{Class: provider.ClassServerError, Code: "SomethingNew"}),
		},
		"no reason": {`{"state":"failed"}`, failed(provider.Error{Class: provider.ClassServerError, Code: "failed"})},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, next, err := readState(answer(http.StatusOK, tc.body))
			if err != nil || next != nil {
				t.Fatalf("Read() next = %v, error = %v", next, err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("state (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPollOfATaskThatIsNotThere(t *testing.T) {
	t.Parallel()
	gone := provider.TaskState{Gone: true, Progress: -1}
	cancelled := provider.TaskState{Status: provider.TaskCancelled, Progress: -1}
	for body, want := range map[string]provider.TaskState{
		`404 {"code":404,"reason":"TaskNotFound","message":"no"}`: gone,
		`404 {"code":404,"reason":"CreationNotFound"}`:            gone,
		`400 {"code":400,"reason":"UserCancelled"}`:               cancelled,
	} {
		status, text, _ := strings.Cut(body, " ")
		code, _ := strconv.Atoi(status)
		got, _, err := readState(answer(code, text))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: error %v, state (-want +got):\n%s", body, err, diff)
		}
	}
	for body, class := range map[string]provider.Class{
		`404 {"code":404,"reason":"NotFound"}`:     provider.ClassModelNotFound,
		`404 <html>404</html>`:                     provider.ClassBadResponse,
		`404 {"detail":"Not Found"}`:               provider.ClassBadResponse,
		`403 {"code":403,"reason":"TaskNotFound"}`: provider.ClassServerError,
		`200 {"creations":[]}`:                     provider.ClassBadResponse,
		`200 {"state":7}`:                          provider.ClassBadResponse,
		`500 {"state":"success"}`:                  provider.ClassServerError,
		`499 {"code":499,"reason":"Canceled"}`:     provider.ClassNetwork,
	} {
		status, text, _ := strings.Cut(body, " ")
		code, _ := strconv.Atoi(status)
		state, _, err := readState(answer(code, text))
		if e := errorOf(t, err); e.Class != class || state.Gone {
			t.Errorf("%s: class = %s, gone = %v; want %s", body, e.Class, state.Gone, class)
		}
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		calls string // methods, statuses and answers
		want  string // the status, "gone", or the class of an error
	}{
		"a task that waits":                 {"POST 200 nothing", "cancelled"},
		"a task that runs":                  {"POST 400 BadRequest, GET 200 processing", "in_progress"},
		"a task that is done":               {"POST 400 BadRequest, GET 200 success", "completed"},
		"a task that has failed":            {"POST 400 BadRequest, GET 200 failed", "failed"},
		"a task that was cancelled":         {"POST 400 UserCancelled, GET 200 cancelled", "cancelled"},
		"two at once":                       {"POST 409 Conflict, GET 200 cancelled", "cancelled"},
		"a refusal inside a success":        {"POST 200 BadRequest, GET 200 processing", "in_progress"},
		"an unknown task":                   {"POST 404 TaskNotFound", "gone"},
		"a record that is deleted":          {"POST 400 BadRequest, GET 404 TaskNotFound", "gone"},
		"an answer that nobody understands": {"POST 200 page", "bad_response"},
		"a proxy that refuses":              {"POST 400 page", "bad_response"},
		"too many requests":                 {"POST 429 TooManyRequests", "rate_limited"},
		"a key that was revoked":            {"POST 401 Unauthorized", "unauthorized"},
		"a vendor that is broken":           {"POST 500 page", "server_error"},
		"a redirect":                        {"POST 307 page", "bad_response"},
		"a look that fails":                 {"POST 400 BadRequest, GET 503 page", "overloaded"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := cancel(t, tc.calls); got != tc.want {
				t.Errorf("in the end: %s, want %s", got, tc.want)
			}
		})
	}
}

// cancel cancels a task, and checks that these calls are made and no others.
func cancel(t *testing.T, calls string) string {
	t.Helper()
	step, err := Adapter().Video.Cancel(t.Context(), upstream("viduq3-pro"), task(), tuesday)
	if err != nil {
		t.Fatal(err)
	}
	var state provider.TaskState
	for call := range strings.SplitSeq(calls, ", ") {
		part := strings.Fields(call)
		if step == nil {
			t.Fatalf("there is no %s", part[0])
		}
		path, body := "/ent/v2/tasks/89%2F1/cancel", `{"id":"89/1"}`
		if part[0] == http.MethodGet {
			path, body = "/ent/v2/tasks/89%2F1/creations", ""
		}
		r := step.Request
		if r.Method != part[0] || r.URL.EscapedPath() != path || bodyOf(t, r) != body || step.Paid {
			t.Fatalf("call = %s %s, paid %v; want %s %s with the body %s, free", r.Method, r.URL.EscapedPath(), step.Paid, part[0], path, body)
		}
		status, _ := strconv.Atoi(part[1])
		state, step, err = step.Read(answer(status, cancelAnswer(part[2])))
	}
	switch {
	case step != nil:
		t.Fatalf("one more call: %s", step.Request.Method)
	case err != nil:
		return errorOf(t, err).Class.String()
	case state.Progress != -1:
		t.Errorf("progress = %d, want -1", state.Progress)
	}
	if state.Gone {
		return "gone"
	}
	return string(state.Status)
}

// cancelAnswer is a body by its name: a reason begins with a capital, a state does not.
func cancelAnswer(name string) string {
	switch {
	case name == "nothing":
		return `{}`
	case name == "page":
		return `<html></html>`
	case name[0] < 'a':
		return `{"code":0,"reason":"` + name + `","message":"no"}`
	}
	return `{"state":"` + name + `","creations":[{"url":"https://f.example.com/v"}]}`
}
