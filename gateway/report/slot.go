package report

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/gateway/ledger"
)

// page is a page of the book and how it is written.
type page struct {
	*ledger.Page
	data     []byte
	sequence int64
	// unsure says that some attempt to write it had no answer.
	unsure bool
}

// slot is the report in which one shard of the book is written. Ledger.mu guards it; only the goroutine of Run changes what is not
// said to be of others.
type slot struct {
	name    string
	uid     types.UID // empty: not created, as far as is known
	version string
	// written is the page that the API server is known to hold; nil: none. pending is one of which nobody said whether it holds it:
	// it is written again, the same, until that is known. So there are never more than these two.
	written *ledger.Page
	pending *page
	// seen is when the API server last spoke of the report.
	seen time.Time
	// tried is when it was last written, or tried to.
	tried time.Time
	// waiting is since when something waits to be written; zero: nothing does.
	waiting time.Time
	// force says that it is to be written although nothing was counted.
	force bool

	// Of the watch, too. check says that somebody else touched the report. dead is the UID of one that was seen to be deleted.
	check bool
	dead  types.UID
	// asked is closed when what was counted so far is written; nil: nobody waits.
	asked chan struct{}
}

// ask returns a channel that is closed when a write has ended that began later.
func (s *slot) ask() <-chan struct{} {
	if s.asked == nil {
		s.asked = make(chan struct{})
	}
	return s.asked
}

// due says that a report is to be looked at although nothing was counted.
func (s *slot) due() bool { return s.force || s.check || s.pending != nil }

// dirty says whether a shard has something to write. Ledger.mu is held.
func (l *Ledger) dirty(shard int) bool {
	return l.slots[shard].due() || slices.Contains(l.opts.Books.Book.Dirty(), shard)
}

// unwritten is dirty, for those who do not hold the lock.
func (l *Ledger) unwritten(shard int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dirty(shard)
}

// next chooses the shard to write now: one that is asked for, else the one that has waited for longest.
func (l *Ledger) next() (shard int, found bool) {
	now := l.opts.Clock.Now()
	if now.Before(l.failing) {
		return 0, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	counted := l.opts.Books.Book.Dirty()
	l.wait(counted, now)
	for i := range l.slots {
		s := &l.slots[i]
		age := now.Sub(s.tried)
		if s.asked != nil && age >= urgentInterval {
			return i, true
		}
		if age < shardInterval || !s.due() && !slices.Contains(counted, i) {
			continue
		}
		if !found || s.tried.Before(l.slots[shard].tried) {
			shard, found = i, true
		}
	}
	return shard, found && !now.Before(l.busyUntil)
}

// begin gives a slot a name that no report ever had.
func (l *Ledger) begin(shard int) {
	l.names++
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%s/%s/%d", l.opts.Replica, l.opts.PodUID, l.writer, l.names))
	s := &l.slots[shard]
	s.name = "vipcloud-" + l.opts.Instance.Name + "-" + strconv.Itoa(shard) + "-" + hex.EncodeToString(sum[:6])
	s.uid, s.version, s.written, s.pending, s.dead = "", "", nil, nil, ""
	l.opts.Books.Name(shard, s.name)
}
