package proxy

import "golang.org/x/sync/semaphore"

const (
	// heldBytes bounds the answers full of bytes that are in memory at a time.
	heldBytes = 192 << 20
	// imageShare is what one image may take, as text and as what was made of it.
	imageShare = 24 << 20
	// smallAnswer is the size up to which an answer takes no share.
	smallAnswer = 256 << 10
)

// budget is memory that requests share.
type budget struct {
	*semaphore.Weighted
	size int64
}

// newBudget returns a budget of so many bytes.
func newBudget(size int64) *budget { return &budget{Weighted: semaphore.NewWeighted(size), size: size} }
