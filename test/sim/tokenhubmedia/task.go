package tokenhubmedia

import (
	"fmt"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// Job is what was asked for, with the defaults that bit: the Data of a task.
type Job struct {
	Prompt string
	// Width and Height are those of the image to come, in pixels; 0 for a video.
	Width, Height int
	// Logo says that the result is to carry the vendor's mark. Its default here is not documented; Tencent Cloud's is on.
	Logo bool
	// Revise says that the prompt is rewritten, which is the default of the same model at Tencent Cloud.
	Revise bool
	// References counts the images that were given.
	References int

	failure *problem
	address string // of the result; guarded by Simulator.mu
}

// newJob reads what all calls share.
func newJob(in values) *Job {
	on := func(name string) bool {
		return !in[name].Exists() || in[name].Int() == 1 // also of true
	}
	job := &Job{Prompt: in["prompt"].Str, Logo: on("logo_add"), Revise: on("revise"), References: len(in["images"].Array())}
	if in["image"].Exists() {
		job.References = 1
	}
	return job
}

// submit makes a task of a request. How many may run at a time is not documented; [studio.Concurrency] plays the limit.
func (s *Simulator) submit(c *call, job *Job, t *studio.Task) {
	f, over := c.fails(job.Prompt)
	if over {
		return
	}
	job.failure = f.failure
	t.ID = fmt.Sprintf("%s-task-%06d", t.Kind, s.Next())
	t.Model, t.Mode, t.Data = c.Entry.Model, f.mode, job
	s.Add(t)
	c.succeed(f, map[string]any{"id": t.ID, "object": string(t.Kind), "created_at": t.Created.Unix(), "status": "queued"})
}

// query answers where a task is. What an unknown id gets is not documented, and the list of codes has nothing nearer than a
// bad parameter; an id of the other kind counts as unknown.
func (s *Simulator) query(c *call, kind studio.Kind, describe func(*studio.Task, studio.State, map[string]any)) {
	t, state := s.Task(c.in["id"].Str)
	if t == nil || t.Kind != kind {
		c.refuse(invalid("id", "the task does not exist"))
		return
	}
	f, over := c.fails("")
	if over {
		return
	}
	answer := map[string]any{"object": string(kind), "created_at": t.Created.Unix()}
	if state >= studio.Succeeded {
		answer["completed_at"] = s.Finished(t).Unix()
	}
	switch state {
	case studio.Queued:
		answer["status"] = "queued"
	case studio.Running:
		answer["status"] = "in_progress"
	case studio.Succeeded:
		answer["status"] = "completed"
	default:
		job := t.Data.(*Job)
		answer["status"], answer["error"] = "failed", map[string]any{"code": job.failure.code, "message": job.failure.message}
	}
	describe(t, state, answer)
	c.succeed(f, answer)
}

// usage is what a task that succeeded has cost, in CNY, and how long it took, in seconds.
func (s *Simulator) usage(t *studio.Task, credits float64) map[string]any {
	return map[string]any{"credits": credits, "duration": s.Finished(t).Sub(t.Created).Seconds()}
}

// result returns the address of what a task has made, the same at each query.
func (s *Simulator) result(c *call, t *studio.Task, extension, contentType string, draw func(*Job) []byte) string {
	job := t.Data.(*Job)
	s.mu.Lock()
	address := job.address
	s.mu.Unlock()
	if address != "" {
		return address
	}
	address = s.publish(c.Visit, extension, contentType, draw(job), s.Finished(t).Add(lifetime))
	s.mu.Lock()
	defer s.mu.Unlock()
	if job.address == "" { // else a query at the same time was faster
		job.address = address
	}
	return job.address
}
