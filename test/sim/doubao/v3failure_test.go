package doubao_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

func TestV3_refusesInEveryFormByTurns(t *testing.T) {
	b := start(t, studio.Options{})
	b.FailAlways(studio.Concurrency)
	forms := map[string]bool{}
	for range 12 {
		got := b.post(pathV3, hello)
		code, message := got.problem()
		if code != 45000000 || message != "quota exceeded for types: concurrency" {
			t.Errorf("= %d %s", got.status, got.body)
		}
		form := http.StatusText(got.status)
		for _, path := range []string{"header.reqid", "reqid", "code"} {
			if got.get(path).Exists() {
				form += " " + path
			}
		}
		forms[form] = true
	}
	want := map[string]bool{}
	for _, status := range []string{"OK", "Too Many Requests"} {
		for _, form := range []string{" code", " reqid code", " header.reqid"} {
			want[status+form] = true
		}
	}
	if diff := cmp.Diff(want, forms); diff != "" {
		t.Errorf("forms (-want +got):\n%s", diff)
	}
	found := false
	for range 4 {
		got := b.post(pathSSE, hello)
		found = found || got.status == http.StatusOK && strings.HasPrefix(got.body, "event: 153\n")
		if code, _ := got.problem(); code != 45000000 {
			t.Errorf("by SSE %d %s", got.status, got.body)
		}
	}
	if !found {
		t.Error("no refusal came as an event")
	}
}

func TestV3_refusesAsTold(t *testing.T) {
	for mode, tc := range map[studio.Mode]struct {
		code int64
		says string
	}{
		studio.Unauthorized: {45000010, "Invalid X-Api-Key"}, studio.NoBalance: {45000000, "_lifetime"},
		studio.RateLimit: {45000000, "concurrency"}, studio.Overload: {55000000, ""}, studio.ServerError: {55000000, ""},
		studio.TaskFailed: {55000000, ""}, studio.Moderation: {45002001, ""}, studio.ModerationOutput: {45002001, ""},
		studio.NotOpen: {45000000, "access denied"}, "40402003": {40402003, "TTSExceededTextLimit"}, "45000001": {45000001, ""},
		"45002000": {45002000, "invalid speaker"}, "45000010": {45000010, ""},
	} {
		t.Run(string(mode), func(t *testing.T) {
			b := start(t, studio.Options{})
			got := b.post(pathV3, with(t, hello, "req_params.text", quote("Hello [[fail "+string(mode)+"]]")))
			if code, message := got.problem(); code != tc.code || message == "" || !strings.Contains(message, tc.says) {
				t.Errorf("= %d %s, want %d %q", got.status, got.body, tc.code, tc.says)
			}
			if e := b.last(); e.Mode != mode || e.Reason == "" || len(b.Charges()) != 0 {
				t.Errorf("entry %+v, charges %v", e, b.Charges())
			}
		})
	}
}

func TestV3_breaksOff(t *testing.T) {
	for _, path := range []string{pathV3, pathSSE} {
		for _, text := range []string{"Hello there", "x"} {
			b := start(t, studio.Options{})
			body := with(t, hello, "req_params.text", quote(text))
			b.FailNext(1, studio.Truncated)
			got := b.post(path, body)
			if got.status != http.StatusOK || got.err != nil || !strings.Contains(got.body, `"data":"`) || strings.Contains(got.body, "20000000") {
				t.Errorf("%s: truncated = %.300v", path, got)
			}
			if len(b.Charges()) != 1 {
				t.Errorf("%s: truncated, charges %v", path, b.Charges())
			}
			b.FailNext(1, studio.MidStream)
			got = b.post(path, body)
			if !strings.Contains(got.body, `"data":"`) || strings.Contains(got.body, "20000000") || !strings.Contains(got.body, `"code":55000000`) {
				t.Errorf("%s: mid_stream = %.300v", path, got)
			}
			if path == pathSSE && !strings.Contains(got.body, "event: 153\n") {
				t.Errorf("mid_stream = %.300v", got)
			}
			if len(b.Charges()) != 1 || b.last().Reason == "" {
				t.Errorf("%s: mid_stream, charges %v, entry %+v", path, b.Charges(), b.last())
			}
		}
	}
}

func TestV3_succeedsWithoutAudio(t *testing.T) {
	b := start(t, studio.Options{})
	b.FailAlways(studio.NoAudio)
	first, second := b.post(pathV3, hello), b.post(pathV3, hello)
	if all := values(t, first); len(all) != 1 || all[0].Get("code").Int() != 20000000 {
		t.Errorf("first = %s", first.body)
	}
	if second.status != http.StatusOK || second.body != "" || b.last().Status != http.StatusOK || len(b.Charges()) != 0 {
		t.Errorf("second = %+v, entry %+v", second, b.last())
	}
}

func TestV3_goesAstray(t *testing.T) {
	for mode, tc := range map[studio.Mode]struct {
		status, charges int
		err             bool
	}{
		studio.Lost: {0, 1, true}, studio.Drop: {0, 0, true}, studio.Stall: {0, 0, true}, studio.TaskStuck: {0, 0, true},
		studio.Malformed: {200, 0, false}, studio.HTML: {504, 0, false}, studio.Empty: {200, 0, false},
		studio.Redirect: {307, 0, false}, "no such mode": {501, 0, false},
	} {
		b := start(t, studio.Options{StallFor: 5 * time.Millisecond})
		b.FailNext(1, mode)
		got := b.post(pathV3, hello)
		if got.status != tc.status || (got.err != nil) != tc.err || len(b.Charges()) != tc.charges || gjson.Valid(got.body) {
			t.Errorf("%s = %.300v, charges %v", mode, got, b.Charges())
		}
	}
}

func TestV3_noticesWhoLeaves(t *testing.T) {
	b := start(t, studio.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url+pathV3,
		strings.NewReader(with(t, hello, "req_params.text", `"x [[bytes 200000000]]"`)))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"Content-Type": "application/json", "X-Api-Key": b.Key(), "X-Api-Resource-Id": "seed-tts-2.0",
		"X-Api-Request-Id": "01234567-89ab-cdef-0123-456789abcdef"} {
		req.Header.Set(name, value)
	}
	res, err := (&http.Client{}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(res.Body, make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	cancel()
	res.Body.Close()
	if e := b.last(); !e.ClientGone || len(b.Charges()) != 1 {
		t.Errorf("entry %+v, charges %v", e, b.Charges())
	}
}
