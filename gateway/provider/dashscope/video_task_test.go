package dashscope

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// task is a task of the tests: of three images, by its state.
func task() provider.Task { return provider.Task{ID: "a-1/2", State: "3"} }

// filming is a task of a video that was submitted on Tuesday.
func filming() provider.Task { return provider.Task{ID: "a-1/2", State: "1795507200"} }

func TestPoll(t *testing.T) {
	t.Parallel()
	step, err := Video().Poll(t.Context(), upstream("m"), filming(), tuesday)
	if err != nil {
		t.Fatal(err)
	}
	want := "GET https://dashscope.aliyuncs.com/api/v1/tasks/a-1%2F2"
	if got := step.Request.Method + " " + step.Request.URL.String(); got != want || step.Paid || step.Request.Body != nil {
		t.Errorf("call = %s, paid %v; want %s without a body, free", got, step.Paid, want)
	}
	if step.Request.Header.Get("Authorization") != "Bearer "+key || step.Request.Header.Values("X-DashScope-Async") != nil {
		t.Errorf("header = %v, want the key, and no word of being asynchronous", step.Request.Header)
	}
	state, next, err := step.Read(answer(http.StatusOK, `{"output":{"task_status":"RUNNING"}}`))
	if err != nil || next != nil || state.Status != provider.TaskInProgress {
		t.Errorf("Read() = %+v, %v, %v", state, next, err)
	}
}

// poll reads a poll that tells something.
func poll(t *testing.T, body string) provider.TaskState {
	t.Helper()
	got, err := readState(answer(http.StatusOK, body), filming())
	if err != nil {
		t.Fatalf("readState() error = %v", err)
	}
	return got
}

