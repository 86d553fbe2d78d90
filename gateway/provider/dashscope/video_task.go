package dashscope

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// maxSeconds bounds what is believed of a video's length.
const maxSeconds = 3600

// stateRead reads an answer about a task.
type stateRead = func(*provider.Response) (provider.TaskState, *provider.Step[provider.TaskState], error)

// Poll implements provider.Tasks.
func (videos) Poll(ctx context.Context, up *provider.Upstream, t provider.Task, _ time.Time) (*provider.Step[provider.TaskState], error) {
	req, err := newLook(ctx, up, t)
	if err != nil {
		return nil, err
	}
	return &provider.Step[provider.TaskState]{Request: req, Read: stateReader(t)}, nil
}

// Cancel implements provider.Tasks. Only a queued task can be cancelled, and nothing is destroyed. What the vendor answers is not
// documented: neither to a task that was cancelled, nor to one that runs, has ended or is not known. So whatever the answer is, the
// task is looked at, unless the call has failed for a reason that has nothing to do with the task.
func (v videos) Cancel(
	ctx context.Context, up *provider.Upstream, t provider.Task, now time.Time,
) (*provider.Step[provider.TaskState], error) {
	req, err := newCall(ctx, http.MethodPost, taskPath(t)+"/cancel", up, nil)
	if err != nil {
		return nil, err
	}
	look, err := v.Poll(ctx, up, t, now)
	if err != nil {
		return nil, err
	}
	read := func(r *provider.Response) (provider.TaskState, *provider.Step[provider.TaskState], error) {
		if !success(r.Status) && !refused(r.Status) {
			return provider.TaskState{}, nil, failure(r)
		}
		return provider.TaskState{}, look, nil
	}
	return &provider.Step[provider.TaskState]{Request: req, Read: read}, nil
}

// refused says that a status may mean that the task cannot be cancelled (any more), or that there is no such call.
func refused(status int) bool {
	switch status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusConflict, http.StatusGone:
		return true
	}
	return false
}

// stateReader returns what reads the answer to a poll.
func stateReader(t provider.Task) stateRead {
	return func(r *provider.Response) (provider.TaskState, *provider.Step[provider.TaskState], error) {
		state, err := readState(r, t)
		return state, nil, err
	}
}

// readState reads the answer to a poll.
func readState(r *provider.Response, t provider.Task) (provider.TaskState, error) {
	p, err := readPhase(r)
	if err != nil {
		return provider.TaskState{}, err
	}
	s := provider.TaskState{Status: p.status, Progress: -1, Gone: p.gone}
	switch p.status {
	case provider.TaskCompleted:
		readVideo(&p, &s)
	case provider.TaskFailed:
		s.Failure = p.failure()
	default: // there is no more to tell
	}
	if s.Status.Ended() {
		s.FinishedAt = finishedAt(p.output, submission(t))
	}
	return s, nil
}

// submission is when a task was submitted, zero if it cannot be known.
func submission(t provider.Task) time.Time {
	seconds, err := strconv.ParseInt(t.State, 10, 64)
	if err != nil || seconds <= 0 || seconds > math.MaxUint32 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

// readVideo reads the result of a task that has succeeded. Its usage tells the resolution as well, as a number or as text, which is
// of no use here: the price was found when the task was submitted.
func readVideo(p *phase, s *provider.TaskState) {
	u := address(p.output.Get("video_url"))
	if u == "" {
		s.Status = provider.TaskFailed
		s.Failure = provider.BadResponse(http.StatusOK, "no_video", "The task has succeeded without a video.")
		return
	}
	usage := p.root.Get("usage")
	s.Files = []provider.TaskFile{{
		URL: u, ContentType: "video/mp4", Lifetime: lifetime,
		Seconds: seconds(usage, "output_video_duration", "duration", "video_duration"),
	}}
	if billed := seconds(usage, "duration", "output_video_duration", "video_duration"); billed > 0 {
		s.Usage = provider.Usage{Known: true, Seconds: int64(math.Ceil(billed))}
	}
}

// seconds is the first length that makes sense, 0 if there is none.
func seconds(usage gjson.Result, names ...string) float64 {
	for _, name := range names {
		if n, ok := number(usage.Get(name)); ok && n > 0 && n <= maxSeconds {
			return n
		}
	}
	return 0
}
