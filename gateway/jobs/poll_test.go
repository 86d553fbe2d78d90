package jobs_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"vipcloud.ai/vipcloud/gateway/jobs"
	"vipcloud.ai/vipcloud/gateway/provider"
)

// running is the state of a job under way.
func running() provider.TaskState { return provider.TaskState{Status: provider.TaskInProgress} }

func TestPoller_asksOncePerSecond(t *testing.T) {
	now := start
	p := jobs.NewPoller(func() time.Time { return now })
	asked := 0
	ask := func(context.Context) (provider.TaskState, *provider.Error) { asked++; return running(), nil }
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{0, 1}, {0, 1}, {999 * time.Millisecond, 1}, {time.Millisecond, 2}, {5 * time.Second, 3}} {
		now = now.Add(step.after)
		if state, failure := p.State(t.Context(), "a", ask); failure != nil || state.Status != provider.TaskInProgress {
			t.Fatalf("got %+v, %v", state, failure)
		}
		if asked != step.want {
			t.Fatalf("asked %d times, want %d", asked, step.want)
		}
	}
	if _, failure := p.State(t.Context(), "b", ask); failure != nil || asked != 4 {
		t.Error("another job is answered with this one's state")
	}
}

func TestPoller_whatHasEndedIsRememberedLonger(t *testing.T) {
	now := start
	p := jobs.NewPoller(func() time.Time { return now })
	asked := 0
	ask := func(context.Context) (provider.TaskState, *provider.Error) {
		asked++
		return provider.TaskState{Status: provider.TaskCompleted}, nil
	}
	for range 30 {
		_, _ = p.State(t.Context(), "a", ask)
		now = now.Add(time.Second)
	}
	if asked != 1 {
		t.Errorf("asked %d times within 30 seconds", asked)
	}
	now = now.Add(time.Minute)
	if _, _ = p.State(t.Context(), "a", ask); asked != 2 {
		t.Error("an address that may have died is given out for ever")
	}
	p.Forget("a")
	if _, _ = p.State(t.Context(), "a", ask); asked != 3 {
		t.Error("Forget is forgotten")
	}
}

func TestPoller_callersShareAnAnswerAndLeaveWithoutHarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := jobs.NewPoller(time.Now)
		var asked atomic.Int64
		ask := func(ctx context.Context) (provider.TaskState, *provider.Error) {
			asked.Add(1)
			select {
			case <-ctx.Done():
				return provider.TaskState{}, &provider.Error{Class: provider.ClassNetwork}
			case <-time.After(3 * time.Second):
				return running(), nil
			}
		}
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, failure := p.State(impatient, "a", ask); failure == nil {
				t.Error("a caller that left has an answer")
			}
		})
		for range 5 {
			wg.Go(func() {
				if state, failure := p.State(t.Context(), "a", ask); failure != nil || state.Status != provider.TaskInProgress {
					t.Errorf("got %+v, %v", state, failure)
				}
			})
		}
		wg.Wait()
		if asked.Load() != 1 {
			t.Errorf("asked %d times", asked.Load())
		}
	})
}

func TestPoller_aPanicIsAFailure(t *testing.T) {
	p := jobs.NewPoller(time.Now)
	_, failure := p.State(t.Context(), "a", func(context.Context) (provider.TaskState, *provider.Error) { panic("bug") })
	if failure == nil || failure.Class != provider.ClassBadResponse {
		t.Errorf("got %v", failure)
	}
}

func TestIdempotency_equalSubmitsAreOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := jobs.NewIdempotency(time.Now)
		var made atomic.Int64
		submit := func() jobs.Outcome {
			<-time.After(time.Second)
			return jobs.Outcome{Value: made.Add(1), Final: true}
		}
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				if o, err := i.Do(t.Context(), "shop/web", "k", []byte("body"), submit); err != nil || o.Value != int64(1) {
					t.Errorf("got %v, %v", o, err)
				}
			})
		}
		wg.Wait()
		if _, err := i.Do(t.Context(), "shop/web", "k", []byte("other"), submit); !errors.Is(err, jobs.ErrKeyReused) {
			t.Errorf("another body: %v", err)
		}
		for n, tc := range []struct{ owner, key string }{{"shop/app", "k"}, {"shop/web", "k2"}, {"shop/web", ""}, {"shop/web", ""}} {
			if o, err := i.Do(t.Context(), tc.owner, tc.key, []byte("body"), submit); err != nil || o.Value != int64(n+2) {
				t.Errorf("%v: got %v, %v", tc, o, err)
			}
		}
		<-time.After(25 * time.Hour)
		if o, _ := i.Do(t.Context(), "shop/web", "k", []byte("body"), submit); o.Value == int64(1) {
			t.Error("a key is remembered for ever")
		}
	})
}

func TestIdempotency_whatCameToNothingMayBeTriedAgain(t *testing.T) {
	i := jobs.NewIdempotency(time.Now)
	calls := 0
	for range 3 {
		_, _ = i.Do(t.Context(), "o", "k", nil, func() jobs.Outcome { calls++; return jobs.Outcome{} })
	}
	if calls != 3 {
		t.Errorf("%d calls", calls)
	}
	func() {
		defer func() { _ = recover() }()
		_, _ = i.Do(t.Context(), "o", "k", nil, func() jobs.Outcome { panic("bug") })
	}()
	if _, _ = i.Do(t.Context(), "o", "k", nil, func() jobs.Outcome { calls++; return jobs.Outcome{} }); calls != 4 {
		t.Error("a panic blocks its key")
	}
}
