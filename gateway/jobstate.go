package gateway

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"time"

	"vipcloud.ai/vipcloud/gateway/jobs"
	"vipcloud.ai/vipcloud/gateway/openai"
	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/proxy"
	"vipcloud.ai/vipcloud/gateway/table"
	"vipcloud.ai/vipcloud/gateway/usage"
)

const (
	// defaultJobDeadline and defaultJobPoll stand for what an adapter does not say.
	defaultJobDeadline = 24 * time.Hour
	defaultJobPoll     = 5 * time.Second
	// tasklessPause is what a client is asked to wait when a job's credential is gone.
	tasklessPause = 30 * time.Second
)

// newJob is what is sealed of a task.
func newJob(key *table.Key, k *jobKind, made *proxy.Submitted, now time.Time) *jobs.Job {
	deadline := min(orDefault(made.Deadline, defaultJobDeadline), jobs.MaxDeadline)
	up := &made.Target.Upstream
	job := &jobs.Job{
		Modality: k.modality, Owner: key.ID(), Model: made.Served.Model,
		Credential: made.Target.Target.Credential.ID(), Endpoint: up.Endpoint, Protocol: up.Protocol, UpstreamModel: up.Model,
		Task: made.Task, Created: now.Unix(), Deadline: now.Add(deadline).Unix(), Billing: made.Billing, Warnings: made.Warnings,
		RetryAfter: int64(orDefault(made.RetryAfter, defaultJobPoll) / time.Second), Proxied: made.Served.ProxyResults,
	}
	if p := made.Served.Pricing; p != nil {
		prices := p.At(table.Query{Resolution: made.Billing.Resolution, Audio: made.Billing.Audio}, now)
		job.Prices = jobs.Prices{
			Currency: p.Currency, PerRequest: prices.PerRequest, PerSecond: prices.PerSecond, PerVideo: prices.PerVideo, PerSong: prices.PerSong,
		}
	}
	return job
}

// getJob serves GET of a job: where it is now.
func (s *Server) getJob(k *jobKind) handler {
	return func(x *exchange) *openai.Error {
		id, job, problem := s.openJob(x, k)
		if problem != nil {
			return problem
		}
		state, problem := s.jobState(x, k, id, job)
		if problem != nil {
			return problem
		}
		return s.writeJob(x, k, id, job, &state)
	}
}

// cancelJob serves DELETE of a job: it is cancelled if it has not begun. The answer says what became of it.
func (s *Server) cancelJob(k *jobKind) handler {
	return func(x *exchange) *openai.Error {
		id, job, problem := s.openJob(x, k)
		if problem != nil {
			return problem
		}
		account, tasks, up, problem := s.accountOf(k, job)
		if problem != nil {
			return problem
		}
		ctx := context.WithoutCancel(x.r.Context()) // half a cancellation is worth nothing
		step, err := tasks.Cancel(ctx, up, job.Task, s.opts.Now())
		switch {
		case err != nil:
			return pollProblem(err)
		case step == nil:
			return openai.InvalidRequest("cancel_not_supported", "", "The provider of model '%s' cannot cancel.", job.Model)
		}
		state, failure := proxy.RunTask(ctx, account, step)
		s.poller.Forget(id)
		if failure != nil {
			return pollProblem(failure)
		}
		return s.writeJob(x, k, id, job, &state)
	}
}

// pollProblem is what a client is told of a poll that failed, which says nothing about the job.
func pollProblem(err error) *openai.Error {
	e := proxy.PublicError(proxy.AsProviderError(err))
	if e.Status == http.StatusBadRequest { // it is the gateway's call that the vendor refuses, not the client's
		e = openai.Unavailable("job_unavailable", "The provider does not answer about this job; try again shortly.", defaultJobPoll)
		e.Cause = err
	}
	e.NoRetry = false
	return e
}

// jobState asks where a job is.
func (s *Server) jobState(x *exchange, k *jobKind, id string, job *jobs.Job) (provider.TaskState, *openai.Error) {
	state, failure, problem := s.askVendor(x.r.Context(), id, k, job)
	if problem != nil {
		if x.r.Context().Err() != nil {
			x.rec.Outcome = usage.OutcomeClientGone
		}
		x.rec.UpstreamErr = failure
		return state, problem
	}
	return s.settleState(job, state), nil
}

// settleState gives a job an end where the vendor does not: it knows the task no longer, or its time is over.
func (s *Server) settleState(job *jobs.Job, state provider.TaskState) provider.TaskState {
	switch {
	case state.Gone:
		state.Status = provider.TaskFailed
		state.Failure = &provider.Error{Class: provider.ClassServerError, Code: jobGone}
	case !state.Status.Ended() && s.opts.Now().After(job.DeadlineTime()):
		state.Status = provider.TaskFailed
		state.Failure = &provider.Error{Class: provider.ClassTimeout, Code: jobExpired}
	}
	return state
}

