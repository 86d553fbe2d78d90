package minimax

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/gateway/jsonscan"
	"vipcloud.ai/vipcloud/gateway/provider"
)

// Where tasks are looked at and files are found, with the names of the ids.
const (
	queryPath    = "/query/video_generation?task_id="
	retrievePath = "/files/retrieve?file_id="
)

// lifetime is how long the address of a video is taken to be good. One hour, nine and a day are all told; every poll gives a fresh
// one.
const lifetime = time.Hour

// readObject returns the JSON object of a successful answer, which may tell of a failure.
func readObject(r *provider.Response) (gjson.Result, error) {
	if !success(r.Status) {
		return gjson.Result{}, failure(r.Status, r.Header, r.Body, "prompt")
	}
	body := bytes.TrimSpace(r.Body)
	if len(body) == 0 || body[0] != '{' || !jsonscan.Valid(body) {
		return gjson.Result{}, provider.BadResponse(r.Status, "not_json", "The answer is not a JSON object.")
	}
	return gjson.ParseBytes(body), nil
}

// refused returns the failure that the object of an answer tells of, nil if there is none.
func refused(r *provider.Response, root gjson.Result) error {
	if failedCode(root) == "" && !root.Get("error").IsObject() {
		return nil
	}
	return failure(r.Status, r.Header, r.Body, "prompt")
}

// identifier returns an id, which is a string or a number of digits beyond what a float holds; "" if it is none.
func identifier(v gjson.Result) string {
	id := v.Str
	if v.Type == gjson.Number && !strings.ContainsAny(v.Raw, ".-+eE") {
		id = v.Raw
	}
	if id == "0" || len(id) > maxWord || word(id) != id {
		return ""
	}
	return id
}

// readTask reads the answer to a submission.
func readTask(r *provider.Response) (provider.Task, *provider.Step[provider.Task], error) {
	root, err := readObject(r)
	if err == nil {
		err = refused(r, root)
	}
	if err != nil {
		return provider.Task{}, nil, err
	}
	id := identifier(root.Get("task_id"))
	if id == "" {
		return provider.Task{}, nil, provider.BadResponse(r.Status, "no_task_id", "The answer has no id of a task.")
	}
	return provider.Task{ID: id}, nil, nil
}

// Poll implements provider.Tasks. After a success a second call finds the file, each time anew, because addresses age.
func (videos) Poll(ctx context.Context, up *provider.Upstream, t provider.Task, _ time.Time) (*provider.Step[provider.TaskState], error) {
	req, err := newCall(ctx, http.MethodGet, queryPath+url.QueryEscape(t.ID), up, nil)
	if err != nil {
		return nil, err
	}
	read := func(r *provider.Response) (provider.TaskState, *provider.Step[provider.TaskState], error) {
		state, file, err := readState(r)
		if err != nil || file == "" {
			return state, nil, err
		}
		req, err := newCall(ctx, http.MethodGet, retrievePath+url.QueryEscape(file), up, nil)
		if err != nil {
			return provider.TaskState{}, nil, err
		}
		return provider.TaskState{}, &provider.Step[provider.TaskState]{Request: req, Read: readFile}, nil
	}
	return &provider.Step[provider.TaskState]{Request: req, Read: read}, nil
}

// Cancel implements provider.Tasks. The vendor has no such call.
func (videos) Cancel(context.Context, *provider.Upstream, provider.Task, time.Time) (*provider.Step[provider.TaskState], error) {
	return nil, nil
}

// readState reads a poll: the state, or the id of the file of a task that has succeeded. What the vendor answers about a task that
// it does not know is not documented, so nothing is Gone.
func readState(r *provider.Response) (state provider.TaskState, file string, err error) {
	root, err := readObject(r)
	if err != nil {
		return provider.TaskState{}, "", err
	}
	told := root.Get("status").Str
	status := taskStatus(told)
	if status == provider.TaskFailed {
		return provider.TaskState{Status: status, Progress: -1, Failure: taskFailure(r, root, told)}, "", nil
	}
	if err := refused(r, root); err != nil {
		return provider.TaskState{}, "", err
	}
	if told == "" {
		return provider.TaskState{}, "", provider.BadResponse(r.Status, "no_status", "The answer has no status of a task.")
	}
	if status != provider.TaskCompleted {
		return provider.TaskState{Status: status, Progress: -1}, "", nil
	}
	if file = identifier(root.Get("file_id")); file == "" {
		return provider.TaskState{}, "", provider.BadResponse(r.Status, "no_file_id", "The task has succeeded without a file.")
	}
	return provider.TaskState{}, file, nil
}

// taskStatus translates a status. Its case varies, and one source has Failed for Fail.
func taskStatus(told string) provider.TaskStatus {
	switch strings.ToLower(told) {
	case "preparing", "queueing":
		return provider.TaskQueued
	case "success":
		return provider.TaskCompleted
	case "fail", "failed":
		return provider.TaskFailed
	}
	return provider.TaskInProgress
}

// taskFailure is why a task has failed, which its base_resp tells.
func taskFailure(r *provider.Response, root gjson.Result, told string) *provider.Error {
	if failedCode(root) == "" {
		return &provider.Error{Class: provider.ClassServerError, Status: r.Status, Code: strings.ToLower(told)}
	}
	e := failure(r.Status, r.Header, r.Body, "prompt")
	e.RetryAfter = 0
	return e
}

// readFile reads where the file of a video is. When it was made does not matter: the address is as old as this answer.
func readFile(r *provider.Response) (provider.TaskState, *provider.Step[provider.TaskState], error) {
	root, err := readObject(r)
	if err == nil {
		err = refused(r, root)
	}
	if err != nil {
		return provider.TaskState{}, nil, err
	}
	for _, name := range [...]string{"file.download_url", "file.backup_download_url"} {
		if address := root.Get(name).Str; strings.HasPrefix(address, "https://") || strings.HasPrefix(address, "http://") {
			return provider.TaskState{
				Status: provider.TaskCompleted, Progress: -1,
				Files: []provider.TaskFile{{URL: address, ContentType: "video/mp4", Lifetime: lifetime}},
			}, nil, nil
		}
	}
	return provider.TaskState{}, nil, provider.BadResponse(r.Status, "no_video", "The file has no address.")
}
