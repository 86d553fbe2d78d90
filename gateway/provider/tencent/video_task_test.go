package tencent

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/provider"
)

func TestPoll(t *testing.T) {
	t.Parallel()
	step, err := videos{}.Poll(t.Context(), upstream(), provider.Task{ID: "12", State: "ap-beijing"}, tuesday)
	if err != nil {
		t.Fatal(err)
	}
	req, h := step.Request, step.Request.Header
	const address = "https://vclm.tencentcloudapi.com/"
	if step.Paid || req.Method != http.MethodPost || req.URL.String() != address || bodyOf(t, req) != `{"JobId":"12"}` {
		t.Errorf("call = %s %s, paid %v", req.Method, req.URL, step.Paid)
	}
	if h.Get("X-TC-Action") != "DescribeHunyuanToVideoJob" || h.Get("X-TC-Region") != "ap-beijing" ||
		h.Get("X-TC-Timestamp") != timestamp(tuesday) {
		t.Errorf("header = %v", h)
	}
}

func TestCancelDoesNotExist(t *testing.T) {
	t.Parallel()
	if step, err := (videos{}).Cancel(t.Context(), upstream(), provider.Task{ID: "12"}, tuesday); step != nil || err != nil {
		t.Errorf("Cancel() = %v, %v; want nothing", step, err)
	}
}

func TestReadState(t *testing.T) {
	t.Parallel()
	failed := func(class provider.Class, code, message string) provider.TaskState {
		return provider.TaskState{Status: provider.TaskFailed, Failure: &provider.Error{
			Class: class, Status: 200, Code: code, Message: message, RequestID: "r1",
		}}
	}
	lost := provider.TaskState{
		Status: provider.TaskFailed, Failure: provider.BadResponse(200, "no_video", "The job is done and has made no video."),
	}
	video := provider.TaskState{Status: provider.TaskCompleted, Files: []provider.TaskFile{
		{URL: "https://f.example.com/v?sign=1", ContentType: "video/mp4", Lifetime: 24 * time.Hour},
	}}
	tests := map[string]struct {
		members string
		want    provider.TaskState
	}{
		"waiting":                  {`"Status":"WAIT","ErrorCode":"","ResultVideoUrl":""`, provider.TaskState{Status: provider.TaskQueued}},
		"running":                  {`"Status":"RUN"`, provider.TaskState{Status: provider.TaskInProgress}},
		"small letters":            {`"Status":"wait"`, provider.TaskState{Status: provider.TaskQueued}},
		"a word that nobody knows": {`"Status":"PONDER"`, provider.TaskState{Status: provider.TaskInProgress}},
		"done":                     {`"Status":"DONE","ErrorCode":"","ResultVideoUrl":"https://f.example.com/v?sign=1"`, video},
		"done, and nothing":        {`"Status":"DONE","ResultVideoUrl":""`, lost},
		"done, and no address":     {`"Status":"DONE","ResultVideoUrl":"s3://bucket/v"`, lost},
		"failed": {
			`"Status":"FAIL","ErrorCode":"FailedOperation.ModerationFailed","ErrorMessage":"no"`,
			failed(provider.ClassModeration, "FailedOperation.ModerationFailed", "no"),
		},
		"failed without a reason": {`"Status":"FAIL","ErrorCode":"","ErrorMessage":""`, failed(provider.ClassServerError, "", "")},
		"not known":               {`"Error":{"Code":"FailedOperation.JobNotFound","Message":"no"}`, provider.TaskState{Gone: true}},
		"not there":               {`"Error":{"Code":"FailedOperation.JobNotExist","Message":"no"}`, provider.TaskState{Gone: true}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.want.Progress = -1
			got, err := readState(respond(tc.members + `,"RequestId":"r1"`))
			if diff := cmp.Diff(tc.want, got); err != nil || diff != "" {
				t.Errorf("error = %v, state (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestStatusThatIsNotTheVendorsSaysNothingOfAJob(t *testing.T) {
	t.Parallel()
	r := answer(http.StatusNotFound, `{"Response":{"Error":{"Code":"FailedOperation.JobNotExist","Message":"no"}}}`)
	if s, err := readState(r); s.Gone || errorOf(t, err).Status != http.StatusNotFound {
		t.Errorf("readState() = %+v, %v; want an error", s, err)
	}
	if a, err := readImages(r, job()); len(a.Images) > 0 || errorOf(t, err).Status != http.StatusNotFound {
		t.Errorf("readImages() = %+v, %v; want an error", a, err)
	}
}
