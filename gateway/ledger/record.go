package ledger

import "slices"

// record is what is counted of a key.
type record struct {
	// used is when it was last used, in seconds since 1970.
	used int64
	// standing has the money: that of jobs, too.
	standing
	models history
	// set has the jobs that are not folded. nil for none.
	set map[hash]*job
	// tickets are those of jobs of the set that are reserved. nil for none.
	tickets map[hash]ticket
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
	if j.state != reserved {
		delete(r.tickets, h)
	}
	if old != nil && !r.uncount(old) {
		return true, r.recount()
	}
	return true, r.count(j)
}

// drop removes a job from the set.
func (r *record) drop(h hash) {
	old := r.set[h]
	delete(r.set, h)
	delete(r.tickets, h)
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

// last returns the newest second of anything that was counted.
func (r *record) last() int64 {
	last := r.used
	for i := range r.accounts {
		last = max(last, r.accounts[i].last)
	}
	return last
}

// blank says that nothing is left of a key.
func (r *record) blank() bool { return len(r.accounts) == 0 && len(r.models) == 0 && len(r.set) == 0 }

// subtract takes back what a page says.
func (r *record) subtract(l *leaf) {
	for i := range l.accounts {
		if at, found := r.find(l.accounts[i].reset); found {
			r.accounts[at].subtract(&l.accounts[i])
		}
	}
	r.accounts = slices.DeleteFunc(r.accounts, func(a account) bool { return a.life == 0 })
	l.eachRow(func(model string, what *row) { r.models.subtract(model, what) })
	r.models.expire(0)
	for _, k := range l.set {
		if j := r.set[k.hash]; j != nil && j.compare(k.job) <= 0 {
			r.drop(k.hash)
		}
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

// fold turns a job into counters. Of a job that nobody ever heard the end of, all that was reserved is charged.
func (r *record) fold(k known) {
	r.drop(k.hash)
	if k.state == released {
		return
	}
	r.spend(k.reset, int64(k.created)*secondsPerDay, k.amount)
	if add := k.row(); !add.empty() {
		r.models.model(k.model).add(&add)
	}
}
