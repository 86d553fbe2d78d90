package providertest

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

// jobs is the suite for adapters of vendors that work on tasks: videos and music.
type jobs struct {
	*rig
	tasks provider.Tasks
	kind  studio.Kind
	// media is how the content type of results begins.
	media string
	// ordinary is what is usually asked for.
	ordinary ask
	// counted and priced are the units of a usage and of a billing.
	counted func(provider.Usage) int64
	priced  func(provider.Billing) int64
}

// ask makes a client's request that is to fail so, and what submits it.
type ask func(mode studio.Mode) (in any, submit submit)

// submit makes the call that makes a task.
type submit func(ctx context.Context, up *provider.Upstream) (*provider.Submission, error)

// build makes the request of a submission.
func (s submit) build() build {
	return func(ctx context.Context, up *provider.Upstream) ([]*http.Request, error) {
		submission, err := s(ctx, up)
		if err != nil {
			return nil, err
		}
		return []*http.Request{submission.Step.Request}, nil
	}
}

// job is a task and what became of it.
type job struct {
	submission *provider.Submission
	task       provider.Task
	// state is what the last poll told, states the words of all of them in turn, each once.
	state  provider.TaskState
	states []provider.TaskStatus
	// err is why there is no task, with the status of the answer.
	err    error
	status int
	// calls is how many the last poll took.
	calls int
	// targets are the adapter's readers of what came back.
	targets []target
}

// failure is why there is no result.
func (j *job) failure() error {
	if j.err != nil || j.state.Failure == nil {
		return j.err
	}
	return j.state.Failure
}

// submit makes a task.
func (s *jobs) submit(tb testing.TB, submit submit) *job {
	tb.Helper()
	submission, err := submit(s.context(tb), s.up)
	if err != nil {
		return &job{err: err, status: -1}
	}
	if submission.Step == nil || !submission.Step.Paid {
		tb.Fatalf("the step that makes the task is not Paid: %+v", submission.Step)
	}
	if submission.Deadline < 0 || submission.RetryAfter < 0 {
		tb.Errorf("the deadline is %s, polls make sense every %s", submission.Deadline, submission.RetryAfter)
	}
	j := &job{submission: submission}
	c, ctx := s.courier(tb), s.context(tb)
	j.task, j.err = follow(c, submission.Step)
	j.status = c.lastStatus()
	again := func() (*provider.Step[provider.Task], error) {
		submission, err := submit(ctx, s.up)
		if err != nil {
			return nil, err
		}
		return submission.Step, nil
	}
	j.targets = targets(s.rig, "submit", c.answers, again, soundTask, never)
	if j.err == nil {
		s.checkTask(tb, j.task)
	}
	return j
}

// poll asks once where a task is.
func (s *jobs) poll(tb testing.TB, j *job) (provider.TaskState, error) {
	tb.Helper()
	now, ctx := s.m.Studio.Now(), s.context(tb)
	again := func() (*provider.Step[provider.TaskState], error) { return s.tasks.Poll(ctx, s.up, j.task, now) }
	return s.look(tb, j, "poll", again)
}

// look takes a step that tells the state of a task, and checks what it tells.
func (s *jobs) look(tb testing.TB, j *job, name string, begin beginState) (provider.TaskState, error) {
	tb.Helper()
	step, err := begin()
	if err != nil {
		j.status = -1
		return provider.TaskState{}, err
	}
	_, earliest := s.m.Studio.Task(j.task.ID)
	c := s.courier(tb)
	state, err := follow(c, step)
	task, latest := s.m.Studio.Task(j.task.ID)
	j.status, j.calls = c.lastStatus(), len(c.answers)
	if c.paid > 0 {
		tb.Errorf("a %s is Paid", name)
	}
	if len(j.states) == 0 || err != nil || state.Status != j.states[len(j.states)-1] {
		j.targets = append(j.targets, targets(s.rig, name, c.answers, begin, soundState, isGone)...)
	}
	if err != nil {
		return state, err
	}
	if problem := soundState(state); problem != nil {
		tb.Errorf("the answer to a %s: %v", name, problem)
	}
	if task != nil {
		s.checkState(tb, state, earliest, latest)
	}
	return state, nil
}

// beginState makes a call that tells the state of a task.
type beginState = func() (*provider.Step[provider.TaskState], error)

// checkState checks what is told of a task against what is so, before and after it was asked.
func (s *jobs) checkState(tb testing.TB, state provider.TaskState, earliest, latest studio.State) {
	tb.Helper()
	if ended := state.FinishedAt; !ended.IsZero() && s.m.Studio.Now().Sub(ended).Abs() > time.Minute {
		tb.Errorf("the task finished at %s, and it is %s", ended, s.m.Studio.Now())
	}
	words := map[studio.State][]provider.TaskStatus{
		studio.Queued:    {provider.TaskQueued, provider.TaskInProgress},
		studio.Running:   {provider.TaskInProgress},
		studio.Succeeded: {provider.TaskCompleted},
		studio.Failed:    {provider.TaskFailed},
		studio.Cancelled: {provider.TaskCancelled},
	}
	for at := earliest; at <= latest; at++ {
		if slices.Contains(words[at], state.Status) && !state.Gone {
			return
		}
	}
	tb.Errorf("the status is %s (gone: %v), and at the vendor's it is one of %q", state.Status, state.Gone, words[latest])
}

// errUnended is a task that goes on and on.
var errUnended = errors.New("the task does not end")

// finish polls until the task has ended, or until says so.
func (s *jobs) finish(tb testing.TB, j *job, until func(provider.TaskStatus) bool) {
	tb.Helper()
	for range maxPolls {
		j.state, j.err = s.poll(tb, j)
		if j.err != nil {
			return
		}
		if len(j.states) == 0 || j.states[len(j.states)-1] != j.state.Status {
			j.states = append(j.states, j.state.Status)
		}
		if j.state.Gone || until(j.state.Status) {
			return
		}
		s.m.Clock.tick(tb)
	}
	j.err = errUnended
}
