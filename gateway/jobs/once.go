package jobs

import (
	"sync"

	"k8s.io/utils/lru"
)

// Once tells what is new from what was told already, as far as this replica remembers. It is safe for concurrent use.
type Once struct {
	// mu guards the step from looking to adding.
	mu   sync.Mutex
	seen *lru.Cache
}

// NewOnce returns a Once.
func NewOnce() *Once { return &Once{seen: lru.New(maxRemembered)} }

// First says whether a name is asked about for the first time.
func (o *Once) First(name string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, ok := o.seen.Get(name); ok {
		return false
	}
	o.seen.Add(name, struct{}{})
	return true
}
