package proxy

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// watchdog bounds the waits of one attempt with a single timer: for the first byte, then for each further one; and while a
// stream is silent it sends comments to the client. What arrives only moves a number, so a busy stream costs nothing.
type watchdog struct {
	started        time.Time
	response, idle time.Duration
	cancel         context.CancelCauseFunc
	keepAlive      time.Duration

	// last is when the last byte of the answer arrived, in nanoseconds since started; 0 before the first one.
	last atomic.Int64
	// quiet sends a comment if the client has got nothing for keepAlive, and returns how long it has been silent now. It is set
	// before the stream's first byte and never changed.
	quiet atomic.Pointer[func(limit time.Duration) time.Duration]

	// mu guards the timer and ended.
	mu    sync.Mutex
	timer *time.Timer
	ended bool
}

// startWatch begins to wait for the first byte of an attempt.
func startWatch(c *exchange, cancel context.CancelCauseFunc) *watchdog {
	route := c.res.Served
	d := &watchdog{
		started: time.Now(), response: route.ResponseTimeout, idle: route.IdleTimeout, cancel: cancel,
		keepAlive: c.proxy.opts.KeepAlive,
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.timer = time.AfterFunc(d.response, d.fire)
	return d
}

// alive notes that a part of the answer has arrived. With the first one the wait for silence begins.
func (d *watchdog) alive() {
	if d.last.Swap(max(int64(time.Since(d.started)), 1)) != 0 {
		return
	}
	next := d.idle
	if d.quiet.Load() != nil {
		next = min(next, d.keepAlive)
	}
	d.arm(next)
}

// stream makes the watchdog keep the client's connection alive from now on.
func (d *watchdog) stream(quiet func(limit time.Duration) time.Duration) {
	d.quiet.Store(&quiet)
	d.arm(min(d.keepAlive, d.idle))
}

// stop ends the watch. It does not wait for a comment that is being sent.
func (d *watchdog) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = true
	d.timer.Stop()
}

// arm sets the timer, unless the watch has ended.
func (d *watchdog) arm(after time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.ended {
		d.timer.Reset(after)
	}
}

// fire looks at what has happened since the timer was set.
func (d *watchdog) fire() {
	last := time.Duration(d.last.Load())
	now := time.Since(d.started)
	if last == 0 {
		if now >= d.response {
			d.cancel(errResponseTimeout)
			return
		}
		d.arm(d.response - now)
		return
	}
	silent := now - last
	if silent >= d.idle {
		d.cancel(errIdleTimeout)
		return
	}
	next := d.idle - silent
	if quiet := d.quiet.Load(); quiet != nil {
		next = min(next, d.keepAlive-(*quiet)(d.keepAlive))
	}
	d.arm(max(next, time.Millisecond))
}
