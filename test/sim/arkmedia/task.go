package arkmedia

import (
	"fmt"
	"net/http"
	"time"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// How long records live.
const (
	keepTask      = 7 * 24 * time.Hour
	keepCancelled = 24 * time.Hour
)

// job is the simulator's part of a task. It does not change.
type job struct {
	*videoRequest
	video, last string // addresses; "" for a success without content
	failure     *problem
}

// submit serves the creation of a task.
func (s *Simulator) submit(v *studio.Visit) {
	q, p := s.readTask(v.Body)
	v.Entry.Model = q.Model
	if p != nil {
		s.refuse(v, p)
		return
	}
	mode := v.Mode(q.Prompt)
	if s.fails(v, mode, studio.Video) {
		return
	}
	q.ID = fmt.Sprintf("cgt-%s-%05x", s.Now().UTC().Format("20060102150405"), s.Next())
	j := &job{videoRequest: q, failure: laterFailure(mode)}
	if mode != studio.NoAudio && mode != studio.PartialOutput { // one video has no parts: none of it is there
		contentType := map[string]string{"mp4": "video/mp4", "mov": "video/quicktime"}[q.Format]
		j.video = v.Publish(q.Format, contentType, studio.MP4(time.Duration(q.Seconds)*time.Second))
		if q.lastFrame {
			j.last = v.Publish("png", "image/png", paint("png", q.Width, q.Height))
		}
	}
	t := &studio.Task{ID: q.ID, Kind: studio.Video, Model: q.Model, Units: int64(q.Seconds), Mode: mode, Data: j}
	if j.failure != nil {
		t.Mode = studio.TaskFailed
	}
	s.book(q.Order)
	s.Add(t)
	s.mu.Lock()
	s.tasks = append(s.tasks, t.ID)
	s.mu.Unlock()
	respond(v, mode, map[string]any{"id": t.ID})
}

// task returns a task that still has a record, and its status.
func (s *Simulator) task(id string) (t *studio.Task, status string) {
	t, state := s.Task(id)
	if t == nil {
		return nil, ""
	}
	age := s.Now().Sub(t.Created)
	j, _ := t.Data.(*job)
	words := map[studio.State]string{studio.Queued: "queued", studio.Running: "running", studio.Succeeded: "succeeded",
		studio.Failed: "failed", studio.Cancelled: "cancelled"}
	status = words[state]
	switch {
	case age > keepTask, state == studio.Cancelled && age > keepCancelled:
		return nil, ""
	case state < studio.Succeeded && age > time.Duration(j.expires)*time.Second:
		status = "expired"
	case state == studio.Cancelled && s.Alternate:
		status = "canceled"
	}
	return t, status
}

// lost is the answer about a task that is not there. Its code is not documented.
func lost(id string) *problem {
	return &problem{status: http.StatusNotFound, code: "ResourceNotFound", param: "id", message: "The task " + id + " does not exist."}
}

// poll serves the query of one task.
func (s *Simulator) poll(v *studio.Visit, id string) {
	mode := v.Mode("")
	if s.fails(v, mode, studio.Video) {
		return
	}
	t, status := s.task(id)
	if t == nil {
		s.refuse(v, lost(id))
		return
	}
	respond(v, mode, s.record(t, status, "error"))
}

// record is what the vendor tells of a task; errorName is how it calls the error there.
func (s *Simulator) record(t *studio.Task, status, errorName string) map[string]any {
	j, _ := t.Data.(*job)
	v := map[string]any{
		"id": t.ID, "model": t.Model, "status": status, errorName: nil,
		"created_at": t.Created.Unix(), "updated_at": s.updated(t, status).Unix(),
		"resolution": j.Resolution, "ratio": j.Ratio, "duration": j.Seconds, "framespersecond": framesPerSecond, "seed": j.seed,
		"generate_audio": j.Audio, "service_tier": j.tier, "execution_expires_after": j.expires, "priority": j.priority,
	}
	if j.frames > 0 {
		v["frames"] = j.frames
	}
	if j.draft {
		v["draft"] = true
	}
	if j.draftTask != "" {
		v["draft_task_id"] = j.draftTask
	}
	if j.safety != "" {
		v["safety_identifier"] = j.safety
	}
	if !s.Alternate {
		v["content"] = map[string]any{}
	}
	switch status {
	case "succeeded":
		v["content"] = j.content()
		v["usage"] = map[string]any{"completion_tokens": j.tokens(), "total_tokens": j.tokens()}
	case "failed":
		v[errorName] = map[string]any{"code": j.failure.code, "message": j.failure.message}
		if s.Alternate {
			v[errorName] = map[string]any{"code": j.failure.code}
		}
	}
	return v
}

func (j *job) content() map[string]any {
	content := map[string]any{}
	if j.video != "" {
		content["video_url"] = j.video
	}
	if j.last != "" {
		content["last_frame_url"] = j.last
	}
	return content
}

// updated is when the status last changed, near enough.
func (s *Simulator) updated(t *studio.Task, status string) time.Time {
	switch status {
	case "succeeded", "failed":
		return s.Finished(t)
	}
	return t.Created
}

// remove serves DELETE: it cancels what is queued, deletes the record (and so hides the result) of what is over, and refuses the
// rest. The documents at hand name no status or code for the refusal.
func (s *Simulator) remove(v *studio.Visit, id string) {
	mode := v.Mode("")
	if s.fails(v, mode, studio.Video) {
		return
	}
	if !s.Cancel(id) {
		switch t, status := s.task(id); {
		case t == nil:
			s.refuse(v, lost(id))
			return
		case status == "succeeded" || status == "failed" || status == "expired":
			s.Forget(id)
		default:
			s.refuse(v, known("OperationDenied.InvalidState", "The task "+id+" is "+status+": it cannot be cancelled or deleted."))
			return
		}
	}
	respond(v, mode, map[string]any{})
}
