package ark

import (
	"context"
	"math"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// maxSeconds bounds what is believed of a video's length.
const maxSeconds = 3600

// Poll implements provider.Tasks.
func (videos) Poll(ctx context.Context, up *provider.Upstream, t provider.Task, _ time.Time) (*provider.Step[provider.TaskState], error) {
	return taskStep(ctx, http.MethodGet, up, t)
}

// taskStep is a call about one task that answers where it is.
func taskStep(ctx context.Context, method string, up *provider.Upstream, t provider.Task) (*provider.Step[provider.TaskState], error) {
	req, err := newCall(ctx, method, tasksPath+"/"+url.PathEscape(t.ID), up, nil)
	if err != nil {
		return nil, err
	}
	return &provider.Step[provider.TaskState]{Request: req, Read: readState}, nil
}

// Cancel implements provider.Tasks. A DELETE cancels a task that is queued, is refused while it runs, and destroys the record of
// one that has ended, the result with it. So the task is looked at first and deleted only while it is queued. It may begin to run
// in between: the refusal is followed by another look. It cannot run to its end in that time.
func (videos) Cancel(ctx context.Context, up *provider.Upstream, t provider.Task, _ time.Time) (*provider.Step[provider.TaskState], error) {
	var steps [3]*provider.Step[provider.TaskState]
	for i, method := range [...]string{http.MethodGet, http.MethodDelete, http.MethodGet} {
		var err error
		if steps[i], err = taskStep(ctx, method, up, t); err != nil {
			return nil, err
		}
	}
	look, remove, again := steps[0], steps[1], steps[2]
	look.Read = func(r *provider.Response) (provider.TaskState, *provider.Step[provider.TaskState], error) {
		state, _, err := readState(r)
		if err != nil || state.Status != provider.TaskQueued {
			return state, nil, err
		}
		return provider.TaskState{}, remove, nil
	}
	remove.Read = func(r *provider.Response) (provider.TaskState, *provider.Step[provider.TaskState], error) {
		root, err := readObject(r)
		switch e := root.Get("error").Exists(); {
		case err == nil && !e:
			return provider.TaskState{Status: provider.TaskCancelled, Progress: -1}, nil, nil
		case err == nil, refused(r):
			return provider.TaskState{}, again, nil
		}
		return provider.TaskState{}, nil, err
	}
	return look, nil
}

// refused says that Ark has understood a DELETE and not done it. Status and code of that are not documented.
func refused(r *provider.Response) bool {
	return r.Status >= 400 && r.Status < 500 && r.Status != http.StatusUnauthorized && r.Status != http.StatusTooManyRequests &&
		gjson.GetBytes(r.Body, "error").IsObject()
}

// readState reads a poll (ModelArk/1521309).
func readState(r *provider.Response) (provider.TaskState, *provider.Step[provider.TaskState], error) {
	root, err := readObject(r)
	if err != nil {
		if unknownTask(r) {
			return provider.TaskState{Gone: true, Progress: -1}, nil, nil
		}
		return provider.TaskState{}, nil, err
	}
	word := root.Get("status").Str
	if word == "" {
		return provider.TaskState{}, nil, provider.BadResponse(r.Status, "no_status", "The answer has no status of a task.")
	}
	s := provider.TaskState{Status: taskStatus(word), Progress: -1}
	switch s.Status {
	case provider.TaskCompleted:
		readVideo(root, &s)
	case provider.TaskFailed:
		s.Failure = taskFailure(root, word)
	default: // there is no more to tell
	}
	if s.Status.Ended() {
		s.FinishedAt = unixTime(root.Get("updated_at").Int())
	}
	return s, nil, nil
}

// unknownTask says that the vendor does not know the task. The code of that 404 is not documented; the one that is known to mean
// something else is a model that was switched off.
func unknownTask(r *provider.Response) bool {
	e := gjson.GetBytes(r.Body, "error")
	return r.Status == http.StatusNotFound && e.IsObject() && e.Get("code").Str != "ModelNotOpen"
}

// taskStatus translates a status.
func taskStatus(word string) provider.TaskStatus {
	switch strings.ToLower(word) {
	case "queued":
		return provider.TaskQueued
	case "succeeded":
		return provider.TaskCompleted
	case "failed", "expired":
		return provider.TaskFailed
	case "cancelled", "canceled":
		return provider.TaskCancelled
	}
	return provider.TaskInProgress
}

// readVideo reads the result of a task that has succeeded.
func readVideo(root gjson.Result, s *provider.TaskState) {
	file := provider.TaskFile{
		URL: address(root.Get("content.video_url")), ContentType: "video/mp4", Lifetime: lifetime, Seconds: videoSeconds(root),
	}
	if file.URL == "" {
		s.Status = provider.TaskFailed
		s.Failure = provider.BadResponse(http.StatusOK, "no_video", "The task has succeeded without a video.")
		return
	}
	s.Files = []provider.TaskFile{file}
	if file.Seconds > 0 {
		s.Usage = provider.Usage{
			Known: true, Seconds: int64(math.Ceil(file.Seconds)), CompletionTokens: max(root.Get("usage.completion_tokens").Int(), 0),
		}
	}
}

// videoSeconds is the length of a video, of which some tasks tell only the frames; 0 if it is not told.
func videoSeconds(root gjson.Result) float64 {
	seconds := root.Get("duration").Num
	if seconds <= 0 {
		seconds = root.Get("frames").Num / root.Get("framespersecond").Num
	}
	if seconds > 0 && seconds <= maxSeconds {
		return seconds
	}
	return 0
}

// taskFailure is why a task has failed. Lists call the error by another name than polls.
func taskFailure(root gjson.Result, word string) *provider.Error {
	for _, name := range [...]string{"error", "failure_reason"} {
		if e := root.Get(name); e.IsObject() {
			return reported(e, http.StatusOK)
		}
	}
	e := &provider.Error{Class: provider.ClassServerError, Status: http.StatusOK, Code: strings.ToLower(word)}
	if e.Code == "expired" {
		e.Class = provider.ClassTimeout
	}
	return e
}

// unixTime is a time in seconds, zero if it makes no sense.
func unixTime(seconds int64) time.Time {
	const year10000 = 253_402_300_800
	if seconds <= 0 || seconds >= year10000 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}
