package keyring

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

const (
	// Entry is the name of the entry or file that a ring is kept in.
	Entry = "keyring.json"
	// MaxKeys bounds the keys of a ring. A ring of that many is about 20 KiB.
	MaxKeys = 64
)

// Errors of rings.
var (
	// ErrOpen means that something was not sealed by this ring, was changed since, or was sealed with other associated data.
	// Which of these is not told.
	ErrOpen = errors.New("cannot be opened with this key ring")
	// ErrEmpty means the zero Ring, which has no keys.
	ErrEmpty = errors.New("key ring has no keys")
	// ErrStep means a rotation step that the ring does not allow.
	ErrStep = errors.New("rotation step not possible")
)

// redacted is what a ring prints as.
const redacted = "[redacted]"

// Key is what is known of a key beside its secret. Moments are in UTC and full seconds.
type Key struct {
	// ID names the key within its ring. Everything that was sealed with it carries the ID.
	ID uint32 `json:"id"`
	// CreatedAt is when the key was made.
	CreatedAt time.Time `json:"createdAt"`
	// PrimarySince is when it became the primary key; zero for one that has only opened so far.
	PrimarySince time.Time `json:"primarySince,omitzero"`
	// PrimaryUntil is when another key became the primary one; zero before that.
	PrimaryUntil time.Time `json:"primaryUntil,omitzero"`
}

// Primary says whether the key seals.
func (k Key) Primary() bool { return !k.PrimarySince.IsZero() && k.PrimaryUntil.IsZero() }

// Pending says whether the key was added and not yet promoted.
func (k Key) Pending() bool { return k.PrimarySince.IsZero() }

// Ring is a set of keys of XChaCha20-Poly1305, whose nonces are long enough to be random. It is immutable, safe for concurrent
// use, and prints as a placeholder however it is formatted, logged or marshalled; Bytes alone gives its secrets. The zero Ring
// has no keys: it seals and opens nothing.
//
// All is behind a pointer, because fmt asks no method of %p and of unexported fields: it prints an address then.
type Ring struct{ inner *ring }

// ring is what a Ring holds.
type ring struct {
	keys   []Key
	handle *keyset.Handle
	aead   tink.AEAD
	text   []byte
}

// New makes a ring of one primary key, created now. An error means that the system has no randomness.
func New() (Ring, error) { return NewAt(time.Now()) }

// NewAt is New with the moment of creation given.
func NewAt(now time.Time) (Ring, error) {
	manager := keyset.NewManager()
	id, err := manager.Add(aead.XChaCha20Poly1305KeyTemplate())
	if err != nil {
		return Ring{}, fmt.Errorf("making a key: %w", err)
	}
	if err := manager.SetPrimary(id); err != nil {
		return Ring{}, fmt.Errorf("making a key the primary one: %w", err)
	}
	now = moment(now)
	return fromManager(manager, []Key{{ID: id, CreatedAt: now, PrimarySince: now}})
}

// moment is a time as a ring keeps it.
func moment(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// fromManager makes a ring of keys and what is known of them.
func fromManager(manager *keyset.Manager, keys []Key) (Ring, error) {
	handle, err := manager.Handle()
	if err != nil {
		return Ring{}, fmt.Errorf("making a key set: %w", err)
	}
	return fromHandle(handle, keys)
}

// fromHandle makes a ring of a key set that fits the keys.
func fromHandle(handle *keyset.Handle, keys []Key) (Ring, error) {
	primitive, err := aead.New(handle)
	if err != nil {
		return Ring{}, fmt.Errorf("preparing keys: %w", err)
	}
	text, err := encode(handle, keys)
	if err != nil {
		return Ring{}, err
	}
	return Ring{inner: &ring{keys: keys, handle: handle, aead: primitive, text: text}}, nil
}

// Seal encrypts plaintext with the primary key and binds it to associatedData, which Open must be given again and which is not
// part of the result. The result is 45 bytes longer than plaintext and differs with every call.
func (r Ring) Seal(plaintext, associatedData []byte) ([]byte, error) {
	if r.inner == nil {
		return nil, ErrEmpty
	}
	sealed, err := r.inner.aead.Encrypt(plaintext, associatedData)
	if err != nil {
		return nil, fmt.Errorf("sealing: %w", err)
	}
	return sealed, nil
}

// Open returns what was sealed with any key of the ring and the same associatedData. The error is ErrOpen, or ErrEmpty for the
// zero Ring.
func (r Ring) Open(ciphertext, associatedData []byte) ([]byte, error) {
	if r.inner == nil {
		return nil, ErrEmpty
	}
	plaintext, err := r.inner.aead.Decrypt(ciphertext, associatedData)
	if err != nil {
		return nil, ErrOpen // the cause tells nobody anything, but an attacker perhaps something
	}
	return plaintext, nil
}

// Keys returns what is known of the keys, in the order in which they were added.
func (r Ring) Keys() []Key {
	if r.inner == nil {
		return nil
	}
	return slices.Clone(r.inner.keys)
}

// Bytes returns the ring with its secrets, for the one place that keeps it. Equal rings give equal bytes. Parse reads them; the
// zero Ring gives none.
func (r Ring) Bytes() []byte {
	if r.inner == nil {
		return nil
	}
	return bytes.Clone(r.inner.text)
}

// Equal says whether two rings are the same, in their keys and in what is known of them.
func (r Ring) Equal(o Ring) bool {
	if r.inner == nil || o.inner == nil {
		return r.inner == o.inner
	}
	return bytes.Equal(r.inner.text, o.inner.text)
}

// String returns a placeholder.
func (Ring) String() string { return redacted }

// GoString returns a placeholder.
func (Ring) GoString() string { return redacted }

// Format prints a placeholder for every verb.
func (Ring) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue returns a placeholder.
func (Ring) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns a placeholder, for JSON and YAML alike.
func (Ring) MarshalText() ([]byte, error) { return []byte(redacted), nil }
