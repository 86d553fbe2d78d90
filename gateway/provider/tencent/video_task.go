package tencent

import (
	"context"
	"net/http"
	"strings"
	"time"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// videoLifetime is how long the address of a video can be used.
const videoLifetime = 24 * time.Hour

// Poll implements provider.Tasks.
func (videos) Poll(ctx context.Context, up *provider.Upstream, t provider.Task, now time.Time) (*provider.Step[provider.TaskState], error) {
	req, err := newCall(ctx, up, queryVideo(), t.State, provider.Body{"JobId": t.ID}, now)
	if err != nil {
		return nil, err
	}
	return newStep(req, signerOf(up, queryVideo()), false, readState), nil
}

// Cancel implements provider.Tasks: the vendor has no such call.
func (videos) Cancel(context.Context, *provider.Upstream, provider.Task, time.Time) (*provider.Step[provider.TaskState], error) {
	return nil, nil
}

// readState reads a poll (document/api/1616/126162).
func readState(r *provider.Response) (provider.TaskState, error) {
	o, e := readPoll(r)
	if e != nil && unknownJob(e) {
		return provider.TaskState{Gone: true, Progress: -1}, nil
	}
	if e != nil {
		return provider.TaskState{}, e
	}
	s := provider.TaskState{Progress: -1}
	switch strings.ToUpper(text(o.Get("Status"))) {
	case "":
		return provider.TaskState{}, provider.BadResponse(r.Status, "no_status", "The answer has no status of a job.")
	case "WAIT":
		s.Status = provider.TaskQueued
	case "FAIL":
		s.Status, s.Failure = provider.TaskFailed, jobFailure(o, o.Get("ErrorCode").String(), o.Get("ErrorMessage").String())
	case "DONE":
		s.Status = provider.TaskCompleted
		file := provider.TaskFile{URL: fileAddress(o.Get("ResultVideoUrl")), ContentType: "video/mp4", Lifetime: videoLifetime}
		if file.URL == "" {
			s.Status, s.Failure = provider.TaskFailed, provider.BadResponse(http.StatusOK, "no_video", "The job is done and has made no video.")
			break
		}
		s.Files = []provider.TaskFile{file}
	default: // RUN, or a word that is not known
		s.Status = provider.TaskInProgress
	}
	return s, nil
}
