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
	ring, err := s.keptKeyRing()
	if !errors.Is(err, fs.ErrNotExist) {
		return ring, err
	}
	if err := s.newKeyRing(now); err != nil {
		return keyring.Ring{}, fmt.Errorf("making key ring: %w", err)
	}
	return s.keptKeyRing()
}

// keptKeyRing reads the ring. It wraps fs.ErrNotExist if there is none.
func (s *keyStore) keptKeyRing() (keyring.Ring, error) {
	text, err := os.ReadFile(s.keyRingPath())
	if err != nil {
		return keyring.Ring{}, fmt.Errorf("reading key ring: %w", err)
	}
	ring, err := keyring.Parse(text)
	if err != nil {
		return keyring.Ring{}, fmt.Errorf("reading key ring: %w", err)
	}
	return ring, nil
}

// newKeyRing makes a ring and keeps it, unless another one came first.
func (s *keyStore) newKeyRing(now time.Time) error {
	ring, err := keyring.NewAt(now)
	if err != nil {
		return err
	}
	err = s.create(s.keyRingPath(), append(ring.Bytes(), '\n'))
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("keeping a new one: %w", err)
	}
	return nil
}

// lookAtKeyRing reads the ring if anybody wants one, and makes it if there is none. Without a ring everything but jobs is served. A
// ring that is in use is given up for another one only: not for a file that is gone, nor for one that cannot be read. In both cases the
// ring is looked for again soon.
func (s *Source) lookAtKeyRing() {
	if s.opts.Sink.KeyRing == nil {
		return
	}
	now := s.opts.Clock.Now()
	ring, err := s.readKeyRing(now)
	if err == nil {
		s.ring, s.ringNext = ring, time.Time{}
		s.publishRingProblem(nil)
		return
	}
	s.ringNext = now.Add(storeRetry)
	p := s.ringProblemOf(err)
	if !slices.Contains(s.Problems(), p) {
		s.opts.Logger.Error("Key ring cannot be used", "file", p.File, "problem", p.Message)
	}
	s.publishRingProblem([]Problem{p})
}

// readKeyRing reads the ring, and makes one only if none is in use: where there was one, a new one would cost every job.
func (s *Source) readKeyRing(now time.Time) (keyring.Ring, error) {
	if s.ring.Equal(keyring.Ring{}) {
		return s.store.keyRing(now)
	}
	return s.store.keptKeyRing()
}

// ringProblemOf says what a ring that cannot be read means, and what to do.
func (s *Source) ringProblemOf(err error) Problem {
	p := Problem{File: s.store.keyRingPath(), Message: fmt.Sprintf("no jobs can be served without the key ring: %v", cause(err))}
	broken := errors.Is(err, keyring.ErrFormat) || errors.Is(err, keyring.ErrVersion)
	switch {
	case !s.ring.Equal(keyring.Ring{}):
		p.Message = fmt.Sprintf("the key ring that was read before goes on until the gateway ends: %v; put the file back, or jobs that run now "+
			"can then no longer be asked for", cause(err))
	case broken:
		p.Message = fmt.Sprintf("no jobs can be served without the key ring: %v; put the file back as it was, or remove it to begin with "+
			"a new ring: jobs that run now can then no longer be asked for", err)
	}
	return p
}

// publishRingProblem makes what is wrong with the ring visible to others; nil: nothing.
func (s *Source) publishRingProblem(problems []Problem) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ringProblems = problems
}

// publishKeyRing hands over the ring if it is another one than before.
func (s *Source) publishKeyRing() {
	if s.ring.Equal(s.ringServed) {
		return
	}
	s.opts.Sink.KeyRing(s.ring)
	if !s.ringServed.Equal(keyring.Ring{}) {
		s.opts.Logger.Info("Key ring was read again", "file", s.store.keyRingPath(), "keys", len(s.ring.Keys()), "primary", primaryOf(s.ring))
	}
	s.ringServed = s.ring
}

// primaryOf is the ID of the key that seals.
func primaryOf(ring keyring.Ring) uint32 {
	keys := ring.Keys()
	return keys[slices.IndexFunc(keys, keyring.Key.Primary)].ID // every ring has one
}
