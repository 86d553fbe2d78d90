package gateway

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/gorilla/mux"

	"vipcloud.ai/vipcloud/gateway/jobs"
	"vipcloud.ai/vipcloud/gateway/media"
	"vipcloud.ai/vipcloud/gateway/openai"
	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/proxy"
	"vipcloud.ai/vipcloud/gateway/snapshot"
	"vipcloud.ai/vipcloud/gateway/usage"
)

// jobKind is a modality that is served by jobs.
type jobKind struct {
	modality  provider.Modality
	operation string
	// object is the word for it in answers, path where its jobs are.
	object, path string
	// check reads a client's body and says what is wrong with it.
	check func(*openai.Object) *openai.Error
	// tasks is the capability of an adapter; nil if it has none.
	tasks func(*snapshot.Account) provider.Tasks
}

// videos and music are the kinds of jobs.
func videos() *jobKind {
	return &jobKind{
		modality: provider.ModalityVideo, operation: snapshot.OperationVideo, object: "video", path: "/v1/videos/jobs/",
		check: func(o *openai.Object) *openai.Error { _, e := media.ParseVideo(o); return e },
		tasks: func(a *snapshot.Account) provider.Tasks { return a.Video },
	}
}

func music() *jobKind {
	return &jobKind{
		modality: provider.ModalityMusic, operation: snapshot.OperationMusic, object: "music", path: "/v1/music/jobs/",
		check: func(o *openai.Object) *openai.Error { _, e := media.ParseMusic(o); return e },
		tasks: func(a *snapshot.Account) provider.Tasks { return a.Music },
	}
}

// maxIdempotencyKey bounds a client's Idempotency-Key.
const maxIdempotencyKey = 255

// created is what a submit came to: a job, or why there is none.
type created struct {
	job     openai.Job
	problem *openai.Error
}

// createJob serves the submit of a kind.
func (s *Server) createJob(k *jobKind) handler {
	return func(x *exchange) *openai.Error {
		x.rec.Operation = k.operation
		call, release, problem := s.mediaCall(x, k.modality)
		defer release()
		if problem == nil {
			problem = k.check(call.Body)
		}
		if problem == nil && s.keyRing.Load() == nil {
			problem = openai.Unavailable("jobs_unavailable", "This gateway has no key ring for job ids yet; try again shortly.", overloadPause)
		}
		if problem != nil {
			return problem
		}
		call.Admit = func(r *snapshot.Route, b provider.Billing) *openai.Error { return s.admitJob(x, r, b) }
		return s.createOnce(x, k, call)
	}
}

// createOnce submits, or repeats the answer to an earlier submit with the same Idempotency-Key.
func (s *Server) createOnce(x *exchange, k *jobKind, call *proxy.Call) *openai.Error {
	key := x.r.Header.Get("Idempotency-Key")
	if len(key) > maxIdempotencyKey {
		return openai.InvalidRequest("invalid_idempotency_key", "", "Idempotency-Key is longer than %d characters.", maxIdempotencyKey)
	}
	replayed := true
	outcome, err := s.idempotency.Do(x.r.Context(), x.key.ID(), idempotencyKey(k, key), call.Body.Raw(), func() jobs.Outcome {
		replayed = false
		return s.submit(x, k, call)
	})
	switch {
	case errors.Is(err, jobs.ErrKeyReused):
		return openai.InvalidRequest("idempotency_key_reused", "",
			"This Idempotency-Key was used with another body; send a new key with a new request.")
	case err != nil:
		x.rec.Outcome = usage.OutcomeClientGone // while waiting for an equal submit
		return nil                              //nolint:nilerr // there is nobody to answer
	}
	made, _ := outcome.Value.(*created)
	if replayed {
		x.w.Header().Set("Idempotent-Replayed", "true")
	}
	if made.problem != nil {
		return made.problem
	}
	x.w.Header().Set("X-Should-Retry", "false")
	x.w.Header().Set("Cache-Control", "no-store")
	return x.writeJSON(made.job)
}

// idempotencyKey keeps the keys of kinds apart; empty for none.
func idempotencyKey(k *jobKind, key string) string {
	if key == "" {
		return ""
	}
	return k.object + " " + key
}

// submit makes a task and its job. It goes on although the client leaves: a submit broken off may be a task that nobody knows of.
func (s *Server) submit(x *exchange, k *jobKind, call *proxy.Call) jobs.Outcome {
	if problem := s.admitRates(x); problem != nil {
		return jobs.Outcome{Value: &created{problem: problem}}
	}
	result, made := s.proxy.Submit(context.WithoutCancel(x.r.Context()), x.w, call)
	if made == nil {
		problem := x.record(result)
		if problem == nil {
			problem = openai.Internal(x.rec.RequestID)
		}
		return jobs.Outcome{Value: &created{problem: problem}, Final: problem.NoRetry && problem.Status >= http.StatusInternalServerError}
	}
	_ = x.record(result) // nothing is left to answer: there is a task
	x.rec.Deferred = true
	now := s.opts.Now()
	job := newJob(x.key, k, made, now)
	id, err := jobs.Seal(s.keyRing.Load(), job)
	if err != nil {
		s.opts.Log.Error("Job cannot be sealed; its task is lost", "requestID", x.rec.RequestID, "reason", err)
		return jobs.Outcome{Value: &created{problem: openai.Internal(x.rec.RequestID)}, Final: true}
	}
	x.rec.JobHash = jobs.Hash(id)
	s.accountNewJob(x.key, id, job, &provider.TaskState{Status: provider.TaskQueued})
	return jobs.Outcome{Value: &created{job: s.jobDocument(k, id, job, &provider.TaskState{Status: provider.TaskQueued, Progress: -1})}, Final: true}
}

// openJob reads a job from the path. Every id that is not the caller's gets the same answer.
func (s *Server) openJob(x *exchange, k *jobKind) (id string, job *jobs.Job, problem *openai.Error) {
	x.rec.Operation = k.operation
	id = mux.Vars(x.r)["id"]
	x.rec.Path = strings.ReplaceAll(x.rec.Path, id, "{id}") // an id has no business in logs
	job, err := jobs.Open(s.keyRing.Load(), id, x.key.ID(), s.opts.Now())
	if err != nil || job.Modality != k.modality {
		return "", nil, openai.JobNotFound()
	}
	x.rec.Model, x.rec.JobHash = job.Model, jobs.Hash(id)
	return id, job, nil
}

// accountOf returns the account that a job's task is at, and the upstream as it was when the task was made.
func (s *Server) accountOf(k *jobKind, job *jobs.Job) (*snapshot.Account, provider.Tasks, *provider.Upstream, *openai.Error) {
	account := s.holder.Load().Account(job.Credential)
	if account == nil || k.tasks(account) == nil {
		return nil, nil, nil, openai.Unavailable("job_unavailable",
			"The credential that this job was made with is not there any more; ask the administrator of this gateway.", tasklessPause)
	}
	up := account.At(job.UpstreamModel)
	up.Endpoint, up.Protocol = job.Endpoint, job.Protocol
	return account, k.tasks(account), &up, nil
}
