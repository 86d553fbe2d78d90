package ledger_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"vipcloud.ai/vipcloud/gateway/ledger"
	"vipcloud.ai/vipcloud/gateway/money"
)

// historyOf returns the history that a page alone comes to.
func historyOf(p *ledger.Page, key string) ledger.History {
	return total(p).History(key, time.Unix(0, 0))
}

// summary adds rows up by one of their members.
func summary(h ledger.History, by func(ledger.HistoryRow) string) map[string]int64 {
	sums := map[string]int64{}
	for _, r := range h.Rows {
		sums[by(r)] += r.Requests
	}
	return sums
}

func byModel(r ledger.HistoryRow) string { return r.Model }
func byDay(r ledger.HistoryRow) string   { return r.Day.Format(time.DateOnly) }

func TestBook_KeepsHistoryForSomeDays(t *testing.T) {
	b := ledger.NewBook()
	idle := entry(noon, 1)
	idle.Model = "used on the first day only"
	b.Settle(idle)
	for day := range 40 {
		b.Settle(entry(noon.Add(days(day)), 1))
	}
	h := historyOf(decode(t, encode(t, b, 56)), web)
	got := summary(h, byDay)
	if len(h.Rows) != ledger.HistoryDays || got["2026-11-27"] != 1 || got["2026-11-26"] != 0 || got["2026-12-31"] != 1 {
		t.Errorf("%d rows: %v", len(h.Rows), got)
	}
	b.Settle(entry(noon, 1)) // late: it takes nobody's place, and nothing breaks
	if got := len(historyOf(decode(t, encode(t, b, 56)), web).Rows); got != ledger.HistoryDays {
		t.Errorf("%d rows after one that came late", got)
	}
	if got := b.Spent(web, "", ledger.Lifetime, noon); got != 42 {
		t.Errorf("spent %d in all", got)
	}
}

func TestArchive_KeepsTheNewestDays(t *testing.T) {
	a := ledger.NewArchive(56)
	for i, first := range []int{60, 0, 30} {
		b := ledger.NewBook()
		for day := range 30 {
			b.Settle(entry(noon.Add(days(first+day)), 1))
		}
		if err := a.Merge(fmt.Sprint(i), decode(t, encode(t, b, 56))); err != nil {
			t.Fatal(err)
		}
	}
	h := historyOf(reread(t, a), web)
	if len(h.Rows) != ledger.HistoryDays || !h.Rows[0].Day.Equal(noon.Truncate(days(1)).Add(days(90-ledger.HistoryDays))) {
		t.Errorf("%d rows from %s", len(h.Rows), h.Rows[0].Day)
	}
}

func TestBook_KeepsSomeModelsByName(t *testing.T) {
	many := func(prefix string, n int) *ledger.Page {
		b := ledger.NewBook()
		for i := range n {
			e := entry(noon, 1)
			e.Model = fmt.Sprintf("%s-%02d", prefix, i)
			b.Settle(e)
		}
		return decode(t, encode(t, b, 56))
	}
	check := func(name string, got map[string]int64, named int, other int64) {
		t.Helper()
		if got[ledger.OtherModel] != other || len(got) != named+min(int(other), 1) {
			t.Errorf("%s: %d models, %d requests of others: %v", name, len(got), got[ledger.OtherModel], got)
		}
	}
	check("as many as are kept", summary(historyOf(many("m", ledger.MaxModels), web), byModel), ledger.MaxModels, 0)
	check("three more", summary(historyOf(many("m", ledger.MaxModels+3), web), byModel), ledger.MaxModels, 3)
	a := ledger.NewArchive(56)
	for i, p := range []*ledger.Page{many("m", ledger.MaxModels+3), many("m", ledger.MaxModels), many("n", 10)} {
		if err := a.Merge(fmt.Sprint(i), p); err != nil {
			t.Fatal(err)
		}
	}
	got := summary(historyOf(reread(t, a), web), byModel)
	check("an archive of several", got, ledger.MaxModels, 13)
	if got["m-07"] != 2 {
		t.Errorf("a model that has its name: %d requests", got["m-07"])
	}
}

