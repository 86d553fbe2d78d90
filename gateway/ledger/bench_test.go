package ledger_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"vipcloud.ai/vipcloud/gateway/ledger"
	"vipcloud.ai/vipcloud/gateway/money"
)

// activeKeys is how many keys the figures are for.
const activeKeys = 10_000

func activeKey(i int) string { return fmt.Sprintf("team-%d/key-%d", i%100, i) }

// active returns a book in which so many keys used so many models on so many days.
func active(keys, models, forDays int) *ledger.Book {
	b := ledger.NewBook()
	for day := range forDays {
		for i := range keys {
			for m := range models {
				e := entry(noon.Add(days(day)), money.Unit/100)
				e.Key, e.Model = activeKey(i), fmt.Sprintf("model-%d", m)
				e.Usage.PromptTokens, e.Usage.CompletionTokens = 120_000, 34_000
				b.Settle(e)
			}
		}
	}
	return b
}

func TestHotPathAllocates(t *testing.T) {
	b := book(t, entry(noon, 1), reserve(1, 5), charge(2, 5))
	p := decode(t, encode(t, b, 56))
	v := total(p)
	again, event := entry(noon, 1), reserve(1, 5)
	for name, tc := range map[string]struct {
		do   func()
		want float64
	}{
		"settling for a known key":    {func() { b.Settle(again) }, 0},
		"what a book has spent":       {func() { b.Spent(web, "", ledger.Month, noon) }, 0},
		"what a book holds":           {func() { b.Reserved(web, "", ledger.Month, noon) }, 0},
		"what a page has spent":       {func() { p.Spent(web, "", ledger.Month, noon) }, 0},
		"what a page holds":           {func() { p.Reserved(web, "", ledger.Month, noon) }, 0},
		"what all have spent":         {func() { v.Spent(web, "", ledger.Month, noon) }, 0},
		"what all hold":               {func() { v.Reserved(web, "", ledger.Month, noon) }, 0},
		"spent by an unknown key":     {func() { v.Spent("shop/unknown", "", ledger.Month, noon) }, 0},
		"when a key was used":         {func() { v.LastUsed(web) }, 0},
		"an event of a job, repeated": {func() { _, _ = b.Job(event) }, 1},
		"nothing is dirty":            {func() { b.Acknowledge(56, 1<<60); b.Dirty() }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := testing.AllocsPerRun(200, tc.do); got > tc.want {
				t.Errorf("%v allocations, want at most %v", got, tc.want)
			}
		})
	}
}

// heap returns how many bytes what make returns takes.
func heap[T any](build func() T) (value T, bytes int) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	value = build()
	runtime.GC()
	runtime.ReadMemStats(&after)
	return value, int(after.HeapAlloc) - int(before.HeapAlloc)
}

// The figures of the package comment.
func TestMemoryPerKey(t *testing.T) {
	tests := map[string]struct {
		models, days int
		wantBook     int // bytes a key, at most
		wantView     int
	}{
		"one model on one day":    {1, 1, 700, 1000},
		"two models on five days": {2, 5, 2200, 1600},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			b, bookBytes := heap(func() *ledger.Book { return active(activeKeys, tc.models, tc.days) })
			encoded := 0
			v, viewBytes := heap(func() *ledger.View {
				v := ledger.NewView()
				for shard := range ledger.Shards {
					data := encode(t, b, shard)
					encoded += len(data)
					v.SetLive("a", decode(t, data))
				}
				return v
			})
			t.Logf("bytes a key: %d in a book, %d encoded, %d in a view of one report",
				bookBytes/activeKeys, encoded/activeKeys, viewBytes/activeKeys)
			if bookBytes > tc.wantBook*activeKeys {
				t.Errorf("a book takes %d bytes a key, want at most %d", bookBytes/activeKeys, tc.wantBook)
			}
			if viewBytes > tc.wantView*activeKeys {
				t.Errorf("a view takes %d bytes a key, want at most %d", viewBytes/activeKeys, tc.wantView)
			}
			runtime.KeepAlive(b)
			runtime.KeepAlive(v)
		})
	}
}

func BenchmarkSettle(b *testing.B) {
	books := active(activeKeys, 2, 1)
	e := entry(noon, money.Unit/100)
	e.Model = "model-1"
	keys := make([]string, activeKeys)
	for i := range keys {
		keys[i] = activeKey(i)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		e.Key = keys[i%activeKeys]
		books.Settle(e)
	}
}

func BenchmarkSettleInParallel(b *testing.B) {
	books := active(activeKeys, 2, 1)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		e := entry(noon, money.Unit/100)
		e.Model = "model-1"
		for i := 0; pb.Next(); i++ {
			e.Key = web
			books.Settle(e)
		}
	})
}

func BenchmarkSpent(b *testing.B) {
	v := viewOf(b, active(activeKeys, 2, 1))
	keys := make([]string, activeKeys)
	for i := range keys {
		keys[i] = activeKey(i)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		v.Spent(keys[i%activeKeys], "", ledger.Month, noon)
	}
}

// viewOf returns a view of one report.
func viewOf(tb testing.TB, of *ledger.Book) *ledger.View {
	tb.Helper()
	v := ledger.NewView()
	for shard := range ledger.Shards {
		v.SetLive("a", decode(tb, encode(tb, of, shard)))
	}
	return v
}

// fullShard returns a book whose shard 9 is as large as it may be.
func fullShard(tb testing.TB) (b *ledger.Book, used []string) {
	tb.Helper()
	used = keysOf(9, activeKeys/ledger.Shards)
	return large(tb, used, 1, 35), used
}

func BenchmarkEncode(b *testing.B) {
	full, _ := fullShard(b)
	b.ReportAllocs()
	for b.Loop() {
		b.SetBytes(int64(len(encode(b, full, 9))))
	}
}

func BenchmarkDecode(b *testing.B) {
	full, _ := fullShard(b)
	data := encode(b, full, 9)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		decode(b, data)
	}
}

func BenchmarkSetLive(b *testing.B) {
	full, used := fullShard(b)
	before := decode(b, encode(b, full, 9))
	e := entry(noon.Add(days(34)), 1)
	e.Key = used[0]
	full.Settle(e)
	after := decode(b, encode(b, full, 9))
	v := ledger.NewView()
	pages := []*ledger.Page{before, after}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		v.SetLive("a", pages[i%2])
	}
}

func BenchmarkHistory(b *testing.B) {
	full, used := fullShard(b)
	v := viewOf(b, full)
	b.ReportAllocs()
	for b.Loop() {
		v.History(used[0], time.Unix(0, 0))
	}
}

func BenchmarkJobs(b *testing.B) {
	full := book(b)
	for i := range 10_000 {
		e := charge(i, money.Amount(i%5))
		if _, err := full.Job(e); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("encode", func(b *testing.B) {
		for b.Loop() {
			b.SetBytes(int64(len(encode(b, full, 56))))
		}
	})
	p := decode(b, encode(b, full, 56))
	if _, err := full.Job(charge(10_001, 1)); err != nil {
		b.Fatal(err)
	}
	pages := []*ledger.Page{p, decode(b, encode(b, full, 56))}
	b.Run("set live of three", func(b *testing.B) {
		v := total(p, p, p)
		for i := 0; b.Loop(); i++ {
			v.SetLive("a", pages[i%2])
		}
	})
}
