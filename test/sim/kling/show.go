package kling

import (
	"strconv"
	"time"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// word is a state as either generation writes it; they differ in one letter of one word.
func word(state studio.State, polled, legacy bool) string {
	switch {
	case !polled || state == studio.Queued:
		return "submitted"
	case state == studio.Running:
		return "processing"
	case state != studio.Succeeded:
		return "failed"
	case legacy:
		return "succeed"
	}
	return "succeeded"
}

// reason is why a task has failed.
func reason(t *studio.Task, state studio.State) string {
	switch {
	case state != studio.Failed:
		return ""
	case t.Mode == studio.ModerationOutput:
		return "Failure to pass the risk control system"
	}
	return "the service failed while making the video"
}

// touched is when a task came into its state.
func (x *exchange) touched(t *studio.Task, state studio.State) time.Time {
	end := x.Finished(t)
	switch state {
	case studio.Queued:
		return t.Created
	case studio.Running:
		return t.Created.Add(end.Sub(t.Created) / 2)
	}
	return end
}

// empty tells that a success has no video. A vendor of single videos has no other partial success.
func empty(t *studio.Task) bool { return t.Mode == studio.NoAudio || t.Mode == studio.PartialOutput }

// currentTask is a task as the new generation shows it, polled or just submitted.
func (x *exchange) currentTask(t *studio.Task, state studio.State, polled bool) any {
	j := jobOf(t)
	m := map[string]any{"id": t.ID, "status": word(state, polled, false), "message": reason(t, state),
		"create_time": t.Created.UnixMilli(), "update_time": x.touched(t, state).UnixMilli()}
	if j.external != "" {
		m["external_id"] = j.external
	}
	if state != studio.Succeeded {
		return m
	}
	price := dollars(j.milliDollars())
	m["billing"] = []any{map[string]any{"charge_type": "cash", "cash_type": "", "amount": price, "currency": "USD", "package_type": "",
		"list_price": price}}
	outputs := []any{}
	if !empty(t) {
		video, marked := x.files(t)
		outputs = append(outputs, map[string]any{"type": "video", "id": t.ID + "1", "url": video, "watermark_url": marked,
			"duration": strconv.Itoa(j.seconds)})
	}
	m["outputs"] = outputs
	return m
}

// legacyTask is a task as the legacy generation shows it.
func (x *exchange) legacyTask(t *studio.Task, state studio.State, polled bool) any {
	j := jobOf(t)
	info := map[string]any{}
	if j.external != "" {
		info["external_task_id"] = j.external
	}
	m := map[string]any{"task_id": t.ID, "task_status": word(state, polled, true), "task_info": info,
		"created_at": t.Created.UnixMilli(), "updated_at": x.touched(t, state).UnixMilli()}
	if state == studio.Failed {
		m["task_status_msg"] = reason(t, state)
	}
	if state != studio.Succeeded {
		return m
	}
	m["final_unit_deduction"] = dollars(j.milliDollars() * 1000 / 140)
	videos := []any{}
	if !empty(t) {
		url, marked := x.files(t)
		video := map[string]any{"id": t.ID + "1", "url": url, "duration": strconv.Itoa(j.seconds)}
		if j.watermark {
			video["watermark_url"] = marked
		}
		videos = append(videos, video)
	}
	m["task_result"] = map[string]any{"videos": videos}
	return m
}
