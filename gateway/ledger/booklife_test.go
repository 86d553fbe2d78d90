package ledger_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"vipcloud.ai/vipcloud/gateway/ledger"
	"vipcloud.ai/vipcloud/gateway/money"
)

func TestBook_DirtyUntilAcknowledged(t *testing.T) {
	b := ledger.NewBook()
	if got := b.Dirty(); len(got) != 0 {
		t.Errorf("an empty book is dirty in %v", got)
	}
	first := b.Settle(entry(noon, 1))
	other := entry(noon, 1)
	other.Key = "team-a/batch"
	b.Settle(other)
	if got := b.Dirty(); !slices.Equal(got, []int{8, 56}) {
		t.Errorf("dirty: %v", got)
	}
	data, sequence, err := b.Encode(56)
	if err != nil || sequence != first.Sequence || decode(t, data).Sequence() != sequence {
		t.Errorf("sequence %d, the entry has %d: %v", sequence, first.Sequence, err)
	}
	second := b.Settle(entry(noon, 1))
	if second.Sequence != first.Sequence+1 {
		t.Errorf("the second entry has number %d", second.Sequence)
	}
	b.Acknowledge(56, sequence)
	if got := b.Dirty(); !slices.Equal(got, []int{8, 56}) {
		t.Errorf("dirty after what was counted before the second entry was written: %v", got)
	}
	b.Acknowledge(56, second.Sequence)
	b.Acknowledge(56, sequence) // an answer that comes late
	if got := b.Dirty(); !slices.Equal(got, []int{8}) {
		t.Errorf("dirty: %v", got)
	}
	e := reserve(1, 5)
	for _, want := range [][]int{{8, 56}, {8}} {
		r, err := b.Job(e)
		if got := b.Dirty(); err != nil || !slices.Equal(got, want) {
			t.Errorf("dirty after a job's event: %v, want %v: %v", got, want, err)
		}
		b.Acknowledge(56, r.Sequence) // the same event again is no news
	}
}

func TestBook_LoadGoesOn(t *testing.T) {
	before := book(t, entry(noon, 3), reserve(1, 5))
	written := decode(t, encode(t, before, 56))
	b := ledger.NewBook()
	if err := b.Load(written); err != nil {
		t.Fatal(err)
	}
	if got := b.Dirty(); len(got) != 0 {
		t.Errorf("dirty after nothing but loading: %v", got)
	}
	if got, want := encode(t, b, 56), encode(t, before, 56); string(got) != string(want) {
		t.Errorf("loaded:\n%s\nwant\n%s", got, want)
	}
	if r := b.Settle(entry(noon, 4)); r.Sequence != written.Sequence()+1 {
		t.Errorf("the next entry has number %d", r.Sequence)
	}
	if _, err := b.Job(charge(1, 5)); err != nil {
		t.Fatal(err)
	}
	if got := b.Spent(web, "", ledger.Day, noon); got != 12 {
		t.Errorf("spent %d, want 12", got)
	}
	if err := b.Load(written); !errors.Is(err, ledger.ErrLoaded) {
		t.Errorf("loaded twice: %v", err)
	}
	if got := b.Spent(web, "", ledger.Day, noon); got != 12 {
		t.Errorf("spent %d after it was refused, want 12", got)
	}
}

func TestBook_RetiredKeepsWhatWasNotWritten(t *testing.T) {
	b := book(t, entry(noon, 3), reserve(1, 5), charge(2, 6))
	acknowledged := decode(t, encode(t, b, 56))
	b.Settle(entry(noon.Add(time.Second), 4))
	if _, err := b.Job(charge(1, 5)); err != nil {
		t.Fatal(err)
	}
	archive := ledger.NewArchive(56)
	if err := archive.Merge("old", acknowledged); err != nil {
		t.Fatal(err)
	}
	if err := b.Retired(acknowledged); err != nil {
		t.Fatal(err)
	}
	if got := b.Spent(web, "", ledger.Day, noon); got != 4+5 {
		t.Errorf("the book is left with %d", got)
	}
	v := totalWith(t, archive, live("new", decode(t, encode(t, b, 56))))
	if got := v.Spent(web, "", ledger.Day, noon); got != 3+4+5+6 {
		t.Errorf("in total %d, want 18", got)
	}
	rows := v.History(web, noon).Rows
	if len(rows) != 2 || rows[0].Requests != 2 || rows[0].Cost != 7 || rows[0].Usage.PromptTokens != 20 || rows[1].Cost != 11 {
		t.Errorf("history: %+v", rows)
	}
	if err := b.Retired(acknowledged); !errors.Is(err, ledger.ErrAncestor) {
		t.Errorf("taken back twice: %v", err)
	}
	if got := b.Spent(web, "", ledger.Day, noon); got != 9 {
		t.Errorf("the book is left with %d after it was refused", got)
	}
	everything := decode(t, encode(t, b, 56))
	if err := b.Retired(everything); err != nil {
		t.Fatal(err)
	}
	if got := string(encode(t, b, 56)); !strings.Contains(got, `"keys":{}`) {
		t.Errorf("something is left: %s", got)
	}
	if err := b.Retired(everything); !errors.Is(err, ledger.ErrAncestor) {
		t.Errorf("taken back from nothing: %v", err)
	}
}

