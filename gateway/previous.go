package gateway

import (
	"sync"
	"time"

	"vipcloud.ai/vipcloud/gateway/apikey"
	"vipcloud.ai/vipcloud/gateway/auth"
	"vipcloud.ai/vipcloud/gateway/ledger"
)

// previousUses are the hashes that were rotated out and used in the present minute. It is safe for concurrent use; the zero value is
// ready.
type previousUses struct {
	mu     sync.Mutex
	minute int64
	seen   map[apikey.Hash]struct{}
}

// first says whether a use of a hash is the first one of its minute.
func (p *previousUses) first(sum apikey.Hash, now time.Time) bool {
	minute := now.Unix() / 60
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.minute != minute || p.seen == nil {
		p.minute, p.seen = minute, map[apikey.Hash]struct{}{}
	}
	_, known := p.seen[sum]
	p.seen[sum] = struct{}{}
	return !known
}

// countPrevious enters into the books that a key was used that another one has replaced, once a minute, so that an admin sees whether
// it can be dropped.
func (s *Server) countPrevious(c *auth.Caller, now time.Time) {
	if s.previous.first(c.Sum, now) {
		s.books.Book.Settle(ledger.Entry{Key: ledger.PreviousKey(c.Key.ID()), At: now})
	}
}
