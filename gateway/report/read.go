package report

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/ledger"
)

// loadOwn goes on from what this replica wrote before it was started again, and from what its journal holds beyond that.
func (l *Ledger) loadOwn(ctx context.Context) error {
	own, err := l.client.own(ctx)
	if err != nil {
		return err
	}
	if own, err = l.fence(ctx, own); err != nil {
		return err
	}
	held, err := l.merged(ctx, own)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.loadReports(own, &held)
	entries, err := l.opts.Books.Replay(held)
	if err != nil {
		l.opts.Logger.Error("The journal of usage could not be read whole; the rest of it is lost", "err", err)
	}
	if entries > 0 {
		l.opts.Logger.Info("Usage goes on from the journal", "entries", entries)
	}
	return nil
}

// merged returns, by shard, up to which number the archive holds what this replica had written, where its journal names a report that
// is not there any more.
func (l *Ledger) merged(ctx context.Context, own []v1alpha1.UsageReport) (held [ledger.Shards]int64, err error) {
	journal := l.opts.Books.Journal()
	if journal == nil {
		return held, nil
	}
	for shard, uid := range journal.Reports() {
		here := slices.ContainsFunc(own, func(o v1alpha1.UsageReport) bool { return string(o.UID) == uid })
		if uid == "" || here {
			continue
		}
		archive, err := l.client.get(ctx, l.client.archiveName(shard))
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return held, err
		}
		held[shard] = archivedIn(archive, types.UID(uid)).sequence
	}
	return held, nil
}

// loadReports loads the reports of this replica that nobody has sealed, and notes how much all of them hold. Ledger.mu is held.
func (l *Ledger) loadReports(own []v1alpha1.UsageReport, held *[ledger.Shards]int64) {
	for i := range own {
		object := &own[i]
		if !l.speaksOf(object) || object.Role != v1alpha1.UsageReportLive {
			continue
		}
		p, err := ledger.Decode(object.Report.Raw)
		if err == nil && p.Shard() != int(object.Shard) {
			err = ledger.ErrShard
		}
		if err == nil {
			held[p.Shard()] = max(held[p.Shard()], p.Sequence())
		}
		if _, sealed := object.Annotations[v1alpha1.AnnotationSealed]; sealed {
			continue
		}
		if err == nil {
			err = l.opts.Books.Book.Load(p) // the second one of a shard stays as it is, and counts as another's
		}
		if err != nil {
			l.opts.Logger.Warn("UsageReport of this replica is not gone on with", "usageReport", object.Name, "err", err)
			continue
		}
		s := &l.slots[p.Shard()]
		s.name, s.uid, s.version, s.written = object.Name, object.UID, object.ResourceVersion, p
		s.seen = l.opts.Clock.Now()
		l.opts.Books.Name(p.Shard(), s.name)
		l.opts.Books.View.SetLive(string(s.uid), p)
		l.opts.Books.Written(p)
	}
}

// speaksOf says whether a report is what its labels say: of this instance.
func (l *Ledger) speaksOf(object *v1alpha1.UsageReport) bool {
	return string(object.Gateway) == l.opts.Instance.Name && object.Shard >= 0 && object.Shard < ledger.Shards
}

// watch reads all reports of the instance until ctx ends.
func (l *Ledger) watch(ctx context.Context) {
	logger := logr.FromSlogHandler(l.opts.Logger.Handler())
	ctx = klog.NewContext(ctx, logger)
	reflector := cache.NewReflectorWithOptions(l.client.listWatch(), &v1alpha1.UsageReport{}, &reader{ledger: l}, cache.ReflectorOptions{
		Name:    reportsResource + "/" + l.opts.Instance.Namespace,
		Backoff: &wait.Backoff{Duration: 200 * time.Millisecond, Factor: 2, Jitter: 0.5, Steps: 12, Cap: 5 * time.Second},
		Logger:  &logger,
	})
	for ctx.Err() == nil {
		if err := runRecovered(ctx, reflector); err != nil {
			l.opts.Logger.Error("Watch panicked, starting it again", "watch", reportsResource, "err", err)
			select {
			case <-ctx.Done():
			case <-l.opts.Clock.After(minInterval):
			}
		}
	}
}

// runRecovered runs a reflector; an error is its panic.
func runRecovered(ctx context.Context, r *cache.Reflector) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	r.RunWithContext(ctx)
	return nil
}

