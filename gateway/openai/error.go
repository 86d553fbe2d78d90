package openai

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// Error types, as clients see them.
const (
	TypeInvalidRequest     = "invalid_request_error"
	TypeInvalidAPIKey      = "invalid_api_key"
	TypeInsufficientCredit = "insufficient_credit"
	TypeModelNotFound      = "model_not_found"
	TypeNotFound           = "not_found_error"
	TypeRateLimited        = "rate_limited"
	TypeInternal           = "internal_error"
	TypeUpstream           = "upstream_error"
	TypeModelUnavailable   = "model_unavailable"
	TypeUpstreamTimeout    = "upstream_timeout"
)

// Bounds of Retry-After in seconds: SDKs ignore or clamp values outside of them.
const (
	minRetryAfter = 1
	maxRetryAfter = 60
)

// Error is a failure as a client sees it, and with Cause and Detail as the log sees it. It is the only error that reaches a
// response.
type Error struct {
	// Status is the HTTP status.
	Status int
	// Type, Code, Message and Param are the members of the envelope. Empty Code and Param become null.
	Type, Code, Message, Param string
	// RetryAfter is sent in whole seconds between 1 and 60 if it is above zero.
	RetryAfter time.Duration
	// NoRetry sends x-should-retry: false, which stops the SDKs from repeating the call.
	NoRetry bool
	// Cause is for the log only.
	Cause error
}

// Error returns what the client is told, and the cause.
func (e *Error) Error() string {
	s := strconv.Itoa(e.Status) + " " + e.Code + ": " + e.Message
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// AppendJSON appends the envelope.
func (e *Error) AppendJSON(dst []byte) []byte {
	dst = append(dst, `{"error":{"message":`...)
	dst = AppendString(dst, e.Message)
	dst = append(dst, `,"type":`...)
	dst = AppendString(dst, e.Type)
	dst = append(dst, `,"param":`...)
	dst = appendNullable(dst, e.Param)
	dst = append(dst, `,"code":`...)
	dst = appendNullable(dst, e.Code)
	return append(dst, "}}"...)
}

// appendNullable appends a string, or null for the empty one.
func appendNullable(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, "null"...)
	}
	return AppendString(dst, s)
}

// Write answers a request with the error. Nothing may have been written before. A failure to write is the client's having
// gone, so it is not reported.
func (e *Error) Write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Del("Content-Encoding")
	if e.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(e.retryAfterSeconds()))
	}
	if e.NoRetry {
		h.Set("X-Should-Retry", "false")
	}
	if e.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer")
	}
	body := append(e.AppendJSON(make([]byte, 0, 256)), '\n')
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(e.Status)
	_, _ = w.Write(body)
}

// retryAfterSeconds rounds up and clamps.
func (e *Error) retryAfterSeconds() int {
	s := int(math.Ceil(e.RetryAfter.Seconds()))
	return min(max(s, minRetryAfter), maxRetryAfter)
}

// InvalidRequest is a 400 that names the member at fault, which may be empty.
func InvalidRequest(code, param, format string, args ...any) *Error {
	return &Error{
		Status: http.StatusBadRequest, Type: TypeInvalidRequest, Code: code, Param: param,
		Message: fmt.Sprintf(format, args...),
	}
}

// InvalidKey is the one 401 for a missing and for a wrong key alike.
func InvalidKey() *Error {
	return unauthorized("invalid_api_key",
		"Incorrect or missing API key. Send a valid key as 'Authorization: Bearer <key>'.")
}

// KeyExpired is the 401 of a key that has ended.
func KeyExpired() *Error {
	return unauthorized("key_expired", "This API key has expired. Ask for a new one.")
}

// KeyRevoked is the 401 of a key that was revoked.
func KeyRevoked() *Error {
	return unauthorized("key_revoked", "This API key has been revoked. Ask for a new one.")
}

