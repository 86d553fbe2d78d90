package vidu

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// ask submits a prompt.
func (b *bench) ask(prompt string) reply {
	b.t.Helper()
	return b.post("/ent/v2/text2video", `{"model":"viduq3-pro","prompt":"`+prompt+`"}`)
}

func TestFailures_refusals(t *testing.T) {
	b := start(t)
	for mode, want := range map[string]string{
		"unauthorized": "401 Unauthorized", "no_balance": "400 CreditInsufficient", "rate_limit": "429 TooManyRequests",
		"concurrency": "429 QuotaExceeded", "overload": "429 SystemThrottling", "server_error": "500 InternalServiceFailure",
		"moderation": "400 TaskPromptPolicyViolation", "not_open": "400 ModelUnavailable",
		"reason auditsubmitillegal": "400 AuditSubmitIllegal", "reason imagedownloadfailure": "400 ImageDownloadFailure",
		"reason operationinprocess": "400 OperationInProcess", "reason forbidden": "403 Forbidden", "reason conflict": "409 Conflict",
		"reason canceled": "499 Canceled",
	} {
		status, reason, _ := strings.Cut(want, " ")
		n, err := strconv.Atoi(status)
		if err != nil {
			t.Fatalf("reading %q: %v", want, err)
		}
		b.wantRefusal(b.ask("[[fail "+mode+"]]"), n, reason, "")
		if e := b.last(); string(e.Mode) != mode || e.Model != "viduq3-pro" {
			t.Errorf("the ledger has mode %q and model %q, want %q", e.Mode, e.Model, mode)
		}
	}
	if r := b.ask("[[fail reason unknown]]"); r.status != 501 {
		t.Errorf("an unknown mode = %d %s", r.status, r.body)
	}
	b.wantBilled(0)
}

func TestFailures_withoutEffect(t *testing.T) {
	b := start(t)
	for mode, status := range map[studio.Mode]int{
		studio.Malformed: 200, studio.HTML: 504, studio.Empty: 200, studio.Redirect: 307, studio.Drop: 0, studio.Stall: 0,
	} {
		b.sim.FailNext(1, mode)
		if r := b.ask("a"); r.status != status || (status == 0) != (r.err != nil) {
			t.Errorf("%s = %d %v, want %d", mode, r.status, r.err, status)
		}
	}
	b.wantBilled(0)
}

func TestFailures_afterTheWork(t *testing.T) {
	for _, mode := range []studio.Mode{studio.Lost, studio.Truncated, studio.MidStream} {
		b := start(t)
		r := b.ask("[[fail " + string(mode) + "]]")
		if r.err == nil || (mode == studio.Lost) != (r.body == "") {
			t.Errorf("%s = %d %q %v, want a broken connection", mode, r.status, r.body, r.err)
		}
		if e := b.last(); e.Mode != mode {
			t.Errorf("the ledger has mode %q, want %q", e.Mode, mode)
		}
		b.wantBilled(1)
	}
}

func TestFailures_ofTasks(t *testing.T) {
	for mode, tc := range map[studio.Mode]struct {
		after       time.Duration
		state, code string
		billed      int
	}{
		studio.TaskFailed:       {2 * time.Second, "failed", "InternalServiceFailure", 0},
		studio.ModerationOutput: {2 * time.Second, "failed", "CreationPolicyViolation", 0},
		studio.TaskSlow:         {99 * time.Second, "processing", "", 0},
		studio.TaskStuck:        {1000 * time.Hour, "processing", "", 0},
		studio.NoAudio:          {2 * time.Second, "success", "", 1},
		studio.PartialOutput:    {2 * time.Second, "success", "", 1},
	} {
		t.Run(string(mode), func(t *testing.T) {
			b := start(t)
			id := b.ask("[[fail " + string(mode) + "]]").get("task_id")
			b.clock.advance(tc.after)
			if r := b.poll(id); r.get("state") != tc.state || r.get("err_code") != tc.code || r.get("creations.#") != "0" {
				t.Errorf("poll = %s, want %s %s", r.body, tc.state, tc.code)
			}
			if got := b.sim.Charges(); len(got) != tc.billed {
				t.Errorf("charges = %v, want %d", got, tc.billed)
			}
		})
	}
}

func TestFailures_slowTasksEnd(t *testing.T) {
	b := start(t)
	id := b.ask("[[fail task_slow]]").get("task_id")
	b.clock.advance(100 * time.Second)
	if r := b.poll(id); r.get("state") != "success" || r.get("creations.#") != "1" {
		t.Errorf("poll = %s", r.body)
	}
}

func TestFailures_ofPolls(t *testing.T) {
	b := start(t)
	id := b.ask("a").get("task_id")
	for mode, status := range map[studio.Mode]int{
		studio.Unauthorized: 401, studio.RateLimit: 429, studio.ServerError: 500, studio.Overload: 429, studio.Malformed: 200, studio.HTML: 504,
		studio.Lost: 0, studio.Drop: 0,
	} {
		b.sim.FailNext(1, mode)
		if r := b.poll(id); r.get("state") != "" || r.status != status {
			t.Errorf("%s = %d %s, want %d", mode, r.status, r.body, status)
		}
	}
	b.sim.FailAlways(studio.NoBalance)
	if r := b.poll(id); r.get("state") != "queueing" {
		t.Errorf("a poll needs credits: %d %s", r.status, r.body)
	}
	b.sim.Heal()
	b.ends()
	if r := b.poll(id); r.get("state") != "success" {
		t.Errorf("after all = %s", r.body)
	}
}

func TestConcurrency(t *testing.T) {
	b := start(t)
	b.sim.LimitConcurrency(2)
	for range 2 {
		if r := b.ask("a"); r.status != 200 {
			t.Errorf("= %d %s", r.status, r.body)
		}
	}
	b.wantRefusal(b.ask("a"), 429, "QuotaExceeded", "running")
	b.ends()
	if r := b.ask("a"); r.status != 200 {
		t.Errorf("after the others have ended = %d %s", r.status, r.body)
	}
	b.wantBilled(3)
}

func TestPoll_leavesOutTheIDOfSomeTasks(t *testing.T) {
	b := start(t)
	ids := map[bool]int{}
	for range 4 {
		r := b.poll(b.ask("a").get("task_id"))
		ids[r.get("id") == ""]++
	}
	if ids[true] == 0 || ids[false] == 0 {
		t.Errorf("with and without an id: %v", ids)
	}
}

func TestLeak_ofAGatewayKey(t *testing.T) {
	b := start(t)
	if r := b.ask("vc-sk-0123"); r.status != 500 || !b.last().Leak {
		t.Errorf("= %d %s", r.status, r.body)
	}
}
