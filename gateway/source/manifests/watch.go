package manifests

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
	"k8s.io/utils/clock"
)

const (
	// settleTime is how long after an event files are read: editors write a file in several steps.
	settleTime = 100 * time.Millisecond
	// scanInterval is how often files are looked at without an event. Network and container mounts send none, nor does a
	// file behind a link that leads elsewhere.
	scanInterval = 5 * time.Second
)

// watch waits for changes of files. It is used by one goroutine.
type watch struct {
	notify *fsnotify.Watcher
	logger *slog.Logger
	clock  clock.WithTicker
	dir    string
	// ring is the file of the key ring, state the directory it is in; empty if nobody wants the ring.
	ring, state string
	seen        []stamp
	dirs        []string
}

// newWatch watches directories of manifests, and the key ring's. They are watched rather than files: an editor puts a new file in the
// place of the old one, and a mounted ConfigMap changes by one link.
func newWatch(opts Options, dirs []string) (*watch, error) {
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	w := &watch{notify: notify, logger: opts.Logger, clock: opts.Clock, dir: opts.Dir}
	if opts.Sink.KeyRing != nil {
		w.ring, w.state = (&keyStore{dir: opts.StateDir}).keyRingPath(), opts.StateDir
	}
	w.seen = w.stamps()
	w.follow(dirs)
	return w, nil
}

// stamps are those of the manifests and the key ring.
func (w *watch) stamps() []stamp {
	all := stamps(w.dir)
	if w.ring == "" {
		return all
	}
	return append(all, stampsOf(w.ring)...)
}

// follow watches these directories and the key ring's, and no others. What cannot be watched is looked at now and then all the same.
func (w *watch) follow(dirs []string) {
	if w.state != "" {
		dirs = append(slices.Clone(dirs), w.state)
	}
	for _, dir := range w.dirs {
		if !slices.Contains(dirs, dir) {
			_ = w.notify.Remove(dir) // it is gone, or will be
		}
	}
	for _, dir := range dirs {
		// A directory that was removed and made again must be added again, so all of them are.
		if err := w.notify.Add(dir); err != nil && !slices.Contains(w.dirs, dir) {
			w.logger.Warn("Directory cannot be watched; looking at it every few seconds", "dir", dir, "err", err)
		}
	}
	w.dirs = dirs
}

// close ends the watch.
func (w *watch) close() { _ = w.notify.Close() }

// wait returns true when files may have changed or the time until has come, false when ctx has ended.
func (w *watch) wait(ctx context.Context, until time.Time) bool {
	timer := w.clock.NewTimer(scanInterval)
	defer timer.Stop()
	var settle <-chan time.Time
	for {
		if !until.IsZero() {
			timer.Reset(min(scanInterval, max(0, until.Sub(w.clock.Now()))))
		}
		select {
		case <-ctx.Done():
			return false
		case event, ok := <-w.notify.Events:
			if ok && settle == nil && event.Op != fsnotify.Chmod {
				settle = w.clock.After(settleTime)
			}
		case err := <-w.notify.Errors:
			if err != nil && settle == nil && !errors.Is(err, fsnotify.ErrClosed) {
				settle = w.clock.After(settleTime) // events were lost
			}
		case <-settle:
			w.seen = w.stamps()
			return true
		case <-timer.C():
			if !until.IsZero() && !w.clock.Now().Before(until) {
				return true
			}
			if now := w.stamps(); !slices.Equal(now, w.seen) {
				w.seen = now
				return true
			}
			timer.Reset(scanInterval)
		}
	}
}
