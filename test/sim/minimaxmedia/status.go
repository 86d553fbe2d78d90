package minimaxmedia

import (
	"net/http"
	"slices"
	"strconv"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// OddHex is a failure of this vendor alone: a success whose hex has an odd number of digits.
const OddHex studio.Mode = "odd_hex"

// refusal is a base_resp other than success. Almost everything comes under HTTP 200.
type refusal struct {
	code int
	text string
}

// baseResp is the status inside every answer.
type baseResp struct {
	Code    int    `json:"status_code"`
	Message string `json:"status_msg"`
}

func success() baseResp { return baseResp{Message: "success"} }

func (p *refusal) resp() baseResp { return baseResp{Code: p.code, Message: p.text} }

// message is the text of a status code; "" means that the code is in no table of speech or video. The numbers are documented,
// most of the wording is not.
func message(code int) string {
	switch code {
	case 1000:
		return "unknown error"
	case 1001:
		return "request timeout"
	case 1002:
		return "rate limit exceeded(RPM)"
	case 1004:
		return "login fail: token not match group"
	case 1008:
		return "insufficient balance"
	case 1013, 1024, 1033:
		return "internal service error, please try again later"
	case 1026, 1027:
		return map[int]string{1026: "input new_sensitive", 1027: "output new_sensitive"}[code]
	case 1028, 1030, 2056:
		return "usage limit exceeded"
	case 1039:
		return "rate limit exceeded(TPM)"
	case 1041:
		return "conn limit"
	case 1042:
		return "invisible character ratio exceeds the limit"
	case 2013:
		return "invalid params"
	}
	return messageOfAccount(code)
}

// messageOfAccount is the text of the codes about keys, plans and voices.
func messageOfAccount(code int) string {
	switch code {
	case 2038:
		return "account verification is required"
	case 2042:
		return "you don't have access to this voice_id"
	case 2049:
		return "invalid api key"
	case 2061:
		return "your current token plan not support model"
	case 20132:
		return "invalid samples or voice_id"
	}
	return ""
}

func refused(code int) *refusal { return &refusal{code: code, text: message(code)} }

// modeCode is the status code that stands for a mode; 0 means none.
func modeCode(mode studio.Mode) int {
	switch mode {
	case studio.Unauthorized:
		return 2049
	case studio.NoBalance:
		return 1008
	case studio.RateLimit:
		return 1002
	case studio.Concurrency:
		return 1041
	case studio.Overload:
		return 1033
	case studio.ServerError, studio.TaskFailed:
		return 1000
	case studio.Moderation:
		return 1026
	case studio.ModerationOutput:
		return 1027
	case studio.NotOpen:
		return 2061
	}
	if n, err := strconv.Atoi(string(mode)); err == nil && message(n) != "" {
		return n
	}
	return 0
}

// fails plays the failures that leave no effect, and says whether it did; own are modes that the caller plays itself. What no
// simulator knows is answered with 501, so that a misspelt test does not pass.
func (x *exchange) fails(mode studio.Mode, stream bool, own ...studio.Mode) bool {
	if mode == "" || mode == studio.Lost || slices.Contains(own, mode) {
		return false
	}
	if code := modeCode(mode); code != 0 {
		x.refuse(refused(code), stream)
		return true
	}
	if !x.Play(mode) {
		x.Text(http.StatusNotImplemented, "text/plain", "the simulator knows no failure mode "+string(mode))
	}
	return true
}

// refuse answers with a refusal. Whether a refused stream is a plain body or an event is not documented: both, by turns. So it
// is with the data of a speech and the task_id of a video, which are empty or absent.
func (x *exchange) refuse(p *refusal, stream bool) {
	x.Entry.Reason = p.text
	if stream && x.odd {
		x.event(speechAnswer{TraceID: x.trace, BaseResp: p.resp()})
		return
	}
	switch x.R.URL.Path {
	case pathSpeech:
		x.JSON(http.StatusOK, speechAnswer{TraceID: x.trace, BaseResp: p.resp()})
	case pathVideo:
		answer := map[string]any{"base_resp": p.resp()}
		if x.odd {
			answer["task_id"] = ""
		}
		x.JSON(http.StatusOK, answer)
	default:
		x.JSON(http.StatusOK, map[string]any{"base_resp": p.resp()})
	}
}
