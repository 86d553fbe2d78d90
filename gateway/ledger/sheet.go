package ledger

import (
	"strings"
	"time"

	"vipcloud.ai/vipcloud/gateway/money"
)

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
func (s *sheet) job(key string, h hash, j *job, t ticket) (changed, whole bool, err error) {
	if j.deadline <= s.horizon {
		return false, true, ErrLate
	}
	r := s.record(key)
	changed, whole = r.join(h, j)
	return r.hold(h, t) || changed, whole, nil
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
		for h, t := range l.tickets {
			r.hold(h, t)
		}
		s.tidy(key, r)
	}
}

// forgetJobs removes the jobs whose deadline is not after an hour. They must have been folded.
func (s *sheet) forgetJobs(horizon int32) {
	s.horizon = max(s.horizon, horizon)
	for key, r := range s.keys {
		for _, k := range r.due(s.horizon) {
			r.drop(k.hash)
		}
		s.tidy(key, r)
	}
}

// tidy removes a key of which nothing is left.
func (s *sheet) tidy(key string, r *record) {
	if r.blank() && r.used == 0 {
		delete(s.keys, key)
	}
}

// covers says whether a sheet can have grown out of a page: it has spent as much of everything.
func (s *sheet) covers(p *Page) bool {
	for key, l := range p.keys {
		r := s.keys[key]
		if r == nil {
			if len(l.accounts) > 0 {
				return false
			}
			continue // it had nothing but jobs that were folded
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
		if r := s.keys[key]; r != nil {
			r.subtract(l)
			if r.blank() {
				delete(s.keys, key)
			}
		}
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

// fold turns the jobs whose deadline is not after an hour into counters.
func (s *sheet) fold(horizon int32, now time.Time) (f Folded) {
	oldestDay := dayOf(now) - HistoryDays + 1
	for key, r := range s.keys {
		for _, k := range r.due(horizon) {
			r.fold(k)
			f.add(k.job)
		}
		r.models.expire(oldestDay)
		s.tidy(key, r)
	}
	s.horizon = horizon
	return f
}
