package tencent

import (
	"time"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// Job is what was asked for, with the defaults that bit: the Data of a task.
type Job struct {
	Prompt string
	// Width and Height are those of the image to come, in pixels; 0 for a video.
	Width, Height int
	// Seed is 0 when it is random, which it also is under Revise.
	Seed int64
	// Logo says that the result carries the vendor's mark, Revise that the prompt is rewritten.
	Logo, Revise bool
	// References counts the pictures that were given.
	References int

	product string
	failure *problem
	address string // of the result; guarded by Simulator.mu
}

// submit makes a job of a request.
func (s *Simulator) submit(c *call, job *Job, t *studio.Task) {
	f, over := c.fails(job.Prompt)
	if over {
		return
	}
	job.product, job.failure = c.product.name, f.failure
	t.Model, t.Mode, t.Data = c.Entry.Model, f.mode, job
	if !s.enqueue(c.product.name, t) {
		c.refuse(refusal(tooManyJobs, "another job is being processed"))
		return
	}
	c.succeed(f, map[string]any{"JobId": t.ID})
}

// query answers what a job has come to. Another product's job counts as none.
func (s *Simulator) query(c *call, unknown string, describe func(*studio.Task, *Job, studio.State) map[string]any) {
	t, state := s.Task(c.in["JobId"].Str)
	if t == nil || t.Data.(*Job).product != c.product.name {
		c.refuse(refusal(unknown, "there is no such job"))
		return
	}
	f, over := c.fails("")
	if over {
		return
	}
	c.succeed(f, describe(t, t.Data.(*Job), state))
}

// result returns the address of what a job has made, the same at each query. It ends at the given age, counted from the end of
// the job: nothing documented says that a later query renews it.
func (s *Simulator) result(c *call, t *studio.Task, lives time.Duration, extension, contentType string, draw func(*Job) []byte) string {
	job := t.Data.(*Job)
	s.mu.Lock()
	address := job.address
	s.mu.Unlock()
	if address != "" {
		return address
	}
	address = s.publish(c.Visit, extension, contentType, draw(job), s.Finished(t).Add(lives))
	s.mu.Lock()
	defer s.mu.Unlock()
	if job.address == "" { // else a query at the same time was faster
		job.address = address
	}
	return job.address
}
