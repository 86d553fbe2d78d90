package dashscope

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// keepTask is how long a finished task can be asked for.
const keepTask = 24 * time.Hour

// job is the simulator's part of a task. It does not change.
type job struct {
	Order
	pictures *pictures // nil for a video
	video    string    // its address; "" for a success without content
	failure  *problem
}

// accept takes a task on and answers.
func (s *Simulator) accept(v *studio.Visit, mode studio.Mode, j *job, units int) {
	j.failure = s.laterFailure(mode)
	t := &studio.Task{ID: j.ID, Kind: j.Kind, Model: j.Model, Units: int64(units), Mode: mode, Data: j}
	if j.failure != nil {
		t.Mode = studio.TaskFailed
	}
	s.book(j.Order)
	s.Add(t)
	respond(v, mode, map[string]any{"request_id": s.id("1a6e"), "output": map[string]any{"task_id": j.ID, "task_status": "PENDING"}})
}

// poll serves the query of a task. An unknown one is UNKNOWN, with status 200.
func (s *Simulator) poll(v *studio.Visit, id string) {
	mode := v.Mode("")
	if s.fails(v, mode, true) {
		return
	}
	answer := map[string]any{"request_id": s.id("1a6e")}
	t, state := s.Task(id)
	if t == nil || s.Now().Sub(s.Finished(t)) > keepTask {
		answer["output"] = map[string]any{"task_id": id, "task_status": "UNKNOWN"}
		respond(v, mode, answer)
		return
	}
	j, _ := t.Data.(*job)
	output := map[string]any{"task_id": id, "task_status": word(state), "submit_time": stamp(t.Created)}
	answer["output"] = output
	if state != studio.Queued && state != studio.Cancelled {
		output["scheduled_time"] = stamp(t.Created.Add(s.Finished(t).Sub(t.Created) / 2))
	}
	if state > studio.Running {
		output["end_time"] = stamp(s.Finished(t))
	}
	switch state {
	case studio.Succeeded:
		answer["usage"] = s.result(j, output)
	case studio.Failed:
		output["code"] = j.failure.code
		if !s.Alternate {
			output["message"] = j.failure.message
		}
	}
	respond(v, mode, answer)
}

// word is the vendor's name of a state.
func word(state studio.State) string {
	return map[studio.State]string{studio.Queued: "PENDING", studio.Running: "RUNNING", studio.Succeeded: "SUCCEEDED",
		studio.Failed: "FAILED", studio.Cancelled: "CANCELED"}[state]
}

// stamp writes a time as the vendor does: Beijing's, without saying so.
func stamp(t time.Time) string {
	return t.In(time.FixedZone("", 8*60*60)).Format("2006-01-02 15:04:05.000")
}

// result adds what was made to the output, and returns the usage.
func (s *Simulator) result(j *job, output map[string]any) map[string]any {
	a := j.pictures
	switch {
	case a == nil:
		output["orig_prompt"], output["actual_prompt"] = j.Prompt, j.actual()
		if j.video != "" {
			output["video_url"] = j.video
		}
		return s.videoUsage(j)
	case a.spec.messages:
		output["finished"], output["choices"] = true, a.choices(s.Alternate)
	default:
		output["results"] = a.results()
		output["task_metrics"] = map[string]any{"TOTAL": a.made + a.refused, "SUCCEEDED": a.made, "FAILED": a.refused}
	}
	return a.usage()
}

// videoUsage has been seen with numbers and with text for SR, with whole numbers and with fractions for lengths.
func (s *Simulator) videoUsage(j *job) map[string]any {
	var tier, length, none any = json.Number(j.Resolution[:len(j.Resolution)-1]), j.Seconds, 0
	if s.Alternate {
		tier, length, none = j.Resolution[:len(j.Resolution)-1], json.Number(fmt.Sprintf("%d.0", j.Seconds)), json.Number("0.0")
	}
	return map[string]any{"duration": length, "output_video_duration": length, "input_video_duration": none, "SR": tier,
		"size": fmt.Sprintf("%d*%d", j.Width, j.Height), "fps": 30, "ratio": j.Ratio, "video_count": 1, "audio": j.Audio}
}

// cancel serves the cancellation of a task, which works only while it is queued. Neither the address nor the answers are confirmed
// by a page; what an unknown task answers is not documented at all.
func (s *Simulator) cancel(v *studio.Visit, id string) {
	mode := v.Mode("")
	if s.fails(v, mode, true) {
		return
	}
	if !s.Cancel(id) {
		s.refuse(v, &problem{status: http.StatusBadRequest, code: "UnsupportedOperation",
			message: "The task " + id + " is not PENDING: only queued tasks can be cancelled."})
		return
	}
	respond(v, mode, map[string]any{"request_id": s.id("1a6e")})
}
