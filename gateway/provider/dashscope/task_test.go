package dashscope

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/gateway/provider"
)

func TestReadTaskID(t *testing.T) {
	t.Parallel()
	const id = "0385dc79-5ff8-4d82-bcb6-0123456789ab"
	got, err := readTaskID(answer(http.StatusOK, `{"output":{"task_id":"`+id+`","task_status":"PENDING"},"request_id":"r"}`))
	if err != nil || got != id {
		t.Errorf("readTaskID() = %q, %v; want %s", got, err, id)
	}
	for _, body := range []string{
		`{"code":"Arrearage","message":"No."}`, `{"output":{"task_status":"FAILED","code":"Arrearage","message":"No."}}`,
	} {
		_, err := readTaskID(answer(http.StatusOK, body))
		want := &provider.Error{Class: provider.ClassNoBalance, Status: http.StatusOK, Code: "Arrearage", Message: "No."}
		if diff := cmp.Diff(want, errorOf(t, err)); diff != "" {
			t.Errorf("%s: error (-want +got):\n%s", body, diff)
		}
	}
	for _, id := range []string{"", "a b", "ü", strings.Repeat("a", maxWord+1)} {
		if got, err := readTaskID(answer(http.StatusOK, `{"output":{"task_id":"`+id+`"}}`)); errorOf(t, err).Code != "no_task_id" {
			t.Errorf("readTaskID() of %q = %q, %v; want none", id, got, err)
		}
	}
}

func TestNumber(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]float64{
		`5`: 5, `5.04`: 5.04, `"5"`: 5, `"5.0"`: 5, `0`: 0, `2147483647`: 2147483647,
		`-1`: -1, `"x"`: -1, `""`: -1, `null`: -1, `true`: -1, `[5]`: -1, `{}`: -1, `"NaN"`: -1, `"Inf"`: -1, `1e300`: -1, `2147483648`: -1,
	} {
		got, ok := number(gjson.Parse(raw))
		if ok != (want >= 0) || ok && got != want || !ok && got != 0 {
			t.Errorf("number(%s) = %v, %v; want %v", raw, got, ok, want)
		}
	}
}
