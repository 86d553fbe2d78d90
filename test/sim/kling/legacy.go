package kling

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// legacyBody is what the legacy generation documents, all doors together. What the omni door takes beside the members of
// text2video is not known here and refused.
type legacyBody struct {
	ModelName      *string          `json:"model_name"`
	Prompt         *string          `json:"prompt"`
	NegativePrompt *string          `json:"negative_prompt"`
	Sound          *string          `json:"sound"`
	CfgScale       *float64         `json:"cfg_scale"`
	Mode           *string          `json:"mode"`
	CameraControl  *json.RawMessage `json:"camera_control"`
	AspectRatio    *string          `json:"aspect_ratio"`
	Duration       *string          `json:"duration"`
	MultiShot      *bool            `json:"multi_shot"`
	ShotType       *string          `json:"shot_type"`
	MultiPrompt    []shot           `json:"multi_prompt"`
	Watermark      *watermark       `json:"watermark_info"`
	CallbackURL    *string          `json:"callback_url"`
	ExternalTaskID *string          `json:"external_task_id"`

	Image       *string            `json:"image"`
	ImageTail   *string            `json:"image_tail"`
	ElementList *[]json.RawMessage `json:"element_list"`
	VoiceList   *[]json.RawMessage `json:"voice_list"`
}

// shot is one of several prompts.
type shot struct {
	Index    int    `json:"index"`
	Prompt   string `json:"prompt"`
	Duration string `json:"duration"`
}

// submitLegacy makes a task of the legacy generation.
func (x *exchange) submitLegacy(d door) *problem {
	x.Entry.Model = d.model
	var body legacyBody
	if p := x.read(&body); p != nil {
		return p
	}
	if p := body.check(d); p != nil {
		return p
	}
	mode := x.Mode(body.script())
	if x.fails(mode) {
		return nil
	}
	seconds, _ := legacySeconds(or(body.Duration, "5"))
	j := &job{
		door: d, external: or(body.ExternalTaskID, ""), watermark: body.Watermark.on(),
		resolution: resolution(or(body.Mode, "std")), sound: or(body.Sound, "off") == "on", seconds: seconds,
	}
	t, p := x.accept(j, mode)
	if p != nil {
		return p
	}
	x.answer(mode, x.legacyTask(t, studio.Queued, false))
	return nil
}

// script is everything that a video shall show.
func (b *legacyBody) script() string {
	all := []string{or(b.Prompt, "")}
	for _, s := range b.MultiPrompt {
		all = append(all, s.Prompt)
	}
	return strings.Join(all, "\n")
}

// resolution returns what a mode stands for.
func resolution(mode string) string {
	switch mode {
	case "pro":
		return "1080p"
	case "4k":
		return "4k"
	}
	return "720p"
}

// legacySeconds reads a duration, which is a whole number of 3 to 15 in a string.
func legacySeconds(duration string) (int, *problem) {
	seconds, err := strconv.Atoi(duration)
	if err != nil || seconds < 3 || seconds > 15 || strconv.Itoa(seconds) != duration {
		return 0, invalid(`duration must be "3" to "15"`)
	}
	return seconds, nil
}

func (b *legacyBody) check(d door) *problem {
	if b.ModelName == nil {
		return invalid("model_name is required")
	}
	if *b.ModelName != d.model {
		return &problem{1203, "the model does not exist: " + *b.ModelName}
	}
	seconds, p := legacySeconds(or(b.Duration, "5"))
	if p != nil {
		return p
	}
	if b.NegativePrompt != nil && *b.NegativePrompt != "" {
		p = text("negative_prompt", b.NegativePrompt, 2500)
	}
	return cmp.Or(p, oneOf("sound", b.Sound, "on", "off"), oneOf("mode", b.Mode, "std", "pro", "4k"),
		oneOf("aspect_ratio", b.AspectRatio, "16:9", "9:16", "1:1"), link("callback_url", b.CallbackURL),
		externalID("external_task_id", b.ExternalTaskID), b.material(d), b.shots(seconds))
}
