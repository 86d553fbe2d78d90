package report

import (
	"bytes"
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/ledger"
)

// write writes a shard once, or finds out what became of its report. It returns how many bytes were sent.
func (l *Ledger) write(ctx context.Context, shard int) (size int, err error) {
	l.mu.Lock()
	s := &l.slots[shard]
	s.tried = l.opts.Clock.Now()
	checked, asked := s.check, s.asked
	if s.pending == nil {
		s.asked = nil
	} else {
		asked = nil // it asks for more than is pending
	}
	l.mu.Unlock()
	if asked != nil {
		defer close(asked)
	}
	if checked {
		if err := l.resolve(ctx, shard); err != nil || !l.unwritten(shard) {
			return 0, err
		}
	}
	object, err := l.prepare(shard)
	if err != nil {
		return 0, err
	}
	size = len(object.Report.Raw)
	result, err := l.client.put(ctx, object)
	switch {
	case err == nil:
		l.metrics.sent(outcomeWritten, size)
		l.acknowledge(shard, result)
	case apierrors.IsConflict(err), apierrors.IsAlreadyExists(err), apierrors.IsNotFound(err):
		l.metrics.sent(outcomeConflict, size)
		return size, l.resolve(ctx, shard)
	default:
		l.metrics.sent(outcomeFailed, size)
		l.failed(shard, refused(err))
	}
	return size, err
}

// failed notes that a write failed. If it is certain that nothing was written, what is pending may change.
func (l *Ledger) failed(shard int, certain bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch s := &l.slots[shard]; {
	case !certain:
		s.pending.unsure = true
	case !s.pending.unsure:
		s.pending = nil
	}
}

// refused says that the API server did not do what was asked, for certain.
func refused(err error) bool {
	return apierrors.IsInvalid(err) || apierrors.IsRequestEntityTooLargeError(err) || apierrors.IsForbidden(err) ||
		apierrors.IsUnauthorized(err) || apierrors.IsTooManyRequests(err) || apierrors.IsBadRequest(err)
}

// prepare returns the report to write: what is pending, or what was counted until now.
func (l *Ledger) prepare(shard int) (*v1alpha1.UsageReport, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &l.slots[shard]
	if s.name == "" {
		l.begin(shard)
	}
	if j := l.opts.Books.Journal(); j != nil && s.uid == "" {
		j.Begin(shard, s.name)
	}
	if s.pending == nil {
		data, sequence, err := l.opts.Books.Book.Encode(shard)
		if err != nil {
			return nil, fmt.Errorf("writing shard %d: %w", shard, err)
		}
		p, err := ledger.Decode(data)
		if err != nil {
			return nil, fmt.Errorf("reading shard %d as it was written: %w", shard, err)
		}
		s.pending = &page{Page: p, data: data, sequence: sequence}
	}
	return l.client.object(s, shard, s.pending.data, l.writer), nil
}

// acknowledge notes that what was pending is written.
func (l *Ledger) acknowledge(shard int, result *v1alpha1.UsageReport) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &l.slots[shard]
	s.uid, s.version, s.seen = result.UID, result.ResourceVersion, l.opts.Clock.Now()
	s.waiting = time.Time{} // what came since then is noted when the book is looked at again
	l.metrics.acknowledged.Store(s.seen.UnixNano())
	s.written, s.force = s.pending.Page, false
	l.opts.Books.Acknowledge(shard, s.pending.sequence, string(s.uid))
	s.pending = nil
	if s.dead == s.uid { // the watch was faster: it is gone again
		s.check = true
		return
	}
	l.opts.Books.View.SetLive(string(s.uid), s.written)
	l.opts.Books.Written(s.written)
}

