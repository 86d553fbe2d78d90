package vidu

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// reasons are the vendor's, by status and class.
func reasons() map[string][]string {
	return map[string][]string{
		"400 invalid_request": {
			"BadRequest", "FieldLacking", "FieldUnwanted", "FieldItemCountOutOfRange", "FieldInvalid", "PageSizeOutOfRange",
			"ImageDownloadFailure", "ImageFormatInvalid", "SomethingNew",
		},
		"400 moderation":      {"TaskPromptPolicyViolation", "AuditSubmitIllegal", "CreationPolicyViolation"},
		"400 no_balance":      {"CreditInsufficient", "creditinsufficient"},
		"400 model_not_found": {"ModelUnavailable"},
		"400 rate_limited":    {"OperationInProcess"},
		"401 unauthorized":    {"Unauthorized", "SomethingNew"},
		"403 forbidden":       {"Forbidden", "SomethingNew"},
		"404 model_not_found": {"NotFound", "SomethingNew"},
		"409 server_error":    {"Conflict", "SomethingNew"},
		"429 rate_limited":    {"QuotaExceeded", "TooManyRequests", "SomethingNew"},
		"429 overloaded":      {"SystemThrottling"},
		"499 network":         {"Canceled", "SomethingNew"},
		"500 server_error":    {"InternalServiceFailure", "SomethingNew"},
		"503 overloaded":      {"SomethingNew"},
		"200 no_balance":      {"CreditInsufficient"}, // a refusal inside a success is one still
		"200 server_error":    {"SomethingNew"},
	}
}

func TestFailureByReason(t *testing.T) {
	t.Parallel()
	for means, list := range reasons() {
		for _, reason := range list {
			t.Run(means+" "+reason, func(t *testing.T) {
				t.Parallel()
				var status int
				var class string
				if _, err := fmt.Sscan(means, &status, &class); err != nil {
					t.Fatal(err)
				}
				body := fmt.Sprintf(`{"code":%d,"reason":%q,"message":"No.","metadata":{"trace_id":"02abc"}}`, status, reason)
				for name, err := range readAll(answer(status, body)) {
					got := errorOf(t, err)
					want := &provider.Error{Class: got.Class, Status: status, Code: reason, RequestID: "02abc", Message: "No."}
					if strings.HasPrefix(reason, "Image") {
						want.Param = "image"
					}
					if diff := cmp.Diff(want, got); diff != "" || got.Class.String() != class {
						t.Errorf("%s: class %s, want %s (-want +got):\n%s", name, got.Class, class, diff)
					}
				}
			})
		}
	}
}

// readAll hands a response to all that read one.
func readAll(r *provider.Response) map[string]error {
	errs := map[string]error{}
	_, _, errs["submit"] = readTask(r)
	_, _, errs["poll"] = readState(r)
	return errs
}

func TestFailureOfASubmit(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"reason":"TaskNotFound"}`, `{"reason":"CreationNotFound"}`} {
		_, _, err := readTask(answer(404, body))
		if e := errorOf(t, err); e.Class != provider.ClassServerError {
			t.Errorf("%s: class = %s, want server_error", body, e.Class)
		}
	}
}

func TestFailure(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("图", 400)
	tests := map[string]struct {
		status int
		header http.Header
		body   string
		want   provider.Error
	}{
		"the vendor says how long to wait": {
			status: 429, header: http.Header{"Retry-After": {" 7 "}}, body: `{"reason":"TooManyRequests"}`,
			want: provider.Error{Class: provider.ClassRateLimited, Code: "TooManyRequests", RetryAfter: 7 * time.Second},
		},
		"a wait of years is a day": {
			status: 429, header: http.Header{"Retry-After": {"4000000000"}}, body: `{"reason":"TooManyRequests"}`,
			want: provider.Error{Class: provider.ClassRateLimited, Code: "TooManyRequests", RetryAfter: 24 * time.Hour},
		},
		"a wait that is no number is none": {
			status: 429, header: http.Header{"Retry-After": {"Tue, 24 Nov 2026 08:00:00 GMT"}}, body: `{"reason":"TooManyRequests"}`,
			want: provider.Error{Class: provider.ClassRateLimited, Code: "TooManyRequests"},
		},
		"a long message is cut between characters": {
			status: 400, body: `{"reason":"FieldInvalid","message":" ` + long + `"}`,
			want: provider.Error{Class: provider.ClassInvalidRequest, Code: "FieldInvalid", Message: long[:1023]},
		},
		"a reason that is no word is cut": {
			status: 500, body: `{"reason":"Bad\nthing","message":"no","metadata":{"trace_id":"a b"}}`,
			want: provider.Error{Class: provider.ClassServerError, Code: "Bad", Message: "no", RequestID: "a"},
		},
		"a body that was cut is read as far as it goes": {
			status: 400, body: `{"code":400,"reason":"CreditInsufficient","mess`,
			want: provider.Error{Class: provider.ClassNoBalance, Code: "CreditInsufficient"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.want.Status = tc.status
			got := failure(&provider.Response{Status: tc.status, Header: tc.header, Body: []byte(tc.body)})
			if diff := cmp.Diff(&tc.want, got); diff != "" {
				t.Errorf("failure (-want +got):\n%s", diff)
			}
			fit(t, got)
		})
	}
}

func TestFailureThatIsNotTheVendors(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status  int
		body    string
		class   provider.Class
		message string
	}{
		"a page is not shown":                        {502, `<html>bad</html>`, provider.ClassServerError, "Bad Gateway"},
		"a page with 400 is not the client's fault":  {400, `<html>bad</html>`, provider.ClassBadResponse, "Bad Request"},
		"a page with 404 is a wrong address":         {404, `<html>lost</html>`, provider.ClassBadResponse, "Not Found"},
		"a page with 413 is too large a request":     {413, `<html>`, provider.ClassInvalidRequest, "Request Entity Too Large"},
		"a page with 504 is a timeout":               {504, `<html>late</html>`, provider.ClassTimeout, "Gateway Timeout"},
		"a redirect leads nowhere":                   {307, ``, provider.ClassBadResponse, "Temporary Redirect"},
		"an empty body leaves the status":            {429, ``, provider.ClassRateLimited, "Too Many Requests"},
		"a reason that is none leaves the status":    {401, `{"reason":{}}`, provider.ClassUnauthorized, "Unauthorized"},
		"a status that nobody knows is the vendor's": {418, `{}`, provider.ClassServerError, "I'm a teapot"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := &provider.Error{Class: tc.class, Status: tc.status, Message: tc.message}
			for name, err := range readAll(answer(tc.status, tc.body)) {
				if diff := cmp.Diff(want, errorOf(t, err)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
		})
	}
}

// fit checks what holds for all errors.
func fit(t *testing.T, e *provider.Error) {
	t.Helper()
	if len(e.Message) > 1024 || !utf8.ValidString(e.Message) {
		t.Errorf("message of %d bytes, valid: %v", len(e.Message), utf8.ValidString(e.Message))
	}
	for _, word := range [...]string{e.Code, e.RequestID, e.Param} {
		if len(word) > 96 || strings.ContainsFunc(word, func(c rune) bool { return c <= ' ' || c > '~' }) {
			t.Errorf("%q is no word", word)
		}
	}
}
