package controllers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/ledger"
	"vipcloud.ai/vipcloud/gateway/money"
	"vipcloud.ai/vipcloud/gateway/report"
	"vipcloud.ai/vipcloud/gateway/spend"
)

// Environment of the schedules: for how long they are made up, and the first of their seeds, to see one again.
const (
	envScheduleTime = "VIPCLOUD_USAGE_SCHEDULES"
	envScheduleSeed = "VIPCLOUD_USAGE_SEED"
	// scheduleTime is for how long they are made up unless the environment says otherwise, scheduleSteps how many steps one has.
	scheduleTime  = 40 * time.Second
	scheduleSteps = 60
)

// TestUsageSchedules drives gateways that write real reports, and operators that archive them, through random schedules: containers
// crash and come again with their journal, pods are deleted, answers of the API server are lost, operators crash at any write, stale leaders
// go on, replicas that live are taken for dead. In the end the reports come to what was settled, less only what pods that were deleted
// without their grace had not reported; and at no time do they come to more.
func TestUsageSchedules(t *testing.T) {
	limit, seed := scheduleTime, uint64(time.Now().UnixNano())
	if text := os.Getenv(envScheduleTime); text != "" {
		var err error
		if limit, err = time.ParseDuration(text); err != nil {
			t.Fatalf("%s: %v", envScheduleTime, err)
		}
	}
	if text := os.Getenv(envScheduleSeed); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("%s: %v", envScheduleSeed, err)
		}
	}
	begin, n := time.Now(), uint64(0)
	for ; n == 0 || time.Since(begin) < limit; n++ {
		ok := t.Run(fmt.Sprintf("seed %d", seed+n), func(t *testing.T) {
			s := newSchedule(t, seed+n)
			for range scheduleSteps {
				s.step()
			}
			s.finish()
		})
		if !ok {
			t.Fatalf("see it again with %s=%d", envScheduleSeed, seed+n)
		}
	}
	t.Logf("%d schedules, seeds from %d", n, seed)
}

// schedule is an instance whose pods and operators have a hard time.
type schedule struct {
	*world
	random    *rand.Rand
	seed      uint64
	pods      []*gatewayPod
	operators []*UsageReportReconciler
	names     int
	// settled is all that was ever counted, lost what may be lost of it at most.
	settled, lost money.Amount
	jobs          []ledger.JobEntry
	said          []string
}

// gatewayPod is a gateway of a schedule. Its container may be down.
type gatewayPod struct {
	name, dir string
	books     *spend.Books
	wire      *badWire
	end       context.CancelFunc
	done      chan error
	// settled is what it has counted since it began, safe how much of that was reported for certain.
	settled, safe money.Amount
}

// badWire is a connection to the API server.
type badWire struct {
	next http.RoundTripper
	// deaf loses answers to writes, cut loses everything.
	deaf, cut atomic.Bool
}

// errWire is what is seen of it.
var errWire = errors.New("lost by the schedule")

// RoundTrip implements http.RoundTripper.
func (b *badWire) RoundTrip(r *http.Request) (*http.Response, error) {
	if b.cut.Load() {
		return nil, errWire
	}
	response, err := b.next.RoundTrip(r)
	if err == nil && b.deaf.Load() && r.Method != http.MethodGet {
		return nil, errors.Join(errWire, response.Body.Close())
	}
	return response, err
}

// scheduleKeys are those that spend. The first two are in one shard.
func (s *schedule) keys() []string { return []string{"shop/web", "shop/key-118", "team-a/batch"} }

// newSchedule makes an instance of two pods and three operators, of which any may take itself for the leader.
func newSchedule(t *testing.T, seed uint64) *schedule {
	t.Helper()
	s := &schedule{world: newQuietWorld(t), random: rand.New(rand.NewPCG(seed, 1)), seed: seed}
	for range 3 {
		s.operators = append(s.operators, s.archivist(s.Client))
	}
	for range 2 {
		s.add()
	}
	return s
}

// say notes what happened, for who has to find out why.
func (s *schedule) say(format string, args ...any) {
	s.said = append(s.said, fmt.Sprintf(format, args...))
}

// fail ends the test with all that happened.
func (s *schedule) fail(format string, args ...any) {
	s.t.Helper()
	for _, line := range s.said {
		s.t.Log(line)
	}
	s.t.Fatalf(format, args...)
}

// add makes a pod.
func (s *schedule) add() {
	s.names++
	p := &gatewayPod{name: fmt.Sprintf("pod-%d", s.names), dir: s.t.TempDir()}
	s.replica("default", p.name)
	s.pods = append(s.pods, p)
	s.run(p)
}

