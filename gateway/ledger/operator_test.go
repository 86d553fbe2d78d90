package ledger_test

import (
	"errors"
	"slices"
	"time"

	"vipcloud.ai/vipcloud/gateway/ledger"
)

// orphan returns a report without a writer.
func (w *world) orphan() string {
	var orphans []string
	for uid, o := range w.objects {
		if o.writer == nil {
			orphans = append(orphans, uid)
		}
	}
	if len(orphans) == 0 {
		return ""
	}
	slices.Sort(orphans)
	return orphans[w.random.IntN(len(orphans))]
}

// open reads an archive.
func (w *world) open(a *archived, shard int) *ledger.Archive {
	if a == nil {
		return ledger.NewArchive(shard)
	}
	archive := ledger.OpenArchive(w.decode(a.data), a.merged)
	if again, err := archive.Encode(); err != nil || string(again) != string(a.data) {
		w.t.Fatalf("an archive that was opened is written as\n%s, was\n%s: %v", again, a.data, err)
	}
	return archive
}

// update writes an archive that was read at a version, unless somebody else has written it since.
func (w *world) update(shard int, read *archived, archive *ledger.Archive) bool {
	if w.archives[shard] != read {
		return false
	}
	data, err := archive.Encode()
	if err != nil {
		w.t.Fatal(err)
	}
	next := &archived{data: data, merged: archive.Merged()}
	w.archives[shard] = next
	page := w.decode(data)
	w.publish(func() { w.view.SetArchive(page, next.merged) })
	return true
}

// retire merges an orphan. It may be one that was merged before, if the leader went before it was deleted.
func (w *world) retire() {
	uid := w.orphan()
	if uid == "" {
		return
	}
	o := w.objects[uid]
	read := w.archives[o.shard]
	if w.random.IntN(3) == 0 {
		w.stale[o.shard] = read
	}
	archive := w.open(read, o.shard)
	before := slices.Contains(archive.Merged(), uid)
	switch err := archive.Merge(uid, w.decode(o.data)); {
	case before != errors.Is(err, ledger.ErrMerged):
		w.t.Fatalf("merged before: %t, error: %v", before, err)
	case err != nil && !before:
		w.t.Fatal(err)
	}
	w.update(o.shard, read, archive)
	if w.random.IntN(2) == 0 {
		w.remove(uid)
	}
}

// remove deletes a report.
func (w *world) remove(uid string) {
	shard := w.objects[uid].shard
	delete(w.objects, uid)
	w.publish(func() { w.view.DropLive(uid, shard) })
}

// staleLeader merges into what it once read. If the archive is another by now it cannot write; else it was merged.
func (w *world) staleLeader() {
	uid := w.orphan()
	if uid == "" {
		return
	}
	o := w.objects[uid]
	read, found := w.stale[o.shard]
	if !found {
		return
	}
	archive := w.open(read, o.shard)
	if err := archive.Merge(uid, w.decode(o.data)); err != nil {
		return
	}
	w.update(o.shard, read, archive)
}

// sweep deletes reports that are merged, and takes UIDs of reports that are gone from the archives.
func (w *world) sweep() {
	for shard, read := range w.archives {
		var gone []string
		for _, uid := range read.merged {
			if _, found := w.objects[uid]; !found {
				gone = append(gone, uid)
			} else if w.random.IntN(2) == 0 {
				w.remove(uid)
			}
		}
		if archive := w.open(read, shard); archive.Gone(gone...) {
			w.update(shard, read, archive)
		}
	}
}

// fold folds the jobs of a shard, and tells some of the replicas.
func (w *world) fold() {
	shard := w.anyShard()
	var lives []ledger.Live
	for uid, o := range w.objects {
		if o.shard == shard {
			lives = append(lives, live(uid, w.decode(o.data)))
		}
	}
	read := w.archives[shard]
	archive := w.open(read, shard)
	archive.Fold(lives, w.now)
	if again := archive.Fold(lives, w.now); again != (ledger.Folded{}) {
		w.t.Fatalf("folded twice: %+v", again)
	}
	w.update(shard, read, archive)
	w.truth.horizon[shard] = w.now.Add(-ledger.Keep - ledger.Slack).Truncate(time.Hour)
	for _, r := range w.replicas {
		if w.random.IntN(2) == 0 {
			r.book.Folded(w.decode(w.archives[shard].data))
		}
	}
}

// retireLiving merges a report whose writer is running, which is told so.
func (w *world) retireLiving() {
	r, shard := w.any(), w.anyShard()
	uid := r.uids[shard]
	if uid == "" {
		return
	}
	read := w.archives[shard]
	archive := w.open(read, shard)
	page := w.decode(w.objects[uid].data)
	if err := archive.Merge(uid, page); err != nil {
		w.t.Fatal(err)
	}
	w.update(shard, read, archive)
	w.objects[uid].writer = nil
	delete(r.uids, shard)
	if err := r.book.Retired(page); err != nil {
		w.t.Fatal(err)
	}
}
