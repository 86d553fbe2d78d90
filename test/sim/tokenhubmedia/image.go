package tokenhubmedia

import "vipcloud.ai/vipcloud/test/sim/studio"

// What an image costs, in credits of one CNY.
const (
	imageCredits = 0.2
	liteCredits  = 0.099
)

// imageJob is a job of the size that was asked for, under either of its names.
func imageJob(c *call) *Job {
	job := newJob(c.in)
	size := c.in["resolution"].Str
	if size == "" {
		size = c.in["size"].Str
	}
	job.Width, job.Height = readSize(size)
	return job
}

// submitImage is /v1/api/image/submit.
func (s *Simulator) submitImage(c *call) {
	s.submit(c, imageJob(c), &studio.Task{Kind: studio.Image, Units: 1})
}

// queryImage is /v1/api/image/query. An image that waits is "pending" here and "queued" when it was submitted: both words are
// documented.
func (s *Simulator) queryImage(c *call) {
	s.query(c, studio.Image, func(t *studio.Task, state studio.State, answer map[string]any) {
		switch state {
		case studio.Queued:
			answer["status"] = "pending"
		case studio.Succeeded:
			answer["usage"] = s.usage(t, imageCredits)
			answer["data"] = images(t.Data.(*Job), t.Mode, func() string {
				return s.result(c, t, "png", "image/png", func(job *Job) []byte { return studio.PNG(job.Width, job.Height) })
			})
		}
	})
}

// images is the list of results. There is one, so a partial success has none.
func images(job *Job, mode studio.Mode, publish func() string) []map[string]any {
	if mode == studio.NoAudio || mode == studio.PartialOutput {
		return []map[string]any{}
	}
	image := map[string]any{"url": publish()}
	if job.Revise {
		image["revised_prompt"] = job.Prompt + ", in fine detail"
	}
	return []map[string]any{image}
}

// imageAtOnce is /v1/api/image/lite and /v1/wand/hunyuan-image/v3-generation. Of their answers only the list is documented,
// and that for the former alone.
func (s *Simulator) imageAtOnce(c *call) {
	job := imageJob(c)
	f, over := c.fails(job.Prompt)
	switch {
	case over:
		return
	case f.failure != nil:
		c.refuse(f.failure)
		return
	case f.mode == studio.TaskStuck:
		c.Play(studio.Stall)
		return
	case f.mode == studio.TaskSlow:
		for range 49 {
			c.Work()
		}
	}
	c.Work() // a client that leaves is billed all the same
	s.Bill(studio.Charge{ID: c.id, Kind: studio.Image, Model: c.Entry.Model, Units: 1})
	credits := imageCredits
	if c.in["rsp_img_type"].Exists() { // lite does not rewrite prompts
		job.Revise, credits = false, liteCredits
	}
	data := images(job, f.mode, func() string {
		return s.publish(c.Visit, "jpg", "image/jpeg", studio.JPEG(job.Width, job.Height), s.Now().Add(lifetime))
	})
	c.succeed(f, map[string]any{"object": "image", "created_at": s.Now().Unix(), "data": data, "usage": map[string]any{"credits": credits}})
}
