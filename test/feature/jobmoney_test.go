package feature_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway"
	"vipcloud.ai/vipcloud/gateway/apikey"
	"vipcloud.ai/vipcloud/gateway/keyring"
	"vipcloud.ai/vipcloud/gateway/ledger"
	"vipcloud.ai/vipcloud/gateway/money"
	"vipcloud.ai/vipcloud/gateway/provider/all"
	"vipcloud.ai/vipcloud/gateway/spend"
	"vipcloud.ai/vipcloud/gateway/table"
	"vipcloud.ai/vipcloud/test/sim"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

const (
	// filmDeadline is how long Ark may take for a video.
	filmDeadline = 48 * time.Hour
	// filmCost is what five seconds of video cost in these tests.
	filmCost = money.Unit / 2
	webKey   = shop + "/web"
)

// studioFleet is a vendor of videos and gateways that share its credential, a key ring and a directory of usage.
type studioFleet struct {
	*env // declares what all serve, and serves nobody itself
	ring keyring.Ring
	dir  string
	// ahead is how far the clock of all gateways is ahead.
	ahead atomic.Int64
}

// newStudioFleet makes a vendor and no gateway yet.
func newStudioFleet(t *testing.T) *studioFleet {
	t.Helper()
	f := &studioFleet{env: newVideos(t, sim.Ark, seedance), dir: t.TempDir()}
	var err error
	if f.ring, err = keyring.New(); err != nil {
		t.Fatal(err)
	}
	return f
}

// now is the clock of all gateways.
func (f *studioFleet) now() time.Time { return time.Now().Add(time.Duration(f.ahead.Load())) }

// step moves it on.
func (f *studioFleet) step(d time.Duration) { f.ahead.Add(int64(d)) }

// member is a gateway of a fleet.
type member struct {
	*env
	// kill ends it as a crash does: nothing is written any more.
	kill func()
}

// gateway runs a gateway. Without sharing it neither reads nor writes what others have counted.
func (f *studioFleet) gateway(share bool) *member {
	f.t.Helper()
	e := &env{t: f.t, vendors: f.vendors, log: &logBuffer{}, registry: prometheus.NewRegistry(), input: f.input}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.t.Fatal(err)
	}
	log := slog.New(slog.NewJSONHandler(e.log, nil))
	e.server, err = gateway.New(gateway.Options{
		Listener: l, Adapters: all.Adapters(), Registry: e.registry, DrainDelay: -1, DrainTimeout: patience, AccessLog: log, Log: log,
		Now: f.now, JobSweep: 20 * time.Millisecond,
	})
	if err != nil {
		f.t.Fatal(err)
	}
	e.base = "http://" + l.Addr().String()
	serving, stop := context.WithCancel(context.Background())
	done := make(chan error, 2)
	running := 1
	go func() { done <- e.server.Run(serving) }()
	if share {
		files, err := spend.OpenFiles(f.dir, e.server.Books(), log)
		if err != nil {
			f.t.Fatal(err)
		}
		running++
		go func() { done <- files.Run(serving) }()
	}
	var once atomic.Bool
	m := &member{env: e, kill: func() {
		if once.Swap(true) {
			return
		}
		stop()
		for range running {
			if err := <-done; err != nil {
				f.t.Errorf("gateway: %v", err)
			}
		}
	}}
	f.t.Cleanup(m.kill)
	e.server.KeyRing().Set(f.ring)
	m.accept(nil)
	e.apply()
	return m
}

// accept makes a gateway accept the key of the test, under the rules of an instance.
func (m *member) accept(constraints *v1alpha1.KeyConstraints) {
	m.t.Helper()
	k := &v1alpha1.ApiKey{}
	k.Namespace, k.Name = shop, "web"
	k.Status.Gateway = &v1alpha1.ObjectReference{Namespace: system, Name: "default"}
	k.Status.Hashes = []v1alpha1.KeyHash{{SHA256: apikey.Sum(testKey).String()}}
	instance := m.input.Instance.DeepCopy()
	instance.Spec.Serves = &v1alpha1.Serves{Keys: &v1alpha1.ServedKeys{Constraints: constraints}}
	applied, problem := table.CompileKeyRules(instance).Apply(table.CompileKey(k, types.NamespacedName{Namespace: system, Name: "default"}))
	if problem != nil {
		m.t.Fatal(problem)
	}
	m.server.Keys().Put(applied)
}

// film submits a job whose client never asks again.
func (m *member) film(prompt string) job {
	m.t.Helper()
	return m.submit("/v1/videos/generations", map[string]any{"model": "film", "prompt": prompt, "duration": 5})
}

