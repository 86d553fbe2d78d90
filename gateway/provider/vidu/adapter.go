package vidu

import (
	"context"
	"net/http"
	"strings"
	"time"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// The calls that make videos.
const (
	pathText   = "/text2video"
	pathFrame  = "/img2video"
	pathFrames = "/start-end2video"
)

// maxBody is the largest body of a request, in bytes.
const maxBody = 20 << 20

// offPeak is how long the vendor takes at most over a task that is done when there is room.
const offPeak = 48 * time.Hour

// Adapter returns the adapter of Vidu.
func Adapter() provider.Adapter {
	return provider.Adapter{
		Info: provider.Info{
			Name: "Vidu",
			Regions: []provider.Region{
				{Name: "cn", Endpoint: "https://api.vidu.cn"},
				{Name: "intl", Endpoint: "https://api.vidu.com"},
			},
			Entries:    [][]string{{keyEntry}},
			Modalities: []provider.Modality{provider.ModalityVideo},
		},
		Video: videos{},
	}
}

// videos makes videos. It has no state.
type videos struct{}

var _ provider.Video = videos{}

// SubmitVideo implements provider.Video. What is billed is always said explicitly: duration, resolution and sound. The client's ID
// goes along as the payload, which the vendor echoes and does not look at.
func (videos) SubmitVideo(ctx context.Context, up *provider.Upstream, in *provider.VideoRequest) (*provider.Submission, error) {
	m := modelOf(up.Model)
	if err := m.check(in); err != nil {
		return nil, err
	}
	path, b, err := videoBody(&m, in)
	if err != nil {
		return nil, err
	}
	up.Parameters.Override(b)
	req, err := newCall(ctx, http.MethodPost, path, up, b)
	if err != nil {
		return nil, err
	}
	if req.ContentLength > maxBody {
		return nil, provider.Invalid("image",
			"%s takes requests of at most 20 MB, images included: send the image as a URL, or a smaller one.", m.name)
	}
	s := &provider.Submission{
		Step:    &provider.Step[provider.Task]{Request: req, Paid: true, Read: readTask},
		Billing: billing(b, &m),
	}
	if member(b, "off_peak").Bool() {
		s.Deadline = offPeak
	}
	return s, nil
}

// videoBody translates a request that was checked, and says which call takes it.
func videoBody(m *model, in *provider.VideoRequest) (path string, b provider.Body, err error) {
	b = provider.Body{
		"model": m.id, "duration": defaultSeconds, "resolution": defaultResolution,
		"watermark": in.Watermark != nil && *in.Watermark,
	}
	provider.Set(b, "duration", in.Duration)
	provider.Set(b, "resolution", in.Resolution)
	provider.Set(b, "payload", in.ID)
	if !blank(in.Prompt) {
		b["prompt"] = in.Prompt
	}
	if !m.silent {
		b["audio"] = in.Audio == nil || *in.Audio // as the vendor has it
	}
	if in.Seed != nil {
		b["seed"] = *in.Seed
	}
	images, err := pictures(in)
	if err != nil {
		return "", nil, err
	}
	switch len(images) {
	case 0:
		provider.Set(b, "aspect_ratio", in.AspectRatio)
		return pathText, b, nil
	case 1:
		path = pathFrame
	default:
		path = pathFrames
	}
	b["images"] = images
	return path, b, nil
}

// billing is what a task costs by its body, in which the admin has had the last word: what was dropped takes the vendor's
// default.
func billing(b provider.Body, m *model) provider.Billing {
	bill := provider.Billing{Seconds: defaultSeconds, Resolution: defaultResolution, Audio: !m.silent}
	if n := member(b, "duration").Int(); n > 0 {
		bill.Seconds = n
	}
	if r := member(b, "resolution").Str; r != "" {
		bill.Resolution = strings.ToLower(r)
	}
	if v := member(b, "audio"); v.Exists() {
		bill.Audio = v.Bool()
	}
	return bill
}

// readTask reads the answer to a submission.
func readTask(r *provider.Response) (provider.Task, *provider.Step[provider.Task], error) {
	root, err := readObject(r)
	if err != nil {
		return provider.Task{}, nil, err
	}
	id := identifier(root.Get("task_id"))
	if id == "" {
		return provider.Task{}, nil, provider.BadResponse(r.Status, "no_task_id", "The answer has no id of a task.")
	}
	return provider.Task{ID: id}, nil, nil
}
