package kling

import (
	"net/http"
	"slices"
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
	for _, c := range [...]struct {
		codes []int64
		class provider.Class
	}{
		{[]int64{1000, 1001, 1002, 1003, 1004}, provider.ClassUnauthorized},
		{[]int64{1101, 1102}, provider.ClassNoBalance},       // in arrears, and a resource pack that is used up
		{[]int64{1100, 1103, 1304}, provider.ClassForbidden}, // an abnormal account, no such right, an address that is not allowed
		{[]int64{1200, 1201}, provider.ClassInvalidRequest},
		{[]int64{1202, 5000}, provider.ClassServerError}, // the wrong method is not the client's choice
		{[]int64{codeUnknown}, provider.ClassModelNotFound},
		{[]int64{1300, 1301}, provider.ClassModeration},  // the platform's policy, and the safety of content
		{[]int64{1302, 1303}, provider.ClassRateLimited}, // too fast, and too many running tasks
		{[]int64{5001}, provider.ClassOverloaded},
		{[]int64{5002}, provider.ClassTimeout},
	} {
		if slices.Contains(c.codes, code) {
			return c.class, true
		}
	}
	return 0, false
}

// statusClass is the class of a status that comes without a code that is known. Own says that it is Kling's: what a proxy finds
// wrong with a request, such as an address that it does not know, is no fault of the client or the model.
func statusClass(status int, own bool) provider.Class {
	for _, s := range [...]struct {
		status       int
		own, strange provider.Class
	}{
		{http.StatusBadRequest, provider.ClassInvalidRequest, provider.ClassBadResponse},
		{http.StatusUnprocessableEntity, provider.ClassInvalidRequest, provider.ClassBadResponse},
		{http.StatusRequestEntityTooLarge, provider.ClassInvalidRequest, provider.ClassInvalidRequest},
		{http.StatusUnauthorized, provider.ClassUnauthorized, provider.ClassUnauthorized},
		{http.StatusForbidden, provider.ClassForbidden, provider.ClassForbidden},
		{http.StatusNotFound, provider.ClassModelNotFound, provider.ClassBadResponse},
		{http.StatusRequestTimeout, provider.ClassTimeout, provider.ClassTimeout},
		{http.StatusGatewayTimeout, provider.ClassTimeout, provider.ClassTimeout},
		{http.StatusTooManyRequests, provider.ClassRateLimited, provider.ClassRateLimited},
		{http.StatusServiceUnavailable, provider.ClassOverloaded, provider.ClassOverloaded},
	} {
		switch {
		case s.status != status:
		case own:
			return s.own
		default:
			return s.strange
		}
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
