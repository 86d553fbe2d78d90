package ledger_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/ledger"
	"vipcloud.ai/vipcloud/gateway/money"
)

// TestSchedules drives replicas, an operator and an API server through random schedules of requests, jobs, crashes, lost answers,
// retirements, stale leaders and folds, and compares what the reports come to with a naive account of the same events.
func TestSchedules(t *testing.T) {
	schedules, steps := 120, 500
	if testing.Short() {
		schedules = 15
	}
	for seed := range schedules {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, uint64(seed))
			for range steps {
				w.step()
			}
			w.check()
			for _, r := range w.replicas {
				w.writeAll(r)
			}
			w.check()
		})
	}
}

// check compares the view with the truth, and with a view that is made at once.
func (w *world) check() {
	w.t.Helper()
	for _, deliver := range w.queue {
		deliver()
	}
	w.queue = nil
	var archives []ledger.Archived
	for _, a := range w.archives {
		archives = append(archives, ledger.Archived{Page: w.decode(a.data), Merged: a.merged})
	}
	var lives []ledger.Live
	for uid, o := range w.objects {
		lives = append(lives, live(uid, w.decode(o.data)))
	}
	fresh := ledger.Total(archives, lives)
	w.checkBooks()
	for _, key := range keys {
		want := w.truth.of(key, w.resets[key], w.now)
		if diff := cmp.Diff(want, seen(w.view, key, w.resets[key], w.now)); diff != "" {
			w.t.Fatalf("%s, kept up to date (-want +got):\n%s", key, diff)
		}
		if diff := cmp.Diff(want, seen(fresh, key, w.resets[key], w.now)); diff != "" {
			w.t.Fatalf("%s, added up (-want +got):\n%s", key, diff)
		}
	}
}

// checkBooks compares what books say of themselves with what they write.
func (w *world) checkBooks() {
	w.t.Helper()
	for _, r := range w.replicas {
		for _, key := range keys {
			data, _, err := r.book.Encode(ledger.Shard(key))
			if err != nil {
				w.t.Fatal(err)
			}
			page := w.decode(data)
			for _, reset := range w.resets[key] {
				for _, p := range periods {
					got := [2]money.Amount{r.book.Spent(key, reset, p, w.now), r.book.Reserved(key, reset, p, w.now)}
					want := [2]money.Amount{page.Spent(key, reset, p, w.now), page.Reserved(key, reset, p, w.now)}
					if got != want {
						w.t.Fatalf("%s %q %s: the book says %d spent and reserved, its page %d", key, reset, p, got, want)
					}
				}
			}
		}
	}
}
