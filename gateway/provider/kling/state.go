package kling

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// lifetime is how long results are kept.
const lifetime = 30 * 24 * time.Hour

// maxFileSeconds bounds what is believed of a video's length.
const maxFileSeconds = 3600

// Poll implements provider.Tasks. A task is known only to the generation of the API that made it.
func (videos) Poll(ctx context.Context, up *provider.Upstream, t provider.Task, now time.Time) (*provider.Step[provider.TaskState], error) {
	legacy := t.State != ""
	path, read := "/tasks?task_ids="+url.QueryEscape(t.ID), currentReader(t.ID)
	if legacy {
		path, read = legacyPath+url.PathEscape(t.State)+"/"+url.PathEscape(t.ID), readLegacy
	}
	req, err := newCall(ctx, http.MethodGet, path, up, nil, legacy, now)
	if err != nil {
		return nil, err
	}
	return &provider.Step[provider.TaskState]{Request: req, Read: read}, nil
}

// reader reads a poll.
type reader func(*provider.Response) (provider.TaskState, *provider.Step[provider.TaskState], error)

// names are what the members of a task are called.
type names struct{ status, message, updated, videos string }

// currentReader reads the array of tasks that the new API answers with. It was asked for one: an empty array means that the vendor
// does not know it; whether it says so by that or by an error is not documented.
func currentReader(id string) reader {
	return func(r *provider.Response) (provider.TaskState, *provider.Step[provider.TaskState], error) {
		data, err := readData(r)
		switch {
		case err != nil:
			return withoutData(r, err)
		case !data.IsArray():
			return provider.TaskState{}, nil, provider.BadResponse(r.Status, "no_tasks", "The answer has no list of tasks.")
		}
		tasks := data.Array()
		for _, task := range tasks {
			if identifier(task.Get("id")) == id {
				s, err := readState(r.Status, task, &names{"status", "message", "update_time", "outputs"})
				return s, nil, err
			}
		}
		if len(tasks) > 0 {
			return provider.TaskState{}, nil, provider.BadResponse(r.Status, "another_task", "The answer is about another task.")
		}
		return gone(), nil, nil
	}
}

// readLegacy reads the task that the older API answers with.
func readLegacy(r *provider.Response) (provider.TaskState, *provider.Step[provider.TaskState], error) {
	data, err := readData(r)
	if err != nil {
		return withoutData(r, err)
	}
	s, err := readState(r.Status, data, &names{"task_status", "task_status_msg", "updated_at", "task_result.videos"})
	return s, nil, err
}

// gone is the state of a task that the vendor does not know, or no longer.
func gone() provider.TaskState { return provider.TaskState{Gone: true, Progress: -1} }

// withoutData tells an unknown task from a poll that has failed.
func withoutData(r *provider.Response, err error) (provider.TaskState, *provider.Step[provider.TaskState], error) {
	unknown := r.Status == http.StatusNotFound || success(r.Status)
	if unknown && gjson.GetBytes(r.Body, "code").Int() == codeUnknown {
		return gone(), nil, nil
	}
	return provider.TaskState{}, nil, err
}

// readState reads a task.
func readState(status int, task gjson.Result, n *names) (provider.TaskState, error) {
	word := strings.ToLower(task.Get(n.status).Str)
	if word == "" {
		return provider.TaskState{}, provider.BadResponse(status, "no_status", "The answer has no status of a task.")
	}
	s := provider.TaskState{Status: taskStatus(word), Progress: -1}
	switch s.Status {
	case provider.TaskCompleted:
		if s.Files = files(task.Get(n.videos)); len(s.Files) == 0 {
			s.Status = provider.TaskFailed
			s.Failure = provider.BadResponse(status, "no_video", "The task has succeeded without a video.")
		}
	case provider.TaskFailed:
		s.Failure = taskFailure(status, word, task.Get(n.message).Str)
	default: // there is no more to tell
	}
	if s.Status.Ended() {
		s.FinishedAt = unixMilli(task.Get(n.updated).Int())
	}
	return s, nil
}

// taskStatus translates a status, which the two generations spell differently.
func taskStatus(word string) provider.TaskStatus {
	switch word {
	case "submitted":
		return provider.TaskQueued
	case "succeeded", "succeed":
		return provider.TaskCompleted
	case "failed":
		return provider.TaskFailed
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
		kind, video := v.Get("type").Str, address(v.Get("url"))
		if video == "" || kind != "" && kind != "video" {
			continue
		}
		f := provider.TaskFile{URL: video, ContentType: "video/mp4", Lifetime: lifetime, Seconds: seconds(v.Get("duration"))}
		found = append(found, f)
		if f.URL = address(v.Get("watermark_url")); f.URL != "" {
			f.Variant = "watermarked"
			found = append(found, f)
		}
	}
	return found
}

// seconds is the length of a video, which is a number in a string; 0 if it makes no sense.
func seconds(v gjson.Result) float64 {
	if s := v.Float(); s > 0 && s <= maxFileSeconds {
		return s
	}
	return 0
}

// moderated is what texts about content that was refused have in them. The vendor gives a reason and no code, and documents no
// texts; "risk control system" is what users report.
var moderated = regexp.MustCompile(`(?i)risk control|sensitive|moderat|content (?:safety|policy)|violat|风控|敏感|违规|审核`)

// taskFailure is why a task has failed.
func taskFailure(status int, word, reason string) *provider.Error {
	e := &provider.Error{Class: provider.ClassServerError, Status: status, Code: word, Message: message(reason)}
	if moderated.MatchString(e.Message) {
		e.Class = provider.ClassModeration
	}
	return e
}

// unixMilli is a time in milliseconds, zero if it makes no sense.
func unixMilli(ms int64) time.Time {
	const year10000 = 253_402_300_800_000
	if ms <= 0 || ms >= year10000 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
