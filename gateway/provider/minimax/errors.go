package minimax

import (
	"net/http"
	"regexp"
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

// failure is what an answer says that is no success, whatever its status. Text is the public name of the member that holds the
// text: input or prompt.
func failure(status int, header http.Header, body []byte, text string) *provider.Error {
	e := reported(gjson.ParseBytes(body), status, text)
	if id := word(header.Get("Trace-Id")); id != "" {
		e.RequestID = id
	}
	e.RetryAfter = retryAfter(header)
	return e
}

// reported reads the failure that an object tells of: a base_resp, or an error as the newer interfaces write it. Anything else is
// not MiniMax's own, such as the page of a proxy.
func reported(o gjson.Result, status int, text string) *provider.Error {
	e := &provider.Error{Status: status, RequestID: word(firstText(o, "trace_id", "request_id"))}
	code := 0
	if fault := o.Get("error"); failedCode(o) != "" {
		e.Code, e.Message = word(failedCode(o)), shorten(o.Get("base_resp.status_msg").String())
		code, _ = strconv.Atoi(e.Code)
	} else if fault.IsObject() {
		e.Code, e.Message = word(firstText(fault, "code", "type")), shorten(fault.Get("message").String())
		if code = innerCode(e.Message); code != 0 {
			e.Code = strconv.Itoa(code)
		}
	}
	own := e.Code != ""
	if !own {
		e.Message = http.StatusText(status)
	}
	var known bool
	if e.Class, known = codeClass(code); !known {
		e.Class = statusClass(status, own)
	}
	e.Param = codeParam(code, text)
	return e
}

// failedCode returns the status_code of an object's base_resp, "" if it reports no failure.
func failedCode(o gjson.Result) string {
	code := o.Get("base_resp.status_code")
	if !code.Exists() || code.Type == gjson.Null || code.String() == "0" {
		return ""
	}
	return code.String()
}

// firstText returns the first member that is a string and says something.
func firstText(o gjson.Result, names ...string) string {
	for _, name := range names {
		if v := o.Get(name); v.Type == gjson.String && v.Str != "" {
			return v.Str
		}
	}
	return ""
}

// inParentheses is the status code behind the message of an error of the newer interfaces.
var inParentheses = regexp.MustCompile(`\(([0-9]{4,5})\)$`)

// innerCode returns the status code that ends a message, 0 if there is none.
func innerCode(message string) int {
	m := inParentheses.FindStringSubmatch(message)
	if m == nil {
		return 0
	}
	code, _ := strconv.Atoi(m[1]) // the pattern leaves nothing but a few digits
	return code
}

// codeClass is the class of a status code ("Error Codes"). 1028, 1030 and 2061 are known from the vendor's own command line tool,
// 2054 from what clients saw: the table has 20132 for an unknown voice.
func codeClass(code int) (class provider.Class, known bool) {
	switch code {
	case 1000, 1013, 1024, 1033:
		return provider.ClassServerError, true
	case 1001:
		return provider.ClassTimeout, true
	case 1002, 1039, 1041, 2045:
		return provider.ClassRateLimited, true
	case 1004, 2049:
		return provider.ClassUnauthorized, true
	case 1008:
		return provider.ClassNoBalance, true
	case 1026, 1027:
		return provider.ClassModeration, true
	case 1028, 1030, 2056:
		return provider.ClassQuotaExhausted, true
	case 1042, 2013, 20132, 2042, 2054:
		return provider.ClassInvalidRequest, true
	case 2038, 2061:
		return provider.ClassForbidden, true
	}
	return 0, false
}

// codeParam is the public name of the member that a status code is about, "" if that is not certain.
func codeParam(code int, text string) string {
	switch code {
	case 1042:
		return text
	case 20132, 2042, 2054:
		return "voice"
	}
	return ""
}

// statusClass is the class of a status that comes without a code that is known. Own says that it is MiniMax's: what a proxy finds
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
	case http.StatusPaymentRequired:
		return provider.ClassNoBalance
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
	if !success(status) && status < http.StatusBadRequest {
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
