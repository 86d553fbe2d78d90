package minimaxmedia

import (
	"net/http"
	"strconv"
	"time"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

type queryAnswer struct {
	TaskID   string   `json:"task_id"`
	Status   string   `json:"status"`
	FileID   string   `json:"file_id"`
	Width    int      `json:"video_width"`
	Height   int      `json:"video_height"`
	BaseResp baseResp `json:"base_resp"`
}

// query serves GET /v1/query/video_generation. The answer for an unknown task is not documented; here a bad parameter.
func (x *exchange) query() {
	id := x.R.URL.Query().Get("task_id")
	task, state := x.Task(id)
	if task == nil {
		x.refuse(invalid("task_id %q does not exist", id), false)
		return
	}
	mode := pollMode(x.Mode(""))
	if x.fails(mode, false, studio.Truncated) || !x.Work() {
		return
	}
	x.Entry.Model = task.Model
	answer := queryAnswer{TaskID: id, BaseResp: success()}
	f, _ := task.Data.(film)
	switch state {
	case studio.Queued:
		answer.Status = x.waiting(task)
	case studio.Running:
		answer.Status = "Processing"
	case studio.Succeeded:
		answer.Status, answer.FileID = "Success", strconv.FormatInt(f.file, 10)
		answer.Width, answer.Height = f.width, f.height
	default:
		answer.Status, answer.BaseResp = "Fail", refused(modeCode(task.Mode)).resp()
	}
	x.finish(mode, answer)
}

// waiting is one of two words, whose order is not documented.
func (x *exchange) waiting(task *studio.Task) string {
	quarter := x.Finished(task).Sub(task.Created) / 4
	if x.Now().Sub(task.Created) < quarter {
		return "Preparing"
	}
	return "Queueing"
}

// pollMode drops the modes that are about a task, which a queue of failures may hold for the next submission.
func pollMode(mode studio.Mode) studio.Mode {
	switch mode {
	case studio.TaskFailed, studio.ModerationOutput, studio.TaskSlow, studio.TaskStuck:
		return ""
	case studio.NoAudio:
		return studio.Empty
	case studio.Lost:
		return studio.Drop
	}
	return nearestVideo(mode)
}

// finish answers a poll, or half of it.
func (x *exchange) finish(mode studio.Mode, answer any) {
	if mode == studio.Truncated {
		x.half(answer)
		return
	}
	x.JSON(http.StatusOK, answer)
}

type retrieveAnswer struct {
	File     fileInfo `json:"file"`
	BaseResp baseResp `json:"base_resp"`
}

type fileInfo struct {
	FileID      int64  `json:"file_id"` // a number here, a string in polls
	Bytes       int    `json:"bytes"`
	CreatedAt   int64  `json:"created_at"`
	Filename    string `json:"filename"`
	Purpose     string `json:"purpose"`
	DownloadURL string `json:"download_url"`
}

// filmed finds the finished task that a file came of; nil if there is none.
func (x *exchange) filmed(text string) (id int64, task *studio.Task) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, nil
	}
	task, state := x.Task(strconv.FormatInt(taskBase+(id-fileBase)/2, 10))
	if task == nil || state != studio.Succeeded || task.Data.(film).file != id {
		return 0, nil
	}
	return id, task
}

// retrieve serves GET /v1/files/retrieve: a fresh address at each call.
func (x *exchange) retrieve() {
	text := x.R.URL.Query().Get("file_id")
	id, task := x.filmed(text)
	if task == nil {
		x.refuse(invalid("file_id %q does not exist", text), false)
		return
	}
	mode := pollMode(x.Mode(""))
	if x.fails(mode, false, studio.Truncated) || !x.Work() {
		return
	}
	x.Entry.Model = task.Model
	data := studio.MP4(time.Duration(task.Units) * time.Second)
	x.finish(mode, retrieveAnswer{BaseResp: success(), File: fileInfo{
		FileID: id, Bytes: len(data), CreatedAt: x.Finished(task).Unix(), Filename: "output_aigc.mp4", Purpose: "video_generation",
		DownloadURL: x.Publish("mp4", "video/mp4", data),
	}})
}
