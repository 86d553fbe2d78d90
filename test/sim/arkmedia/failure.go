package arkmedia

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// Failures that this vendor has beyond those of package studio.
const (
	// PartialStopped breaks a set of images at its second image: what follows an internal error is not attempted.
	PartialStopped studio.Mode = "partial_stopped"
	// taskPrefix begins modes that fail a task later, with the code that follows.
	taskPrefix = "task "
)

// problem is a refusal before it takes the vendor's form.
type problem struct {
	status               int
	code, param, message string
}

func invalid(param, format string, args ...any) *problem {
	return &problem{status: http.StatusBadRequest, code: "InvalidParameter", param: param,
		message: fmt.Sprintf("The parameter `%s` specified in the request is not valid: %s.", param, fmt.Sprintf(format, args...))}
}

func missing(param string) *problem {
	return &problem{status: http.StatusBadRequest, code: "MissingParameter", param: param,
		message: fmt.Sprintf("The request is missing the required parameter `%s`.", param)}
}

// documented lists the codes of docs.byteplus.com ModelArk/1299023 by HTTP status. Of OperationDenied only the beginning is; its
// suffix is this simulator's.
func documented() map[int]string {
	return map[int]string{
		400: "MissingParameter InvalidParameter InvalidParameter.TaskTypeConstraint InvalidParameter.TaskTypeMismatch " +
			"InvalidEndpoint.ClosedEndpoint SensitiveContentDetected SensitiveContentDetected.SevereViolation " +
			"SensitiveContentDetected.Violence InputTextSensitiveContentDetected InputImageSensitiveContentDetected " +
			"InputVideoSensitiveContentDetected InputAudioSensitiveContentDetected OutputTextSensitiveContentDetected " +
			"OutputImageSensitiveContentDetected OutputVideoSensitiveContentDetected OutputAudioSensitiveContentDetected " +
			"InputTextSensitiveContentDetected.PolicyViolation InputImageSensitiveContentDetected.PolicyViolation " +
			"OutputImageSensitiveContentDetected.PolicyViolation OutputVideoSensitiveContentDetected.PolicyViolation " +
			"InputImageSensitiveContentDetected.PrivacyInformation InputTextRiskDetection ContentSecurityDetectionError",
		401: "AuthenticationError",
		403: "AccountOverdueError AccessDenied OperationDenied.InvalidState",
		404: "InvalidEndpointOrModel.NotFound InvalidEndpointOrModel.ModelIDAccessDisabled ModelNotOpen UnsupportedModel",
		429: "RateLimitExceeded.EndpointRPMExceeded RateLimitExceeded.EndpointTPMExceeded " +
			"RateLimitExceeded.FoundationModelRPMExceeded ModelAccountRpmRateLimitExceeded ModelAccountTpmRateLimitExceeded " +
			"ModelAccountIpmRateLimitExceeded APIAccountRpmRateLimitExceeded AccountRateLimitExceeded QuotaExceeded " +
			"ServerOverloaded RequestBurstTooFast SetLimitExceeded InflightBatchsizeExceeded",
		500: "InternalServiceError",
	}
}

// known is a problem with a documented code, in any case; nil if the code is not documented.
func known(code, message string) *problem {
	for status, codes := range documented() {
		for each := range strings.FieldsSeq(codes) {
			if strings.EqualFold(each, code) {
				return &problem{status: status, code: each, message: message}
			}
		}
	}
	return nil
}

