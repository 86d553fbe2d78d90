package ledger

import (
	"slices"
	"time"

	"vipcloud.ai/vipcloud/gateway/money"
)

// Page is one shard as it was written: what one replica has counted, or what an archive holds. It is immutable and safe for
// concurrent use.
type Page struct {
	shard            int
	sequence         int64
	horizon, thinned int32
	keys             map[string]*leaf
}

// leaf is what a page says of a key. Its texts are parts of the page's.
type leaf struct {
	// text is the whole, jobsText and modelsText the lists in it.
	text, jobsText, modelsText string
	used                       int64
	standing
	// set has the jobs, by name.
	set []known
	// tickets are those of jobs of the set that are reserved. nil for none.
	tickets map[hash]ticket
}

// Shard returns which part of the ledger the page is.
func (p *Page) Shard() int { return p.shard }

// Sequence returns how many entries the page holds; see Receipt.
func (p *Page) Sequence() int64 { return p.sequence }

// Spent returns what the page says that a key has spent; see View.Spent. It allocates nothing.
func (p *Page) Spent(key, reset string, period Period, at time.Time) money.Amount {
	return p.standing(key).spent(reset, period, at)
}

// Reserved returns what the page says that running jobs of a key hold; see View.Reserved. It allocates nothing.
func (p *Page) Reserved(key, reset string, period Period, at time.Time) money.Amount {
	return p.standing(key).reserved(reset, period, at)
}

// standing returns where the money of a key stands, nil if nothing is known of it.
func (p *Page) standing(key string) *standing {
	if p == nil {
		return nil
	}
	if l := p.keys[identifier(key, maxKey)]; l != nil {
		return &l.standing
	}
	return nil
}

// folded returns the hour up to which the archive has folded jobs, 0 for no archive.
func (p *Page) folded() int32 {
	if p == nil {
		return 0
	}
	return p.horizon
}

// leaf returns that of a key, nil for none.
func (p *Page) leaf(key string) *leaf {
	if p == nil {
		return nil
	}
	return p.keys[key]
}

// eachRow calls yield with all rows, model by model and day by day. The row is good until yield returns.
func (l *leaf) eachRow(yield func(model string, r *row)) {
	s := scanner{text: l.modelsText}
	s.models(yield)
}

// live returns the jobs that an archive has not folded.
func (l *leaf) live(horizon int32) []known {
	if l == nil {
		return nil
	}
	folded := func(k known) bool { return k.deadline <= horizon }
	if !slices.ContainsFunc(l.set, folded) {
		return l.set
	}
	return slices.DeleteFunc(slices.Clone(l.set), folded)
}