// run starts the container of a pod.
func (s *schedule) run(p *gatewayPod) {
	s.t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	journal, err := spend.OpenJournal(p.dir, p.name, quiet)
	if err != nil {
		s.fail("%v", err)
	}
	p.books, p.wire = spend.New(), &badWire{}
	p.books.Keep(journal)
	wire := p.wire
	config := rest.CopyConfig(apiServer.operator)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		wire.next = next
		return wire
	})
	l, err := report.NewLedger(report.LedgerOptions{
		Config: config, Instance: types.NamespacedName{Namespace: s.ns, Name: "default"}, Replica: p.name, Books: p.books, Logger: quiet,
		Clock: s.clock,
	})
	if err != nil {
		s.fail("%v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	p.end, p.done = cancel, done
	go func() { done <- l.Run(ctx) }()
	s.t.Cleanup(func() { wire.cut.Store(true); cancel() })
	select {
	case <-l.Synced():
	case <-time.After(patience):
		s.fail("%s is not ready in time", p.name)
	}
}

// cut ends the container of a pod at once.
func (s *schedule) cut(p *gatewayPod) {
	p.wire.cut.Store(true)
	if err := p.books.Journal().Close(); err != nil {
		s.fail("%v", err)
	}
	p.end()
}

// any returns a pod.
func (s *schedule) any() *gatewayPod { return s.pods[s.random.IntN(len(s.pods))] }

// step does one thing.
func (s *schedule) step() {
	p := s.any()
	switch n := s.random.IntN(100); {
	case n < 40:
		s.settle(p)
	case n < 56:
		s.publish(p)
	case n < 62:
		deaf := !p.wire.deaf.Load()
		s.say("%s deaf: %v", p.name, deaf)
		p.wire.deaf.Store(deaf)
	case n < 68:
		s.say("container of %s crashes", p.name)
		s.cut(p)
		s.run(p)
	case n < 72:
		s.kill(p)
	case n < 75:
		s.stop(p)
	case n < 79:
		s.mistake(p)
	case n < 96:
		s.operate()
	default:
		ahead := []time.Duration{time.Minute, writerGrace, tendEvery, 13 * time.Hour, mergedKept + tendEvery, 3 * 24 * time.Hour}[s.random.IntN(6)]
		s.say("%v pass", ahead)
		s.clock.step(ahead)
	}
	if spent, held := s.total(); spent+held > s.settled {
		s.fail("the reports come to %d, only %d was settled", spent+held, s.settled)
	}
}

// settle counts requests and jobs.
func (s *schedule) settle(p *gatewayPod) {
	key := s.keys()[s.random.IntN(3)]
	for range 1 + s.random.IntN(5) {
		amount := money.Amount(1 + s.random.Int64N(1000))
		p.books.Settle(&ledger.Entry{Key: key, Model: "m", At: s.clock.Now(), Requests: 1, Cost: amount})
		p.settled += amount
		s.settled += amount
	}
	s.say("%s settles, until now %d", p.name, p.settled)
	if len(s.jobs) == 0 || s.random.IntN(3) == 0 {
		j := ledger.JobEntry{
			Hash: fmt.Sprintf("%016x%016x", s.seed, len(s.jobs)), Key: key, Model: "film", Amount: money.Amount(1 + s.random.Int64N(1000)),
			Created: s.clock.Now(), Deadline: s.clock.Now().Add(time.Duration(1+s.random.IntN(48)) * time.Hour), Ticket: "ticket",
		}
		s.jobs = append(s.jobs, j)
		s.settled += j.Amount
	}
	j := s.jobs[s.random.IntN(len(s.jobs))]
	j.State = []ledger.JobState{ledger.JobReserved, ledger.JobCharged}[s.random.IntN(2)]
	s.job(p, j)
}

// job reports what a pod knows of a job. One that was folded is counted.
func (s *schedule) job(p *gatewayPod, j ledger.JobEntry) {
	if _, err := p.books.Job(&j); err != nil && !errors.Is(err, ledger.ErrLate) {
		s.fail("%v", err)
	}
}

// publish makes a pod write what it can.
func (s *schedule) publish(p *gatewayPod) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	for _, key := range s.keys() {
		p.books.Publish(ctx, key)
	}
	if len(p.books.Book.Dirty()) == 0 {
		p.safe = p.settled
	}
	s.say("%s writes: %d of %d are safe", p.name, p.safe, p.settled)
}

// kill deletes a pod without its grace, and another one comes. What was not reported is lost.
func (s *schedule) kill(p *gatewayPod) {
	s.cut(p)
	s.say("%s is killed, of which %d may be lost", p.name, p.settled-p.safe)
	s.lost += p.settled - p.safe
	s.replace(p)
}

