package mureka

import (
	"net/http"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// ask submits a song of two with a prompt.
func (b *bench) ask(prompt string) reply {
	b.t.Helper()
	return b.post(songs, `{"lyrics":"la","prompt":"`+prompt+`"}`)
}

func TestFailures_refusals(t *testing.T) {
	b := start(t)
	for mode, want := range map[studio.Mode]struct {
		status int
		says   string
	}{
		studio.Unauthorized: {401, "API key"}, studio.NoBalance: {429, "quota"}, studio.RateLimit: {429, "slow down"},
		studio.Concurrency: {429, "concurrent"}, studio.Overload: {503, "overloaded"}, studio.ServerError: {500, "error"},
		studio.Moderation: {400, "not allowed"}, studio.NotOpen: {400, "not available"}, Region: {403, "region"},
	} {
		b.wantRefusal(b.ask("[[fail "+string(mode)+"]]"), want.status, want.says)
		if e := b.last(); e.Mode != mode {
			t.Errorf("the ledger has mode %q, want %q", e.Mode, mode)
		}
		b.wantRefusal(b.post(songs, `{"lyrics":"[[fail `+string(mode)+`]]"}`), want.status, want.says)
		b.wantRefusal(b.post(instrumentals, `{"prompt":"[[fail `+string(mode)+`]]"}`), want.status, want.says)
		b.wantRefusal(b.post("/v1/lyrics/generate", `{"prompt":"[[fail `+string(mode)+`]]"}`), want.status, want.says)
	}
	b.want(b.ask("[[fail unknown]]"), http.StatusNotImplemented, "unknown")
	b.wantSongs(0)
}

func TestFailures_oneStatusThreeReasons(t *testing.T) {
	b := start(t)
	texts := map[string]bool{}
	for _, mode := range []studio.Mode{studio.NoBalance, studio.RateLimit, studio.Concurrency} {
		b.sim.FailNext(1, mode)
		r := b.ask("a")
		if r.status != http.StatusTooManyRequests || len(gjson.Get(r.body, "error").Map()) != 1 {
			t.Errorf("%s = %d %s", mode, r.status, r.body)
		}
		texts[r.get("error.message")] = true
	}
	if len(texts) != 3 {
		t.Errorf("texts = %v", texts)
	}
}

func TestFailures_withoutEffect(t *testing.T) {
	b := start(t)
	for mode, status := range map[studio.Mode]int{
		studio.Malformed: 200, studio.HTML: 504, studio.Empty: 200, studio.Redirect: 307, studio.Drop: 0, studio.Stall: 0,
	} {
		for _, call := range []func() reply{
			func() reply { return b.ask("a") },
			func() reply { return b.post("/v1/lyrics/generate", `{"prompt":"a"}`) },
		} {
			b.sim.FailNext(1, mode)
			if r := call(); r.status != status || (status == 0) != (r.err != nil) {
				t.Errorf("%s = %d %v, want %d", mode, r.status, r.err, status)
			}
		}
	}
	b.wantSongs(0)
}

func TestFailures_afterTheWork(t *testing.T) {
	for _, mode := range []studio.Mode{studio.Lost, studio.Truncated, studio.MidStream} {
		for path, tc := range map[string]struct {
			body   string
			billed int64
		}{
			songs:                                 {`{"lyrics":"la","prompt":"[[fail ` + string(mode) + `]]"}`, 2},
			instrumentals:                         {`{"prompt":"[[fail ` + string(mode) + `]]","n":3}`, 3},
			"/v1/lyrics/generate":                 {`{"prompt":"[[fail ` + string(mode) + `]]"}`, 1},
			skyworkPath + "?action=song_generate": {`{"lyrics":"[[fail ` + string(mode) + `]]","n":1}`, 1},
		} {
			b := start(t)
			r := b.post(path, tc.body)
			if r.err == nil || (mode == studio.Lost) != (r.body == "") {
				t.Errorf("%s %s = %d %q %v, want a broken connection", mode, path, r.status, r.body, r.err)
			}
			if e := b.last(); e.Mode != mode {
				t.Errorf("the ledger has mode %q, want %q", e.Mode, mode)
			}
			b.wantSongs(tc.billed)
		}
	}
}

func TestFailures_ofTasks(t *testing.T) {
	for mode, tc := range map[studio.Mode]struct {
		after   time.Duration
		status  string
		choices int64
		billed  int64
	}{
		studio.TaskFailed:       {2 * time.Second, "failed", 0, 0},
		studio.ModerationOutput: {2 * time.Second, "failed", 0, 0},
		TimedOut:                {2 * time.Second, "timeouted", 0, 0},
		Withdrawn:               {2 * time.Second, "cancelled", 0, 0},
		studio.TaskSlow:         {99 * time.Second, "running", 0, 0},
		studio.TaskStuck:        {1000 * time.Hour, "running", 0, 0},
		studio.NoAudio:          {2 * time.Second, "succeeded", 0, 2},
		studio.PartialOutput:    {2 * time.Second, "succeeded", 1, 1},
	} {
		t.Run(string(mode), func(t *testing.T) {
			b := start(t)
			id := b.ask("[[fail " + string(mode) + "]]").get("id")
			b.clock.advance(tc.after)
			r := b.get("/v1/song/query/" + id)
			failed := tc.billed == 0 && tc.status != "running"
			if r.get("status") != tc.status || gjson.Get(r.body, "choices.#").Int() != tc.choices || (r.get("failed_reason") != "") != failed {
				t.Errorf("poll = %s, want %s with %d choices", r.body, tc.status, tc.choices)
			}
			units := int64(0)
			for _, c := range b.sim.Charges() {
				units += c.Units
			}
			if units != tc.billed {
				t.Errorf("billed = %d songs, want %d", units, tc.billed)
			}
		})
	}
}

func TestFailures_ofLyrics(t *testing.T) {
	b := start(t)
	r := b.post("/v1/lyrics/generate", `{"prompt":"[[fail no_audio]]"}`)
	if r.status != http.StatusOK || r.get("lyrics") != "" || r.get("title") == "" {
		t.Errorf("= %d %s", r.status, r.body)
	}
}

func TestFailures_slowTasksEnd(t *testing.T) {
	b := start(t)
	id := b.ask("[[fail task_slow]]").get("id")
	b.clock.advance(100 * time.Second)
	if r := b.get("/v1/song/query/" + id); r.get("status") != "succeeded" || r.get("choices.#") != "2" {
		t.Errorf("poll = %s", r.body)
	}
}

func TestFailures_ofPolls(t *testing.T) {
	b := start(t)
	id := b.ask("a").get("id")
	poll := func() reply { return b.get("/v1/song/query/" + id) }
	for mode, status := range map[studio.Mode]int{
		studio.Unauthorized: 401, studio.RateLimit: 429, studio.ServerError: 500, studio.Overload: 503, studio.Malformed: 200, studio.HTML: 504,
		studio.Lost: 0, studio.Drop: 0,
	} {
		b.sim.FailNext(1, mode)
		if r := poll(); r.get("status") != "" || r.status != status {
			t.Errorf("%s = %d %s, want %d", mode, r.status, r.body, status)
		}
	}
	b.sim.FailAlways(studio.NoBalance)
	b.want(poll(), http.StatusOK, "queued")
	b.sim.Heal()
	b.ends()
	b.want(poll(), http.StatusOK, "succeeded")
}

func TestConcurrency_countsWholeTasks(t *testing.T) {
	b := start(t)
	b.want(b.ask("a"), http.StatusOK, "")
	b.wantRefusal(b.ask("a"), http.StatusTooManyRequests, "concurrent")
	b.wantRefusal(b.post(instrumentals, `{"prompt":"a"}`), http.StatusTooManyRequests, "concurrent")
	b.want(b.post("/v1/lyrics/generate", `{"prompt":"a"}`), http.StatusOK, "") // no task
	b.clock.advance(time.Second)
	b.wantRefusal(b.ask("a"), http.StatusTooManyRequests, "concurrent")
	b.clock.advance(time.Second)
	b.want(b.ask("a"), http.StatusOK, "")
	b.sim.LimitConcurrency(2)
	b.want(b.ask("a"), http.StatusOK, "")
	b.sim.LimitConcurrency(0) // means 1
	b.wantRefusal(b.ask("a"), http.StatusTooManyRequests, "limit of 1")
}

func TestConcurrency_holdsForRequestsAtOnce(t *testing.T) {
	b := start(t)
	b.sim.LimitConcurrency(3)
	statuses := make(chan int)
	for range 12 {
		go func() { statuses <- b.ask("a").status }()
	}
	got := map[int]int{}
	for range 12 {
		got[<-statuses]++
	}
	if got[http.StatusOK] != 3 || got[http.StatusTooManyRequests] != 9 {
		t.Errorf("statuses = %v, want three of 200", got)
	}
	b.wantSongs(6)
}

func TestLeak_ofAGatewayKey(t *testing.T) {
	b := start(t)
	if r := b.ask("vc-sk-0123"); r.status != http.StatusInternalServerError || !b.last().Leak {
		t.Errorf("= %d %s", r.status, r.body)
	}
}
