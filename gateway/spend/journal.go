package spend

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"

	"vipcloud.ai/vipcloud/gateway/ledger"
)

const (
	// segmentBytes is how large a segment grows. Whole segments are deleted once all that they hold was written elsewhere.
	segmentBytes = 1 << 20
	// compactBytes is how large a journal grows before it is compacted, maxJournalBytes beyond what nothing is added.
	compactBytes, maxJournalBytes = 32 << 20, 64 << 20
)

// Journal keeps what a replica has counted and not yet written elsewhere, in files of a directory, so that it survives the end of the
// process, however that ends. Each entry is handed to the kernel, by one call, before the next one is; nothing is ever synced to the
// disk: what the kernel has it keeps when a process is killed, and what a node loses with its power is what it would have lost
// without a journal. It is safe for concurrent use.
type Journal struct {
	dir   string
	owner string
	log   *slog.Logger
	lock  *os.File

	mu       sync.Mutex
	file     *os.File // the newest segment; nil if it could not be made
	segments []*segment
	buffer   bytes.Buffer
	// written is up to which number each shard was written elsewhere, reports where to.
	written [ledger.Shards]int64
	reports [ledger.Shards]string
	// begun are the names of reports of which nobody has said that they were made; empty: none.
	begun [ledger.Shards]string
	// replayed says that what was found has been counted. What is counted before that waits in early.
	replayed bool
	closed   bool
	early    []*record

	bytes, skipped atomic.Int64
	// compactAt is how large the journal is when it is compacted next.
	compactAt atomic.Int64
}

// segment is a file of a journal.
type segment struct {
	number int64
	path   string
	size   int64
	// last is the highest number of each shard in it.
	last [ledger.Shards]int64
}

// errJournalBusy means that another process works on a journal.
var errJournalBusy = errors.New("another process uses this journal; give each gateway a directory of its own")

// OpenJournal opens or makes the journal in a directory and reads what was found. Owner names whose usage it is: what another owner
// left is put aside. Nothing counts before Books.Replay.
func OpenJournal(dir, owner string, log *slog.Logger) (*Journal, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the journal's directory: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the journal's lock: %w", err)
	}
	j := &Journal{dir: dir, owner: owner, log: log, lock: lock}
	j.compactAt.Store(compactBytes)
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("journal %s: %w", dir, errJournalBusy), lock.Close())
	}
	if err := j.read(); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	if err := j.rotate(); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return j, nil
}

// Close lets others open the journal. What is counted after that is not kept.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	var err error
	if j.file != nil {
		err = j.file.Close()
		j.file = nil
	}
	j.closed = true
	return errors.Join(err, j.lock.Close())
}

// Bytes is how large the journal is.
func (j *Journal) Bytes() int64 { return j.bytes.Load() }

// Skipped is how many entries could not be added, for want of room or because the disk failed. They count all the same, but a crash
// loses them until they are written elsewhere.
func (j *Journal) Skipped() int64 { return j.skipped.Load() }

// Reports are the reports that shards were last written in, empty for none, by the journal's account.
func (j *Journal) Reports() [ledger.Shards]string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.reports
}

// Begun are the names of reports that a process was about to make, and may still be made by what it had sent; empty for none.
func (j *Journal) Begun() [ledger.Shards]string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.begun
}

// Beyond says of which shards the journal holds entries that may be in no report.
func (j *Journal) Beyond() (beyond [ledger.Shards]bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, s := range j.segments {
		for shard := range s.last {
			beyond[shard] = beyond[shard] || s.last[shard] > j.written[shard]
		}
	}
	return beyond
}

// Begin notes the name of a report that a shard is about to be written in for the first time.
func (j *Journal) Begin(shard int, name string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.begun[shard] != name {
		j.begun[shard] = name
		j.add(&record{Kind: recordBegun, Shard: shard, Report: name})
	}
}

