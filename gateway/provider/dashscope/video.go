package dashscope

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// videosPath is where videos are made.
const videosPath = "/services/aigc/video-generation/video-synthesis"

// pollInterval is how often a poll makes sense: a video takes minutes, and an account may ask 20 times a second.
const pollInterval = 10 * time.Second

// videos makes videos with Wan. It has no state.
type videos struct{}

var _ provider.Video = videos{}

// Video returns the adapter of Wan's videos.
func Video() provider.Video { return videos{} }

// SubmitVideo implements provider.Video. What is billed is always said explicitly, where the model has a parameter for it: length,
// resolution and sound. The task's State is when it was submitted, in seconds since 1970.
func (videos) SubmitVideo(ctx context.Context, up *provider.Upstream, in *provider.VideoRequest) (*provider.Submission, error) {
	m := videoModelOf(up.Model)
	if err := m.check(in); err != nil {
		return nil, err
	}
	body := provider.Body{"model": up.Model, "input": m.input(in), "parameters": m.parameters(in)}
	req, err := newSubmission(ctx, videosPath, up, body)
	if err != nil {
		return nil, err
	}
	state := strconv.FormatInt(in.Now.Unix(), 10)
	read := func(r *provider.Response) (provider.Task, *provider.Step[provider.Task], error) {
		id, err := readTaskID(r)
		if err != nil {
			return provider.Task{}, nil, err
		}
		return provider.Task{ID: id, State: state}, nil, nil
	}
	return &provider.Submission{
		Step:       &provider.Step[provider.Task]{Request: req, Paid: true, Read: read},
		Billing:    m.billing(body),
		RetryAfter: pollInterval,
	}, nil
}

// input is what to show.
func (m *videoModel) input(in *provider.VideoRequest) provider.Body {
	b := provider.Body{}
	provider.Set(b, "prompt", in.Prompt)
	provider.Set(b, "negative_prompt", in.NegativePrompt)
	if m.form == formSingle {
		if in.Image != "" {
			b["img_url"] = reference(in.Image)
		}
		return b
	}
	var media []map[string]string
	for _, frame := range [...]struct{ kind, image string }{{"first_frame", in.Image}, {"last_frame", in.LastImage}} {
		if frame.image != "" {
			media = append(media, map[string]string{"type": frame.kind, "url": reference(frame.image)})
		}
	}
	if media != nil {
		b["media"] = media
	}
	return b
}

// parameters say how to show it.
func (m *videoModel) parameters(in *provider.VideoRequest) provider.Body {
	b := provider.Body{"duration": defaultSeconds, "watermark": in.Watermark != nil && *in.Watermark}
	provider.Set(b, "duration", in.Duration)
	switch {
	case m.sized():
		b["size"] = m.sizeOf(in)
	case m.follows:
		b["resolution"] = strings.ToUpper(m.resolutionOf(in))
	default:
		b["resolution"] = strings.ToUpper(m.resolutionOf(in))
		provider.Set(b, "ratio", in.AspectRatio)
	}
	switch {
	case m.sound == soundSaid:
		b["audio"] = in.Audio == nil || *in.Audio
	case m.sound == soundSwitch && in.Audio != nil:
		b["audio"] = *in.Audio
	}
	if in.Seed != nil {
		b["seed"] = *in.Seed
	}
	return b
}

// billing is what a task costs by its body, in which the admin has had the last word: what was dropped takes the vendor's default,
// and a length that is left to the model may be its longest.
func (m *videoModel) billing(b provider.Body) provider.Billing {
	raw, _ := json.Marshal(b["parameters"]) // it was marshalled before
	p := gjson.ParseBytes(raw)
	bill := provider.Billing{Seconds: defaultSeconds, Resolution: m.resolution, Audio: m.sound != soundNever}
	if v := p.Get("duration"); v.Exists() {
		if bill.Seconds = v.Int(); bill.Seconds <= 0 {
			bill.Seconds = int64(m.maxSeconds)
		}
	}
	if v := p.Get("resolution"); v.Exists() {
		bill.Resolution = strings.ToLower(v.Str)
	} else if v := p.Get("size"); v.Exists() {
		bill.Resolution = tierOf(v.Str)
	}
	if v := p.Get("audio"); v.IsBool() && (m.sound == soundSaid || m.sound == soundSwitch) {
		bill.Audio = v.Bool()
	}
	return bill
}
