package providertest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

// slowPolls is how often a slow task is polled before it may be done.
const slowPolls = 12

// trials are what the suite proves of tasks, besides what is asked for in particular.
func (s *jobs) trials(modality provider.Modality) []trial {
	all := []trial{
		s.fixture(s.kind),
		{"modality", func(tb testing.TB) { tb.Helper(); s.checkModality(tb, modality) }},
		{"requests", s.requests},
		{"ordinary", func(tb testing.TB) {
			tb.Helper()
			_, submit := s.ordinary("")
			s.succeed(tb, submit, nil, nil)
		}},
		{"task failed", func(tb testing.TB) { tb.Helper(); s.fails(tb, studio.TaskFailed) }},
		{"moderated output", func(tb testing.TB) { tb.Helper(); s.fails(tb, studio.ModerationOutput) }},
		{"slow task", s.slow},
		{"unknown task", s.unknown},
		{"poll failures", s.pollFailures},
		{"cancel/queued", s.cancelQueued},
		{"cancel/running", func(tb testing.TB) { tb.Helper(); s.cancelLate(tb, provider.TaskInProgress) }},
		{"cancel/finished", func(tb testing.TB) { tb.Helper(); s.cancelLate(tb, provider.TaskCompleted) }},
		{"answers", s.answers},
		s.wrongKey(func(tb testing.TB, r *rig) outcome { tb.Helper(); return s.on(r).try(tb, "") }),
		{"wrong key/poll", s.wrongPoll},
	}
	return slices.Concat(all, s.failures(s.try))
}

// on is the suite with another upstream.
func (s *jobs) on(r *rig) *jobs {
	other := *s
	other.rig = r
	return &other
}

// try submits a task that is to fail, or to be refused.
func (s *jobs) try(tb testing.TB, mode studio.Mode) outcome {
	tb.Helper()
	books := s.books()
	_, submit := s.ordinary(mode)
	j := s.submit(tb, submit)
	if j.err == nil {
		s.finish(tb, j, provider.TaskStatus.Ended)
		if j.err == nil {
			j.status = -1
		}
	}
	return outcome{err: j.failure(), status: j.status, billed: s.billed(tb, books, s.kind), targets: j.targets}
}

// succeed checks that a request gives its result, and that it is what the vendor bills and what was told beforehand.
func (s *jobs) succeed(tb testing.TB, submit submit, want *provider.Billing, warnings []string) {
	tb.Helper()
	books := s.books()
	j := s.made1(tb, submit)
	if s.m.Clock != nil && !slices.Contains(j.states, provider.TaskInProgress) {
		tb.Errorf("the polls told %q, want %s before the end", j.states, provider.TaskInProgress)
	}
	s.checkFiles(tb, j)
	billed := s.billed(tb, books, s.kind)
	if priced := s.priced(j.submission.Billing); priced != billed || billed == 0 {
		tb.Errorf("Submission.Billing is %+v, and the vendor bills %d", j.submission.Billing, billed)
	}
	s.checkUsage(tb, j.state.Usage, s.counted(j.state.Usage), billed)
	if want != nil && j.submission.Billing != *want {
		tb.Errorf("Submission.Billing = %+v, want %+v", j.submission.Billing, *want)
	}
	checkWarnings(tb, j.submission.Warnings, warnings)
	if again, err := s.poll(tb, j); err != nil || again.Status != provider.TaskCompleted {
		tb.Errorf("a poll of a task that has ended: %s, %v", again.Status, err)
	}
}

// made1 submits a task and waits for its result.
func (s *jobs) made1(tb testing.TB, submit submit) *job {
	tb.Helper()
	j := s.submit(tb, submit)
	if j.err == nil {
		s.finish(tb, j, provider.TaskStatus.Ended)
	}
	if j.state.Status != provider.TaskCompleted {
		e, _ := errors.AsType[*provider.Error](j.failure())
		tb.Fatalf("the task is %s (gone: %v): %v (%+v)", j.state.Status, j.state.Gone, j.failure(), e)
	}
	return j
}

