package quota

import "time"

// minute is the length of rate windows.
const minute = time.Minute

// window counts what happened within the last minute: exactly what the current minute of the clock has seen, and the part of the
// minute before that is still within reach, as if that had been spread evenly. It needs two numbers, whatever the rate.
type window struct {
	start             time.Time // of the current minute
	current, previous int64
}

// roll moves the window on.
func (w *window) roll(now time.Time) {
	start := now.Truncate(minute)
	switch {
	case start.Equal(w.start):
	case start.Sub(w.start) == minute:
		w.start, w.previous, w.current = start, w.current, 0
	default:
		w.start, w.previous, w.current = start, 0, 0
	}
}

// used is what counts against the limit now.
func (w *window) used(now time.Time) int64 {
	w.roll(now)
	left := minute - now.Sub(w.start)
	// Rounded up: a limit of 1 must not be passed because half of a request has left the window.
	return w.current + (w.previous*int64(left)+int64(minute)-1)/int64(minute)
}

// add counts n more, or fewer.
func (w *window) add(now time.Time, n int64) {
	w.roll(now)
	if w.current += n; w.current < 0 {
		// What is given back was counted in the minute before.
		w.previous = max(w.previous+w.current, 0)
		w.current = 0
	}
}

// frees says how long it takes until n more fit below the limit, at most two minutes; 0 if they do now.
func (w *window) frees(now time.Time, n, limit int64) time.Duration {
	if w.used(now)+n <= limit {
		return 0
	}
	if n > limit {
		return 2 * minute
	}
	// Within the current minute only what is left of the previous one goes away; after it, the current one begins to.
	if room := limit - n - w.current; room >= 0 && w.previous > 0 {
		left := time.Duration(room) * minute / time.Duration(w.previous)
		return max(minute-now.Sub(w.start)-left, time.Millisecond)
	}
	untilNext := minute - now.Sub(w.start)
	if w.current == 0 {
		return untilNext
	}
	keep := min(limit-n, w.current)
	return untilNext + minute - time.Duration(keep)*minute/time.Duration(w.current)
}
