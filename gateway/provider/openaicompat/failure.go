package openaicompat

import (
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/gateway/jsonscan"
)

// Bounds of what is kept of a failure.
const (
	maxMessage = 1024
	maxWord    = 96
)

// failure is what a vendor's error body says, whatever its shape.
type failure struct {
	// code and kind are the vendor's code and type; inner is the code in parentheses behind the message.
	code, kind, inner string
	message           string
	param             string
	requestID         string
	// status is the HTTP status that the body names, for failures inside a 200.
	status int
	// page says that the body is an HTML page, of a proxy rather than of the vendor's API.
	page bool
}

// readFailure reads an error body: an error object with any of its relatives, a flat object, a base_resp, a bare JSON string,
// plain text or a page. It never fails; what is not there stays empty.
func readFailure(q *quirks, body []byte) failure {
	body = trim(body)
	var f failure
	switch {
	case len(body) == 0:
	case body[0] == '{':
		// Cut bodies are read as far as they go.
		f.readObject(gjson.ParseBytes(body))
	case body[0] == '<':
		f.page = true
	case body[0] == '"' && jsonscan.Valid(body):
		f.message = gjson.ParseBytes(body).String()
	default:
		f.message = string(body[:min(len(body), 2*maxMessage)])
	}
	if q.innerCode {
		f.inner = innerCode(f.message)
	}
	if f.requestID == "" {
		f.requestID = messageRequestID(f.message)
	}
	f.message = shorten(f.message)
	f.code, f.kind, f.param, f.requestID = word(f.code), word(f.kind), word(f.param), word(f.requestID)
	return f
}

// readObject reads a JSON object.
func (f *failure) readObject(o gjson.Result) {
	f.requestID = first(o, "request_id", "requestId", "error.request_id", "sid", "id")
	switch e := o.Get("error"); {
	case e.IsObject():
		f.code = e.Get("code").String()
		f.kind = e.Get("type").String()
		f.message = first(e, "message", "msg")
		f.param = e.Get("param").String()
		f.status, _ = strconv.Atoi(e.Get("http_code").String())
		return
	case e.Type == gjson.String && e.Str != "":
		f.message = e.Str
		f.code = first(o, "code", "error_code")
		return
	}
	if code := baseCode([]byte(o.Get("base_resp").Raw)); code != "" {
		f.code, f.message = code, o.Get("base_resp.status_msg").String()
		return
	}
	f.code = first(o, "code", "error_code")
	f.kind = o.Get("type").String()
	f.message = first(o, "message", "msg", "error_msg", "detail")
}

// first returns the first member that is there and says something.
func first(o gjson.Result, paths ...string) string {
	for _, p := range paths {
		if v := o.Get(p); v.Type == gjson.String && v.Str != "" || v.Type == gjson.Number {
			return v.String()
		}
	}
	return ""
}

// baseCode returns the code of a base_resp that reports a failure, or "".
func baseCode(raw []byte) string {
	if len(raw) == 0 || raw[0] != '{' {
		return ""
	}
	code := gjson.GetBytes(raw, "status_code").String()
	if code == "0" {
		return ""
	}
	return code
}

// innerCode returns the digits in parentheses at the end of a message, or "".
func innerCode(message string) string {
	open := strings.LastIndexByte(message, '(')
	if open < 0 || !strings.HasSuffix(message, ")") {
		return ""
	}
	code := message[open+1 : len(message)-1]
	if code == "" || skipDigits([]byte(code), 0) != len(code) {
		return ""
	}
	return code
}

// messageRequestID returns the request id that a vendor wrote into its message, or "".
func messageRequestID(message string) string {
	lower := strings.ToLower(message)
	for _, mark := range [...]string{"request_id: ", "request id: ", "sid: "} {
		if i := strings.LastIndex(lower, mark); i >= 0 && i+len(mark) <= len(message) {
			id, _, _ := strings.Cut(message[i+len(mark):], " ")
			return strings.Trim(id, ".,;)]\"'")
		}
	}
	return ""
}

// headerRequestID returns the vendor's id of the request from the header, or "".
func headerRequestID(h http.Header) string {
	for _, name := range [...]string{
		"X-Request-Id", "X-Log-Id", "X-Siliconcloud-Trace-Id", "Trace-Id", "Trace_id", "X-Trace-Id", "Msh-Request-Id", "X-Client-Request-Id",
	} {
		if id := h.Get(name); id != "" {
			return word(id)
		}
	}
	return ""
}

// maxRetryAfter bounds what a vendor may ask for.
const maxRetryAfter = 24 * time.Hour

// retryAfter reads how long the vendor asks to wait. Dates are not read: an adapter has no clock.
func retryAfter(h http.Header) time.Duration {
	if d, ok := wait(h.Get("Retry-After-Ms"), time.Millisecond); ok {
		return d
	}
	d, _ := wait(h.Get("Retry-After"), time.Second)
	return d
}

// wait reads a number of units.
func wait(value string, unit time.Duration) (time.Duration, bool) {
	n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil || !(n >= 0) {
		return 0, false
	}
	return time.Duration(min(n*float64(unit), float64(maxRetryAfter))), true
}

// shorten makes a vendor's text fit for logs: valid UTF-8 of at most maxMessage bytes.
func shorten(s string) string {
	s = strings.ToValidUTF8(strings.TrimSpace(s), "\uFFFD")
	if len(s) <= maxMessage {
		return s
	}
	end := maxMessage
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

// word makes a vendor's identifier fit for logs and messages: printable ASCII of at most maxWord bytes.
func word(s string) string {
	s = s[:min(len(s), maxWord)]
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return s[:i]
		}
	}
	return s
}
