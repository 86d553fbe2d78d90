package mureka

import (
	"encoding/json"
	"fmt"
	"net/http"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// problem is a refusal. The platform has neither codes nor types: an HTTP status and a text is all there is.
type problem struct {
	status  int
	message string
}

func invalid(format string, args ...any) *problem {
	return &problem{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

func unauthorized() *problem {
	return &problem{http.StatusUnauthorized, "Incorrect API key provided"}
}

// The three reasons for one status. The vendor's own texts are not known.
func tooFast() *problem {
	return &problem{http.StatusTooManyRequests, "Rate limit reached for requests, please slow down"}
}

func noBalance() *problem {
	return &problem{http.StatusTooManyRequests, "You exceeded your current quota, please check your plan and billing details"}
}

func tooManyTasks(limit int) *problem {
	return &problem{http.StatusTooManyRequests, fmt.Sprintf("The concurrent request limit of %d is reached", limit)}
}

// refuse answers with an error in the form of the door.
func (x *exchange) refuse(p *problem) {
	x.Entry.Reason = p.message
	if !x.skywork {
		x.JSON(p.status, map[string]any{"error": map[string]any{"message": p.message}, "trace_id": x.trace()})
		return
	}
	status := p.status
	if x.answersInside200() {
		status = http.StatusOK
	}
	x.JSON(status, map[string]any{"code": p.status, "message": p.message, "trace_id": x.trace()})
}

func (x *exchange) trace() string { return fmt.Sprintf("%032x", x.Next()) }

// failure returns the refusal that a mode stands for, nil if it stands for none. A model that is not open to the account is a
// wrong parameter: the vendor documents no other status for it.
func (x *exchange) failure(mode studio.Mode) *problem {
	switch mode {
	case studio.Unauthorized:
		return unauthorized()
	case studio.NoBalance:
		return noBalance()
	case studio.RateLimit:
		return tooFast()
	case studio.Concurrency:
		return tooManyTasks(x.concurrency())
	case studio.NotOpen:
		return invalid("the model is not available to this account")
	case studio.Moderation:
		return invalid("the content is not allowed")
	case studio.ServerError:
		return &problem{http.StatusInternalServerError, "The server had an error while processing your request"}
	case studio.Overload:
		return &problem{http.StatusServiceUnavailable, "The engine is currently overloaded, please try again later"}
	case Region:
		return &problem{http.StatusForbidden, "Country, region, or territory not supported"}
	}
	return nil
}

// fails plays a mode that leaves a request without any effect, and says whether it did.
func (x *exchange) fails(mode studio.Mode) bool {
	if x.Play(mode) {
		return true
	}
	if p := x.failure(mode); p != nil {
		x.refuse(p)
		return true
	}
	switch mode {
	case "", studio.Lost, studio.Truncated, studio.MidStream, studio.NoAudio, studio.PartialOutput,
		studio.TaskFailed, studio.ModerationOutput, studio.TaskSlow, studio.TaskStuck, TimedOut, Withdrawn:
		return false
	}
	x.Text(http.StatusNotImplemented, "text/plain", "the simulator knows no failure mode "+string(mode))
	return true
}

// failsQuestion does so for a request that only asks: what concerns submits does not touch it.
func (x *exchange) failsQuestion() (mode studio.Mode, failed bool) {
	mode = x.Mode("")
	switch mode {
	case studio.NoBalance, studio.NotOpen, studio.Moderation, studio.Concurrency:
		return mode, false
	}
	return mode, x.fails(mode)
}

// answer reports a success once all of it has happened; Lost keeps the report back, Truncated and MidStream break it off.
func (x *exchange) answer(mode studio.Mode, document map[string]any) {
	if x.skywork {
		document = x.wrap(document)
	}
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
