package ledger_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/ledger"
	"vipcloud.ai/vipcloud/gateway/money"
)

// foldable is when the jobs of the tests can be folded, to the hour.
var foldable = noon.Add(48*time.Hour + ledger.Keep + ledger.Slack)

func TestArchive_MergesAReportOnce(t *testing.T) {
	report := page(t, entry(noon, 3), charge(1, 5))
	a := ledger.NewArchive(56)
	if err := a.Merge("b", report); err != nil {
		t.Fatal(err)
	}
	before := reread(t, a)
	if err := a.Merge("b", report); !errors.Is(err, ledger.ErrMerged) {
		t.Errorf("merged twice: %v", err)
	}
	if got := reread(t, a); got.Spent(web, "", ledger.Day, noon) != 8 || got.Sequence() != before.Sequence() {
		t.Errorf("spent %d, sequence %d after it was refused", got.Spent(web, "", ledger.Day, noon), got.Sequence())
	}
	if err := a.Merge("a", report); err != nil {
		t.Fatal(err)
	}
	if got := reread(t, a).Spent(web, "", ledger.Day, noon); got != 3+3+5 {
		t.Errorf("two reports that know one job come to %d, want 11", got)
	}
	if got := a.Merged(); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("merged: %v", got)
	}
	again := ledger.OpenArchive(reread(t, a), []string{"b", "a", "b"})
	if err := again.Merge("a", report); !errors.Is(err, ledger.ErrMerged) {
		t.Errorf("merged again after it was read: %v", err)
	}
	if !again.Gone("a", "c") || again.Gone("a") || !slices.Equal(again.Merged(), []string{"b"}) {
		t.Errorf("merged after one is gone: %v", again.Merged())
	}
}

func TestArchive_RefusesAnotherShard(t *testing.T) {
	a := ledger.NewArchive(8)
	if err := a.Merge("a", page(t, entry(noon, 3))); !errors.Is(err, ledger.ErrShard) {
		t.Errorf("got %v", err)
	}
	if got := a.Merged(); len(got) != 0 {
		t.Errorf("merged: %v", got)
	}
}

func TestArchive_NewerPeriodsWin(t *testing.T) {
	older, newer := page(t, entry(noon.Add(-days(2)), 1), entry(noon.Add(-days(1)), 2)), page(t, entry(noon.Add(-days(1)), 4), entry(noon, 8))
	for name, order := range map[string][]*ledger.Page{"the newer report last": {older, newer}, "the newer report first": {newer, older}} {
		t.Run(name, func(t *testing.T) {
			a := ledger.NewArchive(56)
			for i, p := range order {
				if err := a.Merge(string(rune('a'+i)), p); err != nil {
					t.Fatal(err)
				}
			}
			got := map[string]money.Amount{}
			p := reread(t, a)
			for back := range 3 {
				at := noon.Add(-days(back))
				got[at.Format(time.DateOnly)] = p.Spent(web, "", ledger.Day, at)
			}
			got["life"] = p.Spent(web, "", ledger.Lifetime, noon)
			want := map[string]money.Amount{"2026-11-22": 8, "2026-11-21": 6, "2026-11-20": 0, "life": 15}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			v := totalWith(t, a)
			if rows := v.History(web, noon.Add(-days(9))).Rows; len(rows) != 3 || rows[0].Cost != 1 {
				t.Errorf("the oldest day is not in the history: %+v", rows)
			}
		})
	}
}

