package minimax

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/provider"
)

func TestReadTask(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ body, id, code string }{
		"a text":            {`{"task_id":"176843862480001","base_resp":{"status_code":0}}`, "176843862480001", ""},
		"a number":          {`{"task_id":9007199254740993,"base_resp":{"status_code":0}}`, "9007199254740993", ""},
		"no base_resp":      {`{"task_id":"176843862480001"}`, "176843862480001", ""},
		"no id":             {`{"base_resp":{"status_code":0}}`, "", "no_task_id"},
		"an empty id":       {`{"task_id":"","base_resp":{"status_code":0}}`, "", "no_task_id"},
		"a fraction":        {`{"task_id":1.5}`, "", "no_task_id"},
		"an id that is not": {`{"task_id":"a b"}`, "", "no_task_id"},
		"no object":         {`[]`, "", "not_json"},
		"no JSON":           {`{"task_id":"17`, "", "not_json"},
		"a refusal":         {`{"task_id":"","base_resp":{"status_code":1026,"status_msg":"no"}}`, "", "1026"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, next, err := readTask(answer(http.StatusOK, tc.body))
			if next != nil || got != (provider.Task{ID: tc.id}) {
				t.Errorf("Read() = %+v, %v, want %q", got, next, tc.id)
			}
			if err != nil != (tc.code != "") || err != nil && errorOf(t, err).Code != tc.code {
				t.Errorf("error = %v, want %q", err, tc.code)
			}
		})
	}
}

// follow answers the calls of a poll one after the other, and returns the addresses that were asked, too.
func follow(t *testing.T, answers ...*provider.Response) (provider.TaskState, []string, error) {
	t.Helper()
	step, err := Video().Poll(t.Context(), upstream(hailuo02), provider.Task{ID: "17/6 8"}, tuesday)
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	var state provider.TaskState
	for _, a := range answers {
		if step == nil {
			t.Fatalf("there is no call for %s", a.Body)
		}
		if step.Paid || step.Request.Body != nil || step.Request.Header.Get("Authorization") != "Bearer "+key {
			t.Errorf("%s is paid (%v), or has a body or no key", step.Request.URL, step.Paid)
		}
		asked = append(asked, step.Request.Method+" "+step.Request.URL.String())
		state, step, err = step.Read(a)
	}
	if step != nil {
		t.Fatalf("one more call: %s", step.Request.URL)
	}
	return state, asked, err
}

// Answers to polls.
const (
	succeeded = `{"task_id":"176","status":"Success","file_id":"9007199254740993","video_width":1366,"video_height":768,` +
		`"base_resp":{"status_code":0}}`
	retrieved = `{"file":{"file_id":9007199254740993,"bytes":10,"created_at":1735689600,"filename":"output.mp4",` +
		`"purpose":"video_generation","download_url":"https://f.example.com/v.mp4?sign=1",` +
		`"backup_download_url":"https://b.example.com/v.mp4"},"base_resp":{"status_code":0}}`
)

