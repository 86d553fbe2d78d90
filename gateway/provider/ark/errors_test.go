package ark

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

// codes are the vendor's codes (ModelArk/1299023), as status and class, and the codes with them.
func codes() map[string][]string {
	return map[string][]string{
		"400 invalid_request": {
			"MissingParameter", "MissingParameter.prompt", "InvalidParameter", "InvalidParameter.size",
			"InvalidParameter.TaskTypeConstraint", "InvalidParameter.TaskTypeMismatch", "SomethingNew",
		},
		"400 model_not_found": {"InvalidEndpoint.ClosedEndpoint", "InvalidParameter.UnsupportedModel"},
		"400 moderation": {
			"SensitiveContentDetected", "SensitiveContentDetected.SevereViolation", "SensitiveContentDetected.Violence",
			"InputTextSensitiveContentDetected", "InputImageSensitiveContentDetected", "InputVideoSensitiveContentDetected",
			"InputAudioSensitiveContentDetected", "OutputTextSensitiveContentDetected", "OutputImageSensitiveContentDetected",
			"OutputVideoSensitiveContentDetected", "OutputAudioSensitiveContentDetected",
			"InputTextSensitiveContentDetected.PolicyViolation", "OutputVideoSensitiveContentDetected.PolicyViolation",
			"InputImageSensitiveContentDetected.PrivacyInformation", "InputTextRiskDetection", "InputImageRiskDetection",
			"OutputTextRiskDetection", "OutputImageRiskDetection",
		},
		"400 server_error": {"ContentSecurityDetectionError"},
		"401 unauthorized": {"AuthenticationError", "InvalidAccountStatus"},
		"403 no_balance":   {"AccountOverdueError", "OperationDenied.ServiceOverdue"},
		"403 forbidden":    {"AccessDenied", "OperationDenied.ServiceNotOpen", "OperationDenied.InvalidState", "SomethingNew"},
		"404 model_not_found": {
			"InvalidEndpointOrModel.NotFound", "InvalidEndpointOrModel.ModelIDAccessDisabled", "ModelNotOpen", "UnsupportedModel",
		},
		"429 rate_limited": {
			"RateLimitExceeded.EndpointRPMExceeded", "RateLimitExceeded.EndpointTPMExceeded",
			"RateLimitExceeded.FoundationModelRPMExceeded", "ModelAccountRpmRateLimitExceeded", "ModelAccountTpmRateLimitExceeded",
			"ModelAccountIpmRateLimitExceeded", "APIAccountRpmRateLimitExceeded", "AccountRateLimitExceeded", "RequestBurstTooFast",
			"InflightBatchsizeExceeded", "SomethingNew",
		},
		"429 overloaded":      {"ServerOverloaded"},
		"429 quota_exhausted": {"QuotaExceeded", "SetLimitExceeded", "AccountQuotaExceeded"},
		"500 server_error":    {"InternalServiceError", "SomethingNew"},
		"503 overloaded":      {"SomethingNew"},
	}
}

func TestFailureByCode(t *testing.T) {
	t.Parallel()
	for means, list := range codes() {
		for _, code := range list {
			t.Run(means+" "+code, func(t *testing.T) {
				t.Parallel()
				var status int
				var class string
				if _, err := fmt.Sscan(means, &status, &class); err != nil {
					t.Fatal(err)
				}
				body := fmt.Sprintf(`{"error":{"code":%q,"message":"No. Request id: 02abc","param":"","type":"T"}}`, code)
				for name, err := range readAll(answer(status, body)) {
					want := &provider.Error{Class: errorOf(t, err).Class, Status: status, Code: code, RequestID: "02abc", Message: "No."}
					got := *errorOf(t, err)
					got.Param = ""
					if diff := cmp.Diff(want, &got); diff != "" || got.Class.String() != class {
						t.Errorf("%s: class %s, want %s (-want +got):\n%s", name, got.Class, class, diff)
					}
				}
			})
		}
	}
}

