package ledger

import (
	"cmp"
	"slices"
	"time"

	"vipcloud.ai/vipcloud/gateway/money"
)

// How long a job's entry stays in the set after its deadline, at least.
const (
	// Keep is how long after its deadline a job can be asked for, and so reported anew.
	Keep = 7 * 24 * time.Hour
	// Slack is how long a report may take from the event to what the operator reads when it folds.
	Slack = 24 * time.Hour
)

// jobState orders the states: a higher one wins.
type jobState uint8

const (
	reserved jobState = iota + 1
	released
	charged
)

// stateOf reads a state; 0 if there is none of that name.
func stateOf(s JobState) jobState {
	switch s {
	case JobReserved:
		return reserved
	case JobReleased:
		return released
	case JobCharged:
		return charged
	}
	return 0
}

// name is the reverse of stateOf.
func (s jobState) name() JobState {
	switch s {
	case released:
		return JobReleased
	case charged:
		return JobCharged
	case reserved:
	}
	return JobReserved
}

// job is what is known of a job's money. It is immutable and may be shared by jobs of which the same is known.
type job struct {
	state        jobState
	reset, model string
	// created is a day, deadline an hour, both since 1970.
	created, deadline int32
	amount            money.Amount
	used              amounts
}

// newJob returns what an event says, 0 amounts for a released one.
func newJob(e *JobEntry) *job {
	j := &job{
		state: stateOf(e.State), reset: identifier(e.Reset, maxReset), model: identifier(e.Model, maxModel),
		created: dayOf(e.Created), deadline: hourAfter(e.Deadline),
	}
	if j.state != released {
		j.amount, j.used = max(e.Amount, 0), e.Usage.amounts()
	}
	return j
}

// compare puts what is known of one job in a total order of which the highest wins: by state, then by amount, so that in doubt
// more is charged, then by everything else, so that the order in which events arrive never matters.
func (j *job) compare(o *job) int {
	if j == o {
		return 0
	}
	return cmp.Or(cmp.Compare(j.state, o.state), cmp.Compare(j.amount, o.amount), slices.Compare(j.used[:], o.used[:]),
		cmp.Compare(j.created, o.created), cmp.Compare(j.deadline, o.deadline),
		cmp.Compare(j.reset, o.reset), cmp.Compare(j.model, o.model))
}

// row is what a charged job adds to the history. The request that made it was counted by itself.
func (j *job) row() row { return newRow(j.created, 0, int64(j.amount), false, &j.used) }

// jobSum is what the jobs of a day hold that are not folded.
type jobSum struct {
	reset             string
	day               int32
	charged, reserved money.Amount
}

// of returns the sum that a job belongs to, nil if it costs nothing.
func (s *jobSum) of(j *job) *money.Amount {
	switch j.state {
	case charged:
		return &s.charged
	case reserved:
		return &s.reserved
	case released:
	}
	return nil
}

// findJobs returns the place of a day's sum.
func (s *standing) findJobs(reset string, day int32) int {
	return slices.IndexFunc(s.jobs, func(sum jobSum) bool { return sum.day == day && sum.reset == reset })
}

// count adds a job; false: a sum ended at money.Max.
func (s *standing) count(j *job) bool {
	if j.amount == 0 {
		return true
	}
	i := s.findJobs(j.reset, j.created)
	if i < 0 {
		i = len(s.jobs)
		s.jobs = append(s.jobs, jobSum{reset: j.reset, day: j.created})
	}
	ok := true
	if sum := s.jobs[i].of(j); sum != nil {
		*sum, ok = sum.Add(j.amount)
	}
	return ok
}

// uncount takes a job back; false: that cannot be known, count all of them again.
func (s *standing) uncount(j *job) bool {
	i := s.findJobs(j.reset, j.created)
	if i < 0 || j.amount == 0 {
		return true
	}
	sum := s.jobs[i].of(j)
	if sum == nil {
		return true
	}
	if *sum == money.Max {
		return false
	}
	*sum -= j.amount
	if s.jobs[i].charged == 0 && s.jobs[i].reserved == 0 {
		s.jobs = slices.Delete(s.jobs, i, i+1)
	}
	return true
}

// jobsOf returns what the jobs of a reset value hold of the period that a day lies in.
func (s *standing) jobsOf(reset string, p Period, day int32) (charged, reserved money.Amount) {
	epoch := p.epoch(day)
	for i := range s.jobs {
		if sum := &s.jobs[i]; sum.reset == reset && p.epoch(sum.day) == epoch {
			charged, _ = charged.Add(sum.charged)
			reserved, _ = reserved.Add(sum.reserved)
		}
	}
	return charged, reserved
}

// known is what is known of a job by name.
type known struct {
	hash hash
	*job
}

// compareHash sorts by name.
func compareHash(a, b known) int { return a.hash.compare(b.hash) }

// unite joins two sets that are sorted by name: of each job what wins. The result may be one of the two.
func unite(a, b []known) []known {
	switch {
	case len(a) == 0:
		return b
	case len(b) == 0:
		return a
	}
	all := make([]known, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch c := compareHash(a[0], b[0]); {
		case c < 0:
			all, a = append(all, a[0]), a[1:]
		case c > 0:
			all, b = append(all, b[0]), b[1:]
		default:
			winner := a[0]
			if winner.compare(b[0].job) < 0 {
				winner = b[0]
			}
			all, a, b = append(all, winner), a[1:], b[1:]
		}
	}
	return append(append(all, a...), b...)
}

// entry is what is known of a job, as others say it.
func (k *known) entry(key string) JobEntry {
	return JobEntry{
		Hash: k.hash.String(), Key: key, Reset: k.reset, Model: k.model, Amount: k.amount, Usage: k.used.usage(), State: k.state.name(),
		Created: timeOfDay(k.created), Deadline: timeOfHour(k.deadline),
	}
}
