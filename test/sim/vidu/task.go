package vidu

import (
	"sync"
	"time"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// job is what a task was asked for. Only the files come later, under once.
type job struct {
	*order
	number int // of the account's tasks
	seed   int64

	once               sync.Once
	url, cover, marked string
}

func jobOf(t *studio.Task) *job { return t.Data.(*job) }

// credits is the price. No official table is known; what matters is that it is whole, and grows with length and resolution.
func (j *job) credits() int {
	second := map[string]int{"540p": 4, "720p": 10, "1080p": 12}[or(j.Resolution, "720p")]
	if or(j.OffPeak, false) {
		second /= 2
	}
	return second * or(j.Duration, 5)
}

// created is the answer to a submit.
func (x *exchange) created(t *studio.Task) any {
	j := jobOf(t)
	m := map[string]any{
		"task_id": t.ID, "state": "created", "model": t.Model, "prompt": or(j.Prompt, ""), "duration": t.Units, "seed": j.seed,
		"resolution": or(j.Resolution, "720p"), "movement_amplitude": or(j.MovementAmplitude, "auto"), "payload": or(j.Payload, ""),
		"credits": j.credits(), "off_peak": or(j.OffPeak, false), "created_at": t.Created.UTC().Format("2006-01-02T15:04:05.000000Z07:00"),
	}
	if j.Images == nil {
		m["aspect_ratio"] = or(j.AspectRatio, "16:9")
	} else {
		m["images"] = *j.Images
	}
	return m
}

// creations answers the poll.
func (x *exchange) creations(id string) *problem {
	t, state := x.Task(id)
	if t == nil {
		return &problem{"TaskNotFound", "the task does not exist"}
	}
	mode, failed := x.failsLater()
	if failed {
		return nil
	}
	j := jobOf(t)
	word, code := progress(t, state)
	m := map[string]any{"state": word, "err_code": code, "credits": j.credits(), "payload": or(j.Payload, ""), "bgm": or(j.BGM, false),
		"off_peak": or(j.OffPeak, false), "creations": []any{}}
	if j.number%2 == 0 { // documented in one place, missing in another
		m["id"] = t.ID
	}
	if state == studio.Succeeded && t.Mode != studio.NoAudio && t.Mode != studio.PartialOutput {
		x.publish(t)
		m["creations"] = []any{map[string]any{"id": t.ID + "1", "url": j.url, "cover_url": j.cover, "watermarked_url": j.marked}}
	}
	x.answer(mode, m)
	return nil
}

// progress returns state and err_code. That a cancelled task has failed with UserCancelled is likely, not documented.
func progress(t *studio.Task, state studio.State) (word, code string) {
	switch {
	case state == studio.Queued:
		return "queueing", ""
	case state == studio.Running:
		return "processing", ""
	case state == studio.Succeeded:
		return "success", ""
	case state == studio.Cancelled:
		return "failed", "UserCancelled"
	case t.Mode == studio.ModerationOutput:
		return "failed", "CreationPolicyViolation"
	}
	return "failed", "InternalServiceFailure"
}

// publish makes the files of a task, once.
func (x *exchange) publish(t *studio.Task) {
	j := jobOf(t)
	j.once.Do(func() {
		video := studio.MP4(time.Duration(t.Units) * time.Second)
		j.url = x.Publish("mp4", "video/mp4", video)
		j.cover = x.Publish("jpeg", "image/jpeg", studio.JPEG(256, 144))
		if or(j.Watermark, false) {
			j.marked = x.Publish("mp4", "video/mp4", video)
		}
	})
}

// cancel ends a task that waits. The body names the task again.
func (x *exchange) cancel(id string) *problem {
	if t, _ := x.Task(id); t == nil {
		return &problem{"TaskNotFound", "the task does not exist"}
	}
	var body struct {
		ID *string `json:"id"`
	}
	if p := x.read(&body); p != nil {
		return p
	}
	switch {
	case body.ID == nil:
		return lacking("id")
	case *body.ID != id:
		return invalid("id is not that of the address")
	}
	mode, failed := x.failsLater()
	if failed {
		return nil
	}
	if !x.Cancel(id) {
		return &problem{"BadRequest", "the task has already been scheduled and cannot be cancelled"}
	}
	x.answer(mode, struct{}{})
	return nil
}
