package kling

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// problem is a refusal: kling.ai/document-api/api/get-started/error-codes.
type problem struct {
	code    int
	message string
}

// invalid is a parameter that the vendor refuses.
func invalid(format string, args ...any) *problem {
	return &problem{1201, fmt.Sprintf(format, args...)}
}

// status returns the HTTP status that goes with a code, and 0 for a code that is not documented.
func status(code int) int {
	switch code {
	case 1000, 1001, 1002, 1003, 1004:
		return http.StatusUnauthorized
	case 1100, 1101, 1102, 1302, 1303, 1304:
		return http.StatusTooManyRequests
	case 1103:
		return http.StatusForbidden
	case 1200, 1201, 1300, 1301:
		return http.StatusBadRequest
	case 1202, 1203:
		return http.StatusNotFound
	case 5000:
		return http.StatusInternalServerError
	case 5001:
		return http.StatusServiceUnavailable
	case 5002:
		return http.StatusGatewayTimeout
	}
	return 0
}

// refuse answers with an error.
func (x *exchange) refuse(p *problem) {
	x.Entry.Reason = p.message
	x.JSON(status(p.code), map[string]any{"code": p.code, "message": p.message, "request_id": x.requestID()})
}

func (x *exchange) requestID() string { return fmt.Sprintf("req-%d", x.Next()) }

// failure returns the refusal that a mode stands for, nil if it stands for none. "code 1304" and the like are any documented
// code.
func failure(mode studio.Mode) *problem {
	switch mode {
	case studio.Unauthorized:
		return &problem{1000, "authentication failed"}
	case studio.NoBalance:
		return &problem{1102, "the resource pack is used up or has expired"}
	case studio.NotOpen:
		return &problem{1103, "no permission to access the model"}
	case studio.Moderation:
		return &problem{1301, "the request was rejected by the content safety policy"}
	case studio.RateLimit:
		return &problem{1302, "requests come too fast"}
	case studio.Concurrency:
		return overLimit()
	case studio.ServerError:
		return &problem{5000, "internal server error"}
	case studio.Overload:
		return &problem{5001, "the server is temporarily unavailable"}
	}
	digits, _ := strings.CutPrefix(string(mode), "code ")
	if code, err := strconv.Atoi(digits); err == nil && status(code) != 0 {
		return &problem{code, fmt.Sprintf("error %d", code)}
	}
	return nil
}

func overLimit() *problem { return &problem{1303, "too many running tasks for the resource pack"} }

// fails plays a mode that leaves a request without any effect, and says whether it did.
func (x *exchange) fails(mode studio.Mode) bool {
	if x.Play(mode) {
		return true
	}
	if p := failure(mode); p != nil {
		x.refuse(p)
		return true
	}
	switch mode {
	case "", studio.Lost, studio.Truncated, studio.MidStream, studio.NoAudio, studio.PartialOutput,
		studio.TaskFailed, studio.ModerationOutput, studio.TaskSlow, studio.TaskStuck:
		return false
	}
	x.Text(http.StatusNotImplemented, "text/plain", "the simulator knows no failure mode "+string(mode))
	return true
}

// failsPoll does so for a request that only asks: what concerns submits does not touch it.
func (x *exchange) failsPoll() (mode studio.Mode, failed bool) {
	mode = x.Mode("")
	switch mode {
	case studio.NoBalance, studio.NotOpen, studio.Moderation, studio.Concurrency:
		return "", false
	}
	return mode, x.fails(mode)
}

// answer reports a success once all of it has happened; Lost keeps the report back, Truncated and MidStream break it off.
func (x *exchange) answer(mode studio.Mode, data any) {
	document := map[string]any{"code": 0, "message": "SUCCEED", "request_id": x.requestID(), "data": data}
	switch mode {
	case studio.Lost:
		x.Abort()
	case studio.Truncated, studio.MidStream:
		whole, err := json.Marshal(document)
		if err != nil {
			panic(err)
		}
		x.Chunk("application/json", string(whole[:len(whole)/2]))
		x.Abort()
	default:
		x.JSON(http.StatusOK, document)
	}
}