// large returns a book of one shard: keys that used some models on each of some days.
func large(tb testing.TB, keys []string, models, forDays int) *ledger.Book {
	tb.Helper()
	b := ledger.NewBook()
	for day := range forDays {
		for i, key := range keys {
			for m := range models {
				b.Settle(ledger.Entry{
					Key: key, Model: fmt.Sprintf("a-model-with-a-name-%d", m), At: noon.Add(days(day)), Requests: 1, Cost: money.Unit + money.Amount(i),
					Usage: ledger.Usage{PromptTokens: 1_000_000, CompletionTokens: 100_000, CachedTokens: 500_000},
				})
			}
		}
	}
	return b
}

func TestEncode_ThinsHistoryAndNeverMoney(t *testing.T) {
	tests := map[string]struct {
		keys, models, days int
		wantDays           int
		wantModels         int
	}{
		"everything fits":                      {keys: 50, models: 2, days: 35, wantDays: 35, wantModels: 2},
		"the oldest days go":                   {keys: 200, models: 2, days: 35, wantDays: 10, wantModels: 2},
		"then the models become one":           {keys: 200, models: 5, days: 35, wantDays: 7, wantModels: 1},
		"then the other days go, too":          {keys: 900, models: 3, days: 10, wantDays: 1, wantModels: 1},
		"many keys without any room for usage": {keys: 1500, models: 1, days: 2, wantDays: 0, wantModels: 0},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			used := keysOf(9, tc.keys)
			b := large(t, used, tc.models, tc.days)
			data := encode(t, b, 9)
			if len(data) > ledger.MaxBytes && tc.wantDays > 0 {
				t.Errorf("%d bytes", len(data))
			}
			p := decode(t, data)
			if again := encode(t, b, 9); string(again) != string(data) {
				t.Error("written again it is another page")
			}
			h := historyOf(p, used[1])
			if got := len(summary(h, byDay)); got != tc.wantDays {
				t.Errorf("%d days are left, want %d (%d bytes)", got, tc.wantDays, len(data))
			}
			got := summary(h, byModel)
			if len(got) != tc.wantModels || (tc.wantModels == 1 && tc.models > 1 && got[ledger.OtherModel] == 0) {
				t.Errorf("models: %v", got)
			}
			if wantWhole := noon.Truncate(days(1)).Add(days(tc.days - tc.wantDays)); tc.wantDays < tc.days && !h.Whole.Equal(wantWhole) {
				t.Errorf("history is whole from %s on, want %s", h.Whole, wantWhole)
			}
			if tc.wantDays == tc.days && !h.Whole.IsZero() {
				t.Errorf("history is whole from %s on, but nothing went", h.Whole)
			}
			for i, key := range used {
				want := (money.Unit + money.Amount(i)) * money.Amount(tc.models*tc.days)
				if got := p.Spent(key, "", ledger.Lifetime, noon); got != want {
					t.Fatalf("%s has spent %s, want %s", key, got, want)
				}
			}
		})
	}
}

func TestEncode_JobsMayTakeMoreThanHistory(t *testing.T) {
	b := book(t, entry(noon, 1))
	count := 0
	add := func(n int) {
		for range n {
			e := charge(count, 1)
			e.Hash = fmt.Sprintf("%032x", 1<<40+count*7919)
			if _, err := b.Job(e); err != nil {
				t.Fatal(err)
			}
			count++
		}
	}
	add(20_000)
	data := encode(t, b, 56)
	if len(data) <= ledger.MaxBytes || len(data) > ledger.MaxMoneyBytes {
		t.Errorf("%d bytes", len(data))
	}
	if got := decode(t, data).Spent(web, "", ledger.Day, noon); got != money.Amount(count+1) {
		t.Errorf("spent %d, want %d", got, count+1)
	}
	add(30_000)
	if data, _, err := b.Encode(56); !errors.Is(err, ledger.ErrTooLarge) || data != nil {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	if got := b.Spent(web, "", ledger.Day, noon); got != money.Amount(count+1) {
		t.Errorf("spent %d after it could not be written, want %d", got, count+1)
	}
	a := ledger.NewArchive(56)
	if err := a.Merge("a", decode(t, data)); err != nil {
		t.Fatal(err)
	}
	if folded := a.Fold(nil, foldable); folded.Charged != 20_000 {
		t.Errorf("folded %+v", folded)
	}
	b.Folded(reread(t, a))
	if data := encode(t, b, 56); len(data) > 1000 || strings.Contains(string(data), "charged") {
		t.Errorf("after the archive has folded the jobs the page has %d bytes", len(data))
	}
}