// unauthorized is a 401.
func unauthorized(code, message string) *Error {
	return &Error{Status: http.StatusUnauthorized, Type: TypeInvalidAPIKey, Code: code, Message: message}
}

// UnknownModel is the 404 of a model that does not exist or that the key may not see.
func UnknownModel(model string) *Error {
	return &Error{
		Status: http.StatusNotFound, Type: TypeModelNotFound, Code: "unknown_model", Param: "model",
		Message: "Unknown model '" + clip(model, 128) + "'.",
	}
}

// UnknownURL is the 404 of a path that is not served.
func UnknownURL(method, path string) *Error {
	return &Error{
		Status: http.StatusNotFound, Type: TypeNotFound, Code: "unknown_url",
		Message: "Unknown request URL: " + clip(method, 16) + " " + clip(path, 256) + ". The API is under /v1.",
	}
}

// JobNotFound is the one 404 of ids that are forged, foreign, expired or unreadable.
func JobNotFound() *Error {
	return &Error{
		Status: http.StatusNotFound, Type: TypeNotFound, Code: "job_not_found",
		Message: "There is no such job. Jobs belong to the API key that made them, and are forgotten a week after their deadline.",
	}
}

// MethodNotAllowed is the 405 of a path that is served with other methods; the caller sets Allow.
func MethodNotAllowed(method, allow string) *Error {
	return &Error{
		Status: http.StatusMethodNotAllowed, Type: TypeInvalidRequest, Code: "method_not_allowed",
		Message: "Method " + clip(method, 16) + " is not allowed here; use " + allow + ".",
	}
}

// BodyTooLarge is the 413 of a body over the limit.
func BodyTooLarge(limit int64) *Error {
	return &Error{
		Status: http.StatusRequestEntityTooLarge, Type: TypeInvalidRequest, Code: "body_too_large",
		Message: "The request body is larger than " + strconv.FormatInt(limit, 10) + " bytes.",
	}
}

// HeadersTooLarge is the 431 of headers over the limit.
func HeadersTooLarge(limit int) *Error {
	return &Error{
		Status: http.StatusRequestHeaderFieldsTooLarge, Type: TypeInvalidRequest, Code: "headers_too_large",
		Message: "The request headers are larger than " + strconv.Itoa(limit) + " bytes.",
	}
}

// BodyTimeout is the 408 of a body that arrived too slowly.
func BodyTimeout() *Error {
	return &Error{
		Status: http.StatusRequestTimeout, Type: TypeInvalidRequest, Code: "request_timeout",
		Message: "The request body did not arrive in time.",
	}
}

// Unavailable is a 503; retryAfter zero means that repeating does not help.
func Unavailable(code, message string, retryAfter time.Duration) *Error {
	return &Error{
		Status: http.StatusServiceUnavailable, Type: TypeModelUnavailable, Code: code, Message: message,
		RetryAfter: retryAfter, NoRetry: retryAfter == 0,
	}
}

// BudgetExceeded is the 402 of a key that has spent its budget. Waiting does not help before the budget begins anew, so there is no
// Retry-After.
func BudgetExceeded(message string) *Error {
	return &Error{
		Status: http.StatusPaymentRequired, Type: TypeInsufficientCredit, Code: "budget_exceeded", Message: message, NoRetry: true,
	}
}

// RateLimited is a 429 of the gateway's own limits.
func RateLimited(code, message string, retryAfter time.Duration) *Error {
	return &Error{
		Status: http.StatusTooManyRequests, Type: TypeRateLimited, Code: code, Message: message, RetryAfter: max(retryAfter, time.Second),
	}
}

// Internal is the 500 of a panic or a bug. It tells the client nothing but the request id.
func Internal(requestID string) *Error {
	return &Error{
		Status: http.StatusInternalServerError, Type: TypeInternal, Code: "internal_error",
		Message: "Internal error. Request id: " + requestID,
	}
}

// clip bounds what of the client's own text is repeated to it.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n-- // not in the middle of a character
	}
	return s[:n] + "…"
}