// resolve finds out what became of a report that somebody else touched, or that a write may have reached, and decides how the shard
// goes on. Nothing is written.
func (l *Ledger) resolve(ctx context.Context, shard int) error {
	l.mu.Lock()
	s := &l.slots[shard]
	name, uid, begun := s.name, s.uid, s.uid != "" || s.pending != nil
	s.check = false
	l.mu.Unlock()
	if !begun {
		return nil
	}
	object, err := l.client.get(ctx, name)
	switch {
	case apierrors.IsNotFound(err):
		err = l.gone(ctx, shard)
	case err != nil:
	case uid != "" && object.UID != uid: // deleted, and somebody made another one
		err = l.gone(ctx, shard)
	default:
		err = l.found(shard, object)
	}
	if err != nil {
		l.mu.Lock()
		s.check = true
		l.mu.Unlock()
	}
	return err
}

// found goes on with a report that is still there. One that is sealed, or that another process has written, is given up as it is:
// it keeps what it holds, and the shard goes on in a new one.
func (l *Ledger) found(shard int, object *v1alpha1.UsageReport) error {
	content, err := ledger.Decode(object.Report.Raw)
	if err != nil {
		return fmt.Errorf("reading UsageReport %q: %w", object.Name, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &l.slots[shard]
	_, sealed := object.Annotations[v1alpha1.AnnotationSealed]
	mine := object.Annotations[v1alpha1.AnnotationWriter] == l.writer
	landed := mine && s.pending != nil && bytes.Equal(object.Report.Raw, s.pending.data)
	if landed {
		l.opts.Books.Acknowledge(shard, s.pending.sequence, string(object.UID))
		s.written, s.pending = s.pending.Page, nil
	}
	if untouched := object.UID == s.uid && object.ResourceVersion == s.version; !sealed && (mine || untouched) {
		s.uid, s.version, s.seen = object.UID, object.ResourceVersion, l.opts.Clock.Now()
		if s.written != nil {
			l.opts.Books.View.SetLive(string(s.uid), s.written)
			l.opts.Books.Written(s.written)
		}
		return nil
	}
	l.opts.Logger.Warn("UsageReport of this replica was taken from it; going on in another", "usageReport", s.name, "sealed", sealed)
	held := s.written
	if mine {
		held = content
	}
	l.leave(shard, held)
	l.opts.Books.View.SetLive(string(object.UID), content)
	return nil
}

// gone goes on after a report that is not there any more. If it was merged into the archive, what it held is counted there; if
// somebody deleted it, all of it is written again.
func (l *Ledger) gone(ctx context.Context, shard int) error {
	archive, err := l.client.get(ctx, l.client.archiveName(shard))
	if apierrors.IsNotFound(err) {
		archive, err = &v1alpha1.UsageReport{}, nil
	}
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &l.slots[shard]
	if s.uid == "" {
		return nil // a creation that did not arrive is tried again
	}
	m := archivedIn(archive, s.uid)
	now := l.opts.Clock.Now()
	if !m.held && now.Sub(s.seen) < mergedKept {
		l.opts.Logger.Warn("UsageReport of this replica was deleted; writing another", "usageReport", s.name)
		l.leave(shard, nil)
		l.slots[shard].force = true
		return nil
	}
	l.opts.Logger.Warn("UsageReport of this replica was merged into the archive; going on in another", "usageReport", s.name)
	held := s.written
	if m.known && s.pending != nil && s.pending.Sequence() == m.sequence {
		held = s.pending.Page
		l.opts.Books.Acknowledge(shard, s.pending.sequence, string(s.uid))
	}
	l.leave(shard, held)
	return nil
}

// leave begins a new report for a shard. What the old one keeps (nil: nothing) is taken out of the book, after it stopped counting as
// read: in between it counts twice, which refuses a request too many rather than one too few. Ledger.mu is held.
func (l *Ledger) leave(shard int, held *ledger.Page) {
	l.opts.Books.Unwritten(shard)
	if held != nil {
		if err := l.opts.Books.Book.Retired(held); err != nil {
			l.opts.Logger.Error("Usage is counted twice: a report of this replica is not what it wrote", "shard", shard, "err", err)
		}
	}
	l.begin(shard)
}