func TestTaskStatus(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]provider.TaskState{
		"PENDING":   {Status: provider.TaskQueued},
		"RUNNING":   {Status: provider.TaskInProgress},
		"running":   {Status: provider.TaskInProgress},
		"SUSPENDED": {Status: provider.TaskInProgress}, // nobody knows the word
		"CANCELED":  {Status: provider.TaskCancelled},
		"CANCELLED": {Status: provider.TaskCancelled},
		"UNKNOWN":   {Gone: true},
		"unknown":   {Gone: true},
	} {
		t.Run(word, func(t *testing.T) {
			t.Parallel()
			want.Progress = -1
			if diff := cmp.Diff(want, poll(t, `{"request_id":"r","output":{"task_id":"a-1","task_status":"`+word+`"}}`)); diff != "" {
				t.Errorf("state (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTaskWithVideo(t *testing.T) {
	t.Parallel()
	known := func(n int64) provider.Usage { return provider.Usage{Known: true, Seconds: n} }
	tests := map[string]struct {
		usage   string
		seconds float64
		want    provider.Usage
	}{
		"numbers": {
			`{"duration":5,"output_video_duration":5,"input_video_duration":0,"SR":720,"size":"1280*720","fps":30,"video_count":1,"audio":true}`,
			5, known(5),
		},
		"fractions and text":                   {`{"duration":5.0,"output_video_duration":"5.0","SR":"720P"}`, 5, known(5)},
		"the next second is billed":            {`{"duration":5.04}`, 5.04, known(6)},
		"what is billed is more than was made": {`{"duration":9,"output_video_duration":5,"input_video_duration":4}`, 5, known(9)},
		"only what was made":                   {`{"output_video_duration":5}`, 5, known(5)},
		"an older name":                        {`{"video_duration":5,"video_ratio":"1280*720"}`, 5, known(5)},
		"no length is not a length of zero":    {`{"duration":0}`, 0, provider.Usage{}},
		"lengths that cannot be":               {`{"duration":1e300,"output_video_duration":-5}`, 0, provider.Usage{}},
		"an hour and more cannot be":           {`{"duration":3601}`, 0, provider.Usage{}},
		"no usage":                             {`null`, 0, provider.Usage{}},
		"usage that is none":                   {`"much"`, 0, provider.Usage{}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const address = "https://f.example.com/v.mp4?Expires=1"
			want := provider.TaskState{
				Status: provider.TaskCompleted, Progress: -1, Usage: tc.want,
				Files: []provider.TaskFile{{URL: address, ContentType: "video/mp4", Lifetime: 24 * time.Hour, Seconds: tc.seconds}},
			}
			body := `{"output":{"task_status":"SUCCEEDED","video_url":"` + address + `","orig_prompt":"a"},"usage":` + tc.usage + `}`
			if diff := cmp.Diff(want, poll(t, body)); diff != "" {
				t.Errorf("state (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTaskThatFailed(t *testing.T) {
	t.Parallel()
	lost := *provider.BadResponse(200, "no_video", "The task has succeeded without a video.")
	tests := map[string]struct {
		output string
		want   provider.Error
	}{
		"for a reason": {
			`"task_status":"FAILED","code":"DataInspectionFailed","message":"No."`,
			provider.Error{Class: provider.ClassModeration, Code: "DataInspectionFailed", Message: "No.", RequestID: "r-1"},
		},
		"without a message": {
			`"task_status":"FAILED","code":"InvalidParameter"`,
			provider.Error{Class: provider.ClassInvalidRequest, Code: "InvalidParameter", RequestID: "r-1"},
		},
		"without a code":    {`"task_status":"FAILED","message":"No."`, provider.Error{Code: "task_failed", Message: "No.", RequestID: "r-1"}},
		"without a word":    {`"task_status":"failed"`, provider.Error{Code: "task_failed", RequestID: "r-1"}},
		"without a video":   {`"task_status":"SUCCEEDED","video_url":null`, lost},
		"with a wrong link": {`"task_status":"SUCCEEDED","video_url":"oss://bucket/v.mp4"`, lost},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.want.Status = http.StatusOK
			want := provider.TaskState{Status: provider.TaskFailed, Progress: -1, Failure: &tc.want}
			if diff := cmp.Diff(want, poll(t, `{"request_id":"r-1","output":{`+tc.output+`},"usage":{"duration":5}}`)); diff != "" {
				t.Errorf("state (-want +got):\n%s", diff)
			}
		})
	}
}

// The vendor's times have no zone; the task was submitted on Tuesday at 08:00 UTC.
func TestFinishedAt(t *testing.T) {
	t.Parallel()
	finished := tuesday.Add(3 * time.Minute).Add(250 * time.Millisecond)
	tests := map[string]struct {
		submit, end, state string
		want               time.Time
	}{
		"Beijing":  {"2026-11-24 16:00:01.500", "2026-11-24 16:03:00.250", filming().State, finished},
		"UTC":      {"2026-11-24 07:59:58.000", "2026-11-24 08:03:00.250", filming().State, finished},
		"Virginia": {"2026-11-24 03:00:00.000", "2026-11-24 03:03:00.250", filming().State, finished},
		"India":    {"2026-11-24 13:30:00.000", "2026-11-24 13:33:00.250", filming().State, finished},
		"over midnight": {
			"2026-11-24 23:59:59.999", "2026-11-25 00:03:00.000", "1795536000", time.Date(2026, 11, 24, 16, 3, 0, 0, time.UTC),
		},
		"no fractions":          {"2026-11-24 16:00:01", "2026-11-24 16:03:00", filming().State, tuesday.Add(3 * time.Minute)},
		"another day":           {"2026-11-25 16:00:00.000", "2026-11-25 16:03:00.000", filming().State, time.Time{}},
		"before the beginning":  {"2026-11-24 16:00:01.500", "2026-11-24 15:59:00.250", filming().State, time.Time{}},
		"weeks later":           {"2026-11-24 16:00:01.500", "2026-12-24 15:59:00.250", filming().State, time.Time{}},
		"no beginning":          {"", "2026-11-24 16:03:00.250", filming().State, time.Time{}},
		"no end":                {"2026-11-24 16:00:01.500", "soon", filming().State, time.Time{}},
		"a state that was lost": {"2026-11-24 16:00:01.500", "2026-11-24 16:03:00.250", "", time.Time{}},
		"a state that is wrong": {"2026-11-24 16:00:01.500", "2026-11-24 16:03:00.250", "-5", time.Time{}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := `{"output":{"task_status":"CANCELED","submit_time":"` + tc.submit + `","end_time":"` + tc.end + `"}}`
			got, err := readState(answer(http.StatusOK, body), provider.Task{ID: "a-1", State: tc.state})
			if err != nil || !got.FinishedAt.Equal(tc.want) {
				t.Errorf("FinishedAt = %s, %v; want %s", got.FinishedAt, err, tc.want)
			}
		})
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		status int
		body   string
		look   bool // the task is looked at
	}{
		"it was cancelled":                {200, `{"request_id":"r"}`, true},
		"it was cancelled without a word": {204, ``, true},
		"it runs":                         {400, `{"code":"UnsupportedOperation","message":"No.","request_id":"r"}`, true},
		"it runs, in another word":        {409, `{"code":"TaskRunning"}`, true},
		"it is not known":                 {404, `{"code":"NotFound"}`, true},
		"there is no such call":           {404, `<html>`, true},
		"there is no such call at all":    {405, ``, true},
		"the key is wrong":                {401, `{"code":"InvalidApiKey"}`, false},
		"the key may not":                 {403, `{"code":"AccessDenied"}`, false},
		"too many calls":                  {429, `{"code":"Throttling"}`, false},
		"the vendor is broken":            {500, `{"code":"InternalError"}`, false},
		"a redirect leads nowhere":        {302, ``, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			step, err := Video().Cancel(t.Context(), upstream("m"), filming(), tuesday)
			if err != nil {
				t.Fatal(err)
			}
			const want = "POST https://dashscope.aliyuncs.com/api/v1/tasks/a-1%2F2/cancel"
			if got := step.Request.Method + " " + step.Request.URL.String(); got != want || step.Paid {
				t.Errorf("call = %s, paid %v; want %s, free", got, step.Paid, want)
			}
			_, look, err := step.Read(answer(tc.status, tc.body))
			if !tc.look {
				if e := errorOf(t, err); look != nil || e.Status != tc.status {
					t.Errorf("next = %v, error = %v; want the vendor's status", look, e)
				}
				return
			}
			if err != nil || look == nil || look.Paid || look.Request.Method != http.MethodGet || look.Request.URL.Path != "/api/v1/tasks/a-1/2" {
				t.Fatalf("next = %+v, error = %v; want a look at the task", look, err)
			}
			state, next, err := look.Read(answer(http.StatusOK, `{"output":{"task_status":"RUNNING"}}`))
			if err != nil || next != nil || state.Status != provider.TaskInProgress {
				t.Errorf("state = %+v, %v, %v; want what the look tells", state, next, err)
			}
		})
	}
}
