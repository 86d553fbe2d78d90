package mureka

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

// Words that tell apart what the vendor does not. Its texts are not documented; these are words that such texts have in common.
var (
	crowded   = regexp.MustCompile(`(?i)concurren|并发|同时`)
	hurried   = regexp.MustCompile(`(?i)rate.?limit|too (?:fast|many|frequent)|slow down|频繁|过快`)
	broke     = regexp.MustCompile(`(?i)quota|balance|billing|credit|insufficient|recharge|top.?up|arrears|余额|欠费|额度|充值`)
	moderated = regexp.MustCompile(`(?i)sensitiv|moderat|violat|inappropriate|prohibited|copyright|content.{0,40}not (?:be )?allowed|` +
		`content policy|敏感|违规|审核|版权`)
	modelless = regexp.MustCompile(`(?i)(?:unknown|invalid|unsupported|no such) model|` +
		`\bmodel\b.{0,40}\b(?:not|unknown|unsupported|unavailable|invalid|does)|模型.{0,20}(?:不|无)`)
	keyless  = regexp.MustCompile(`(?i)api.?key|unauthori|authenticat|密钥`)
	taskless = regexp.MustCompile(`(?i)\btask\b.{0,40}\b(?:not|unknown|expired)|任务.{0,20}(?:不存在|过期)`)
)

// report is what the vendor says in place of a success.
type report struct {
	// own says that it is the vendor's word, not the page of a proxy.
	own bool
	// status is that of the answer, or the one that Skywork tells inside a success.
	status int
	// code is Skywork's, empty for the platform, which has none.
	code, text, trace string
}

// reportOf reads {error: {message}, trace_id} of the platform and {code, message, trace_id} of Skywork.
func reportOf(r *provider.Response) report {
	p := report{status: r.Status, trace: word(gjson.GetBytes(r.Body, "trace_id").Str)}
	if text := gjson.GetBytes(r.Body, "error.message"); text.Type == gjson.String {
		p.own, p.text = true, message(text.Str)
		return p
	}
	code := gjson.GetBytes(r.Body, "code")
	if code.Type != gjson.Number && code.Type != gjson.String {
		return p
	}
	p.own, p.code, p.text = true, word(code.String()), message(gjson.GetBytes(r.Body, "message").Str)
	if n := code.Int(); success(r.Status) && n >= 400 && n < 600 {
		p.status = int(n)
	}
	return p
}

// failure is what a response says that is no success.
func failure(r *provider.Response) *provider.Error {
	p := reportOf(r)
	e := &provider.Error{
		Class: p.class(), Status: r.Status, Code: p.code, Message: p.text, RequestID: p.trace, RetryAfter: retryAfter(r.Header),
	}
	if !p.own {
		e.Message = http.StatusText(r.Status)
	}
	return e
}

// class is the class of a report: platform.mureka.ai/docs has a page of HTTP statuses.
func (p *report) class() provider.Class {
	if !p.own {
		return strangeClass(p.status)
	}
	switch p.status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return badRequestClass(p.text)
	case http.StatusUnauthorized:
		return provider.ClassUnauthorized
	case http.StatusPaymentRequired:
		return provider.ClassNoBalance
	case http.StatusForbidden: // the region is not supported
		return provider.ClassForbidden
	case http.StatusNotFound:
		return provider.ClassModelNotFound
	case http.StatusTooManyRequests:
		return limitClass(p.text)
	}
	if success(p.status) {
		return textClass(p.text)
	}
	return strangeClass(p.status)
}

// badRequestClass tells what is wrong with a request. A model that is not there is the administrator's to mend, and another target
// may have it: it must not look like the client's fault.
func badRequestClass(text string) provider.Class {
	switch {
	case moderated.MatchString(text):
		return provider.ClassModeration
	case modelless.MatchString(text):
		return provider.ClassModelNotFound
	}
	return provider.ClassInvalidRequest
}

// limitClass tells the three reasons for a status 429 apart: too many tasks, too fast, and no money. In doubt a pause will do.
func limitClass(text string) provider.Class {
	if !crowded.MatchString(text) && !hurried.MatchString(text) && broke.MatchString(text) {
		return provider.ClassNoBalance
	}
	return provider.ClassRateLimited
}

// textClass is the class of a refusal by a code that nobody knows.
func textClass(text string) provider.Class {
	switch {
	case crowded.MatchString(text), hurried.MatchString(text), broke.MatchString(text):
		return limitClass(text)
	case moderated.MatchString(text), modelless.MatchString(text):
		return badRequestClass(text)
	case keyless.MatchString(text):
		return provider.ClassUnauthorized
	}
	return provider.ClassServerError
}

// strangeClass is the class of a status alone. What a proxy finds wrong with a request, such as an address that it does not know,
// is no fault of the client or the model.
func strangeClass(status int) provider.Class {
	switch status {
	case http.StatusRequestEntityTooLarge:
		return provider.ClassInvalidRequest
	case http.StatusUnauthorized:
		return provider.ClassUnauthorized
	case http.StatusForbidden:
		return provider.ClassForbidden
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusNotFound:
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
