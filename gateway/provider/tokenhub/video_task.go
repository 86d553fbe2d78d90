package tokenhub

import (
	"context"
	"net/http"
	"time"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// videoLifetime is how long the address of a video can be used. The vendor does not say; it is 24 hours at Tencent Cloud and an hour
// by other accounts, and a client that believes the shorter time loses nothing.
const videoLifetime = time.Hour

// Poll implements provider.Tasks.
func (videos) Poll(ctx context.Context, up *provider.Upstream, t provider.Task, _ time.Time) (*provider.Step[provider.TaskState], error) {
	req, err := newQuery(ctx, videoQueryPath, up, t)
	if err != nil {
		return nil, err
	}
	read := func(r *provider.Response) (provider.TaskState, *provider.Step[provider.TaskState], error) {
		s, err := readState(r)
		return s, nil, err
	}
	return &provider.Step[provider.TaskState]{Request: req, Read: read}, nil
}

// Cancel implements provider.Tasks: the vendor has no such call.
func (videos) Cancel(context.Context, *provider.Upstream, provider.Task, time.Time) (*provider.Step[provider.TaskState], error) {
	return nil, nil
}

// readState reads the answer about a task.
func readState(r *provider.Response) (provider.TaskState, error) {
	root, status, e := readQuery(r)
	if e != nil && unknownTask(e) {
		return provider.TaskState{Gone: true, Progress: -1}, nil
	}
	if e != nil {
		return provider.TaskState{}, e
	}
	s := provider.TaskState{Status: provider.TaskInProgress, Progress: progress(root.Get("progress"))} // also for a word that is not known
	switch status {
	case statusQueued, statusPending:
		s.Status = provider.TaskQueued
	case statusFailed:
		s.Status, s.Failure = provider.TaskFailed, taskFailure(root)
	case statusCompleted:
		s.Status = provider.TaskCompleted
		readVideo(root, &s)
	}
	if s.Status.Ended() {
		s.FinishedAt = unixTime(root.Get("completed_at").Int())
	}
	return s, nil
}

// readVideo reads the result of a task that is completed.
func readVideo(root gjson.Result, s *provider.TaskState) {
	for _, v := range results(root) {
		if url := fileAddress(v.Get("url")); url != "" {
			s.Files = []provider.TaskFile{{URL: url, ContentType: "video/mp4", Lifetime: videoLifetime}}
			return
		}
	}
	s.Status = provider.TaskFailed
	if root.Get("error").IsObject() {
		s.Failure = taskFailure(root)
		return
	}
	s.Failure = provider.BadResponse(http.StatusOK, "no_video", "The task is completed and has made no video.")
}

// progress is how far a task is in percent, -1 if it is not told.
func progress(v gjson.Result) int {
	if v.Type != gjson.Number || v.Num < 0 || v.Num > 100 {
		return -1
	}
	return int(v.Num)
}

// unixTime is a time in seconds, zero if it makes no sense.
func unixTime(seconds int64) time.Time {
	const year10000 = 253_402_300_800
	if seconds <= 0 || seconds >= year10000 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}
