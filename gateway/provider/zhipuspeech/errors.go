package zhipuspeech

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

// Statuses of the vendor's own.
const (
	statusNoPermission = 434
	statusTooLarge     = 435
)

// failure is what an answer says that is no success, whatever its status: an error object, or its members without it.
func failure(status int, header http.Header, body []byte) *provider.Error {
	root := gjson.ParseBytes(body)
	o := root.Get("error")
	if !o.IsObject() {
		o = root
	}
	e := &provider.Error{Status: status, RequestID: headerID(header), RetryAfter: retryAfter(header)}
	e.Code, e.Message = word(o.Get("code").String()), shorten(o.Get("message").String())
	if e.RequestID == "" {
		e.RequestID = word(root.Get("request_id").String())
	}
	own := e.Code != ""
	if !own {
		e.Message = http.StatusText(status)
	}
	var known bool
	if e.Class, known = codeClass(e.Code); !known {
		e.Class = statusClass(status, own)
	}
	if e.Class == provider.ClassInvalidRequest && own {
		e.Param = publicParam(e.Code, e.Message)
	}
	return e
}

// headerID is the vendor's id of the request.
func headerID(h http.Header) string { return word(h.Get("X-Log-Id")) }

// codeClass is the class of a code ("错误码"). 1309 to 1314 are about plans, and known from chats.
func codeClass(code string) (class provider.Class, known bool) {
	switch code {
	case "1000", "1001", "1002", "1003", "1004", "1005":
		return provider.ClassUnauthorized, true
	case "1110", "1111", "1112", "1120", "1121", "1311":
		return provider.ClassForbidden, true
	case "1113", "1309", "1314":
		return provider.ClassNoBalance, true
	case "1200", "1230", "1234":
		return provider.ClassServerError, true
	case "1210", "1212", "1213", "1214", "1215":
		return provider.ClassInvalidRequest, true
	case "1211":
		return provider.ClassModelNotFound, true
	case "1301":
		return provider.ClassModeration, true
	case "1302", "1303":
		return provider.ClassRateLimited, true
	case "1305", "1312":
		return provider.ClassOverloaded, true
	case "1304", "1308", "1310", "1313":
		return provider.ClassQuotaExhausted, true
	}
	return 0, false
}

// publicParam is the client's name of the member that a message is about, "" if clients have no such member. What else can be wrong
// is checked before anything is sent, so a 1214 about no member at all is about the voice.
func publicParam(code, message string) string {
	for _, name := range [...]string{
		"response_format", "watermark_enabled", "sensitive_word_check", "encode_format", "request_id", "user_id", "volume", "stream", "model",
		"input", "speed", "voice",
	} {
		if !strings.Contains(message, name) {
			continue
		}
		switch name {
		case "response_format", "input", "speed", "voice":
			return name
		}
		return ""
	}
	if code == "1214" {
		return "voice"
	}
	return ""
}

// statusClass is the class of a status that comes without a code that is known. Own says that it is Zhipu's: what a proxy finds
// wrong with a request, such as an address that it does not know, is no fault of the client.
func statusClass(status int, own bool) provider.Class {
	switch status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		if own {
			return provider.ClassInvalidRequest
		}
		return provider.ClassBadResponse
	case http.StatusRequestEntityTooLarge, statusTooLarge:
		return provider.ClassInvalidRequest
	case http.StatusUnauthorized:
		return provider.ClassUnauthorized
	case http.StatusForbidden, statusNoPermission:
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
