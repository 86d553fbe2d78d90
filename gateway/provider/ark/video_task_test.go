package ark

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// tuesday is a time to ask at.
var tuesday = time.Date(2026, time.November, 24, 8, 0, 0, 0, time.UTC)

// task is a task of the tests.
func task() provider.Task { return provider.Task{ID: "cgt-1/2"} }

func TestPoll(t *testing.T) {
	t.Parallel()
	step, err := Video().Poll(t.Context(), upstream("m"), task(), tuesday)
	if err != nil {
		t.Fatal(err)
	}
	want := "GET https://ark.cn-beijing.volces.com/api/v3/contents/generations/tasks/cgt-1%2F2"
	if got := step.Request.Method + " " + step.Request.URL.String(); got != want || step.Paid || step.Request.Body != nil {
		t.Errorf("call = %s, paid %v; want %s without a body, free", got, step.Paid, want)
	}
	if step.Request.Header.Get("Authorization") != "Bearer "+key {
		t.Error("the key is missing")
	}
}

// poll reads a poll that tells something.
func poll(t *testing.T, status int, body string) provider.TaskState {
	t.Helper()
	got, next, err := readState(answer(status, body))
	if err != nil || next != nil {
		t.Fatalf("Read() next = %v, error = %v", next, err)
	}
	return got
}

// ended is the end of a task's record, and finished the time that it tells.
const ended = `,"created_at":1735689000,"updated_at":1735689600}`

var finished = time.Date(2025, time.January, 1, 0, 0, 0, 0, time.UTC)

func TestTaskStatus(t *testing.T) {
	t.Parallel()
	tests := map[string]provider.TaskState{
		"queued":    {Status: provider.TaskQueued},
		"Queued":    {Status: provider.TaskQueued},
		"running":   {Status: provider.TaskInProgress},
		"pondering": {Status: provider.TaskInProgress}, // nobody knows the word
		"cancelled": {Status: provider.TaskCancelled, FinishedAt: finished},
		"canceled":  {Status: provider.TaskCancelled, FinishedAt: finished},
	}
	for word, want := range tests {
		t.Run(word, func(t *testing.T) {
			t.Parallel()
			want.Progress = -1
			for _, content := range []string{"", `,"content":{},"error":null`} {
				if diff := cmp.Diff(want, poll(t, http.StatusOK, `{"status":"`+word+`"`+content+ended)); diff != "" {
					t.Errorf("state (-want +got):\n%s", diff)
				}
			}
		})
	}
	t.Run("a time that cannot be", func(t *testing.T) {
		t.Parallel()
		if got := poll(t, http.StatusOK, `{"status":"cancelled","updated_at":9e18}`); !got.FinishedAt.IsZero() {
			t.Errorf("FinishedAt = %s, want none", got.FinishedAt)
		}
	})
}

