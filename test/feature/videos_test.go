package feature_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway"
	"vipcloud.ai/vipcloud/test/sim"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

// job is a job as the API shows it.
type job struct {
	ID        string   `json:"id"`
	JobID     string   `json:"job_id"`
	Object    string   `json:"object"`
	Status    string   `json:"status"`
	PollURL   string   `json:"poll_url"`
	Model     string   `json:"model"`
	CreatedAt int64    `json:"created_at"`
	Warnings  []string `json:"warnings"`
	Result    *struct {
		URL       string   `json:"url"`
		URLs      []string `json:"urls"`
		ExpiresAt int64    `json:"expires_at"`
	} `json:"result"`
	Error *struct{ Code, Message string } `json:"error"`
}

// seedance is the model that videos of Ark are made with.
const seedance = "doubao-seedance-2-0-260128"

// newVideos starts a gateway that serves one video model of a vendor.
func newVideos(t *testing.T, v sim.Vendor, upstream string, opts ...option) *env {
	t.Helper()
	e := newEnv(t, opts...)
	r := e.route("film", upstream, strings.ToLower(string(v)))
	r.Spec.Modality = v1alpha1.ModalityVideo
	price := v1alpha1.Decimal("0.10")
	r.Spec.Pricing = &v1alpha1.Pricing{Currency: "USD", Prices: v1alpha1.Prices{PerSecond: &price}}
	e.key(shop, "web", testKey, nil)
	e.apply()
	return e
}

// submit makes a job.
func (e *env) submit(path string, body map[string]any, header ...string) job {
	e.t.Helper()
	var j job
	answer := e.post(path, body, header...).expect(http.StatusOK)
	if answer.header.Get("X-Should-Retry") != "false" {
		e.t.Error("a submit may be retried")
	}
	answer.decode(&j)
	return j
}

// wait polls a job until it has ended.
func (e *env) wait(j job) job {
	e.t.Helper()
	eventually(e.t, "the job's end", func() bool {
		answer := e.get(j.PollURL).expect(http.StatusOK)
		if answer.header.Get("Cache-Control") != "no-store" {
			e.t.Fatal("a poll may be cached")
		}
		answer.decode(&j)
		if j.Status == "queued" || j.Status == "in_progress" {
			if answer.header.Get("Retry-After") == "" || answer.header.Get("Openai-Poll-After-Ms") == "" {
				e.t.Fatal("a poll does not say when to come again")
			}
			return false
		}
		return true
	})
	return j
}

func TestVideos_FromSubmitToFile(t *testing.T) {
	e := newVideos(t, sim.Ark, seedance)
	j := e.submit("/v1/videos/generations", map[string]any{"model": "film", "prompt": "a samurai cat", "duration": 10, "resolution": "1080p"})
	if j.ID == "" || j.ID != j.JobID || j.Status != "queued" || j.PollURL != "/v1/videos/jobs/"+j.ID || j.Model != "film" || j.CreatedAt == 0 {
		t.Fatalf("got %+v", j)
	}
	j = e.wait(j)
	if j.Status != "completed" || j.Result == nil || len(j.Result.URLs) != 1 || j.Result.ExpiresAt < time.Now().Unix() {
		t.Fatalf("got %+v", j)
	}
	if data := fetch(t, j.Result.URL); !strings.Contains(string(data[:32]), "ftyp") {
		t.Errorf("the file begins with %q", data[:32])
	}
	if charges := e.charges(); len(charges) != 1 || charges[0]["cost"] != "1" {
		t.Errorf("charged %v", charges)
	}
	if strings.Contains(e.log.String(), j.ID) {
		t.Error("the id of a job is logged")
	}
}

// charges returns the log's lines about jobs that are charged, one for each job.
func (e *env) charges() []map[string]any {
	var out []map[string]any
	for _, line := range e.log.lines("Job charge") {
		if line["state"] == "charged" {
			out = append(out, line)
		}
	}
	return out
}

func TestVideos_NobodyElseSeesAJob(t *testing.T) {
	e := newVideos(t, sim.Ark, seedance)
	e.key(shop, "other", otherKey, nil)
	j := e.submit("/v1/videos/generations", map[string]any{"model": "film", "prompt": "x"})
	tampered := j.ID[:len(j.ID)-2] + strings.Map(func(r rune) rune {
		if r == 'A' {
			return 'B'
		}
		return 'A'
	}, j.ID[len(j.ID)-2:])
	want := e.get("/v1/videos/jobs/nonsense").expect(http.StatusNotFound)
	for name, got := range map[string]*answer{
		"another owner":    e.get(j.PollURL, "Authorization", "Bearer "+otherKey),
		"a changed id":     e.get("/v1/videos/jobs/" + tampered),
		"a shorter id":     e.get("/v1/videos/jobs/" + j.ID[:40]),
		"another modality": e.get("/v1/music/jobs/" + j.ID),
	} {
		if got.expect(http.StatusNotFound); string(got.body) != string(want.body) {
			t.Errorf("%s: %s", name, got.body)
		}
	}
	e.get(j.PollURL).expect(http.StatusOK)
}

func TestVideos_TheSameKeyIsOneJob(t *testing.T) {
	e := newVideos(t, sim.Ark, seedance)
	body := map[string]any{"model": "film", "prompt": "x"}
	first := e.submit("/v1/videos/generations", body, "Idempotency-Key", "k1")
	second := e.submit("/v1/videos/generations", body, "Idempotency-Key", "k1")
	third := e.submit("/v1/videos/generations", body, "Idempotency-Key", "k2")
	if first.ID != second.ID || first.ID == third.ID {
		t.Errorf("ids %.20s, %.20s, %.20s", first.ID, second.ID, third.ID)
	}
	body["prompt"] = "y"
	if got := e.post("/v1/videos/generations", body, "Idempotency-Key", "k1").expect(http.StatusBadRequest).error(); got.Code != "idempotency_key_reused" {
		t.Errorf("got %+v", got)
	}
}

