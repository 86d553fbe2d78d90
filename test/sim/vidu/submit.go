package vidu

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// order is what the vendor documents, all calls together: platform.vidu.com/docs/text-to-video.
type order struct {
	Model             *string   `json:"model"`
	Prompt            *string   `json:"prompt"`
	Images            *[]string `json:"images"`
	Duration          *int      `json:"duration"`
	Resolution        *string   `json:"resolution"`
	AspectRatio       *string   `json:"aspect_ratio"`
	Audio             *bool     `json:"audio"`
	Seed              *int64    `json:"seed"`
	Style             *string   `json:"style"`
	MovementAmplitude *string   `json:"movement_amplitude"`
	BGM               *bool     `json:"bgm"`
	IsRec             *bool     `json:"is_rec"`
	AudioType         *string   `json:"audio_type"`
	OffPeak           *bool     `json:"off_peak"`
	Watermark         *bool     `json:"watermark"`
	WatermarkPosition *int      `json:"wm_position"`
	WatermarkURL      *string   `json:"wm_url"`
	Payload           *string   `json:"payload"`
	MetaData          *string   `json:"meta_data"`
	CallbackURL       *string   `json:"callback_url"`
}

// submit makes a task.
func (x *exchange) submit(c call) *problem {
	var o order
	if p := x.read(&o); p != nil {
		return p
	}
	x.Entry.Model = or(o.Model, "")
	if p := o.check(c); p != nil {
		return p
	}
	mode := x.Mode(or(o.Prompt, ""))
	if x.fails(mode) {
		return nil
	}
	t, p := x.accept(&o, mode)
	if p != nil {
		return p
	}
	x.answer(mode, x.created(t))
	return nil
}

// check refuses what the call does not take.
func (o *order) check(c call) *problem {
	if o.Model == nil {
		return lacking("model")
	}
	if !slices.Contains(c.models, *o.Model) {
		return &problem{"ModelUnavailable", "the model is not available here: " + *o.Model}
	}
	return cmp.Or(o.conflicts(c), o.script(c), o.pictures(c), o.options())
}

// conflicts refuses members that do not go together, or not with the call. Whether q3 models know audio_type is described both ways;
// not knowing it is the stricter reading, and so is the refusal of seeds beyond 31 bits and of a mark's place without a mark.
func (o *order) conflicts(c call) *problem {
	marked := or(o.Watermark, false)
	switch {
	case c.images > 0 && o.AspectRatio != nil:
		return unwanted("aspect_ratio")
	case o.AudioType != nil:
		return unwanted("audio_type")
	case or(o.Seed, 0) < 0 || or(o.Seed, 0) > math.MaxInt32:
		return invalid("seed must be between 0 and %d", math.MaxInt32)
	case !marked && (o.WatermarkPosition != nil || o.WatermarkURL != nil):
		return unwanted("wm_position or wm_url without watermark")
	case o.MetaData != nil && !json.Valid([]byte(*o.MetaData)):
		return invalid("meta_data must be JSON in a string")
	}
	return nil
}

func (o *order) options() *problem {
	return cmp.Or(within("duration", o.Duration, 1, 16), oneOf("resolution", o.Resolution, "540p", "720p", "1080p"),
		oneOf("aspect_ratio", o.AspectRatio, "16:9", "9:16", "3:4", "4:3", "1:1"), oneOf("style", o.Style, "general", "anime"),
		oneOf("movement_amplitude", o.MovementAmplitude, "auto", "small", "medium", "large"),
		within("wm_position", o.WatermarkPosition, 1, 4), link("wm_url", o.WatermarkURL), shorter("payload", o.Payload, maxPayload),
		link("callback_url", o.CallbackURL))
}

// script checks the prompt, which only images can do without.
func (o *order) script(c call) *problem {
	if c.images == 0 && or(o.Prompt, "") == "" {
		return lacking("prompt")
	}
	return shorter("prompt", o.Prompt, maxPrompt)
}

func (o *order) pictures(c call) *problem {
	switch {
	case c.images == 0 && o.Images == nil:
		return nil
	case c.images == 0:
		return unwanted("images")
	case o.Images == nil:
		return lacking("images")
	case len(*o.Images) != c.images:
		return &problem{"FieldItemCountOutOfRange", fmt.Sprintf("images must have %d items", c.images)}
	}
	for i, value := range *o.Images {
		if p := picture(fmt.Sprintf("images[%d]", i), value); p != nil {
			return p
		}
	}
	return nil
}

// accept makes a task, unless too many run.
func (x *exchange) accept(o *order, mode studio.Mode) (*studio.Task, *problem) {
	number := x.Next()
	j := &job{order: o, seed: or(o.Seed, 0)}
	if j.seed == 0 {
		j.seed = 1_000_000 + number // as random as a test can bear
	}
	t := &studio.Task{ID: strconv.FormatInt(890_000_000_000_000_000+number, 10), Kind: studio.Video, Model: *o.Model,
		Units: int64(or(o.Duration, 5)), Mode: mode, Data: j}
	x.sim.mu.Lock()
	defer x.sim.mu.Unlock()
	if x.sim.limit > 0 && x.Unfinished() >= x.sim.limit {
		return nil, overQuota()
	}
	x.sim.accepted++
	j.number = x.sim.accepted
	x.Add(t)
	return t, nil
}