// Codes of jobs that end without the vendor's word.
const (
	jobGone    = "job_gone"
	jobExpired = "job_deadline_exceeded"
)

// writeJob answers with a job.
func (s *Server) writeJob(x *exchange, k *jobKind, id string, job *jobs.Job, state *provider.TaskState) *openai.Error {
	if state.Status.Ended() {
		s.settleJob(payerOf(x.key, id), jobs.Hash(id), job, state)
	}
	h := x.w.Header()
	h.Set("Cache-Control", "no-store")
	if !state.Status.Ended() {
		h.Set("Retry-After", strconv.FormatInt(max(job.RetryAfter, 1), 10))
		h.Set("Openai-Poll-After-Ms", strconv.FormatInt(max(job.RetryAfter, 1)*1000, 10))
	}
	return x.writeJSON(s.jobDocument(k, id, job, state))
}

// jobDocument is a job as a client sees it.
func (s *Server) jobDocument(k *jobKind, id string, job *jobs.Job, state *provider.TaskState) openai.Job {
	doc := openai.Job{
		ID: id, JobID: id, Object: k.object, Status: string(state.Status), PollURL: k.path + id, Model: job.Model,
		CreatedAt: job.Created, Warnings: job.Warnings,
	}
	if state.Progress >= 0 && state.Status == provider.TaskInProgress {
		doc.Progress = &state.Progress
	}
	if !state.FinishedAt.IsZero() {
		doc.CompletedAt = state.FinishedAt.Unix()
	}
	switch state.Status {
	case provider.TaskCompleted:
		doc.Result = s.jobResult(doc.PollURL, job, state)
	case provider.TaskFailed:
		doc.Error = jobError(state.Failure)
	case provider.TaskQueued, provider.TaskInProgress, provider.TaskCancelled:
	}
	return doc
}

// jobError says why a job failed.
func jobError(failure *provider.Error) *openai.JobError {
	switch {
	case failure == nil:
		return &openai.JobError{Code: "upstream_error", Message: "The model's provider could not finish the job."}
	case failure.Code == jobGone:
		return &openai.JobError{Code: jobGone, Message: "The model's provider does not know this job any more."}
	case failure.Code == jobExpired:
		return &openai.JobError{Code: jobExpired, Message: "The job did not end before its deadline."}
	}
	e := proxy.PublicError(failure)
	return &openai.JobError{Code: e.Code, Message: e.Message}
}

// jobResult lists the files of a job that is done.
func (s *Server) jobResult(path string, job *jobs.Job, state *provider.TaskState) *openai.JobResult {
	finished := state.FinishedAt
	if finished.IsZero() {
		finished = s.opts.Now()
	}
	result := &openai.JobResult{URLs: []string{}, Files: []openai.JobFile{}}
	for i := range state.Files {
		f := &state.Files[i]
		file := openai.JobFile{URL: f.URL, ContentType: f.ContentType, Variant: f.Variant, Duration: f.Seconds}
		if job.Proxied {
			file.URL = path + "/content?file=" + strconv.Itoa(i)
		}
		if f.Lifetime > 0 {
			file.ExpiresAt = finished.Add(f.Lifetime).Unix()
		}
		result.Files = append(result.Files, file)
		if f.Variant != "" {
			continue
		}
		result.URLs = append(result.URLs, file.URL)
		if file.ExpiresAt > 0 && (result.ExpiresAt == 0 || file.ExpiresAt < result.ExpiresAt) {
			result.ExpiresAt = file.ExpiresAt
		}
	}
	if len(result.URLs) > 0 {
		result.URL = result.URLs[0]
	}
	return result
}

// payer says what a job's money counts against, beside its owner.
type payer struct {
	// key is nil for a job that is settled without its owner asking.
	key            *table.Key
	reset, project string
	// space is the hash under which it counts against a budget of the namespace, too; empty if it does not.
	space string
	// ticket is for whoever finds out how the job ended; empty if it is not new.
	ticket string
}

// payerOf is the payer of a job of a key.
func payerOf(key *table.Key, id string) *payer {
	p := &payer{key: key, reset: key.Reset, project: key.Project}
	if sharesBudget(key) {
		p.space = jobs.Hash("namespace " + id)
	}
	return p
}

