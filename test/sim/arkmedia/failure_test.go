package arkmedia

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

func video(prompt string) string {
	return fmt.Sprintf(`{"model":%q,"content":[{"type":"text","text":%q}],"duration":4}`, s20, prompt)
}

func TestFailures_refusedInTheVendorsWords(t *testing.T) {
	cases := map[studio.Mode]struct {
		status        int
		image, submit string // codes; "" for none
	}{
		studio.Unauthorized:                 {401, "AuthenticationError", "AuthenticationError"},
		studio.NoBalance:                    {403, "AccountOverdueError", "AccountOverdueError"},
		studio.RateLimit:                    {429, "ModelAccountIpmRateLimitExceeded", "ModelAccountRpmRateLimitExceeded"},
		studio.Concurrency:                  {429, "InflightBatchsizeExceeded", "InflightBatchsizeExceeded"},
		studio.Overload:                     {429, "ServerOverloaded", "ServerOverloaded"},
		studio.ServerError:                  {500, "InternalServiceError", "InternalServiceError"},
		studio.Moderation:                   {400, "InputTextSensitiveContentDetected", "InputTextSensitiveContentDetected"},
		studio.NotOpen:                      {404, "ModelNotOpen", "ModelNotOpen"},
		studio.ModerationOutput:             {400, "OutputImageSensitiveContentDetected", ""},
		studio.TaskFailed:                   {500, "InternalServiceError", ""},
		"setlimitexceeded":                  {429, "SetLimitExceeded", "SetLimitExceeded"},
		"invalidparameter.tasktypemismatch": {400, "InvalidParameter.TaskTypeMismatch", "InvalidParameter.TaskTypeMismatch"},
		"no such mode":                      {500, "InternalServiceError", "InternalServiceError"},
	}
	for mode, c := range cases {
		t.Run(string(mode), func(t *testing.T) {
			b := start(t)
			prompt := "a cat [[fail " + string(mode) + "]]"
			expectRefusal(t, b.images(ask(v45, prompt, "")), c.status, c.image, "")
			if c.submit != "" {
				expectRefusal(t, b.submit(video(prompt)), c.status, c.submit, "")
			}
			if c.submit != "" && (b.charged() != nil || b.sim.Orders() != nil || b.sim.Unfinished() != 0) {
				t.Errorf("a refusal had an effect: %v %v", b.charged(), b.sim.Orders())
			}
		})
	}
}

func TestFailures_everyDocumentedCodeCanBeAskedFor(t *testing.T) {
	b := start(t)
	for status, codes := range documented() {
		for code := range strings.FieldsSeq(codes) {
			expectRefusal(t, b.images(ask(v45, "x [[fail "+strings.ToLower(code)+"]]", "")), status, code, "")
		}
	}
}

func TestFailures_ofTheConnection(t *testing.T) {
	cases := map[studio.Mode]struct {
		status int // 0 for a broken connection
		body   string
	}{
		studio.Drop: {}, studio.Stall: {}, studio.TaskStuck: {},
		studio.Malformed: {200, `{"data":[{"url":"https://`},
		studio.HTML:      {504, "<html>"},
		studio.Empty:     {200, ""},
		studio.Redirect:  {307, ""},
	}
	for mode, c := range cases {
		t.Run(string(mode), func(t *testing.T) {
			b := start(t)
			b.sim.FailNext(1, mode)
			got := b.images(ask(v45, "x", ""))
			if got.status != c.status || (got.err != nil) != (c.status == 0) || !strings.HasPrefix(got.body, c.body) {
				t.Errorf("got %d %q %v", got.status, got.body, got.err)
			}
			if b.charged() != nil {
				t.Errorf("charges = %v", b.charged())
			}
		})
	}
}

