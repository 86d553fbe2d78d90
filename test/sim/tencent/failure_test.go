package tencent

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// failing is a prompt that asks for a failure.
func failing(mode string) string { return `{"Prompt":"a [[fail ` + mode + `]]"}` }

func TestSimulator_refusesWithTheVendorsCodes(t *testing.T) {
	for mode, want := range map[string][2]string{ // of images, of videos
		"unauthorized":                           {"AuthFailure.SecretIdNotFound", "AuthFailure"},
		"no_balance":                             {"ResourceUnavailable.InArrears", "ResourcesSoldOut.ChargeStatusException"},
		"rate_limit":                             {"RequestLimitExceeded", "RequestLimitExceeded"},
		"concurrency":                            {tooManyJobs, tooManyJobs},
		"overload":                               {"FailedOperation.ServerError", "FailedOperation.DriverFailed"},
		"server_error":                           {"InternalError", "InternalError"},
		"moderation":                             {"OperationDenied.TextIllegalDetected", "FailedOperation.ModerationFailed"},
		"not_open":                               {"ResourceUnavailable.NotExist", "ResourceUnavailable.NotExist"},
		"resourcessoldout.chargestatusexception": {"ResourcesSoldOut.ChargeStatusException", "ResourcesSoldOut.ChargeStatusException"},
	} {
		t.Run(mode, func(t *testing.T) {
			b := start(t)
			for _, got := range []reply{b.ask(imageOrder(job, failing(mode))), b.ask(imageOrder(lite, failing(mode)))} {
				if got.status != http.StatusOK || got.code() != want[0] {
					t.Errorf("an image: %+v, want %s", got, want[0])
				}
			}
			if got := b.ask(videoOrder(video, failing(mode))); got.status != http.StatusOK || got.code() != want[1] {
				t.Errorf("a video: %+v, want %s", got, want[1])
			}
			if e := b.last(); string(e.Mode) != mode || len(b.sim.Charges()) != 0 || b.sim.Unfinished() != 0 {
				t.Errorf("the ledger has %+v", e)
			}
		})
	}
}

func TestSimulator_playsEveryDocumentedCode(t *testing.T) {
	b := start(t)
	for name, p := range b.sim.products {
		for _, code := range p.codes {
			b.sim.FailNext(1, studio.Mode(code))
			o := imageOrder(job, prompt(""))
			if name == "vclm" {
				o = videoOrder(video, prompt(""))
			}
			if got := b.ask(o); got.code() != code {
				t.Errorf("%s %s = %+v", name, code, got)
			}
		}
	}
}

