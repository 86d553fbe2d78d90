package tencent

import (
	"context"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// What HunyuanVideo takes and makes. The length cannot be chosen and is not documented for this call: about five seconds are commonly
// reported, TokenHub tells five of the same model (document/product/1823/137202), and five are what is billed.
const (
	maxVideoPrompt   = 200       // characters
	maxFrame         = 8_000_000 // characters in base64
	videoSeconds     = 5
	videoResolution  = "720p"
	videoModel       = "HunyuanVideo"
	resolutionMember = "Resolution"
)

// markWarning tells the client what may become of its wish to have no watermark.
const markWarning = "The watermark is left out only if Tencent Cloud has approved that for the account; otherwise the video carries it."

// submitVideo and queryVideo are the actions of HunyuanVideo 1.5.
func submitVideo() action { return action{"vclm", "2024-05-23", "SubmitHunyuanToVideoJob"} }
func queryVideo() action  { return action{"vclm", "2024-05-23", "DescribeHunyuanToVideoJob"} }

// videos makes videos with HunyuanVideo. It has no state.
type videos struct{}

var _ provider.Video = videos{}

// SubmitVideo implements provider.Video.
func (videos) SubmitVideo(ctx context.Context, up *provider.Upstream, in *provider.VideoRequest) (*provider.Submission, error) {
	body, err := videoBody(in)
	if err != nil {
		return nil, err
	}
	up.Parameters.Override(body)
	req, err := newCall(ctx, up, submitVideo(), "", body, in.Now)
	if err != nil {
		return nil, err
	}
	region := req.Header.Get(headerRegion)
	read := func(r *provider.Response) (provider.Task, error) { return readJob(r, region) }
	s := &provider.Submission{
		Step:    newStep(req, signerOf(up, submitVideo()), true, read),
		Billing: provider.Billing{Seconds: videoSeconds, Resolution: resolutionOf(body)},
	}
	if in.Watermark != nil && !*in.Watermark {
		s.Warnings = []string{markWarning}
	}
	return s, nil
}

// videoBody translates a request. The documentation says that the prompt is required, and that videos are made of a text or an image:
// an image alone is the vendor's to judge. Blanks around a prompt do not count.
func videoBody(in *provider.VideoRequest) (provider.Body, error) {
	prompt := strings.TrimSpace(in.Prompt)
	if err := checkVideo(in, prompt); err != nil {
		return nil, err
	}
	b := provider.Body{"LogoAdd": mark(in.Watermark), resolutionMember: videoResolution}
	provider.Set(b, "Prompt", prompt)
	if in.Image == "" {
		return b, nil
	}
	data, err := inline(in.Image, maxFrame)
	switch {
	case err != nil:
		return nil, err
	case data != "":
		b["Image"] = map[string]string{"Base64": data}
	default:
		b["Image"] = map[string]string{"Url": in.Image}
	}
	return b, nil
}

// checkVideo refuses what the vendor does not take.
func checkVideo(in *provider.VideoRequest, prompt string) error {
	switch length := utf8.RuneCountInString(prompt); {
	case prompt == "" && in.Image == "":
		return provider.Invalid("prompt", "%s needs a prompt.", videoModel)
	case length > maxVideoPrompt:
		return provider.Invalid("prompt", "%s takes prompts of at most %d characters, not %d.", videoModel, maxVideoPrompt, length)
	case in.Duration != 0 && in.Duration != videoSeconds:
		return provider.Invalid("duration", "%s makes videos of about %d seconds. Leave duration out, or send %[2]d.", videoModel, videoSeconds)
	case in.Resolution != "" && in.Resolution != videoResolution:
		return provider.Invalid("resolution", "%s makes %s, not %q.", videoModel, videoResolution, in.Resolution)
	}
	return checkLacking(in)
}

// checkLacking refuses parameters that the vendor does not have.
func checkLacking(in *provider.VideoRequest) error {
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

// resolutionOf is the resolution that a body asks for, in which the admin has had the last word.
func resolutionOf(b provider.Body) string {
	raw, err := json.Marshal(b[resolutionMember])
	if r := gjson.ParseBytes(raw).Str; err == nil && r != "" {
		return strings.ToLower(r)
	}
	return videoResolution
}