// stands is what a key has spent by all that a gateway knows, and what its running jobs hold.
func (m *member) stands(owner string, at time.Time) (spent, held money.Amount) {
	b := m.server.Books()
	spent = b.Book.Spent(owner, "", ledger.Lifetime, at)
	return spent, b.Book.Reserved(owner, "", ledger.Lifetime, at)
}

// polls counts how often the vendor was asked.
func (f *studioFleet) polls() (n int) {
	for _, e := range f.vendors.Media(sim.Ark).Ledger() {
		if e.Method == http.MethodGet {
			n++
		}
	}
	return n
}

// done waits until the vendor has finished everything.
func (f *studioFleet) done() {
	f.t.Helper()
	eventually(f.t, "the vendor is done", func() bool { return f.vendors.Media(sim.Ark).Unfinished() == 0 })
}

// total is what all reports in the directory come to, read as anybody else would.
func (f *studioFleet) total(owner string) (spent, held money.Amount) {
	f.t.Helper()
	books := spend.New()
	files, err := spend.OpenFiles(f.dir, books, slog.New(slog.DiscardHandler))
	if err != nil {
		f.t.Fatal(err)
	}
	ended, cancel := context.WithCancel(f.t.Context())
	cancel()
	if err := files.Run(ended); err != nil {
		f.t.Fatal(err)
	}
	now := f.now()
	return books.View.Spent(owner, "", ledger.Lifetime, now), books.View.Reserved(owner, "", ledger.Lifetime, now)
}

const unknownOutcomes = `vipcloud_usage_unaccounted_total{reason="job_outcome_unknown"} `

func TestJobMoney_isSettledAtTheDeadlineThoughNoClientAsks(t *testing.T) {
	tests := map[string]struct {
		prompt  string
		spent   money.Amount
		unknown bool
	}{
		"a video that was made":        {"x", filmCost, false},
		"a video that failed":          {"x [[fail task_failed]]", 0, false},
		"a video that never came true": {"x [[fail task_stuck]]", filmCost, true},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			f := newStudioFleet(t)
			g := f.gateway(true)
			g.film(c.prompt)
			if !strings.Contains(c.prompt, "stuck") {
				f.done()
			}
			if spent, held := g.stands(webKey, f.now()); spent != 0 || held != filmCost {
				t.Fatalf("after the submit: spent %s, held %s", spent, held)
			}
			f.step(filmDeadline - time.Minute)
			<-time.After(10 * shortWait)
			if n := f.polls(); n != 0 {
				t.Errorf("the vendor was asked %d times before the deadline", n)
			}
			f.step(time.Minute + time.Second)
			eventually(t, "the job is settled", func() bool {
				spent, held := g.stands(webKey, f.now())
				return spent == c.spent && held == 0
			})
			if n := f.polls(); n != 1 {
				t.Errorf("the vendor was asked %d times", n)
			}
			if got := strings.Contains(g.metrics(), unknownOutcomes+"1"); got != c.unknown {
				t.Errorf("counted as unknown: %v", got)
			}
		})
	}
}

func TestJobMoney_whoeverIsLeftSettlesForAReplicaThatDied(t *testing.T) {
	f := newStudioFleet(t)
	a, b := f.gateway(true), f.gateway(true)
	made, failed := a.film("x"), a.film("x [[fail task_failed]]")
	f.done()
	eventually(t, "the other replica has read of both", func() bool {
		return b.server.Books().View.Reserved(webKey, "", ledger.Lifetime, f.now()) == 2*filmCost
	})
	a.kill()
	f.step(filmDeadline + time.Second)
	<-time.After(10 * shortWait)
	if n := f.polls(); n != 0 {
		t.Errorf("it was adopted at once: the vendor was asked %d times", n)
	}
	f.step(10 * time.Minute)
	eventually(t, "the other replica sees them", func() bool { return len(b.server.Books().View.Overdue(f.now())) > 0 || f.polls() > 0 })
	eventually(t, "the other replica has settled them", func() bool {
		f.step(10 * time.Second)
		view := b.server.Books().View
		return view.Spent(webKey, "", ledger.Lifetime, f.now()) == filmCost && view.Reserved(webKey, "", ledger.Lifetime, f.now()) == 0
	})
	if n := f.polls(); n != 2 {
		t.Errorf("the vendor was asked %d times, want once for each", n)
	}
	again := f.gateway(true) // in the place of the first one
	for j, want := range map[string]string{made.PollURL: "completed", failed.PollURL: "failed"} {
		var got job
		again.get(j).expect(http.StatusOK).decode(&got)
		if got.Status != want {
			t.Errorf("the job is %s, want %s", got.Status, want)
		}
	}
	b.kill()
	again.kill()
	if spent, held := f.total(webKey); spent != filmCost || held != 0 {
		t.Errorf("in the end spent %s, held %s; want %s, 0", spent, held, filmCost)
	}
	for _, secret := range []string{made.ID, failed.ID} {
		if strings.Contains(b.log.String(), secret) {
			t.Error("the id of a job is logged")
		}
	}
}

