package openai

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestError_writesTheEnvelopeAndTheHeadersThatSDKsObey(t *testing.T) {
	for name, tc := range map[string]struct {
		in         *Error
		wantStatus int
		wantBody   string
		wantHeader map[string]string
	}{
		"nothing empty is left out": {
			in: UnknownModel("gpt-4"), wantStatus: 404,
			wantBody:   `{"error":{"message":"Unknown model 'gpt-4'.","type":"model_not_found","param":"model","code":"unknown_model"}}`,
			wantHeader: map[string]string{"Retry-After": "", "X-Should-Retry": "", "Cache-Control": "no-store"},
		},
		"empty members are null": {
			in: &Error{Status: 500, Type: "t", Message: "m"}, wantStatus: 500, wantBody: `{"error":{"message":"m","type":"t","param":null,"code":null}}`,
		},
		"quotes and line ends": {
			in: &Error{Status: 400, Type: "t", Message: "a \"b\"\n世"}, wantStatus: 400,
			wantBody: `{"error":{"message":"a \"b\"\n世","type":"t","param":null,"code":null}}`,
		},
		"a pause is whole seconds, rounded up": {
			in: Unavailable("overloaded", "m", 1500*time.Millisecond), wantStatus: 503, wantHeader: map[string]string{"Retry-After": "2", "X-Should-Retry": ""},
		},
		"a long pause is what SDKs still obey": {in: Unavailable("c", "m", time.Hour), wantStatus: 503, wantHeader: map[string]string{"Retry-After": "60"}},
		"no pause means do not repeat": {
			in: Unavailable("soon", "m", 0), wantStatus: 503, wantHeader: map[string]string{"Retry-After": "", "X-Should-Retry": "false"},
		},
		"401 names the scheme": {in: InvalidKey(), wantStatus: 401, wantHeader: map[string]string{"Www-Authenticate": "Bearer"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			tc.in.Write(w)
			if w.Code != tc.wantStatus {
				t.Errorf("status %d, want %d", w.Code, tc.wantStatus)
			}
			if tc.wantBody != "" {
				if diff := cmp.Diff(tc.wantBody+"\n", w.Body.String()); diff != "" {
					t.Errorf("body (-want +got):\n%s", diff)
				}
			}
			for k, v := range tc.wantHeader {
				if got := w.Header().Get(k); got != v {
					t.Errorf("%s is %q, want %q", k, got, v)
				}
			}
		})
	}
}

func TestError_repeatsLittleOfWhatTheClientSent(t *testing.T) {
	for _, e := range []*Error{UnknownModel(strings.Repeat("世", 5000)), UnknownURL("GET", strings.Repeat("/x", 5000)), MethodNotAllowed(strings.Repeat("M", 5000), "GET")} {
		if len(e.Message) > 512 || !json.Valid(e.AppendJSON(nil)) {
			t.Errorf("%d bytes: %.80q", len(e.Message), e.Message)
		}
	}
}

func FuzzError_AppendJSON(f *testing.F) {
	f.Add("message", "code", "param")
	f.Add("\x00\xff\u2028", "\"", "\\")
	f.Fuzz(func(t *testing.T, message, code, param string) {
		body := (&Error{Message: message, Type: "t", Code: code, Param: param}).AppendJSON(nil)
		if !json.Valid(body) {
			t.Errorf("not JSON: %q", body)
		}
	})
}
