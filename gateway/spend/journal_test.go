package spend_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"vipcloud.ai/vipcloud/gateway/ledger"
	"vipcloud.ai/vipcloud/gateway/money"
	"vipcloud.ai/vipcloud/gateway/spend"
)

// ours is the owner of the journals of these tests.
const ours = "shop/default/pod-1"

// store is where a replica's pages are written to, as an API server would.
type store struct {
	t     testing.TB
	dir   string
	pages [ledger.Shards][]byte
}

// process is a replica with a journal.
type process struct {
	*spend.Books
	store   *store
	journal *spend.Journal
}

// newStore makes one with an empty journal.
func newStore(tb testing.TB) *store {
	tb.Helper()
	return &store{t: tb, dir: tb.TempDir()}
}

// open begins a process that does not know yet what was written.
func (s *store) open() *process {
	s.t.Helper()
	j, err := spend.OpenJournal(s.dir, ours, slog.New(slog.DiscardHandler))
	if err != nil {
		s.t.Fatal(err)
	}
	p := &process{Books: spend.New(), store: s, journal: j}
	p.Keep(j)
	return p
}

// load goes on from what was written and from the journal.
func (p *process) load() (entries int) {
	p.store.t.Helper()
	var held [ledger.Shards]int64
	for shard, data := range &p.store.pages {
		if data == nil {
			continue
		}
		page := p.store.decode(data)
		held[shard] = page.Sequence()
		if err := p.Book.Load(page); err != nil {
			p.store.t.Fatal(err)
		}
	}
	entries, err := p.Replay(held)
	if err != nil {
		p.store.t.Fatal(err)
	}
	return entries
}

// start is open and load.
func (s *store) start() *process {
	s.t.Helper()
	p := s.open()
	p.load()
	return p
}

// crash ends a process: nothing that it knows is written any more.
func (p *process) crash() {
	p.store.t.Helper()
	if err := p.journal.Close(); err != nil {
		p.store.t.Fatal(err)
	}
}

// write writes a shard. Without an answer the process does not know that it was written.
func (p *process) write(shard int, answered bool) {
	p.store.t.Helper()
	data, sequence, err := p.Book.Encode(shard)
	if err != nil {
		p.store.t.Fatal(err)
	}
	p.store.pages[shard] = data
	if answered {
		p.Acknowledge(shard, sequence, "report")
	}
}

// pay counts a request of a key.
func (p *process) pay(key string, amount money.Amount) {
	p.Settle(&ledger.Entry{Key: key, Model: "m", At: noon, Requests: 1, Cost: amount, Usage: ledger.Usage{PromptTokens: 3, Songs: 1}})
}

// paid is what a key has spent by the book.
func (p *process) paid(key string) money.Amount { return p.Book.Spent(key, "", ledger.Lifetime, noon) }

// decode reads a page.
func (s *store) decode(data []byte) *ledger.Page {
	s.t.Helper()
	page, err := ledger.Decode(data)
	if err != nil {
		s.t.Fatal(err)
	}
	return page
}

// files are the segments of the journal.
func (s *store) files() []string {
	s.t.Helper()
	paths, err := filepath.Glob(filepath.Join(s.dir, "*.journal"))
	if err != nil {
		s.t.Fatal(err)
	}
	slices.Sort(paths)
	return paths
}

func TestJournal_keepsWhatWasNotWritten(t *testing.T) {
	s := newStore(t)
	p := s.start()
	p.pay(owner, 1)
	p.write(ledger.Shard(owner), true)
	p.pay(owner, 2)
	p.write(ledger.Shard(owner), false) // landed, unheard
	p.pay(owner, 4)
	job := ledger.JobEntry{
		Hash: fmt.Sprintf("%032x", 7), Key: owner, Model: "film", Amount: 8, State: ledger.JobReserved, Created: noon,
		Deadline: noon.Add(time.Hour), Ticket: "ticket",
	}
	if _, err := p.Job(&job); err != nil {
		t.Fatal(err)
	}
	p.crash()
	for range 3 { // crashes again before anything is written
		p = s.open()
		if n := p.load(); n != 2 {
			t.Errorf("%d entries were counted from the journal, want 2", n)
		}
		if got, held := p.paid(owner), p.Book.Reserved(owner, "", ledger.Lifetime, noon); got != 7 || held != 8 {
			t.Errorf("spent %v, want 7; held %v, want 8", got, held)
		}
		if due := p.Book.Overdue(noon.Add(time.Hour)); len(due) != 1 || due[0].Ticket != "ticket" {
			t.Errorf("due jobs %+v", due)
		}
		if dirty := p.Book.Dirty(); !slices.Equal(dirty, []int{ledger.Shard(owner)}) {
			t.Errorf("shards to write: %v", dirty)
		}
		p.crash()
	}
	p = s.start()
	p.write(ledger.Shard(owner), true)
	p.crash()
	p = s.open()
	if n := p.load(); n != 0 || p.paid(owner) != 7 {
		t.Errorf("after all was written %d entries come from the journal, spent %v", n, p.paid(owner))
	}
	h := ledger.Total(nil, []ledger.Live{{UID: "x", Page: s.decode(s.pages[ledger.Shard(owner)])}}).History(owner, noon)
	if len(h.Rows) != 1 || h.Rows[0].Requests != 3 || h.Rows[0].Usage.PromptTokens != 9 || h.Rows[0].Usage.Songs != 3 {
		t.Errorf("history %+v", h.Rows)
	}
}

