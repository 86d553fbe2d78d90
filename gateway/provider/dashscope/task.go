package dashscope

import (
	"context"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// lifetime is how long addresses of results can be used. Tasks are known as long.
const lifetime = 24 * time.Hour

// taskPath is where a task can be asked for.
func taskPath(t provider.Task) string { return "/tasks/" + url.PathEscape(t.ID) }

// newLook makes the request that asks where a task is.
func newLook(ctx context.Context, up *provider.Upstream, t provider.Task) (*http.Request, error) {
	return newCall(ctx, http.MethodGet, taskPath(t), up, nil)
}

// readTaskID reads the answer to a submission.
func readTaskID(r *provider.Response) (string, error) {
	root, err := readObject(r)
	if err != nil {
		return "", err
	}
	output := root.Get("output")
	if id := output.Get("task_id").Str; id != "" && word(id) == id {
		return id, nil
	}
	for _, o := range [...]gjson.Result{root, output} {
		if o.Get("code").Str != "" {
			return "", reported(o, r.Status)
		}
	}
	return "", provider.BadResponse(r.Status, "no_task_id", "The answer has no id of a task.")
}

// phase is what a poll tells of a task of any kind.
type phase struct {
	status provider.TaskStatus
	// gone says that the vendor does not know the task, or no longer: it says so with status 200.
	gone bool
	// root is the whole answer, output the part about the task.
	root, output gjson.Result
}

// readPhase reads the answer to a poll (model-studio/manage-asynchronous-tasks).
func readPhase(r *provider.Response) (phase, error) {
	root, err := readObject(r)
	if err != nil {
		return phase{}, err
	}
	p := phase{root: root, output: root.Get("output")}
	switch status := p.output.Get("task_status").Str; strings.ToUpper(status) {
	case "":
		return phase{}, provider.BadResponse(r.Status, "no_status", "The answer has no status of a task.")
	case "UNKNOWN":
		p.gone = true
	case "PENDING":
		p.status = provider.TaskQueued
	case "SUCCEEDED":
		p.status = provider.TaskCompleted
	case "FAILED":
		p.status = provider.TaskFailed
	case "CANCELED", "CANCELLED":
		p.status = provider.TaskCancelled
	default:
		p.status = provider.TaskInProgress
	}
	return p, nil
}

// failure is why a task has failed.
func (p *phase) failure() *provider.Error {
	e := reported(p.output, http.StatusOK)
	if e.Code == "" {
		e.Code = "task_failed"
	}
	e.RequestID = word(p.root.Get("request_id").Str)
	return e
}

// number reads a count or a length, which have been seen as numbers and as text. It says whether there is one that makes sense.
func number(v gjson.Result) (n float64, ok bool) {
	switch v.Type {
	case gjson.Number:
		n = v.Num
	case gjson.String:
		var err error
		if n, err = strconv.ParseFloat(v.Str, 64); err != nil {
			return 0, false
		}
	default:
		return 0, false
	}
	if !(n >= 0 && n <= math.MaxInt32) { // nor is NaN
		return 0, false
	}
	return n, true
}

// Bounds of what is believed of the vendor's clock: its distance from UTC, and how long a task takes.
const (
	maxZone     = 14 * time.Hour
	zoneStep    = 15 * time.Minute
	maxTaskTime = 7 * 24 * time.Hour
)

// finishedAt is when a task ended, zero if that cannot be known. The vendor writes local times without their zone: the zone is the
// distance between the time at which it says that the task was submitted, and the one at which it was.
func finishedAt(output gjson.Result, submitted time.Time) time.Time {
	begin, err := time.Parse(time.DateTime, output.Get("submit_time").Str)
	if err != nil {
		return time.Time{}
	}
	end, err := time.Parse(time.DateTime, output.Get("end_time").Str)
	zone := begin.Sub(submitted).Round(zoneStep)
	if err != nil || submitted.IsZero() || zone.Abs() > maxZone || end.Before(begin) || end.Sub(begin) > maxTaskTime {
		return time.Time{}
	}
	return end.Add(-zone)
}
