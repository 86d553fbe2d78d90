package spend

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"vipcloud.ai/vipcloud/gateway/ledger"
)

const (
	// writeEvery is how often what was counted is written where others read it. A journal keeps what comes in between.
	writeEvery = time.Second
	// maxGateways is how many gateways may share a state directory.
	maxGateways = 16
)

// errTooManyGateways means that every place in the directory is taken.
var errTooManyGateways = errors.New("too many gateways use this state directory")

// Files keeps books in a directory, for a gateway without Kubernetes. Gateways that share the directory have a place in it each, and
// read each other's.
type Files struct {
	books *Books
	log   *slog.Logger
	dir   string // of all gateways
	own   string // name of this one's place
	lock  *os.File
	seen  map[string]time.Time // of others' files
}

// OpenFiles takes a place in a directory, and goes on from what was counted there before.
func OpenFiles(dir string, books *Books, log *slog.Logger) (*Files, error) {
	f := &Files{books: books, log: log, dir: dir, seen: map[string]time.Time{}}
	if err := f.take(); err != nil {
		return nil, err
	}
	pages, err := f.read(f.own)
	if err != nil {
		return nil, errors.Join(err, f.lock.Close())
	}
	var held [ledger.Shards]int64
	for shard := range ledger.Shards {
		books.Name(shard, f.own)
	}
	for _, p := range pages {
		if err := books.Book.Load(p); err != nil {
			return nil, errors.Join(fmt.Errorf("loading usage: %w", err), f.lock.Close())
		}
		held[p.Shard()] = p.Sequence()
		books.View.SetLive(f.own, p)
		books.Written(p)
	}
	if err := f.replay(held); err != nil {
		return nil, errors.Join(err, f.lock.Close())
	}
	f.readOthers()
	return f, nil
}

// replay goes on from what was counted there after the pages were written.
func (f *Files) replay(held [ledger.Shards]int64) error {
	journal, err := OpenJournal(filepath.Join(f.dir, f.own, "journal"), "files", f.log)
	if err != nil {
		return err
	}
	f.books.Keep(journal)
	if _, err := f.books.Replay(held); err != nil {
		return errors.Join(err, journal.Close())
	}
	return nil
}

// take finds a place that no running gateway has. A lock ends with its process, however that ends.
func (f *Files) take() error {
	for n := range maxGateways {
		f.own = strconv.Itoa(n)
		place := filepath.Join(f.dir, f.own)
		if err := os.MkdirAll(place, 0o700); err != nil {
			return fmt.Errorf("making the directory of usage: %w", err)
		}
		lock, err := os.OpenFile(filepath.Join(place, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return fmt.Errorf("opening the lock of usage: %w", err)
		}
		if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err == nil {
			f.lock = lock
			return nil
		}
		_ = lock.Close() // somebody else has it
	}
	return errTooManyGateways
}

// Run writes and reads once a second until ctx ends, and writes a last time then.
func (f *Files) Run(ctx context.Context) error {
	ticker := time.NewTicker(writeEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			f.write()
			return errors.Join(f.books.Journal().Close(), f.lock.Close())
		case <-ticker.C:
			f.write()
			f.books.Compact([ledger.Shards]int64{})
			f.readOthers()
		}
	}
}

// write writes the shards that have changed. What cannot be written is tried again.
func (f *Files) write() {
	for _, shard := range f.books.Book.Dirty() {
		if err := f.writeShard(shard); err != nil {
			f.log.Error("Usage cannot be written", "shard", shard, "reason", err)
		}
	}
}

// writeShard writes one shard whole, or not at all.
func (f *Files) writeShard(shard int) error {
	data, sequence, err := f.books.Book.Encode(shard)
	if err != nil {
		return fmt.Errorf("encoding: %w", err)
	}
	page, err := ledger.Decode(data)
	if err != nil {
		return fmt.Errorf("reading back: %w", err)
	}
	path := filepath.Join(f.dir, f.own, strconv.Itoa(shard)+".json")
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	f.books.Acknowledge(shard, sequence, "")
	f.books.View.SetLive(f.own, page)
	f.books.Written(page)
	return nil
}

// read reads all pages of a place.
func (f *Files) read(place string) ([]*ledger.Page, error) {
	paths, err := filepath.Glob(filepath.Join(f.dir, place, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("listing usage: %w", err)
	}
	var pages []*ledger.Page
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("reading usage: %w", err)
		}
		page, err := ledger.Decode(data)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w; move it away to begin anew", path, err)
		}
		pages = append(pages, page)
	}
	return pages, nil
}

// readOthers takes in what other gateways have written since the last time.
func (f *Files) readOthers() {
	paths, err := filepath.Glob(filepath.Join(f.dir, "*", "*.json"))
	if err != nil {
		return // the pattern is ours, and good
	}
	for _, path := range paths {
		place := filepath.Base(filepath.Dir(path))
		info, err := os.Stat(path)
		if err != nil || place == f.own || strings.HasSuffix(path, ".new") || info.ModTime().Equal(f.seen[path]) {
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		page, err := ledger.Decode(data)
		if err != nil {
			f.log.Error("Usage of another gateway cannot be read", "path", path, "reason", err)
			continue
		}
		f.seen[path] = info.ModTime()
		f.books.View.SetLive(place, page)
		f.books.Other(place, page)
	}
}