// accountNewJob tells what a job holds that was just made, with a ticket for its deadline.
func (s *Server) accountNewJob(key *table.Key, id string, job *jobs.Job, state *provider.TaskState) {
	p, hash := payerOf(key, id), jobs.Hash(id)
	var err error
	if p.ticket, err = jobs.SealTicket(s.keyRing.Load(), hash, &jobs.Ticket{Job: job, Reset: p.reset, Project: p.project, Space: p.space}); err != nil {
		s.opts.Log.Error("Ticket of a job cannot be sealed; unless a client asks, it will be charged", "job", hash, "reason", err)
	}
	s.settleJob(p, hash, job, state)
}

// settleJob tells what a job costs, as far as it is known. What nobody can know any more is charged.
func (s *Server) settleJob(p *payer, hash string, job *jobs.Job, state *provider.TaskState) {
	used := state.Usage
	if !used.Known {
		used = provider.Usage{Seconds: job.Billing.Seconds, Songs: job.Billing.Songs}
	}
	event := &usage.JobEvent{
		Hash: hash, Owner: job.Owner, Project: p.project, Model: job.Model, State: usage.JobReserved, Usage: used,
		Currency: job.Prices.Currency, Priced: job.Prices.Currency != "", Deadline: job.DeadlineTime(),
	}
	unknown := state.Failure != nil && (state.Failure.Code == jobExpired || state.Failure.Code == jobGone)
	switch {
	case state.Status == provider.TaskCompleted, unknown:
		event.State = usage.JobCharged
	case state.Status.Ended():
		event.State = usage.JobReleased
	}
	if !s.accounted.First(event.Hash + string(event.State)) {
		return
	}
	if unknown {
		s.metrics.Unaccounted(usage.JobOutcomeUnknown)
	}
	prices := table.Prices{PerRequest: job.Prices.PerRequest, PerSecond: job.Prices.PerSecond, PerVideo: job.Prices.PerVideo, PerSong: job.Prices.PerSong}
	var ok bool
	if event.Amount, ok = usage.JobCost(prices, used, job.Modality == provider.ModalityVideo); !ok {
		s.metrics.Unaccounted(usage.CostOutOfRange)
	}
	s.countJob(p, job, event)
	s.settler.Job(event, s.holder.Load().Resolve(job.Model))
}

// jobContent serves a file of a job that is done, for clients that cannot reach the vendor.
func (s *Server) jobContent(k *jobKind) handler {
	return func(x *exchange) *openai.Error {
		id, job, problem := s.openJob(x, k)
		if problem != nil {
			return problem
		}
		state, problem := s.jobState(x, k, id, job)
		if problem != nil {
			return problem
		}
		n, err := strconv.Atoi(orDefault(x.r.URL.Query().Get("file"), "0"))
		switch {
		case state.Status != provider.TaskCompleted:
			return openai.InvalidRequest("job_not_completed", "", "The job is %s; it has no files.", state.Status)
		case err != nil || n < 0 || n >= len(state.Files):
			return openai.InvalidRequest("unsupported_value", "file", "file must be below %d, the number of this job's files.", len(state.Files))
		}
		account, _, _, problem := s.accountOf(k, job)
		if problem != nil {
			return problem
		}
		return s.pass(x, account.Endpoint.Fetch, &state.Files[n])
	}
}

// fetch gets a file.
type fetch func(ctx context.Context, address string, header http.Header) (*http.Response, error)

// pass streams a file through, the part of it that the client asked for.
func (s *Server) pass(x *exchange, get fetch, file *provider.TaskFile) *openai.Error {
	header := http.Header{}
	for _, name := range []string{"Range", "If-Range"} {
		if v := x.r.Header.Get(name); v != "" {
			header.Set(name, v)
		}
	}
	resp, err := get(x.r.Context(), file.URL, header)
	if err != nil {
		return pollProblem(&provider.Error{Class: provider.ClassNetwork, Cause: err})
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusPartialContent && resp.StatusCode != http.StatusRequestedRangeNotSatisfiable {
		return pollProblem(&provider.Error{Class: provider.ClassServerError, Status: resp.StatusCode, Code: "file_unavailable"})
	}
	h := x.w.Header()
	for _, name := range []string{"Content-Length", "Content-Range", "Accept-Ranges", "Last-Modified", "Etag"} {
		if v := resp.Header.Get(name); v != "" {
			h.Set(name, v)
		}
	}
	h.Set("Content-Type", orDefault(file.ContentType, resp.Header.Get("Content-Type")))
	h.Set("Cache-Control", "private, no-store")
	x.w.WriteHeader(resp.StatusCode)
	if x.r.Method == http.MethodHead {
		return nil
	}
	if _, err := io.Copy(proxy.Deadlined(x.w, s.opts.WriteTimeout), resp.Body); err != nil {
		x.rec.Outcome = usage.OutcomeBroken
		panic(http.ErrAbortHandler) // a short file must not look whole
	}
	return nil
}
