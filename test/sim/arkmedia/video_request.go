package arkmedia

import (
	"image"
	"slices"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

const (
	// maxTaskBody bounds the body of a task.
	maxTaskBody = 64 << 20
	// ChosenSeconds is the length that the model chooses for duration -1.
	ChosenSeconds = 7
	// defaultExpiry is execution_expires_after in seconds.
	defaultExpiry = 172_800
)

// videoRequest is a task that the vendor takes.
type videoRequest struct {
	Order
	spec                      videoModel
	frames, expires, priority int
	tier, safety, draftTask   string
	lastFrame, draft          bool
	seed                      int
}

// readTask reads and checks a body. The model is returned even with a problem.
func (s *Simulator) readTask(body []byte) (*videoRequest, *problem) {
	q := &videoRequest{Order: Order{Kind: studio.Video, Model: gjson.GetBytes(body, "model").Str}}
	switch {
	case len(body) > maxTaskBody: // the documents show no code for it
		return q, invalid("body", "larger than 64 MB")
	case !gjson.ValidBytes(body):
		return q, invalid("body", "want JSON")
	}
	r := &reader{}
	f := r.open("", gjson.ParseBytes(body), "model", "content", "resolution", "ratio", "duration", "frames", "seed", "camera_fixed",
		"generate_audio", "watermark", "return_last_frame", "service_tier", "execution_expires_after", "priority", "callback_url",
		"safety_identifier", "tools", "output_format", "omni_reference_task_type", "draft")
	f.need("model")
	f.text("model")
	if r.bad != nil {
		return q, r.bad
	}
	var p *problem
	if q.spec, p = videoModelOf(q.Model); p != nil {
		return q, p
	}
	c := readContent(f)
	q.Prompt, q.draftTask = c.text, c.draft
	for _, n := range c.roles {
		q.References += n
	}
	q.shape(f)
	q.switches(f)
	q.service(f)
	if r.bad == nil {
		f.fail(c.modes(q.spec, func(id string) bool { t, _ := s.task(id); return t != nil }))
	}
	q.flags(f)
	q.decide(c.first)
	return q, r.bad
}

// shape reads what decides length and size.
func (q *videoRequest) shape(f *form) {
	q.Resolution = f.choice("resolution", "720p", q.spec.resolutions...)
	q.Ratio = f.choice("ratio", "adaptive", append(ratios(), "adaptive")...)
	q.Seconds = 5
	if f.members["duration"].Raw == "-1" {
		q.Seconds = -1
	} else {
		q.Seconds = f.integer("duration", 5, 4, q.spec.longest)
	}
	f.only("frames", q.spec.one, "the model takes duration only")
	f.only("frames", !f.has("duration"), "instead of duration, not beside it")
	// No range of frames is documented: that of duration is taken.
	q.frames = f.integer("frames", 0, 1, q.spec.longest*framesPerSecond)
}

// switches reads what changes the result otherwise.
func (q *videoRequest) switches(f *form) {
	f.only("seed", !q.spec.two, "not supported by 2.x models")
	q.seed = f.integer("seed", -1, -1, 1<<32-1)
	f.only("camera_fixed", !q.spec.two, "not supported by 2.x models")
	f.flag("camera_fixed", false)
	q.Audio = f.flag("generate_audio", true)
	q.Watermark = f.flag("watermark", false)
	q.lastFrame = f.flag("return_last_frame", false)
	f.only("output_format", q.spec.newest, "only with 2.5")
	q.Format = f.choice("output_format", "mp4", "mp4", "mov")
	f.only("draft", q.spec.newest, "only with 2.5")
	q.draft = f.flag("draft", false)
	f.only("omni_reference_task_type", q.spec.newest, "only with 2.5")
	f.text("omni_reference_task_type")
	f.webSearch("tools")
}

// service reads what does not change the result.
func (q *videoRequest) service(f *form) {
	q.tier = f.choice("service_tier", "default", "default", "flex")
	f.only("service_tier", q.tier != "flex" || !q.spec.two, "flex is not supported by 2.x models")
	q.expires = f.integer("execution_expires_after", defaultExpiry, 3600, 259_200)
	q.priority = f.integer("priority", 0, 0, 9)
	if f.has("callback_url") {
		f.address("callback_url", f.text("callback_url"), false)
	}
	if q.safety = f.text("safety_identifier"); len(q.safety) > 64 {
		f.refusef("safety_identifier", "at most 64 characters")
	}
}

// decide fills in what is left to the model.
func (q *videoRequest) decide(first image.Point) {
	if q.Seconds == -1 {
		q.Seconds = ChosenSeconds
	}
	if q.frames > 0 {
		q.Seconds = (q.frames + framesPerSecond - 1) / framesPerSecond
	}
	if q.Ratio == "adaptive" {
		q.Ratio = "16:9"
		if first != (image.Point{}) {
			q.Ratio = nearest(first.X, first.Y)
		}
	}
	if slices.Contains(ratios(), q.Ratio) {
		q.Width, q.Height = pixels(q.Resolution, q.Ratio)
	}
}

// tokens are width times height times frames by 1024, with one frame more than the length has.
func (q *videoRequest) tokens() int {
	frames := framesPerSecond*q.Seconds + 1
	if q.frames > 0 {
		frames = q.frames
	}
	return q.Width * q.Height * frames / 1024
}
