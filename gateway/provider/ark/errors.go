package ark

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

// failure is what a response says that is no success.
func failure(r *provider.Response) *provider.Error {
	e := reported(gjson.GetBytes(r.Body, "error"), r.Status)
	if e.RequestID == "" {
		e.RequestID = word(r.Header.Get("X-Request-Id"))
	}
	e.RetryAfter = retryAfter(r.Header)
	return e
}

// reported reads an error object {code, message, param}: that of a failed call, of an image, or of a task. The latter two come
// with status 200. Anything else in its place is not Ark's own, such as the page of a proxy.
func reported(o gjson.Result, status int) *provider.Error {
	e := &provider.Error{Status: status}
	if !o.IsObject() {
		e.Class, e.Message = statusClass(status, false), http.StatusText(status)
		return e
	}
	e.Code = word(o.Get("code").String())
	e.Param = publicParam(o.Get("param").String(), e.Code)
	e.Message, e.RequestID = splitMessage(o.Get("message").String())
	var known bool
	if e.Class, known = codeClass(e.Code); !known {
		e.Class = statusClass(status, true)
	}
	return e
}

// codeClass is the class of a code: codes are made of words, and endings tell the limit or the kind of content. The first word
// that is in a code counts.
func codeClass(code string) (class provider.Class, known bool) {
	for _, r := range [...]struct {
		word  string
		class provider.Class
	}{
		{"SensitiveContentDetected", provider.ClassModeration},
		{"RiskDetection", provider.ClassModeration},
		{"PolicyViolation", provider.ClassModeration},
		// The check itself has failed; the content has not been judged.
		{"ContentSecurityDetectionError", provider.ClassServerError},
		{"Overdue", provider.ClassNoBalance},
		{"AuthenticationError", provider.ClassUnauthorized},
		{"InvalidEndpoint", provider.ClassModelNotFound},
		{"ModelNotOpen", provider.ClassModelNotFound},
		{"UnsupportedModel", provider.ClassModelNotFound},
		{"AccessDenied", provider.ClassForbidden},
		{"OperationDenied", provider.ClassForbidden},
		{"ServiceNotOpen", provider.ClassForbidden},
		// A free quota or a spending cap that is used up is a 429 that no waiting cures.
		{"QuotaExceeded", provider.ClassQuotaExhausted},
		{"SetLimitExceeded", provider.ClassQuotaExhausted},
		{"RateLimitExceeded", provider.ClassRateLimited},
		{"RequestBurstTooFast", provider.ClassRateLimited},
		{"InflightBatchsizeExceeded", provider.ClassRateLimited},
		{"ServerOverloaded", provider.ClassOverloaded},
		{"InternalServiceError", provider.ClassServerError},
		{"MissingParameter", provider.ClassInvalidRequest},
		{"InvalidParameter", provider.ClassInvalidRequest},
	} {
		if strings.Contains(code, r.word) {
			return r.class, true
		}
	}
	return 0, false
}

// statusClass is the class of a status that comes without a code that is known. Own says that it is Ark's: what a proxy finds
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

// publicParam is the client's name of a member that is at fault, "" if clients have no such member. Ark names it in the error or
// behind the point of the code.
func publicParam(param, code string) string {
	if param == "" {
		_, param, _ = strings.Cut(code, ".")
	}
	param, _, _ = strings.Cut(param, "[")
	switch param {
	case "ratio":
		return "aspect_ratio"
	case "generate_audio":
		return "audio"
	case "prompt", "size", "image", "seed", "watermark", "response_format", "output_format", "duration", "resolution":
		return param
	}
	return ""
}

// requestID is the id that Ark writes into its messages.
var requestID = regexp.MustCompile(`(?i)\s*[a-z]*request ?id:\s*([0-9a-z-]+)[.;]?`)

// splitMessage takes request ids out of a message and makes it valid UTF-8 of at most maxMessage bytes.
func splitMessage(s string) (message, id string) {
	if m := requestID.FindStringSubmatch(s); m != nil {
		id = word(m[1])
	}
	s = strings.TrimSpace(strings.ToValidUTF8(requestID.ReplaceAllString(s, ""), "\uFFFD"))
	if len(s) <= maxMessage {
		return s, id
	}
	end := maxMessage
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end], id
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
