package manifests

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"vipcloud.ai/vipcloud/gateway/keyring"
)

// keyRingPath is the file with the ring that the ids of jobs are sealed with. No namespace has its name, for that has a dot.
func (s *keyStore) keyRingPath() string { return filepath.Join(s.dir, keyring.Entry) }

// keyRing reads the ring, and makes it if there is none. Of two gateways that begin in one directory at the same moment one makes
// it and the other one takes that. A ring that cannot be read is never written over.
func (s *keyStore) keyRing(now time.Time) (keyring.Ring, error) {
	text, err := os.ReadFile(s.keyRingPath())
	if errors.Is(err, fs.ErrNotExist) {
		text, err = s.newKeyRing(now)
	}
	if err != nil {
		return keyring.Ring{}, fmt.Errorf("reading key ring: %w", err)
	}
	ring, err := keyring.Parse(text)
	if err != nil {
		return keyring.Ring{}, fmt.Errorf("reading key ring: %w", err)
	}
	return ring, nil
}

// newKeyRing makes a ring and returns what the file holds then, which is another one's if that came first.
func (s *keyStore) newKeyRing(now time.Time) ([]byte, error) {
	ring, err := keyring.NewAt(now)
	if err != nil {
		return nil, err
	}
	err = s.create(s.keyRingPath(), append(ring.Bytes(), '\n'))
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("keeping a new one: %w", err)
	}
	return os.ReadFile(s.keyRingPath())
}

// loadKeyRing loads the ring, once, if anybody wants it. Without one everything but jobs is served, and the ring is looked for again
// soon.
func (s *Source) loadKeyRing(maker *keyMaker) []Problem {
	if s.opts.Sink.KeyRing == nil || s.ring != nil {
		return nil
	}
	ring, err := s.store.keyRing(maker.now)
	if err == nil {
		s.ring = &ring
		return nil
	}
	maker.wakeAt(maker.now.Add(storeRetry))
	p := Problem{File: s.store.keyRingPath(), Message: fmt.Sprintf("no jobs can be served without the key ring: %v", cause(err))}
	if errors.Is(err, keyring.ErrFormat) || errors.Is(err, keyring.ErrVersion) {
		p.Message = fmt.Sprintf("no jobs can be served without the key ring: %v; put the file back as it was, or remove it to begin with "+
			"a new ring: jobs that run now can then no longer be asked for", err)
	}
	if !slices.Contains(s.Problems(), p) {
		s.opts.Logger.Error("Key ring cannot be used; everything but jobs is served", "file", p.File, "problem", p.Message)
	}
	return []Problem{p}
}

// publishKeyRing hands over the ring, once.
func (s *Source) publishKeyRing() {
	if s.ring != nil && !s.ringServes {
		s.opts.Sink.KeyRing(*s.ring)
		s.ringServes = true
	}
}
