package providertest

import (
	"sync"
	"testing"
	"time"
)

// Clock is a clock that stands still until it is moved. It is safe for concurrent use.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock that shows a working day.
func NewClock() *Clock { return &Clock{now: time.Date(2026, time.November, 23, 8, 30, 0, 0, time.UTC)} }

// Now returns the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock on.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// tick lets a little time pass: on the clock, or in the world if there is no clock.
func (c *Clock) tick(tb testing.TB) {
	tb.Helper()
	if c != nil {
		c.Advance(pollTick)
		return
	}
	timer := time.NewTimer(pollTick)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-tb.Context().Done():
		tb.Fatal("the test has ended")
	}
}

// orReal returns the time, of the world if there is no clock.
func (c *Clock) orReal() time.Time {
	if c == nil {
		return time.Now() //nolint:forbidigo // there is no clock
	}
	return c.Now()
}
