package dashscope

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

// failure is what a response says that is no success. Anything but {code, message, request_id} is not the vendor's own, such as
// the page of a proxy.
func failure(r *provider.Response) *provider.Error {
	root := gjson.ParseBytes(r.Body)
	e := reported(root, r.Status)
	e.RequestID = word(root.Get("request_id").Str)
	if e.RequestID == "" {
		e.RequestID = word(r.Header.Get("X-Request-Id"))
	}
	e.RetryAfter = retryAfter(r.Header)
	return e
}

// reported reads {code, message}: of a failed call, of a task that has failed or of one image. The latter two come with status
// 200, and either member may be missing.
func reported(o gjson.Result, status int) *provider.Error {
	e := &provider.Error{Status: status, Code: word(o.Get("code").Str), Message: clip(o.Get("message").Str)}
	own := e.Code != ""
	if !own && !success(status) {
		e.Message = http.StatusText(status)
	}
	var known bool
	if e.Class, known = codeClass(e.Code, e.Message); !known {
		e.Class = statusClass(status, own)
	}
	return e
}

// rule is what a code that begins so, with a text in its message, means.
type rule struct {
	code, text string
	class      provider.Class
}

// rules are tried in order. The same codes come from all calls of the platform (help.aliyun.com/zh/model-studio/developer-
// reference/error-code).
func rules() []rule {
	return []rule{
		// A model that does not exist, and one that is not served at this address, are both an invalid parameter.
		{code: "InvalidParameter", text: "model not exist", class: provider.ClassModelNotFound},
		{code: "InvalidParameter", text: "url error, please check url", class: provider.ClassModelNotFound},
		{code: "ModelNotFound", class: provider.ClassModelNotFound},
		{code: "model_not_", class: provider.ClassModelNotFound},
		// An account in arrears is told with status 400.
		{code: "Arrearage", class: provider.ClassNoBalance},
		{code: "CommodityNotPurchased", class: provider.ClassNoBalance},
		{code: "PrepaidBillOverdue", class: provider.ClassNoBalance},
		{code: "PostpaidBillOverdue", class: provider.ClassNoBalance},
		// InvalidParameter.DataInspection, below, is an image that cannot be read.
		{code: "DataInspectionFailed", class: provider.ClassModeration},
		{code: "data_inspection_failed", class: provider.ClassModeration},
		{code: "InvalidApiKey", class: provider.ClassUnauthorized},
		{code: "invalid_api_key", class: provider.ClassUnauthorized},
		{code: "AccessDenied", class: provider.ClassForbidden},
		{code: "Model.AccessDenied", class: provider.ClassForbidden},
		{code: "Workspace.AccessDenied", class: provider.ClassForbidden},
		// The model is not offered by tasks, which AccessDenied can say, too.
		{code: "UnsupportedOperation", class: provider.ClassForbidden},
		// A free quota that is used up is no limit that passes.
		{code: "AllocationQuota.FreeTierOnly", class: provider.ClassQuotaExhausted},
		{code: "Throttling.AllocationQuota", text: "free allocated", class: provider.ClassQuotaExhausted},
		{code: "Throttling.AllocationQuota", text: "free quota", class: provider.ClassQuotaExhausted},
		{code: "Throttling", class: provider.ClassRateLimited},
		{code: "ModelServingError", class: provider.ClassOverloaded},
		{code: "ModelUnavailable", class: provider.ClassOverloaded},
		{code: "RequestTimeOut", class: provider.ClassTimeout},
		{code: "InternalError.Algo.InvalidParameter", class: provider.ClassInvalidRequest},
		{code: "InternalError", class: provider.ClassServerError},
		{code: "internal_error", class: provider.ClassServerError},
		{code: "InvalidParameter", class: provider.ClassInvalidRequest},
		{code: "invalid_parameter_error", class: provider.ClassInvalidRequest},
		{code: "BadRequest", class: provider.ClassInvalidRequest},
		{code: "InvalidURL", class: provider.ClassInvalidRequest},
	}
}

// codeClass is the class of a code.
func codeClass(code, message string) (class provider.Class, known bool) {
	text := strings.ToLower(message)
	for _, r := range rules() {
		if strings.HasPrefix(code, r.code) && strings.Contains(text, r.text) {
			return r.class, true
		}
	}
	return 0, false
}

// statusClass is the class of a status that comes without a code that is known. Own says that it is the vendor's: what a proxy
// finds wrong with a request, such as an address that it does not know, is no fault of the client or the model.
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

// clip makes a text valid UTF-8 of at most maxMessage bytes.
func clip(s string) string {
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