func TestPollOfAVideo(t *testing.T) {
	t.Parallel()
	for name, success := range map[string]string{
		"an id that is a text":   succeeded,
		"an id that is a number": strings.Replace(succeeded, `"9007199254740993"`, `9007199254740993`, 1),
		"a word of another case": strings.Replace(succeeded, "Success", "success", 1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, asked, err := follow(t, answer(http.StatusOK, success), answer(http.StatusOK, retrieved))
			if err != nil {
				t.Fatal(err)
			}
			want := provider.TaskState{
				Status: provider.TaskCompleted, Progress: -1,
				Files: []provider.TaskFile{{URL: "https://f.example.com/v.mp4?sign=1", ContentType: "video/mp4", Lifetime: time.Hour}},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("state (-want +got):\n%s", diff)
			}
			calls := []string{
				"GET https://api.minimaxi.com/v1/query/video_generation?task_id=17%2F6+8",
				"GET https://api.minimaxi.com/v1/files/retrieve?file_id=9007199254740993",
			}
			if diff := cmp.Diff(calls, asked); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("with another address", func(t *testing.T) {
		t.Parallel()
		other := strings.Replace(retrieved, "https://f.example.com/v.mp4?sign=1", "", 1)
		got, _, err := follow(t, answer(http.StatusOK, succeeded), answer(http.StatusOK, other))
		if err != nil || len(got.Files) != 1 || got.Files[0].URL != "https://b.example.com/v.mp4" {
			t.Errorf("files = %+v, %v", got.Files, err)
		}
	})
}

func TestPollOfATaskThatGoesOn(t *testing.T) {
	t.Parallel()
	tests := map[string]provider.TaskStatus{
		"Preparing": provider.TaskQueued, "Queueing": provider.TaskQueued, "queueing": provider.TaskQueued,
		"Processing": provider.TaskInProgress, "Pondering": provider.TaskInProgress, // nobody knows the word
	}
	for told, want := range tests {
		t.Run(told, func(t *testing.T) {
			t.Parallel()
			got, _, err := follow(t, answer(http.StatusOK, `{"task_id":"176","status":"`+told+`","file_id":"","base_resp":{"status_code":0}}`))
			if diff := cmp.Diff(provider.TaskState{Status: want, Progress: -1}, got); diff != "" || err != nil {
				t.Errorf("%v, state (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestPollOfATaskThatFailed(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body string
		want provider.Error
	}{
		"moderation": {
			`{"status":"Fail","base_resp":{"status_code":1027,"status_msg":"output new_sensitive"},"trace_id":"t1"}`,
			provider.Error{Class: provider.ClassModeration, Code: "1027", Message: "output new_sensitive", RequestID: "t1"},
		},
		"the other word": {
			`{"status":"failed","base_resp":{"status_code":1000,"status_msg":"unknown error"}}`,
			provider.Error{Class: provider.ClassServerError, Code: "1000", Message: "unknown error"},
		},
		"a text that prints nothing": {
			`{"status":"Fail","base_resp":{"status_code":1042}}`,
			provider.Error{Class: provider.ClassInvalidRequest, Code: "1042", Param: "prompt"},
		},
		"no reason": {`{"status":"Fail"}`, provider.Error{Class: provider.ClassServerError, Code: "fail"}},
		"no real reason": {
			`{"status":"Failed","base_resp":{"status_code":0}}`, provider.Error{Class: provider.ClassServerError, Code: "failed"},
		},
		"an odd one":      {`{"status":"Fail","base_resp":{"status_code":null}}`, provider.Error{Class: provider.ClassServerError, Code: "fail"}},
		"an unknown code": {`{"status":"Fail","base_resp":{"status_code":1}}`, provider.Error{Class: provider.ClassServerError, Code: "1"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.want.Status = http.StatusOK
			got, _, err := follow(t, answer(http.StatusOK, tc.body))
			want := provider.TaskState{Status: provider.TaskFailed, Progress: -1, Failure: &tc.want}
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("%v, state (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestPollThatFails(t *testing.T) {
	t.Parallel()
	ok := answer(http.StatusOK, succeeded)
	tests := map[string]struct {
		answers []*provider.Response
		class   provider.Class
		code    string
	}{
		"a task that the vendor does not know, by one reading": {
			[]*provider.Response{answer(200, `{"base_resp":{"status_code":2013}}`)}, provider.ClassInvalidRequest, "2013",
		},
		"by another": {[]*provider.Response{answer(404, ``)}, provider.ClassBadResponse, ""},
		"a limit beside a word": {
			[]*provider.Response{answer(200, `{"status":"Processing","base_resp":{"status_code":1002}}`)}, provider.ClassRateLimited, "1002",
		},
		"no word":              {[]*provider.Response{answer(200, `{"base_resp":{"status_code":0}}`)}, provider.ClassBadResponse, "no_status"},
		"a success of nothing": {[]*provider.Response{answer(200, `{"status":"Success","file_id":""}`)}, provider.ClassBadResponse, "no_file_id"},
		"a success of a zero":  {[]*provider.Response{answer(200, `{"status":"Success","file_id":0}`)}, provider.ClassBadResponse, "no_file_id"},
		"half an answer":       {[]*provider.Response{answer(200, succeeded[:50])}, provider.ClassBadResponse, "not_json"},
		"a file that is gone": {
			[]*provider.Response{ok, answer(200, `{"base_resp":{"status_code":2013}}`)}, provider.ClassInvalidRequest, "2013",
		},
		"a file that is nothing": {
			[]*provider.Response{ok, answer(200, `{"file":{"download_url":"ftp://a"}}`)}, provider.ClassBadResponse, "no_video",
		},
		"a limit of files": {[]*provider.Response{ok, answer(429, `{"base_resp":{"status_code":1002}}`)}, provider.ClassRateLimited, "1002"},
		"half a file":      {[]*provider.Response{ok, answer(200, retrieved[:80])}, provider.ClassBadResponse, "not_json"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			state, _, err := follow(t, tc.answers...)
			e := errorOf(t, err)
			if e.Class != tc.class || e.Code != tc.code || state.Status != "" || state.Gone {
				t.Errorf("error = %v, state = %+v; want %s %s", e, state, tc.class, tc.code)
			}
		})
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	step, err := Video().Cancel(t.Context(), upstream(hailuo02), provider.Task{ID: "176"}, tuesday)
	if step != nil || err != nil {
		t.Errorf("Cancel() = %v, %v; the vendor has no such call", step, err)
	}
}
