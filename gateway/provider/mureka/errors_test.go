package mureka

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

// texts are such as a vendor may write, by status and class.
func texts() map[string][]string {
	return map[string][]string{
		"400 invalid_request": {"prompt and vocal_id cannot be used together", "n must be between 1 and 3", "lyrics is required", ""},
		"400 moderation": {
			"The content is not allowed", "Lyrics contain sensitive words", "violates our terms", "歌词包含敏感词", "may infringe copyright",
		},
		"400 model_not_found": {
			"the model is not available to this account", "Unknown model: mureka-o1", "model mureka-o1 does not exist", "模型不存在",
		},
		"401 unauthorized":    {"Incorrect API key provided"},
		"402 no_balance":      {"pay first"},
		"403 forbidden":       {"Country, region, or territory not supported"},
		"404 model_not_found": {"no such address"},
		"429 no_balance": {
			"You exceeded your current quota, please check your plan and billing details", "Insufficient balance", "余额不足，请充值",
		},
		"429 rate_limited": {
			"Rate limit reached for requests, please slow down", "The concurrent request limit of 1 is reached", "Too many requests",
			"Rate limit reached; see your billing page for higher limits", "concurrency quota exceeded", "请求过快", "", "no",
		},
		"500 server_error": {"The server had an error while processing your request"},
		"503 overloaded":   {"The engine is currently overloaded, please try again later"},
		"504 timeout":      {"late"},
	}
}

// forms are the ways in which the two doors tell a failure, by the status of the answer. What is in an envelope may come as a
// success.
func forms(status int, text string) map[string]*provider.Response {
	return map[string]*provider.Response{
		"platform":       answer(status, fmt.Sprintf(`{"error":{"message":%q},"trace_id":"02abc"}`, text)),
		"Skywork":        answer(status, fmt.Sprintf(`{"code":%d,"message":%q,"trace_id":"02abc"}`, status, text)),
		"Skywork inside": answer(200, fmt.Sprintf(`{"code":%d,"message":%q,"trace_id":"02abc"}`, status, text)),
	}
}

func TestFailureByText(t *testing.T) {
	t.Parallel()
	for means, list := range texts() {
		for _, text := range list {
			t.Run(means+" "+text, func(t *testing.T) {
				t.Parallel()
				var status int
				var class string
				if _, err := fmt.Sscan(means, &status, &class); err != nil {
					t.Fatal(err)
				}
				for name, r := range forms(status, text) {
					got := failure(r)
					want := &provider.Error{Class: got.Class, Status: r.Status, Message: text, RequestID: "02abc"}
					if name != "platform" {
						want.Code = fmt.Sprint(status)
					}
					if diff := cmp.Diff(want, got); diff != "" || got.Class.String() != class {
						t.Errorf("%s: class %s, want %s (-want +got):\n%s", name, got.Class, class, diff)
					}
					if _, err := readContent(r); errorOf(t, err).Class != got.Class {
						t.Errorf("%s: reading it gives another error: %v", name, err)
					}
				}
			})
		}
	}
}

func TestCodeThatNobodyKnows(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]provider.Class{
		"insufficient balance": provider.ClassNoBalance, "too many requests": provider.ClassRateLimited,
		"concurrency limit": provider.ClassRateLimited, "sensitive words": provider.ClassModeration,
		"unknown model": provider.ClassModelNotFound, "invalid api key": provider.ClassUnauthorized,
		"it broke": provider.ClassServerError, "": provider.ClassServerError,
	} {
		e := failure(answer(200, `{"code":10007,"message":"`+text+`"}`))
		if e.Class != want || e.Code != "10007" || e.Status != 200 {
			t.Errorf("%q: %v, want class %s", text, e, want)
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
			status: 429, header: http.Header{"Retry-After": {" 7 "}}, body: `{"error":{"message":"no"}}`,
			want: provider.Error{Class: provider.ClassRateLimited, Message: "no", RetryAfter: 7 * time.Second},
		},
		"a wait of years is a day": {
			status: 429, header: http.Header{"Retry-After": {"4000000000"}}, body: `{"error":{"message":"no"}}`,
			want: provider.Error{Class: provider.ClassRateLimited, Message: "no", RetryAfter: 24 * time.Hour},
		},
		"a wait that is no number is none": {
			status: 429, header: http.Header{"Retry-After": {"Tue, 24 Nov 2026 08:00:00 GMT"}}, body: `{"error":{"message":"no"}}`,
			want: provider.Error{Class: provider.ClassRateLimited, Message: "no"},
		},
		"a long message is cut between characters": {
			status: 400, body: `{"error":{"message":" ` + long + `"}}`,
			want: provider.Error{Class: provider.ClassInvalidRequest, Message: long[:1023]},
		},
		"a code that is a word leaves the status": {
			status: 429, body: `{"code":"Bad\nthing","message":"no","trace_id":"a b"}`,
			want: provider.Error{Class: provider.ClassRateLimited, Code: "Bad", Message: "no", RequestID: "a"},
		},
		"an error inside a success": {
			status: 200, body: `{"error":{"message":"insufficient balance"}}`,
			want: provider.Error{Class: provider.ClassNoBalance, Message: "insufficient balance"},
		},
		"a body that was cut is read as far as it goes": {
			status: 200, body: `{"code":503,"mess`, want: provider.Error{Class: provider.ClassOverloaded, Code: "503"},
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
		"an error that is a text leaves the status":  {401, `{"error":"key"}`, provider.ClassUnauthorized, "Unauthorized"},
		"a page that forbids":                        {403, `<html>`, provider.ClassForbidden, "Forbidden"},
		"a status that nobody knows is the vendor's": {418, `{}`, provider.ClassServerError, "I'm a teapot"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := &provider.Error{Class: tc.class, Status: tc.status, Message: tc.message}
			r := answer(tc.status, tc.body)
			_, errSubmit := readContent(r)
			_, _, errPoll := readState(r)
			for _, err := range []error{errSubmit, errPoll} {
				if diff := cmp.Diff(want, errorOf(t, err)); diff != "" {
					t.Errorf("failure (-want +got):\n%s", diff)
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
