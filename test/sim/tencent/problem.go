package tencent

import (
	"fmt"
	"net/http"
	"strings"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// Codes that several rules use.
const (
	badSignature  = "AuthFailure.SignatureFailure"
	badParameter  = "InvalidParameter"
	badValue      = "InvalidParameterValue"
	missing       = "MissingParameter"
	tooManyJobs   = "RequestLimitExceeded.JobNumExceed"
	illegalURL    = "InvalidParameterValue.UrlIllegal"
	downloadError = "FailedOperation.ImageDownloadError"
	decodeFailed  = "FailedOperation.ImageDecodeFailed"
)

// problem is a refusal, or the reason why a job failed.
type problem struct{ code, message string }

func refusal(code, format string, args ...any) *problem {
	return &problem{code: code, message: fmt.Sprintf(format, args...)}
}

// call is a request with an id.
type call struct {
	*studio.Visit
	id      string
	product *product
	in      values
}

// refuse answers with an error, which is HTTP 200 like everything.
func (c *call) refuse(p *problem) {
	c.Entry.Reason = p.code + ": " + p.message
	c.respond(map[string]any{"Error": map[string]any{"Code": p.code, "Message": p.message}})
}

// respond puts a result into the vendor's envelope.
func (c *call) respond(result map[string]any) {
	result["RequestId"] = c.id
	c.JSON(http.StatusOK, map[string]any{"Response": result})
}

// succeed answers, unless the answer is to be lost.
func (c *call) succeed(f fate, result map[string]any) {
	if f.mode == studio.Lost {
		c.Abort()
	}
	c.respond(result)
}

// fate is what becomes of a request that is not refused.
type fate struct {
	mode studio.Mode
	// failure is why the job is going to fail; nil if it is not.
	failure *problem
}

// fails plays the failure that this request is to meet and says whether that was the end of it. The code that a failing job
// reports may follow its mode, as in "[[fail task_failed failedoperation.rpcfail]]".
func (c *call) fails(prompt string) (f fate, over bool) {
	name, code, _ := strings.Cut(string(c.Mode(prompt)), " ")
	f.mode = studio.Mode(name)
	switch f.mode {
	case "", studio.Lost, studio.TaskSlow, studio.TaskStuck, studio.PartialOutput, studio.NoAudio:
		return f, false
	case studio.TaskFailed, studio.ModerationOutput:
		if code == "" {
			code = name
		}
		f.failure = c.product.failure(code)
		return f, f.failure == nil && c.unknown(name+" "+code)
	case studio.Truncated, studio.MidStream: // nothing is streamed here: the nearest is an answer that ends early
		return f, c.Play(studio.Malformed)
	}
	if c.Play(f.mode) {
		return f, true
	}
	p := c.product.failure(name)
	if p == nil {
		return f, c.unknown(name)
	}
	c.refuse(p)
	return f, true
}

// unknown makes a mode that does not exist visible, and returns true.
func (c *call) unknown(mode string) bool {
	c.Entry.Reason = "the simulator has no failure " + mode
	c.Text(http.StatusInternalServerError, "text/plain", c.Entry.Reason)
	return true
}

// failure finds what a mode means here. A documented code of the product is a mode too, in any case of its letters.
func (p *product) failure(name string) *problem {
	if code := p.failures[studio.Mode(name)]; code != "" {
		name = code
	}
	for _, code := range p.codes {
		if strings.EqualFold(code, name) {
			return refusal(code, "played by the simulator")
		}
	}
	return nil
}
