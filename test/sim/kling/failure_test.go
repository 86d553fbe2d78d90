package kling

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// doors are one way to submit in either generation; %s is the prompt.
func doors() map[string][2]string {
	return map[string][2]string{
		"new":    {"/text-to-video/kling-3.0", `{"prompt":"%s"}`},
		"legacy": {"/v1/videos/text2video", `{"model_name":"kling-v3","prompt":"%s"}`},
	}
}

// eachDoor runs a test in both generations; poll returns the state and the whole task.
func eachDoor(t *testing.T, test func(t *testing.T, b *bench, submit func(prompt string) reply, poll func(id string) (string, reply))) {
	for name, door := range doors() {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			submit := func(prompt string) reply { return b.post(door[0], fmt.Sprintf(door[1], prompt)) }
			poll := func(id string) (string, reply) {
				if name == "legacy" {
					r := b.get(door[0] + "/" + id)
					return r.get("data.task_status"), r
				}
				r := b.get("/tasks?task_ids=" + id)
				return r.get("data.0.status"), r
			}
			test(t, b, submit, poll)
		})
	}
}

func idOf(r reply) string { return r.get("data.id") + r.get("data.task_id") }

func TestFailures_refusals(t *testing.T) {
	eachDoor(t, func(t *testing.T, b *bench, submit func(string) reply, _ func(string) (string, reply)) {
		for mode, want := range map[string]string{
			"unauthorized": "401 1000", "no_balance": "429 1102", "rate_limit": "429 1302", "concurrency": "429 1303", "overload": "503 5001",
			"server_error": "500 5000", "moderation": "400 1301", "not_open": "403 1103",
			"code 1100": "429 1100", "code 1101": "429 1101", "code 1300": "400 1300", "code 1304": "429 1304", "code 5002": "504 5002",
		} {
			r := submit("[[fail " + mode + "]]")
			status, code, _ := strings.Cut(want, " ")
			if got := fmt.Sprint(r.status); got != status {
				t.Errorf("%s = %s %s, want %s", mode, got, r.body, want)
			}
			b.wantRefusal(r, r.status, code, "")
			if e := b.last(); string(e.Mode) != mode {
				t.Errorf("the ledger has mode %q, want %q", e.Mode, mode)
			}
		}
		if r := submit("[[fail code 7]]"); r.status != http.StatusNotImplemented {
			t.Errorf("an unknown mode = %d %s", r.status, r.body)
		}
		b.wantBilled(0)
	})
}

func TestFailures_withoutEffect(t *testing.T) {
	eachDoor(t, func(t *testing.T, b *bench, submit func(string) reply, _ func(string) (string, reply)) {
		for mode, status := range map[studio.Mode]int{
			studio.Malformed: 200, studio.HTML: 504, studio.Empty: 200, studio.Redirect: 307, studio.Drop: 0, studio.Stall: 0,
		} {
			b.sim.FailNext(1, mode)
			if r := submit("a"); r.status != status || (status == 0) != (r.err != nil) {
				t.Errorf("%s = %d %v, want %d", mode, r.status, r.err, status)
			}
		}
		b.wantBilled(0)
	})
}

func TestFailures_afterTheWork(t *testing.T) {
	for _, mode := range []studio.Mode{studio.Lost, studio.Truncated, studio.MidStream} {
		eachDoor(t, func(t *testing.T, b *bench, submit func(string) reply, _ func(string) (string, reply)) {
			r := submit("[[fail " + string(mode) + "]]")
			if r.err == nil || mode != studio.Lost && r.body == "" {
				t.Errorf("%s = %d %q %v, want a broken connection", mode, r.status, r.body, r.err)
			}
			if e := b.last(); e.Mode != mode {
				t.Errorf("the ledger has mode %q, want %q", e.Mode, mode)
			}
			b.ends()
			if got := b.sim.Charges(); len(got) != 1 || got[0].Units != 5 {
				t.Errorf("%s: charges = %v, want one of 5 seconds", mode, got)
			}
		})
	}
}

func TestFailures_ofTasks(t *testing.T) {
	for mode, tc := range map[studio.Mode]struct {
		after      time.Duration
		state      string
		says, lack string
		billed     int
	}{
		studio.TaskFailed:       {2 * time.Second, "failed", "the service failed", `"url"`, 0},
		studio.ModerationOutput: {2 * time.Second, "failed", "risk control", `"url"`, 0},
		studio.TaskSlow:         {99 * time.Second, "processing", "", `"url"`, 0},
		studio.TaskStuck:        {1000 * time.Hour, "processing", "", `"url"`, 0},
		studio.NoAudio:          {2 * time.Second, "succeed", ":[]", `"url"`, 1},
		studio.PartialOutput:    {2 * time.Second, "succeed", ":[]", `"url"`, 1},
	} {
		t.Run(string(mode), func(t *testing.T) {
			eachDoor(t, func(t *testing.T, b *bench, submit func(string) reply, poll func(string) (string, reply)) {
				id := idOf(submit("[[fail " + string(mode) + "]]"))
				b.clock.advance(tc.after)
				state, r := poll(id)
				if !strings.HasPrefix(state, tc.state) || !strings.Contains(r.body, tc.says) ||
					strings.Contains(r.body, tc.lack) {
					t.Errorf("poll = %s, want %s with %q and without %q", r.body, tc.state, tc.says, tc.lack)
				}
				if got := b.sim.Charges(); len(got) != tc.billed {
					t.Errorf("charges = %v, want %d", got, tc.billed)
				}
			})
		})
	}
}

