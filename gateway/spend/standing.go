package spend

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"vipcloud.ai/vipcloud/gateway/ledger"
	"vipcloud.ai/vipcloud/gateway/money"
	"vipcloud.ai/vipcloud/gateway/quota"
)

// goneKept is how long it is remembered that a report is gone: longer than anybody owns up to what was in it.
const goneKept = 5 * time.Minute

// others are the pages of other replicas that a view holds, by the name of their report.
type others struct {
	mu     sync.Mutex // of writers
	shards [ledger.Shards]atomic.Pointer[map[string]other]
}

// other is a page of another replica, or nil and since when it is gone: what it held counts elsewhere.
type other struct {
	page *ledger.Page
	gone time.Time
}

// forgotten says that nobody speaks of a page any more.
func (o other) forgotten() bool { return o.page == nil && time.Since(o.gone) > goneKept }

// set replaces the page of a name.
func (o *others) set(shard int, name string, p other) {
	o.mu.Lock()
	defer o.mu.Unlock()
	pages := map[string]other{}
	if old := o.shards[shard].Load(); old != nil {
		pages = maps.Clone(*old)
	}
	maps.DeleteFunc(pages, func(_ string, p other) bool { return p.forgotten() })
	pages[name] = p
	o.shards[shard].Store(&pages)
}

// Name says under which name the reports of a shard are written from now on. Until it is called they have one that nobody else has.
func (b *Books) Name(shard int, name string) { b.names[shard].Store(&name) }

// Other says that View holds this page of another replica, whose report has this name.
func (b *Books) Other(name string, p *ledger.Page) { b.others.set(p.Shard(), name, other{page: p}) }

// Gone says that View does not hold the report of this name any more, or holds it as part of an archive.
func (b *Books) Gone(name string, shard int) { b.others.set(shard, name, other{gone: time.Now()}) }

// Standing implements quota.Standings.
func (b *Books) Standing(owner, reset string, period quota.Period, at time.Time) quota.Standing {
	shard, p := ledger.Shard(owner), ledger.Period(period)
	s := quota.Standing{Report: *b.names[shard].Load(), Pages: map[string]money.Amount{}}
	// In this order: what moves on in between counts twice, and never not at all.
	mine := b.written[shard].Load()
	if others := b.others.shards[shard].Load(); others != nil {
		for name, o := range *others {
			switch {
			case o.page != nil:
				s.Pages[name] = sum(o.page.Spent(owner, reset, p, at), o.page.Reserved(owner, reset, p, at))
			case !o.forgotten():
				s.Pages[name] = money.Max
			}
		}
	}
	delete(s.Pages, s.Report)
	if mine != nil {
		s.Pages[s.Report] = sum(mine.Spent(owner, reset, p, at), mine.Reserved(owner, reset, p, at))
	}
	s.Read = sum(b.View.Spent(owner, reset, p, at), b.View.Reserved(owner, reset, p, at))
	s.Own = sum(b.Book.Spent(owner, reset, p, at), b.Book.Reserved(owner, reset, p, at))
	return s
}
