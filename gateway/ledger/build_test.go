package ledger_test

import (
	"fmt"
	"testing"
	"time"

	"vipcloud.ai/vipcloud/gateway/ledger"
	"vipcloud.ai/vipcloud/gateway/money"
)

// noon is a Sunday, the last day of a week, when the tests begin.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// days is a number of days.
func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }

// web is the key of most tests.
const web = "shop/web"

// entry is a request of a key at a time that cost so much.
func entry(at time.Time, cost money.Amount) ledger.Entry {
	return ledger.Entry{
		Key: web, Model: "qwen3-max", At: at, Requests: 1, Cost: cost, Usage: ledger.Usage{PromptTokens: 10, CompletionTokens: 5},
	}
}

// video is an event of a job of the key, made at noon.
func video(n int, state ledger.JobState, amount money.Amount) ledger.JobEntry {
	return ledger.JobEntry{
		Hash: fmt.Sprintf("%032x", n), Key: web, Model: "seedance-2", State: state, Amount: amount, Usage: ledger.Usage{Seconds: 5},
		Created: noon, Deadline: noon.Add(48 * time.Hour),
	}
}

// reserve, charge and release are such events.
func reserve(n int, amount money.Amount) ledger.JobEntry { return video(n, ledger.JobReserved, amount) }
func charge(n int, amount money.Amount) ledger.JobEntry  { return video(n, ledger.JobCharged, amount) }
func release(n int) ledger.JobEntry                      { return video(n, ledger.JobReleased, 9) }

// live is a live report.
func live(uid string, p *ledger.Page) ledger.Live { return ledger.Live{UID: uid, Page: p} }

// total is the view of live reports alone, called a, b and so on.
func total(pages ...*ledger.Page) *ledger.View {
	var lives []ledger.Live
	for i, p := range pages {
		lives = append(lives, live(string(rune('a'+i)), p))
	}
	return ledger.Total(nil, lives)
}

// totalWith is the view of an archive as it is written now, and of live reports.
func totalWith(tb testing.TB, a *ledger.Archive, lives ...ledger.Live) *ledger.View {
	tb.Helper()
	return ledger.Total([]ledger.Archived{{Page: reread(tb, a), Merged: a.Merged()}}, lives)
}

// book returns a book that has counted what is given: ledger.Entry and ledger.JobEntry.
func book(tb testing.TB, counted ...any) *ledger.Book {
	tb.Helper()
	b := ledger.NewBook()
	for _, c := range counted {
		switch c := c.(type) {
		case ledger.Entry:
			b.Settle(c)
		case ledger.JobEntry:
			if _, err := b.Job(c); err != nil {
				tb.Fatal(err)
			}
		}
	}
	return b
}

// encode returns a shard of a book as bytes.
func encode(tb testing.TB, b *ledger.Book, shard int) []byte {
	tb.Helper()
	data, _, err := b.Encode(shard)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// decode returns bytes as a page.
func decode(tb testing.TB, data []byte) *ledger.Page {
	tb.Helper()
	p, err := ledger.Decode(data)
	if err != nil {
		tb.Fatalf("%v:\n%.2000s", err, data)
	}
	return p
}

// page returns what a book that has counted something writes of the key's shard.
func page(tb testing.TB, counted ...any) *ledger.Page {
	tb.Helper()
	return decode(tb, encode(tb, book(tb, counted...), ledger.Shard(web)))
}

// reread returns an archive as it is read after it was written.
func reread(tb testing.TB, a *ledger.Archive) *ledger.Page {
	tb.Helper()
	data, err := a.Encode()
	if err != nil {
		tb.Fatal(err)
	}
	return decode(tb, data)
}

// keysOf returns keys of one shard.
func keysOf(shard, n int) []string {
	all := make([]string, 0, n)
	for i := 0; len(all) < n; i++ {
		if key := fmt.Sprintf("team/key-%d", i); ledger.Shard(key) == shard {
			all = append(all, key)
		}
	}
	return all
}
