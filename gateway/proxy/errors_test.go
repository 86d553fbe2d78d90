package proxy

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"vipcloud.ai/vipcloud/gateway/provider"
)

func TestPublicError_saysWhatTheClientCanDo(t *testing.T) {
	for name, tc := range map[string]struct {
		in         provider.Error
		costly     bool
		wantStatus int
		wantCode   string
		wantRetry  time.Duration
		wantStop   bool
	}{
		"invalid request":            {in: provider.Error{Class: provider.ClassInvalidRequest, Status: 400}, wantStatus: 400, wantCode: "invalid_value"},
		"refused before it was sent": {in: provider.Error{Class: provider.ClassInvalidRequest}, wantStatus: 400, wantCode: "unsupported_value"},
		"context length":             {in: provider.Error{Class: provider.ClassContextLength, Status: 400}, wantStatus: 400, wantCode: "context_length_exceeded"},
		"moderation":                 {in: provider.Error{Class: provider.ClassModeration, Status: 451}, wantStatus: 400, wantCode: "content_filter"},
		"rate limit":                 {in: provider.Error{Class: provider.ClassRateLimited, Status: 429}, wantStatus: 429, wantCode: "upstream", wantRetry: time.Second},
		"rate limit with a pause":    {in: provider.Error{Class: provider.ClassRateLimited, Status: 429, RetryAfter: 7 * time.Second}, wantStatus: 429, wantCode: "upstream", wantRetry: 7 * time.Second},
		"overload":                   {in: provider.Error{Class: provider.ClassOverloaded, Status: 503}, wantStatus: 503, wantCode: "overloaded", wantRetry: time.Second},
		"timeout":                    {in: provider.Error{Class: provider.ClassTimeout}, wantStatus: 504, wantCode: "upstream_timeout"},
		"timeout that may cost":      {in: provider.Error{Class: provider.ClassTimeout}, costly: true, wantStatus: 504, wantCode: "upstream_timeout", wantStop: true},
		"connection":                 {in: provider.Error{Class: provider.ClassNetwork}, wantStatus: 502, wantCode: "upstream_connection"},
		"our credential":             {in: provider.Error{Class: provider.ClassUnauthorized, Status: 401}, wantStatus: 502, wantCode: "upstream_credential", wantStop: true},
		"our account":                {in: provider.Error{Class: provider.ClassNoBalance, Status: 402}, wantStatus: 502, wantCode: "upstream_billing", wantStop: true},
		"our model id":               {in: provider.Error{Class: provider.ClassModelNotFound, Status: 404}, wantStatus: 502, wantCode: "upstream_configuration", wantStop: true},
		"our quota":                  {in: provider.Error{Class: provider.ClassQuotaExhausted, Status: 429}, wantStatus: 502, wantCode: "upstream_quota"},
		"bad answer":                 {in: provider.Error{Class: provider.ClassBadResponse, Status: 200}, wantStatus: 502, wantCode: "upstream_bad_response"},
		"server error":               {in: provider.Error{Status: 500}, wantStatus: 502, wantCode: "upstream_server_error"},
		"a class of a later day":     {in: provider.Error{Class: 99}, wantStatus: 502, wantCode: "upstream_error"},
	} {
		t.Run(name, func(t *testing.T) {
			tc.in.Message = "secret vendor text"
			got := publicError(&tc.in, tc.costly)
			if got.Status != tc.wantStatus || got.Code != tc.wantCode || got.RetryAfter != tc.wantRetry || got.NoRetry != tc.wantStop {
				t.Errorf("got %d %s, retry after %s, stop %v", got.Status, got.Code, got.RetryAfter, got.NoRetry)
			}
			if shown := strings.Contains(got.Message, "secret vendor text"); shown != (tc.in.Class == provider.ClassInvalidRequest || tc.in.Class == provider.ClassContextLength) {
				t.Errorf("the vendor's text is shown: %v: %q", shown, got.Message)
			}
			if !errors.Is(got, &tc.in) {
				t.Error("the cause is lost to the log")
			}
		})
	}
}

func TestRedactMessage(t *testing.T) {
	for in, want := range map[string]string{
		"Invalid top_p value, the valid range is [0, 1]":                   "Invalid top_p value, the valid range is [0, 1]",
		"See https://api.vendor.com/docs?x=1 for details":                  "See […] for details",
		"host api.vendor.cn refused":                                       "host […] refused",
		"Your api key: ****abcd is invalid":                                "Your api key: […] is invalid",
		"key sk-1234567890abcdef is wrong":                                 "key […] is wrong",
		"bad value (request_id: 0f1e2d3c-aaaa)":                            "bad value",
		"bad value. Request id: 021785abc":                                 "bad value.",
		"account org-abcdef12 <ak-zzzz1234> reached":                       "account […] <[…] reached",
		"two\n\nlines\tand  blanks":                                        "two lines and blanks",
		strings.Repeat("世", 300):                                           strings.Repeat("世", 170) + "…",
		"model max_tokens must be <= 8192 for deepseek-v4-pro (version 2)": "model max_tokens must be <= 8192 for deepseek-v4-pro (version 2)",
	} {
		if got := redactMessage(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

func FuzzRedactMessage(f *testing.F) {
	f.Add("see https://x.example/y and sk-abcdefgh")
	f.Fuzz(func(t *testing.T, in string) {
		got := redactMessage(in)
		if len(got) > maxMessage+len("…") {
			t.Errorf("%d bytes are shown", len(got))
		}
		if strings.Contains(strings.ToLower(got), "https://") {
			t.Errorf("an address is shown: %q", got)
		}
	})
}

func TestRedactURL_dropsTheAddress(t *testing.T) {
	cause := errors.New("refused")
	got := redactURL(&url.Error{Op: "Post", URL: "https://secret.example", Err: cause})
	if !errors.Is(got, cause) || strings.Contains(got.Error(), "secret") {
		t.Errorf("got %v", got)
	}
	if redactURL(cause) != cause { //nolint:errorlint // the very same
		t.Error("another error was changed")
	}
}
