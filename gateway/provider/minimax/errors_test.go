package minimax

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// codes are the status codes that the vendor is known to answer with, by their classes.
func codes() map[provider.Class][]int {
	return map[provider.Class][]int{
		provider.ClassServerError:    {1000, 1013, 1024, 1033, 1043, 3000},
		provider.ClassTimeout:        {1001},
		provider.ClassRateLimited:    {1002, 1039, 1041, 2045},
		provider.ClassUnauthorized:   {1004, 2049},
		provider.ClassNoBalance:      {1008},
		provider.ClassModeration:     {1026, 1027},
		provider.ClassQuotaExhausted: {1028, 1030, 2056},
		provider.ClassInvalidRequest: {1042, 2013, 2042, 2054, 20132},
		provider.ClassForbidden:      {2038, 2061},
	}
}

func TestFailureByCode(t *testing.T) {
	t.Parallel()
	for class, list := range codes() {
		for _, code := range list {
			t.Run(fmt.Sprintf("%s %d", class, code), func(t *testing.T) {
				t.Parallel()
				body := fmt.Sprintf(`{"base_resp":{"status_code":%d,"status_msg":"no"}}`, code)
				for name, err := range readAll(answer(http.StatusOK, body)) {
					e := errorOf(t, err)
					if e.Class != class || e.Status != http.StatusOK || e.Code != fmt.Sprint(code) || e.Message != "no" {
						t.Errorf("%s: %v: %s; want %s", name, e, e.Message, class)
					}
					if e.Param != "" && !slices.Contains([]string{"voice", "input", "prompt"}, e.Param) {
						t.Errorf("%s: param = %q", name, e.Param)
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
	_, _, errs["file"] = readFile(r)
	if success(r.Status) {
		_, _, errs["speech"] = hear(decode(strings.NewReader(string(r.Body))))
	} else {
		errs["speech"] = Speech().Error(r.Status, r.Header, r.Body)
	}
	return errs
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
		"a code counts for more than a status": {
			status: 429, body: `{"base_resp":{"status_code":2056,"status_msg":"usage limit exceeded"},"trace_id":"t1"}`,
			want: provider.Error{Class: provider.ClassQuotaExhausted, Code: "2056", Message: "usage limit exceeded", RequestID: "t1"},
		},
		"the header has the id": {
			status: 500, header: http.Header{"Trace-Id": {"04b2"}}, body: `{"base_resp":{"status_code":1013},"trace_id":"t1"}`,
			want: provider.Error{Class: provider.ClassServerError, Code: "1013", RequestID: "04b2"},
		},
		"the vendor asks to wait": {
			status: 429, header: http.Header{"Retry-After": {"7"}}, body: `{"base_resp":{"status_code":1002}}`,
			want: provider.Error{Class: provider.ClassRateLimited, Code: "1002", RetryAfter: 7 * time.Second},
		},
		"a wait of ages is a day, and a date is not read": {
			status: 429, header: http.Header{"Retry-After": {"4000000000"}}, body: ``,
			want: provider.Error{Class: provider.ClassRateLimited, Message: "Too Many Requests", RetryAfter: 24 * time.Hour},
		},
		"a newer interface has the code in its message": {
			status: 401, body: `{"type":"error","error":{"type":"authorized_error","message":"invalid api key (2049)"},"request_id":"r1"}`,
			want: provider.Error{Class: provider.ClassUnauthorized, Code: "2049", Message: "invalid api key (2049)", RequestID: "r1"},
		},
		"or only a type": {
			status: 400, body: `{"error":{"type":"bad_request_error","message":"no"}}`,
			want: provider.Error{Class: provider.ClassInvalidRequest, Code: "bad_request_error", Message: "no"},
		},
		"a code that nobody knows leaves the status": {
			status: 403, body: `{"base_resp":{"status_code":7777,"status_msg":"no"}}`,
			want: provider.Error{Class: provider.ClassForbidden, Code: "7777", Message: "no"},
		},
		"a long message is cut between characters": {
			status: 400, body: `{"base_resp":{"status_code":2013,"status_msg":"` + long + `"}}`,
			want: provider.Error{Class: provider.ClassInvalidRequest, Code: "2013", Message: long[:1023]},
		},
		"a body that was cut is read as far as it goes": {
			status: 402, body: `{"base_resp":{"status_code":1008,"status_msg":"insuff`,
			want: provider.Error{Class: provider.ClassNoBalance, Code: "1008"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.want.Status = tc.status
			got := Speech().Error(tc.status, tc.header, []byte(tc.body))
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
		status int
		body   string
		class  provider.Class
	}{
		"a page is not shown":                        {502, `<html>bad</html>`, provider.ClassServerError},
		"a page with 400 is not the client's fault":  {400, `<html>bad</html>`, provider.ClassBadResponse},
		"a page with 404 is a wrong address":         {404, `404 page not found`, provider.ClassBadResponse},
		"a page with 413 is too large a request":     {413, `<html>`, provider.ClassInvalidRequest},
		"a page with 504 is a timeout":               {504, `<html>late</html>`, provider.ClassTimeout},
		"408 is one, too":                            {408, ``, provider.ClassTimeout},
		"a redirect leads nowhere":                   {307, ``, provider.ClassBadResponse},
		"an empty body leaves the status":            {429, ``, provider.ClassRateLimited},
		"401 without a body":                         {401, ``, provider.ClassUnauthorized},
		"402 without a body":                         {402, ``, provider.ClassNoBalance},
		"403 without a body":                         {403, ``, provider.ClassForbidden},
		"503 without a body":                         {503, ``, provider.ClassOverloaded},
		"an error that is a text leaves the status":  {401, `{"error":"key"}`, provider.ClassUnauthorized},
		"a success inside a failure":                 {500, `{"base_resp":{"status_code":0}}`, provider.ClassServerError},
		"a status that nobody knows is the vendor's": {418, `{}`, provider.ClassServerError},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := &provider.Error{Class: tc.class, Status: tc.status, Message: http.StatusText(tc.status)}
			for reader, err := range readAll(answer(tc.status, tc.body)) {
				if diff := cmp.Diff(want, errorOf(t, err)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", reader, diff)
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
	if e.Class.String() == "unknown" || e.RetryAfter < 0 {
		t.Errorf("error = %+v", e)
	}
}
