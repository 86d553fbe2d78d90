package proxy

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

const (
	// heldBytes bounds the answers full of bytes that are in memory at a time.
	heldBytes = 192 << 20
	// imageShare is what one image may take, as text and as what was made of it, if nobody says how large it is.
	imageShare = 32 << 20
	// leastShare is what one image takes at least: another one of the same request may be larger than the one that was measured.
	leastShare = 4 << 20
	// smallAnswer is the size up to which an answer takes no share.
	smallAnswer = 256 << 10
)

// budget is memory that requests share. What a request gives back is garbage, which takes as much memory as before until it is
// collected, and Go waits with that until it is several times what is live. So the budget has it collected: there is never more garbage
// than half of it, beside what is in use.
type budget struct {
	*semaphore.Weighted
	size    int64
	garbage atomic.Int64
	collect func()
	// free are blocks for answers that are being read.
	free blocks
}

// newBudget returns a budget of so many bytes.
func newBudget(size int64) *budget {
	return &budget{Weighted: semaphore.NewWeighted(size), size: size, collect: runtime.GC}
}

// Release gives bytes back. It does not wait; the bytes cannot be had again before a collection that is due has ended.
func (b *budget) Release(n int64) {
	if b.garbage.Add(n) < b.size/2 {
		b.Weighted.Release(n)
		return
	}
	b.garbage.Store(0)
	go func() {
		defer b.Weighted.Release(n)
		b.collect()
	}()
}

// holding is the part of the budget that a request has: it takes its share when the first answer full of bytes arrives, and has it until
// that is written. A share is for all of a request's images at once, so that no two requests wait for each other.
type holding struct {
	once   sync.Once
	held   *budget
	images int64
	share  int64
}

// prepare says how many images there will be.
func (h *holding) prepare(held *budget, images int) {
	h.held, h.images = held, int64(images)
}

// take waits for the share, once; an image is as large as the first one. An error is the context's.
func (h *holding) take(ctx context.Context, image int64) error {
	var err error
	h.once.Do(func() {
		share := min(h.images*max(image, leastShare), h.held.size)
		if err = h.held.Acquire(ctx, share); err == nil {
			h.share = share
		}
	})
	return err
}

// letGo gives the share back.
func (h *holding) letGo() {
	if h.share > 0 {
		h.held.Release(h.share)
		h.share = 0
	}
}