// checkFiles checks that results can be fetched and are as many as were asked for.
func (s *jobs) checkFiles(tb testing.TB, j *job) {
	tb.Helper()
	results := int64(0)
	for _, f := range j.state.Files {
		if f.Variant == "" {
			results++
		}
		_, contentType, err := s.fetch(tb, f.URL)
		if err != nil {
			tb.Errorf("file %q: %v", f.Variant, err)
			continue
		}
		if base, _, _ := strings.Cut(contentType, ";"); f.ContentType != base || f.Variant == "" && !strings.HasPrefix(base, s.media) {
			tb.Errorf("file %q is served as %q, and its ContentType is %q, want one of %s", f.Variant, contentType, f.ContentType, s.media)
		}
	}
	if want := max(1, j.submission.Billing.Songs); results != want {
		tb.Errorf("there are %d results, want %d", results, want)
	}
}

// checkWarnings checks that warnings tell what they must and nothing else.
func checkWarnings(tb testing.TB, got, want []string) {
	tb.Helper()
	if len(want) == 0 && len(got) > 0 {
		tb.Errorf("there are warnings: %q", got)
	}
	for _, w := range want {
		if !slices.ContainsFunc(got, func(g string) bool { return strings.Contains(g, w) }) {
			tb.Errorf("no warning tells %q: %q", w, got)
		}
	}
}

// fails checks a task that fails: the poll tells it and is no error itself.
func (s *jobs) fails(tb testing.TB, mode studio.Mode) {
	tb.Helper()
	if s.lacks(string(mode)) {
		return
	}
	books := s.books()
	var j *job
	s.played(tb, mode, func() outcome {
		_, submit := s.ordinary(mode)
		if j = s.submit(tb, submit); j.err == nil {
			s.finish(tb, j, provider.TaskStatus.Ended)
		}
		return outcome{}
	})
	if j.err != nil || j.state.Status != provider.TaskFailed || j.state.Failure == nil {
		tb.Fatalf("the task is %s, with the error %v, want a failed one with a Failure, and no error", j.state.Status, j.err)
	}
	s.classed(tb, "Failure", j.state.Failure, -1, s.expected(mode)...)
	if billed := s.billed(tb, books, s.kind); billed != 0 {
		tb.Errorf("the vendor bills %d for a task that failed", billed)
	}
	s.attackFailure(tb, j.targets[len(j.targets)-1:])
}

// slow checks that a task that takes its time is waited for.
func (s *jobs) slow(tb testing.TB) {
	tb.Helper()
	_, submit := s.ordinary(studio.TaskSlow)
	j := s.submit(tb, submit)
	if j.err != nil {
		tb.Fatalf("submitting: %v", j.err)
	}
	polls := 0
	s.finish(tb, j, func(provider.TaskStatus) bool { polls++; return polls == slowPolls })
	if j.err != nil || j.state.Status.Ended() {
		tb.Fatalf("after %d polls the task is %s, %v, want one that goes on", polls, j.state.Status, j.err)
	}
	s.finish(tb, j, provider.TaskStatus.Ended)
	if j.err != nil || j.state.Status != provider.TaskCompleted {
		tb.Errorf("in the end the task is %s, %v, want a completed one", j.state.Status, j.err)
	}
}

// requests checks how calls are made.
func (s *jobs) requests(tb testing.TB) {
	tb.Helper()
	in, submit := s.ordinary("")
	s.checkBuild(tb, in, submit.build())
	echoed := s.echoed(tb, submit.build())
	j := s.on(s.under(func(up *provider.Upstream) { up.Parameters = echoed })).submit(tb, submit)
	if j.err != nil {
		tb.Fatalf("with overrides that change nothing: %v", j.err)
	}
	now := s.m.Studio.Now()
	for name, ask := range map[string]func(context.Context, *provider.Upstream) (*provider.Step[provider.TaskState], error){
		"poll": func(ctx context.Context, up *provider.Upstream) (*provider.Step[provider.TaskState], error) {
			return s.tasks.Poll(ctx, up, j.task, now)
		},
		"cancel": func(ctx context.Context, up *provider.Upstream) (*provider.Step[provider.TaskState], error) {
			return s.tasks.Cancel(ctx, up, j.task, now)
		},
	} {
		s.checkPure(tb, name, func(ctx context.Context, up *provider.Upstream) ([]*http.Request, error) {
			step, err := ask(ctx, up)
			if err != nil || step == nil {
				return nil, err
			}
			if step.Paid {
				return nil, fmt.Errorf("a %s is Paid", name)
			}
			return []*http.Request{step.Request}, nil
		})
	}
	s.finish(tb, j, provider.TaskStatus.Ended)
}
