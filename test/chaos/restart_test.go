package chaos_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// jar keeps what clients know: the ids they got, and how the jobs ended.
type jar struct {
	mu    sync.Mutex
	known map[string]string
}

// put keeps an id.
func (j *jar) put(id string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.known == nil {
		j.known = map[string]string{}
	}
	j.known[id] = ""
}

// len is how many there are.
func (j *jar) len() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.known)
}

// awaitAll polls all jobs to their ends, at the replicas in turn.
func (j *jar) awaitAll(w *world, key string, replicas ...*replica) {
	w.t.Helper()
	states := map[string]string{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i, id := range idsOf(j.known) {
		wg.Go(func() {
			state := w.await(replicas[i%len(replicas)], key, id)
			mu.Lock()
			defer mu.Unlock()
			states[id] = state
		})
	}
	wg.Wait()
	j.known = states
}

// killBetweenSubmitAndPoll kills the only gateway there is, and starts another one in its place.
func killBetweenSubmitAndPoll(w *world) {
	known := &jar{}
	for i := range 3 {
		a := w.start()
		answer := w.insist(a, firstKey, film(fmt.Sprintf("order-%d", i), 4+i))
		if answer.job().ID == "" {
			w.t.Fatalf("no job: %s", answer)
		}
		known.put(answer.job().ID)
		if i == 1 { // the others are not asked for before the end of the one that made them
			w.poll(a, firstKey, answer.job().ID)
		}
		a.kill()
	}
	known.awaitAll(w, firstKey, w.start())
	known.awaitAll(w, firstKey, w.start()) // which does not know that they were charged
	w.settle()
	for id, state := range known.known {
		if state != "completed" {
			w.t.Errorf("job %s is %s", id, state)
		}
	}
	w.onceEach(w.ledger(filmPath))
	if unknown := w.balance(known.known); unknown != 0 {
		w.t.Errorf("the vendor bills %d tasks that nobody knows of", unknown)
	}
}

// rush submits from many clients until the replica is gone, and returns how many submits had no answer, or half of one.
func (w *world) rush(r *replica, clients int, known *jar) (unanswered int) {
	var wg sync.WaitGroup
	var broken atomic.Int64
	for client := range clients {
		wg.Go(func() {
			for i := 0; ; i++ {
				answer := w.submit(r, firstKey, film(fmt.Sprintf("order-%d-%d", client, i), 4+i%8))
				switch id := answer.job().ID; {
				case answer.err != nil:
					broken.Add(1)
					return
				case id == "":
					w.t.Errorf("no job: %s", answer)
					return
				default:
					known.put(id)
				}
			}
		})
	}
	wg.Wait()
	return int(broken.Load())
}

// during runs something once enough jobs are known, beside the rush.
func (j *jar) during(ctx context.Context, enough int, do func()) *sync.WaitGroup {
	var wg sync.WaitGroup
	wg.Go(func() {
		for j.len() < enough && ctx.Err() == nil {
			pause(ctx, time.Millisecond)
		}
		do()
	})
	return &wg
}

// killAmongSubmits kills a replica while many clients submit there. Another one answers every id that any of them got.
func killAmongSubmits(w *world) {
	const clients = 8
	a, b, known := w.start(), w.start(), &jar{}
	killed := known.during(w.t.Context(), 60, a.kill)
	unanswered := w.rush(a, clients, known)
	killed.Wait()
	known.awaitAll(w, firstKey, b)
	w.settle()
	w.onceEach(w.ledger(filmPath))
	if has(known.known, "failed") || has(known.known, "cancelled") {
		w.t.Errorf("a job did not complete: %v", known.known)
	}
	unknown := w.balance(known.known)
	if unknown > unanswered {
		w.t.Errorf("the vendor bills %d tasks that nobody knows of; %d submits had no answer", unknown, unanswered)
	}
	w.t.Logf("%d jobs, all completed at the other replica; %d submits were cut off, %d of them are billed", known.len(), unanswered, unknown)
}

// swapReplicas does the same with a replica that is told to end: no submit that it took is cut off.
func swapReplicas(w *world) {
	const clients = 8
	a, b, known := w.start(), w.start(), &jar{}
	stopped := known.during(w.t.Context(), 60, a.stop)
	w.rush(a, clients, known)
	stopped.Wait()
	known.awaitAll(w, firstKey, b)
	w.settle()
	w.onceEach(w.ledger(filmPath))
	if unknown := w.balance(known.known); unknown != 0 {
		w.t.Errorf("the vendor bills %d tasks that nobody knows of", unknown)
	}
}