func TestBook_RetiredRefusesPagesOfOthers(t *testing.T) {
	other := entry(noon, 1)
	other.Key = "shop/key-118"
	free, unknown := other, other
	free.Cost, unknown.Key = 0, "shop/key-125"
	b := book(t, other, other, other, entry(noon, 1))
	for name, p := range map[string]*ledger.Page{
		"it has spent more than the book":          page(t, entry(noon, 2)),
		"it has more entries than the book":        page(t, free, free, free, free, free),
		"it has a key that the book does not know": page(t, unknown),
	} {
		if err := b.Retired(p); !errors.Is(err, ledger.ErrAncestor) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := b.Spent("shop/key-118", "", ledger.Day, noon); got != 3 {
		t.Errorf("left with %d, want 3", got)
	}
}

func TestBook_RetiredAfterItsModelsBecameOne(t *testing.T) {
	used := keysOf(9, 200)
	b := large(t, used, 3, 7)
	written := decode(t, encode(t, b, 9))
	if got := len(historyOf(written, used[0]).Rows); got != 21 {
		t.Fatalf("%d rows were written, want 21", got)
	}
	for _, key := range used {
		for _, name := range []string{"new-1", "new-2", "new-3"} {
			e := entry(noon, 1)
			e.Key, e.Model = key, name
			b.Settle(e)
		}
	}
	if got := len(historyOf(decode(t, encode(t, b, 9)), used[0]).Rows); got != 7 {
		t.Fatalf("%d rows are left once the models have become one, want 7", got)
	}
	if err := b.Retired(written); err != nil {
		t.Fatal(err)
	}
	rows := historyOf(decode(t, encode(t, b, 9)), used[0]).Rows
	if len(rows) != 1 || rows[0].Model != ledger.OtherModel || rows[0].Requests != 3 || rows[0].Cost != 3 {
		t.Errorf("left: %+v", rows)
	}
}

func TestBook_RetiredAfterItsJobsWereFolded(t *testing.T) {
	other := charge(2, 6)
	other.Key = "shop/key-118" // it has nothing but a job
	b := book(t, entry(noon, 3), charge(1, 5), other)
	written := decode(t, encode(t, b, 56))
	a := ledger.NewArchive(56)
	a.Fold([]ledger.Live{live("old", written)}, foldable)
	b.Folded(reread(t, a))
	if err := a.Merge("old", written); err != nil {
		t.Fatal(err)
	}
	if err := b.Retired(written); err != nil {
		t.Fatal(err)
	}
	v := totalWith(t, a, live("new", decode(t, encode(t, b, 56))))
	if one, two := v.Spent(web, "", ledger.Lifetime, noon), v.Spent("shop/key-118", "", ledger.Lifetime, noon); one != 8 || two != 6 {
		t.Errorf("spent %d and %d, want 8 and 6", one, two)
	}
}

func TestBook_IsSafeForConcurrentUse(t *testing.T) {
	const workers, each = 8, 300
	b := ledger.NewBook()
	shared := keysOf(56, 3)
	var writing sync.WaitGroup
	for worker := range workers {
		writing.Go(func() {
			for i := range each {
				e := entry(noon, 1)
				e.Key, e.Model = shared[i%len(shared)], fmt.Sprintf("model-%d", worker)
				b.Settle(e)
				j := charge(i, 1) // the same jobs by all of them
				j.Key = shared[i%len(shared)]
				if _, err := b.Job(j); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writing.Go(func() {
		v := ledger.NewView()
		for range 50 {
			data, sequence, err := b.Encode(56)
			if err != nil {
				t.Error(err)
				return
			}
			b.Acknowledge(56, sequence)
			v.SetLive("a", decode(t, data))
			b.Spent(shared[0], "", ledger.Day, noon)
			b.Dirty()
		}
	})
	writing.Wait()
	var sum money.Amount
	for _, key := range shared {
		sum += b.Spent(key, "", ledger.Lifetime, noon)
	}
	if want := money.Amount(workers*each + each); sum != want {
		t.Errorf("counted %d, want %d", sum, want)
	}
}
