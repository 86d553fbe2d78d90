package tokenhub

import (
	"context"
	"math"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// Paths of the calls for videos.
const (
	videoSubmitPath = "/api/video/submit"
	videoQueryPath  = "/api/video/query"
)

// What HunyuanVideo makes. The length cannot be chosen and is not documented for this call: about five seconds are commonly reported,
// the vendor tells five of the same model at another address (document/product/1823/137202), and five are what is billed.
const (
	videoSeconds      = 5
	defaultResolution = "720p"
	videoModel        = "HunyuanVideo"
)

// maxSeconds bounds what is believed of a length that the admin sets.
const maxSeconds = 3600

// markWarning tells the client what may become of its wish to have no watermark.
const markWarning = "The watermark is left out only if Tencent Cloud has approved that for the account; otherwise the video carries it."

// resolutions are those that are reported of the model.
func resolutions() []string { return []string{defaultResolution, "1080p"} }

// videos makes videos with HunyuanVideo. It has no state.
type videos struct{}

var _ provider.Video = videos{}

// Video returns the adapter of TokenHub's videos.
func Video() provider.Video { return videos{} }

// SubmitVideo implements provider.Video.
func (videos) SubmitVideo(ctx context.Context, up *provider.Upstream, in *provider.VideoRequest) (*provider.Submission, error) {
	if err := checkVideo(in); err != nil {
		return nil, err
	}
	body := videoBody(up.Model, in)
	up.Parameters.Override(body)
	req, err := newCall(ctx, videoSubmitPath, up, body)
	if err != nil {
		return nil, err
	}
	model := member(body, memberModel).Str
	read := func(r *provider.Response) (provider.Task, *provider.Step[provider.Task], error) {
		t, err := readTask(r, model)
		return t, nil, err
	}
	s := &provider.Submission{Step: &provider.Step[provider.Task]{Request: req, Paid: true, Read: read}, Billing: billing(body)}
	if in.Watermark != nil && !*in.Watermark {
		s.Warnings = []string{markWarning}
	}
	return s, nil
}

// videoBody translates a request that was checked. A resolution is sent only if the client wants one: that the call takes it is
// reported and not documented.
func videoBody(model string, in *provider.VideoRequest) provider.Body {
	b := provider.Body{memberModel: model, "logo_add": mark(in.Watermark)}
	provider.Set(b, "prompt", strings.TrimSpace(in.Prompt))
	provider.Set(b, memberResolution, in.Resolution)
	if in.Image != "" {
		b["image"] = map[string]string{"url": in.Image}
	}
	return b
}

// billing is what a task costs by its body, in which the admin has had the last word: the vendor's other models have a length.
func billing(b provider.Body) provider.Billing {
	bill := provider.Billing{Seconds: videoSeconds, Resolution: defaultResolution}
	if v := member(b, "duration"); v.Type == gjson.Number && v.Num >= 1 && v.Num <= maxSeconds {
		bill.Seconds = int64(math.Ceil(v.Num))
	}
	if v := member(b, memberResolution).Str; v != "" {
		bill.Resolution = strings.ToLower(v)
	}
	return bill
}

// checkVideo refuses what the model does not take.
func checkVideo(in *provider.VideoRequest) error {
	switch {
	case strings.TrimSpace(in.Prompt) == "" && in.Image == "":
		return provider.Invalid("prompt", "%s needs a prompt.", videoModel)
	case in.Duration != 0 && in.Duration != videoSeconds:
		return provider.Invalid("duration", "%s makes videos of about %d seconds. Leave duration out, or send %[2]d.", videoModel, videoSeconds)
	case in.Resolution != "" && !slices.Contains(resolutions(), in.Resolution):
		return provider.Invalid("resolution", "%s makes %s, not %q.", videoModel, strings.Join(resolutions(), " and "), in.Resolution)
	}
	for _, p := range [...]struct {
		given        bool
		param, reply string
	}{
		{in.AspectRatio != "", "aspect_ratio", "takes no aspect ratio. Leave aspect_ratio and size out, or send an image of that shape."},
		{in.LastImage != "", "last_image", "takes no last frame. Leave last_image out."},
		{in.Seed != nil, "seed", "takes no seed. Leave seed out."},
		{in.NegativePrompt != "", "negative_prompt", "takes no negative prompt: say in the prompt what not to show."},
		{in.Audio != nil && *in.Audio, "audio", "makes videos without sound. Leave audio out."},
	} {
		if p.given {
			return provider.Invalid(p.param, "%s %s", videoModel, p.reply)
		}
	}
	return nil
}
