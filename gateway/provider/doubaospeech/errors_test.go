package doubaospeech

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

func TestFailureByCodeAndText(t *testing.T) {
	t.Parallel()
	tests := []struct {
		code  int
		text  string
		class provider.Class
		param string
	}{
		// V1.
		{3001, "invalid request", provider.ClassInvalidRequest, ""},
		{3003, "too many", provider.ClassRateLimited, ""},
		{3005, "busy", provider.ClassOverloaded, ""},
		{3006, "duplicate reqid", provider.ClassServerError, ""},
		{3010, "text is too long", provider.ClassInvalidRequest, "input"},
		{3011, "illegal input text!", provider.ClassInvalidRequest, "input"},
		{3030, "timeout", provider.ClassTimeout, ""},
		{3031, "error", provider.ClassServerError, ""},
		{3032, "timeout", provider.ClassTimeout, ""},
		{3040, "error", provider.ClassServerError, ""},
		{3050, "no such voice", provider.ClassInvalidRequest, "voice"},
		{3999, "news", provider.ClassServerError, ""},
		// Texts that count for more than V1's codes.
		{3001, "authenticate request: load grant: requested grant not found", provider.ClassUnauthorized, ""},
		{3001, "extract request resource id: get resource id: access denied", provider.ClassInvalidRequest, "voice"},
		{3001, "quota exceeded for types: text_words_lifetime", provider.ClassNoBalance, ""},
		{3003, "quota exceeded for types: text_words_lifetime", provider.ClassNoBalance, ""},
		{3001, "quota exceeded for types: concurrency", provider.ClassRateLimited, ""},
		{3001, "quota exceeded for types: text_words_daily", provider.ClassQuotaExhausted, ""},
		{3031, "voice: Init Engine Instance failed", provider.ClassInvalidRequest, "voice"},
		{3001, "illegal input text!", provider.ClassInvalidRequest, "input"},
		// V3.
		{40402003, "TTSExceededTextLimit:exceed max limit", provider.ClassInvalidRequest, "input"},
		{45000000, "speaker permission denied: get resource id: access denied", provider.ClassInvalidRequest, "voice"},
		{45000000, "quota exceeded for types: concurrency", provider.ClassRateLimited, ""},
		{45000000, "quota exceeded for types: text_words_lifetime", provider.ClassNoBalance, ""},
		{45000000, "access denied", provider.ClassUnauthorized, ""},
		{45000000, "app key not found in header or query", provider.ClassUnauthorized, ""},
		{45000000, "news", provider.ClassServerError, ""},
		{45000001, "Invalid argument: speaker not found", provider.ClassInvalidRequest, "voice"},
		{45000001, "InvalidModel", provider.ClassModelNotFound, ""},
		{45000001, "InvalidDialect", provider.ClassInvalidRequest, ""},
		{45000010, "Invalid X-Api-Key", provider.ClassUnauthorized, ""},
		{45002000, "invalid speaker", provider.ClassInvalidRequest, "voice"},
		{45002001, "nothing readable", provider.ClassInvalidRequest, "input"},
		{55000000, "resource ID is mismatched with speaker related resource", provider.ClassInvalidRequest, "voice"},
		{55000000, "request timed out", provider.ClassTimeout, ""},
		{55000000, "service is unavailable", provider.ClassServerError, ""},
		{99999999, "news", provider.ClassServerError, ""},
	}
	for _, tc := range tests {
		t.Run(fmt.Sprint(tc.code, " ", tc.text), func(t *testing.T) {
			t.Parallel()
			for form, body := range map[string]string{
				"bare":           fmt.Sprintf(`{"code":%d,"message":%q}`, tc.code, tc.text),
				"with an id":     failing(tc.code, tc.text),
				"in a header":    `{"header":` + failing(tc.code, tc.text) + `}`,
				"in another way": fmt.Sprintf(`{"code":"%d","message":%q}`, tc.code, tc.text),
			} {
				e := Adapter().Speech.Error(http.StatusOK, nil, []byte(body))
				if e.Class != tc.class || e.Param != tc.param || e.Code != fmt.Sprint(tc.code) || e.Message != tc.text {
					t.Errorf("%s: %v of %q: %s; want %s of %q", form, e, e.Param, e.Message, tc.class, tc.param)
				}
			}
		})
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
		"the header has the id": {
			status: 403, header: http.Header{"X-Tt-Logid": {"2026"}}, body: failing(55000000, "no"),
			want: provider.Error{Class: provider.ClassServerError, Code: "55000000", Message: "no", RequestID: "2026"},
		},
		"without one it is the request's": {
			status: 429, header: http.Header{"Retry-After": {"7"}}, body: `{"header":` + failing(3003, "no") + `}`,
			want: provider.Error{Class: provider.ClassRateLimited, Code: "3003", Message: "no", RequestID: "r1", RetryAfter: 7 * time.Second},
		},
		"a code that nobody knows leaves the status": {
			status: 400, body: `{"code":45009999,"message":"no"}`,
			want: provider.Error{Class: provider.ClassInvalidRequest, Code: "45009999", Message: "no"},
		},
		"a long message is cut between characters": {
			status: 400, body: `{"code":3001,"message":"` + long + `"}`,
			want: provider.Error{Class: provider.ClassInvalidRequest, Code: "3001", Message: long[:1023]},
		},
		"a body that was cut is read as far as it goes": {
			status: 401, body: `{"code":45000010,"message":"Inv`, want: provider.Error{Class: provider.ClassUnauthorized, Code: "45000010"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.want.Status = tc.status
			got := Adapter().Speech.Error(tc.status, tc.header, []byte(tc.body))
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
		"a page is not shown":                       {502, `<html>`, provider.ClassServerError},
		"a page with 400 is not the client's fault": {400, `<html>`, provider.ClassBadResponse},
		"a page with 404 is a wrong address":        {404, ``, provider.ClassBadResponse},
		"413 has no body":                           {413, ``, provider.ClassInvalidRequest},
		"401 has no body":                           {401, ``, provider.ClassUnauthorized},
		"403 has no body":                           {403, ``, provider.ClassForbidden},
		"429 has no body":                           {429, ``, provider.ClassRateLimited},
		"504 has no body":                           {504, ``, provider.ClassTimeout},
		"503 has no body":                           {503, ``, provider.ClassOverloaded},
		"a redirect leads nowhere":                  {307, ``, provider.ClassBadResponse},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := &provider.Error{Class: tc.class, Status: tc.status, Message: http.StatusText(tc.status)}
			if diff := cmp.Diff(want, Adapter().Speech.Error(tc.status, nil, []byte(tc.body))); diff != "" {
				t.Errorf("failure (-want +got):\n%s", diff)
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
