package kling

import (
	"net/url"
	"strings"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// currentOrder translates a request that was checked for the new API. A video from a prompt has one door, a video from images
// another, and the omni models a third.
func currentOrder(m *model, in *provider.VideoRequest) (*order, error) {
	first, last, err := pictures(in)
	if err != nil {
		return nil, err
	}
	b := provider.Body{"settings": currentSettings(m, in, first != ""), "options": currentOptions(in)}
	door := "/text-to-video/"
	switch {
	case m.omni:
		door = "/omni-video/"
	case first != "":
		door = "/image-to-video/"
	}
	if first == "" && !m.omni {
		b["prompt"] = in.Prompt
	} else {
		b["contents"] = contents(in.Prompt, first, last)
	}
	return &order{path: door + url.PathEscape(m.id), body: b, billing: currentBilling}, nil
}

// contents lists what a video is made from. Whether one from an image needs a prompt is not documented: what was not given is not
// sent.
func contents(prompt, first, last string) []provider.Body {
	var list []provider.Body
	if !blank(prompt) {
		list = append(list, provider.Body{"type": "prompt", "text": prompt})
	}
	if first != "" {
		list = append(list, provider.Body{"type": "first_frame", "url": first})
	}
	if last != "" {
		list = append(list, provider.Body{"type": "last_frame", "url": last})
	}
	return list
}

// currentSettings says all that a video's price depends on, and that it is one shot: the vendor would cut it into several by
// default, which nobody asks for who describes one scene. Turbo models have neither sound nor shots to speak of.
func currentSettings(m *model, in *provider.VideoRequest, framed bool) provider.Body {
	s := provider.Body{"duration": defaultSeconds, "resolution": defaultResolution}
	provider.Set(s, "duration", in.Duration)
	provider.Set(s, "resolution", in.Resolution)
	if !m.turbo {
		s["multi_shot"], s["audio"] = false, sound(in, "native", "off")
	}
	if !framed {
		provider.Set(s, "aspect_ratio", in.AspectRatio)
	}
	return s
}

// currentOptions says whether a marked video is wanted besides, and what the client's request is called.
func currentOptions(in *provider.VideoRequest) provider.Body {
	o := provider.Body{"watermark_info": watermark(in)}
	provider.Set(o, "external_task_id", in.ID)
	return o
}

// watermark is a member of either API.
func watermark(in *provider.VideoRequest) provider.Body {
	return provider.Body{"enabled": wanted(in.Watermark)}
}

// currentBilling is what a task costs by its body: what is not there takes the vendor's default.
func currentBilling(b provider.Body) provider.Billing {
	bill := provider.Billing{Seconds: defaultSeconds, Resolution: defaultResolution}
	s := member(b, "settings")
	if n := s.Get("duration").Int(); n > 0 {
		bill.Seconds = n
	}
	if r := s.Get("resolution").Str; r != "" {
		bill.Resolution = strings.ToLower(r)
	}
	audio := s.Get("audio").Str
	bill.Audio = audio != "" && audio != "off"
	return bill
}
