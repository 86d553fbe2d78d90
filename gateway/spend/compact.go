package spend

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"vipcloud.ai/vipcloud/gateway/ledger"
	"vipcloud.ai/vipcloud/gateway/money"
)

// alike names requests that become one entry when a journal is compacted: what the ledger counts in one place.
type alike struct {
	shard             int
	pending           bool // in a page that may have been written or not, and is written or not as a whole
	key, reset, model string
	day               int64
	estimated         bool
}

// secondsPerDay is how long a UTC day is.
const secondsPerDay = 86_400

// digest gathers what a journal holds in as few records as say the same.
type digest struct {
	written, pending [ledger.Shards]int64
	requests         map[alike]*record
	jobs             map[[2]string]*record
	full             []*record // sums that can grow no more
}

// take takes a record.
func (d *digest) take(r *record) {
	if r.Sequence <= d.written[r.Shard] {
		return
	}
	switch r.Kind {
	case recordJob:
		d.jobs[[2]string{r.Hash, r.State}] = r
	case recordRequest:
		k := alike{
			shard: r.Shard, pending: r.Sequence <= d.pending[r.Shard], key: r.Key, reset: r.Reset, model: r.Model, day: r.At / secondsPerDay,
			estimated: r.Estimated,
		}
		sum := d.requests[k]
		if sum == nil || !sum.add(r) {
			if sum != nil {
				d.full = append(d.full, sum)
			}
			d.requests[k] = r
		}
	}
}

// add adds a request of a kind; false: a sum would be too large, and nothing was added.
func (r *record) add(o *record) bool {
	total, ok := money.Amount(max(r.Amount, 0)).Add(money.Amount(max(o.Amount, 0)))
	mine, others := counts(&r.Usage), counts(&o.Usage)
	for i := range mine {
		ok = ok && max(*mine[i], 0) <= math.MaxInt64-max(*others[i], 0)
	}
	if !ok {
		return false
	}
	for i := range mine {
		*mine[i] = max(*mine[i], 0) + max(*others[i], 0)
	}
	r.Amount, r.Requests = int64(total), r.Requests+o.Requests
	r.At, r.Sequence = max(r.At, o.At), max(r.Sequence, o.Sequence)
	return true
}

// counts are all figures of usage.
func counts(u *ledger.Usage) [9]*int64 {
	return [9]*int64{
		&u.PromptTokens, &u.CompletionTokens, &u.CachedTokens, &u.ReasoningTokens, &u.CacheWriteTokens,
		&u.Images, &u.Seconds, &u.Characters, &u.Songs,
	}
}

// Compact makes the journal smaller if it has grown, as it does while nothing can be written: requests of a key, model and day become one
// entry. Pending is, by shard, the number of a page of which nobody knows whether it was written, 0 for none. It is called by one
// goroutine, the one that writes.
func (b *Books) Compact(pending [ledger.Shards]int64) {
	j := b.journal
	if j == nil || j.Bytes() < j.compactAt.Load() {
		return
	}
	if err := j.compact(pending); err != nil {
		j.log.Error("The journal of usage cannot be compacted", "dir", j.dir, "reason", err)
	}
	j.compactAt.Store(max(compactBytes, min(2*j.Bytes(), maxJournalBytes*3/4)))
}

// compact replaces all segments but the newest one.
func (j *Journal) compact(pending [ledger.Shards]int64) error {
	j.mu.Lock()
	err := j.rotate()
	old := j.segments[: len(j.segments)-1 : len(j.segments)-1]
	d := digest{written: j.written, pending: pending, requests: map[alike]*record{}, jobs: map[[2]string]*record{}}
	begin := j.begin(true)
	j.mu.Unlock()
	if err != nil || len(old) == 0 {
		return err
	}
	for _, s := range old {
		if err := s.each(d.take); err != nil && !errors.Is(err, errTorn) {
			return err
		}
	}
	made := &segment{number: old[len(old)-1].number, path: old[len(old)-1].path}
	if err := d.write(filepath.Join(j.dir, compactSuffix), begin, made); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := os.Rename(filepath.Join(j.dir, compactSuffix), made.path); err != nil { // from here on the others are void
		return fmt.Errorf("replacing segments: %w", err)
	}
	// What was written in between may have taken some of the old ones away already.
	j.segments = append([]*segment{made}, j.segments[len(j.segments)-newer(j.segments, made.number):]...)
	size := int64(0)
	for _, s := range j.segments {
		size += s.size
	}
	j.bytes.Store(size)
	for _, s := range old[:len(old)-1] {
		if err := os.Remove(s.path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("deleting a void segment: %w", err)
		}
	}
	j.sweep()
	return nil
}

// newer counts the segments after a number.
func newer(segments []*segment, number int64) (n int) {
	for _, s := range segments {
		if s.number > number {
			n++
		}
	}
	return n
}

// write writes a segment of what was gathered.
func (d *digest) write(path string, begin []*record, s *segment) error {
	var all bytes.Buffer
	put := func(r *record) error {
		s.note(r)
		return r.appendTo(&all)
	}
	var err error
	for _, r := range begin {
		err = errors.Join(err, put(r))
	}
	for _, r := range d.full {
		err = errors.Join(err, put(r))
	}
	for _, r := range d.requests {
		err = errors.Join(err, put(r))
	}
	for _, r := range d.jobs {
		err = errors.Join(err, put(r))
	}
	if err != nil {
		return err
	}
	s.size = int64(all.Len())
	if err := os.WriteFile(path, all.Bytes(), 0o600); err != nil {
		return fmt.Errorf("writing a compacted segment: %w", err)
	}
	return nil
}
