package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/singleflight"
	"k8s.io/utils/lru"

	"vipcloud.ai/vipcloud/gateway/provider"
)

const (
	// maxRemembered bounds the jobs whose last state is remembered.
	maxRemembered = 10_000
	// pollEvery is how often a vendor is asked about one job at most, however many clients and retries ask the gateway.
	pollEvery = time.Second
	// keepEnded is how long the state of a job that has ended is given out again. It is short of the lifetime of any result's
	// address.
	keepEnded = time.Minute
	// pollTimeout is how long a vendor may take to answer a poll.
	pollTimeout = 30 * time.Second
)

// Ask asks a vendor where a job is.
type Ask func(ctx context.Context) (provider.TaskState, *provider.Error)

// Poller asks vendors about jobs, no more often than makes sense. It is safe for concurrent use.
type Poller struct {
	now    func() time.Time
	flight singleflight.Group
	last   *lru.Cache
}

// answer is what a vendor said last.
type answer struct {
	state   provider.TaskState
	failure *provider.Error
	at      time.Time
}

// NewPoller returns a Poller.
func NewPoller(now func() time.Time) *Poller {
	return &Poller{now: now, last: lru.New(maxRemembered)}
}

// State returns where a job is: what was heard a moment ago, or what ask says now. Callers at the same time share one answer; one
// that leaves spoils it for nobody. A failure is the poll's, not the job's.
func (p *Poller) State(ctx context.Context, id string, ask Ask) (provider.TaskState, *provider.Error) {
	if a, ok := p.remembered(id); ok {
		return a.state, a.failure
	}
	result := p.flight.DoChan(id, func() (any, error) {
		if a, ok := p.remembered(id); ok {
			return a, nil // somebody asked between the look and the flight
		}
		detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), pollTimeout)
		defer cancel()
		a := &answer{}
		a.state, a.failure = guarded(detached, ask)
		a.at = p.now()
		p.last.Add(id, a)
		return a, nil
	})
	select {
	case <-ctx.Done():
		return provider.TaskState{}, &provider.Error{Class: provider.ClassNetwork, Cause: context.Cause(ctx)}
	case r := <-result:
		a, _ := r.Val.(*answer)
		return a.state, a.failure
	}
}

// errPanic is an adapter's bug: the flight has no request whose panic could be answered.
var errPanic = errors.New("panic while asking a vendor")

// guarded asks, and turns a panic into a failure.
func guarded(ctx context.Context, ask Ask) (state provider.TaskState, failure *provider.Error) {
	defer func() {
		if p := recover(); p != nil {
			failure = &provider.Error{Class: provider.ClassBadResponse, Cause: fmt.Errorf("%w: %v", errPanic, p)}
		}
	}()
	return ask(ctx)
}

// Forget makes the next State ask.
func (p *Poller) Forget(id string) { p.last.Remove(id) }

// remembered returns an answer that is young enough.
func (p *Poller) remembered(id string) (*answer, bool) {
	v, ok := p.last.Get(id)
	if !ok {
		return nil, false
	}
	a, _ := v.(*answer)
	limit := pollEvery
	if a.failure == nil && a.state.Status.Ended() {
		limit = keepEnded
	}
	return a, p.now().Sub(a.at) < limit
}
