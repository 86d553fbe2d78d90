package kling

import (
	"strconv"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// legacyPath is where the older API lies: a kind of task follows, and for polls an id.
const legacyPath = "/v1/videos/"

// The kinds of legacy tasks, which are parts of paths and go into Task.State: a task is known only to the path of its kind.
const (
	kindText  = "text2video"
	kindImage = "image2video"
	kindOmni  = "omni-video"
)

// legacyOrder translates a request that was checked for the older API. A video is one shot there by default.
func legacyOrder(m *model, in *provider.VideoRequest) (*order, error) {
	first, last, err := pictures(in)
	if err != nil {
		return nil, err
	}
	b := provider.Body{
		"model_name": m.id, "mode": mode(in.Resolution), "duration": strconv.Itoa(defaultSeconds), "watermark_info": watermark(in),
	}
	if in.Duration != 0 {
		b["duration"] = strconv.Itoa(in.Duration)
	}
	if !blank(in.Prompt) {
		b["prompt"] = in.Prompt
	}
	if !m.turbo {
		b["sound"] = sound(in, "on", "off")
	}
	provider.Set(b, "negative_prompt", in.NegativePrompt)
	provider.Set(b, "external_task_id", in.ID)
	provider.Set(b, "image", first)
	provider.Set(b, "image_tail", last)
	kind := kindText
	switch {
	case m.omni:
		kind = kindOmni
	case first != "":
		kind = kindImage
	}
	if first == "" {
		provider.Set(b, "aspect_ratio", in.AspectRatio)
	}
	return &order{path: legacyPath + kind, kind: kind, body: b, billing: legacyBilling}, nil
}

// mode is the older word for a resolution.
func mode(resolution string) string {
	switch resolution {
	case "1080p":
		return "pro"
	case "4k":
		return "4k"
	}
	return "std"
}

// legacyBilling is what a task costs by its body: what is not there takes the vendor's default.
func legacyBilling(b provider.Body) provider.Billing {
	bill := provider.Billing{Seconds: defaultSeconds, Resolution: defaultResolution, Audio: member(b, "sound").Str == "on"}
	if n := member(b, "duration").Int(); n > 0 {
		bill.Seconds = n
	}
	switch member(b, "mode").Str {
	case "pro":
		bill.Resolution = "1080p"
	case "4k":
		bill.Resolution = "4k"
	}
	return bill
}
