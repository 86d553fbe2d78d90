package ledger

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// View is the total of all reports: of each shard its archive, and all live reports that the archive does not hold. It is kept up
// to date report by report: one that changed costs as much as its own keys, and those keys that did not change only a comparison.
// It is safe for concurrent use. Reading takes no lock and waits for nobody.
type View struct {
	shards [Shards]viewShard
}

// viewShard is one shard of a view.
type viewShard struct {
	// mu guards the reports.
	mu      sync.Mutex
	archive *Page
	merged  []string
	lives   map[string]*Page
	// totals are what the reports come to. A map that is published here is never changed again.
	totals atomic.Pointer[map[string]*total]
}

// total is where a key stands. It is immutable.
type total struct {
	used int64
	standing
	// open says that jobs are running, or that nobody has said how they ended.
	open bool
}

// Archived is an archive as it was written: its page, and the UIDs of the live reports that it holds.
type Archived struct {
	Page   *Page
	Merged []string
}

// NewView returns a view of no reports.
func NewView() *View { return &View{} }

// Total returns the view of all of these reports.
func Total(archives []Archived, lives []Live) *View {
	v := NewView()
	for _, a := range archives {
		v.SetArchive(a.Page, a.Merged)
	}
	for _, l := range lives {
		v.SetLive(l.UID, l.Page)
	}
	return v
}

// SetArchive takes a new version of an archive, and returns the keys that it concerns, in order. Changes of reports are to be taken
// in the order in which they were made, as a watch tells them.
func (v *View) SetArchive(p *Page, merged []string) (changed []string) {
	return v.shards[p.shard].setArchive(p, slices.Sorted(slices.Values(merged)))
}

// DropArchive forgets an archive that is gone, and returns the keys that it concerns, in order.
func (v *View) DropArchive(shard int) (changed []string) { return v.shards[shard].setArchive(nil, nil) }

// setArchive takes an archive, or none.
func (s *viewShard) setArchive(p *Page, merged []string) (changed []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := changes{}
	c.compare(s.archive, p)
	if !slices.Equal(s.merged, merged) || s.archive.folded() != p.folded() {
		for _, live := range s.lives { // what counts of them is another part
			c.compare(nil, live)
		}
	}
	s.archive, s.merged = p, merged
	return s.publish(c)
}

// SetLive takes a new version of a live report, and returns the keys that it concerns, in order.
func (v *View) SetLive(uid string, p *Page) (changed []string) {
	s := &v.shards[p.shard]
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.lives[uid]
	if s.lives == nil {
		s.lives = map[string]*Page{}
	}
	s.lives[uid] = p
	c := changes{}
	c.compare(old, p)
	return s.publish(c)
}

// DropLive forgets a live report that is gone, and returns the keys that it concerns, in order.
func (v *View) DropLive(uid string, shard int) (changed []string) {
	s := &v.shards[shard]
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.lives[uid]
	delete(s.lives, uid)
	c := changes{}
	c.compare(old, nil)
	return s.publish(c)
}

// changes are the keys that concern a change, and whether their jobs do.
type changes map[string]bool

// compare notes the keys of which two versions of a report say different things.
func (c changes) compare(old, now *Page) {
	if now != nil {
		for key, l := range now.keys {
			if o := old.leaf(key); o == nil || o.text != l.text {
				c[key] = c[key] || o == nil || o.jobsText != l.jobsText
			}
		}
	}
	if old != nil {
		for key := range old.keys {
			if now.leaf(key) == nil {
				c[key] = true
			}
		}
	}
}

// publish brings the totals of keys up to date and returns them in order.
func (s *viewShard) publish(c changes) []string {
	if len(c) == 0 {
		return nil
	}
	var totals map[string]*total
	if old := s.totals.Load(); old != nil {
		totals = maps.Clone(*old)
	} else {
		totals = make(map[string]*total, len(c))
	}
	keys := make([]string, 0, len(c))
	for key, jobs := range c {
		old := totals[key]
		key = strings.Clone(key) // the total outlives the page
		keys = append(keys, key)
		if t := s.total(key, old, jobs); t != nil {
			totals[key] = t
		} else {
			delete(totals, key)
		}
	}
	s.totals.Store(&totals)
	slices.Sort(keys)
	return keys
}

// counted yields the reports that count.
func (s *viewShard) counted(yield func(*Page) bool) {
	if s.archive != nil && !yield(s.archive) {
		return
	}
	for uid, p := range s.lives {
		if _, merged := slices.BinarySearch(s.merged, uid); !merged && !yield(p) {
			return
		}
	}
}

// total adds up what the reports say of a key; nil if they say nothing. The jobs of the old total are taken over if they are still
// the same.
func (s *viewShard) total(key string, old *total, jobs bool) *total {
	t := &total{}
	found := false
	for p := range s.counted {
		if l := p.keys[key]; l != nil {
			found = true
			t.used = max(t.used, l.used)
			t.merge(&l.standing)
		}
	}
	switch {
	case !found:
		return nil
	case old != nil && !jobs:
		t.jobs, t.open = old.jobs, old.open
		return t
	}
	for _, k := range s.jobs(key) {
		t.count(k.job)
		t.open = t.open || k.state == reserved
	}
	return t
}

// jobs returns the jobs of a key that no archive has folded, by name.
func (s *viewShard) jobs(key string) []known {
	var all []known
	for p := range s.counted {
		all = unite(all, p.leaf(key).live(s.archive.folded()))
	}
	return all
}