// rotate begins a new segment. mu is held, or nobody else knows the journal yet.
func (j *Journal) rotate() error {
	if j.file != nil {
		_ = j.file.Close() // all that it holds was handed over
		j.file = nil
	}
	number := int64(1)
	if n := len(j.segments); n > 0 {
		number = j.segments[n-1].number + 1
	}
	s := &segment{number: number, path: filepath.Join(j.dir, segmentName(number))}
	file, err := os.OpenFile(s.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("beginning a segment of the journal: %w", err)
	}
	j.file, j.segments = file, append(j.segments, s)
	for _, r := range j.begin(false) {
		if err := j.put(r); err != nil {
			return err
		}
	}
	return nil
}

// begin are the first records of a segment: those before it may be gone when it is read. mu is held.
func (j *Journal) begin(compacted bool) []*record {
	first := &record{Kind: recordBegin, Report: j.owner}
	if compacted {
		first.Requests = 1
	}
	records := []*record{first}
	for shard := range j.written {
		if j.written[shard] > 0 {
			records = append(records, &record{Kind: recordWritten, Shard: shard, Sequence: j.written[shard], Report: j.reports[shard]})
		}
		if j.begun[shard] != "" {
			records = append(records, &record{Kind: recordBegun, Shard: shard, Report: j.begun[shard]})
		}
	}
	return records
}

// count notes what was counted. mu is held.
func (j *Journal) count(r *record) {
	if !j.replayed {
		j.early = append(j.early, r)
		return
	}
	j.add(r)
}

// add writes a record, as well as that is possible: what is counted does not depend on it. mu is held.
func (j *Journal) add(r *record) {
	err := j.tryAdd(r)
	if err == nil {
		return
	}
	if j.skipped.Add(1) == 1 {
		j.log.Error("Usage cannot be added to the journal; a crash loses what was not reported", "dir", j.dir, "reason", err)
	}
}

// Why nothing can be added.
var (
	errJournalFull   = errors.New("the journal is full")
	errJournalClosed = errors.New("the journal is closed")
)

// tryAdd is add. After a failure a new segment is begun: what is torn ends the one that it stands in.
func (j *Journal) tryAdd(r *record) error {
	switch {
	case j.closed:
		return errJournalClosed
	case j.bytes.Load() >= maxJournalBytes:
		return errJournalFull
	}
	if j.file == nil || j.segments[len(j.segments)-1].size >= segmentBytes {
		if err := j.rotate(); err != nil {
			return err
		}
	}
	return j.put(r)
}

// put writes a record to the newest segment.
func (j *Journal) put(r *record) error {
	j.buffer.Reset()
	if err := r.appendTo(&j.buffer); err != nil {
		return err
	}
	n, err := j.file.Write(j.buffer.Bytes())
	s := j.segments[len(j.segments)-1]
	s.size += int64(n)
	j.bytes.Add(int64(n))
	if err != nil {
		_ = j.file.Close()
		j.file = nil
		return fmt.Errorf("writing to the journal: %w", err)
	}
	s.note(r)
	return nil
}

// note keeps the highest number.
func (s *segment) note(r *record) {
	if r.Kind == recordRequest || r.Kind == recordJob {
		s.last[r.Shard] = max(s.last[r.Shard], r.Sequence)
	}
}

// acknowledge says up to which number a shard was written elsewhere.
func (j *Journal) acknowledge(shard int, sequence int64, report string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if sequence <= j.written[shard] {
		return
	}
	j.written[shard], j.reports[shard], j.begun[shard] = sequence, report, ""
	j.add(&record{Kind: recordWritten, Shard: shard, Sequence: sequence, Report: report})
	j.sweep()
}

// sweep deletes segments of which everything was written elsewhere, the oldest first. What they say of reports the newest one repeats.
// mu is held.
func (j *Journal) sweep() {
	for len(j.segments) > 1 && j.segments[0].done(&j.written) {
		s := j.segments[0]
		if err := os.Remove(s.path); err != nil && !errors.Is(err, os.ErrNotExist) {
			j.log.Error("A segment of the journal cannot be deleted", "path", s.path, "reason", err)
			return
		}
		j.segments = j.segments[1:]
		j.bytes.Add(-s.size)
	}
}

// done says whether all that a segment holds was written elsewhere.
func (s *segment) done(written *[ledger.Shards]int64) bool {
	for shard := range s.last {
		if s.last[shard] > written[shard] {
			return false
		}
	}
	return true
}
