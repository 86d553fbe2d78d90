package dashscope

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// failing is a prompt that fails so.
func failing(mode studio.Mode) string { return "x [[fail " + string(mode) + "]]" }

func TestFailures_refusedInTheVendorsWords(t *testing.T) {
	cases := map[studio.Mode]struct {
		status        int
		image, submit string // codes; "" for a task that is taken
	}{
		studio.Unauthorized:     {401, "InvalidApiKey", "InvalidApiKey"},
		studio.NoBalance:        {400, "Arrearage", "Arrearage"},
		studio.RateLimit:        {429, "Throttling.RateQuota", "Throttling.RateQuota"},
		studio.Concurrency:      {429, "Throttling", "Throttling"},
		studio.Overload:         {429, "Throttling.AllocationQuota", "Throttling.AllocationQuota"},
		studio.ServerError:      {500, "InternalError", "InternalError"},
		studio.Moderation:       {400, "DataInspectionFailed", "DataInspectionFailed"},
		studio.NotOpen:          {403, "AccessDenied.Unpurchased", "AccessDenied.Unpurchased"},
		studio.ModerationOutput: {400, "DataInspectionFailed", ""},
		studio.TaskFailed:       {500, "InternalError.Algo", ""},
		"no such mode":          {500, "InternalError", "InternalError"},
	}
	for mode, c := range cases {
		t.Run(string(mode), func(t *testing.T) {
			b := start(t)
			expectRefusal(t, b.images(ask(v27, failing(mode), "")), c.status, c.image, "")
			if c.submit == "" {
				return
			}
			expectRefusal(t, b.submit(ImagesPath, ask(v27, failing(mode), "")), c.status, c.submit, "")
			expectRefusal(t, b.submit(VideosPath, film(t2v, failing(mode), "", "")), c.status, c.submit, "")
			if b.charged() != nil || b.sim.Orders() != nil || b.sim.Unfinished() != 0 {
				t.Errorf("a refusal had an effect: %v %v", b.charged(), b.sim.Orders())
			}
		})
	}
}

func TestFailures_everyDocumentedCodeCanBeAskedFor(t *testing.T) {
	b := start(t)
	for status, codes := range documented() {
		for code := range strings.FieldsSeq(codes) {
			expectRefusal(t, b.images(ask(v27, failing(studio.Mode(strings.ToLower(code))), "")), status, code, "")
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
			got := b.images(ask(v27, "x", ""))
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
	cases := map[studio.Mode]struct {
		broken bool
		holds  string
		urls   int
		billed int
	}{
		studio.Lost:          {true, "", 0, 3},
		studio.Truncated:     {true, `{"output":`, 2, 3},
		studio.MidStream:     {true, `{"output":`, 2, 3},
		studio.PartialOutput: {false, `"image_count":2`, 2, 2},
		studio.NoAudio:       {false, `"image_count":3`, 0, 3},
	}
	for mode, c := range cases {
		t.Run(string(mode), func(t *testing.T) {
			b := start(t)
			got := b.images(ask(v27, failing(mode), `"n":3`))
			if urls := strings.Count(got.body, "http://"); (got.err != nil) != c.broken || !strings.Contains(got.body, c.holds) || urls != c.urls {
				t.Errorf("got %d %s %v", got.status, got.body, got.err)
			}
			if diff := cmp.Diff([]string{fmt.Sprint("image wan2.7-image ", c.billed)}, b.charged()); diff != "" {
				t.Errorf("charges (-want +got):\n%s", diff)
			}
		})
	}
	b := start(t)
	expectRefusal(t, b.images(ask(v27, failing(studio.PartialOutput), `"n":1`)), 400, "DataInspectionFailed", "")
	if b.charged() != nil {
		t.Errorf("charges = %v", b.charged())
	}
}

func TestFailures_slowImagesComeLate(t *testing.T) {
	b := startWith(t, studio.Options{Step: time.Millisecond})
	begun := time.Now()
	if got := b.images(ask(v27, "x [[fail task_slow]]", "")); got.status != 200 || time.Since(begun) < 100*time.Millisecond {
		t.Errorf("got %d after %v", got.status, time.Since(begun))
	}
}

func TestFailures_ofTasks(t *testing.T) {
	cases := map[string]struct{ path, body, code, alternate string }{
		"a video": {VideosPath, film(t2v, failing(studio.TaskFailed), "", ""), "InternalError.Algo", "InternalError.Algo"},
		"a video, inspected": {VideosPath, film(t2v, failing(studio.ModerationOutput), "", ""), "DataInspectionFailed",
			"data_inspection_failed"},
		"images, with a code": {ImagesPath, ask(v27, failing("task invalidurl"), ""), "InvalidURL", "InvalidURL"},
		"the only image refused": {ImagesPath, ask(v27, failing(studio.PartialOutput), `"n":1`), "DataInspectionFailed",
			"data_inspection_failed"},
		"the older form": {SynthesisPath, synthesis(v22, failing(studio.PartialOutput), `"n":1`), "DataInspectionFailed",
			"data_inspection_failed"},
	}
	for name, c := range cases {
		for _, alternate := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " ", alternate), func(t *testing.T) {
				b := start(t)
				b.sim.Alternate = alternate
				id := b.task(c.path, c.body)
				b.pass(2 * step)
				got := b.poll(id)
				code := c.code
				if alternate {
					code = c.alternate
				}
				if got.status != 200 || got.get("output.task_status").Str != "FAILED" || got.get("output.code").Str != code ||
					got.get("output.message").Exists() == alternate || got.get("usage").Exists() {
					t.Errorf("got %d %s", got.status, got.body)
				}
				if b.charged() != nil {
					t.Errorf("charges = %v", b.charged())
				}
			})
		}
	}
}

