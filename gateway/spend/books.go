// Package spend keeps what this replica has counted and what the reports of all replicas say, and answers from both what a key has
// spent. Where reports are written and read is somebody else's business.
package spend

import (
	"context"
	"crypto/rand"
	"sync/atomic"
	"time"

	"vipcloud.ai/vipcloud/gateway/ledger"
	"vipcloud.ai/vipcloud/gateway/money"
	"vipcloud.ai/vipcloud/gateway/quota"
)

// Books are the accounts of a replica. They are safe for concurrent use; the zero value is not ready.
type Books struct {
	// Book is what this replica has counted.
	Book *ledger.Book
	// View is what all replicas had reported when their reports were last read, this one's included.
	View *ledger.View

	// written are the pages of this replica that View holds, by shard. A page is put here after View has it: in between it counts
	// twice, which refuses a request too many rather than one too few.
	written [ledger.Shards]atomic.Pointer[ledger.Page]
	// journal keeps what is counted until it is written; nil: nothing does.
	journal *Journal
	// names are where this replica's pages are written, and others has those of other replicas.
	names  [ledger.Shards]atomic.Pointer[string]
	others others

	publish atomic.Pointer[func(ctx context.Context, owner string)]
}

// New returns empty books.
func New() *Books {
	b := &Books{Book: ledger.NewBook(), View: ledger.NewView()}
	nowhere := rand.Text()
	for shard := range b.names {
		b.Name(shard, nowhere)
	}
	return b
}

// Keep makes a journal keep what is counted until it is acknowledged. It is called before anything is counted, and Replay before
// anything is written.
func (b *Books) Keep(j *Journal) { b.journal = j }

// Journal is the one that keeps what is counted; nil: none does.
func (b *Books) Journal() *Journal { return b.journal }

// Settle counts a request of this replica; see ledger.Book.
func (b *Books) Settle(e *ledger.Entry) ledger.Receipt {
	j := b.journal
	if j == nil {
		return b.Book.Settle(*e)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	receipt := b.Book.Settle(*e)
	j.count(requestRecord(receipt, e))
	return receipt
}

// Job counts what this replica knows of a job; see ledger.Book.
func (b *Books) Job(e *ledger.JobEntry) (ledger.Receipt, error) {
	j := b.journal
	if j == nil {
		return b.Book.Job(*e)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	receipt, err := b.Book.Job(*e)
	if err == nil {
		j.count(jobRecord(receipt, e))
	}
	return receipt, err
}

// Acknowledge says that a page of a shard was written, in a report of that name.
func (b *Books) Acknowledge(shard int, sequence int64, report string) {
	b.Book.Acknowledge(shard, sequence)
	if b.journal != nil {
		b.journal.acknowledge(shard, sequence, report)
	}
}

// Written says that View holds this page of the replica's own.
func (b *Books) Written(p *ledger.Page) { b.written[p.Shard()].Store(p) }

// Unwritten says that a shard's report of this replica is gone from View, or was merged into an archive that View holds.
func (b *Books) Unwritten(shard int) { b.written[shard].Store(nil) }

// SetPublisher sets what Publish calls: it writes what this replica has spent and reads what others wrote.
func (b *Books) SetPublisher(publish func(ctx context.Context, owner string)) {
	b.publish.Store(&publish)
}

// Publish implements quota.Spending. Without a publisher there is nobody to tell.
func (b *Books) Publish(ctx context.Context, owner string) {
	if publish := b.publish.Load(); publish != nil {
		(*publish)(ctx, owner)
	}
}

// Spent implements quota.Spending. What running jobs hold counts as spent.
func (b *Books) Spent(owner, reset string, period quota.Period, at time.Time) (read, since money.Amount) {
	p := ledger.Period(period)
	// In this order: a page that is acknowledged in between counts twice, and never not at all.
	page := b.written[ledger.Shard(owner)].Load()
	since = sum(b.Book.Spent(owner, reset, p, at), b.Book.Reserved(owner, reset, p, at))
	read = sum(b.View.Spent(owner, reset, p, at), b.View.Reserved(owner, reset, p, at))
	if page != nil {
		since = max(since-sum(page.Spent(owner, reset, p, at), page.Reserved(owner, reset, p, at)), 0)
	}
	return read, since
}

// Total returns what a key has spent by all that is known here, and what its running jobs hold.
func (b *Books) Total(owner, reset string, period quota.Period, at time.Time) money.Amount {
	return sum(b.Spent(owner, reset, period, at))
}

// sum adds, and stays at the largest amount.
func sum(a, c money.Amount) money.Amount {
	total, ok := a.Add(c)
	if !ok {
		return money.Max
	}
	return total
}
