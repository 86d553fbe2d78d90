package ledger

import (
	"fmt"
	"slices"
	"time"
)

// Archive is one shard of what live reports held that are gone. It is not safe for concurrent use. Whoever changes one writes it
// with the resource version that it was read with: if that fails, what was made of it is thrown away.
type Archive struct {
	sheet  sheet
	merged []string
}

// NewArchive returns an empty archive of a shard.
func NewArchive(shard int) *Archive { return &Archive{sheet: sheet{shard: shard}} }

// OpenArchive returns an archive as it was written, with the UIDs of the live reports that it holds.
func OpenArchive(p *Page, merged []string) *Archive {
	a := &Archive{sheet: sheet{shard: p.shard, sequence: p.sequence, horizon: p.horizon}}
	a.sheet.absorb(p)
	a.merged = slices.Compact(slices.Sorted(slices.Values(merged)))
	return a
}

// Merge adds a live report whose writer is gone for good. The error wraps ErrMerged if it was merged before, or ErrShard; then
// nothing changes.
func (a *Archive) Merge(uid string, live *Page) error {
	if live.shard != a.sheet.shard {
		return fmt.Errorf("report of shard %d for the archive of shard %d: %w", live.shard, a.sheet.shard, ErrShard)
	}
	i, found := slices.BinarySearch(a.merged, uid)
	if found {
		return fmt.Errorf("report %s: %w", uid, ErrMerged)
	}
	a.merged = slices.Insert(a.merged, i, uid)
	a.sheet.absorb(live)
	a.sheet.sequence++
	return nil
}

// Merged returns the UIDs of the live reports that the archive holds, in order. They are written beside the page, in one piece with
// it.
func (a *Archive) Merged() []string { return slices.Clone(a.merged) }

// Gone takes UIDs of reports that do not exist any more from the list, and says whether there were any.
func (a *Archive) Gone(uids ...string) bool {
	before := len(a.merged)
	a.merged = slices.DeleteFunc(a.merged, func(uid string) bool { return slices.Contains(uids, uid) })
	return len(a.merged) < before
}

// Live is a live report: the page that it holds, and its UID.
type Live struct {
	UID  string
	Page *Page
}

// Fold turns the jobs whose deadline is more than Keep and Slack ago into counters: those of the archive and those of live reports,
// which must be all of the shard's. Each is counted once and for all: from now on whatever anybody reports of a job with such a
// deadline is ignored, and live reports may forget it. It does nothing if it was done for this hour before. History that is older
// than HistoryDays is forgotten as well.
func (a *Archive) Fold(lives []Live, now time.Time) Folded {
	horizon := hourBefore(now.Add(-Keep - Slack))
	if horizon <= a.sheet.horizon {
		return Folded{}
	}
	for _, l := range lives {
		if _, found := slices.BinarySearch(a.merged, l.UID); !found && l.Page.shard == a.sheet.shard {
			a.collect(l.Page, horizon)
		}
	}
	a.sheet.sequence++
	return a.sheet.fold(horizon, now)
}

// collect takes from a live report what is to be folded. It stays in the report, where it does not count any more.
func (a *Archive) collect(p *Page, horizon int32) {
	for key, l := range p.keys {
		for _, k := range l.set {
			if k.deadline > a.sheet.horizon && k.deadline <= horizon {
				a.sheet.record(key).join(k.hash, k.job)
			}
		}
	}
}

// Idle returns the keys that were last used before a time and of which no job waits for its end, in order.
func (a *Archive) Idle(before time.Time) []string {
	var idle []string
	for key, r := range a.sheet.keys {
		if len(r.set) == 0 && r.last() < before.Unix() {
			idle = append(idle, key)
		}
	}
	slices.Sort(idle)
	return idle
}

// Forget forgets all of a key, and says whether there was anything. It is for keys that were deleted long ago; what live reports
// hold of it still counts.
func (a *Archive) Forget(key string) bool {
	key = identifier(key, maxKey)
	_, found := a.sheet.keys[key]
	delete(a.sheet.keys, key)
	return found
}

// Encode returns the archive as a page; see Book.Encode.
func (a *Archive) Encode() ([]byte, error) { return a.sheet.encode() }