func TestArchive_Fold(t *testing.T) {
	withJob := func(e ledger.JobEntry, change func(*ledger.JobEntry)) ledger.JobEntry {
		change(&e)
		return e
	}
	later := withJob(charge(7, 100), func(e *ledger.JobEntry) { e.Deadline = e.Deadline.Add(time.Second) })
	tests := map[string]struct {
		archived, live, mergedLive []any
		at                         time.Time
		want                       ledger.Folded
		wantSpent, wantLeft        money.Amount
	}{
		"nothing is old enough": {
			archived: []any{charge(1, 5)}, at: foldable.Add(-time.Second), wantSpent: 5, wantLeft: 5,
		},
		"a charged job": {
			archived: []any{charge(1, 5)}, at: foldable, want: ledger.Folded{Charged: 1}, wantSpent: 5,
		},
		"a released job": {
			archived: []any{release(1)}, at: foldable, want: ledger.Folded{Released: 1},
		},
		"a job whose end nobody knows is charged": {
			archived: []any{reserve(1, 5)}, at: foldable, want: ledger.Folded{Unknown: 1, UnknownAmount: 5}, wantSpent: 5,
		},
		"a job that only a live report knows": {
			live: []any{charge(1, 5)}, at: foldable, want: ledger.Folded{Charged: 1}, wantSpent: 5,
		},
		"a job whose end only a live report knows": {
			archived: []any{reserve(1, 5)}, live: []any{charge(1, 4)}, at: foldable,
			want: ledger.Folded{Charged: 1}, wantSpent: 4,
		},
		"a job that everybody knows": {
			archived: []any{charge(1, 5)}, live: []any{charge(1, 5)}, mergedLive: []any{charge(1, 5)},
			at: foldable, want: ledger.Folded{Charged: 1}, wantSpent: 5,
		},
		"a deadline is rounded up to an hour": {
			archived: []any{later, charge(1, 5)}, at: foldable, want: ledger.Folded{Charged: 1}, wantSpent: 105, wantLeft: 100,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			a := ledger.NewArchive(56)
			if err := a.Merge("first", page(t, tc.archived...)); err != nil {
				t.Fatal(err)
			}
			merged := page(t, tc.mergedLive...)
			if err := a.Merge("merged", merged); err != nil {
				t.Fatal(err)
			}
			lives := []ledger.Live{live("live", page(t, tc.live...)), live("merged", merged)}
			if diff := cmp.Diff(tc.want, a.Fold(lives, tc.at)); diff != "" {
				t.Errorf("folded (-want +got):\n%s", diff)
			}
			if again := a.Fold(lives, tc.at); again != (ledger.Folded{}) {
				t.Errorf("folded again: %+v", again)
			}
			p := reread(t, a)
			v := totalWith(t, a, lives...)
			if got := v.Spent(web, "", ledger.Day, noon); got != tc.wantSpent {
				t.Errorf("spent %d in total, want %d", got, tc.wantSpent)
			}
			if got := v.Reserved(web, "", ledger.Lifetime, noon); got != 0 {
				t.Errorf("reserved %d", got)
			}
			fresh := ledger.OpenArchive(p, nil)
			if left := fresh.Fold(nil, noon.AddDate(1, 0, 0)); (left.Charged > 0) != (tc.wantLeft > 0) {
				t.Errorf("left in the set: %+v", left)
			}
		})
	}
}

func TestArchive_WhatWasFoldedNeverCountsAgain(t *testing.T) {
	replica := book(t, reserve(1, 5), charge(1, 5), entry(noon, 1))
	report := live("live", decode(t, encode(t, replica, 56)))
	a := ledger.NewArchive(56)
	a.Fold([]ledger.Live{report}, foldable)
	archive := reread(t, a)
	if got := archive.Spent(web, "", ledger.Day, noon); got != 5 {
		t.Fatalf("folded %d", got)
	}
	check := func(step string, archived ledger.Archived, lives ...ledger.Live) {
		t.Helper()
		if got := ledger.Total([]ledger.Archived{archived}, lives).Spent(web, "", ledger.Day, noon); got != 6 {
			t.Errorf("%s: %d in total, want 6", step, got)
		}
	}
	check("the report still has it", ledger.Archived{Page: archive}, report)
	if _, err := replica.Job(charge(1, 5)); err != nil {
		t.Errorf("a replica that does not know that it was folded: %v", err)
	}
	replica.Folded(archive)
	if _, err := replica.Job(charge(1, 5)); !errors.Is(err, ledger.ErrLate) {
		t.Errorf("a replica that knows: %v", err)
	}
	if got := replica.Spent(web, "", ledger.Day, noon); got != 1 {
		t.Errorf("the replica is left with %d, want 1", got)
	}
	forgotten := live("live", decode(t, encode(t, replica, 56)))
	check("the replica has forgotten it", ledger.Archived{Page: archive}, forgotten)
	for step, l := range map[string]ledger.Live{"retired with it": report, "retired without it": forgotten} {
		merging := ledger.OpenArchive(archive, nil)
		if err := merging.Merge("live", l.Page); err != nil {
			t.Fatal(err)
		}
		check(step, ledger.Archived{Page: reread(t, merging), Merged: merging.Merged()}, l)
	}
	restarted := ledger.NewBook()
	if err := restarted.Load(forgotten.Page); err != nil {
		t.Fatal(err)
	}
	if _, err := restarted.Job(charge(1, 5)); !errors.Is(err, ledger.ErrLate) {
		t.Errorf("a replica that was started again: %v", err)
	}
}

