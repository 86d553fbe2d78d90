package tokenhub

import (
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// Bounds of what is kept of a failure.
const (
	maxMessage    = 1024
	maxWord       = 96
	maxRetryAfter = 24 * time.Hour
)

// failure is what a response says that is no success.
func failure(r *provider.Response) *provider.Error {
	root := gjson.ParseBytes(r.Body)
	e := reported(root.Get("error"), r.Status)
	if e.RequestID == "" {
		e.RequestID = word(root.Get("request_id").Str)
	}
	if e.RequestID == "" {
		e.RequestID = word(r.Header.Get("X-Request-Id"))
	}
	e.RetryAfter = retryAfter(r.Header)
	return e
}

// reported reads an error object {code, message, message_zh, request_id}: that of a failed call, or of a task, which comes with status
// 200. Anything else in its place is not the vendor's own, such as the page of a proxy.
func reported(o gjson.Result, status int) *provider.Error {
	e := &provider.Error{Status: status}
	if !o.IsObject() {
		e.Class, e.Message = statusClass(status), http.StatusText(status)
		return e
	}
	e.Code, e.RequestID = word(o.Get("code").String()), word(o.Get("request_id").Str)
	if e.Message = cut(o.Get("message").String()); e.Message == "" {
		e.Message = cut(o.Get("message_zh").String())
	}
	var known bool
	if e.Class, known = codeClass(e.Code); !known {
		e.Class = statusClass(status)
	}
	return e
}

// codeClass is the class of a code: six digits, of which the first three are those of a status (document/product/1823/131595).
func codeClass(code string) (class provider.Class, known bool) {
	switch code {
	case "401007", "401008", "403004": // no package, or none that is left
		return provider.ClassNoBalance, true
	case "400004":
		return provider.ClassModelNotFound, true
	}
	if !isCode(code) {
		return 0, false
	}
	switch code[:3] {
	case "400":
		return provider.ClassInvalidRequest, true
	case "401":
		return provider.ClassUnauthorized, true
	case "403":
		return provider.ClassForbidden, true
	case "429":
		return provider.ClassRateLimited, true
	case "451":
		return provider.ClassModeration, true
	case "404", "500", "502", "503", "504":
		return provider.ClassServerError, true
	}
	return 0, false
}

// isCode says whether a code is of the vendor's form.
func isCode(code string) bool {
	return len(code) == 6 && !strings.ContainsFunc(code, func(c rune) bool { return c < '0' || c > '9' })
}

// statusClass is the class of a status that comes without a code that is known: what a proxy finds wrong with a request, such as an
// address that it does not know, is no fault of the client or the model.
func statusClass(status int) provider.Class {
	switch {
	case status == http.StatusRequestEntityTooLarge:
		return provider.ClassInvalidRequest
	case status == http.StatusUnauthorized:
		return provider.ClassUnauthorized
	case status == http.StatusPaymentRequired:
		return provider.ClassNoBalance
	case status == http.StatusForbidden:
		return provider.ClassForbidden
	case status == http.StatusRequestTimeout, status == http.StatusGatewayTimeout:
		return provider.ClassTimeout
	case status == http.StatusTooManyRequests:
		return provider.ClassRateLimited
	case status == http.StatusServiceUnavailable:
		return provider.ClassOverloaded
	case success(status), status >= http.StatusInternalServerError:
		return provider.ClassServerError
	}
	return provider.ClassBadResponse
}

// unknownTask says that the vendor does not know a task. Its answer to that is not documented: a code of its own that begins with 404
// is taken for it, and every other refusal says nothing about the task.
func unknownTask(e *provider.Error) bool {
	return isCode(e.Code) && strings.HasPrefix(e.Code, "404")
}

// taskFailure is why a task failed.
func taskFailure(root gjson.Result) *provider.Error {
	e := reported(root.Get("error"), http.StatusOK)
	if e.Code == "" {
		e.Code = "task_failed"
	}
	if e.RequestID == "" {
		e.RequestID = word(root.Get("request_id").Str)
	}
	return e
}

// cut makes a text valid UTF-8 of at most maxMessage bytes.
func cut(s string) string {
	s = strings.TrimSpace(strings.ToValidUTF8(s, "\uFFFD"))
	if len(s) <= maxMessage {
		return s
	}
	end := maxMessage
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

// word makes a vendor's identifier fit for logs: printable ASCII of at most maxWord bytes.
func word(s string) string {
	s = s[:min(len(s), maxWord)]
	if i := strings.IndexFunc(s, func(c rune) bool { return c <= ' ' || c > '~' }); i >= 0 {
		return s[:i]
	}
	return s
}

// retryAfter reads how many seconds the vendor asks to wait. Dates are not read: an adapter has no clock.
func retryAfter(h http.Header) time.Duration {
	n, err := strconv.ParseUint(strings.TrimSpace(h.Get("Retry-After")), 10, 32)
	if err != nil {
		return 0
	}
	return min(time.Duration(n)*time.Second, maxRetryAfter)
}