func TestTaskWithVideo(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		members string
		seconds float64
		usage   provider.Usage
	}{
		"whole seconds": {
			`"duration":5,"resolution":"720p","usage":{"completion_tokens":108900,"total_tokens":108900}`,
			5, provider.Usage{Known: true, Seconds: 5, CompletionTokens: 108900},
		},
		"the next second is billed":         {`"duration":5.04`, 5.04, provider.Usage{Known: true, Seconds: 6}},
		"frames":                            {`"frames":121,"framespersecond":24`, 121. / 24, provider.Usage{Known: true, Seconds: 6}},
		"frames if the model chose":         {`"duration":-1,"frames":48,"framespersecond":24`, 2, provider.Usage{Known: true, Seconds: 2}},
		"no length is not a length of zero": {`"duration":null`, 0, provider.Usage{}},
		"frames without a rate":             {`"frames":48,"framespersecond":0`, 0, provider.Usage{}},
		"a length that cannot be":           {`"duration":1e300`, 0, provider.Usage{}},
		"tokens that cannot be":             {`"duration":5,"usage":{"completion_tokens":-1}`, 5, provider.Usage{Known: true, Seconds: 5}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const address = "https://f.example.com/v.mp4?sign=1"
			want := provider.TaskState{
				Status: provider.TaskCompleted, Progress: -1, FinishedAt: finished, Usage: tc.usage,
				Files: []provider.TaskFile{{URL: address, ContentType: "video/mp4", Lifetime: 24 * time.Hour, Seconds: tc.seconds}},
			}
			body := `{"status":"succeeded","content":{"video_url":"` + address + `"},` + tc.members + ended
			if diff := cmp.Diff(want, poll(t, http.StatusOK, body)); diff != "" {
				t.Errorf("state (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTaskThatFailed(t *testing.T) {
	t.Parallel()
	lost := *provider.BadResponse(200, "no_video", "The task has succeeded without a video.")
	tests := map[string]struct {
		body string
		want provider.Error
	}{
		"a success without a video":      {`{"status":"succeeded","content":{},"duration":5`, lost},
		"a success without content":      {`{"status":"succeeded"`, lost},
		"a video that cannot be fetched": {`{"status":"succeeded","content":{"video_url":"asset://x"}`, lost},
		"moderation": {
			`{"status":"failed","error":{"code":"OutputVideoSensitiveContentDetected","message":"No. Request id: 02ab"}`,
			provider.Error{
				Class: provider.ClassModeration, Code: "OutputVideoSensitiveContentDetected", Message: "No.", RequestID: "02ab",
			},
		},
		"no message": {
			`{"status":"failed","error":{"code":"InternalServiceError"}`,
			provider.Error{Class: provider.ClassServerError, Code: "InternalServiceError"},
		},
		"a mode that the model lacks": {
			`{"status":"failed","error":{"code":"InvalidParameter.TaskTypeMismatch","message":"no"}`,
			provider.Error{Class: provider.ClassInvalidRequest, Code: "InvalidParameter.TaskTypeMismatch", Message: "no"},
		},
		"the other name of errors": {
			`{"status":"failed","failure_reason":{"code":"InternalServiceError","message":"oh"}`,
			provider.Error{Class: provider.ClassServerError, Code: "InternalServiceError", Message: "oh"},
		},
		"no reason": {`{"status":"failed","error":null`, provider.Error{Class: provider.ClassServerError, Code: "failed"}},
		"expired":   {`{"status":"expired"`, provider.Error{Class: provider.ClassTimeout, Code: "expired"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.want.Status = http.StatusOK
			want := provider.TaskState{Status: provider.TaskFailed, Progress: -1, FinishedAt: finished, Failure: &tc.want}
			if diff := cmp.Diff(want, poll(t, http.StatusOK, tc.body+ended)); diff != "" {
				t.Errorf("state (-want +got):\n%s", diff)
			}
		})
	}
}

func TestUnknownTask(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"ResourceNotFound", "InvalidEndpointOrModel.NotFound", ""} {
		want := provider.TaskState{Gone: true, Progress: -1}
		if diff := cmp.Diff(want, poll(t, http.StatusNotFound, `{"error":{"code":"`+code+`"}}`)); diff != "" {
			t.Errorf("state with code %q (-want +got):\n%s", code, diff)
		}
	}
	others := map[string]provider.Class{
		`<html>404</html>`:                     provider.ClassBadResponse,
		``:                                     provider.ClassBadResponse,
		`{"detail":"Not Found"}`:               provider.ClassBadResponse,
		`{"error":{"code":"ModelNotOpen"}}`:    provider.ClassModelNotFound,
		`{"error":"there is no such address"}`: provider.ClassBadResponse,
	}
	for body, class := range others {
		state, _, err := readState(answer(http.StatusNotFound, body))
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
		"a queued task is deleted":            {"GET 200 queued, DELETE 200 nothing", "cancelled"},
		"a running task is left alone":        {"GET 200 running", "in_progress"},
		"a result is left alone":              {"GET 200 succeeded", "completed"},
		"a failed task is left alone":         {"GET 200 failed", "failed"},
		"an expired task is left alone":       {"GET 200 expired", "failed"},
		"a cancelled task stays so":           {"GET 200 cancelled", "cancelled"},
		"a state that nobody knows":           {"GET 200 pondering", "in_progress"},
		"an unknown task":                     {"GET 404 refusal", "gone"},
		"a task that began meanwhile":         {"GET 200 queued, DELETE 403 refusal, GET 200 running", "in_progress"},
		"a refusal by another status":         {"GET 200 queued, DELETE 400 refusal, GET 200 running", "in_progress"},
		"a refusal inside a success":          {"GET 200 queued, DELETE 200 refusal, GET 200 running", "in_progress"},
		"somebody else was first":             {"GET 200 queued, DELETE 409 refusal, GET 200 cancelled", "cancelled"},
		"somebody else deleted the record":    {"GET 200 queued, DELETE 404 refusal, GET 404 refusal", "gone"},
		"an answer that nobody understands":   {"GET 200 queued, DELETE 200 page", "bad_response"},
		"a proxy that refuses":                {"GET 200 queued, DELETE 403 page", "forbidden"},
		"too many requests":                   {"GET 200 queued, DELETE 429 refusal", "rate_limited"},
		"a key that was revoked meanwhile":    {"GET 200 queued, DELETE 401 page", "unauthorized"},
		"a vendor that is broken":             {"GET 200 queued, DELETE 500 page", "server_error"},
		"a redirect":                          {"GET 200 queued, DELETE 307 page", "bad_response"},
		"a look that fails":                   {"GET 503 page", "overloaded"},
		"a second look that fails":            {"GET 200 queued, DELETE 403 refusal, GET 500 page", "server_error"},
		"a task that is queued again somehow": {"GET 200 queued, DELETE 403 refusal, GET 200 queued", "queued"},
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
	step, err := Video().Cancel(t.Context(), upstream("m"), task(), tuesday)
	if err != nil {
		t.Fatal(err)
	}
	var state provider.TaskState
	for call := range strings.SplitSeq(calls, ", ") {
		part := strings.Fields(call)
		if step == nil {
			t.Fatalf("there is no %s", part[0])
		}
		const path = "/api/v3/contents/generations/tasks/cgt-1%2F2"
		if r := step.Request; r.Method != part[0] || r.URL.EscapedPath() != path || step.Paid {
			t.Fatalf("call = %s %s, paid %v; want %s %s, free", r.Method, r.URL.EscapedPath(), step.Paid, part[0], path)
		}
		status, _ := strconv.Atoi(part[1])
		state, step, err = step.Read(answer(status, cancelAnswer(part[2], status)))
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

// cancelAnswer is a body by its name: that of a task in a state if the name is no other.
func cancelAnswer(name string, status int) string {
	switch name {
	case "nothing":
		return `{}`
	case "page":
		return `<html></html>`
	case "refusal":
		if status == http.StatusTooManyRequests {
			return `{"error":{"code":"RequestBurstTooFast"}}`
		}
		return `{"error":{"code":"OperationDenied.InvalidState","message":"no"}}`
	}
	return `{"status":"` + name + `","content":{"video_url":"https://f.example.com/v"}}`
}
