package vidu

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

// statusClientClosed is what the vendor answers if the caller left before the answer.
const statusClientClosed = 499

// failure is what a response {code, reason, message, metadata} says that is no success. Anything without a reason is not Vidu's
// own, such as the page of a proxy.
func failure(r *provider.Response) *provider.Error {
	reason := word(gjson.GetBytes(r.Body, "reason").Str)
	e := &provider.Error{Status: r.Status, Code: reason, RetryAfter: retryAfter(r.Header)}
	if reason == "" {
		e.Class, e.Message = statusClass(r.Status, false), http.StatusText(r.Status)
		return e
	}
	e.Message = message(gjson.GetBytes(r.Body, "message").Str)
	e.RequestID = word(gjson.GetBytes(r.Body, "metadata.trace_id").String())
	e.Param = publicParam(reason)
	var known bool
	if e.Class, known = reasonClass(reason); !known {
		e.Class = statusClass(r.Status, true)
	}
	return e
}

// reasonClass is the class of a reason, which is the same word in errors and in tasks that have failed:
// platform.vidu.com/docs/error-code. Cancelled tasks are no failures; their words stand here for what else they may be said of.
func reasonClass(reason string) (class provider.Class, known bool) {
	for _, r := range [...]struct {
		class   provider.Class
		reasons []string
	}{
		{provider.ClassInvalidRequest, []string{
			"badrequest", "fieldlacking", "fieldunwanted", "fielditemcountoutofrange", "fieldinvalid", "pagesizeoutofrange",
			"imagedownloadfailure", "imageformatinvalid",
		}},
		{provider.ClassModeration, []string{"taskpromptpolicyviolation", "auditsubmitillegal", "creationpolicyviolation"}},
		{provider.ClassNoBalance, []string{"creditinsufficient"}},
		{provider.ClassModelNotFound, []string{"modelunavailable", "notfound"}},
		{provider.ClassUnauthorized, []string{"unauthorized"}},
		{provider.ClassForbidden, []string{"forbidden"}},
		// Too many running tasks, too fast, and busy with this one.
		{provider.ClassRateLimited, []string{"quotaexceeded", "toomanyrequests", "operationinprocess"}},
		{provider.ClassOverloaded, []string{"systemthrottling"}},
		{provider.ClassNetwork, []string{"canceled"}},
		{provider.ClassServerError, []string{"tasknotfound", "creationnotfound", "conflict", "usercancelled", "internalservicefailure"}},
	} {
		if slices.Contains(r.reasons, strings.ToLower(reason)) {
			return r.class, true
		}
	}
	return 0, false
}

// statusClass is the class of a status that comes without a reason that is known. Own says that it is Vidu's: what a proxy finds
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
		{statusClientClosed, provider.ClassNetwork, provider.ClassNetwork},
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

// publicParam is the client's name of what a reason complains about, "" if it names nothing.
func publicParam(reason string) string {
	if strings.HasPrefix(strings.ToLower(reason), "image") {
		return "image"
	}
	return ""
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
