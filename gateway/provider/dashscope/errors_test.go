package dashscope

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

// codes are the vendor's codes (model-studio/developer-reference/error-code), as status and class, and the codes with them.
func codes() map[string][]string {
	return map[string][]string{
		"400 invalid_request": {
			"InvalidParameter", "InvalidParameter.DataInspection", "BadRequest.EmptyInput", "BadRequest.EmptyParameters",
			"BadRequest.EmptyModel", "InvalidURL", "invalid_parameter_error", "InternalError.Algo.InvalidParameter", "SomethingNew",
		},
		"400 moderation":      {"DataInspectionFailed", "data_inspection_failed"},
		"400 no_balance":      {"Arrearage", "PrepaidBillOverdue", "PostpaidBillOverdue", "CommodityNotPurchased"},
		"400 forbidden":       {"UnsupportedOperation"},
		"401 unauthorized":    {"InvalidApiKey", "invalid_api_key", "SomethingNew"},
		"403 forbidden":       {"AccessDenied", "AccessDenied.Unpurchased", "Model.AccessDenied", "Workspace.AccessDenied", "SomethingNew"},
		"403 quota_exhausted": {"AllocationQuota.FreeTierOnly"},
		"404 model_not_found": {"ModelNotFound", "model_not_found", "model_not_supported", "SomethingNew"},
		"408 timeout":         {"RequestTimeOut", "SomethingNew"},
		"413 invalid_request": {"BadRequest.TooLarge"},
		"429 rate_limited":    {"Throttling", "Throttling.RateQuota", "Throttling.AllocationQuota", "SomethingNew"},
		"500 server_error":    {"InternalError", "InternalError.Algo", "internal_error", "SomethingNew"},
		"503 overloaded":      {"ModelServingError", "ModelUnavailable", "SomethingNew"},
	}
}

// readAll hands a response to all that read one.
func readAll(r *provider.Response) map[string]error {
	errs := map[string]error{}
	_, errs["submit"] = readTaskID(r)
	_, errs["images"] = readImages(r, task())
	_, errs["poll"] = readState(r, task())
	return errs
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
				for name, err := range readAll(answer(status, fmt.Sprintf(`{"code":%q,"message":"No.","request_id":"02-ab"}`, code))) {
					got := errorOf(t, err)
					want := &provider.Error{Class: got.Class, Status: status, Code: code, RequestID: "02-ab", Message: "No."}
					if diff := cmp.Diff(want, got); diff != "" || got.Class.String() != class {
						t.Errorf("%s: class %s, want %s (-want +got):\n%s", name, got.Class, class, diff)
					}
				}
			})
		}
	}
}

// The same codes say later why a task has failed, or one image of it, with status 200.
func TestFailureOfATaskByCode(t *testing.T) {
	t.Parallel()
	for means, list := range codes() {
		for _, code := range list {
			_, class, _ := strings.Cut(means, " ")
			if code == "SomethingNew" { // the status would tell
				class = "server_error"
			}
			t.Run(means+" "+code, func(t *testing.T) {
				t.Parallel()
				failed := answer(http.StatusOK, fmt.Sprintf(`{"output":{"task_status":"FAILED","code":%q,"message":"No."}}`, code))
				state, err := readState(failed, task())
				if err != nil || state.Failure == nil || state.Failure.Class.String() != class || state.Failure.Code != code {
					t.Errorf("state = %+v, %v; want a failure of class %s", state, err, class)
				}
				made, err := readImages(failed, task())
				if err != nil || len(made.Images) != 3 || made.Images[2].Failure.Class.String() != class {
					t.Errorf("images = %+v, %v; want 3 failures of class %s", made, err, class)
				}
				part := fmt.Sprintf(`{"output":{"task_status":"SUCCEEDED","results":[{"code":%q,"message":"No."}]}}`, code)
				made, err = readImages(answer(http.StatusOK, part), provider.Task{ID: "t", State: "1"})
				if err != nil || len(made.Images) != 1 || made.Images[0].Failure.Class.String() != class {
					t.Errorf("images = %+v, %v; want a failure of class %s", made, err, class)
				}
			})
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
		"a model that does not exist": {
			status: 400, body: `{"code":"InvalidParameter","message":"Model not exist."}`,
			want: provider.Error{Class: provider.ClassModelNotFound, Code: "InvalidParameter", Message: "Model not exist."},
		},
		"a model that is served elsewhere": {
			status: 400, body: `{"code":"InvalidParameter","message":"url error, please check url!"}`,
			want: provider.Error{Class: provider.ClassModelNotFound, Code: "InvalidParameter", Message: "url error, please check url!"},
		},
		"a free quota that is used up": {
			status: 429, body: `{"code":"Throttling.AllocationQuota","message":"Free allocated quota exceeded."}`,
			want: provider.Error{
				Class: provider.ClassQuotaExhausted, Code: "Throttling.AllocationQuota", Message: "Free allocated quota exceeded.",
			},
		},
		"without an id in the body the header's counts": {
			status: 500, header: http.Header{"X-Request-Id": {"0217"}}, body: `{"code":"InternalError","message":"oh"}`,
			want: provider.Error{Class: provider.ClassServerError, Code: "InternalError", Message: "oh", RequestID: "0217"},
		},
		"the vendor says how long to wait": {
			status: 429, header: http.Header{"Retry-After": {" 7 "}}, body: `{"code":"Throttling"}`,
			want: provider.Error{Class: provider.ClassRateLimited, Code: "Throttling", RetryAfter: 7 * time.Second},
		},
		"a wait of years is a day": {
			status: 429, header: http.Header{"Retry-After": {"4000000000"}}, body: `{"code":"Throttling"}`,
			want: provider.Error{Class: provider.ClassRateLimited, Code: "Throttling", RetryAfter: 24 * time.Hour},
		},
		"a wait that is no number is none": {
			status: 429, header: http.Header{"Retry-After": {"Tue, 24 Nov 2026 08:00:00 GMT"}}, body: `{"code":"Throttling"}`,
			want: provider.Error{Class: provider.ClassRateLimited, Code: "Throttling"},
		},
		"a long message is cut between characters": {
			status: 400, body: `{"code":"InvalidParameter","message":"` + long + `"}`,
			want: provider.Error{Class: provider.ClassInvalidRequest, Code: "InvalidParameter", Message: long[:1023]},
		},
		"a code that is no word is cut": {
			status: 400, body: `{"code":"Bad\nthing","message":"no"}`,
			want: provider.Error{Class: provider.ClassInvalidRequest, Code: "Bad", Message: "no"},
		},
		"a body that was cut is read as far as it goes": {
			status: 400, body: `{"code":"Arrearage","message":"Access den`,
			want: provider.Error{Class: provider.ClassNoBalance, Code: "Arrearage"},
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
		"a wrapped error is another vendor's":        {401, `{"error":{"code":"Arrearage"}}`, provider.ClassUnauthorized, "Unauthorized"},
		"a code that is a number is somebody else's": {400, `{"code":400,"message":"no"}`, provider.ClassBadResponse, "Bad Request"},
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
