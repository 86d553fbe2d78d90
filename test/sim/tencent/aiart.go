package tencent

import (
	"encoding/base64"
	"fmt"
	"math"
	"time"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

const (
	wrongValue  = "InvalidParameterValue.ParameterValueError"
	textTooLong = "InvalidParameterValue.TextLengthExceed"
)

// aiart is the product of images, as in github.com/TencentCloud/tencentcloud-sdk-go aiart/v20221229.
func aiart() *product {
	limits := pictureLimits{bytes: 6_000_000, format: decodeFailed, size: "FailedOperation.ImageSizeExceed",
		resolution: "FailedOperation.ImageResolutionExceed"}
	logoFields := []field{{"LogoAdd", false, anyInteger()}, {"LogoParam", false, logo("InvalidParameterValue.LogoParamErr", limits)}}
	return &product{
		name: "aiart", version: "2022-12-29",
		actions: map[string]action{
			"SubmitTextToImageJob": {serve: (*Simulator).submitImage, fields: append([]field{
				{"Prompt", true, text(8192, wrongValue, textTooLong)},
				{"Images", false, references(limits)},
				{"Resolution", false, sizes("sides must be from 512 to 2048, and at most 1024 x 1024 pixels together", jobSize)},
				{"Seed", false, within(wrongValue, 1, math.MaxUint32)},
				{"Revise", false, within(wrongValue, 0, 1)},
			}, logoFields...)},
			"QueryTextToImageJob": {serve: (*Simulator).queryImage, fields: []field{{"JobId", true, text(256, wrongValue, wrongValue)}}},
			"TextToImageLite": {serve: (*Simulator).lite, fields: append([]field{
				{"Prompt", true, text(1024, wrongValue, textTooLong)},
				{"NegativePrompt", false, text(1024, wrongValue, textTooLong)},
				{"Resolution", false, sizes("the ratio must be 1:1, 3:4, 4:3, 9:16 or 16:9, the long side one of the list", liteSize)},
				{"Seed", false, within(wrongValue, 0, math.MaxUint32)},
				{"RspImgType", false, oneOf(wrongValue, "base64", "url")},
			}, logoFields...)},
		},
		failures: map[studio.Mode]string{
			studio.Unauthorized: "AuthFailure.SecretIdNotFound", studio.NoBalance: "ResourceUnavailable.InArrears",
			studio.RateLimit: "RequestLimitExceeded", studio.Concurrency: tooManyJobs,
			studio.Overload: "FailedOperation.ServerError", studio.ServerError: "InternalError",
			studio.Moderation: "OperationDenied.TextIllegalDetected", studio.NotOpen: "ResourceUnavailable.NotExist",
			studio.TaskFailed: "FailedOperation.InnerError", studio.ModerationOutput: "FailedOperation.GenerateImageFailed",
		},
		codes: aiartCodes(),
	}
}

// aiartCodes are the documented error codes.
func aiartCodes() []string {
	return []string{
		badSignature, "AuthFailure.SecretIdNotFound", "AuthFailure.SignatureExpire", "AuthFailure.InvalidSecretId",
		"AuthFailure.UnauthorizedOperation", "UnauthorizedOperation", "InvalidParameter.InvalidParameter", wrongValue, textTooLong,
		"InvalidParameterValue.ImageEmpty", illegalURL, "InvalidParameterValue.LogoParamErr", "InvalidParameterValue.StyleConflict",
		"FailedOperation.RequestEntityTooLarge", downloadError, decodeFailed, "FailedOperation.ImageResolutionExceed",
		"FailedOperation.ImageSizeExceed", "OperationDenied.TextIllegalDetected", "OperationDenied.ImageIllegalDetected",
		"FailedOperation.GenerateImageFailed", "FailedOperation.ModerationFailed", "RequestLimitExceeded", tooManyJobs,
		"ResourceUnavailable.InArrears", "ResourceUnavailable.LowBalance", "ResourceUnavailable.NotExist",
		"ResourceUnavailable.StopUsing", "ResourceUnavailable.Delivering", "ResourcesSoldOut.ChargeStatusException",
		"FailedOperation.JobNotExist", "FailedOperation.InnerError", "FailedOperation.ServerError", "FailedOperation.RequestTimeout",
		"FailedOperation.RpcFail", "FailedOperation.ConsoleServerError", "FailedOperation.Unknown", "InternalError",
	}
}

// references takes up to three pictures.
func references(limits pictureLimits) check {
	return func(name string, v gjson.Result) *problem {
		pictures := v.Array()
		if !v.IsArray() {
			return wrongType(name, "array")
		}
		if len(pictures) == 0 {
			return refusal("InvalidParameterValue.ImageEmpty", "%s is empty", name)
		}
		if len(pictures) > 3 {
			return refusal(wrongValue, "%s takes at most 3 pictures", name)
		}
		for i, picture := range pictures {
			if p := limits.either(fmt.Sprintf("%s.%d", name, i), picture); p != nil {
				return p
			}
		}
		return nil
	}
}

// submitImage is SubmitTextToImageJob.
func (s *Simulator) submitImage(c *call) {
	z, given := readSize(c.in["Resolution"].Str)
	if !given {
		z = size{1024, 1024}
	}
	job := &Job{Prompt: c.in["Prompt"].Str, Seed: c.in.integer("Seed", 0), Logo: c.in.integer("LogoAdd", 1) != 0,
		Revise: c.in.integer("Revise", 1) == 1, References: len(c.in["Images"].Array())}
	if job.References > 0 {
		z = snapped(z)
	}
	if job.Revise {
		job.Seed = 0
	}
	job.Width, job.Height = z.width, z.height
	id := fmt.Sprintf("1250000000-%d-5143eaa5-%04x-0", s.Now().Unix(), s.Next())
	s.submit(c, job, &studio.Task{ID: id, Kind: studio.Image, Units: 1})
}

// queryImage is QueryTextToImageJob.
func (s *Simulator) queryImage(c *call) {
	s.query(c, "FailedOperation.JobNotExist", func(t *studio.Task, job *Job, state studio.State) map[string]any {
		answer := map[string]any{"JobErrorCode": "", "JobErrorMsg": "",
			"ResultImage": []string{}, "ResultDetails": []string{}, "RevisedPrompt": []string{}}
		switch state {
		case studio.Queued:
			answer["JobStatusCode"], answer["JobStatusMsg"] = "1", "排队中"
		case studio.Running:
			answer["JobStatusCode"], answer["JobStatusMsg"] = "2", "处理中"
		case studio.Succeeded:
			answer["JobStatusCode"], answer["JobStatusMsg"] = "5", "处理完成"
			s.describeImage(c, t, job, answer)
		default:
			answer["JobStatusCode"], answer["JobStatusMsg"] = "4", "处理失败"
			answer["JobErrorCode"], answer["JobErrorMsg"] = job.failure.code, job.failure.message
		}
		return answer
	})
}

// describeImage adds what a finished job has made. A job makes one image, so a partial success is none at all; the word in
// ResultDetails for that is not documented. Nor is RevisedPrompt without a revision: it is left empty.
func (s *Simulator) describeImage(c *call, t *studio.Task, job *Job, answer map[string]any) {
	switch t.Mode {
	case studio.NoAudio:
		return
	case studio.PartialOutput:
		answer["ResultDetails"] = []string{"Failed"}
		return
	}
	address := s.result(c, t, time.Hour, "png", "image/png", func(job *Job) []byte { return paintPNG(job.Width, job.Height, job.Logo) })
	answer["ResultImage"], answer["ResultDetails"] = []string{address}, []string{"Success"}
	if job.Revise {
		answer["RevisedPrompt"] = []string{job.Prompt + ", in fine detail"}
	}
}

// lite is TextToImageLite, which answers with the image itself, in one string. Whether it counts as a job is not documented; it
// does not here.
func (s *Simulator) lite(c *call) {
	f, over := c.fails(c.in["Prompt"].Str)
	switch {
	case over:
		return
	case f.failure != nil:
		c.refuse(f.failure)
		return
	case f.mode == studio.TaskStuck:
		c.Play(studio.Stall)
		return
	case f.mode == studio.TaskSlow:
		for range 49 {
			c.Work()
		}
	}
	c.Work() // a client that leaves is billed all the same
	s.Bill(studio.Charge{ID: c.id, Kind: studio.Image, Model: c.Entry.Model, Units: 1})
	c.succeed(f, map[string]any{"ResultImage": s.liteImage(c, f.mode), "Seed": s.seed(c)})
}

// liteImage is base64 without any prefix unless an address was asked for.
func (s *Simulator) liteImage(c *call, mode studio.Mode) string {
	if mode == studio.NoAudio || mode == studio.PartialOutput {
		return ""
	}
	z, given := readSize(c.in["Resolution"].Str)
	if !given {
		z = size{1024, 1024}
	}
	data := paintJPEG(z.width, z.height, c.in.integer("LogoAdd", 1) != 0)
	if c.in["RspImgType"].Str == "url" {
		return s.publish(c.Visit, "jpg", "image/jpeg", data, s.Now().Add(time.Hour))
	}
	return base64.StdEncoding.EncodeToString(data)
}

// seed is the one asked for, or a number that differs each time.
func (s *Simulator) seed(c *call) int64 {
	if seed := c.in.integer("Seed", 0); seed != 0 {
		return seed
	}
	return s.Next()*2654435761%math.MaxUint32 + 1
}