func TestFailures_ofSubmitsAndPolls(t *testing.T) {
	b := start(t)
	for _, mode := range []studio.Mode{studio.Lost, studio.Truncated} {
		if got := b.submit(VideosPath, film(t2v, failing(mode), "", "")); got.err == nil {
			t.Errorf("%s: got %d %s", mode, got.status, got.body)
		}
	}
	partial := b.task(ImagesPath, ask(v27, failing(studio.PartialOutput), ""))
	empty := b.task(VideosPath, film(t2v, failing(studio.NoAudio), "", ""))
	b.pass(2 * step)
	if got := b.poll(partial); got.get("output.choices.#").Int() != 3 || got.get("usage.image_count").Int() != 3 {
		t.Errorf("got %s", got.body)
	}
	if got := b.poll(empty); got.get("output.task_status").Str != "SUCCEEDED" || got.get("output.video_url").Exists() {
		t.Errorf("got %s", got.body)
	}
	want := []string{"video wan2.7-t2v 5", "video wan2.7-t2v 5", "image wan2.7-image 3", "video wan2.7-t2v 5"}
	if diff := cmp.Diff(want, b.charged()); diff != "" {
		t.Errorf("charges (-want +got):\n%s", diff)
	}
	b.sim.FailNext(1, studio.RateLimit)
	expectRefusal(t, b.poll(empty), 429, "Throttling.RateQuota", "")
	b.sim.FailNext(1, studio.Lost)
	if got := b.poll(empty); got.err == nil {
		t.Errorf("got %d %s", got.status, got.body)
	}
	queued := b.task(VideosPath, film(t2v, "x", "", ""))
	b.sim.FailNext(1, studio.ServerError)
	expectRefusal(t, b.send("POST", TasksPath+queued+"/cancel", ""), 500, "InternalError", "")
	b.sim.FailNext(1, studio.Lost)
	if got := b.send("POST", TasksPath+queued+"/cancel", ""); got.err == nil {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if got := b.poll(queued); got.get("output.task_status").Str != "CANCELED" {
		t.Errorf("got %s", got.body)
	}
}

func TestFailures_slowAndStuckTasks(t *testing.T) {
	b := start(t)
	slow, stuck := b.task(VideosPath, film(t2v, failing(studio.TaskSlow), "", "")),
		b.task(VideosPath, film(t2v, failing(studio.TaskStuck), "", ""))
	for _, c := range []struct {
		after       int // steps more
		slow, stuck string
	}{{2, "PENDING", "RUNNING"}, {50, "RUNNING", "RUNNING"}, {50, "SUCCEEDED", "RUNNING"}} {
		b.pass(time.Duration(c.after) * step)
		if a, z := b.poll(slow).get("output.task_status").Str, b.poll(stuck).get("output.task_status").Str; a != c.slow || z != c.stuck {
			t.Errorf("after %d more steps: %s and %s, want %s and %s", c.after, a, z, c.slow, c.stuck)
		}
	}
}
