package minimax

import (
	"context"
	"net/http"
	"strings"
	"time"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// videoPath is where videos are made.
const videoPath = "/video_generation"

// pollEvery is how often the vendor's guide asks where a task is.
const pollEvery = 10 * time.Second

// videos makes videos with Hailuo. It has no state.
type videos struct{}

var _ provider.Video = videos{}

// Video returns the adapter of Hailuo.
func Video() provider.Video { return videos{} }

// SubmitVideo implements provider.Video. What is billed is always said explicitly: duration and resolution.
func (videos) SubmitVideo(ctx context.Context, up *provider.Upstream, in *provider.VideoRequest) (*provider.Submission, error) {
	m := videoModelOf(up.Model)
	if err := m.check(in); err != nil {
		return nil, err
	}
	b := videoBody(up.Model, in)
	up.Parameters.Override(b)
	req, err := newCall(ctx, http.MethodPost, videoPath, up, b)
	if err != nil {
		return nil, err
	}
	return &provider.Submission{
		Step:       &provider.Step[provider.Task]{Request: req, Paid: true, Read: readTask},
		Billing:    billing(b),
		Warnings:   m.warnings(in),
		RetryAfter: pollEvery,
	}, nil
}

// videoBody translates a request that was checked.
func videoBody(id string, in *provider.VideoRequest) provider.Body {
	size, _ := pictureOf(in.Resolution)
	b := provider.Body{
		"model": id, "duration": defaultSeconds, "resolution": size.name,
		"aigc_watermark": in.Watermark != nil && *in.Watermark,
	}
	provider.Set(b, "prompt", in.Prompt)
	provider.Set(b, "duration", in.Duration)
	provider.Set(b, "first_frame_image", reference(in.Image))
	provider.Set(b, "last_frame_image", reference(in.LastImage))
	return b
}

// reference makes the head of a data URI lower case, as the vendor writes it. An address stays as it is.
func reference(address string) string {
	head, data, found := strings.Cut(address, ",")
	if lower := strings.ToLower(head); found && strings.HasPrefix(lower, "data:") {
		return lower + "," + data
	}
	return address
}

// billing is what a task costs by its body, in which the admin has had the last word: what was dropped takes the vendor's default.
func billing(b provider.Body) provider.Billing {
	bill := provider.Billing{Seconds: defaultSeconds, Resolution: defaultResolution}
	if v := member(b, "duration"); v.Exists() {
		bill.Seconds = v.Int()
	}
	if v := member(b, "resolution"); v.Exists() {
		bill.Resolution = strings.ToLower(v.String())
	}
	return bill
}
