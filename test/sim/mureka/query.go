package mureka

import (
	"fmt"
	"sync"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// job is what a task was asked for. Only the files come later, under once.
type job struct {
	kind    kind
	skywork bool
	number  int // of the account's tasks
	songs   int
	lyrics  string
	stream  bool
	end     string // how a failure is called; empty means failed

	once      sync.Once
	mp3, flac []string
}

func jobOf(t *studio.Task) *job { return t.Data.(*job) }

// query answers the poll. A task is known only to the door and the path of its kind.
func (x *exchange) query(k kind, id string) *problem {
	t, state := x.Task(id)
	if t == nil || jobOf(t).kind != k || jobOf(t).skywork != x.skywork {
		x.sim.mu.Lock()
		defer x.sim.mu.Unlock()
		return &problem{x.sim.unknown, "the task does not exist"}
	}
	mode, failed := x.failsQuestion()
	if failed {
		return nil
	}
	x.answer(mode, x.task(t, state))
	return nil
}

// task is a task as polls show it.
func (x *exchange) task(t *studio.Task, state studio.State) map[string]any {
	j := jobOf(t)
	m := map[string]any{"id": t.ID, "created_at": t.Created.Unix(), "model": t.Model, "status": j.word(state), "trace_id": x.trace()}
	if x.skywork {
		m["progress"] = min(int(state), 2) * 50
	}
	switch {
	case state == studio.Succeeded:
		m["finished_at"] = x.Finished(t).Unix()
		m["choices"] = x.choices(t, true)
	case state == studio.Failed:
		m["finished_at"] = x.Finished(t).Unix()
		m["failed_reason"] = j.reason(t)
	case state == studio.Running && j.stream:
		m["choices"] = x.choices(t, false)
	case j.number%3 == 1: // what is not there yet is absent, null or empty
		m["finished_at"], m["choices"] = 0, nil
	case j.number%3 == 2:
		m["choices"] = []any{}
	}
	return m
}

// word is the name of a state.
func (j *job) word(state studio.State) string {
	switch {
	case state == studio.Queued:
		return "queued"
	case state == studio.Running && j.stream:
		return "streaming"
	case state == studio.Running:
		return "running"
	case state == studio.Succeeded:
		return "succeeded"
	case j.end != "":
		return j.end
	}
	return "failed"
}

func (j *job) reason(t *studio.Task) string {
	if t.Mode == studio.ModerationOutput {
		return "the generated content is not allowed"
	}
	return fmt.Sprintf("the %s could not be made", j.kind)
}