func TestSimulator_playsFailuresOfTheWay(t *testing.T) {
	for mode, want := range map[studio.Mode]int{
		studio.Malformed: 200, studio.Truncated: 200, studio.MidStream: 200, studio.Empty: 200, studio.HTML: 504, studio.Redirect: 307,
		studio.Drop: 0, studio.Stall: 0, "no_such_mode": 500, "task_failed no.such.code": 500,
	} {
		t.Run(string(mode), func(t *testing.T) {
			b := start(t)
			for _, o := range []order{imageOrder(job, failing(string(mode))), imageOrder(lite, failing(string(mode)))} {
				got := b.ask(o)
				if got.status != want || (got.err != nil) != (want == 0) || got.at("JobId").Exists() {
					t.Errorf("= %+v, want %d", got, want)
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
	for _, o := range []order{imageOrder(job, failing("lost")), imageOrder(lite, failing("lost")), videoOrder(video, failing("lost"))} {
		if got := b.ask(o); got.err == nil {
			t.Errorf("%s answered %+v", o.action, got)
		}
		if e := b.last(); e.Status != 0 || e.Mode != studio.Lost {
			t.Errorf("the ledger has %+v", e)
		}
	}
	b.advance(2 * step)
	if charges := b.sim.Charges(); len(charges) != 3 {
		t.Errorf("charges = %+v", charges)
	}
}

func TestSimulator_failsJobs(t *testing.T) {
	for mode, want := range map[string][2]string{ // of images, of videos
		"task_failed":       {"FailedOperation.InnerError", "FailedOperation.InnerError"},
		"moderation_output": {"FailedOperation.GenerateImageFailed", "FailedOperation.ModerationFailed"},
		"task_failed failedoperation.servererror": {"FailedOperation.ServerError", "FailedOperation.ServerError"},
	} {
		t.Run(mode, func(t *testing.T) {
			b := start(t)
			image, clip := b.submit(imageOrder(job, failing(mode))), b.submit(videoOrder(video, failing(mode)))
			b.advance(step)
			if b.image(image).at("JobStatusCode").Str != "2" || b.video(clip).at("Status").Str != "RUN" {
				t.Error("the jobs do not run before they fail")
			}
			b.advance(step)
			got := b.image(image)
			if got.code() != "" || got.at("JobStatusCode").Str != "4" || got.at("JobErrorCode").Str != want[0] || got.at("ResultImage.0").Exists() {
				t.Errorf("an image: %+v, want %s", got, want[0])
			}
			got = b.video(clip)
			if got.code() != "" || got.at("Status").Str != "FAIL" || got.at("ErrorCode").Str != want[1] || got.at("ResultVideoUrl").Str != "" {
				t.Errorf("a video: %+v, want %s", got, want[1])
			}
			if got = b.ask(imageOrder(lite, failing(mode))); got.code() != want[0] {
				t.Errorf("at once: %+v, want %s", got, want[0])
			}
			if charges := b.sim.Charges(); len(charges) != 0 {
				t.Errorf("charges = %+v", charges)
			}
		})
	}
}

func TestSimulator_succeedsWithoutContent(t *testing.T) {
	for mode, details := range map[string]string{"no_audio": "[]", "partial": `["Failed"]`} {
		b := start(t)
		image, clip := b.submit(imageOrder(job, failing(mode))), b.submit(videoOrder(video, failing(mode)))
		b.advance(2 * step)
		got := b.image(image)
		if got.at("JobStatusCode").Str != "5" || got.at("ResultImage").Raw != "[]" || got.at("ResultDetails").Raw != details {
			t.Errorf("%s: an image: %+v", mode, got)
		}
		if got = b.video(clip); got.at("Status").Str != "DONE" || got.at("ResultVideoUrl").Str != "" {
			t.Errorf("%s: a video: %+v", mode, got)
		}
		if got = b.ask(imageOrder(lite, failing(mode))); got.code() != "" || got.at("ResultImage").Raw != `""` {
			t.Errorf("%s: at once: %+v", mode, got)
		}
	}
}

func TestSimulator_isSlowOrStuck(t *testing.T) {
	b := start(t)
	b.sim.SetRules(Rules{Jobs: 2})
	slow, stuck := b.submit(imageOrder(job, failing("task_slow"))), b.submit(imageOrder(job, failing("task_stuck")))
	clip := b.submit(videoOrder(video, failing("task_stuck")))
	for _, at := range []struct {
		steps       int
		slow, stuck string
	}{{0, "1", "1"}, {49, "1", "2"}, {1, "2", "2"}, {49, "2", "2"}, {1, "5", "2"}, {100000, "5", "2"}} {
		b.advance(time.Duration(at.steps) * step)
		if got := b.image(slow).at("JobStatusCode").Str; got != at.slow {
			t.Errorf("slow after %d more steps = %s, want %s", at.steps, got, at.slow)
		}
		if got := b.image(stuck).at("JobStatusCode").Str; got != at.stuck {
			t.Errorf("stuck after %d more steps = %s, want %s", at.steps, got, at.stuck)
		}
	}
	if got := b.video(clip).at("Status").Str; got != "RUN" {
		t.Errorf("the video = %s", got)
	}
	if got := b.ask(imageOrder(lite, failing("task_stuck"))); got.err == nil {
		t.Errorf("at once = %+v", got)
	}
	if got := b.ask(imageOrder(lite, failing("task_slow"))); got.at("ResultImage").Str == "" {
		t.Errorf("slow at once = %.200s", got.body)
	}
}

func TestSimulator_failsQueries(t *testing.T) {
	b := start(t)
	id := b.submit(imageOrder(job, prompt("")))
	b.sim.FailNext(1, studio.RateLimit)
	if got := b.image(id); got.code() != "RequestLimitExceeded" {
		t.Errorf("limited: %+v", got)
	}
	b.sim.FailNext(1, studio.Lost)
	if got := b.image(id); got.err == nil {
		t.Errorf("lost: %+v", got)
	}
	b.sim.FailNext(1, studio.TaskFailed) // says nothing to a job that is under way
	if got := b.image(id); got.at("JobStatusCode").Str != "1" {
		t.Errorf("the job: %+v", got)
	}
	if e := b.last(); e.Leak || !strings.HasPrefix(e.Header.Get("Authorization"), "sha256:") || e.Model != "QueryTextToImageJob" {
		t.Errorf("the ledger has %+v", e)
	}
}
