package studio

import "time"

// State is where a task is.
type State int

// The states of a task, in the order in which it passes through them.
const (
	Queued State = iota
	Running
	Succeeded
	Failed
	Cancelled
)

// Task is work under way at a vendor.
type Task struct {
	ID    string
	Kind  Kind
	Model string
	// Units are what a success is billed.
	Units int64
	// Created is when the task was submitted.
	Created time.Time
	// Mode changes how it goes: TaskFailed and ModerationOutput make it fail, TaskSlow makes each state last fifty times as
	// long, TaskStuck keeps it running.
	Mode Mode
	// Data is the simulator's own.
	Data any

	cancelled bool
}

// charge is what a success of the task is billed.
func (t *Task) charge() Charge { return Charge{ID: t.ID, Kind: t.Kind, Model: t.Model, Units: t.Units} }

// state computes where the task is.
func (t *Task) state(now time.Time, step time.Duration) State {
	if t.Mode == TaskSlow {
		step *= 50
	}
	age := now.Sub(t.Created)
	switch {
	case t.cancelled:
		return Cancelled
	case age < step:
		return Queued
	case age < 2*step || t.Mode == TaskStuck:
		return Running
	case t.Mode == TaskFailed || t.Mode == ModerationOutput:
		return Failed
	}
	return Succeeded
}

// Finished is when the task reaches its end.
func (s *Studio) Finished(t *Task) time.Time {
	if t.Mode == TaskSlow {
		return t.Created.Add(100 * s.opts.Step)
	}
	return t.Created.Add(2 * s.opts.Step)
}

// Add accepts a task.
func (s *Studio) Add(t *Task) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t.Created = s.opts.Now()
	s.tasks[t.ID] = t
}

// Task returns a task and where it is now; nil if there is none of that id.
func (s *Studio) Task(id string) (*Task, State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tasks[id]
	if t == nil {
		return nil, 0
	}
	return t, t.state(s.opts.Now(), s.opts.Step)
}

// Unfinished counts the tasks that are queued or running.
func (s *Studio) Unfinished() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, t := range s.tasks {
		if t.state(s.opts.Now(), s.opts.Step) < Succeeded {
			n++
		}
	}
	return n
}

// Cancel cancels a task that is still queued, and says whether it was.
func (s *Studio) Cancel(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tasks[id]
	if t == nil || t.state(s.opts.Now(), s.opts.Step) != Queued {
		return false
	}
	t.cancelled = true
	return true
}

// Forget deletes the record of a task, and with it the result. What was made stays billed.
func (s *Studio) Forget(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.tasks[id]; t != nil && t.state(s.opts.Now(), s.opts.Step) == Succeeded {
		s.charges = append(s.charges, t.charge())
	}
	delete(s.tasks, id)
}
