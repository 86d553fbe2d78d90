package proxy

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"vipcloud.ai/vipcloud/gateway/media"
	"vipcloud.ai/vipcloud/gateway/openai"
	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/snapshot"
)

// Submitted is a task that was made.
type Submitted struct {
	*provider.Submission
	Task   provider.Task
	Target *snapshot.Target
	Served *snapshot.Route
}

// Submit makes the task of a video or music request. It writes nothing; Submitted is nil if there is no task. The caller's context
// should not end when the client leaves: a submit that is broken off may have made a task that nobody knows of.
func (p *Proxy) Submit(ctx context.Context, w http.ResponseWriter, call *Call) (Result, *Submitted) {
	var s *submit
	result := p.carry(ctx, w, call, func(c *exchange) work {
		s = &submit{exchange: c}
		return s
	})
	return result, s.submitted
}

// submit is the work of making a task.
type submit struct {
	*exchange
	submitted *Submitted
}

// at implements work.
func (c *submit) at(ctx context.Context, t *snapshot.Target, _ *watchdog) *provider.Error {
	prepare := c.video
	if c.res.Served.Modality == string(provider.ModalityMusic) {
		prepare = c.music
	}
	submission, failure := prepare(ctx, t)
	if failure != nil {
		return failure
	}
	if c.call.Admit != nil {
		if c.refused = c.call.Admit(c.res.Served, submission.Billing); c.refused != nil {
			return refusal(c.refused) // the client's own limits: nobody else is asked
		}
	}
	task, failure := runSteps(ctx, c.caller(t), submission.Step)
	if failure != nil {
		return failure
	}
	c.submitted = &Submitted{Submission: submission, Task: task, Target: t, Served: c.res.Served}
	return nil
}

// video prepares the call that makes a video.
func (c *submit) video(ctx context.Context, t *snapshot.Target) (*provider.Submission, *provider.Error) {
	in, problem := media.ParseVideo(media.WithDefaults(c.call.Body, t.Upstream.Parameters.Defaults))
	if problem != nil {
		return nil, refusal(problem)
	}
	in.Now, in.ID = time.Now(), uuid.NewString()
	submission, err := t.Video.SubmitVideo(ctx, &t.Upstream, &in)
	if err != nil {
		return nil, asProviderError(err, provider.ClassInvalidRequest)
	}
	return submission, nil
}

// music prepares the call that makes music.
func (c *submit) music(ctx context.Context, t *snapshot.Target) (*provider.Submission, *provider.Error) {
	in, problem := media.ParseMusic(media.WithDefaults(c.call.Body, t.Upstream.Parameters.Defaults))
	if problem != nil {
		return nil, refusal(problem)
	}
	in.Now, in.ID = time.Now(), uuid.NewString()
	submission, err := t.Music.SubmitMusic(ctx, &t.Upstream, &in)
	if err != nil {
		return nil, asProviderError(err, provider.ClassInvalidRequest)
	}
	return submission, nil
}

// maxStateBytes is the largest answer about a task.
const maxStateBytes = 4 << 20

// RunTask makes the calls that ask where a task is, or that cancel it. They cost nothing.
func RunTask(ctx context.Context, a *snapshot.Account, step *provider.Step[provider.TaskState]) (provider.TaskState, *provider.Error) {
	nothing := func() {}
	return runSteps(ctx, &caller{roundTrip: a.Endpoint.RoundTrip, maxBytes: maxStateBytes, paid: nothing, unsettled: nothing}, step)
}

// AsProviderError returns err as the type that adapters' errors have.
func AsProviderError(err error) *provider.Error {
	return asProviderError(err, provider.ClassBadResponse)
}

// PublicError is what a client is told of a failure that is not the outcome of its own request, such as a task's.
func PublicError(e *provider.Error) *openai.Error { return publicError(e, false) }
