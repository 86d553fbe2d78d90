package minimaxmedia

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"time"
	"unicode/utf8"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// maxPrompt is the limit of a prompt in Unicode characters.
const maxPrompt = 2000

// Ids of tasks are taskBase plus a number, ids of files fileBase plus twice that: odd and beyond 2^53, so that a floating point
// number cannot hold one.
const (
	taskBase = 176843862480000
	fileBase = 1<<53 + 1
)

type videoRequest struct {
	Model       string  `json:"model"`
	Prompt      string  `json:"prompt"`
	Optimizer   *bool   `json:"prompt_optimizer"`
	Fast        *bool   `json:"fast_pretreatment"`
	Duration    *int    `json:"duration"`
	Resolution  *string `json:"resolution"`
	FirstFrame  *string `json:"first_frame_image"`
	LastFrame   *string `json:"last_frame_image"`
	CallbackURL *string `json:"callback_url"`
	Watermark   *bool   `json:"aigc_watermark"`
}

// film is the data of a task. The sizes are those that the vendor would tell; the picture in the file is smaller.
type film struct {
	file          int64
	width, height int
}

func (r *videoRequest) resolution() string { return or(r.Resolution, "768P") }
func (r *videoRequest) seconds() int       { return or(r.Duration, 6) }

// check applies the rules of the reference. Of 512P it speaks for Hailuo-02 only, so the later models are taken not to have it.
func (r *videoRequest) check() *refusal {
	const hailuo02 = "MiniMax-Hailuo-02"
	low := r.resolution() == "512P"
	return first(
		oneOf("model", &r.Model, hailuo02, "MiniMax-Hailuo-2.3", "MiniMax-Hailuo-2.3-Fast"),
		unless(r.Prompt != "" || r.FirstFrame != nil, "prompt is required"),
		unless(utf8.RuneCountInString(r.Prompt) <= maxPrompt, "prompt must be at most %d characters", maxPrompt),
		unless(!or(r.Fast, false) || or(r.Optimizer, true), "fast_pretreatment needs prompt_optimizer"),
		oneOf("duration", r.Duration, 6, 10),
		oneOf("resolution", r.Resolution, "512P", "768P", "1080P"),
		unless(r.resolution() != "1080P" || r.seconds() == 6, "1080P supports duration 6 only"),
		unless(!low || r.Model == hailuo02, "%s does not support 512P", r.Model),
		unless(!low || r.FirstFrame != nil && r.LastFrame == nil, "512P needs a first frame and no last frame"),
		unless(r.LastFrame == nil || r.FirstFrame != nil && r.Model == hailuo02, "last_frame_image needs a first frame and %s", hailuo02),
		checkImage("first_frame_image", r.FirstFrame),
		checkImage("last_frame_image", r.LastFrame),
		// The vendor calls the address at once and wants an answer. This simulator calls nobody, so no address passes.
		unless(r.CallbackURL == nil, "callback_url did not answer the challenge"),
	)
}

var dataURI = regexp.MustCompile(`^data:image/(?:jpeg|jpg|png|webp);base64,`)

// checkImage wants an address on the web or a data URI. Which kinds of images the vendor takes is wider than this in places.
func checkImage(name string, image *string) *refusal {
	if image == nil {
		return nil
	}
	if prefix := dataURI.FindString(*image); prefix != "" {
		data, err := base64.StdEncoding.DecodeString((*image)[len(prefix):])
		return unless(err == nil && len(data) > 0, "%s is not base64", name)
	}
	u, err := url.Parse(*image)
	return unless(err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http"), "%s is neither a URL nor a data URI", name)
}

// submit serves POST /v1/video_generation.
func (x *exchange) submit() {
	var r videoRequest
	if p := x.decode(&r); p != nil {
		x.refuse(p, false)
		return
	}
	x.Entry.Model = r.Model
	if p := r.check(); p != nil {
		x.refuse(p, false)
		return
	}
	mode := nearestVideo(x.Mode(r.Prompt))
	if x.fails(mode, false, studio.Truncated, studio.NoAudio, studio.TaskFailed, studio.ModerationOutput, studio.TaskSlow,
		studio.TaskStuck) || !x.Work() {
		return
	}
	id := ""
	if mode != studio.NoAudio {
		id = x.accept(&r, mode)
	}
	answer := map[string]any{"task_id": id, "base_resp": success()}
	switch mode {
	case studio.Lost:
		x.Abort()
	case studio.Truncated:
		x.half(answer)
	default:
		x.JSON(http.StatusOK, answer)
	}
}

// nearestVideo gives the modes that mean nothing here the nearest meaning. NoAudio is a success without a task.
func nearestVideo(mode studio.Mode) studio.Mode {
	switch mode {
	case studio.PartialOutput:
		return studio.Truncated
	case studio.MidStream:
		return studio.ServerError
	case OddHex:
		return studio.Malformed
	}
	return mode
}

// accept begins a task and returns its id.
func (x *exchange) accept(r *videoRequest, mode studio.Mode) string {
	n, f := x.Next(), film{width: 1366, height: 768}
	switch r.resolution() {
	case "512P":
		f.width, f.height = 912, 512
	case "1080P":
		f.width, f.height = 1920, 1080
	}
	f.file = fileBase + 2*n
	id := strconv.FormatInt(taskBase+n, 10)
	x.Add(&studio.Task{ID: id, Kind: studio.Video, Model: r.Model, Units: int64(r.seconds()), Mode: mode, Data: f})
	return id
}

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
