package ledger_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/ledger"
	"vipcloud.ai/vipcloud/gateway/money"
)

func TestView_FollowsReports(t *testing.T) {
	other := entry(noon, 100)
	other.Key = "shop/key-118"
	first, second := page(t, entry(noon, 1), other), page(t, entry(noon, 1), other, entry(noon, 2))
	archived := func(pages ...*ledger.Page) (*ledger.Page, []string) {
		a := ledger.NewArchive(56)
		for i, p := range pages {
			if err := a.Merge(fmt.Sprintf("uid-%d", i), p); err != nil {
				t.Fatal(err)
			}
		}
		return reread(t, a), a.Merged()
	}
	one, oneUIDs := archived(second)
	both := []string{"shop/key-118", web}
	v := ledger.NewView()
	steps := []struct {
		name      string
		do        func() []string
		wantKeys  []string
		wantSpent money.Amount
	}{
		{"a report appears", func() []string { return v.SetLive("uid-0", first) }, both, 1},
		{"it is seen again", func() []string { return v.SetLive("uid-0", decode(t, encode(t, book(t, entry(noon, 1), other), 56))) }, nil, 1},
		{"one of its keys changes", func() []string { return v.SetLive("uid-0", second) }, []string{web}, 3},
		{"another report appears", func() []string { return v.SetLive("uid-1", first) }, both, 4},
		{"the first is merged", func() []string { return v.SetArchive(one, oneUIDs) }, both, 4},
		{"the first is gone", func() []string { return v.DropLive("uid-0", 56) }, both, 4},
		{"its UID leaves the list", func() []string { return v.SetArchive(one, nil) }, both, 4},
		{"a report nobody knows is gone", func() []string { return v.DropLive("uid-7", 56) }, nil, 4},
		{"the second is listed although the archive is the same", func() []string { return v.SetArchive(one, []string{"uid-1"}) }, both, 3},
		{"the second is gone", func() []string { return v.DropLive("uid-1", 56) }, both, 3},
		{"a key leaves the archive", func() []string { return v.SetArchive(page(t, entry(noon, 5)), nil) }, both, 5},
		{"somebody deletes the archive", func() []string { return v.DropArchive(56) }, []string{web}, 0},
		{"it was deleted before", func() []string { return v.DropArchive(56) }, nil, 0},
		{"it is back", func() []string { return v.SetArchive(page(t, entry(noon, 5)), nil) }, []string{web}, 5},
	}
	for _, step := range steps {
		if got := step.do(); !slices.Equal(got, step.wantKeys) {
			t.Errorf("%s: keys %v, want %v", step.name, got, step.wantKeys)
		}
		if got := v.Spent(web, "", ledger.Day, noon); got != step.wantSpent {
			t.Errorf("%s: spent %d, want %d", step.name, got, step.wantSpent)
		}
	}
	if got := v.Spent("shop/key-118", "", ledger.Lifetime, noon); got != 0 || !v.LastUsed("shop/key-118").IsZero() {
		t.Errorf("a key that no report knows has spent %d", got)
	}
	if got := v.LastUsed(web); !got.Equal(noon) {
		t.Errorf("last used %s", got)
	}
}

func TestView_CountsAJobOfManyReportsOnce(t *testing.T) {
	v := ledger.NewView()
	v.SetLive("a", page(t, reserve(1, 5), reserve(2, 7)))
	v.SetLive("b", page(t, charge(1, 4)))
	v.SetLive("c", page(t, release(1), reserve(2, 7)))
	for step, want := range []struct{ spent, reserved money.Amount }{{4, 7}, {0, 7}, {0, 7}} {
		spent, reserved := v.Spent(web, "", ledger.Day, noon), v.Reserved(web, "", ledger.Day, noon)
		if spent != want.spent || reserved != want.reserved {
			t.Errorf("step %d: spent %d, reserved %d, want %d and %d", step, spent, reserved, want.spent, want.reserved)
		}
		v.DropLive(string("ba"[step%2]), 56)
	}
}

