package vidu

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
	switch strings.ToLower(reason) {
	case "badrequest", "fieldlacking", "fieldunwanted", "fielditemcountoutofrange", "fieldinvalid", "pagesizeoutofrange",
		"imagedownloadfailure", "imageformatinvalid":
		return provider.ClassInvalidRequest, true
	case "taskpromptpolicyviolation", "auditsubmitillegal", "creationpolicyviolation":
		return provider.ClassModeration, true
	case "creditinsufficient":
		return provider.ClassNoBalance, true
	case "modelunavailable", "notfound":
		return provider.ClassModelNotFound, true
	case "unauthorized":
		return provider.ClassUnauthorized, true
	case "forbidden":
		return provider.ClassForbidden, true
	case "quotaexceeded", "toomanyrequests", "operationinprocess": // too many running tasks, too fast, and busy with this one
		return provider.ClassRateLimited, true
	case "systemthrottling":
		return provider.ClassOverloaded, true
	case "canceled":
		return provider.ClassNetwork, true
	case "tasknotfound", "creationnotfound", "conflict", "usercancelled", "internalservicefailure":
		return provider.ClassServerError, true
	}
	return 0, false
}

// statusClass is the class of a status that comes without a reason that is known. Own says that it is Vidu's: what a proxy finds
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
	case statusClientClosed:
		return provider.ClassNetwork
	case http.StatusServiceUnavailable:
		return provider.ClassOverloaded
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
