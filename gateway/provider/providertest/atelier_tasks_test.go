package providertest

import (
	"context"
	"errors"
	"net/http"
	"time"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// atelierTasks makes films and songs.
type atelierTasks struct{ atelierAdapter }

func (a *atelierTasks) SubmitVideo(ctx context.Context, up *provider.Upstream, in *provider.VideoRequest) (*provider.Submission, error) {
	seconds := int64(in.Duration)
	if seconds == 0 {
		seconds = 6
	}
	if seconds != 6 && seconds != 10 {
		if !a.has("refuses without a reason") {
			return nil, provider.Invalid("duration", "The durations are 6 and 10 seconds.")
		}
		return nil, provider.Invalid("duration", "No.")
	}
	body := provider.Body{"prompt": in.Prompt, "seconds": seconds, "token": in.ID}
	if a.has("the vendor's own duration") && in.Duration == 0 {
		delete(body, "seconds")
	}
	return a.submission(ctx, up, "/films", body, provider.Billing{Seconds: seconds}, nil)
}

func (a *atelierTasks) SubmitMusic(ctx context.Context, up *provider.Upstream, in *provider.MusicRequest) (*provider.Submission, error) {
	body := provider.Body{"prompt": in.Prompt, "count": in.N, "token": in.ID}
	var warnings []string
	if in.Duration > 0 && !a.has("silent about what it ignores") {
		warnings = append(warnings, "The duration is a hint.")
	}
	return a.submission(ctx, up, "/songs", body, provider.Billing{Songs: int64(in.N)}, warnings)
}

// submission makes a task.
func (a *atelierTasks) submission(ctx context.Context, up *provider.Upstream, path string, body provider.Body, billing provider.Billing, warnings []string) (*provider.Submission, error) {
	req, err := a.request(ctx, http.MethodPost, path, up, body)
	if err != nil {
		return nil, err
	}
	read := func(r *provider.Response) (provider.Task, *provider.Step[provider.Task], error) {
		var got atelierImages
		if err := a.read(r, &got); err != nil {
			return provider.Task{}, nil, err
		}
		if got.Task == "" && !a.has("tasks without an id") {
			return provider.Task{}, nil, provider.BadResponse(r.Status, "", "no task")
		}
		return provider.Task{ID: got.Task, State: a.state()}, nil, nil
	}
	return &provider.Submission{
		Step: &provider.Step[provider.Task]{Request: req, Paid: !a.has("free tasks"), Read: read}, Billing: billing, Warnings: warnings,
	}, nil
}

func (a *atelierTasks) Poll(ctx context.Context, up *provider.Upstream, t provider.Task, _ time.Time) (*provider.Step[provider.TaskState], error) {
	req, err := a.request(ctx, http.MethodGet, "/tasks/"+t.ID, up, nil)
	if err != nil {
		return nil, err
	}
	return &provider.Step[provider.TaskState]{Request: req, Paid: a.has("paid polls"), Read: a.look}, nil
}

func (a *atelierTasks) Cancel(ctx context.Context, up *provider.Upstream, t provider.Task, _ time.Time) (*provider.Step[provider.TaskState], error) {
	action := "/stop"
	switch a.flaw {
	case "no cancel":
		return nil, nil //nolint:nilnil // as the contract has it
	case "cancel destroys":
		action = "/delete"
	case "cancel does nothing":
		action = "/look"
	}
	req, err := a.request(ctx, http.MethodPost, "/tasks/"+t.ID+action, up, nil)
	if err != nil {
		return nil, err
	}
	return &provider.Step[provider.TaskState]{Request: req, Read: func(r *provider.Response) (provider.TaskState, *provider.Step[provider.TaskState], error) {
		state, next, err := a.look(r)
		if a.has("cancel claims") && err == nil {
			return provider.TaskState{Status: provider.TaskCancelled, Progress: -1}, nil, nil
		}
		if a.has("cancel complains") && err == nil && state.Status != provider.TaskCancelled {
			return state, nil, provider.BadResponse(r.Status, "", "too late")
		}
		return state, next, err
	}}, nil
}

// atelierState is an answer about a task.
type atelierState struct {
	State   string        `json:"state"`
	Percent *int          `json:"percent"`
	Counted *int64        `json:"counted"`
	Ended   int64         `json:"ended"`
	Reason  *atelierError `json:"reason"`
	Files   []struct {
		URL  string `json:"url"`
		Type string `json:"type"`
	} `json:"files"`
}

// look reads where a task is.
func (a *atelierTasks) look(r *provider.Response) (provider.TaskState, *provider.Step[provider.TaskState], error) {
	state := provider.TaskState{Progress: -1}
	var got atelierState
	if err := a.read(r, &got); err != nil {
		e, _ := errors.AsType[*provider.Error](err)
		switch {
		case e != nil && e.Code == "task" && a.has("gone is failed"):
			return provider.TaskState{Status: provider.TaskFailed, Failure: e}, nil, nil
		case e != nil && e.Code == "task":
			return provider.TaskState{Gone: true, Progress: -1}, nil, nil
		case e != nil && a.has("a failed poll is a failed task"):
			return provider.TaskState{Status: provider.TaskFailed, Failure: e}, nil, nil
		}
		return state, nil, err
	}
	if got.Percent != nil && *got.Percent >= 0 && *got.Percent <= 100 || a.has("any progress") && got.Percent != nil {
		state.Progress = *got.Percent
	}
	switch got.State {
	case "waiting":
		state.Status = provider.TaskQueued
	case "working":
		state.Status = provider.TaskInProgress
		if a.has("impatient") {
			state.Status, state.Failure = provider.TaskFailed, &provider.Error{}
		}
	case "stopped":
		state.Status = provider.TaskCancelled
	case "broken":
		return a.broken(r, state, got)
	case "done":
		return a.done(r, state, got)
	case "":
		return state, nil, provider.BadResponse(r.Status, "", "no state")
	default:
		state.Status = provider.TaskInProgress
	}
	return state, nil, nil
}

// broken is a task that failed.
func (a *atelierTasks) broken(r *provider.Response, state provider.TaskState, got atelierState) (provider.TaskState, *provider.Step[provider.TaskState], error) {
	state.Status = provider.TaskFailed
	if got.Reason == nil {
		got.Reason = &atelierError{Code: "oops"}
	}
	switch a.flaw {
	case "a failed task is an error":
		return state, nil, a.error(r.Status, got.Reason)
	case "fails without a reason":
		return state, nil, nil
	}
	state.Failure = a.error(r.Status, got.Reason)
	return state, nil, nil
}

// done is a task that has a result.
func (a *atelierTasks) done(r *provider.Response, state provider.TaskState, got atelierState) (provider.TaskState, *provider.Step[provider.TaskState], error) {
	state.Status = provider.TaskCompleted
	for _, f := range got.Files {
		if f.URL != "" || a.has("files of nothing") {
			state.Files = append(state.Files, provider.TaskFile{URL: f.URL, ContentType: "audio/mpeg", Lifetime: lifetime})
			if f.Type == "video/mp4" {
				state.Files[len(state.Files)-1].ContentType = f.Type
			}
		}
	}
	if len(state.Files) == 0 && !a.has("completed with nothing") {
		return state, nil, provider.BadResponse(r.Status, "", "no files")
	}
	if got.Counted != nil {
		state.Usage = provider.Usage{Known: true, Seconds: *got.Counted, Songs: *got.Counted}
	}
	if got.Ended > 0 {
		state.FinishedAt = time.Unix(got.Ended, 0)
	}
	switch a.flaw {
	case "another time zone":
		state.FinishedAt = state.FinishedAt.Add(8 * time.Hour)
	case "addresses without a signature":
		for i := range state.Files {
			state.Files[i].URL, _, _ = cutQuery(state.Files[i].URL)
		}
	case "miscounts":
		state.Usage.Seconds++
	case "counts nothing":
		state.Usage = provider.Usage{}
	case "half of the songs":
		state.Files = state.Files[:(len(state.Files)+1)/2]
	}
	return state, nil, nil
}
