package tencent

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

// codes are those of the products and of the API as a whole, by their class.
func codes() map[string][]string {
	return map[string][]string{
		"unauthorized": {
			"AuthFailure", "AuthFailure.SignatureFailure", "AuthFailure.SecretIdNotFound", "AuthFailure.SignatureExpire",
			"AuthFailure.InvalidSecretId", "AuthFailure.UnauthorizedOperation", "UnauthorizedOperation", "AuthFailure.TokenFailure",
		},
		"forbidden": {"IpInBlacklist", "IpNotInWhitelist"},
		"invalid_request": {
			"InvalidParameter", "InvalidParameter.InvalidParameter", "InvalidParameterValue", "InvalidParameterValue.ParameterValueError",
			"InvalidParameterValue.LogoParamErr", "InvalidParameterValue.StyleConflict", "MissingParameter", "RequestSizeLimitExceeded",
		},
		"invalid_request prompt": {"InvalidParameterValue.TextLengthExceed"},
		"invalid_request image": {
			"InvalidParameterValue.ImageEmpty", "InvalidParameterValue.UrlIllegal", "FailedOperation.RequestEntityTooLarge",
			"FailedOperation.ImageDownloadError", "FailedOperation.ImageDecodeFailed", "FailedOperation.ImageResolutionExceed",
			"FailedOperation.ImageSizeExceed", "InvalidParameterValue.InvalidImageFormat", "InvalidParameterValue.InvalidImageSize",
			"InvalidParameterValue.InvalidImageResolution", "InvalidParameterValue.InvalidImageAspectRatio", "FailedOperation.DownloadError",
		},
		"moderation": {
			"OperationDenied.TextIllegalDetected", "OperationDenied.ImageIllegalDetected", "FailedOperation.GenerateImageFailed",
			"FailedOperation.ModerationFailed", "FailedOperation.TextModerationNotPass",
		},
		"rate_limited": {
			"RequestLimitExceeded", "RequestLimitExceeded.JobNumExceed", "RequestLimitExceeded.UinLimitExceeded", "LimitExceeded",
			"FailedOperation.EngineServerLimitExceeded",
		},
		"no_balance": {
			"ResourceUnavailable", "ResourceUnavailable.InArrears", "ResourceUnavailable.LowBalance",
			"ResourcesSoldOut.ChargeStatusException",
			"ResourceInsufficient.ChargeResourceExhaust", "FailedOperation.FreeResourcePackExhausted", "FailedOperation.ResourcePackExhausted",
			"FailedOperation.ServiceStopArrears", "FailedOperation.SetPayModeExceed",
		},
		"model_not_found": {
			"ResourceUnavailable.NotExist", "ResourceUnavailable.StopUsing", "ResourceUnavailable.Delivering", "ResourceUnavailable.IsOpening",
			"FailedOperation.ServiceNotActivated", "FailedOperation.ServiceStop", "InvalidAction", "ActionOffline", "NoSuchVersion",
			"NoSuchProduct", "UnsupportedRegion",
		},
		"overloaded": {"ResourceInsufficient", "ResourcesSoldOut", "ServiceUnavailable"},
		"server_error": {
			"FailedOperation", "FailedOperation.InnerError", "FailedOperation.ServerError", "FailedOperation.RequestTimeout",
			"FailedOperation.RpcFail", "FailedOperation.ConsoleServerError", "FailedOperation.Unknown", "FailedOperation.DriverFailed",
			"InternalError", "SomethingNew", "UnknownParameter", "OperationDenied",
		},
	}
}

func TestFailureByCode(t *testing.T) {
	t.Parallel()
	for means, list := range codes() {
		class, param, _ := strings.Cut(means, " ")
		for _, code := range list {
			t.Run(code, func(t *testing.T) {
				t.Parallel()
				body := fmt.Sprintf(`{"Response":{"Error":{"Code":%q,"Message":" No. "},"RequestId":"r1"}}`, code)
				_, err := readJob(answer(http.StatusOK, body), "")
				got := errorOf(t, err)
				want := &provider.Error{Class: got.Class, Status: 200, Code: code, Message: "No.", RequestID: "r1", Param: param}
				if diff := cmp.Diff(want, got); diff != "" || got.Class.String() != class {
					t.Errorf("class %s, want %s (-want +got):\n%s", got.Class, class, diff)
				}
			})
		}
	}
}

