package kling

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

// codes are the vendor's codes, by status and class.
func codes() map[string][]int {
	return map[string][]int{
		"401 unauthorized":    {1000, 1001, 1002, 1003, 1004, 1999},
		"429 no_balance":      {1101, 1102},
		"429 forbidden":       {1100, 1304},
		"429 rate_limited":    {1302, 1303, 1999},
		"403 forbidden":       {1103, 1999},
		"400 invalid_request": {1200, 1201, 1999},
		"400 moderation":      {1300, 1301},
		"404 server_error":    {1202},
		"404 model_not_found": {1999}, // 1203 is an unknown task for polls
		"500 server_error":    {5000, 1999},
		"503 overloaded":      {5001, 1999},
		"504 timeout":         {5002, 1999},
		"200 unauthorized":    {1001}, // a refusal inside a success is one still
		"200 rate_limited":    {1303},
		"200 server_error":    {1999},
	}
}

func TestFailureByCode(t *testing.T) {
	t.Parallel()
	for means, list := range codes() {
		for _, code := range list {
			t.Run(fmt.Sprint(means, " ", code), func(t *testing.T) {
				t.Parallel()
				var status int
				var class string
				if _, err := fmt.Sscan(means, &status, &class); err != nil {
					t.Fatal(err)
				}
				body := fmt.Sprintf(`{"code":%d,"message":"No.","request_id":"02abc"}`, code)
				for name, err := range readAll(answer(status, body)) {
					got := errorOf(t, err)
					want := &provider.Error{Class: got.Class, Status: status, Code: fmt.Sprint(code), RequestID: "02abc", Message: "No."}
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
	_, _, errs["submit"] = taskReader("")(r)
	_, _, errs["legacy submit"] = taskReader(kindText)(r)
	_, _, errs["poll"] = currentReader("1")(r)
	_, _, errs["legacy poll"] = readLegacy(r)
	return errs
}

func TestModelThatDoesNotExist(t *testing.T) {
	t.Parallel()
	_, _, err := taskReader("")(answer(404, `{"code":1203,"message":"no such model"}`))
	if e := errorOf(t, err); e.Class != provider.ClassModelNotFound {
		t.Errorf("class = %s, want model_not_found", e.Class)
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
			status: 429, header: http.Header{"Retry-After": {" 7 "}}, body: `{"code":1302}`,
			want: provider.Error{Class: provider.ClassRateLimited, Code: "1302", RetryAfter: 7 * time.Second},
		},
		"a wait of years is a day": {
			status: 429, header: http.Header{"Retry-After": {"4000000000"}}, body: `{"code":1302}`,
			want: provider.Error{Class: provider.ClassRateLimited, Code: "1302", RetryAfter: 24 * time.Hour},
		},
		"a wait that is no number is none": {
			status: 429, header: http.Header{"Retry-After": {"Tue, 24 Nov 2026 08:00:00 GMT"}}, body: `{"code":1302}`,
			want: provider.Error{Class: provider.ClassRateLimited, Code: "1302"},
		},
		"a long message is cut between characters": {
			status: 400, body: `{"code":1201,"message":" ` + long + `"}`,
			want: provider.Error{Class: provider.ClassInvalidRequest, Code: "1201", Message: long[:1023]},
		},
		"a code may be a text": {
			status: 429, body: `{"code":"1102","message":"no"}`,
			want: provider.Error{Class: provider.ClassNoBalance, Code: "1102", Message: "no"},
		},
		"a code that is a word leaves the status": {
			status: 429, body: `{"code":"Bad\nthing","message":"no","request_id":"a b"}`,
			want: provider.Error{Class: provider.ClassRateLimited, Code: "Bad", Message: "no", RequestID: "a"},
		},
		"a body that was cut is read as far as it goes": {
			status: 429, body: `{"code":1101,"mess`,
			want: provider.Error{Class: provider.ClassNoBalance, Code: "1101"},
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
		"a code that is no code leaves the status":   {401, `{"code":{}}`, provider.ClassUnauthorized, "Unauthorized"},
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