// readAll hands a response to all that read one, except that a task which the vendor does not know is none.
func readAll(r *provider.Response) map[string]error {
	errs := map[string]error{}
	_, errs["images"] = readImages(r, false)
	_, _, errs["submit"] = readTask(r)
	if state, _, err := readState(r); !state.Gone {
		errs["poll"] = err
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
		"the id is taken out of the middle of a message, and the last of several too": {
			status: 400,
			body: `{"error":{"code":"InputTextRiskDetection",` +
				`"message":"It violates ContentSecurityDetection.ARKRequest ID: 02ab;CSDRequestId: cd-1;Label: x"}}`,
			want: provider.Error{
				Class: provider.ClassModeration, Code: "InputTextRiskDetection", RequestID: "02ab",
				Message: "It violates ContentSecurityDetection.Label: x",
			},
		},
		"without an id in the message the header's counts": {
			status: 500, header: http.Header{"X-Request-Id": {"0217"}}, body: `{"error":{"code":"InternalServiceError","message":"oh"}}`,
			want: provider.Error{Class: provider.ClassServerError, Code: "InternalServiceError", Message: "oh", RequestID: "0217"},
		},
		"the vendor says how long to wait": {
			status: 429, header: http.Header{"Retry-After": {" 7 "}}, body: `{"error":{"code":"RequestBurstTooFast"}}`,
			want: provider.Error{Class: provider.ClassRateLimited, Code: "RequestBurstTooFast", RetryAfter: 7 * time.Second},
		},
		"a wait of years is a day": {
			status: 429, header: http.Header{"Retry-After": {"4000000000"}}, body: `{"error":{"code":"RequestBurstTooFast"}}`,
			want: provider.Error{Class: provider.ClassRateLimited, Code: "RequestBurstTooFast", RetryAfter: 24 * time.Hour},
		},
		"a wait that is no number is none": {
			status: 429, header: http.Header{"Retry-After": {"Tue, 24 Nov 2026 08:00:00 GMT"}},
			body: `{"error":{"code":"RequestBurstTooFast"}}`,
			want: provider.Error{Class: provider.ClassRateLimited, Code: "RequestBurstTooFast"},
		},
		"the member at fault, named in the error": {
			status: 400, body: `{"error":{"code":"InvalidParameter","message":"no","param":"image[3]"}}`,
			want: provider.Error{Class: provider.ClassInvalidRequest, Code: "InvalidParameter", Message: "no", Param: "image"},
		},
		"the member at fault, named in the code": {
			status: 400, body: `{"error":{"code":"InvalidParameter.size","message":"no"}}`,
			want: provider.Error{Class: provider.ClassInvalidRequest, Code: "InvalidParameter.size", Message: "no", Param: "size"},
		},
		"the member at fault goes by the client's name": {
			status: 400, body: `{"error":{"code":"InvalidParameter.ratio","message":"no"}}`,
			want: provider.Error{Class: provider.ClassInvalidRequest, Code: "InvalidParameter.ratio", Message: "no", Param: "aspect_ratio"},
		},
		"sound goes by the client's name": {
			status: 400, body: `{"error":{"code":"InvalidParameter","message":"no","param":"generate_audio"}}`,
			want: provider.Error{Class: provider.ClassInvalidRequest, Code: "InvalidParameter", Message: "no", Param: "audio"},
		},
		"a member that clients do not have is not named": {
			status: 400, body: `{"error":{"code":"InvalidParameter.TaskTypeConstraint","message":"no","param":"content[1].role"}}`,
			want: provider.Error{Class: provider.ClassInvalidRequest, Code: "InvalidParameter.TaskTypeConstraint", Message: "no"},
		},
		"a long message is cut between characters": {
			status: 400, body: `{"error":{"code":"InvalidParameter","message":"` + long + ` Request id: 02ab"}}`,
			want: provider.Error{
				Class: provider.ClassInvalidRequest, Code: "InvalidParameter", Message: long[:1023], RequestID: "02ab",
			},
		},
		"a code that is no word is cut": {
			status: 400, body: `{"error":{"code":"Bad\nthing","message":"no"}}`,
			want: provider.Error{Class: provider.ClassInvalidRequest, Code: "Bad", Message: "no"},
		},
		"a code may be a number": {
			status: 500, body: `{"error":{"code":1234,"message":"no"}}`,
			want: provider.Error{Class: provider.ClassServerError, Code: "1234", Message: "no"},
		},
		"a body that was cut is read as far as it goes": {
			status: 403, body: `{"error":{"code":"AccountOverdueError","message":"overd`, // the end of a text is where it was cut
			want: provider.Error{Class: provider.ClassNoBalance, Code: "AccountOverdueError"},
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
		"a status that nobody knows is the vendor's": {418, `{}`, provider.ClassServerError, "I'm a teapot"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := &provider.Error{Class: tc.class, Status: tc.status, Message: tc.message}
			if diff := cmp.Diff(want, failure(answer(tc.status, tc.body))); diff != "" {
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
}
