package kling

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

// codeUnknown is the vendor's code for a resource, a model or a task that does not exist.
const codeUnknown = 1203

// failure is what a response {code, message, request_id} says that is no success. Anything without a code is not Kling's own, such
// as the page of a proxy.
func failure(r *provider.Response) *provider.Error {
	e := &provider.Error{Status: r.Status, RetryAfter: retryAfter(r.Header)}
	code := gjson.GetBytes(r.Body, "code")
	if code.Type != gjson.Number && code.Type != gjson.String {
		e.Class, e.Message = statusClass(r.Status, false), http.StatusText(r.Status)
		return e
	}
	e.Code = word(code.String())
	e.Message = message(gjson.GetBytes(r.Body, "message").Str)
	e.RequestID = word(gjson.GetBytes(r.Body, "request_id").String())
	var known bool
	if e.Class, known = codeClass(code.Int()); !known {
		e.Class = statusClass(r.Status, true)
	}
	return e
}

// codeClass is the class of a code: kling.ai/document-api api/get-started/error-codes. The status 429 says nothing: it comes with
// limits, with an account that has no money and with an address that is not on the allow list.
func codeClass(code int64) (class provider.Class, known bool) {
	switch code {
	case 1000, 1001, 1002, 1003, 1004:
		return provider.ClassUnauthorized, true
	case 1101, 1102: // in arrears, and a resource pack that is used up
		return provider.ClassNoBalance, true
	case 1100, 1103, 1304: // an abnormal account, no permission for the model, an address that is not allowed
		return provider.ClassForbidden, true
	case 1200, 1201:
		return provider.ClassInvalidRequest, true
	case 1202: // the wrong method: it is not the client who chooses it
		return provider.ClassServerError, true
	case codeUnknown:
		return provider.ClassModelNotFound, true
	case 1300, 1301:
		return provider.ClassModeration, true
	case 1302, 1303: // too fast, and too many running tasks
		return provider.ClassRateLimited, true
	case 5000:
		return provider.ClassServerError, true
	case 5001:
		return provider.ClassOverloaded, true
	case 5002:
		return provider.ClassTimeout, true
	}
	return 0, false
}

// statusClass is the class of a status that comes without a code that is known. Own says that it is Kling's: what a proxy finds
// wrong with a request, such as an address that it does not know, is no fault of the client or the model.
func statusClass(status int, own bool) provider.Class {
	switch status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		if own {
			return provider.ClassInvalidRequest
		}
		return provider.ClassBadResponse
	case http.StatusRequestEntityTooLarge:
		return provider.ClassInvalidRequest
	case http.StatusUnauthorized:
		return provider.ClassUnauthorized
	case http.StatusForbidden:
		return provider.ClassForbidden
	case http.StatusNotFound:
		if own {
			return provider.ClassModelNotFound
		}
		return provider.ClassBadResponse
	case http.StatusRequestTimeout, http.StatusGatewayTimeout:
		return provider.ClassTimeout
	case http.StatusTooManyRequests:
		return provider.ClassRateLimited
	case http.StatusServiceUnavailable:
		return provider.ClassOverloaded
	}
	if !success(status) && status < http.StatusBadRequest {
		return provider.ClassBadResponse
	}
	return provider.ClassServerError
}

// message makes a vendor's text valid UTF-8 of at most maxMessage bytes.
func message(s string) string {
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
