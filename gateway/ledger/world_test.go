package ledger_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"vipcloud.ai/vipcloud/gateway/ledger"
	"vipcloud.ai/vipcloud/gateway/money"
)

// world is a cluster: replicas with books, and what the API server holds.
type world struct {
	t        *testing.T
	random   *rand.Rand
	now      time.Time
	replicas []*replica
	// objects are live reports by UID, archives the archive of each shard.
	objects  map[string]*object
	archives map[int]*archived
	// stale is what a leader that was replaced read.
	stale map[int]*archived
	// view hears of changes in order, some time later.
	view  *ledger.View
	queue []func()
	truth truth
	// resets are the values of the keys' annotation, the newest last.
	resets  map[string][]string
	jobs    []*ledger.JobEntry
	lastUID int
}

// replica is a gateway.
type replica struct {
	book *ledger.Book
	// uids are those of its reports by shard.
	uids map[int]string
	// resets are what it knows of annotations, which may be old.
	resets map[string]string
	// pending is what it has counted and not written, by shard.
	pending map[int][]*fact
}

// object is a live report.
type object struct {
	shard int
	data  []byte
	// writer is nil once the pod is gone.
	writer *replica
}

// archived is an archive. Its address is its version: it is never changed, only replaced.
type archived struct {
	data   []byte
	merged []string
}

const replicaCount = 3

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{
		t: t, random: rand.New(rand.NewPCG(seed, 4)), now: time.Date(2026, 2, 20, 22, 0, 0, 0, time.UTC),
		objects: map[string]*object{}, archives: map[int]*archived{}, stale: map[int]*archived{},
		view: ledger.NewView(), resets: map[string][]string{},
	}
	w.truth.horizon = map[int]time.Time{}
	for _, key := range keys {
		w.resets[key] = []string{""}
	}
	for range replicaCount {
		w.replicas = append(w.replicas, newReplica())
	}
	return w
}

func newReplica() *replica {
	return &replica{book: ledger.NewBook(), uids: map[int]string{}, resets: map[string]string{}, pending: map[int][]*fact{}}
}

// keys of the tests. The first two are in one shard.
var keys = []string{"shop/web", "shop/key-118", "team-a/batch", "team-b/agent", "demo/anonymous"}

func TestKeysShareAShard(t *testing.T) {
	if ledger.Shard(keys[0]) != ledger.Shard(keys[1]) {
		t.Errorf("%s is in shard %d, %s in %d: choose others", keys[0], ledger.Shard(keys[0]), keys[1], ledger.Shard(keys[1]))
	}
}

// step does one thing at random.
func (w *world) step() {
	switch n := w.random.IntN(100); {
	case n < 40:
		w.settle()
	case n < 58:
		w.job()
	case n < 72:
		w.write(w.any(), w.anyShard(), w.random.IntN(4) > 0)
	case n < 76:
		for range 1 + w.random.IntN(8) {
			w.advance(time.Duration(w.random.IntN(12*60)) * time.Minute)
		}
	case n < 79:
		w.crash()
	case n < 84:
		w.retire()
	case n < 87:
		w.staleLeader()
	case n < 90:
		w.sweep()
	case n < 94:
		w.fold()
	case n < 95:
		w.retireLiving()
	case n < 97:
		w.reset()
	case n < 99:
		w.learn()
	default:
		w.check()
	}
}

func (w *world) any() *replica    { return w.replicas[w.random.IntN(len(w.replicas))] }
func (w *world) anyKey() string   { return keys[w.random.IntN(len(keys))] }
func (w *world) anyShard() int    { return ledger.Shard(w.anyKey()) }
func (w *world) models() string   { return fmt.Sprintf("model-%d", w.random.IntN(5)) }
func (w *world) publish(f func()) { w.queue = append(w.queue, f) }

// settle counts a request.
func (w *world) settle() {
	r, key := w.any(), w.anyKey()
	e := ledger.Entry{
		Key: key, Reset: r.resets[key], Model: w.models(), At: w.now.Add(-time.Duration(w.random.IntN(300)) * time.Second),
		Requests: 1, Cost: money.Amount(w.random.Int64N(1000)), Estimated: w.random.IntN(5) == 0,
		Usage: ledger.Usage{PromptTokens: w.random.Int64N(100), CompletionTokens: w.random.Int64N(100), Images: w.random.Int64N(2)},
	}
	receipt := r.book.Settle(e)
	if receipt.Shard != ledger.Shard(key) || receipt.Saturated {
		w.t.Fatalf("receipt %+v for %s", receipt, key)
	}
	w.note(r, &fact{key: key, entry: &e})
}

// note remembers what a replica has counted.
func (w *world) note(r *replica, f *fact) {
	shard := ledger.Shard(f.key)
	r.pending[shard] = append(r.pending[shard], f)
}

// job reports something of a new or an old job.
func (w *world) job() {
	if len(w.jobs) == 0 || w.random.IntN(3) == 0 {
		created := w.now.Add(-time.Duration(w.random.IntN(60)) * time.Second)
		w.jobs = append(w.jobs, &ledger.JobEntry{
			Hash: fmt.Sprintf("%016x%016x", w.random.Uint64(), w.random.Uint64()), Key: w.anyKey(), Model: w.models(),
			Created: created, Deadline: created.Add(time.Duration(1+w.random.IntN(72)) * time.Hour),
		})
	}
	e := *w.jobs[w.random.IntN(len(w.jobs))]
	if w.now.After(e.Deadline.Add(ledger.Keep)) {
		return // nobody can ask for it any more
	}
	r := w.any()
	e.Reset, e.State = r.resets[e.Key], []ledger.JobState{ledger.JobReserved, ledger.JobReleased, ledger.JobCharged}[w.random.IntN(3)]
	e.Amount, e.Usage.Seconds = money.Amount(w.random.Int64N(4)), w.random.Int64N(3)
	if e.State == ledger.JobReserved && w.random.IntN(2) == 0 {
		e.Ticket = "ticket of " + e.Hash
	}
	for range 1 + w.random.IntN(2) { // a repetition changes nothing
		if _, err := r.book.Job(e); err != nil {
			w.t.Fatal(err)
		}
	}
	w.note(r, &fact{key: e.Key, job: &e, at: w.now})
}

// write writes one shard of a replica. If the answer is lost, the replica does not know that it was written.
func (w *world) write(r *replica, shard int, answered bool) {
	if !slices.Contains(r.book.Dirty(), shard) {
		return
	}
	data, sequence, err := r.book.Encode(shard)
	if err != nil {
		w.t.Fatal(err)
	}
	uid := r.uids[shard]
	if uid == "" {
		w.lastUID++
		uid = fmt.Sprintf("uid-%d", w.lastUID)
		r.uids[shard] = uid
	}
	w.objects[uid] = &object{shard: shard, data: data, writer: r}
	page := w.decode(data)
	w.publish(func() { w.view.SetLive(uid, page) })
	w.truth.facts = append(w.truth.facts, r.pending[shard]...)
	r.pending[shard] = nil
	if answered {
		r.book.Acknowledge(shard, sequence)
		if slices.Contains(r.book.Dirty(), shard) {
			w.t.Fatalf("shard %d is dirty after it was written", shard)
		}
	}
}

func (w *world) writeAll(r *replica) {
	for _, shard := range r.book.Dirty() {
		w.write(r, shard, true)
	}
}

// advance lets time pass. No replica keeps what it knows of jobs to itself for longer than Slack.
func (w *world) advance(d time.Duration) {
	w.now = w.now.Add(d)
	for _, r := range w.replicas {
		for shard, pending := range r.pending {
			if slices.ContainsFunc(pending, func(f *fact) bool { return f.job != nil && w.now.Sub(f.at) > ledger.Slack/2 }) {
				w.write(r, shard, true)
			}
		}
	}
}

// crash ends a replica. What it had not written is lost. It is started again, in the same pod or in another.
func (w *world) crash() {
	i := w.random.IntN(len(w.replicas))
	old, fresh := w.replicas[i], newReplica()
	w.replicas[i] = fresh
	fresh.resets = old.resets
	for _, o := range w.objects {
		if o.writer == old {
			o.writer = nil
		}
	}
	if w.random.IntN(2) == 0 {
		return
	}
	for shard, uid := range old.uids {
		w.objects[uid].writer = fresh
		fresh.uids[shard] = uid
		page := w.decode(w.objects[uid].data)
		if err := fresh.book.Load(page); err != nil {
			w.t.Fatal(err)
		}
		if err := fresh.book.Load(page); !errors.Is(err, ledger.ErrLoaded) {
			w.t.Fatalf("loaded twice: %v", err)
		}
	}
}

// reset changes the annotation of a key. Replicas learn of it later, each at its own time.
func (w *world) reset() {
	if key := w.anyKey(); len(w.resets[key]) < 4 {
		w.resets[key] = append(w.resets[key], fmt.Sprintf("reset %d", len(w.resets[key])))
	}
}

func (w *world) learn() {
	key := w.anyKey()
	w.any().resets[key] = w.resets[key][len(w.resets[key])-1]
}

func (w *world) decode(data []byte) *ledger.Page {
	page, err := ledger.Decode(data)
	if err != nil {
		w.t.Fatalf("%v:\n%s", err, data)
	}
	return page
}
