// Package auth knows which keys are valid: an index from the hash of a key to the key's rights, and the reading of a request's
// Authorization header. It sees keys only for as long as it takes to hash them, and decides nothing about models.
package auth

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"vipcloud.ai/vipcloud/gateway/apikey"
	"vipcloud.ai/vipcloud/gateway/table"
)

// shardCount spreads keys so that a changed key copies only a small map: with 10,000 keys about 40 entries.
const shardCount = 256

// Index finds keys by hash. Reading takes no lock; a change copies one shard for each hash it touches. The zero Index is empty
// and ready for use. It is safe for concurrent use.
type Index struct {
	shards [shardCount]atomic.Pointer[shard]

	// mu guards what only writers use.
	mu     sync.Mutex
	keys   map[string]*table.Key        // by namespace/name
	claims map[apikey.Hash][]*table.Key // who claims a hash, the one that holds it first
}

// shard is a part of the index. It is never changed after it was published.
type shard map[apikey.Hash]entry

// entry is a hash that is valid until notAfter (zero: no end).
type entry struct {
	key      *table.Key
	notAfter time.Time
	// previous says that another hash of the key is valid for longer.
	previous bool
}

// Lookup returns the key that a hash belongs to, or nil. A hash whose own end has passed is not found; whether the key itself
// is expired or revoked is for the caller to see.
func (x *Index) Lookup(sum apikey.Hash, now time.Time) *table.Key { return x.find(sum, now).key }

// find is Lookup with what a hash means; without a key if it is not found.
func (x *Index) find(sum apikey.Hash, now time.Time) entry {
	s := x.shards[sum[0]].Load()
	if s == nil {
		return entry{}
	}
	e, ok := (*s)[sum]
	if !ok || (!e.notAfter.IsZero() && !now.Before(e.notAfter)) {
		return entry{}
	}
	return e
}

// Len returns the number of keys.
func (x *Index) Len() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.keys)
}

// Replace makes keys the whole content.
func (x *Index) Replace(keys []*table.Key) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.keys = make(map[string]*table.Key, len(keys))
	x.claims = make(map[apikey.Hash][]*table.Key, len(keys))
	for _, k := range keys {
		x.keys[k.ID()] = k
		for _, h := range k.Hashes {
			x.claim(h.Sum, k)
		}
	}
	var fresh [shardCount]shard
	for sum, claimants := range x.claims {
		if fresh[sum[0]] == nil {
			fresh[sum[0]] = shard{}
		}
		fresh[sum[0]][sum] = entryOf(claimants[0], sum)
	}
	for i := range fresh {
		x.shards[i].Store(&fresh[i])
	}
}

// Put adds a key or replaces the one of the same namespace and name.
func (x *Index) Put(key *table.Key) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.init()
	touched := x.remove(key.Namespace, key.Name)
	x.keys[key.ID()] = key
	for _, h := range key.Hashes {
		x.claim(h.Sum, key)
		touched = append(touched, h.Sum)
	}
	x.publish(touched)
}

// Delete removes a key; its hashes go to the next claimant, if there is one.
func (x *Index) Delete(namespace, name string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.init()
	x.publish(x.remove(namespace, name))
}

// init makes the writers' maps.
func (x *Index) init() {
	if x.keys == nil {
		x.keys, x.claims = map[string]*table.Key{}, map[apikey.Hash][]*table.Key{}
	}
}

// remove forgets a key and returns the hashes it claimed.
func (x *Index) remove(namespace, name string) []apikey.Hash {
	old := x.keys[namespace+"/"+name]
	if old == nil {
		return nil
	}
	delete(x.keys, old.ID())
	touched := make([]apikey.Hash, 0, len(old.Hashes))
	for _, h := range old.Hashes {
		x.claims[h.Sum] = slices.DeleteFunc(x.claims[h.Sum], func(k *table.Key) bool { return k == old })
		if len(x.claims[h.Sum]) == 0 {
			delete(x.claims, h.Sum)
		}
		touched = append(touched, h.Sum)
	}
	return touched
}

// claim adds a claimant to a hash, keeping the one that holds it first.
func (x *Index) claim(sum apikey.Hash, key *table.Key) {
	c := slices.Concat(x.claims[sum], []*table.Key{key})
	slices.SortStableFunc(c, func(a, b *table.Key) int {
		if table.KeyLess(a, b) {
			return -1
		}
		if table.KeyLess(b, a) {
			return 1
		}
		return 0
	})
	x.claims[sum] = slices.Compact(c)
}

// publish makes the claims on hashes visible to readers, shard by shard.
func (x *Index) publish(sums []apikey.Hash) {
	slices.SortFunc(sums, func(a, b apikey.Hash) int { return int(a[0]) - int(b[0]) })
	for i := 0; i < len(sums); {
		n := sums[i][0]
		fresh := shard{}
		if old := x.shards[n].Load(); old != nil {
			maps.Copy(fresh, *old)
		}
		for ; i < len(sums) && sums[i][0] == n; i++ {
			delete(fresh, sums[i])
			if c := x.claims[sums[i]]; len(c) > 0 {
				fresh[sums[i]] = entryOf(c[0], sums[i])
			}
		}
		x.shards[n].Store(&fresh)
	}
}

// entryOf returns what a hash means for the key that holds it.
func entryOf(key *table.Key, sum apikey.Hash) entry {
	for _, h := range key.Hashes {
		if h.Sum == sum {
			return entry{key: key, notAfter: h.NotAfter, previous: slices.ContainsFunc(key.Hashes, h.EndsBefore)}
		}
	}
	return entry{key: key}
}