func TestVideos_ALostAnswerIsNeverASecondVideo(t *testing.T) {
	e := newVideos(t, sim.Ark, seedance)
	for range 2 {
		answer := e.post("/v1/videos/generations", map[string]any{"model": "film", "prompt": "x [[fail lost]]"}, "Idempotency-Key", "k")
		if answer.status < 500 || answer.header.Get("X-Should-Retry") != "false" {
			t.Errorf("status %d, x-should-retry %q", answer.status, answer.header.Get("X-Should-Retry"))
		}
	}
	if n := len(e.vendors.Media(sim.Ark).Ledger()); n != 1 {
		t.Errorf("the vendor was called %d times", n)
	}
}

func TestVideos_Endings(t *testing.T) {
	for mode, want := range map[studio.Mode]struct{ status, code string }{
		studio.TaskFailed:       {"failed", "upstream_server_error"},
		studio.ModerationOutput: {"failed", "content_filter"},
	} {
		e := newVideos(t, sim.Ark, seedance)
		j := e.wait(e.submit("/v1/videos/generations", map[string]any{"model": "film", "prompt": "x [[fail " + string(mode) + "]]"}))
		if j.Status != want.status || j.Error == nil || j.Error.Code != want.code || j.Result != nil {
			t.Errorf("%s: got %+v, error %+v", mode, j, j.Error)
		}
		if n := len(e.charges()); n != 0 {
			t.Errorf("%s: charged %d times", mode, n)
		}
	}
}

func TestVideos_Cancel(t *testing.T) {
	e := newVideos(t, sim.Ark, seedance)
	j := e.submit("/v1/videos/generations", map[string]any{"model": "film", "prompt": "x [[fail task_slow]]"})
	var got job
	e.take(e.do(http.MethodDelete, j.PollURL, "")).expect(http.StatusOK).decode(&got)
	if got.Status != "cancelled" {
		t.Fatalf("got %+v", got)
	}
	if got = e.wait(j); got.Status != "cancelled" {
		t.Errorf("got %+v", got)
	}
	done := e.wait(e.submit("/v1/videos/generations", map[string]any{"model": "film", "prompt": "x"}))
	e.take(e.do(http.MethodDelete, done.PollURL, "")).expect(http.StatusOK).decode(&got)
	if got.Status != "completed" || got.Result == nil || len(fetch(t, got.Result.URL)) == 0 {
		t.Errorf("cancelling what is done gave %+v", got)
	}
}

func TestVideos_PollsAreShared(t *testing.T) {
	e := newVideos(t, sim.Ark, seedance)
	j := e.submit("/v1/videos/generations", map[string]any{"model": "film", "prompt": "x [[fail task_slow]]"})
	for range 20 {
		e.get(j.PollURL).expect(http.StatusOK)
	}
	polls := 0
	for _, entry := range e.vendors.Media(sim.Ark).Ledger() {
		if entry.Method == http.MethodGet {
			polls++
		}
	}
	if polls > 3 {
		t.Errorf("20 polls of a client became %d of the vendor", polls)
	}
}

func TestVideos_ThroughTheGateway(t *testing.T) {
	e := newVideos(t, sim.Ark, seedance)
	e.input.Routes[0].Spec.Results = &v1alpha1.Results{Proxy: true}
	e.apply()
	j := e.wait(e.submit("/v1/videos/generations", map[string]any{"model": "film", "prompt": "x"}))
	if !strings.HasPrefix(j.Result.URL, j.PollURL+"/content") {
		t.Fatalf("result %+v", j.Result)
	}
	whole := e.get(j.Result.URL).expect(http.StatusOK)
	part := e.get(j.Result.URL, "Range", "bytes=4-7").expect(http.StatusPartialContent)
	if whole.header.Get("Content-Type") != "video/mp4" || string(part.body) != "ftyp" || string(whole.body[4:8]) != "ftyp" {
		t.Errorf("type %q, part %q", whole.header.Get("Content-Type"), part.body)
	}
	e.get(j.Result.URL, "Authorization", "").expect(http.StatusUnauthorized)
}

func TestVideos_AnotherReplicaAnswers(t *testing.T) {
	e := newVideos(t, sim.Ark, seedance)
	j := e.submit("/v1/videos/generations", map[string]any{"model": "film", "prompt": "x"})
	ring := e.server.KeyRing().Load()
	other := newEnv(t, func(o *gateway.Options) {})
	other.server.KeyRing().Set(*ring)
	other.input, other.vendors = e.input, e.vendors
	other.key(shop, "web", testKey, nil)
	other.apply()
	if got := other.wait(j); got.Status != "completed" {
		t.Errorf("got %+v", got)
	}
}

func TestVideos_AJobOutlivesTheKeyThatMadeIt(t *testing.T) {
	e := newVideos(t, sim.Ark, seedance)
	j := e.submit("/v1/videos/generations", map[string]any{"model": "film", "prompt": "x"})
	e.key(shop, "web", otherKey, nil) // rotated: the same ApiKey, another hash
	if got := e.get(j.PollURL, "Authorization", "Bearer "+otherKey); got.status != http.StatusOK {
		t.Errorf("status %d: %s", got.status, got.body)
	}
}
