package zhipuspeech

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

func TestFailureByCode(t *testing.T) {
	t.Parallel()
	codes := map[string][]string{
		"401 unauthorized":    {"1000", "1001", "1002", "1003", "1004", "1005"},
		"429 forbidden":       {"1110", "1111", "1112", "1120", "1121", "1311"},
		"429 no_balance":      {"1113", "1309", "1314"},
		"500 server_error":    {"1200", "1230", "1234", "9999"},
		"400 invalid_request": {"1210", "1212", "1213", "1214", "1215", "1261", "9999"},
		"400 model_not_found": {"1211"},
		"400 moderation":      {"1301"},
		"429 rate_limited":    {"1302", "1303", "9999"},
		"429 overloaded":      {"1305", "1312"},
		"429 quota_exhausted": {"1304", "1308", "1310", "1313"},
		"434 forbidden":       {"", "434"},
		"435 invalid_request": {"", "435"},
	}
	for means, list := range codes {
		for _, code := range list {
			t.Run(means+" "+code, func(t *testing.T) {
				t.Parallel()
				var status int
				var class string
				if _, err := fmt.Sscan(means, &status, &class); err != nil {
					t.Fatal(err)
				}
				e := Speech().Error(status, nil, []byte(`{"error":{"code":"`+code+`","message":"no"}}`))
				if e.Class.String() != class || e.Code != code || e.Status != status {
					t.Errorf("error = %v, want %s %s", e, class, code)
				}
			})
		}
	}
}

func TestFailureNamesTheMember(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ code, message, param string }{
		"the voice":                {"1214", "voice 参数非法。请检查文档。", "voice"},
		"another member":           {"1214", "response_format 参数非法", "response_format"},
		"the text":                 {"1213", "未正常接收到 input 参数", "input"},
		"a member of the vendor's": {"1214", "watermark_enabled 参数非法", ""},
		"another of those":         {"1214", "volume 参数非法", ""},
		"no member: the voice":     {"1214", "音色不存在", "voice"},
		"no member, another code":  {"1210", "API 调用参数有误", ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := Speech().Error(http.StatusBadRequest, nil, []byte(`{"error":{"code":"`+tc.code+`","message":"`+tc.message+`"}}`))
			if e.Class != provider.ClassInvalidRequest || e.Param != tc.param || e.Message != tc.message {
				t.Errorf("error = %v of %q: %s; want %q", e, e.Param, e.Message, tc.param)
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
		"no money is no limit": {
			status: 429, header: http.Header{"X-Log-Id": {"2026"}},
			body: `{"error":{"code":"1113","message":"您的账户已欠费"},"request_id":"r1"}`,
			want: provider.Error{Class: provider.ClassNoBalance, Code: "1113", Message: "您的账户已欠费", RequestID: "2026"},
		},
		"the body has the id": {
			status: 500, body: `{"error":{"code":1234,"message":"no"},"request_id":"r1"}`,
			want: provider.Error{Class: provider.ClassServerError, Code: "1234", Message: "no", RequestID: "r1"},
		},
		"without wrapping": {
			status: 400, body: `{"code":1301,"message":"no"}`,
			want: provider.Error{Class: provider.ClassModeration, Code: "1301", Message: "no"},
		},
		"the vendor asks to wait": {
			status: 429, header: http.Header{"Retry-After": {"7"}}, body: `{"error":{"code":"1302"}}`,
			want: provider.Error{Class: provider.ClassRateLimited, Code: "1302", RetryAfter: 7 * time.Second},
		},
		"a long message is cut between characters": {
			status: 400, body: `{"error":{"code":"1301","message":"` + long + `"}}`,
			want: provider.Error{Class: provider.ClassModeration, Code: "1301", Message: long[:1023]},
		},
		"a body that was cut is read as far as it goes": {
			status: 429, body: `{"error":{"code":"1308","message":"usage`,
			want: provider.Error{Class: provider.ClassQuotaExhausted, Code: "1308"},
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
		"a page is not shown":                       {502, `<html>`, provider.ClassServerError},
		"a page with 400 is not the client's fault": {400, `<html>`, provider.ClassBadResponse},
		"a page with 404 is a wrong address":        {404, ``, provider.ClassBadResponse},
		"413 has no body":                           {413, ``, provider.ClassInvalidRequest},
		"401 has no body":                           {401, ``, provider.ClassUnauthorized},
		"403 has no body":                           {403, ``, provider.ClassForbidden},
		"408 has no body":                           {408, ``, provider.ClassTimeout},
		"504 has no body":                           {504, ``, provider.ClassTimeout},
		"503 has no body":                           {503, ``, provider.ClassOverloaded},
		"a redirect leads nowhere":                  {307, ``, provider.ClassBadResponse},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := &provider.Error{Class: tc.class, Status: tc.status, Message: http.StatusText(tc.status)}
			if diff := cmp.Diff(want, Speech().Error(tc.status, nil, []byte(tc.body))); diff != "" {
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
