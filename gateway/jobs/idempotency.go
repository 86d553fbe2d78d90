package jobs

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"time"

	"k8s.io/utils/lru"
)

const (
	// maxKeys bounds the Idempotency-Keys that are remembered.
	maxKeys = 10_000
	// keepKeys is how long one is.
	keepKeys = 24 * time.Hour
)

// ErrKeyReused means that a client has sent another body with an Idempotency-Key that it had used before.
var ErrKeyReused = errors.New("idempotency key used with another body")

// Outcome is what a submit came to.
type Outcome struct {
	// Value is the answer, of whatever type the caller has.
	Value any
	// Final says that the same submit must get the same answer again: something was made, or may have been.
	Final bool
}

// Idempotency answers repeated submits with what the first one came to. It is safe for concurrent use. It knows the submits of
// this replica only.
type Idempotency struct {
	now func() time.Time

	// mu guards the step from looking to adding.
	mu   sync.Mutex
	seen *lru.Cache
}

// submit is one that was made or is being made.
type submit struct {
	digest  [sha256.Size]byte
	at      time.Time
	done    chan struct{}
	outcome Outcome // valid once done is closed
}

// NewIdempotency returns an Idempotency.
func NewIdempotency(now func() time.Time) *Idempotency {
	return &Idempotency{now: now, seen: lru.New(maxKeys)}
}

// Do runs submitOnce, unless an equal submit of the owner with this key was made already or is being made: then it waits for that one's
// outcome and returns it. Errors are ErrKeyReused, and the context's while waiting. An empty key makes every submit its own.
func (i *Idempotency) Do(ctx context.Context, owner, key string, body []byte, submitOnce func() Outcome) (Outcome, error) {
	if key == "" {
		return submitOnce(), nil
	}
	name, digest := owner+"\x00"+key, sha256.Sum256(body)
	s, mine := i.claim(name, digest)
	if !mine {
		if s.digest != digest {
			return Outcome{}, ErrKeyReused
		}
		select {
		case <-s.done:
			return s.outcome, nil
		case <-ctx.Done():
			return Outcome{}, context.Cause(ctx)
		}
	}
	defer func() {
		if !s.outcome.Final {
			i.seen.Remove(name) // nothing was made, so the client may try again
		}
		close(s.done)
	}()
	s.outcome = submitOnce()
	return s.outcome, nil
}

// claim returns the submit of a name, and whether it is the caller's to make.
func (i *Idempotency) claim(name string, digest [sha256.Size]byte) (s *submit, mine bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if v, ok := i.seen.Get(name); ok {
		if s, ok := v.(*submit); ok && i.now().Sub(s.at) < keepKeys {
			return s, false
		}
	}
	s = &submit{digest: digest, at: i.now(), done: make(chan struct{})}
	i.seen.Add(name, s)
	return s, true
}
