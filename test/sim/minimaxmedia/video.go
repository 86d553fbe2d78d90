package minimaxmedia

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
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