func TestJournal_reportThatWasMergedMeanwhileIsNotCountedAgain(t *testing.T) {
	s := newStore(t)
	p := s.start()
	p.pay(owner, 1)
	p.write(ledger.Shard(owner), true)
	p.pay(owner, 2)
	p.crash()
	s.pages[ledger.Shard(owner)] = nil // it is in the archive, with number 1
	p = s.start()
	if got := p.paid(owner); got != 2 {
		t.Errorf("spent %v beside the archive, want 2", got)
	}
	p.pay(owner, 4)
	p.crash()
	p = s.start()
	if got := p.paid(owner); got != 6 {
		t.Errorf("after another crash spent %v, want 6", got)
	}
	if reports := p.journal.Reports(); reports[ledger.Shard(owner)] != "report" {
		t.Errorf("the journal names the reports %v", reports)
	}
}

func TestJournal_whatIsCountedBeforeTheReportsAreReadIsKept(t *testing.T) {
	s := newStore(t)
	p := s.start()
	for range 5 {
		p.pay(owner, 1)
	}
	p.write(ledger.Shard(owner), true)
	p.pay(owner, 10)
	p.crash()
	p = s.open()
	p.pay(owner, 100)
	p.load()
	if got := p.paid(owner); got != 115 {
		t.Errorf("spent %v, want 115", got)
	}
	p.pay(owner, 1000)
	p.crash()
	p = s.start()
	if got := p.paid(owner); got != 1115 {
		t.Errorf("after a crash spent %v, want 1115", got)
	}
}

func TestJournal_anEntryThatWasNotWrittenWholeEndsIt(t *testing.T) {
	for name, ruin := range map[string]func(data []byte) []byte{
		"cut off":             func(data []byte) []byte { return data[:len(data)-3] },
		"a length alone":      func(data []byte) []byte { return append(data, 9, 0, 0) },
		"zeros":               func(data []byte) []byte { return append(data, make([]byte, 64)...) },
		"a bit that is wrong": func(data []byte) []byte { data[len(data)-1] ^= 1; return data },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			p := s.start()
			p.pay(owner, 1)
			p.pay(owner, 2)
			p.crash()
			path := s.files()[0]
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			whole := bytes.Clone(data)
			if err := os.WriteFile(path, ruin(data), 0o600); err != nil {
				t.Fatal(err)
			}
			p = s.start()
			want := money.Amount(1)
			if ruined, err := os.ReadFile(path); err == nil && bytes.HasPrefix(ruined, whole) {
				want = 3
			}
			if got := p.paid(owner); got != want {
				t.Errorf("spent %v, want %v", got, want)
			}
			p.pay(owner, 4)
			p.crash()
			if got := s.start().paid(owner); got != want+4 {
				t.Errorf("after that spent %v, want %v", got, want+4)
			}
		})
	}
}

