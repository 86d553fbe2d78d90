package openaicompat

import (
	"net/http"
	"strings"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// errorRule says what a failure means. What is zero in a rule fits everything; a rule without code and text fits no failure
// inside a 200, which has no status of its own.
type errorRule struct {
	// status is the HTTP status.
	status int
	// code is what the vendor's code or type starts with.
	code string
	// text is in the message, in lower case.
	text string
	// class is what it means.
	class provider.Class
}

// fits says whether a rule fits a failure. Lower is the message in lower case.
func (r *errorRule) fits(f *failure, status int, lower string) bool {
	if r.status != 0 && r.status != status && (status != 0 || (r.code == "" && r.text == "")) {
		return false
	}
	if r.code != "" && !strings.HasPrefix(f.inner, r.code) && !strings.HasPrefix(f.code, r.code) && !strings.HasPrefix(f.kind, r.code) {
		return false
	}
	return r.text == "" || strings.Contains(lower, r.text)
}

// classify says what a failure means: by the vendor's rules, by words that all vendors use, and by the status where that is all
// there is. Status 0 stands for a failure inside a 200.
func (q *quirks) classify(f *failure, status int) *provider.Error {
	e := &provider.Error{Message: f.message, Param: f.param, RequestID: f.requestID, Code: f.code}
	if f.inner != "" {
		e.Code = f.inner
	}
	if e.Code == "" {
		e.Code = f.kind
	}
	if status == 0 {
		status = f.status
	}
	if f.page {
		e.Class, e.Message = pageClass(status), http.StatusText(status)
		return e
	}
	lower := strings.ToLower(f.message)
	for i := range q.errors {
		if q.errors[i].fits(f, status, lower) {
			e.Class = q.errors[i].class
			return refined(e, lower)
		}
	}
	e.Class = commonClass(f, status)
	return refined(e, lower)
}

// inBand is the error of a failure inside a 200.
func (q *quirks) inBand(body []byte) *provider.Error {
	f := readFailure(q, body)
	e := q.classify(&f, 0)
	e.Status = http.StatusOK
	if e.Code == "" && e.Message == "" {
		e.Class, e.Code = provider.ClassBadResponse, "no_choices"
	}
	return e
}

// refined tells two faults from other invalid requests, which vendors give the same code: a prompt that is too long, and a model
// that the vendor does not know.
func refined(e *provider.Error, lower string) *provider.Error {
	if e.Class != provider.ClassInvalidRequest {
		return e
	}
	for _, t := range [...]string{
		"context length", "context window", "context_length", "token limit", "token length too long", "range of input length",
		"prompt too long", "prompt is too long", "exceed max message tokens", "max_seq_len",
	} {
		if strings.Contains(lower, t) {
			e.Class = provider.ClassContextLength
			return e
		}
	}
	for _, t := range [...]string{
		"model not exist", "model does not exist", "model not found", "unknown model", "no such model", "模型不存在",
	} {
		if strings.Contains(lower, t) {
			e.Class = provider.ClassModelNotFound
			return e
		}
	}
	return e
}

// commonClass is the class of a failure that the vendor's rules don't know.
func commonClass(f *failure, status int) provider.Class {
	for _, word := range [...]string{f.code, f.kind} {
		if c, ok := wordClass(word); ok {
			return c
		}
	}
	if status != 0 {
		return statusClass(status)
	}
	switch f.kind {
	case "invalid_request_error", "BadRequest":
		return provider.ClassInvalidRequest
	case "authentication_error", "Unauthorized":
		return provider.ClassUnauthorized
	case "permission_error", "Forbidden":
		return provider.ClassForbidden
	case "rate_limit_error", "TooManyRequests":
		return provider.ClassRateLimited
	}
	return provider.ClassServerError
}

// wordClass knows the codes that vendors took over from OpenAI, where they mean the same whatever the status.
func wordClass(word string) (provider.Class, bool) {
	switch word {
	case "invalid_api_key", "incorrect_api_key":
		return provider.ClassUnauthorized, true
	case "insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "insufficient_balance":
		return provider.ClassNoBalance, true
	case "rate_limit_exceeded":
		return provider.ClassRateLimited, true
	case "context_length_exceeded":
		return provider.ClassContextLength, true
	case "content_filter", "content_policy_violation":
		return provider.ClassModeration, true
	case "model_not_found":
		return provider.ClassModelNotFound, true
	case "overloaded_error", "engine_overloaded":
		return provider.ClassOverloaded, true
	case "unsupported_country_region_territory":
		return provider.ClassForbidden, true
	}
	return 0, false
}

// statusClass is the class of a status that comes without any other sign.
func statusClass(status int) provider.Class {
	switch status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return provider.ClassInvalidRequest
	case http.StatusUnauthorized:
		return provider.ClassUnauthorized
	case http.StatusPaymentRequired:
		return provider.ClassNoBalance
	case http.StatusForbidden:
		return provider.ClassForbidden
	case http.StatusNotFound:
		return provider.ClassModelNotFound
	case http.StatusRequestTimeout, http.StatusGatewayTimeout:
		return provider.ClassTimeout
	case http.StatusTooManyRequests:
		return provider.ClassRateLimited
	case http.StatusUnavailableForLegalReasons:
		return provider.ClassModeration
	case http.StatusServiceUnavailable, statusOverloaded:
		return provider.ClassOverloaded
	}
	if status < http.StatusBadRequest {
		return provider.ClassBadResponse
	}
	return provider.ClassServerError
}

// statusOverloaded is what vendors with an Anthropic layer answer when they are busy.
const statusOverloaded = 529

// pageClass is the class of a status that a proxy gave with a page of its own. It says less of the request than the vendor's
// own status would: a 404 page is a wrong address, not an unknown model.
func pageClass(status int) provider.Class {
	switch status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusMethodNotAllowed:
		return provider.ClassBadResponse
	}
	return statusClass(status)
}
