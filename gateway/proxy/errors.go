package proxy

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"vipcloud.ai/vipcloud/gateway/openai"
	"vipcloud.ai/vipcloud/gateway/provider"
)

// defaultRetryAfter is sent where a pause helps and the vendor did not say how long.
const defaultRetryAfter = time.Second

// upstreamCodes are the neutral words for failures that are ours to mend, not the client's.
var upstreamCodes = map[provider.Class]string{
	provider.ClassServerError:    "upstream_server_error",
	provider.ClassUnauthorized:   "upstream_credential",
	provider.ClassForbidden:      "upstream_credential",
	provider.ClassNoBalance:      "upstream_billing",
	provider.ClassModelNotFound:  "upstream_configuration",
	provider.ClassNetwork:        "upstream_connection",
	provider.ClassBadResponse:    "upstream_bad_response",
	provider.ClassQuotaExhausted: "upstream_quota",
}

// publicError turns an upstream's failure into what the client is told. costly says that the upstream may have produced a bill
// without our knowing, so that repeating the call may cost twice.
func publicError(e *provider.Error, costly bool) *openai.Error {
	var public *openai.Error
	switch e.Class {
	case provider.ClassInvalidRequest:
		public = openai.InvalidRequest(orElse(e.Code, "invalid_value"), e.Param, "%s",
			orElse(redactMessage(e.Message), "The model cannot take this request."))
		public.Code = neutralCode(e)
	case provider.ClassContextLength:
		public = openai.InvalidRequest("context_length_exceeded", "messages", "%s",
			orElse(redactMessage(e.Message), "The prompt is longer than the model's context window."))
	case provider.ClassModeration:
		public = openai.InvalidRequest("content_filter", "", "The request or its answer was refused by the content policy of the model's provider.")
	case provider.ClassRateLimited:
		public = &openai.Error{
			Status: http.StatusTooManyRequests, Type: openai.TypeRateLimited, Code: "upstream",
			Message: "The model's provider limits the rate of requests; try again later.", RetryAfter: retryAfter(e),
		}
	case provider.ClassOverloaded:
		public = openai.Unavailable("overloaded", "The model's provider is overloaded; try again later.", retryAfter(e))
	case provider.ClassTimeout:
		public = &openai.Error{
			Status: http.StatusGatewayTimeout, Type: openai.TypeUpstreamTimeout, Code: "upstream_timeout",
			Message: "The model's provider did not answer in time.", NoRetry: costly,
		}
	default:
		public = &openai.Error{
			Status: http.StatusBadGateway, Type: openai.TypeUpstream, Code: orElse(upstreamCodes[e.Class], "upstream_error"),
			Message: "The model's provider could not serve the request.", NoRetry: costly || ours(e.Class),
		}
	}
	public.Cause = e
	return public
}

// ours says that an administrator must mend something before a repeated call can succeed.
func ours(c provider.Class) bool {
	return c == provider.ClassUnauthorized || c == provider.ClassForbidden || c == provider.ClassNoBalance || c == provider.ClassModelNotFound
}

// neutralCode keeps to the codes that OpenAI's clients know; a vendor's own code stays in the log.
func neutralCode(e *provider.Error) string {
	if e.Status == 0 {
		return "unsupported_value"
	}
	return "invalid_value"
}

// retryAfter is the vendor's wish or ours.
func retryAfter(e *provider.Error) time.Duration {
	if e.RetryAfter > 0 {
		return e.RetryAfter
	}
	return defaultRetryAfter
}

// orElse returns the first string that is not empty.
func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// Patterns of what must not leave the gateway with a vendor's message.
var (
	urlPattern       = regexp.MustCompile(`(?i)\b(?:https?|wss?)://\S+|\b(?:[a-z0-9-]+\.)+(?:com|cn|ai|io|net|org)\b\S*`)
	keyPattern       = regexp.MustCompile(`(?i)\b(?:sk|ak|ep|org|bce|tp)-[a-z0-9*_-]{4,}\S*|\*{3,}\S*`)
	requestIDPattern = regexp.MustCompile(`(?i)[(\[]?\s*(?:request|trace|log)[ _-]?id\s*[:=]\s*[\w-]+\s*[)\]]?|\(sid: [^)]*\)`)
	spacePattern     = regexp.MustCompile(`\s+`)
)

// maxMessage bounds a vendor's message in characters' bytes.
const maxMessage = 512

// redactMessage cleans a vendor's explanation of what is wrong with a request.
func redactMessage(s string) string {
	s = requestIDPattern.ReplaceAllString(s, "")
	s = urlPattern.ReplaceAllString(s, "[…]")
	s = keyPattern.ReplaceAllString(s, "[…]")
	s = strings.TrimSpace(spacePattern.ReplaceAllString(s, " "))
	if len(s) > maxMessage {
		s = strings.ToValidUTF8(s[:maxMessage], "") + "…"
	}
	return s
}

// redactURL drops the address from a transport's error, which is of no use to a reader who knows the target.
func redactURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}
