package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Shards is how many parts the ledger has. It belongs to the format: another number needs another format.
const Shards = 64

// How long names may be, in bytes, to be kept as they are.
const (
	maxKey   = 320
	maxReset = 64
	maxModel = 128
)

// Shard says which part of the ledger a key is in, from 0 to Shards-1. It is 64-bit FNV-1a, its halves combined, modulo Shards.
func Shard(key string) int { return shardOf(identifier(key, maxKey)) }

// shardOf is Shard of a key as the ledger writes it.
func shardOf(key string) int {
	h := uint64(14695981039346656037)
	for i := range len(key) {
		h = (h ^ uint64(key[i])) * 1099511628211
	}
	return int((h ^ h>>32) % Shards)
}

// previousMark is at the end of what no ApiKey is called.
const previousMark = "~"

// PreviousKey is the name under which the ledger counts the last use of the key that was in an ApiKey's place before it was rotated,
// and nothing else: namespace/name~. So it is added up and archived like everything.
func PreviousKey(key string) string { return key + previousMark }

// PreviousOwner is the reverse of PreviousKey. It is false for other names.
func PreviousOwner(name string) (key string, ok bool) { return strings.CutSuffix(name, previousMark) }

// identifier returns a name as the ledger writes it: itself if it is plain and not too long, else a digest of it. Doing so twice
// changes nothing.
func identifier(name string, limit int) string {
	if plain(name, limit) {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return "sha256:" + hex.EncodeToString(sum[:16])
}

// plain says that a name has at most limit bytes and none that JSON, as Go writes it, would escape.
func plain(name string, limit int) bool {
	if len(name) > limit {
		return false
	}
	for i := range len(name) {
		switch c := name[i]; {
		case c < ' ' || c > '~':
			return false
		case c == '"' || c == '\\' || c == '<' || c == '>' || c == '&':
			return false
		}
	}
	return true
}