func TestFailures_afterTheWorkIsBilled(t *testing.T) {
	const set = `,"sequential_image_generation":"auto","sequential_image_generation_options":{"max_images":3}`
	cases := map[string]struct {
		mode   studio.Mode
		more   string
		broken bool
		body   []string // what the answer holds, in order
		lacks  string
		images int
	}{
		"a lost answer":   {studio.Lost, set, true, nil, "data", 3},
		"a lost stream":   {studio.Lost, set + `,"stream":true`, true, nil, "data", 3},
		"a cut answer":    {studio.Truncated, set, true, []string{`{"created":`}, "usage", 3},
		"a broken answer": {studio.MidStream, set, true, []string{`{"created":`}, "usage", 3},
		"a cut stream":    {studio.Truncated, set + `,"stream":true`, false, []string{"succeeded", "succeeded", "succeeded"}, "completed", 3},
		"a broken stream": {studio.MidStream, set + `,"stream":true`, true, []string{"succeeded"}, `"image_index":1`, 3},
		"one refused": {studio.PartialOutput, set, false, []string{`"url"`, `"url"`,
			`{"error":{"code":"OutputImageSensitiveContentDetected"`, `"generated_images":2`}, "", 2},
		"one refused, streamed": {studio.PartialOutput, set + `,"stream":true`, false, []string{"partial_succeeded", "partial_succeeded",
			"partial_failed", `"OutputImageSensitiveContentDetected"`, `"image_index":2`, `"generated_images":2`, "[DONE]"}, "", 2},
		"the only one refused": {studio.PartialOutput, "", false, []string{`"data":[{"error":`, `"generated_images":0`}, `"url"`, 0},
		"stopped":              {PartialStopped, set, false, []string{`"url"`, `InternalServiceError`, `"generated_images":1`}, "", 1},
		"nothing made":         {studio.NoAudio, set, false, []string{`"data":[]`, `"generated_images":3`}, `"url"`, 3},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			got := b.images(ask(v45, "x [[fail "+string(c.mode)+"]]", c.more))
			if (got.err != nil) != c.broken {
				t.Errorf("connection: %v", got.err)
			}
			rest := got.body
			for _, part := range c.body {
				_, after, found := strings.Cut(rest, part)
				if !found {
					t.Fatalf("%q is missing in %s", part, got.body)
				}
				rest = after
			}
			if c.lacks != "" && strings.Contains(got.body, c.lacks) {
				t.Errorf("%q should not be in %s", c.lacks, got.body)
			}
			var want []string
			if c.images > 0 {
				want = []string{fmt.Sprint("image ", v45, " ", c.images)}
			}
			if diff := cmp.Diff(want, b.charged()); diff != "" {
				t.Errorf("charges (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFailures_slowImagesComeLate(t *testing.T) {
	b := startWith(t, studio.Options{Step: time.Millisecond})
	begun := time.Now()
	if got := b.images(ask(v45, "x [[fail task_slow]]", "")); got.status != 200 || time.Since(begun) < 100*time.Millisecond {
		t.Errorf("got %d after %v", got.status, time.Since(begun))
	}
}

func TestFailures_ofTasks(t *testing.T) {
	cases := map[string]string{
		"task_failed": "InternalServiceError", "moderation_output": "OutputVideoSensitiveContentDetected",
		"outputaudiosensitivecontentdetected":    "OutputAudioSensitiveContentDetected",
		"task invalidparameter.tasktypemismatch": "InvalidParameter.TaskTypeMismatch",
	}
	for mode, code := range cases {
		t.Run(mode, func(t *testing.T) {
			b := start(t)
			id := b.task(video("x [[fail " + mode + "]]"))
			b.pass(3 * step)
			got := b.poll(id)
			if got.status != 200 || got.get("status").Str != "failed" || got.get("error.code").Str != code ||
				got.get("error.message").Str == "" || got.get("content").Raw != "{}" || got.get("usage").Exists() {
				t.Errorf("got %d %s", got.status, got.body)
			}
			if b.charged() != nil {
				t.Errorf("charges = %v", b.charged())
			}
			b.sim.Alternate = true
			if got := b.poll(id); got.get("error.code").Str != code || got.get("error.message").Exists() || got.get("content").Exists() {
				t.Errorf("the other reading: %s", got.body)
			}
		})
	}
}

func TestFailures_ofSubmitsAndPolls(t *testing.T) {
	b := start(t)
	for _, mode := range []studio.Mode{studio.Lost, studio.Truncated} {
		if got := b.submit(video("x [[fail " + string(mode) + "]]")); got.err == nil {
			t.Errorf("%s: got %d %s", mode, got.status, got.body)
		}
	}
	empty := b.task(video("x [[fail no_audio]]"))
	b.pass(3 * step)
	if diff := cmp.Diff(3, len(b.charged())); diff != "" {
		t.Errorf("charges (-want +got):\n%s", diff)
	}
	if got := b.poll(empty); got.get("status").Str != "succeeded" || got.get("content").Raw != "{}" {
		t.Errorf("got %s", got.body)
	}
	b.sim.FailNext(1, studio.RateLimit)
	expectRefusal(t, b.poll(empty), 429, "ModelAccountRpmRateLimitExceeded", "")
	b.sim.FailNext(1, studio.ServerError)
	expectRefusal(t, b.send(http.MethodGet, TasksPath, ""), 500, "InternalServiceError", "")
	b.sim.FailNext(1, studio.Lost)
	if got := b.send(http.MethodDelete, TasksPath+"/"+empty, ""); got.err == nil {
		t.Errorf("got %d %s", got.status, got.body)
	}
	expectRefusal(t, b.poll(empty), 404, "ResourceNotFound", "id")
}

func TestFailures_slowAndStuckTasks(t *testing.T) {
	b := start(t)
	slow, stuck := b.task(video("x [[fail task_slow]]")), b.task(video("x [[fail task_stuck]]"))
	for _, c := range []struct {
		after       int // steps more
		slow, stuck string
	}{{2, "queued", "running"}, {50, "running", "running"}, {50, "succeeded", "running"}} {
		b.pass(time.Duration(c.after) * step)
		if a, z := b.poll(slow).get("status").Str, b.poll(stuck).get("status").Str; a != c.slow || z != c.stuck {
			t.Errorf("after %d more steps: %s and %s, want %s and %s", c.after, a, z, c.slow, c.stuck)
		}
	}
}
