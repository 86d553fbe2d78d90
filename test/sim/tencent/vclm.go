package tencent

import (
	"fmt"
	"time"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// videoLength is that of every video. It is not documented; about five seconds are what users report.
const videoLength = 5 * time.Second

// vclm is the product of videos, as in github.com/TencentCloud/tencentcloud-sdk-go vclm/v20240523.
func vclm() *product {
	limits := pictureLimits{bytes: 8_000_000, aspect: 4, format: badValue + ".InvalidImageFormat", size: badValue + ".InvalidImageSize",
		resolution: badValue + ".InvalidImageResolution", ratio: badValue + ".InvalidImageAspectRatio"}
	return &product{
		name: "vclm", version: "2024-05-23",
		actions: map[string]action{
			"SubmitHunyuanToVideoJob": {serve: (*Simulator).submitVideo, fields: []field{
				{"Prompt", false, text(200, badValue, badValue)},
				{"Image", false, firstFrame(limits)},
				{"Resolution", false, oneOf(badValue, "720p")},
				{"LogoAdd", false, anyInteger()},
				{"LogoParam", false, logo(badValue, limits)},
			}},
			"DescribeHunyuanToVideoJob": {serve: (*Simulator).queryVideo, fields: []field{{"JobId", true, text(256, badValue, badValue)}}},
		},
		failures: map[studio.Mode]string{
			studio.Unauthorized: "AuthFailure", studio.NoBalance: "ResourcesSoldOut.ChargeStatusException",
			studio.RateLimit: "RequestLimitExceeded", studio.Concurrency: tooManyJobs,
			studio.Overload: "FailedOperation.DriverFailed", studio.ServerError: "InternalError",
			studio.Moderation: "FailedOperation.ModerationFailed", studio.NotOpen: "ResourceUnavailable.NotExist",
			studio.TaskFailed: "FailedOperation.InnerError", studio.ModerationOutput: "FailedOperation.ModerationFailed",
		},
		codes: []string{
			"AuthFailure", "UnauthorizedOperation", badParameter, badValue, illegalURL, limits.format, limits.size, limits.resolution,
			limits.ratio, missing, "FailedOperation.DriverFailed", "FailedOperation.JobNotFound", "FailedOperation.JobNotExist",
			"FailedOperation.ModerationFailed", "FailedOperation.TextModerationNotPass", downloadError, decodeFailed,
			"FailedOperation.RequestTimeout", "FailedOperation.ServerError", "FailedOperation.InnerError", "RequestLimitExceeded",
			tooManyJobs, "ResourceUnavailable.NotExist", "ResourceUnavailable.IsOpening", "ResourceInsufficient",
			"ResourcesSoldOut.ChargeStatusException", "InternalError",
		},
	}
}

// firstFrame takes {Url} or {Base64}. Both together are refused, although the documentation is silent on them.
func firstFrame(limits pictureLimits) check {
	object := nested(field{"Url", false, limits.address}, field{"Base64", false, limits.inline})
	return func(name string, v gjson.Result) *problem {
		if p := object(name, v); p != nil {
			return p
		}
		if v.Get("Url").Exists() == v.Get("Base64").Exists() {
			return refusal(badValue, "%s needs either Url or Base64", name)
		}
		return nil
	}
}

// submitVideo is SubmitHunyuanToVideoJob.
func (s *Simulator) submitVideo(c *call) {
	rules := s.currentRules()
	image := c.in["Image"]
	if prompt := c.in["Prompt"]; !prompt.Exists() && (!rules.ImageAlone || !image.Exists()) {
		c.refuse(refusal(missing, "the parameter Prompt is missing"))
		return
	}
	job := &Job{Prompt: c.in["Prompt"].Str, Logo: c.in.integer("LogoAdd", 1) != 0 || !rules.LogoApproved}
	if image.Exists() {
		job.References = 1
	}
	id := fmt.Sprintf("1316%015d", s.Next())
	s.submit(c, job, &studio.Task{ID: id, Kind: studio.Video, Units: int64(videoLength / time.Second)})
}

// queryVideo is DescribeHunyuanToVideoJob. For a job that is not there, two codes are documented; images use the other.
func (s *Simulator) queryVideo(c *call) {
	s.query(c, "FailedOperation.JobNotFound", func(t *studio.Task, job *Job, state studio.State) map[string]any {
		answer := map[string]any{"ErrorCode": "", "ErrorMessage": "", "ResultVideoUrl": ""}
		switch state {
		case studio.Queued:
			answer["Status"] = "WAIT"
		case studio.Running:
			answer["Status"] = "RUN"
		case studio.Succeeded:
			answer["Status"] = "DONE"
			if t.Mode != studio.NoAudio && t.Mode != studio.PartialOutput {
				answer["ResultVideoUrl"] = s.result(c, t, 24*time.Hour, "mp4", "video/mp4", func(*Job) []byte { return studio.MP4(videoLength) })
			}
		default:
			answer["Status"], answer["ErrorCode"], answer["ErrorMessage"] = "FAIL", job.failure.code, job.failure.message
		}
		return answer
	})
}
