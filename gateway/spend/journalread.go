package spend

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"vipcloud.ai/vipcloud/gateway/ledger"
)

const (
	// segmentSuffix ends the names of segments, compactSuffix that of one in the making, foreignSuffix those of another owner.
	segmentSuffix, compactSuffix, foreignSuffix = ".journal", ".new", ".other"
	// segmentDigits is how many hexadecimal digits a segment's number has, so that names sort as numbers do.
	segmentDigits = 16
)

// segmentName is the name of a segment's file.
func segmentName(number int64) string {
	return fmt.Sprintf("%0*x", segmentDigits, number) + segmentSuffix
}

// read looks through the segments that are there, and deletes those that are void.
func (j *Journal) read() error {
	paths, err := filepath.Glob(filepath.Join(j.dir, "*"+segmentSuffix))
	if err != nil {
		return fmt.Errorf("listing the journal: %w", err)
	}
	if err := os.Remove(filepath.Join(j.dir, compactSuffix)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("deleting half a segment of the journal: %w", err)
	}
	for _, path := range slices.Sorted(slices.Values(paths)) {
		number, err := strconv.ParseInt(strings.TrimSuffix(filepath.Base(path), segmentSuffix), 16, 64)
		if err != nil {
			continue // not ours
		}
		if err := j.take(&segment{number: number, path: path}); err != nil {
			return err
		}
	}
	return nil
}

// take takes a segment in.
func (j *Journal) take(s *segment) error {
	owner, compacted := "", false
	err := s.each(func(r *record) {
		s.note(r)
		switch r.Kind {
		case recordBegin:
			owner, compacted = r.Report, r.Requests == 1
		case recordWritten:
			j.noteWritten(r)
		case recordBegun:
			j.begun[r.Shard] = r.Report
		}
	})
	switch {
	case errors.Is(err, errTorn):
		j.log.Warn("A segment of the journal ends in the middle of an entry; what is before that counts", "path", s.path)
	case err != nil:
		return err
	}
	if owner == "" { // the process ended while it began the segment
		return os.Remove(s.path)
	}
	if owner != j.owner {
		j.log.Error("A segment of the journal is another gateway's and is put aside", "path", s.path, "owner", owner)
		return os.Rename(s.path, s.path+foreignSuffix)
	}
	if compacted {
		for _, old := range j.segments {
			if err := os.Remove(old.path); err != nil {
				return fmt.Errorf("deleting a segment of the journal: %w", err)
			}
			j.bytes.Add(-old.size)
		}
		j.segments = nil
	}
	j.segments = append(j.segments, s)
	j.bytes.Add(s.size)
	return nil
}

// noteWritten keeps up to which number a shard was written, and where.
func (j *Journal) noteWritten(r *record) {
	if r.Sequence >= j.written[r.Shard] {
		j.written[r.Shard], j.reports[r.Shard], j.begun[r.Shard] = r.Sequence, r.Report, ""
	}
}

// each calls yield with all records of a segment, and notes its size. The error is errTorn if it ends in the middle of one.
func (s *segment) each(yield func(*record)) error {
	file, err := os.Open(s.path)
	if err != nil {
		return fmt.Errorf("reading the journal: %w", err)
	}
	defer func() { _ = file.Close() }()
	if info, err := file.Stat(); err == nil {
		s.size = info.Size()
	}
	from := bufio.NewReaderSize(file, 64<<10)
	for {
		r, err := readRecord(from)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		yield(r)
	}
}

// Replay counts what the journal holds beyond what reports were found to hold: by shard, the highest number of an entry that is in any of
// them. It is called once, after the reports were loaded into the book and before a page of it is written, and returns how many entries it has
// counted. What was counted before it stays counted.
func (b *Books) Replay(held [ledger.Shards]int64) (entries int, err error) {
	j := b.journal
	if j == nil {
		return 0, nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for shard := range held {
		j.written[shard] = max(j.written[shard], held[shard])
		b.Book.Skip(shard, j.written[shard])
	}
	for _, s := range j.segments {
		failed := s.each(func(r *record) {
			if r.Sequence > j.written[r.Shard] && b.replay(r) {
				entries++
			}
		})
		if failed != nil && !errors.Is(failed, errTorn) {
			err = errors.Join(err, failed)
		}
	}
	for _, r := range j.early {
		r.Sequence = b.Book.Sequence(r.Shard)
		j.add(r)
	}
	j.early, j.replayed = nil, true
	j.sweep()
	return entries, err
}

// replay counts one entry, and says whether it did.
func (b *Books) replay(r *record) bool {
	switch r.Kind {
	case recordRequest:
		b.Book.Settle(r.entry())
	case recordJob:
		if _, err := b.Book.Job(r.jobEntry()); err != nil {
			return false // it was folded: it is counted
		}
	default:
		return false
	}
	b.Book.Advance(r.Shard, r.Sequence)
	return true
}
