package ledger

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"vipcloud.ai/vipcloud/gateway/money"
)

// maxResets is how many accounts of a key are kept: those that were used last.
const maxResets = 4

// slot is what was spent in a period.
type slot struct {
	epoch  int32
	amount money.Amount // above zero; zero: no slot
}

// window holds the two newest periods in which something was spent, the newest first. One alone would lose what was spent today
// as soon as a replica whose clock is ahead is in tomorrow. A period that is among the two newest of a sum was among the two
// newest of each part, so that sums are exact in whatever order they are made.
type window [2]slot

// add adds what was spent in a period; false: it ended at money.Max.
func (w *window) add(epoch int32, amount money.Amount) bool {
	ok := true
	switch {
	case amount == 0:
	case w[0].amount == 0 || epoch > w[0].epoch:
		w[1], w[0] = w[0], slot{epoch, amount}
	case epoch == w[0].epoch:
		w[0].amount, ok = w[0].amount.Add(amount)
	case w[1].amount == 0 || epoch > w[1].epoch:
		w[1] = slot{epoch, amount}
	case epoch == w[1].epoch:
		w[1].amount, ok = w[1].amount.Add(amount)
	}
	return ok
}

// subtract takes back what was added. A period that is left with nothing is forgotten.
func (w *window) subtract(epoch int32, amount money.Amount) {
	for i := range w {
		if w[i].amount > 0 && w[i].epoch == epoch {
			w[i].amount = less(w[i].amount, amount)
		}
	}
	if w[0].amount == 0 {
		w[0], w[1] = w[1], slot{}
	}
}

// less returns a-b, not below zero. Money at its limit stays there, as nobody knows how much it is.
func less(a, b money.Amount) money.Amount {
	if a == money.Max {
		return a
	}
	return max(a-b, 0)
}

// at returns what was spent in a period.
func (w *window) at(epoch int32) money.Amount {
	for _, s := range w {
		if s.amount > 0 && s.epoch == epoch {
			return s.amount
		}
	}
	return 0
}

// account is what was spent of a key under one value of its reset annotation.
type account struct {
	reset string
	// last is when it was last added to, in seconds since 1970.
	last             int64
	life             money.Amount // above zero
	day, week, month window
}

// add adds what was spent on a day; false: a sum ended at money.Max.
func (a *account) add(day int32, amount money.Amount) bool {
	dayOK := a.day.add(day, amount)
	weekOK := a.week.add(weekOf(day), amount)
	monthOK := a.month.add(monthOf(day), amount)
	var ok bool
	a.life, ok = a.life.Add(amount)
	return ok && dayOK && weekOK && monthOK
}

// merge adds another account of the same reset value.
func (a *account) merge(o *account) {
	a.last = max(a.last, o.last)
	for _, pair := range [...]struct{ to, from *window }{{&a.day, &o.day}, {&a.week, &o.week}, {&a.month, &o.month}} {
		for _, s := range pair.from {
			pair.to.add(s.epoch, s.amount)
		}
	}
	a.life, _ = a.life.Add(o.life) // at its limit it says so itself
}

// subtract takes back another account of the same reset value.
func (a *account) subtract(o *account) {
	for _, pair := range [...]struct{ from, what *window }{{&a.day, &o.day}, {&a.week, &o.week}, {&a.month, &o.month}} {
		for _, s := range pair.what {
			pair.from.subtract(s.epoch, s.amount)
		}
	}
	a.life = less(a.life, o.life)
}

// spent returns what was spent in the period that a day lies in.
func (a *account) spent(p Period, day int32) money.Amount {
	switch epoch := p.epoch(day); p {
	case Day:
		return a.day.at(epoch)
	case Week:
		return a.week.at(epoch)
	case Month:
		return a.month.at(epoch)
	case Lifetime:
	}
	return a.life
}

// standing is where the money of a key stands.
type standing struct {
	// accounts by reset value, sorted.
	accounts []account
	// jobs are sums of the jobs that are not folded.
	jobs []jobSum
}

// find returns the place of a reset value among the accounts.
func (s *standing) find(reset string) (int, bool) {
	return slices.BinarySearchFunc(s.accounts, reset, func(a account, reset string) int { return cmp.Compare(a.reset, reset) })
}

// account returns that of a reset value, making one if there is none. The pointer is good until the next call.
func (s *standing) account(reset string) *account {
	i, found := s.find(reset)
	if !found {
		s.accounts = slices.Insert(s.accounts, i, account{reset: strings.Clone(reset)})
	}
	return &s.accounts[i]
}

// evict forgets the accounts that were used longest ago, beyond those that are kept.
func (s *standing) evict() {
	for len(s.accounts) > maxResets {
		oldest := 0
		for i := range s.accounts {
			if s.accounts[i].last < s.accounts[oldest].last {
				oldest = i
			}
		}
		s.accounts = slices.Delete(s.accounts, oldest, oldest+1)
	}
}

// spend adds what was spent at a time; false: a sum ended at money.Max.
func (s *standing) spend(reset string, second int64, amount money.Amount) bool {
	if amount <= 0 {
		return true
	}
	a := s.account(reset)
	a.last = max(a.last, second)
	ok := a.add(int32(second/secondsPerDay), amount)
	s.evict()
	return ok
}

// merge adds the accounts of another standing. Jobs are a set and are not added.
func (s *standing) merge(o *standing) {
	for i := range o.accounts {
		s.account(o.accounts[i].reset).merge(&o.accounts[i])
	}
	s.evict()
}

// spent returns what a reset value has spent in the period of a time, charged jobs included.
func (s *standing) spent(reset string, p Period, at time.Time) money.Amount {
	if s == nil {
		return 0
	}
	reset = identifier(reset, maxReset)
	day := dayOf(at)
	var sum money.Amount
	if i, found := s.find(reset); found {
		sum = s.accounts[i].spent(p, day)
	}
	charged, _ := s.jobsOf(reset, p, day)
	sum, _ = sum.Add(charged)
	return sum
}

// reserved returns what running jobs of a reset value hold of the period of a time.
func (s *standing) reserved(reset string, p Period, at time.Time) money.Amount {
	if s == nil {
		return 0
	}
	_, reserved := s.jobsOf(identifier(reset, maxReset), p, dayOf(at))
	return reserved
}