func TestJobMoney_twoThatAdoptAtTheSameTimeCountOnce(t *testing.T) {
	f := newStudioFleet(t)
	a := f.gateway(false)
	a.film("x")
	f.done()
	data, _, err := a.server.Books().Book.Encode(ledger.Shard(webKey))
	if err != nil {
		t.Fatal(err)
	}
	a.kill()
	reserved, err := ledger.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	lives := []ledger.Live{{UID: "dead", Page: reserved}}
	f.step(filmDeadline + time.Hour/2)
	var adopters []*member
	for range 2 { // neither hears of the other
		g := f.gateway(false)
		g.server.Books().View.SetLive("dead", reserved)
		adopters = append(adopters, g)
	}
	for i, g := range adopters {
		eventually(t, "an adopter has settled", func() bool {
			f.step(10 * time.Second)
			spent, _ := g.stands(webKey, f.now())
			return spent == filmCost
		})
		data, _, err := g.server.Books().Book.Encode(ledger.Shard(webKey))
		if err != nil {
			t.Fatal(err)
		}
		page, err := ledger.Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		lives = append(lives, ledger.Live{UID: string(rune('b' + i)), Page: page})
	}
	if n := f.polls(); n != 2 {
		t.Errorf("the vendor was asked %d times, want twice", n)
	}
	v := ledger.Total(nil, lives)
	if spent, held := v.Spent(webKey, "", ledger.Lifetime, f.now()), v.Reserved(webKey, "", ledger.Lifetime, f.now()); spent != filmCost || held != 0 {
		t.Errorf("spent %s, held %s", spent, held)
	}
}

func TestJobMoney_whatNobodyCanFindOutIsChargedAndCounted(t *testing.T) {
	ruin := map[string]func(f *studioFleet, g *member){
		"the vendor does not answer": func(f *studioFleet, _ *member) { f.vendors.Media(sim.Ark).FailAlways(studio.ServerError) },
		"the credential is gone": func(_ *studioFleet, g *member) {
			g.input.Credentials, g.input.Routes = nil, nil
			g.server.Apply(g.input)
		},
		"the ticket cannot be opened": func(f *studioFleet, g *member) {
			other, err := keyring.New()
			if err != nil {
				f.t.Fatal(err)
			}
			g.server.KeyRing().Set(other)
		},
	}
	for name, ruin := range ruin {
		t.Run(name, func(t *testing.T) {
			f := newStudioFleet(t)
			g := f.gateway(true)
			g.accept(&v1alpha1.KeyConstraints{NamespaceBudget: &v1alpha1.Budget{Amount: "50", Period: v1alpha1.BudgetPeriodMonth}})
			g.film("x")
			f.done()
			if _, held := g.stands(shop+"/", f.now()); held != filmCost {
				t.Fatalf("of the namespace's budget is held %s", held)
			}
			ruin(f, g)
			f.step(filmDeadline + time.Minute)
			<-time.After(10 * shortWait)
			if spent, held := g.stands(webKey, f.now()); spent != 0 || held != filmCost {
				t.Errorf("right after the deadline: spent %s, held %s", spent, held)
			}
			f.step(time.Hour)
			eventually(t, "the job is charged", func() bool {
				f.step(time.Minute)
				spent, held := g.stands(webKey, f.now())
				space, held2 := g.stands(shop+"/", f.now())
				return spent == filmCost && held == 0 && space == filmCost && held2 == 0
			})
			if m := g.metrics(); !strings.Contains(m, unknownOutcomes+"1\n") {
				t.Errorf("unknown outcomes are not counted, or more than once")
			}
			lines := g.charges()
			if len(lines) != 1 || lines[0]["cost"] != "0.5" {
				t.Errorf("the log says %v", lines)
			}
		})
	}
}

func TestJobMoney_ofANamespaceIsSettledWithTheJob(t *testing.T) {
	f := newStudioFleet(t)
	g := f.gateway(true)
	g.accept(&v1alpha1.KeyConstraints{NamespaceBudget: &v1alpha1.Budget{Amount: "50", Period: v1alpha1.BudgetPeriodMonth}})
	g.film("x [[fail task_failed]]")
	g.film("x")
	f.done()
	if _, held := g.stands(shop+"/", f.now()); held != 2*filmCost {
		t.Fatalf("held %s", held)
	}
	f.step(filmDeadline + time.Second)
	eventually(t, "both are settled", func() bool {
		spent, held := g.stands(shop+"/", f.now())
		return spent == filmCost && held == 0
	})
}
