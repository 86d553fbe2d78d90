package kling

import (
	"cmp"
	"fmt"
	"strconv"
)

// material refuses what a door does not take. Version 3 is taken to have no cfg_scale: documented is that version 2 has none.
func (b *legacyBody) material(d door) *problem {
	switch {
	case b.CfgScale != nil:
		return invalid("cfg_scale is not supported by %s", d.model)
	case b.CameraControl != nil && (*b.CameraControl)[0] != '{':
		return invalid("camera_control must be an object")
	case d.kind == "image2video":
		return b.images()
	case b.Image != nil || b.ImageTail != nil || b.ElementList != nil || b.VoiceList != nil:
		return invalid("image, image_tail, element_list and voice_list are unknown here")
	}
	return nil
}

// images checks the first image and, if there is one, the last.
func (b *legacyBody) images() *problem {
	var last *problem
	if b.ImageTail != nil {
		last = picture("image_tail", b.ImageTail)
	}
	if b.AspectRatio != nil {
		return invalid("aspect_ratio is unknown here: the image decides")
	}
	return cmp.Or(picture("image", b.Image), last)
}

// shots checks the prompt, or the prompts of several shots. That nothing about shots is accepted without the switches before it
// is the stricter reading.
func (b *legacyBody) shots(seconds int) *problem {
	multi, custom := or(b.MultiShot, false), or(b.ShotType, "") == "customize"
	switch {
	case !multi && (b.ShotType != nil || b.MultiPrompt != nil):
		return invalid("shot_type and multi_prompt need multi_shot")
	case multi && b.ShotType == nil:
		return invalid("multi_shot needs shot_type")
	case multi && custom:
		return b.customShots(seconds)
	case b.MultiPrompt != nil:
		return invalid("multi_prompt needs shot_type customize")
	}
	return cmp.Or(oneOf("shot_type", b.ShotType, "customize", "intelligence"), text("prompt", b.Prompt, 2500))
}

// customShots checks prompts that replace the one: at most six, as long together as the video.
func (b *legacyBody) customShots(seconds int) *problem {
	if b.Prompt != nil {
		return invalid("prompt is replaced by multi_prompt")
	}
	if len(b.MultiPrompt) == 0 || len(b.MultiPrompt) > 6 {
		return invalid("multi_prompt must have 1 to 6 prompts")
	}
	for i, s := range b.MultiPrompt {
		length, p := s.check(i)
		if p != nil {
			return p
		}
		seconds -= length
	}
	if seconds != 0 {
		return invalid("the durations of multi_prompt do not add up to duration")
	}
	return nil
}

// check returns the length of a shot in seconds. That they are numbered in order, from 1, is the stricter reading.
func (s shot) check(i int) (int, *problem) {
	seconds, err := strconv.Atoi(s.Duration)
	if err != nil || seconds < 1 || s.Index != i+1 {
		return 0, invalid("multi_prompt[%d] needs its index and a duration", i)
	}
	return seconds, text(fmt.Sprintf("multi_prompt[%d].prompt", i), &s.Prompt, 2500)
}
