package spend_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"vipcloud.ai/vipcloud/gateway/ledger"
	"vipcloud.ai/vipcloud/gateway/money"
	"vipcloud.ai/vipcloud/gateway/quota"
	"vipcloud.ai/vipcloud/gateway/spend"
)

// noon is when everything happens.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// owner is the key of the tests.
const owner = "shop/web"

// cost enters a request into books.
func cost(b *spend.Books, amount money.Amount) {
	b.Book.Settle(ledger.Entry{Key: owner, Model: "m", At: noon, Requests: 1, Cost: amount})
}

// total is what the key has spent by all that the books know.
func total(b *spend.Books) money.Amount { return b.Total(owner, "", quota.Month, noon) }

// write makes the page of the key's shard and reads it into the books, as whoever writes reports does.
func write(t *testing.T, b *spend.Books, uid string) *ledger.Page {
	t.Helper()
	data, sequence, err := b.Book.Encode(ledger.Shard(owner))
	if err != nil {
		t.Fatal(err)
	}
	page, err := ledger.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	b.Book.Acknowledge(ledger.Shard(owner), sequence)
	b.View.SetLive(uid, page)
	b.Written(page)
	return page
}

func TestBooks_everyAmountCountsOnce(t *testing.T) {
	mine, other := spend.New(), spend.New()
	cost(mine, 10)
	if read, since := mine.Spent(owner, "", quota.Day, noon); read != 0 || since != 10 {
		t.Errorf("before it was written: read %d, since %d", read, since)
	}
	page := write(t, mine, "mine")
	if read, since := mine.Spent(owner, "", quota.Day, noon); read != 10 || since != 0 {
		t.Errorf("after it was written: read %d, since %d", read, since)
	}
	other.View.SetLive("mine", page)
	cost(other, 5)
	cost(mine, 1)
	if total(mine) != 11 || total(other) != 15 {
		t.Errorf("totals %d and %d", total(mine), total(other))
	}
	if got := mine.Total(owner, "reset", quota.Month, noon); got != 0 {
		t.Errorf("under another value of the annotation it is %d", got)
	}
}

func TestBooks_publishAsksWhoeverWrites(t *testing.T) {
	b := spend.New()
	b.Publish(t.Context(), owner) // nobody: nothing happens
	asked := ""
	b.SetPublisher(func(_ context.Context, owner string) { asked = owner })
	if b.Publish(t.Context(), owner); asked != owner {
		t.Errorf("asked for %q", asked)
	}
}

// open opens files and runs them until the returned function is called.
func open(t *testing.T, dir string) (*spend.Books, func()) {
	t.Helper()
	books := spend.New()
	files, err := spend.OpenFiles(dir, books, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- files.Run(ctx) }()
	return books, func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestFiles_whatWasCountedIsThereAfterARestart(t *testing.T) {
	dir := t.TempDir()
	for want := range money.Amount(3) {
		books, stop := open(t, dir)
		if got := total(books); got != want*10 {
			t.Errorf("start %d: %d, want %d", want, got, want*10)
		}
		cost(books, 10)
		stop()
	}
}

func TestFiles_gatewaysOfOneDirectoryReadEachOther(t *testing.T) {
	dir := t.TempDir()
	first, stopFirst := open(t, dir)
	defer stopFirst()
	second, stopSecond := open(t, dir)
	defer stopSecond()
	cost(first, 7)
	cost(second, 4)
	for end := time.Now().Add(10 * time.Second); total(first) != 11 || total(second) != 11; {
		if time.Now().After(end) {
			t.Fatalf("totals %d and %d", total(first), total(second))
		}
		<-time.After(20 * time.Millisecond)
	}
}

func TestFiles_whatCannotBeReadIsSaidAndLeftAlone(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "0", "5.json")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("no page"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := spend.OpenFiles(dir, spend.New(), slog.New(slog.DiscardHandler)); err == nil {
		t.Fatal("it is taken")
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "no page" {
		t.Errorf("the file holds %q, %v", data, err)
	}
}
