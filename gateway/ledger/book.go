package ledger

import (
	"fmt"
	"sync"
	"time"

	"vipcloud.ai/vipcloud/gateway/money"
)

// Book is what one replica has counted. It is safe for concurrent use: each shard has a lock, which Encode holds while it writes.
type Book struct {
	shards [Shards]bookShard
}

// bookShard is one shard of a book.
type bookShard struct {
	mu    sync.Mutex
	sheet sheet
	// acknowledged is the sequence up to which a report was written.
	acknowledged int64
	// retired is the sequence up to which the archive has what was counted here.
	retired int64
	loaded  bool
}

// NewBook returns an empty book.
func NewBook() *Book {
	b := &Book{}
	for i := range b.shards {
		b.shards[i].sheet.shard = i
	}
	return b
}

// of locks the shard of a key and returns it with the key as the ledger writes it.
func (b *Book) of(key string) (*bookShard, string) {
	key = identifier(key, maxKey)
	s := &b.shards[shardOf(key)]
	s.mu.Lock()
	return s, key
}

// Settle counts an entry. Nothing is ever refused: names that are too long or not plain are counted under a digest of them. It
// allocates nothing for a known key, model and day.
func (b *Book) Settle(e Entry) Receipt {
	s, key := b.of(e.Key)
	defer s.mu.Unlock()
	whole := s.sheet.settle(key, &e)
	return s.receipt(whole)
}

// Job counts what is known of a job. What was known before, or what is less than that, changes nothing. Errors wrap ErrJob or
// ErrLate, and then nothing was counted.
func (b *Book) Job(e JobEntry) (Receipt, error) {
	h, err := parseHash(e.Hash)
	if err != nil {
		return Receipt{}, err
	}
	j := newJob(&e)
	if j.state == 0 {
		return Receipt{}, fmt.Errorf("%w: its state is %q", ErrJob, e.State)
	}
	s, key := b.of(e.Key)
	defer s.mu.Unlock()
	changed, whole, err := s.sheet.job(key, h, j, newTicket(&e))
	switch {
	case err != nil:
		return Receipt{}, err
	case !changed:
		return Receipt{Shard: s.sheet.shard, Sequence: s.sheet.sequence}, nil
	}
	return s.receipt(whole), nil
}

// receipt numbers an entry that was counted.
func (s *bookShard) receipt(whole bool) Receipt {
	s.sheet.sequence++
	return Receipt{Shard: s.sheet.shard, Sequence: s.sheet.sequence, Saturated: !whole}
}

// Dirty returns the shards that have counted something since what was acknowledged, in order.
func (b *Book) Dirty() []int {
	var dirty []int
	for i := range b.shards {
		s := &b.shards[i]
		s.mu.Lock()
		if s.sheet.sequence > s.acknowledged {
			dirty = append(dirty, i)
		}
		s.mu.Unlock()
	}
	return dirty
}

// Encode returns a shard as a page, and its sequence to acknowledge once it is written. Equal content gives equal bytes. A page
// of more than MaxBytes is made smaller for good: first the oldest days of its history go, down to seven, then the models of each
// key become OtherModel, then the other days go. Money and jobs are never thinned. The error wraps ErrTooLarge; nothing is lost
// then, but nothing can be written before jobs were folded.
func (b *Book) Encode(shard int) (data []byte, sequence int64, err error) {
	s := &b.shards[shard]
	s.mu.Lock()
	defer s.mu.Unlock()
	data, err = s.sheet.encode()
	return data, s.sheet.sequence, err
}

// Acknowledge says that a page of a shard was written.
func (b *Book) Acknowledge(shard int, sequence int64) {
	s := &b.shards[shard]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.acknowledged = max(s.acknowledged, sequence)
}

// Sequence returns how many entries a shard has counted; see Receipt.
func (b *Book) Sequence(shard int) int64 {
	s := &b.shards[shard]
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sheet.sequence
}

// Skip says that a process before this one had written the entries up to a number, wherever they are now: this one goes on after it.
func (b *Book) Skip(shard int, sequence int64) {
	s := &b.shards[shard]
	s.mu.Lock()
	defer s.mu.Unlock()
	if more := sequence - s.acknowledged; more > 0 {
		s.sheet.sequence += more
		s.acknowledged += more
	}
}

// Advance says that what was counted so far is all up to a number: what a process before this one counted is counted again, maybe as
// fewer entries.
func (b *Book) Advance(shard int, sequence int64) {
	s := &b.shards[shard]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sheet.sequence = max(s.sheet.sequence, sequence)
}

// Load goes on from what this replica had written before it was started again. It is best done before anything is counted: what was
// counted is kept and to be written, but its receipts have numbers from before. A shard is loaded once: the second time is
// ErrLoaded, and nothing changes.
func (b *Book) Load(p *Page) error {
	s := &b.shards[p.shard]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.loaded {
		return fmt.Errorf("shard %d: %w", p.shard, ErrLoaded)
	}
	s.loaded = true
	s.sheet.horizon = max(s.sheet.horizon, p.horizon)
	s.sheet.absorb(p)
	s.sheet.sequence += p.sequence
	s.acknowledged += p.sequence
	return nil
}

// Folded forgets the jobs that an archive has folded into its counters. A book keeps them until it is told.
func (b *Book) Folded(archive *Page) {
	s := &b.shards[archive.shard]
	s.mu.Lock()
	defer s.mu.Unlock()
	if archive.horizon > s.sheet.horizon {
		s.sheet.forgetJobs(archive.horizon)
	}
}

// Retired says that the report of a shard was merged into the archive although this replica is still running, as happens when it
// was thought dead. What the report held, the last page that was written, is taken back; the rest belongs to a new report. The error
// wraps ErrAncestor if the page was never this book's or was taken back before, and then nothing changes.
func (b *Book) Retired(acknowledged *Page) error {
	s := &b.shards[acknowledged.shard]
	s.mu.Lock()
	defer s.mu.Unlock()
	if acknowledged.sequence <= s.retired || acknowledged.sequence > s.sheet.sequence || !s.sheet.covers(acknowledged) {
		return fmt.Errorf("shard %d: %w", acknowledged.shard, ErrAncestor)
	}
	s.retired = acknowledged.sequence
	s.sheet.subtract(acknowledged)
	return nil
}

// Spent returns what this replica has counted that a key has spent; see View.Spent. It allocates nothing.
func (b *Book) Spent(key, reset string, period Period, at time.Time) money.Amount {
	s, key := b.of(key)
	defer s.mu.Unlock()
	return s.standing(key).spent(reset, period, at)
}

// Reserved returns what running jobs of a key hold, as far as this replica knows; see View.Reserved. It allocates nothing.
func (b *Book) Reserved(key, reset string, period Period, at time.Time) money.Amount {
	s, key := b.of(key)
	defer s.mu.Unlock()
	return s.standing(key).reserved(reset, period, at)
}

// standing returns where the money of a key stands, nil if nothing is known of it.
func (s *bookShard) standing(key string) *standing {
	if r := s.sheet.keys[key]; r != nil {
		return &r.standing
	}
	return nil
}
