package vidu

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// problem is a refusal: platform.vidu.com/docs/error-code.
type problem struct{ reason, message string }

func invalid(format string, args ...any) *problem {
	return &problem{"FieldInvalid", fmt.Sprintf(format, args...)}
}

func unwanted(field string) *problem { return &problem{"FieldUnwanted", field + " is not wanted here"} }

func lacking(field string) *problem { return &problem{"FieldLacking", field + " is required"} }

// reasons are the documented ones by HTTP status.
func reasons() map[int][]string {
	return map[int][]string{
		http.StatusBadRequest: {
			"BadRequest", "FieldLacking", "FieldUnwanted", "FieldItemCountOutOfRange", "FieldInvalid", "PageSizeOutOfRange",
			"ImageDownloadFailure", "ImageFormatInvalid", "OperationInProcess", "TaskPromptPolicyViolation", "AuditSubmitIllegal",
			"CreationPolicyViolation", "CreditInsufficient", "ModelUnavailable", "UserCancelled",
		},
		http.StatusUnauthorized:        {"Unauthorized"},
		http.StatusForbidden:           {"Forbidden"},
		http.StatusNotFound:            {"TaskNotFound", "CreationNotFound", "NotFound"},
		http.StatusConflict:            {"Conflict"},
		http.StatusTooManyRequests:     {"QuotaExceeded", "TooManyRequests", "SystemThrottling"},
		499:                            {"Canceled"},
		http.StatusInternalServerError: {"InternalServiceFailure"},
	}
}

// documented returns the status and the spelling of a reason in any case; 0 for one that is not documented.
func documented(reason string) (status int, spelled string) {
	for status, list := range reasons() {
		for _, r := range list {
			if strings.EqualFold(r, reason) {
				return status, r
			}
		}
	}
	return 0, ""
}

// refuse answers with an error.
func (x *exchange) refuse(p *problem) {
	x.Entry.Reason = p.message
	status, _ := documented(p.reason)
	x.JSON(status, map[string]any{"code": status, "reason": p.reason, "message": p.message,
		"metadata": map[string]any{"trace_id": fmt.Sprintf("trace-%d", x.Next())}})
}

// failure returns the refusal that a mode stands for, nil if it stands for none. "reason conflict" and the like are any
// documented reason.
func failure(mode studio.Mode) *problem {
	switch mode {
	case studio.Unauthorized:
		return &problem{"Unauthorized", "the API key is invalid"}
	case studio.NoBalance:
		return &problem{"CreditInsufficient", "the account has too few credits"}
	case studio.NotOpen:
		return &problem{"ModelUnavailable", "the model is not available"}
	case studio.Moderation:
		return &problem{"TaskPromptPolicyViolation", "the prompt violates the policy"}
	case studio.RateLimit:
		return &problem{"TooManyRequests", "too many requests"}
	case studio.Concurrency:
		return overQuota()
	case studio.Overload:
		return &problem{"SystemThrottling", "the system is busy"}
	case studio.ServerError:
		return &problem{"InternalServiceFailure", "internal service failure"}
	}
	if name, ok := strings.CutPrefix(string(mode), "reason "); ok {
		if status, reason := documented(name); status != 0 {
			return &problem{reason, "as the test wants it"}
		}
	}
	return nil
}

func overQuota() *problem { return &problem{"QuotaExceeded", "too many tasks are running"} }

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

// failsLater does so for a request about a task that exists: what concerns submits does not touch it.
func (x *exchange) failsLater() (mode studio.Mode, failed bool) {
	mode = x.Mode("")
	switch mode {
	case studio.NoBalance, studio.NotOpen, studio.Moderation, studio.Concurrency:
		return "", false
	}
	return mode, x.fails(mode)
}

// answer reports a success once all of it has happened; Lost keeps the report back, Truncated and MidStream break it off.
func (x *exchange) answer(mode studio.Mode, document any) {
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
