package tokenhubmedia

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// failing is a prompt that asks for a failure.
func failing(mode string) string { return "a [[fail " + mode + "]]" }

func TestSimulator_refusesWithTheVendorsCodes(t *testing.T) {
	for mode, want := range map[string]struct {
		status             int
		code, kind, source string
	}{
		"unauthorized": {401, "401002", "authentication_error", "client"},
		"no_balance":   {402, "401007", "permission_error", "client"},
		"403004":       {402, "403004", "permission_error", "client"},
		"rate_limit":   {429, "429001", "rate_limit_error", "gateway"},
		"concurrency":  {429, "429002", "rate_limit_error", "gateway"},
		"overload":     {503, "503001", "upstream_error", "upstream"},
		"server_error": {502, "502001", "upstream_error", "upstream"},
		"500001":       {500, "500001", "internal_error", "gateway"},
		"moderation":   {451, "451001", "content_filter_error", "client"},
		"not_open":     {403, "403001", "permission_error", "client"},
	} {
		t.Run(mode, func(t *testing.T) {
			b := start(t)
			for _, path := range []string{submit, lite, wand, clipSubmit} {
				got := b.ask(path, body(path, failing(mode), ""))
				if got.status != want.status || got.code() != want.code ||
					got.at("error.type").Str != want.kind || got.at("error.source").Str != want.source {
					t.Errorf("%s = %+v, want %+v", path, got, want)
				}
				if got.at("error.upstream_status").Exists() != (want.source == "upstream") {
					t.Errorf("%s = %+v", path, got)
				}
			}
			if e := b.last(); string(e.Mode) != mode || len(b.sim.Charges()) != 0 || b.sim.Unfinished() != 0 {
				t.Errorf("the ledger has %+v", e)
			}
		})
	}
}

func TestSimulator_playsEveryDocumentedCode(t *testing.T) {
	b := start(t)
	if n := len(codes()); n != 30 {
		t.Errorf("there are %d codes", n)
	}
	for _, code := range codes() {
		b.sim.FailNext(1, studio.Mode(code))
		got := b.ask(submit, body(submit, "a", ""))
		paid := got.status == http.StatusPaymentRequired && slices.Contains([]string{"401007", "401008", "403004"}, code)
		if got.code() != code || !paid && fmt.Sprint(got.status) != code[:3] {
			t.Errorf("%s = %+v", code, got)
		}
	}
}

func TestSimulator_playsFailuresOfTheWay(t *testing.T) {
	for mode, want := range map[studio.Mode]int{
		studio.Malformed: 200, studio.Truncated: 200, studio.MidStream: 200, studio.Empty: 200, studio.HTML: 504, studio.Redirect: 307,
		studio.Drop: 0, studio.Stall: 0, "no_such_mode": 500, "task_failed 999999": 500,
	} {
		t.Run(string(mode), func(t *testing.T) {
			b := start(t)
			for _, path := range []string{submit, lite, wand, clipSubmit} {
				got := b.ask(path, body(path, failing(string(mode)), ""))
				if got.status != want || (got.err != nil) != (want == 0) || got.at("id").Exists() || got.code() != "" {
					t.Errorf("%s = %+v, want %d", path, got, want)
				}
			}
			if b.sim.Unfinished() != 0 || len(b.sim.Charges()) != 0 {
				t.Error("work was done")
			}
		})
	}
}

func TestSimulator_losesAnswersAfterTheWork(t *testing.T) {
	b := start(t)
	for _, path := range []string{submit, lite, wand, clipSubmit} {
		if got := b.ask(path, body(path, failing("lost"), "")); got.err == nil {
			t.Errorf("%s answered %+v", path, got)
		}
		if e := b.last(); e.Status != 0 || e.Mode != studio.Lost {
			t.Errorf("the ledger has %+v", e)
		}
	}
	b.advance(2 * step)
	if charges := b.sim.Charges(); len(charges) != 4 {
		t.Errorf("charges = %+v", charges)
	}
}

