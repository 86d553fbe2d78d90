package arkmedia

import (
	"net/url"
	"slices"
	"strconv"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// Pages of the list. Neither default nor bound is in the documents at hand.
const (
	defaultPage = 10
	maxPage     = 500
)

// query is what a list is asked for.
type query struct {
	page, size          int
	status, model, tier string
	ids                 []string
}

func readQuery(values url.Values) (query, *problem) {
	q := query{page: 1, size: defaultPage, status: values.Get("filter.status"), model: values.Get("filter.model"),
		tier: values.Get("filter.service_tier"), ids: values["filter.task_ids"]}
	r := &reader{}
	for name, given := range values {
		switch name {
		case "page_num":
			q.page = r.whole(name, given[0])
		case "page_size":
			q.size = r.whole(name, given[0])
		case "filter.status":
			if !slices.Contains([]string{"queued", "running", "cancelled", "succeeded", "failed", "expired"}, q.status) {
				r.fail(invalid(name, "no such status"))
			}
		case "filter.model", "filter.service_tier", "filter.task_ids":
		default:
			r.fail(invalid(name, "unknown parameter"))
		}
		if len(given) > 1 && name != "filter.task_ids" {
			r.fail(invalid(name, "given twice"))
		}
	}
	return q, r.bad
}

// whole reads a number of 1 to maxPage.
func (r *reader) whole(name, value string) int {
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > maxPage {
		r.fail(invalid(name, "want an integer from 1 to %d", maxPage))
	}
	return n
}

func (q query) wants(t *studio.Task, status string) bool {
	j, _ := t.Data.(*job)
	if status == "canceled" {
		status = "cancelled"
	}
	return (q.status == "" || q.status == status) && (q.model == "" || q.model == t.Model) && (q.tier == "" || q.tier == j.tier) &&
		(len(q.ids) == 0 || slices.Contains(q.ids, t.ID))
}

// list serves the list of tasks, the newest first. Its items name their error failure_reason.
func (s *Simulator) list(v *studio.Visit) {
	q, p := readQuery(v.R.URL.Query())
	if p != nil {
		s.refuse(v, p)
		return
	}
	mode := v.Mode("")
	if s.fails(v, mode, studio.Video) {
		return
	}
	s.mu.Lock()
	ids := slices.Clone(s.tasks)
	s.mu.Unlock()
	slices.Reverse(ids)
	items := []map[string]any{}
	for _, id := range ids {
		if t, status := s.task(id); t != nil && q.wants(t, status) {
			items = append(items, s.record(t, status, "failure_reason"))
		}
	}
	total, first := len(items), min((q.page-1)*q.size, len(items))
	items = items[first:min(first+q.size, total)]
	respond(v, mode, map[string]any{"total": total, "items": items})
}
