package providertest

import (
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

// answers checks that what is no answer is not taken for one.
func (s *jobs) answers(tb testing.TB) {
	tb.Helper()
	_, submit := s.ordinary("")
	s.attack(tb, s.made1(tb, submit).targets...)
}

// unknown checks polls for a task that the vendor does not know, or no longer.
func (s *jobs) unknown(tb testing.TB) {
	tb.Helper()
	_, submit := s.ordinary("")
	j := s.made1(tb, submit)
	foreign := &job{task: provider.Task{ID: s.stranger(tb, j.task.ID), State: j.task.State}}
	s.checkGone(tb, "a task that the vendor does not know", foreign)
	if task, _ := s.m.Studio.Task(j.task.ID); task == nil {
		tb.Errorf("Task.ID is %q, and the vendor knows no such task", j.task.ID)
		return
	}
	s.m.Studio.Forget(j.task.ID)
	j.states = nil
	s.checkGone(tb, "a task that the vendor has forgotten", j)
	if step, err := s.tasks.Cancel(s.context(tb), s.up, j.task, s.m.Studio.Now()); err == nil && step != nil {
		c := s.courier(tb)
		state, err := follow(c, step)
		if err != nil {
			if problem := s.fault(err, c.lastStatus()); problem != nil {
				tb.Errorf("cancelling a task that the vendor has forgotten: %v", problem)
			}
		} else if !state.Gone {
			tb.Errorf("cancelling a task that the vendor has forgotten: %+v, want it Gone", state)
		}
	}
}

// checkGone polls for a task that is not there.
func (s *jobs) checkGone(tb testing.TB, what string, j *job) {
	tb.Helper()
	state, err := s.poll(tb, j)
	switch {
	case err == nil && state.Gone:
		s.attackFailure(tb, j.targets[len(j.targets)-1:])
	case err == nil:
		tb.Errorf("%s: %+v, want it Gone", what, state)
	case !s.lacks(WithoutUnknownTask):
		tb.Errorf("%s: the error %v, want it Gone: name %q in Without if the vendor's answer is not known", what, err, WithoutUnknownTask)
	default:
		if problem := s.fault(err, j.status); problem != nil {
			tb.Errorf("%s: %v", what, problem)
		}
	}
}

// pollFailures checks that a poll that fails says nothing of the task.
func (s *jobs) pollFailures(tb testing.TB) {
	tb.Helper()
	if s.lacks(WithoutPollFailures) {
		return
	}
	_, submit := s.ordinary("")
	j := s.submit(tb, submit)
	if j.err != nil {
		tb.Fatalf("submitting: %v", j.err)
	}
	for _, mode := range append(broken(), studio.ServerError, studio.RateLimit, studio.Unauthorized) {
		s.failPoll(tb, j, 0, mode)
	}
	s.finish(tb, j, provider.TaskStatus.Ended)
	if j.err != nil || j.state.Status != provider.TaskCompleted {
		tb.Fatalf("after polls that failed the task is %s, %v", j.state.Status, j.err)
	}
	for call := range j.calls {
		for _, mode := range append(broken(), studio.ServerError) {
			s.failPoll(tb, j, call, mode)
		}
	}
	if state, err := s.poll(tb, j); err != nil || state.Status != provider.TaskCompleted {
		tb.Errorf("after polls that failed the completed task is %s, %v", state.Status, err)
	}
}

// failPoll polls so that the call after so many others fails.
func (s *jobs) failPoll(tb testing.TB, j *job, after int, mode studio.Mode) {
	tb.Helper()
	if s.lacks(string(mode)) {
		return
	}
	s.m.Studio.FailNext(after, "")
	s.m.Studio.FailNext(1, mode)
	defer s.m.Studio.Heal()
	s.played(tb, mode, func() outcome {
		state, err := s.poll(tb, j)
		if err == nil {
			tb.Errorf("a poll that fails with %q tells %+v, want an error", mode, state)
		}
		s.classed(tb, "a poll that fails with "+string(mode), err, j.status, s.expected(mode)...)
		return outcome{}
	})
}

// wrongPoll checks that a credential that the vendor does not know says nothing of the task.
func (s *jobs) wrongPoll(tb testing.TB) {
	tb.Helper()
	_, submit := s.ordinary("")
	j := s.made1(tb, submit)
	wrong := s.wrongKey(func(tb testing.TB, r *rig) outcome {
		tb.Helper()
		state, err := s.on(r).poll(tb, j)
		if err == nil && !s.lacks(WithoutWrongKey) {
			tb.Errorf("a poll with a wrong credential tells %+v, want an error", state)
		}
		return outcome{err: err, status: j.status}
	})
	wrong.run(tb)
}

// cancel asks to end a task; nil if the vendor has no such call.
func (s *jobs) cancel(tb testing.TB, j *job) *provider.TaskState {
	tb.Helper()
	now, ctx := s.m.Studio.Now(), s.context(tb)
	again := func() (*provider.Step[provider.TaskState], error) { return s.tasks.Cancel(ctx, s.up, j.task, now) }
	step, err := again()
	if err != nil {
		tb.Fatalf("Cancel(): %v", err)
	}
	if missing := step == nil; missing != s.lacks(WithoutCancel) {
		tb.Fatalf("Cancel() returns no step: %v, which differs from Without %q", missing, s.m.Without)
	}
	if step == nil {
		return nil
	}
	j.states = nil // so that the answer is kept
	state, err := s.look(tb, j, "cancel", again)
	if err != nil {
		tb.Fatalf("cancelling: %v, want the state that the task is in", err)
	}
	return &state
}

// cancelQueued cancels a task that has not begun.
func (s *jobs) cancelQueued(tb testing.TB) {
	tb.Helper()
	books := s.books()
	_, submit := s.ordinary(studio.TaskSlow)
	j := s.submit(tb, submit)
	if j.err != nil {
		tb.Fatalf("submitting: %v", j.err)
	}
	state := s.cancel(tb, j)
	if state == nil {
		return
	}
	if state.Status != provider.TaskCancelled {
		tb.Errorf("a queued task is %s after it was cancelled, want it cancelled", state.Status)
	}
	s.attack(tb, j.targets[len(j.targets)-1])
	if _, at := s.m.Studio.Task(j.task.ID); at != studio.Cancelled {
		tb.Errorf("the vendor has not cancelled the task")
	}
	s.finish(tb, j, provider.TaskStatus.Ended)
	if j.err != nil || j.state.Status != provider.TaskCancelled && !j.state.Gone {
		tb.Errorf("a poll says that the cancelled task is %s, %v", j.state.Status, j.err)
	}
	if billed := s.billed(tb, books, s.kind); billed != 0 {
		tb.Errorf("the vendor bills %d for a task that was cancelled", billed)
	}
}

// cancelLate cancels a task that has begun or ended: it stays what it is, and its result can be had.
func (s *jobs) cancelLate(tb testing.TB, when provider.TaskStatus) {
	tb.Helper()
	_, submit := s.ordinary(studio.TaskSlow)
	j := s.submit(tb, submit)
	if j.err != nil {
		tb.Fatalf("submitting: %v", j.err)
	}
	s.finish(tb, j, func(status provider.TaskStatus) bool {
		_, at := s.m.Studio.Task(j.task.ID)
		return status.Ended() || status == when && at != studio.Queued
	})
	if j.err != nil || j.state.Status != when {
		tb.Fatalf("the task is %s, %v, want it %s", j.state.Status, j.err, when)
	}
	state := s.cancel(tb, j)
	if state != nil && state.Status != when {
		tb.Errorf("a task that is %s is %s after it was cancelled", when, state.Status)
	}
	s.finish(tb, j, provider.TaskStatus.Ended)
	if j.err != nil || j.state.Status != provider.TaskCompleted {
		tb.Fatalf("in the end the task is %s (gone: %v), %v: its result is lost", j.state.Status, j.state.Gone, j.err)
	}
	s.checkFiles(tb, j)
}
