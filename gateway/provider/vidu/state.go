package vidu

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// lifetime is how long a result can be fetched. The vendor says 24 hours in one place, and in an older one this, which is safe.
const lifetime = time.Hour

// stateStep is a call about a task that answers where it is.
type stateStep = provider.Step[provider.TaskState]

// Poll implements provider.Tasks.
func (videos) Poll(ctx context.Context, up *provider.Upstream, t provider.Task, _ time.Time) (*stateStep, error) {
	req, err := newCall(ctx, http.MethodGet, taskPath(t)+"/creations", up, nil)
	if err != nil {
		return nil, err
	}
	return &stateStep{Request: req, Read: readState}, nil
}

// taskPath is where a task is.
func taskPath(t provider.Task) string { return "/tasks/" + url.PathEscape(t.ID) }

// Cancel implements provider.Tasks. The vendor cancels a task that waits and refuses to cancel any other, which is followed by a
// look at where the task is. Nothing is deleted.
func (v videos) Cancel(ctx context.Context, up *provider.Upstream, t provider.Task, now time.Time) (*stateStep, error) {
	look, err := v.Poll(ctx, up, t, now)
	if err != nil {
		return nil, err
	}
	req, err := newCall(ctx, http.MethodPost, taskPath(t)+"/cancel", up, provider.Body{"id": t.ID})
	if err != nil {
		return nil, err
	}
	read := func(r *provider.Response) (provider.TaskState, *stateStep, error) {
		_, err := readObject(r)
		switch {
		case err == nil:
			return provider.TaskState{Status: provider.TaskCancelled, Progress: -1}, nil, nil
		case unknownTask(r):
			return provider.TaskState{Gone: true, Progress: -1}, nil, nil
		case refused(r):
			return provider.TaskState{}, look, nil
		}
		return provider.TaskState{}, nil, err
	}
	return &stateStep{Request: req, Read: read}, nil
}

// refused says that Vidu has understood a call and not done it.
func refused(r *provider.Response) bool {
	understood := success(r.Status) || r.Status == http.StatusBadRequest || r.Status == http.StatusConflict
	return understood && gjson.GetBytes(r.Body, "reason").Str != ""
}

// unknownTask says that the vendor does not know the task, or no longer.
func unknownTask(r *provider.Response) bool {
	reason := gjson.GetBytes(r.Body, "reason").Str
	return r.Status == http.StatusNotFound && (reason == "TaskNotFound" || reason == "CreationNotFound")
}

// readState reads a poll: platform.vidu.com/docs/get-generation.
func readState(r *provider.Response) (provider.TaskState, *stateStep, error) {
	root, err := readObject(r)
	if err != nil {
		return withoutState(r, err)
	}
	state := strings.ToLower(root.Get("state").Str)
	if state == "" {
		return provider.TaskState{}, nil, provider.BadResponse(r.Status, "no_state", "The answer has no state of a task.")
	}
	code := word(root.Get("err_code").Str)
	s := provider.TaskState{Status: taskStatus(state, code), Progress: -1}
	switch s.Status {
	case provider.TaskCompleted:
		if s.Files = files(root.Get("creations")); len(s.Files) == 0 {
			s.Status = provider.TaskFailed
			s.Failure = provider.BadResponse(r.Status, "no_video", "The task has succeeded without a video.")
		}
	case provider.TaskFailed:
		s.Failure = taskFailure(r.Status, state, code)
	default: // there is no more to tell
	}
	return s, nil, nil
}

// withoutState tells a task that is unknown, or that nobody wants any more, from a poll that has failed.
func withoutState(r *provider.Response, err error) (provider.TaskState, *stateStep, error) {
	switch {
	case unknownTask(r):
		return provider.TaskState{Gone: true, Progress: -1}, nil, nil
	case refused(r) && cancelled(gjson.GetBytes(r.Body, "reason").Str):
		return provider.TaskState{Status: provider.TaskCancelled, Progress: -1}, nil, nil
	}
	return provider.TaskState{}, nil, err
}

// cancelled says that a reason is that somebody did not want the task any more. The documents name the words and not when they are
// used.
func cancelled(reason string) bool {
	return strings.EqualFold(reason, "UserCancelled") || strings.EqualFold(reason, "Canceled")
}

// taskStatus translates a state. A task that was cancelled has failed, for the vendor; a word of its own is understood, too.
func taskStatus(state, code string) provider.TaskStatus {
	switch state {
	case "created", "queueing":
		return provider.TaskQueued
	case "success":
		return provider.TaskCompleted
	case "failed":
		if cancelled(code) {
			return provider.TaskCancelled
		}
		return provider.TaskFailed
	case "cancelled", "canceled":
		return provider.TaskCancelled
	}
	return provider.TaskInProgress
}

// files are the videos of a task, each followed by its marked form if that was asked for.
func files(list gjson.Result) []provider.TaskFile {
	var found []provider.TaskFile
	if !list.IsArray() {
		return nil
	}
	for _, v := range list.Array() {
		f := provider.TaskFile{URL: address(v.Get("url")), ContentType: "video/mp4", Lifetime: lifetime}
		if f.URL == "" {
			continue
		}
		found = append(found, f)
		if f.URL = address(v.Get("watermarked_url")); f.URL != "" {
			f.Variant = "watermarked"
			found = append(found, f)
		}
	}
	return found
}

// taskFailure is why a task has failed: a reason as errors have it, and no text.
func taskFailure(status int, state, code string) *provider.Error {
	if code == "" {
		return &provider.Error{Class: provider.ClassServerError, Status: status, Code: state}
	}
	class, known := reasonClass(code)
	if !known {
		class = provider.ClassServerError
	}
	return &provider.Error{Class: class, Status: status, Code: code, Param: publicParam(code)}
}