// stop deletes a pod with its grace.
func (s *schedule) stop(p *gatewayPod) {
	s.say("%s ends", p.name)
	p.wire.deaf.Store(false)
	p.end()
	select {
	case err := <-p.done:
		if err != nil {
			s.fail("%s: %v", p.name, err)
		}
	case <-time.After(patience):
		s.fail("%s does not end", p.name)
	}
	if dirty := p.books.Book.Dirty(); dirty != nil {
		s.fail("%s has ended and not written shards %v", p.name, dirty)
	}
	s.replace(p)
}

// replace removes a pod and makes another one.
func (s *schedule) replace(p *gatewayPod) {
	for i := range s.pods {
		if s.pods[i] == p {
			s.pods = append(s.pods[:i], s.pods[i+1:]...)
			break
		}
	}
	o := &v1alpha1.GatewayReplica{}
	o.Namespace, o.Name = s.ns, p.name
	s.remove(o)
	s.add()
}

// mistake makes the operators take a pod that lives for dead, long enough to archive its reports.
func (s *schedule) mistake(p *gatewayPod) {
	s.say("%s is taken for dead", p.name)
	o := &v1alpha1.GatewayReplica{}
	o.Namespace, o.Name = s.ns, p.name
	s.remove(o)
	for range 2 {
		for range 4 {
			s.operate()
		}
		s.clock.step(writerGrace)
	}
	s.replica("default", p.name)
}

// operate lets an operator look at a report: one that works, one that is killed at a write, or one that another overtakes in between.
func (s *schedule) operate() {
	list := &v1alpha1.UsageReportList{}
	if err := s.List(s.ctx, list, client.InNamespace(s.ns)); err != nil {
		s.fail("%v", err)
	}
	if len(list.Items) == 0 {
		return
	}
	o := &list.Items[s.random.IntN(len(list.Items))]
	one, other := s.operators[s.random.IntN(3)], s.operators[s.random.IntN(3)]
	kind := s.random.IntN(4)
	switch kind {
	case 0:
		one.operator.Client = &cutClient{Client: s.Client, left: s.random.IntN(3), done: s.random.IntN(2) == 0}
	case 1:
		one.operator.Client = &slowClient{Client: s.Client, before: func() {
			if other != one {
				_, _ = other.Reconcile(s.ctx, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(o)})
			}
		}}
	}
	_, err := one.Reconcile(s.ctx, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(o)})
	one.operator.Client = s.Client
	s.say("operator (kind %d) looks at %s: %v", kind, o.Name, err)
	if err != nil && !errors.Is(err, errCut) {
		s.fail("operator: %v", err)
	}
}

// total is what all reports come to.
func (s *schedule) total() (spent, held money.Amount) {
	view, _, _ := s.ledgerOf("default")
	for _, key := range s.keys() {
		spent += view.Spent(key, "", ledger.Lifetime, s.clock.Now())
		held += view.Reserved(key, "", ledger.Lifetime, s.clock.Now())
	}
	return spent, held
}

// finish lets everything come to rest, and compares.
func (s *schedule) finish() {
	for _, p := range s.pods {
		p.wire.deaf.Store(false)
		for _, j := range s.jobs {
			j.State = ledger.JobCharged
			s.job(p, j)
		}
	}
	for _, p := range append([]*gatewayPod{}, s.pods...) {
		s.eventually("all is written", func() error {
			s.publish(p)
			if p.safe != p.settled {
				return errWire
			}
			return nil
		})
	}
	for round := range 6 { // and whoever is gone is archived
		for range 20 {
			s.operate()
		}
		if round%2 == 0 {
			s.clock.step(writerGrace)
		}
	}
	var spent, held money.Amount
	s.eventually("the reports come to what was settled", func() error {
		for _, p := range s.pods {
			s.publish(p)
		}
		if spent, held = s.total(); held != 0 || spent+s.lost < s.settled {
			return fmt.Errorf("spent %d, held %d", spent, held)
		}
		return nil
	})
	if spent > s.settled {
		s.fail("the reports come to %d, only %d was settled", spent, s.settled)
	}
	for _, p := range s.pods { // what the pods themselves think
		for _, key := range s.keys() {
			s.eventually(p.name+" knows what everybody knows", func() error {
				view, _, _ := s.ledgerOf("default")
				want, got := view.Spent(key, "", ledger.Lifetime, s.clock.Now()), p.books.View.Spent(key, "", ledger.Lifetime, s.clock.Now())
				if want != got {
					return fmt.Errorf("%s: %d, want %d", key, got, want)
				}
				return nil
			})
		}
	}
	for _, p := range s.pods {
		s.cut(p)
	}
}
