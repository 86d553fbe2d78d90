package balance

import "sync/atomic"

// window counts two things over the last while, in buckets of equal width that are used in turn. It takes no lock: a bucket holds its
// slot of time and both counts in one word. A count saturates at 65535 for each bucket.
type window struct {
	// width of a bucket in nanoseconds.
	width   int64
	buckets []atomic.Uint64
}

// Layout of a bucket.
const (
	slotShift  = 32
	firstShift = 16
	countMask  = 1<<16 - 1
)

// newWindow returns a window of so many buckets.
func newWindow(buckets int, width int64) window {
	return window{width: width, buckets: make([]atomic.Uint64, buckets)}
}

// add counts one of the first or of the second.
func (w *window) add(now int64, first bool) {
	slot := uint64(now / w.width)
	bucket := &w.buckets[slot%uint64(len(w.buckets))]
	for {
		old := bucket.Load()
		next := old
		if old>>slotShift != slot {
			next = slot << slotShift
		}
		shift := 0
		if first {
			shift = firstShift
		}
		if next>>shift&countMask < countMask {
			next += 1 << shift
		}
		if bucket.CompareAndSwap(old, next) {
			return
		}
	}
}

// takeBack uncounts one of the first that was counted at a time.
func (w *window) takeBack(at int64) {
	slot := uint64(at / w.width)
	bucket := &w.buckets[slot%uint64(len(w.buckets))]
	for {
		old := bucket.Load()
		if old>>slotShift != slot || old>>firstShift&countMask == 0 {
			return
		}
		if bucket.CompareAndSwap(old, old-1<<firstShift) {
			return
		}
	}
}

// sum returns both counts over as many slots as there are buckets, the one under way included.
func (w *window) sum(now int64) (first, second int) {
	slot := uint64(now / w.width)
	for i := range w.buckets {
		if b := w.buckets[i].Load(); slot-b>>slotShift < uint64(len(w.buckets)) {
			first += int(b >> firstShift & countMask)
			second += int(b & countMask)
		}
	}
	return first, second
}

// frees returns how long it takes until the first count is below a limit, if nothing is added; 0 if it is now. A limit of 0 is never
// reached from above: the result is the whole window then.
func (w *window) frees(now int64, limit int) int64 {
	count, _ := w.sum(now)
	slot, length := uint64(now/w.width), uint64(len(w.buckets))
	for age := length - 1; count >= limit && age < length; age-- {
		if b := w.buckets[(slot-age)%length].Load(); b>>slotShift == slot-age {
			count -= int(b >> firstShift & countMask)
		}
		if count < limit {
			return int64(slot-age+length)*w.width - now
		}
	}
	if count < limit {
		return 0
	}
	return int64(length) * w.width
}

// clear forgets everything.
func (w *window) clear() {
	for i := range w.buckets {
		w.buckets[i].Store(0)
	}
}