func TestView_HistoryWithJobsOfManyReports(t *testing.T) {
	chat := entry(noon, 2)
	chat.Estimated = true
	chat.Usage = ledger.Usage{
		PromptTokens: 1, CompletionTokens: 2, CachedTokens: 3, ReasoningTokens: 4, CacheWriteTokens: 5,
		Images: 6, Seconds: 7, Characters: 8, Songs: 9,
	}
	old := entry(noon.Add(-days(2)), 9)
	v := ledger.NewView()
	v.SetLive("a", page(t, chat, old, charge(1, 5), reserve(2, 5)))
	v.SetLive("b", page(t, chat, charge(1, 5), charge(3, 5)))
	today := noon.Truncate(days(1))
	want := ledger.History{Rows: []ledger.HistoryRow{
		{
			Day: today, Model: "qwen3-max", Requests: 2, Estimated: 2, Cost: 4, Usage: ledger.Usage{
				PromptTokens: 2, CompletionTokens: 4, CachedTokens: 6, ReasoningTokens: 8, CacheWriteTokens: 10,
				Images: 12, Seconds: 14, Characters: 16, Songs: 18,
			},
		},
		{Day: today, Model: "seedance-2", Usage: ledger.Usage{Seconds: 10}, Cost: 10},
	}}
	if diff := cmp.Diff(want, v.History(web, noon.Add(-days(1)))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if rows := v.History(web, noon.Add(-days(2))).Rows; len(rows) != 3 || rows[0].Cost != 9 {
		t.Errorf("from the day before: %+v", rows)
	}
	if got := v.History("shop/unknown", noon); len(got.Rows) != 0 {
		t.Errorf("of an unknown key: %+v", got)
	}
}

func TestView_Overdue(t *testing.T) {
	with := func(n int, deadline time.Duration, state ledger.JobState) ledger.JobEntry {
		e := video(n, state, 5)
		e.Reset, e.Deadline = "2026-11", noon.Add(deadline)
		return e
	}
	v := ledger.NewView()
	v.SetLive("a", page(t, with(1, 2*time.Hour, ledger.JobReserved), with(2, 2*time.Hour, ledger.JobReserved),
		with(3, 2*time.Hour+time.Second, ledger.JobReserved), with(4, time.Hour, ledger.JobReserved), with(5, time.Hour, ledger.JobReleased)))
	v.SetLive("b", page(t, with(2, 2*time.Hour, ledger.JobCharged), with(1, 2*time.Hour, ledger.JobReserved)))
	free := with(6, time.Hour, ledger.JobReserved)
	free.Key, free.Amount = "team-a/batch", 0
	b := book(t, free)
	v.SetLive("c", decode(t, encode(t, b, 8)))
	seen := func(e ledger.JobEntry) ledger.JobEntry {
		e.Created = e.Created.Truncate(days(1))
		return e
	}
	want := []ledger.JobEntry{seen(with(4, time.Hour, ledger.JobReserved)), seen(free), seen(with(1, 2*time.Hour, ledger.JobReserved))}
	got := v.Overdue(noon.Add(2 * time.Hour))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	adopter := ledger.NewBook()
	for _, e := range got {
		e.State = ledger.JobCharged
		if _, err := adopter.Job(e); err != nil {
			t.Fatal(err)
		}
	}
	v.SetLive("d", decode(t, encode(t, adopter, 56)))
	v.SetLive("e", decode(t, encode(t, adopter, 8)))
	if left := v.Overdue(noon.Add(2 * time.Hour)); len(left) != 0 {
		t.Errorf("left after they were charged: %+v", left)
	}
	if got := v.Spent(web, "2026-11", ledger.Day, noon); got != 15 {
		t.Errorf("spent %d, want 15", got)
	}
}

func TestView_CanBeReadWhileItChanges(t *testing.T) {
	pages := []*ledger.Page{page(t, entry(noon, 1)), page(t, entry(noon, 2), reserve(1, 1))}
	v := ledger.NewView()
	v.SetLive("a", pages[0])
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if got := v.Spent(web, "", ledger.Day, noon); got != 1 && got != 2 {
					t.Errorf("spent %d", got)
					return
				}
				v.Reserved(web, "", ledger.Day, noon)
				v.History(web, noon)
				v.Overdue(noon)
			}
		})
	}
	for i := range 500 {
		v.SetLive("a", pages[i%2])
		v.SetArchive(decode(t, []byte(strings.Replace(emptyPage, `"shard":0`, `"shard":56`, 1))), []string{"b"})
	}
	close(stop)
	readers.Wait()
}

// emptyPage is a page of shard 0 with nothing in it.
const emptyPage = `{"format":1,"horizon":0,"keys":{},"sequence":0,"shard":0,"thinned":0}`