func TestSimulator_failsTasks(t *testing.T) {
	for mode, code := range map[string]string{"task_failed": "500001", "moderation_output": "451001", "task_failed 504001": "504001"} {
		t.Run(mode, func(t *testing.T) {
			b := start(t)
			image, clip := b.task(submit, failing(mode), ""), b.task(clipSubmit, failing(mode), "")
			b.advance(step)
			if b.image(image).at("status").Str != "in_progress" || b.clip(clip).at("status").Str != "in_progress" {
				t.Error("the tasks do not run before they fail")
			}
			b.advance(step)
			for _, got := range []reply{b.image(image), b.clip(clip)} {
				if got.status != http.StatusOK || got.at("status").Str != "failed" || got.code() != code || got.at("error.message").Str == "" ||
					got.at("data").Exists() || got.at("usage").Exists() || !got.at("completed_at").Exists() {
					t.Errorf("= %+v, want %s", got, code)
				}
			}
			if got := b.ask(lite, body(lite, failing(mode), "")); got.code() != code || fmt.Sprint(got.status) != code[:3] {
				t.Errorf("at once: %+v, want %s", got, code)
			}
			if charges := b.sim.Charges(); len(charges) != 0 {
				t.Errorf("charges = %+v", charges)
			}
		})
	}
}

func TestSimulator_succeedsWithoutContent(t *testing.T) {
	for _, mode := range []string{"no_audio", "partial"} {
		b := start(t)
		image, clip := b.task(submit, failing(mode), ""), b.task(clipSubmit, failing(mode), "")
		b.advance(2 * step)
		if got := b.image(image); got.at("status").Str != "completed" || got.at("data").Raw != "[]" {
			t.Errorf("%s: an image: %+v", mode, got)
		}
		if got := b.clip(clip); got.at("status").Str != "completed" || got.at("data").Raw != "{}" {
			t.Errorf("%s: a video: %+v", mode, got)
		}
		if got := b.ask(wand, body(wand, failing(mode), "")); got.status != http.StatusOK || got.at("data").Raw != "[]" {
			t.Errorf("%s: at once: %+v", mode, got)
		}
	}
}

func TestSimulator_isSlowOrStuck(t *testing.T) {
	b := start(t)
	slow, stuck := b.task(submit, failing("task_slow"), ""), b.task(clipSubmit, failing("task_stuck"), "")
	for _, at := range []struct {
		steps       int
		slow, stuck string
	}{{0, "pending", "queued"}, {49, "pending", "in_progress"}, {1, "in_progress", "in_progress"}, {50, "completed", "in_progress"}} {
		b.advance(time.Duration(at.steps) * step)
		if got := b.image(slow).at("status").Str; got != at.slow {
			t.Errorf("slow after %d more steps = %s, want %s", at.steps, got, at.slow)
		}
		if got := b.clip(stuck).at("status").Str; got != at.stuck {
			t.Errorf("stuck after %d more steps = %s, want %s", at.steps, got, at.stuck)
		}
	}
	if got := b.ask(wand, body(wand, failing("task_stuck"), "")); got.err == nil {
		t.Errorf("at once = %+v", got)
	}
	if got := b.ask(lite, body(lite, failing("task_slow"), "")); got.at("data.0.url").Str == "" {
		t.Errorf("slow at once = %+v", got)
	}
}

func TestSimulator_failsQueries(t *testing.T) {
	b := start(t)
	id := b.task(clipSubmit, "a", "")
	b.sim.FailNext(1, studio.RateLimit)
	if got := b.clip(id); got.status != http.StatusTooManyRequests {
		t.Errorf("limited: %+v", got)
	}
	b.sim.FailNext(1, studio.Lost)
	if got := b.clip(id); got.err == nil {
		t.Errorf("lost: %+v", got)
	}
	b.sim.FailNext(1, studio.TaskFailed) // says nothing to a task that is under way
	if got := b.clip(id); got.at("status").Str != "queued" {
		t.Errorf("the task: %+v", got)
	}
	if e := b.last(); e.Leak || !strings.HasPrefix(e.Header.Get("Authorization"), "sha256:") || e.Model != "hy-video-1.5" {
		t.Errorf("the ledger has %+v", e)
	}
}
