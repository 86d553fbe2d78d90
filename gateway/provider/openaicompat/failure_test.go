package openaicompat

import (
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/provider"
)

func TestError_readsEveryEnvelope(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		adapter provider.Adapter
		status  int
		header  http.Header
		body    string
		want    provider.Error
	}{
		"an error object with a sibling": {
			Qwen(), 400, nil, `{"error":{"message":"m","type":"t","param":"messages","code":"invalid_parameter_error"},"request_id":"r1"}`,
			provider.Error{Class: provider.ClassInvalidRequest, Code: "invalid_parameter_error", Message: "m", Param: "messages", RequestID: "r1"},
		},
		"an error object with the id inside": {
			TokenHub(), 429, nil, `{"error":{"type":"rate_limit_error","code":"429001","message":"m","request_id":"r1"}}`,
			provider.Error{Class: provider.ClassRateLimited, Code: "429001", Message: "m", RequestID: "r1"},
		},
		"an error object with the id as id": {
			Qianfan(), 401, nil, `{"error":{"code":"invalid_iam_token","message":"IAM Certification failed","type":"invalid_request_error"},"id":"as-1"}`,
			provider.Error{Class: provider.ClassUnauthorized, Code: "invalid_iam_token", Message: "IAM Certification failed", RequestID: "as-1"},
		},
		"an id at the end of the message": {
			DeepSeek(), 401, nil, `{"error":{"message":"Authentication Fails (request_id: 11-22)","type":"authentication_error","param":null,"code":"invalid_request_error"}}`,
			provider.Error{Class: provider.ClassUnauthorized, Code: "invalid_request_error", Message: "Authentication Fails (request_id: 11-22)", RequestID: "11-22"},
		},
		"an id within the message": {
			Ark(), 401, nil, `{"error":{"code":"AuthenticationError","message":"missing. Request id: 0217a","param":"","type":"Unauthorized"}}`,
			provider.Error{Class: provider.ClassUnauthorized, Code: "AuthenticationError", Message: "missing. Request id: 0217a", RequestID: "0217a"},
		},
		"an id of a session in the message": {
			Spark(), 400, nil, `{"error":{"message":"bad (sid: cha2)","type":"x","param":null,"code":"10005"}}`,
			provider.Error{Class: provider.ClassInvalidRequest, Code: "10005", Message: "bad (sid: cha2)", RequestID: "cha2"},
		},
		"an id in the header": {
			Zhipu(), 429, http.Header{"X-Log-Id": {"log1"}}, `{"error":{"code":1302,"message":"m"}}`,
			provider.Error{Class: provider.ClassRateLimited, Code: "1302", Message: "m", RequestID: "log1"},
		},
		"a code in parentheses": {
			MiniMax(), 429, nil, `{"type":"error","error":{"type":"rate_limit_error","message":"later (1002)","http_code":"429"},"request_id":"r1"}`,
			provider.Error{Class: provider.ClassRateLimited, Code: "1002", Message: "later (1002)", RequestID: "r1"},
		},
		"no code but a type": {
			Moonshot(), 429, nil, `{"error":{"type":"exceeded_current_quota_error","message":"m"}}`,
			provider.Error{Class: provider.ClassNoBalance, Code: "exceeded_current_quota_error", Message: "m"},
		},
		"a flat object": {
			SiliconFlow(), 403, http.Header{"X-Siliconcloud-Trace-Id": {"tr"}}, `{"code":30001,"message":"m","data":null}`,
			provider.Error{Class: provider.ClassNoBalance, Code: "30001", Message: "m", RequestID: "tr"},
		},
		"a flat object with other names": {
			OpenAI(), 400, nil, `{"error_code":336,"error_msg":"m"}`, provider.Error{Class: provider.ClassInvalidRequest, Code: "336", Message: "m"},
		},
		"an error that is a string": {
			OpenAI(), 400, nil, `{"error":"m"}`, provider.Error{Class: provider.ClassInvalidRequest, Message: "m"},
		},
		"a bare string": {SiliconFlow(), 401, nil, `"Invalid token"`, provider.Error{Class: provider.ClassUnauthorized, Message: "Invalid token"}},
		"plain text": {
			DeepSeek(), 422, nil, "Failed to deserialize\n", provider.Error{Class: provider.ClassInvalidRequest, Message: "Failed to deserialize"},
		},
		"a page, of which nothing is shown": {
			Moonshot(), 504, nil, "\n<!DOCTYPE html><html>10.0.0.1</html>", provider.Error{Class: provider.ClassTimeout, Message: "Gateway Timeout"},
		},
		"nothing": {DeepSeek(), 503, nil, "", provider.Error{Class: provider.ClassOverloaded}},
		"a body that is cut off": {
			OpenAI(), 401, nil, `{"error":{"code":"invalid_api_key","message":"Incorrect`,
			provider.Error{Class: provider.ClassUnauthorized, Code: "invalid_api_key"},
		},
		"a null error": {OpenAI(), 500, nil, `{"error":null,"message":"m"}`, provider.Error{Class: provider.ClassServerError, Message: "m"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.want.Status = tc.status
			got := tc.adapter.Chat.Error(tc.status, tc.header, []byte(tc.body))
			if diff := cmp.Diff(tc.want, *got); diff != "" {
				t.Errorf("Error() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestError_boundsWhatItKeeps(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		"a long message":         `{"error":{"message":"` + strings.Repeat("错", 1000) + `","code":"` + strings.Repeat("c", 500) + `"}}`,
		"long text":              strings.Repeat("错", 3000),
		"bytes that are no text": "\xff\xfe\x00 bad",
		"a code with line feeds": `{"error":{"message":"m","code":"a\nb","type":"t\u0000"},"request_id":"r\r\nX-Evil: 1"}`,
	}
	for name, body := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bounded(t, OpenAI().Chat.Error(400, http.Header{"X-Request-Id": {"a b"}}, []byte(body)))
		})
	}
}

