package gateway

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"vipcloud.ai/vipcloud/gateway/jobs"
	"vipcloud.ai/vipcloud/gateway/ledger"
	"vipcloud.ai/vipcloud/gateway/openai"
	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/proxy"
	"vipcloud.ai/vipcloud/gateway/usage"
)

const (
	// adoptAfter is how long after its deadline a job of another replica is adopted at the earliest, and adoptSpread within what time
	// after that: so that one replica asks, and the others see what it wrote.
	adoptAfter, adoptSpread = 2 * time.Minute, time.Minute
	// giveUp is how long after its deadline the vendor is asked how a job ended. After that it is charged.
	giveUp = time.Hour
	// askAgain is the first pause after a vendor did not say, and askMost the longest.
	askAgain, askMost = 15 * time.Second, 10 * time.Minute
	// maxAsked bounds the jobs that are looked after in one sweep, and asking how many of them at a time.
	maxAsked, asking = 64, 4
)

// duty is a job past its deadline that this replica looks after.
type duty struct {
	next    time.Time
	tries   int
	settled bool
}

// settleOverdue looks after jobs whose deadline has passed until ctx ends: those that this replica reserved at once, those of others
// when nobody else does. Two that ask about the same job at the same time do no harm: a poll costs nothing, and a job counts once.
func (s *Server) settleOverdue(ctx context.Context) {
	ticker := time.NewTicker(s.opts.JobSweep)
	defer ticker.Stop()
	duties := map[string]*duty{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			s.sweepJobs(ctx, duties)
		}
	}
}

// sweepJobs looks at all jobs past their deadline once.
func (s *Server) sweepJobs(ctx context.Context, duties map[string]*duty) {
	if s.holder.Load() == nil || s.keyRing.Load() == nil {
		return
	}
	now := s.opts.Now()
	open := map[string]bool{}
	var due []ledger.JobEntry
	for _, e := range s.books.Book.Overdue(now) {
		due, open[e.Hash] = append(due, e), true
		if duties[e.Hash] == nil {
			duties[e.Hash] = &duty{}
		}
	}
	for _, e := range s.books.View.Overdue(now.Add(-adoptAfter)) {
		if open[e.Hash] {
			continue
		}
		due, open[e.Hash] = append(due, e), true
		if duties[e.Hash] == nil {
			duties[e.Hash] = &duty{next: now.Add(rand.N(adoptSpread))}
		}
	}
	for hash := range duties {
		if !open[hash] {
			delete(duties, hash)
		}
	}
	s.settleDue(ctx, due, duties, now)
}

// settleDue settles the jobs whose turn it is.
func (s *Server) settleDue(ctx context.Context, due []ledger.JobEntry, duties map[string]*duty, now time.Time) {
	var group sync.WaitGroup
	places, asked := make(chan struct{}, asking), 0
	for i := range due {
		d := duties[due[i].Hash]
		if d.settled || now.Before(d.next) || asked == maxAsked {
			continue
		}
		asked++
		places <- struct{}{}
		group.Go(func() {
			defer func() { <-places }()
			d.settled = s.settleDueJob(ctx, &due[i], now)
			d.next = now.Add(min(askAgain<<min(d.tries, 10), askMost))
			d.tries++
		})
	}
	group.Wait()
}

// settleDueJob settles a job whose deadline has passed, if it can be known how it ended, or can no longer be.
func (s *Server) settleDueJob(ctx context.Context, e *ledger.JobEntry, now time.Time) bool {
	late := now.Sub(e.Deadline)
	ticket, err := jobs.OpenTicket(s.keyRing.Load(), e.Hash, e.Ticket)
	if err != nil || ticket.Job.Owner != e.Key {
		return s.chargeUnknown(e, late)
	}
	job := ticket.Job
	state, known := s.lastState(ctx, e.Hash, job)
	if !known && late < giveUp {
		return false
	}
	state = s.settleState(job, state)
	s.settleJob(&payer{reset: ticket.Reset, project: ticket.Project, space: ticket.Space}, e.Hash, job, &state)
	return true
}

// chargeUnknown charges a job of which this replica has no ticket that it can open, once nobody else will find out how it ended.
// What it reserved of a budget of its namespace has none of its own, and is settled with the job itself if that can be known.
func (s *Server) chargeUnknown(e *ledger.JobEntry, late time.Duration) bool {
	shared := strings.HasSuffix(e.Key, "/")
	if late < giveUp || (shared && late < 2*giveUp) {
		return false
	}
	e.State, e.Ticket = ledger.JobCharged, ""
	s.countJobEntry(e)
	if shared {
		return true
	}
	s.metrics.Unaccounted(usage.JobOutcomeUnknown)
	s.settler.Job(&usage.JobEvent{
		Hash: e.Hash, Owner: e.Key, Model: e.Model, State: usage.JobCharged, Amount: e.Amount, Currency: s.Table().Currency(), Priced: e.Amount > 0,
		Usage: provider.Usage{Seconds: e.Usage.Seconds, Songs: e.Usage.Songs}, Deadline: e.Deadline,
	}, s.holder.Load().Resolve(e.Model))
	return true
}

// lastState asks the vendor where a job is. False: it did not say.
func (s *Server) lastState(ctx context.Context, hash string, job *jobs.Job) (provider.TaskState, bool) {
	k := videos()
	if job.Modality == provider.ModalityMusic {
		k = music()
	}
	state, failure, problem := s.askVendor(ctx, "due "+hash, k, job)
	if problem != nil {
		s.opts.Log.Warn("Nobody says how a job ended whose deadline has passed", "job", hash, "code", problem.Code, "reason", failure)
	}
	return state, problem == nil
}

// askVendor asks where a job is. Callers with the same id at the same time share the answer. A problem has a failure if it is the
// vendor's.
func (s *Server) askVendor(
	ctx context.Context, id string, k *jobKind, job *jobs.Job,
) (state provider.TaskState, failure *provider.Error, problem *openai.Error) {
	account, tasks, up, problem := s.accountOf(k, job)
	if problem != nil {
		return provider.TaskState{}, nil, problem
	}
	state, failure = s.poller.State(ctx, id, func(ctx context.Context) (provider.TaskState, *provider.Error) {
		step, err := tasks.Poll(ctx, up, job.Task, s.opts.Now())
		if err != nil {
			return provider.TaskState{}, proxy.AsProviderError(err)
		}
		return proxy.RunTask(ctx, account, step)
	})
	if failure != nil {
		return state, failure, pollProblem(failure)
	}
	return state, nil, nil
}