func TestFailures_slowTasksEnd(t *testing.T) {
	eachDoor(t, func(t *testing.T, b *bench, submit func(string) reply, poll func(string) (string, reply)) {
		id := idOf(submit("[[fail task_slow]]"))
		b.clock.advance(100 * time.Second)
		if state, r := poll(id); !strings.HasPrefix(state, "succeed") {
			t.Errorf("poll = %s", r.body)
		}
	})
}

func TestFailures_ofPolls(t *testing.T) {
	eachDoor(t, func(t *testing.T, b *bench, submit func(string) reply, poll func(string) (string, reply)) {
		id := idOf(submit("a"))
		for mode, status := range map[studio.Mode]int{
			studio.Unauthorized: 401, studio.RateLimit: 429, studio.ServerError: 500, studio.Overload: 503, studio.Malformed: 200, studio.HTML: 504,
			studio.Lost: 0, studio.Drop: 0,
		} {
			b.sim.FailNext(1, mode)
			if state, r := poll(id); state != "" || r.status != status {
				t.Errorf("%s = %d %s, want %d", mode, r.status, r.body, status)
			}
		}
		b.sim.FailAlways(studio.NoBalance)
		if state, r := poll(id); state != "submitted" {
			t.Errorf("a poll needs a balance: %d %s", r.status, r.body)
		}
		b.sim.Heal()
		b.ends()
		if state, r := poll(id); !strings.HasPrefix(state, "succeed") {
			t.Errorf("after all = %s", r.body)
		}
	})
}

func TestConcurrency_isCountedPerModel(t *testing.T) {
	b := start(t)
	b.sim.LimitConcurrency(1)
	b.submit("/text-to-video/kling-3.0", `{"prompt":"a"}`)
	b.wantRefusal(b.post("/text-to-video/kling-3.0", `{"prompt":"a"}`), http.StatusTooManyRequests, "1303", "too many")
	b.wantBilled(1)
	b.submit("/text-to-video/kling-3.0", `{"prompt":"a"}`)
	b.submit("/text-to-video/kling-3.0-turbo", `{"prompt":"a"}`)
}

func TestExternalTaskID_isUniqueInBothGenerations(t *testing.T) {
	b := start(t)
	current, legacy := `{"prompt":"a","options":{"external_task_id":"x"}}`, `{"model_name":"kling-v3","prompt":"a","external_task_id":"x"}`
	b.sim.FailNext(1, studio.Overload)
	if r := b.post("/text-to-video/kling-3.0", current); r.status != http.StatusServiceUnavailable {
		t.Errorf("= %d %s", r.status, r.body)
	}
	b.sim.FailNext(1, studio.Lost) // a refusal does not use up the id, a lost answer does
	if r := b.post("/text-to-video/kling-3.0", current); r.err == nil {
		t.Errorf("= %d %s", r.status, r.body)
	}
	b.wantRefusal(b.post("/text-to-video/kling-3.0", current), http.StatusBadRequest, "1201", "exists already")
	b.wantRefusal(b.post("/v1/videos/text2video", legacy), http.StatusBadRequest, "1201", "exists already")
	b.wantBilled(1)
}

func TestExternalTaskID_isUniqueAmongRequestsAtOnce(t *testing.T) {
	b := start(t)
	statuses := make(chan int)
	for range 8 {
		go func() {
			statuses <- b.post("/text-to-video/kling-3.0", `{"prompt":"a","options":{"external_task_id":"x"}}`).status
		}()
	}
	got := map[int]int{}
	for range 8 {
		got[<-statuses]++
	}
	if got[http.StatusOK] != 1 || got[http.StatusBadRequest] != 7 {
		t.Errorf("statuses = %v, want one of 200", got)
	}
	b.wantBilled(1)
}

func TestRead_wantsJSON(t *testing.T) {
	b := start(t)
	r := b.send(http.MethodPost, "/text-to-video/kling-3.0", `{"prompt":"a"}`, "Content-Type", "text/plain")
	b.wantRefusal(r, http.StatusBadRequest, "1200", "application/json")
	r = b.send(http.MethodPost, "/text-to-video/kling-3.0", `{"prompt":"a"}`, "Content-Type", "application/json; charset=utf-8")
	if r.status != http.StatusOK {
		t.Errorf("= %d %s", r.status, r.body)
	}
}

func TestLeak_ofAGatewayKey(t *testing.T) {
	b := start(t)
	if r := b.post("/text-to-video/kling-3.0", `{"prompt":"vc-sk-0123"}`); r.status != http.StatusInternalServerError || !b.last().Leak {
		t.Errorf("= %d %s", r.status, r.body)
	}
}
