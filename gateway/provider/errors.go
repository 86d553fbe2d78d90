package provider

import (
	"fmt"
	"time"
)

// Class says what an upstream failure means, whatever status or code a vendor gives it.
type Class int

const (
	// ClassServerError is a failure of the vendor's own. It is the zero value: what is not known is the vendor's fault.
	ClassServerError Class = iota
	// ClassInvalidRequest is the client's fault; Message says what to change.
	ClassInvalidRequest
	// ClassContextLength is a prompt that is too long for the model.
	ClassContextLength
	// ClassModeration is content that the vendor refuses.
	ClassModeration
	// ClassRateLimited is too many requests or tokens at a time; another target or a pause helps.
	ClassRateLimited
	// ClassOverloaded is a vendor or model without capacity for now.
	ClassOverloaded
	// ClassQuotaExhausted is a plan or quota used up for hours or days.
	ClassQuotaExhausted
	// ClassUnauthorized is a credential that the vendor refuses.
	ClassUnauthorized
	// ClassForbidden is a credential that may not use this model or come from this address.
	ClassForbidden
	// ClassNoBalance is an account without money.
	ClassNoBalance
	// ClassModelNotFound is an upstream model id that the vendor does not know.
	ClassModelNotFound
	// ClassTimeout is an upstream that did not answer in time.
	ClassTimeout
	// ClassNetwork is an upstream that could not be reached or broke the connection.
	ClassNetwork
	// ClassBadResponse is an answer that cannot be understood or that ended too early.
	ClassBadResponse
)

// classNames are the words for logs and metrics, in the order of the constants.
var classNames = [...]string{
	"server_error", "invalid_request", "context_length", "moderation", "rate_limited", "overloaded", "quota_exhausted",
	"unauthorized", "forbidden", "no_balance", "model_not_found", "timeout", "network", "bad_response",
}

// String returns the word for logs and metrics.
func (c Class) String() string {
	if c < 0 || int(c) >= len(classNames) {
		return "unknown"
	}
	return classNames[c]
}

// ClientFault says that the same request would fail at every target.
func (c Class) ClientFault() bool {
	return c == ClassInvalidRequest || c == ClassContextLength || c == ClassModeration
}

// Error is what went wrong at an upstream.
type Error struct {
	// Class decides what happens next.
	Class Class
	// Status is the upstream's HTTP status, 0 if there was none.
	Status int
	// Code is the vendor's own code, for logs.
	Code string
	// Message is the vendor's own text, at most 1 KiB. Only that of the client's faults is shown to clients, redacted.
	Message string
	// Param names the member of the request that is at fault, if known.
	Param string
	// RequestID is the vendor's id of the request, for logs.
	RequestID string
	// RetryAfter is how long the vendor asked to wait, 0 if it did not say.
	RetryAfter time.Duration
	// Cause is the underlying error, if any.
	Cause error
}

// Error describes the failure for logs, with the vendor's code but not its text, which may quote prompts.
func (e *Error) Error() string {
	s := fmt.Sprintf("upstream %s (status %d", e.Class, e.Status)
	if e.Code != "" {
		s += ", code " + e.Code
	}
	s += ")"
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }
