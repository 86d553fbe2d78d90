package ledger

import (
	"slices"
	"strings"
	"time"

	"vipcloud.ai/vipcloud/gateway/money"
)

// record is what is counted of a key.
type record struct {
	// used is when it was last used, in seconds since 1970.
	used int64
	// standing has the money: that of jobs, too.
	standing
	models history
	// set has the jobs that are not folded. nil for none.
	set map[hash]*job
}

// join adds what is known of a job. changed is false if that was known, or better.
func (r *record) join(h hash, j *job) (changed, whole bool) {
	old := r.set[h]
	if old != nil && old.compare(j) >= 0 {
		return false, true
	}
	if r.set == nil {
		r.set = map[hash]*job{}
	}
	r.set[h] = j
	if old != nil && !r.uncount(old) {
		return true, r.recount()
	}
	return true, r.count(j)
}

// drop removes a job from the set.
func (r *record) drop(h hash) {
	old := r.set[h]
	delete(r.set, h)
	if old != nil && !r.uncount(old) {
		r.recount()
	}
}

// recount makes the sums of jobs anew.
func (r *record) recount() (whole bool) {
	r.jobs, whole = nil, true
	for _, j := range r.set {
		whole = r.count(j) && whole
	}
	return whole
}

// blank says that nothing is left of a key.
func (r *record) blank() bool { return len(r.accounts) == 0 && len(r.models) == 0 && len(r.set) == 0 }

// sheet is one shard of a book or an archive.
type sheet struct {
	shard int
	// sequence is how many entries were counted here.
	sequence int64
	// horizon is the hour up to which an archive has folded jobs by their deadline, or a book knows that it has.
	horizon int32
	// thinned is the newest day of which usage was forgotten for want of room; 0: none.
	thinned int32
	keys    map[string]*record
	// size is about how many bytes the page has, known from the last time.
	size int
}

// record returns that of a key, making one if there is none.
func (s *sheet) record(key string) *record {
	r := s.keys[key]
	if r == nil {
		if s.keys == nil {
			s.keys = map[string]*record{}
		}
		r = &record{}
		s.keys[strings.Clone(key)] = r
	}
	return r
}

// settle counts an entry of a key; false: a sum ended at money.Max.
func (s *sheet) settle(key string, e *Entry) bool {
	r, second := s.record(key), secondOf(e.At)
	r.used = max(r.used, second)
	used := e.Usage.amounts()
	add := newRow(int32(second/secondsPerDay), e.Requests, int64(e.Cost), e.Estimated, &used)
	if !add.empty() {
		if made := r.models.model(identifier(e.Model, maxModel)).add(&add); made {
			r.models.expire(add.day - HistoryDays + 1)
		}
	}
	return r.spend(identifier(e.Reset, maxReset), second, e.Cost)
}

// job counts an event.
func (s *sheet) job(key string, h hash, j *job) (changed, whole bool, err error) {
	if j.deadline <= s.horizon {
		return false, true, ErrLate
	}
	changed, whole = s.record(key).join(h, j)
	return changed, whole, nil
}

// absorb adds a page. Jobs that were folded are left out: they are in the counters.
func (s *sheet) absorb(p *Page) {
	s.thinned = max(s.thinned, p.thinned)
	for key, l := range p.keys {
		r := s.record(key)
		r.used = max(r.used, l.used)
		r.merge(&l.standing)
		l.eachRow(func(model string, add *row) { r.models.model(model).add(add) })
		for _, k := range l.set {
			if k.deadline > s.horizon {
				r.join(k.hash, k.job)
			}
		}
	}
}

// forgetJobs removes the jobs whose deadline is not after an hour. They must have been folded.
func (s *sheet) forgetJobs(horizon int32) {
	s.horizon = max(s.horizon, horizon)
	for _, r := range s.keys {
		for _, k := range r.due(s.horizon) {
			r.drop(k.hash)
		}
	}
}

// covers says whether a sheet can have grown out of a page: it has spent as much of everything.
func (s *sheet) covers(p *Page) bool {
	for key, l := range p.keys {
		r := s.keys[key]
		if r == nil {
			return false
		}
		for i := range l.accounts {
			if at, found := r.find(l.accounts[i].reset); found && r.accounts[at].life < l.accounts[i].life {
				return false
			}
		}
	}
	return true
}

// subtract takes back a page.
func (s *sheet) subtract(p *Page) {
	for key, l := range p.keys {
		r := s.keys[key]
		for i := range l.accounts {
			if at, found := r.find(l.accounts[i].reset); found {
				r.accounts[at].subtract(&l.accounts[i])
			}
		}
		l.eachRow(func(model string, what *row) { r.models.subtract(model, what) })
		r.models.expire(0)
		for _, k := range l.set {
			if j := r.set[k.hash]; j != nil && j.compare(k.job) <= 0 {
				r.drop(k.hash)
			}
		}
		r.tidy()
		if r.blank() {
			delete(s.keys, key)
		}
	}
}

// tidy removes accounts in which nothing is left.
func (r *record) tidy() {
	kept := r.accounts[:0]
	for i := range r.accounts {
		if r.accounts[i].life > 0 {
			kept = append(kept, r.accounts[i])
		}
	}
	clear(r.accounts[len(kept):])
	r.accounts = kept
}

// fold turns a job into counters. Of a job that nobody ever heard the end of, all that was reserved is charged.
func (r *record) fold(k known, oldestDay int32) {
	r.drop(k.hash)
	if k.state == released {
		return
	}
	r.spend(k.reset, int64(k.created)*secondsPerDay, k.amount)
	if add := k.row(); add.day >= oldestDay && !add.empty() {
		r.models.model(k.model).add(&add)
	}
}

// Folded says what became of jobs.
type Folded struct {
	// Charged and Released count jobs that had ended so.
	Charged, Released int
	// Unknown counts jobs whose end nobody reported. Their reserved amount was charged: UnknownAmount.
	Unknown       int
	UnknownAmount money.Amount
}

// add counts a job.
func (f *Folded) add(j *job) {
	switch j.state {
	case charged:
		f.Charged++
	case released:
		f.Released++
	case reserved:
		f.Unknown++
		f.UnknownAmount, _ = f.UnknownAmount.Add(j.amount)
	}
}

// due returns the jobs whose deadline is not after an hour, by name.
func (r *record) due(horizon int32) []known {
	var due []known
	for h, j := range r.set {
		if j.deadline <= horizon {
			due = append(due, known{h, j})
		}
	}
	slices.SortFunc(due, compareHash)
	return due
}

// fold turns the jobs whose deadline is not after an hour into counters.
func (s *sheet) fold(horizon int32, now time.Time) (f Folded) {
	oldestDay := dayOf(now) - HistoryDays + 1
	for _, r := range s.keys {
		for _, k := range r.due(horizon) {
			r.fold(k, oldestDay)
			f.add(k.job)
		}
		r.models.expire(oldestDay)
	}
	s.horizon = horizon
	return f
}
