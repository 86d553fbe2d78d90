package ledger

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"vipcloud.ai/vipcloud/gateway/money"
)

// History is what a key has used by day and model.
type History struct {
	// Rows by day, then by model.
	Rows []HistoryRow
	// Whole is the first day of which usage was not forgotten for want of room; zero: none was.
	Whole time.Time
}

// HistoryRow is what a key has used of a model on a day.
type HistoryRow struct {
	// Day is when the UTC day began.
	Day time.Time
	// Model is its public name, or OtherModel.
	Model string
	// Requests counts requests, Estimated those of them whose vendor told no usage. What a job made counts on the day that the job
	// was made, without a request of its own.
	Requests, Estimated int64
	Usage               Usage
	Cost                money.Amount
}

// History returns what a key has used from the day of a time on, charged jobs included, whatever its reset annotation. It parses
// what reports say of the key, which takes time and memory: it is for those who ask, not for every request.
func (v *View) History(key string, from time.Time) History {
	key = identifier(key, maxKey)
	sums := historySums{from: dayOf(from), rows: map[historyKey]*row{}}
	thinned := v.shards[shardOf(key)].history(key, &sums)
	return History{Rows: sums.sorted(), Whole: whole(thinned)}
}

// whole returns the day after the last one that was thinned.
func whole(thinned int32) time.Time {
	if thinned == 0 {
		return time.Time{}
	}
	return timeOfDay(thinned + 1)
}

// history sums up what the reports say of a key.
func (s *viewShard) history(key string, sums *historySums) (thinned int32) {
	s.mu.Lock() // pages are immutable, but which of them count is not
	pages := slices.Collect(s.counted)
	jobs := s.jobs(key)
	s.mu.Unlock()
	for _, p := range pages {
		thinned = max(thinned, p.thinned)
		if l := p.keys[key]; l != nil {
			l.eachRow(sums.add)
		}
	}
	for _, k := range jobs {
		if k.state == charged {
			r := k.row()
			sums.add(k.model, &r)
		}
	}
	return thinned
}

// historyKey names a row.
type historyKey struct {
	day   int32
	model string
}

// historySums adds rows up.
type historySums struct {
	from int32
	rows map[historyKey]*row
}

// add adds a row.
func (h *historySums) add(model string, r *row) {
	if r.day < h.from || r.empty() {
		return
	}
	k := historyKey{r.day, model}
	if sum := h.rows[k]; sum != nil {
		sum.add(r)
		return
	}
	first := *r
	h.rows[k] = &first
}

// sorted returns the rows in order.
func (h *historySums) sorted() []HistoryRow {
	keys := slices.SortedFunc(maps.Keys(h.rows), func(a, b historyKey) int {
		return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.model, b.model))
	})
	rows := make([]HistoryRow, 0, len(keys))
	for _, k := range keys {
		n := &h.rows[k].n
		used := amounts(n[columnUsage:])
		rows = append(rows, HistoryRow{
			Day: timeOfDay(k.day), Model: k.model, Requests: n[columnRequests], Estimated: n[columnEstimated],
			Usage: used.usage(), Cost: money.Amount(n[columnCost]),
		})
	}
	return rows
}
