package doubaospeech

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

// failure is what an answer says that is no success, whatever its status: a code and a message, which may lie in a header.
func failure(status int, header http.Header, body []byte) *provider.Error {
	root := gjson.ParseBytes(body)
	if h := root.Get("header"); h.IsObject() {
		root = h
	}
	e := &provider.Error{Status: status, RequestID: logID(header), RetryAfter: retryAfter(header)}
	e.Code, e.Message = word(root.Get("code").String()), shorten(root.Get("message").String())
	if e.RequestID == "" {
		e.RequestID = word(root.Get("reqid").String())
	}
	own := e.Code != ""
	if !own {
		e.Message = http.StatusText(status)
	}
	if m, known := meaningOf(e.Code, e.Message); known {
		e.Class, e.Param = m.class, m.param
	} else {
		e.Class = statusClass(status, own)
	}
	return e
}

// logID is the vendor's id of the answer.
func logID(h http.Header) string { return word(h.Get("X-Tt-Logid")) }

// badResponse is the error of an answer that cannot be understood.
func badResponse(answer http.Header, code, message string) error {
	e := provider.BadResponse(http.StatusOK, code, message)
	e.RequestID = logID(answer)
	return e
}

// noAudio is the error of a success without audio.
func noAudio(answer http.Header) error {
	return &provider.Error{
		Class: provider.ClassServerError, Status: http.StatusOK, Code: "no_audio", Message: "The answer has no audio.", RequestID: logID(answer),
	}
}

// statusClass is the class of a status that comes without a code that is known. Own says that it is Doubao's: what a proxy finds
// wrong with a request, such as an address that it does not know, is no fault of the client.
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
		return provider.ClassBadResponse
	case http.StatusRequestTimeout, http.StatusGatewayTimeout:
		return provider.ClassTimeout
	case http.StatusTooManyRequests:
		return provider.ClassRateLimited
	case http.StatusServiceUnavailable:
		return provider.ClassOverloaded
	}
	if status >= http.StatusMultipleChoices && status < http.StatusBadRequest {
		return provider.ClassBadResponse
	}
	return provider.ClassServerError
}

// shorten makes a message valid UTF-8 of at most maxMessage bytes.
func shorten(s string) string {
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