// reader takes reports from a watch into the view.
type reader struct {
	ledger *Ledger
	synced sync.Once

	// Of the reflector's goroutine: the shard of each live report that was seen, and its name.
	lives map[types.UID]int
	names map[types.UID]string
}

var _ cache.ReflectorStore = (*reader)(nil)

// Add is called for a new report.
func (r *reader) Add(object any) error { return r.take(object) }

// Update is called for a changed report.
func (r *reader) Update(object any) error { return r.take(object) }

// Resync is never asked for.
func (r *reader) Resync() error { return nil }

// Delete is called for a deleted report. What an archive said of keys it goes on to say: nobody but people deletes one, and usage
// that a mistake made invisible must not make budgets whole again.
func (r *reader) Delete(object any) error {
	if o, ok := object.(*v1alpha1.UsageReport); ok {
		r.drop(o.UID)
	}
	return nil
}

// Replace is called with all reports. Archives come first: of what they hold nothing must count as missing.
func (r *reader) Replace(objects []any, _ string) error {
	here := map[types.UID]bool{}
	for _, role := range []v1alpha1.UsageReportRole{v1alpha1.UsageReportArchive, v1alpha1.UsageReportLive} {
		for _, object := range objects {
			o, ok := object.(*v1alpha1.UsageReport)
			if !ok || o.Role != role {
				continue
			}
			here[o.UID] = true
			if err := r.take(o); err != nil {
				return err
			}
		}
	}
	for uid := range r.lives {
		if !here[uid] {
			r.drop(uid)
		}
	}
	r.ledger.missing(here)
	r.synced.Do(func() { close(r.ledger.synced) })
	return nil
}

// take reads a report. One that cannot be read leaves what was read of it before.
func (r *reader) take(object any) error {
	o, ok := object.(*v1alpha1.UsageReport)
	if !ok {
		return fmt.Errorf("reading UsageReports: got %T", object)
	}
	l := r.ledger
	if !l.speaksOf(o) {
		return nil
	}
	if o.Role == v1alpha1.UsageReportLive {
		if r.lives == nil {
			r.lives, r.names = map[types.UID]int{}, map[types.UID]string{}
		}
		r.lives[o.UID], r.names[o.UID] = int(o.Shard), o.Name
		if l.own(o) {
			return nil
		}
	}
	p, err := ledger.Decode(o.Report.Raw)
	if err != nil || p.Shard() != int(o.Shard) {
		l.opts.Logger.Warn("UsageReport cannot be read; what it said before counts", "usageReport", o.Name, "err", err)
		return nil
	}
	if o.Role == v1alpha1.UsageReportLive {
		l.opts.Books.View.SetLive(string(o.UID), p)
		l.opts.Books.Other(o.Name, p)
		return nil
	}
	l.opts.Books.View.SetArchive(p, uids(o.Merged))
	l.opts.Books.Book.Folded(p)
	return nil
}

// uids are UIDs as the ledger knows them.
func uids(merged []v1alpha1.ReportUID) []string {
	all := make([]string, 0, len(merged))
	for _, uid := range merged {
		all = append(all, string(uid))
	}
	return all
}

// own says whether this replica is writing a report. Then it knows better than the watch what it holds, but not whether somebody
// sealed it.
func (l *Ledger) own(o *v1alpha1.UsageReport) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &l.slots[o.Shard]
	if s.name != o.Name || (s.uid != "" && s.uid != o.UID) {
		return false
	}
	_, sealed := o.Annotations[v1alpha1.AnnotationSealed]
	s.check = s.check || sealed
	return true
}

// drop takes a live report that is gone out of the view.
func (r *reader) drop(uid types.UID) {
	shard, found := r.lives[uid]
	if !found {
		return
	}
	l := r.ledger
	defer l.opts.Books.Gone(r.names[uid], shard)
	delete(r.lives, uid)
	delete(r.names, uid)
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &l.slots[shard]
	if s.uid == uid || s.uid == "" {
		s.check, s.dead = s.name != "", uid
		l.opts.Books.Unwritten(shard)
	}
	l.opts.Books.View.DropLive(string(uid), shard)
}

// missing looks after reports of this replica that a list of all does not hold. Until it is known what became of one, all that the
// replica has counted stands for it.
func (l *Ledger) missing(here map[types.UID]bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.slots {
		if s := &l.slots[i]; s.uid != "" && !here[s.uid] {
			s.check = true
			l.opts.Books.Unwritten(i)
			l.opts.Books.View.DropLive(string(s.uid), i)
		}
	}
}
