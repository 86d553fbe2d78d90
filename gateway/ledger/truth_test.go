package ledger_test

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"vipcloud.ai/vipcloud/gateway/ledger"
	"vipcloud.ai/vipcloud/gateway/money"
)

// fact is something that a replica has counted: a request or an event of a job.
type fact struct {
	key   string
	entry *ledger.Entry
	job   *ledger.JobEntry
	at    time.Time
}

// truth is everything that was written and so must not be lost, and nothing else. It adds up naively.
type truth struct {
	facts []*fact
	// horizon is up to which deadline jobs have been folded, by shard: a job that nobody ended is charged then.
	horizon map[int]time.Time
}

// account is what can be seen of a key.
type account struct {
	Spent, Reserved map[string]money.Amount
	Rows            map[string]ledger.HistoryRow
	Used            time.Time
}

var periods = []ledger.Period{ledger.Day, ledger.Week, ledger.Month, ledger.Lifetime}

// historyChecked is how many days of history are compared: fewer than are kept, as each report keeps its own newest days.
const historyChecked = 25 * 24 * time.Hour

// moments are the times whose periods must be exact: now and one period before.
func moments(p ledger.Period, now time.Time) []time.Time {
	switch p {
	case ledger.Day:
		return []time.Time{now, now.AddDate(0, 0, -1)}
	case ledger.Week:
		return []time.Time{now, now.AddDate(0, 0, -7)}
	case ledger.Month:
		return []time.Time{now, time.Date(now.Year(), now.Month(), 0, 12, 0, 0, 0, time.UTC)}
	case ledger.Lifetime:
	}
	return []time.Time{now}
}

// same says that two times are in one period, as the calendar has it.
func same(p ledger.Period, a, b time.Time) bool {
	a, b = a.UTC(), b.UTC()
	switch p {
	case ledger.Day:
		return a.Format(time.DateOnly) == b.Format(time.DateOnly)
	case ledger.Week:
		ay, aw := a.ISOWeek()
		by, bw := b.ISOWeek()
		return ay == by && aw == bw
	case ledger.Month:
		return a.Format("2006-01") == b.Format("2006-01")
	case ledger.Lifetime:
	}
	return true
}

func figure(reset string, p ledger.Period, at time.Time) string {
	return fmt.Sprintf("%q %s %s", reset, p, at.Format(time.DateOnly))
}

// seen returns what a view says of a key.
func seen(v *ledger.View, key string, resets []string, now time.Time) account {
	a := account{
		Spent: map[string]money.Amount{}, Reserved: map[string]money.Amount{}, Rows: map[string]ledger.HistoryRow{}, Used: v.LastUsed(key),
	}
	for _, reset := range resets {
		for _, p := range periods {
			for _, at := range moments(p, now) {
				a.Spent[figure(reset, p, at)] = v.Spent(key, reset, p, at)
				a.Reserved[figure(reset, p, at)] = v.Reserved(key, reset, p, at)
			}
		}
	}
	for _, row := range v.History(key, now.Add(-historyChecked)).Rows {
		a.Rows[row.Day.Format(time.DateOnly)+" "+row.Model] = row
	}
	return a
}

// of returns what must be seen of a key.
func (t *truth) of(key string, resets []string, now time.Time) account {
	a := account{Spent: map[string]money.Amount{}, Reserved: map[string]money.Amount{}, Rows: map[string]ledger.HistoryRow{}}
	jobs := t.jobs(key)
	for _, reset := range resets {
		for _, p := range periods {
			for _, at := range moments(p, now) {
				a.Spent[figure(reset, p, at)], a.Reserved[figure(reset, p, at)] = t.sum(key, jobs, reset, p, at)
			}
		}
	}
	for _, f := range t.facts {
		if f.entry != nil && f.key == key {
			a.count(f.entry, now)
			if used := f.entry.At.Truncate(time.Second); used.After(a.Used) {
				a.Used = used
			}
		}
	}
	for _, j := range jobs {
		if j.State == ledger.JobCharged {
			a.count(&ledger.Entry{Model: j.Model, At: j.Created, Usage: j.Usage, Cost: j.Amount}, now)
		}
	}
	return a
}

// sum adds up the money of a period.
func (t *truth) sum(key string, jobs []ledger.JobEntry, reset string, p ledger.Period, at time.Time) (spent, reserved money.Amount) {
	for _, f := range t.facts {
		if e := f.entry; e != nil && f.key == key && e.Reset == reset && same(p, e.At, at) {
			spent += e.Cost
		}
	}
	for _, j := range jobs {
		switch {
		case j.Reset != reset || !same(p, j.Created, at):
		case j.State == ledger.JobCharged:
			spent += j.Amount
		case j.State == ledger.JobReserved:
			reserved += j.Amount
		}
	}
	return spent, reserved
}

// jobs returns what won of each job of a key. One that was folded while nobody knew its end was charged.
func (t *truth) jobs(key string) []ledger.JobEntry {
	winners := map[string]ledger.JobEntry{}
	for _, f := range t.facts {
		if f.job == nil || f.key != key {
			continue
		}
		e := *f.job
		if e.State == ledger.JobReleased {
			e.Amount, e.Usage = 0, ledger.Usage{}
		}
		if old, found := winners[e.Hash]; !found || compareEvents(old, e) < 0 {
			winners[e.Hash] = e
		}
	}
	all := make([]ledger.JobEntry, 0, len(winners))
	for _, e := range winners {
		if e.State == ledger.JobReserved && !e.Deadline.After(t.horizon[ledger.Shard(key)]) {
			e.State = ledger.JobCharged
		}
		all = append(all, e)
	}
	return all
}

// compareEvents orders events of a job.
func compareEvents(a, b ledger.JobEntry) int {
	order := []ledger.JobState{ledger.JobReserved, ledger.JobReleased, ledger.JobCharged}
	return cmp.Or(cmp.Compare(slices.Index(order, a.State), slices.Index(order, b.State)), cmp.Compare(a.Amount, b.Amount),
		cmp.Compare(a.Usage.Seconds, b.Usage.Seconds), cmp.Compare(a.Reset, b.Reset))
}

// count adds to the history.
func (a *account) count(e *ledger.Entry, now time.Time) {
	day := e.At.UTC().Truncate(24 * time.Hour)
	if day.Before(now.Add(-historyChecked).Truncate(24*time.Hour)) || (e.Requests == 0 && e.Cost == 0 && e.Usage == ledger.Usage{}) {
		return
	}
	name := day.Format(time.DateOnly) + " " + e.Model
	row := a.Rows[name]
	row.Day, row.Model = day, e.Model
	row.Requests += e.Requests
	if e.Estimated {
		row.Estimated += e.Requests
	}
	row.Cost += e.Cost
	row.Usage.PromptTokens += e.Usage.PromptTokens
	row.Usage.CompletionTokens += e.Usage.CompletionTokens
	row.Usage.Images += e.Usage.Images
	row.Usage.Seconds += e.Usage.Seconds
	a.Rows[name] = row
}
