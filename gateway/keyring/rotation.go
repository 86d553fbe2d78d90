package keyring

import (
	"fmt"
	"slices"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
)

// Add returns a ring with a new key that only opens, created now. It wraps ErrStep if another key waits to be promoted or the
// ring has MaxKeys, and ErrEmpty for the zero Ring.
func (r Ring) Add(now time.Time) (Ring, error) {
	if r.inner == nil {
		return Ring{}, ErrEmpty
	}
	switch {
	case slices.ContainsFunc(r.inner.keys, Key.Pending):
		return Ring{}, fmt.Errorf("adding a key: another one waits to be promoted: %w", ErrStep)
	case len(r.inner.keys) >= MaxKeys:
		return Ring{}, fmt.Errorf("adding a key: there are %d already: %w", MaxKeys, ErrStep)
	}
	manager := keyset.NewManagerFromHandle(r.inner.handle)
	id, err := manager.Add(aead.XChaCha20Poly1305KeyTemplate())
	if err != nil {
		return Ring{}, fmt.Errorf("adding a key: %w", err)
	}
	return fromManager(manager, append(r.Keys(), Key{ID: id, CreatedAt: moment(now)}))
}

// Promote returns a ring whose primary key is the one of an ID, which was added and never promoted. The primary key before it
// only opens from now on. It wraps ErrStep if there is no such key, and ErrEmpty for the zero Ring.
func (r Ring) Promote(id uint32, now time.Time) (Ring, error) {
	if r.inner == nil {
		return Ring{}, ErrEmpty
	}
	keys := r.Keys()
	next := slices.IndexFunc(keys, func(k Key) bool { return k.ID == id && k.Pending() })
	if next < 0 {
		return Ring{}, fmt.Errorf("promoting key %d: none of this ID waits for it: %w", id, ErrStep)
	}
	manager := keyset.NewManagerFromHandle(r.inner.handle)
	if err := manager.SetPrimary(id); err != nil {
		return Ring{}, fmt.Errorf("promoting key %d: %w", id, err)
	}
	now = moment(now)
	keys[slices.IndexFunc(keys, Key.Primary)].PrimaryUntil = now
	keys[next].PrimarySince = now
	return fromManager(manager, keys)
}

// Retire returns a ring without the keys of some IDs: what was sealed with them can never be opened again. It wraps ErrStep if
// one of them is the primary key or is not there, and ErrEmpty for the zero Ring.
func (r Ring) Retire(ids ...uint32) (Ring, error) {
	if r.inner == nil {
		return Ring{}, ErrEmpty
	}
	keys := r.Keys()
	manager := keyset.NewManagerFromHandle(r.inner.handle)
	for _, id := range ids {
		at := slices.IndexFunc(keys, func(k Key) bool { return k.ID == id })
		if at < 0 || keys[at].Primary() {
			return Ring{}, fmt.Errorf("retiring key %d: it is the primary one or not there: %w", id, ErrStep)
		}
		if err := manager.Delete(id); err != nil {
			return Ring{}, fmt.Errorf("retiring key %d: %w", id, err)
		}
		keys = slices.Delete(keys, at, at+1)
	}
	return fromManager(manager, keys)
}
