package kling

import (
	"net/url"
	"slices"
	"strings"
)

// tasks answers GET /tasks: an array, in the order asked for.
func (x *exchange) tasks() *problem {
	ids, p := x.wanted(x.R.URL.RawQuery)
	if p != nil {
		return p
	}
	mode, failed := x.failsPoll()
	if failed {
		return nil
	}
	found := []any{}
	for _, id := range ids {
		if t, state := x.Task(id); t != nil && !jobOf(t).door.legacy {
			found = append(found, x.currentTask(t, state, true))
		} else if x.refusesUnknown() {
			return &problem{1203, "the task does not exist"}
		}
	}
	x.answer(mode, found)
	return nil
}

func (x *exchange) refusesUnknown() bool {
	x.sim.mu.Lock()
	defer x.sim.mu.Unlock()
	return x.sim.refuseUnknown
}

// wanted reads the one parameter of GET /tasks, task_ids or external_task_ids. Another parameter beside it is refused.
func (x *exchange) wanted(query string) ([]string, *problem) {
	values, err := url.ParseQuery(query)
	given := slices.Concat(values["task_ids"], values["external_task_ids"])
	if err != nil || len(values) != 1 || len(given) != 1 {
		return nil, invalid("one of task_ids and external_task_ids is required, and nothing else")
	}
	list := strings.Split(given[0], ",")
	switch {
	case slices.Contains(list, ""):
		return nil, invalid("the ids must be separated by one comma each")
	case values.Has("task_ids"):
		return list, nil
	}
	return x.sim.resolve(list), nil
}

// resolve returns the ids of tasks by the callers' own.
func (s *Simulator) resolve(external []string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := make([]string, 0, len(external))
	for _, e := range external {
		ids = append(ids, s.external[e])
	}
	return ids
}

// task answers the legacy poll, which knows only tasks of its own kind.
func (x *exchange) task(d door, id string) *problem {
	t, state := x.Task(id)
	if t == nil || jobOf(t).door != d {
		return &problem{1203, "the task does not exist"}
	}
	mode, failed := x.failsPoll()
	if failed {
		return nil
	}
	x.answer(mode, x.legacyTask(t, state, true))
	return nil
}