func TestRefusedPollIsNotTheClientsFault(t *testing.T) {
	t.Parallel()
	const code = "InvalidParameterValue.UrlIllegal"
	r := respond(`"Error":{"Code":"` + code + `","Message":"no"},"RequestId":"r1"`)
	_, image := readImages(r, job())
	_, video := readState(r)
	for name, err := range map[string]error{"images": image, "video": video} {
		want := &provider.Error{Class: provider.ClassServerError, Status: 200, Code: code, Message: "no", RequestID: "r1"}
		if diff := cmp.Diff(want, errorOf(t, err)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
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
		"a code that nobody knows, with a status": {
			status: 503, body: `{"Response":{"Error":{"Code":"New","Message":"m"},"RequestId":"r1"}}`,
			want: provider.Error{Class: provider.ClassOverloaded, Code: "New", Message: "m", RequestID: "r1"},
		},
		"a code that is known, with a status": {
			status: 500, body: `{"Response":{"Error":{"Code":"RequestLimitExceeded","Message":"m"}}}`,
			want: provider.Error{Class: provider.ClassRateLimited, Code: "RequestLimitExceeded", Message: "m"},
		},
		"the vendor says how long to wait": {
			status: 429, header: http.Header{"Retry-After": {"3"}}, body: `{"Response":{"RequestId":"r2"}}`,
			want: provider.Error{Class: provider.ClassRateLimited, Message: "Too Many Requests", RetryAfter: 3 * time.Second, RequestID: "r2"},
		},
		"a wait of years ends the next day": {
			status: 503, header: http.Header{"Retry-After": {"4000000000"}},
			want: provider.Error{Class: provider.ClassOverloaded, Message: "Service Unavailable", RetryAfter: 24 * time.Hour},
		},
		"a date to wait for is not read": {
			status: 503, header: http.Header{"Retry-After": {"Wed, 21 Oct 2026 07:28:00 GMT"}},
			want: provider.Error{Class: provider.ClassOverloaded, Message: "Service Unavailable"},
		},
		"a long message is cut between characters": {
			status: 200, body: `{"Response":{"Error":{"Code":"InternalError","Message":"` + long + `"}}}`,
			want: provider.Error{Class: provider.ClassServerError, Code: "InternalError", Message: long[:1023]},
		},
		"a code that is no word is cut": {
			status: 200, body: `{"Response":{"Error":{"Code":"Bad\nthing","Message":"no"}}}`,
			want: provider.Error{Class: provider.ClassServerError, Code: "Bad", Message: "no"},
		},
		"an error that is a text": {
			status: 200, body: `{"Response":{"Error":"no","JobId":"1"}}`,
			want: provider.Error{Class: provider.ClassServerError, Message: "OK"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.want.Status = tc.status
			_, err := readJob(&provider.Response{Status: tc.status, Header: tc.header, Body: []byte(tc.body)}, "")
			got := errorOf(t, err)
			if diff := cmp.Diff(&tc.want, got); diff != "" {
				t.Errorf("failure (-want +got):\n%s", diff)
			}
			fit(t, got)
		})
	}
}

func TestFailureThatIsNotTheVendors(t *testing.T) {
	t.Parallel()
	for status, class := range map[int]provider.Class{
		307: provider.ClassBadResponse, 400: provider.ClassBadResponse, 401: provider.ClassUnauthorized, 403: provider.ClassForbidden,
		404: provider.ClassBadResponse, 408: provider.ClassTimeout, 413: provider.ClassInvalidRequest, 418: provider.ClassBadResponse,
		429: provider.ClassRateLimited, 500: provider.ClassServerError, 502: provider.ClassServerError, 503: provider.ClassOverloaded,
		504: provider.ClassTimeout,
	} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			for _, body := range []string{"<html>page</html>", "", `{"Response":{"JobId":"1"}}`} {
				_, err := readJob(answer(status, body), "")
				want := &provider.Error{Class: class, Status: status, Message: http.StatusText(status)}
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