func TestArchive_FoldPutsJobsWhereTheyWereMade(t *testing.T) {
	a := ledger.NewArchive(56)
	job := charge(1, 5)
	job.Reset = "2026-11"
	if err := a.Merge("a", page(t, job, entry(foldable, 1))); err != nil {
		t.Fatal(err)
	}
	a.Fold(nil, foldable)
	v := totalWith(t, a)
	want := []ledger.HistoryRow{
		{Day: noon.Truncate(days(1)), Model: "seedance-2", Usage: ledger.Usage{Seconds: 5}, Cost: 5},
		{Day: foldable.Truncate(days(1)), Model: "qwen3-max", Requests: 1, Usage: ledger.Usage{PromptTokens: 10, CompletionTokens: 5}, Cost: 1},
	}
	if diff := cmp.Diff(want, v.History(web, noon.Add(-days(99))).Rows); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	for _, p := range periods {
		if got := v.Spent(web, "2026-11", p, noon); got != 5 {
			t.Errorf("%s of the job's reset value: %d", p, got)
		}
	}
	if got := v.Spent(web, "", ledger.Lifetime, noon); got != 1 {
		t.Errorf("without a reset value: %d", got)
	}
}

func TestArchive_FoldForgetsOldHistory(t *testing.T) {
	a := ledger.NewArchive(56)
	old := charge(1, 5)
	if err := a.Merge("a", page(t, entry(noon, 1), old)); err != nil {
		t.Fatal(err)
	}
	const kept = ledger.HistoryDays - 1
	for _, tc := range []struct{ after, want int }{{kept, 1}, {kept + 1, 0}} {
		a.Fold(nil, noon.Add(days(tc.after)))
		v := totalWith(t, a)
		rows := v.History(web, time.Unix(0, 0)).Rows
		requests := slices.DeleteFunc(rows, func(r ledger.HistoryRow) bool { return r.Requests == 0 })
		if len(requests) != tc.want {
			t.Errorf("after %d days: %+v", tc.after, rows)
		}
		if got := v.Spent(web, "", ledger.Lifetime, noon); got != 6 {
			t.Errorf("after %d days: spent %d", tc.after, got)
		}
	}
}

func TestArchive_Forget(t *testing.T) {
	a := ledger.NewArchive(56)
	if err := a.Merge("a", page(t, entry(noon, 1))); err != nil {
		t.Fatal(err)
	}
	if !a.Forget(web) || a.Forget(web) {
		t.Error("what was there is forgotten once")
	}
	if got := reread(t, a).Spent(web, "", ledger.Lifetime, noon); got != 0 {
		t.Errorf("left with %d", got)
	}
}

func TestArchive_Idle(t *testing.T) {
	late := entry(noon, 1)
	late.Key = keysOf(56, 1)[0]
	a := ledger.NewArchive(56)
	if err := a.Merge("a", page(t, entry(noon.Add(-days(1)), 1), late)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		before time.Time
		want   []string
	}{
		{noon.Add(-days(1)), nil}, {noon, []string{web}}, {noon.Add(time.Second), []string{web, late.Key}},
	} {
		if diff := cmp.Diff(c.want, a.Idle(c.before)); diff != "" {
			t.Errorf("before %v (-want +got):\n%s", c.before, diff)
		}
	}
	jobs := ledger.NewArchive(56)
	if err := jobs.Merge("a", page(t, reserve(1, 5))); err != nil {
		t.Fatal(err)
	}
	if got := jobs.Idle(noon.Add(days(90))); got != nil {
		t.Errorf("%v are idle although a job is open", got)
	}
	jobs.Fold(nil, noon.Add(days(30)))
	if got := jobs.Idle(noon.Add(-days(1))); got != nil {
		t.Errorf("%v are idle since before the job", got)
	}
}
