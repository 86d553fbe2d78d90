package dashscope

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// taskPrefix begins modes that fail a task later, with the code that follows.
const taskPrefix = "task "

// problem is a refusal before it takes the vendor's form.
type problem struct {
	status        int
	code, message string
}

func invalid(param, format string, args ...any) *problem {
	return known("InvalidParameter", param+": "+fmt.Sprintf(format, args...))
}

// documented lists the codes of help.aliyun.com/zh/model-studio/developer-reference/error-code by HTTP status.
func documented() map[int]string {
	return map[int]string{
		400: "InvalidParameter BadRequest.EmptyInput BadRequest.EmptyParameters BadRequest.EmptyModel InvalidURL " +
			"DataInspectionFailed data_inspection_failed InvalidParameter.DataInspection Arrearage UnsupportedOperation",
		401: "InvalidApiKey",
		403: "AccessDenied AccessDenied.Unpurchased Model.AccessDenied",
		408: "RequestTimeOut",
		413: "BadRequest.TooLarge",
		429: "Throttling Throttling.RateQuota Throttling.AllocationQuota",
		500: "InternalError InternalError.Algo",
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

// codeOf names the vendor's code of a general failure. Too much load has no code of its own: of those that say 429, the one
// about allocation stands in.
func (s *Simulator) codeOf(mode studio.Mode) string {
	codes := map[studio.Mode]string{
		studio.Unauthorized: "InvalidApiKey", studio.NoBalance: "Arrearage", studio.RateLimit: "Throttling.RateQuota",
		studio.Concurrency: "Throttling", studio.Overload: "Throttling.AllocationQuota", studio.ServerError: "InternalError",
		studio.Moderation: "DataInspectionFailed", studio.ModerationOutput: "DataInspectionFailed",
		studio.NotOpen: "AccessDenied.Unpurchased", studio.TaskFailed: "InternalError.Algo",
	}
	code := codes[mode]
	if code == "" {
		return string(mode)
	}
	if code == "DataInspectionFailed" && s.Alternate {
		return "data_inspection_failed"
	}
	return code
}

// fails plays a failure that leaves no effect and says whether it did; later tells that the request makes a task, or asks for one. A
// mode that nobody knows is a mistake of the test, and looks like one.
func (s *Simulator) fails(v *studio.Visit, mode studio.Mode, later bool) bool {
	if mode == "" || s.hasEffect(mode, later) {
		return false
	}
	if v.Play(mode) {
		return true
	}
	p := known(s.codeOf(mode), "The request failed: simulated "+string(mode)+".")
	if p == nil {
		p = &problem{status: http.StatusInternalServerError, code: "InternalError", message: "unknown failure mode " + string(mode)}
	}
	s.refuse(v, p)
	return true
}

// hasEffect tells the failures that come after the vendor has taken the work on.
func (s *Simulator) hasEffect(mode studio.Mode, later bool) bool {
	switch mode {
	case studio.Lost, studio.Truncated, studio.MidStream, studio.PartialOutput, studio.NoAudio:
		return true
	case studio.TaskSlow, studio.TaskStuck:
		return later
	}
	return later && s.laterFailure(mode) != nil
}

// laterFailure is how a task ends in a mode; nil means that it does not fail.
func (s *Simulator) laterFailure(mode studio.Mode) *problem {
	code, later := strings.CutPrefix(string(mode), taskPrefix)
	if !later && mode != studio.TaskFailed && mode != studio.ModerationOutput {
		return nil
	}
	return known(s.codeOf(studio.Mode(code)), "The task failed: simulated.")
}

// refuse answers with an error as DashScope does, without a wrapper.
func (s *Simulator) refuse(v *studio.Visit, p *problem) {
	v.Entry.Reason = p.message
	v.JSON(p.status, map[string]any{"code": p.code, "message": p.message, "request_id": s.id("4f1c")})
}

// id is a UUID; the group tells what it names.
func (s *Simulator) id(group string) string {
	n := s.Next()
	return fmt.Sprintf("%08x-%s-4a51-8a51-%012x", s.Now().Unix()&0xffffffff, group, n)
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
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return invalid("Content-Type", "want application/json")
	}
	return nil
}
