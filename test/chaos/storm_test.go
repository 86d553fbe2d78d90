package chaos_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"vipcloud.ai/vipcloud/gateway/jobs"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

// orders is how many requests clients have in the storm, at most atOnce of them at a time.
const (
	orders = 150
	atOnce = 24
)

// order is a request of a client, however often it sends it.
type order struct {
	*world
	n      int
	marker string
	at     *replica
	seas   *seas
}

// seas is what is known of all orders.
type seas struct {
	jar
	mu sync.Mutex
	// last is what each order's client heard last; gone are those of clients that left without hearing anything.
	last map[string]*answer
	gone map[string]bool
}

// hear notes an answer.
func (o *order) hear(a *answer) {
	if id := a.job().ID; id != "" {
		o.seas.put(id)
	}
	o.seas.mu.Lock()
	defer o.seas.mu.Unlock()
	o.seas.last[o.marker] = a
}

// body is the same however often it is sent.
func (o *order) body() map[string]any { return film(o.marker, 4+o.n%8) }

// patient sends the order as an SDK does.
func (o *order) patient() { o.hear(o.insist(o.at, firstKey, o.body())) }

// careful sends it from several places at once, all with the same Idempotency-Key, and once more in the end.
func (o *order) careful() {
	answers := make([]*answer, 4)
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() { answers[i] = o.insist(o.at, firstKey, o.body(), "Idempotency-Key", o.marker) })
	}
	wg.Wait()
	answers[3] = o.insist(o.at, firstKey, o.body(), "Idempotency-Key", o.marker)
	for _, a := range answers {
		if a.job().ID != answers[3].job().ID || a.status != answers[3].status {
			o.t.Errorf("%s: one key, but %s and %s", o.marker, a, answers[3])
		}
		o.hear(a)
	}
	if answers[3].header.Get("Idempotent-Replayed") != "true" {
		o.t.Errorf("%s: the last answer is no repetition: %s", o.marker, answers[3])
	}
}

// returning leaves early and comes back with the same Idempotency-Key.
func (o *order) returning() {
	o.leaveEarly("Idempotency-Key", o.marker)
	o.hear(o.insist(o.at, firstKey, o.body(), "Idempotency-Key", o.marker))
}

// vanishing leaves early for good.
func (o *order) vanishing() {
	a := o.leaveEarly()
	if a.err == nil {
		o.hear(a) // it left too late
		return
	}
	o.seas.mu.Lock()
	defer o.seas.mu.Unlock()
	o.seas.gone[o.marker] = true
}

// leaveEarly sends the order and leaves: when the vendor gets it, or at any time, perhaps before the gateway has read it.
func (o *order) leaveEarly(header ...string) *answer {
	ctx, cancel := context.WithCancel(o.t.Context())
	defer cancel()
	if o.n%2 == 0 {
		o.weather.when(o.marker, cancel)
	} else {
		defer time.AfterFunc(o.weather.upTo(50*time.Millisecond), cancel).Stop()
	}
	return o.call(ctx, o.at, firstKey, http.MethodPost, "/v1/videos/generations", o.body(), header...)
}

// regretful cancels the job that it has made.
func (o *order) regretful() {
	o.patient()
	o.seas.mu.Lock()
	id := o.seas.last[o.marker].job().ID
	o.seas.mu.Unlock()
	if id != "" {
		o.call(o.t.Context(), o.at, firstKey, http.MethodDelete, "/v1/videos/jobs/"+id, nil)
	}
}

// storm lets the vendor fail in every way, with clients of every kind, at two replicas.
func storm(w *world) {
	replicas := []*replica{w.start(), w.start()}
	s := &seas{last: map[string]*answer{}, gone: map[string]bool{}}
	w.weather.storm(5, studio.Lost, studio.Truncated, studio.HTML, studio.ServerError, studio.RateLimit, studio.Overload, studio.Drop,
		studio.Malformed, studio.Empty, studio.TaskFailed, page)
	slots := make(chan struct{}, atOnce)
	var wg sync.WaitGroup
	for n := range orders {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			o := &order{world: w, n: n, marker: fmt.Sprintf("order-%d", n), at: replicas[w.weather.oneOf(2)], seas: s}
			[]func(){o.patient, o.careful, o.returning, o.vanishing, o.regretful}[n%5]()
		})
	}
	wg.Wait()
	s.awaitAll(w, firstKey, replicas...)              // through what is left of the storm
	s.awaitAll(w, firstKey, replicas[1], replicas[0]) // and at the other replica
	w.settle()
	s.compare(w)
}

// compare looks at the books after the storm.
func (s *seas) compare(w *world) {
	ledger := w.ledger(filmPath)
	w.onceEach(ledger)
	// What the vendor took on and no client knows of, and what of that it bills.
	lost, told, abandoned, billed := 0, 0, 0, 0
	for marker, seen := range ledger {
		lost += seen.lost
		billed += seen.lost - seen.lostUnbilled
		if last := s.last[marker]; seen.lost > 0 && last != nil {
			told++
			if !last.unsettled() {
				w.t.Errorf("%s was made, and its answer lost; the client heard %s", marker, last)
			}
		}
		if s.gone[marker] {
			abandoned += seen.made - seen.lost
			billed += seen.made - seen.lost - (seen.unbilled - seen.lostUnbilled)
		}
	}
	reserved := w.jobLines()["reserved"]
	for id := range s.known {
		delete(reserved, jobs.Hash(id))
	}
	if len(reserved) != abandoned {
		w.t.Errorf("%d jobs are accounted for that no client knows of; clients left %d", len(reserved), abandoned)
	}
	if unknown := w.balance(s.known); unknown != billed {
		w.t.Errorf("the vendor bills %d tasks that no client knows of; %d answers were lost and %d clients left: it should be %d",
			unknown, lost, abandoned, billed)
	}
	if lost == 0 || told == 0 || abandoned == 0 || !has(s.known, "completed") || !has(s.known, "failed") || !has(s.known, "cancelled") {
		w.t.Errorf("the storm was too mild: %d lost, %d left, jobs %v", lost, abandoned, s.known)
	}
	w.t.Logf("%d orders, %d jobs known; %d answers lost, of which %d clients were told; %d clients left for good",
		orders, len(s.known), lost, told, abandoned)
}
