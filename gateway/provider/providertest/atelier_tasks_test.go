package providertest

import (
	"context"
	"errors"
	"net/http"
	"strings"
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
func (a *atelierTasks) submission(
	ctx context.Context, up *provider.Upstream, path string, body provider.Body, billing provider.Billing, warnings []string,
) (*provider.Submission, error) {
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
	step := &provider.Step[provider.Task]{Request: req, Paid: !a.has("free tasks"), Read: read}
	return &provider.Submission{Step: step, Billing: billing, Warnings: warnings}, nil
}

// stateStep asks where a task is, readState reads the answer.
type (
	stateStep = provider.Step[provider.TaskState]
	readState = func(*provider.Response) (provider.TaskState, *stateStep, error)
)

func (a *atelierTasks) Poll(ctx context.Context, up *provider.Upstream, t provider.Task, _ time.Time) (*stateStep, error) {
	req, err := a.request(ctx, http.MethodGet, "/tasks/"+t.ID, up, nil)
	if err != nil {
		return nil, err
	}
	step := &stateStep{Request: req, Paid: a.has("paid polls"), Read: func(r *provider.Response) (provider.TaskState, *stateStep, error) {
		state, err := a.look(r)
		return state, nil, err
	}}
	if a.shelves {
		step.Read = a.fetcher(ctx, up, t)
	}
	return step, nil
}

// fetcher reads the answer to a poll, and goes for the files by a second call.
func (a *atelierTasks) fetcher(ctx context.Context, up *provider.Upstream, t provider.Task) readState {
	return func(r *provider.Response) (provider.TaskState, *stateStep, error) {
		state, err := a.look(r)
		if err != nil || state.Status != provider.TaskCompleted {
			return state, nil, err
		}
		if a.has("the second call has another context") {
			ctx = context.Background()
		}
		req, err := a.request(ctx, http.MethodGet, "/tasks/"+t.ID+"/files", up, nil)
		if err != nil {
			return state, nil, err
		}
		return provider.TaskState{}, &stateStep{Request: req, Read: func(r *provider.Response) (provider.TaskState, *stateStep, error) {
			files, err := a.look(r)
			if err != nil && a.has("the second call is never wrong") {
				return state, nil, nil
			}
			return files, nil, err
		}}, nil
	}
}

func (a *atelierTasks) Cancel(ctx context.Context, up *provider.Upstream, t provider.Task, _ time.Time) (*stateStep, error) {
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
	return &stateStep{Request: req, Read: func(r *provider.Response) (provider.TaskState, *stateStep, error) {
		state, err := a.look(r)
		switch {
		case err == nil && a.has("cancel claims"):
			state = provider.TaskState{Status: provider.TaskCancelled, Progress: -1}
		case err == nil && a.has("cancel complains") && state.Status != provider.TaskCancelled:
			err = provider.BadResponse(r.Status, "", "too late")
		}
		return state, nil, err
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
func (a *atelierTasks) look(r *provider.Response) (provider.TaskState, error) {
	state := provider.TaskState{Progress: -1}
	var got atelierState
	if err := a.read(r, &got); err != nil {
		e, _ := errors.AsType[*provider.Error](err)
		if e != nil && e.Code == "task" && !a.has("gone is failed") {
			state.Gone, err = true, nil
		}
		if e != nil && (a.has("a failed poll is a failed task") || a.has("gone is failed") && e.Code == "task") {
			state.Status, state.Failure, err = provider.TaskFailed, e, nil
		}
		return state, err
	}
	words := map[string]provider.TaskStatus{
		"waiting": provider.TaskQueued, "working": provider.TaskInProgress, "stopped": provider.TaskCancelled,
		"broken": provider.TaskFailed, "done": provider.TaskCompleted,
	}
	if state.Status = words[got.State]; state.Status == "" {
		state.Status = provider.TaskInProgress
	}
	if got.Percent != nil && (*got.Percent >= 0 && *got.Percent <= 100 || a.has("any progress")) {
		state.Progress = *got.Percent
	}
	err := a.end(r, &state, got)
	a.ruinState(&state)
	return state, err
}

// end fills in what a task that has ended has.
func (a *atelierTasks) end(r *provider.Response, state *provider.TaskState, got atelierState) error {
	switch {
	case got.State == "":
		return provider.BadResponse(r.Status, "", "no state")
	case got.State == "broken" && a.has("a failed task is an error"):
		return a.error(r.Status, got.Reason)
	case got.State == "broken":
		state.Failure = a.error(r.Status, got.Reason)
	case got.State == "done":
		return a.done(r, state, got)
	}
	return nil
}

// done fills in the results.
func (a *atelierTasks) done(r *provider.Response, state *provider.TaskState, got atelierState) error {
	for _, f := range got.Files {
		if f.URL == "" && !a.has("files of nothing") {
			continue
		}
		file := provider.TaskFile{URL: f.URL, ContentType: "audio/mpeg", Lifetime: lifetime}
		if f.Type == "video/mp4" {
			file.ContentType = f.Type
		}
		state.Files = append(state.Files, file)
	}
	if len(state.Files) == 0 && !a.has("completed with nothing") {
		return provider.BadResponse(r.Status, "", "no files")
	}
	if got.Counted != nil {
		state.Usage = provider.Usage{Known: true, Seconds: *got.Counted, Songs: *got.Counted}
	}
	if got.Ended > 0 {
		state.FinishedAt = time.Unix(got.Ended, 0)
	}
	return nil
}

// ruinState is what flawed adapters do to states.
func (a *atelierTasks) ruinState(state *provider.TaskState) {
	switch a.flaw {
	case "impatient":
		if state.Status == provider.TaskInProgress {
			state.Status, state.Failure = provider.TaskFailed, &provider.Error{}
		}
	case "fails without a reason":
		state.Failure = nil
	case "another time zone":
		state.FinishedAt = state.FinishedAt.Add(8 * time.Hour)
	case "addresses without a signature":
		for i := range state.Files {
			state.Files[i].URL, _, _ = strings.Cut(state.Files[i].URL, "?")
		}
	case "miscounts":
		state.Usage.Seconds++
	case "counts nothing":
		state.Usage = provider.Usage{}
	case "half of the songs":
		state.Files = state.Files[:(len(state.Files)+1)/2]
	}
}