// codeOf names the vendor's code of a general failure. The code for too many running tasks is not documented; the one that
// speaks of work in flight stands in.
func codeOf(mode studio.Mode, kind studio.Kind) string {
	codes := map[studio.Mode]string{
		studio.Unauthorized: "AuthenticationError", studio.NoBalance: "AccountOverdueError",
		studio.RateLimit: "ModelAccountRpmRateLimitExceeded", studio.Concurrency: "InflightBatchsizeExceeded",
		studio.Overload: "ServerOverloaded", studio.ServerError: "InternalServiceError",
		studio.Moderation: "InputTextSensitiveContentDetected", studio.NotOpen: "ModelNotOpen",
	}
	if kind == studio.Image {
		codes[studio.RateLimit] = "ModelAccountIpmRateLimitExceeded"
		codes[studio.ModerationOutput] = "OutputImageSensitiveContentDetected"
		codes[studio.TaskFailed] = "InternalServiceError"
	}
	if code := codes[mode]; code != "" {
		return code
	}
	return string(mode)
}

// fails plays a failure that leaves no effect and says whether it did. A mode that nobody knows is a mistake of the test, and
// looks like one.
func (s *Simulator) fails(v *studio.Visit, mode studio.Mode, kind studio.Kind) bool {
	if mode == "" || hasEffect(mode, kind) {
		return false
	}
	if v.Play(mode) {
		return true
	}
	p := known(codeOf(mode, kind), "The request failed: simulated "+string(mode)+".")
	if p == nil {
		p = &problem{status: http.StatusInternalServerError, code: "InternalServiceError", message: "unknown failure mode " + string(mode)}
	}
	s.refuse(v, p)
	return true
}

// hasEffect tells the failures that come after the vendor has taken the work on.
func hasEffect(mode studio.Mode, kind studio.Kind) bool {
	switch mode {
	case studio.Lost, studio.Truncated, studio.MidStream, studio.PartialOutput, PartialStopped, studio.NoAudio:
		return true
	case studio.TaskSlow, studio.TaskStuck:
		return kind == studio.Video
	}
	return kind == studio.Video && laterFailure(mode) != nil
}

// laterFailure is how a task ends in a mode; nil means that it does not fail.
func laterFailure(mode studio.Mode) *problem {
	const message = "The task failed: simulated."
	code, later := strings.CutPrefix(string(mode), taskPrefix)
	switch {
	case mode == studio.TaskFailed:
		return known("InternalServiceError", message)
	case mode == studio.ModerationOutput:
		return known("OutputVideoSensitiveContentDetected", message)
	case later || strings.HasPrefix(code, "output"):
		return known(code, message)
	}
	return nil
}

// refuse answers with an error as Ark does. The request id is part of the message.
func (s *Simulator) refuse(v *studio.Visit, p *problem) {
	v.Entry.Reason = p.message
	types := map[int]string{400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 405: "MethodNotAllowed",
		429: "TooManyRequests", 500: "InternalServerError"}
	code := p.code
	if s.Alternate && p.param != "" && (code == "InvalidParameter" || code == "MissingParameter") {
		name, _, _ := strings.Cut(p.param, "[")
		code += "." + name
	}
	v.JSON(p.status, map[string]any{"error": map[string]any{
		"code": code, "message": p.message + " Request id: " + s.requestID(), "param": p.param, "type": types[p.status],
	}})
}

// requestID is 02, the time in milliseconds, and a number.
func (s *Simulator) requestID() string {
	return fmt.Sprintf("02%d%032x", s.Now().UnixMilli(), s.Next())
}

// respond sends an answer whose effects have already come about, unless it gets lost on the way.
func respond(v *studio.Visit, mode studio.Mode, document any) {
	switch mode {
	case studio.Lost:
		v.Abort()
	case studio.Truncated, studio.MidStream:
		data, err := json.Marshal(document)
		if err != nil {
			panic(err)
		}
		v.W.Header().Set("Content-Length", strconv.Itoa(len(data)))
		v.Chunk("application/json", string(data[:len(data)/2]))
		v.Abort()
	default:
		v.JSON(http.StatusOK, document)
	}
}

// contentType refuses a body that does not say it is JSON; the documents demand the header without showing the refusal.
func contentType(r *http.Request) *problem {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if r.Method == http.MethodPost && (err != nil || kind != "application/json") {
		return invalid("Content-Type", "want application/json")
	}
	return nil
}
