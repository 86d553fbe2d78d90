// Package apikey knows what an API key looks like: how one is made, checked, hashed and named in logs. It keeps none.
package apikey

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/big"
	"strings"
)

const (
	// Scheme begins every key that vipcloud makes.
	Scheme = "vc-sk-"
	// prefixLength is how many characters of a key of our own may be shown.
	prefixLength = 8
	// randomLength is the number of random characters: 40 of base 62 are 238 bits.
	randomLength = 40
	// MinLength is the least length of a key that somebody brings, in characters.
	MinLength = 32
	// MaxLength is the greatest.
	MaxLength = 512

	alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// Hash is the SHA-256 of a key. Keys have so much entropy that a plain hash cannot be searched.
type Hash [sha256.Size]byte

// Sum hashes a key.
func Sum(key string) Hash { return sha256.Sum256([]byte(key)) }

// String returns lower-case hexadecimal, as in ApiKey.spec.source.hashes.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// ParseHash reads what String wrote.
func ParseHash(s string) (Hash, error) {
	var h Hash
	if len(s) != hex.EncodedLen(len(h)) {
		return h, fmt.Errorf("a SHA-256 hash has %d hexadecimal digits, not %d", hex.EncodedLen(len(h)), len(s))
	}
	if _, err := hex.Decode(h[:], []byte(s)); err != nil {
		return Hash{}, fmt.Errorf("reading SHA-256 hash: %w", err)
	}
	return h, nil
}

// Generate makes a key from a source of randomness; nil means crypto/rand. An error means the source failed.
func Generate(random io.Reader) (string, error) {
	if random == nil {
		random = rand.Reader
	}
	var b strings.Builder
	b.WriteString(Scheme)
	for range randomLength {
		n, err := rand.Int(random, big.NewInt(int64(len(alphabet))))
		if err != nil {
			return "", fmt.Errorf("reading randomness: %w", err)
		}
		b.WriteByte(alphabet[n.Int64()])
	}
	return b.String(), nil
}

// Valid says whether a key may be used: 32 to 512 printable ASCII characters without spaces.
func Valid(key string) bool {
	if len(key) < MinLength || len(key) > MaxLength {
		return false
	}
	for i := range len(key) {
		if key[i] < '!' || key[i] > '~' {
			return false
		}
	}
	return true
}

// Prefix returns the characters of a key that may be shown: the first 8 of a key that vipcloud made, and nothing of others,
// whose first characters may mean something.
func Prefix(key string) string {
	if !strings.HasPrefix(key, Scheme) || len(key) < MinLength {
		return ""
	}
	return key[:prefixLength]
}
