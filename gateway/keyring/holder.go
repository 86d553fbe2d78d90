package keyring

import "sync/atomic"

// Holder publishes the current ring to those who seal and open. Loading is one atomic read. The zero Holder has none yet, and is
// safe for concurrent use like any other.
type Holder struct{ current atomic.Pointer[Ring] }

// Load returns the current ring, nil before the first.
func (h *Holder) Load() *Ring { return h.current.Load() }

// Set makes a ring the current one. Who loaded the one before keeps it.
func (h *Holder) Set(ring Ring) { h.current.Store(&ring) }
