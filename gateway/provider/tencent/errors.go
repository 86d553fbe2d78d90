package tencent

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

// failure is what a response says that is a refusal or no success.
func failure(r *provider.Response) *provider.Error {
	o := gjson.GetBytes(r.Body, "Response")
	e := &provider.Error{Status: r.Status, RequestID: word(o.Get("RequestId").Str), RetryAfter: retryAfter(r.Header)}
	reported := o.Get("Error")
	if !reported.IsObject() {
		e.Class, e.Message = statusClass(r.Status), http.StatusText(r.Status)
		return e
	}
	describe(e, reported.Get("Code").String(), reported.Get("Message").String())
	return e
}

// jobFailure is why a job failed.
func jobFailure(o gjson.Result, code, message string) *provider.Error {
	e := &provider.Error{Status: http.StatusOK, RequestID: word(o.Get("RequestId").Str)}
	describe(e, code, message)
	return e
}

// describe fills in what a code and a text say.
func describe(e *provider.Error, code, message string) {
	e.Code, e.Message = word(code), cut(message)
	var known bool
	if e.Class, known = codeClass(e.Code); !known {
		e.Class = statusClass(e.Status)
	}
	if e.Class == provider.ClassInvalidRequest {
		e.Param = publicParam(e.Code)
	}
}

// codeClass is the class of a code. The first word that is in a code counts.
func codeClass(code string) (class provider.Class, known bool) {
	for _, r := range [...]struct {
		words string
		class provider.Class
	}{
		{"AuthFailure UnauthorizedOperation", provider.ClassUnauthorized},
		{"IpInBlacklist IpNotInWhitelist", provider.ClassForbidden},
		{"IllegalDetected Moderation GenerateImageFailed", provider.ClassModeration},
		{"InArrears LowBalance ChargeStatusException ChargeResourceExhaust", provider.ClassNoBalance},
		{"ResourcePackExhausted ServiceStopArrears SetPayModeExceed", provider.ClassNoBalance},
		// The product or the model is not switched on for the account, or not any more, or not in the region.
		{"Unavailable.NotExist Unavailable.StopUsing Unavailable.Delivering Unavailable.IsOpening", provider.ClassModelNotFound},
		{"ServiceNotActivated ServiceStop", provider.ClassModelNotFound},
		{"InvalidAction ActionOffline NoSuchProduct NoSuchVersion UnsupportedRegion", provider.ClassModelNotFound},
		{"ServiceUnavailable ResourceInsufficient ResourcesSoldOut", provider.ClassOverloaded},
		{"ResourceUnavailable", provider.ClassNoBalance},
		{"InvalidParameter MissingParameter RequestEntityTooLarge RequestSizeLimitExceeded", provider.ClassInvalidRequest},
		{"DownloadError ImageDecodeFailed ImageResolutionExceed ImageSizeExceed", provider.ClassInvalidRequest},
		{"LimitExceeded", provider.ClassRateLimited},
		{"FailedOperation InternalError", provider.ClassServerError},
	} {
		for w := range strings.FieldsSeq(r.words) {
			if strings.Contains(code, w) {
				return r.class, true
			}
		}
	}
	return 0, false
}

// statusClass is the class of a status that comes without a code that is known. The vendor itself knows no status but 200: what a
// proxy finds wrong with a request is no fault of the client or the model.
func statusClass(status int) provider.Class {
	switch {
	case status == http.StatusRequestEntityTooLarge:
		return provider.ClassInvalidRequest
	case status == http.StatusUnauthorized:
		return provider.ClassUnauthorized
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

// publicParam is the client's name of the member that is at fault, "" if the code does not tell it.
func publicParam(code string) string {
	for _, r := range [...]struct{ word, param string }{
		{"TextLengthExceed", "prompt"},
		{"UrlIllegal", "image"},
		{"DownloadError", "image"},
		{"TooLarge", "image"}, // nothing else in a request is large
		{"Image", "image"},
	} {
		if strings.Contains(code, r.word) {
			return r.param
		}
	}
	return ""
}

// unknownJob says that the vendor does not know a job, or no longer. Which of its products uses which code is not documented.
func unknownJob(e *provider.Error) bool {
	return success(e.Status) && (e.Code == "FailedOperation.JobNotExist" || e.Code == "FailedOperation.JobNotFound")
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
