package ledger

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

const (
	// HistoryDays is how many days of a key's usage are kept.
	HistoryDays = 35
	// MaxModels is how many models a key's usage is kept of. What other models used is counted as OtherModel.
	MaxModels = 64
	// OtherModel stands for all models beyond MaxModels.
	OtherModel = "other"
)

// Columns of a row, in the order of the format: requests, cost, requests whose usage is estimated, and what was used.
const (
	columnRequests  = 0
	columnCost      = 1
	columnEstimated = 2
	columnUsage     = 3
	columns         = columnUsage + len(amounts{})
)

// row is what was used of a model on a day. Nothing in it is below zero.
type row struct {
	day int32
	n   [columns]int64
}

// newRow returns a row of a request or a job.
func newRow(day int32, requests, cost int64, estimated bool, used *amounts) row {
	r := row{day: day}
	r.n[columnRequests], r.n[columnCost] = max(requests, 0), max(cost, 0)
	if estimated {
		r.n[columnEstimated] = r.n[columnRequests]
	}
	copy(r.n[columnUsage:], used[:])
	return r
}

// empty says that nothing was used.
func (r *row) empty() bool { return r.n == [columns]int64{} }

// add adds a row of the same day. Sums end at the largest number.
func (r *row) add(o *row) {
	for i := range r.n {
		if sum := r.n[i] + o.n[i]; sum >= 0 {
			r.n[i] = sum
		} else {
			r.n[i] = math.MaxInt64
		}
	}
}

// subtract takes back a row of the same day. Nothing comes below zero.
func (r *row) subtract(o *row) {
	for i := range r.n {
		r.n[i] = max(r.n[i]-o.n[i], 0)
	}
}

// model is what a key used of a model: at most HistoryDays rows, by day.
type model struct {
	name string
	rows []row
}

// row returns that of a day, making one if there is none.
func (m *model) row(day int32) (r *row, made bool) {
	if last := len(m.rows) - 1; last >= 0 && m.rows[last].day == day {
		return &m.rows[last], false
	}
	i, found := slices.BinarySearchFunc(m.rows, day, func(r row, day int32) int { return cmp.Compare(r.day, day) })
	if !found {
		m.rows = slices.Insert(m.rows, i, row{day: day})
	}
	return &m.rows[i], !found
}

// add adds a row and forgets the oldest one if they are too many.
func (m *model) add(o *row) (made bool) {
	r, made := m.row(o.day)
	r.add(o)
	if len(m.rows) > HistoryDays {
		m.rows = slices.Delete(m.rows, 0, 1)
	}
	return made
}

// history is what a key used of models, sorted by name: at most MaxModels and OtherModel.
type history []model

// find returns the place of a model.
func (h history) find(name string) (int, bool) {
	return slices.BinarySearchFunc(h, name, func(m model, name string) int { return cmp.Compare(m.name, name) })
}

// model returns that of a name, or OtherModel if there is none and no room for one. The pointer is good until the next call.
func (h *history) model(name string) *model {
	i, found := h.find(name)
	if !found && h.full() && name != OtherModel {
		return h.model(OtherModel)
	}
	if !found {
		*h = slices.Insert(*h, i, model{name: strings.Clone(name)})
	}
	return &(*h)[i]
}

// full says that no other model may be added.
func (h history) full() bool {
	if len(h) < MaxModels {
		return false
	}
	_, other := h.find(OtherModel)
	return len(h) > MaxModels || !other
}

// expire forgets the days before one, and models of which nothing is left.
func (h *history) expire(before int32) {
	*h = slices.DeleteFunc(*h, func(m model) bool { return !(len(m.rows) > 0 && m.rows[len(m.rows)-1].day >= before) })
	for i := range *h {
		m := &(*h)[i]
		m.rows = slices.DeleteFunc(m.rows, func(r row) bool { return r.day < before })
	}
}

// unite makes all models one, so that less room is needed. It says whether they were more.
func (h *history) unite() bool {
	if len(*h) < 2 {
		return false
	}
	other := model{name: OtherModel}
	for _, m := range *h {
		for i := range m.rows {
			other.add(&m.rows[i])
		}
	}
	*h = history{other}
	return true
}

// subtract takes back a row of a model.
func (h history) subtract(name string, o *row) {
	i, found := h.find(name)
	if !found {
		i, found = h.find(OtherModel) // united since
	}
	if !found {
		return
	}
	m := &h[i]
	if j := slices.IndexFunc(m.rows, func(r row) bool { return r.day == o.day }); j >= 0 {
		m.rows[j].subtract(o)
		if m.rows[j].empty() {
			m.rows = slices.Delete(m.rows, j, j+1)
		}
	}
}
