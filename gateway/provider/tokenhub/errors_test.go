package tokenhub

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

// codes are the vendor's (document/product/1823/131595), by their class.
func codes() map[string][]string {
	return map[string][]string{
		"invalid_request": {"400001", "400002", "400003", "400005", "400006"},
		"model_not_found": {"400004"},
		"unauthorized":    {"401001", "401002", "401003", "401004", "401005"},
		"no_balance":      {"401007", "401008", "403004"},
		"forbidden":       {"403001", "403002", "403003", "403005", "403006"},
		"rate_limited":    {"429001", "429002", "429003", "429004", "429005", "429006"},
		"moderation":      {"451001"},
		"server_error":    {"500001", "502001", "503001", "504001"},
	}
}

// statusOf is the status that comes with a code.
func statusOf(t *testing.T, class, code string) int {
	t.Helper()
	if class == "no_balance" {
		return http.StatusPaymentRequired
	}
	var status int
	if _, err := fmt.Sscan(code[:3], &status); err != nil {
		t.Fatal(err)
	}
	return status
}

func TestFailureByCode(t *testing.T) {
	t.Parallel()
	for class, list := range codes() {
		for _, code := range list {
			t.Run(code, func(t *testing.T) {
				t.Parallel()
				body := fmt.Sprintf(`{"error":{"code":%q,"message":" No. ","message_zh":"不","type":"t","source":"client","request_id":"r1"}}`, code)
				for _, status := range []int{statusOf(t, class, code), 200, 400} {
					_, err := readTask(answer(status, body), imageModel)
					got := errorOf(t, err)
					want := &provider.Error{Class: got.Class, Status: status, Code: code, Message: "No.", RequestID: "r1"}
					if diff := cmp.Diff(want, got); diff != "" || got.Class.String() != class {
						t.Errorf("status %d: class %s, want %s (-want +got):\n%s", status, got.Class, class, diff)
					}
				}
			})
		}
	}
}

func TestRefusedQueryIsNotTheClientsFault(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 200} {
		r := answer(status, `{"error":{"code":"400001","message":"no"},"request_id":"r1"}`)
		_, image := readImages(r, provider.Task{ID: "1"})
		_, video := readState(r)
		for name, err := range map[string]error{"images": image, "video": video} {
			want := &provider.Error{Class: provider.ClassServerError, Status: status, Code: "400001", Message: "no", RequestID: "r1"}
			if diff := cmp.Diff(want, errorOf(t, err)); diff != "" {
				t.Errorf("%s, status %d (-want +got):\n%s", name, status, diff)
			}
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
		"a code that is a number": {
			status: 429, body: `{"error":{"code":429001,"message":"m"}}`,
			want: provider.Error{Class: provider.ClassRateLimited, Code: "429001", Message: "m"},
		},
		"a code of a status that nobody knows": {
			status: 418, body: `{"error":{"code":"418001","message":"m"}}`,
			want: provider.Error{Class: provider.ClassBadResponse, Code: "418001", Message: "m"},
		},
		"a code of another form leaves the status": {
			status: 503, body: `{"error":{"code":"4000011","message":"m"}}`,
			want: provider.Error{Class: provider.ClassOverloaded, Code: "4000011", Message: "m"},
		},
		"a word for a code leaves the status": {
			status: 401, body: `{"error":{"code":"40a001","message":"m"}}`,
			want: provider.Error{Class: provider.ClassUnauthorized, Code: "40a001", Message: "m"},
		},
		"the text that is not Chinese is missing": {
			status: 451, body: `{"error":{"code":"451001","message":"","message_zh":"不"}}`,
			want: provider.Error{Class: provider.ClassModeration, Code: "451001", Message: "不"},
		},
		"the id is beside the error": {
			status: 500, body: `{"error":{"code":"500001","message":"m"},"request_id":"r2"}`,
			want: provider.Error{Class: provider.ClassServerError, Code: "500001", Message: "m", RequestID: "r2"},
		},
		"the id is in the header, and how long to wait": {
			status: 429, header: http.Header{"X-Request-Id": {"r3"}, "Retry-After": {"3"}},
			want: provider.Error{Class: provider.ClassRateLimited, Message: "Too Many Requests", RequestID: "r3", RetryAfter: 3 * time.Second},
		},
		"a wait of years ends the next day": {
			status: 503, header: http.Header{"Retry-After": {"4000000000"}},
			want: provider.Error{Class: provider.ClassOverloaded, Message: "Service Unavailable", RetryAfter: 24 * time.Hour},
		},
		"a long message is cut between characters": {
			status: 500, body: `{"error":{"code":"500001","message":"` + long + `"}}`,
			want: provider.Error{Class: provider.ClassServerError, Code: "500001", Message: long[:1023]},
		},
		"a code that is no word is cut": {
			status: 500, body: `{"error":{"code":"Bad\nthing","message":"no"}}`,
			want: provider.Error{Class: provider.ClassServerError, Code: "Bad", Message: "no"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.want.Status = tc.status
			_, err := readTask(&provider.Response{Status: tc.status, Header: tc.header, Body: []byte(tc.body)}, imageModel)
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
		307: provider.ClassBadResponse, 400: provider.ClassBadResponse, 401: provider.ClassUnauthorized, 402: provider.ClassNoBalance,
		403: provider.ClassForbidden, 404: provider.ClassBadResponse, 408: provider.ClassTimeout, 413: provider.ClassInvalidRequest,
		418: provider.ClassBadResponse, 429: provider.ClassRateLimited, 500: provider.ClassServerError, 502: provider.ClassServerError,
		503: provider.ClassOverloaded, 504: provider.ClassTimeout,
	} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			for _, body := range []string{"<html>page</html>", "", `{"id":"1","status":"queued"}`, `{"error":"no"}`} {
				_, err := readTask(answer(status, body), imageModel)
				want := &provider.Error{Class: class, Status: status, Message: http.StatusText(status)}
				if diff := cmp.Diff(want, errorOf(t, err)); diff != "" {
					t.Errorf("failure (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestReadNothing(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"neither a task nor an error": `{"request_id":"r1"}`,
		"members of another type":     `{"id":7,"status":7,"error":"no"}`,
		"nulls":                       `{"id":null,"status":null,"error":null}`,
		"empty texts":                 `{"id":"","status":""}`,
		"an id that is no word":       `{"id":"a b"}`,
		"too long an id":              `{"id":"` + strings.Repeat("1", 97) + `"}`,
		"broken JSON":                 `{"id":"1"`,
		"JSON with more behind it":    `{"id":"1","status":"queued"}{"id":"2"}`,
		"an array":                    `[]`,
		"a page":                      `<html></html>`,
		"nothing":                     ``,
		"white space":                 " \n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := answer(http.StatusOK, body)
			_, submit := readTask(r, imageModel)
			_, image := readImages(r, provider.Task{ID: "1"})
			_, video := readState(r)
			for reader, err := range map[string]error{"submit": submit, "images": image, "video": video} {
				if e := errorOf(t, err); e.Class != provider.ClassBadResponse || e.Status != http.StatusOK {
					t.Errorf("%s: %v, want an error of class bad_response", reader, e)
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
