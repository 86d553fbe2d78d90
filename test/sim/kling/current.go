package kling

import (
	"cmp"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// currentBody is what the new generation documents, all doors together:
// kling.ai/document-api/api/video/3-0-omni/text-to-video, image-to-video, video-omni.
type currentBody struct {
	Prompt   *string    `json:"prompt"`
	Contents *[]content `json:"contents"`
	Settings settings   `json:"settings"`
	Options  struct {
		CallbackURL    *string    `json:"callback_url"`
		ExternalTaskID *string    `json:"external_task_id"`
		Watermark      *watermark `json:"watermark_info"`
	} `json:"options"`
}

type settings struct {
	MultiShot   *bool   `json:"multi_shot"`
	Audio       *string `json:"audio"`
	Resolution  *string `json:"resolution"`
	AspectRatio *string `json:"aspect_ratio"`
	Duration    *int    `json:"duration"`
}

// submitCurrent makes a task of the new generation.
func (x *exchange) submitCurrent(d door) *problem {
	x.Entry.Model = d.model
	var body currentBody
	if p := x.read(&body); p != nil {
		return p
	}
	prompt, p := body.check(d)
	if p != nil {
		return p
	}
	mode := x.Mode(prompt)
	if x.fails(mode) {
		return nil
	}
	j := &job{
		door: d, external: or(body.Options.ExternalTaskID, ""), watermark: body.Options.Watermark.on(),
		resolution: or(body.Settings.Resolution, "720p"), sound: or(body.Settings.Audio, "off") != "off", seconds: or(body.Settings.Duration, 5),
	}
	t, p := x.accept(j, mode)
	if p != nil {
		return p
	}
	x.answer(mode, x.currentTask(t, studio.Queued, false))
	return nil
}

// check returns the prompt of a body that is right.
func (b *currentBody) check(d door) (string, *problem) {
	prompt, p := b.material(d)
	return prompt, cmp.Or(p, b.Settings.check(d), b.sound(), link("options.callback_url", b.Options.CallbackURL),
		externalID("options.external_task_id", b.Options.ExternalTaskID))
}

// material checks what a video is made from. Text comes as a prompt of its own, everything else as a list of contents.
func (b *currentBody) material(d door) (string, *problem) {
	if d.kind == "text-to-video" {
		if b.Contents != nil {
			return "", invalid("contents is unknown here")
		}
		return or(b.Prompt, ""), text("prompt", b.Prompt, 3072)
	}
	if b.Prompt != nil {
		return "", invalid("prompt is unknown here: it is one of the contents")
	}
	return checkContents(d, or(b.Contents, nil))
}

// check refuses settings that a door does not have. The turbo models have neither audio nor several shots; that they refuse
// even "off" and false is the stricter reading. Videos made from images take the ratio of the image.
func (s *settings) check(d door) *problem {
	resolutions, audio := []string{"720p", "1080p", "4k"}, []string{"native", "off"}
	switch {
	case d.turbo() && s.Audio != nil:
		return invalid("settings.audio is unknown to turbo")
	case d.turbo() && s.MultiShot != nil:
		return invalid("settings.multi_shot is unknown to turbo")
	case d.turbo():
		resolutions = resolutions[:2]
	case d.omni():
		audio = append(audio, "original")
	}
	if d.kind != "text-to-video" && s.AspectRatio != nil {
		return invalid("settings.aspect_ratio is unknown here: the image decides")
	}
	if seconds := or(s.Duration, 5); seconds < 3 || seconds > 15 {
		return invalid("settings.duration must be between 3 and 15")
	}
	return cmp.Or(oneOf("settings.resolution", s.Resolution, resolutions...), oneOf("settings.audio", s.Audio, audio...),
		oneOf("settings.aspect_ratio", s.AspectRatio, "16:9", "9:16", "1:1"))
}

// sound refuses to keep the original sound where there is no video. The documentation only names the word.
func (b *currentBody) sound() *problem {
	for _, c := range or(b.Contents, nil) {
		if c.Type == "feature_video" || c.Type == "base_video" {
			return nil
		}
	}
	if or(b.Settings.Audio, "") == "original" {
		return invalid("settings.audio original needs a video")
	}
	return nil
}

// externalID refuses an empty id of the caller's, which could not be unique.
func externalID(name string, value *string) *problem {
	if value != nil && *value == "" {
		return invalid("%s is empty", name)
	}
	return nil
}