func TestJournal_isOneProcessAndOneOwner(t *testing.T) {
	s := newStore(t)
	p := s.start()
	p.pay(owner, 1)
	if _, err := spend.OpenJournal(s.dir, ours, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("two processes have it at once")
	}
	p.crash()
	other, err := spend.OpenJournal(s.dir, "another", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	books := spend.New()
	books.Keep(other)
	if n, err := books.Replay([ledger.Shards]int64{}); err != nil || n != 0 {
		t.Errorf("another owner counts %d entries, %v", n, err)
	}
	aside, err := filepath.Glob(filepath.Join(s.dir, "*.other"))
	if err != nil || len(aside) != 1 {
		t.Errorf("put aside: %v, %v", aside, err)
	}
}

func TestJournal_staysSmallWhileReportsAreWritten(t *testing.T) {
	s := newStore(t)
	p := s.start()
	for range 30 {
		for i := range 2000 {
			p.pay(fmt.Sprintf("shop/%d", i%300), 1)
		}
		for _, shard := range p.Book.Dirty() {
			p.write(shard, true)
		}
		if got := p.journal.Bytes(); got > 3<<20 {
			t.Fatalf("%d bytes", got)
		}
	}
	if n := len(s.files()); n > 3 {
		t.Errorf("%d files", n)
	}
	p.crash()
	p = s.start()
	var sum money.Amount
	for i := range 300 {
		sum += p.paid(fmt.Sprintf("shop/%d", i))
	}
	if sum != 60_000 {
		t.Errorf("spent %v", sum)
	}
}

func TestJournal_aDiskThatFailsLosesNothingButTheJournal(t *testing.T) {
	s := newStore(t)
	p := s.start()
	if err := os.RemoveAll(s.dir); err != nil {
		t.Fatal(err)
	}
	for range 20_000 { // until the segment is full
		p.pay(owner, 1)
	}
	if p.paid(owner) != 20_000 || p.journal.Skipped() == 0 {
		t.Errorf("spent %v; %d entries are not in the journal", p.paid(owner), p.journal.Skipped())
	}
}

// TestJournal_schedules drives a replica through random schedules of requests, jobs, writes, lost answers, crashes, merged reports and
// compactions. After each crash nothing may be missing and nothing may count twice.
func TestJournal_schedules(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 9))
			s := newStore(t)
			p := s.start()
			truth, archived, jobs := map[string]money.Amount{}, map[string]money.Amount{}, 0
			keys := []string{"shop/web", "shop/key-118", "team-a/batch", "team-b/agent"}
			unheard := [ledger.Shards]int64{}
			compacted := 0
			check := func() {
				t.Helper()
				for _, key := range keys {
					if got := p.paid(key) + archived[key]; got != truth[key] {
						t.Fatalf("%s has spent %v, want %v", key, got, truth[key])
					}
				}
			}
			for range 400 {
				key := keys[random.IntN(len(keys))]
				shard := ledger.Shard(key)
				switch n := random.IntN(100); {
				case n < 60:
					amount := money.Amount(random.Int64N(1000))
					p.pay(key, amount)
					truth[key] += amount
				case n < 68:
					jobs++
					e := ledger.JobEntry{Hash: fmt.Sprintf("%032x", jobs), Key: key, Model: "film", Amount: 7, State: ledger.JobCharged, Created: noon, Deadline: noon.Add(time.Hour)}
					if _, err := p.Job(&e); err != nil {
						t.Fatal(err)
					}
					truth[key] += 7
				case n < 84:
					if unheard[shard] != 0 { // the same page is written until somebody hears of it
						p.Acknowledge(shard, unheard[shard], "report")
						unheard[shard] = 0
					}
					answered := random.IntN(3) > 0
					p.write(shard, answered)
					if !answered {
						unheard[shard] = p.Book.Sequence(shard)
					}
				case n < 92:
					if err := p.CompactNow(unheard); err != nil {
						t.Fatal(err)
					}
					compacted++
				default:
					p.crash()
					unheard = [ledger.Shards]int64{}
					p = s.start()
					check()
				}
			}
			check()
			if compacted == 0 {
				t.Error("nothing was compacted")
			}
		})
	}
}

func TestJournal_compactedSegmentsAreVoidEvenIfTheyAreStillThere(t *testing.T) {
	s := newStore(t)
	p := s.start()
	for range 40_000 {
		p.pay(owner, 1)
	}
	old := s.files()
	if len(old) < 3 {
		t.Fatalf("only %d segments", len(old))
	}
	first, err := os.ReadFile(old[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := p.CompactNow([ledger.Shards]int64{}); err != nil {
		t.Fatal(err)
	}
	if got := p.journal.Bytes(); got > 64<<10 {
		t.Errorf("compacted to %d bytes", got)
	}
	p.crash()
	if err := os.WriteFile(old[0], first, 0o600); err != nil { // as if the process had ended before it was deleted
		t.Fatal(err)
	}
	if got := s.start().paid(owner); got != 40_000 {
		t.Errorf("spent %v, want 40000", got)
	}
	if _, err := os.Stat(old[0]); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the void segment is still there: %v", err)
	}
}

func BenchmarkSettle(b *testing.B) {
	entries := make([]ledger.Entry, 10_000)
	for i := range entries {
		entries[i] = ledger.Entry{
			Key: fmt.Sprintf("team-%d/service-%d", i%100, i), Model: "deepseek-v4-pro", At: noon, Requests: 1, Cost: 1234,
			Usage: ledger.Usage{PromptTokens: 5000, CompletionTokens: 400, CachedTokens: 1024},
		}
	}
	b.Run("without a journal", func(b *testing.B) {
		books := spend.New()
		for i := 0; b.Loop(); i++ {
			books.Settle(&entries[i%len(entries)])
		}
	})
	b.Run("with a journal", func(b *testing.B) {
		p := newStore(b).start()
		for i := 0; b.Loop(); i++ {
			p.Settle(&entries[i%len(entries)])
			if i%20_000 == 19_999 { // as often as at 20,000 requests a second
				for shard := range ledger.Shards {
					p.Acknowledge(shard, p.Book.Sequence(shard), "report")
				}
			}
		}
	})
}