// bounded checks that an error is fit for logs.
func bounded(t *testing.T, e *provider.Error) {
	t.Helper()
	if len(e.Message) > maxMessage || !utf8.ValidString(e.Message) {
		t.Errorf("message of %d bytes, valid %v", len(e.Message), utf8.ValidString(e.Message))
	}
	for _, w := range []string{e.Code, e.Param, e.RequestID} {
		if len(w) > maxWord || strings.ContainsFunc(w, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Errorf("%q is unfit for logs", w)
		}
	}
	if e.Class.String() == "unknown" {
		t.Errorf("class = %d", e.Class)
	}
}

func TestError_readsRetryAfter(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		header http.Header
		want   time.Duration
	}{
		"none":                  {http.Header{}, 0},
		"seconds":               {http.Header{"Retry-After": {"7"}}, 7 * time.Second},
		"with decimals":         {http.Header{"Retry-After": {" 0.5 "}}, 500 * time.Millisecond},
		"milliseconds win":      {http.Header{"Retry-After": {"7"}, "Retry-After-Ms": {"1500"}}, 1500 * time.Millisecond},
		"bad milliseconds":      {http.Header{"Retry-After": {"7"}, "Retry-After-Ms": {"x"}}, 7 * time.Second},
		"a date":                {http.Header{"Retry-After": {"Wed, 21 Oct 2026 07:28:00 GMT"}}, 0},
		"a negative number":     {http.Header{"Retry-After": {"-3"}}, 0},
		"no number":             {http.Header{"Retry-After": {"NaN"}}, 0},
		"an eternity":           {http.Header{"Retry-After": {"1e300"}}, maxRetryAfter},
		"more than an eternity": {http.Header{"Retry-After": {"Inf"}}, maxRetryAfter},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := Moonshot().Chat.Error(429, tc.header, nil).RetryAfter; got != tc.want {
				t.Errorf("RetryAfter = %v, want %v", got, tc.want)
			}
		})
	}
}

// The same status means different things at different vendors.
func TestError_neverGoesByTheStatusAlone(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		adapter provider.Adapter
		status  int
		body    string
		want    provider.Class
	}{
		"429 without money at Kimi":                  {Moonshot(), 429, `{"error":{"type":"exceeded_current_quota_error","message":"x"}}`, provider.ClassNoBalance},
		"429 without money at GLM":                   {Zhipu(), 429, `{"error":{"code":"1113","message":"x"}}`, provider.ClassNoBalance},
		"429 of the same word by the minute at Qwen": {Qwen(), 429, `{"error":{"code":"insufficient_quota","message":"x"}}`, provider.ClassRateLimited},
		"429 of the same word without money":         {OpenAI(), 429, `{"error":{"code":"insufficient_quota","message":"x"}}`, provider.ClassNoBalance},
		"403 without money at Ark":                   {Ark(), 403, `{"error":{"code":"AccountOverdueError","message":"x"}}`, provider.ClassNoBalance},
		"403 without money at SiliconFlow":           {SiliconFlow(), 403, `{"code":30001,"message":"x"}`, provider.ClassNoBalance},
		"400 without money at Qwen":                  {Qwen(), 400, `{"code":"Arrearage","message":"x"}`, provider.ClassNoBalance},
		"401 that is about the model at Qianfan":     {Qianfan(), 401, `{"error":{"code":"invalid_model","message":"No permission to use the model"}}`, provider.ClassForbidden},
		"429 overload at Ark":                        {Ark(), 429, `{"error":{"code":"ServerOverloaded","message":"x"}}`, provider.ClassOverloaded},
		"402 that names permission at TokenHub":      {TokenHub(), 402, `{"error":{"type":"permission_error","code":"401007"}}`, provider.ClassNoBalance},
		"421 moderation at MiMo":                     {MiMo(), 421, `{}`, provider.ClassModeration},
		"500 without money at MiniMax":               {MiniMax(), 500, `{"error":{"type":"api_error","message":"insufficient balance (1008)"}}`, provider.ClassNoBalance},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := tc.adapter.Chat.Error(tc.status, nil, []byte(tc.body)).Class; got != tc.want {
				t.Errorf("class = %v, want %v", got, tc.want)
			}
		})
	}
}
