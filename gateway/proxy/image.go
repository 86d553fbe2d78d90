package proxy

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/util/wait"

	"vipcloud.ai/vipcloud/gateway/media"
	"vipcloud.ai/vipcloud/gateway/openai"
	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/snapshot"
)

// Images serves an image request, as Chat serves a chat completion.
func (p *Proxy) Images(ctx context.Context, w http.ResponseWriter, call *Call) Result {
	var i *images
	result := p.carry(ctx, w, call, func(c *exchange) work {
		i = &images{exchange: c}
		return i
	})
	i.letGo()
	return result
}

// images is the work of an image request.
type images struct {
	*exchange
	holding
}

// at implements work.
func (c *images) at(ctx context.Context, t *snapshot.Target, watch *watchdog) *provider.Error {
	in, problem := media.ParseImage(media.WithDefaults(c.call.Body, t.Upstream.Parameters.Defaults))
	if problem != nil {
		return refusal(problem)
	}
	in.Now, in.ID = time.Now(), uuid.NewString()
	c.holding.prepare(c.proxy.held, in.N)
	plan, err := t.Image.Generate(ctx, &t.Upstream, &in.ImageRequest)
	if err != nil {
		return asProviderError(err, provider.ClassInvalidRequest)
	}
	c.res.Estimate = provider.Usage{Images: int64(in.N)}
	results, failure := c.generate(ctx, t, &in.ImageRequest, plan)
	if made(results) == 0 {
		return failure
	}
	c.res.Usage = provider.Usage{Known: true, Images: made(results)}
	answer := &imageAnswer{images: c, in: &in, results: results}
	if in.Base64 {
		if failure := answer.fetch(ctx, t); failure != nil {
			c.unsettled.Store(true) // the images exist: another attempt would make more of them
			return failure
		}
	}
	watch.stop()
	answer.write(watch)
	return nil
}

// refusal is the error of a body that the admin's defaults have made unreadable: what the client itself sent was read before.
func refusal(problem *openai.Error) *provider.Error {
	return &provider.Error{Class: provider.ClassInvalidRequest, Param: problem.Param, Message: problem.Message}
}

// generate makes the calls of a plan, some at a time. All of them are made, whatever becomes of one: what others made is paid for.
// The failure is the first one of those that matter most.
func (c *images) generate(ctx context.Context, t *snapshot.Target, in *provider.ImageRequest, plan *provider.ImagePlan) ([]provider.ImageResult, *provider.Error) {
	answers := make([]provider.ImageAnswer, len(plan.Steps))
	failures := make([]*provider.Error, len(plan.Steps))
	var group errgroup.Group
	group.SetLimit(max(plan.Parallel, 1))
	for n, step := range plan.Steps {
		group.Go(func() error {
			answers[n], failures[n] = c.one(ctx, t, in, step)
			return nil
		})
	}
	_ = group.Wait() // failures are kept in their places
	return collect(answers, failures, c.unsettled.Load())
}

// collect puts results in the order of their calls, and failures in the places of what they were to make. Open says that something may
// have been made that nobody has heard of.
func collect(answers []provider.ImageAnswer, failures []*provider.Error, open bool) (results []provider.ImageResult, first *provider.Error) {
	for n := range answers {
		if failures[n] != nil {
			results = append(results, provider.ImageResult{Failure: failures[n]})
			continue
		}
		results = append(results, answers[n].Images...)
	}
	for i := range results {
		if f := results[i].Failure; f != nil && (first == nil || weight(f, open) > weight(first, open)) {
			first = f
		}
	}
	if first == nil && made(results) == 0 {
		first = provider.BadResponse(http.StatusOK, "no_images", "the answer has no images")
	}
	return results, first
}

// weight says which of several failures the client is told: one that leaves open whether something was made and is billed, for that is no
// request to send again; then its own fault; then any other.
func weight(f *provider.Error, open bool) int {
	switch {
	case open && !definite(f):
		return 2
	case f.Class.ClientFault():
		return 1
	}
	return 0
}

// made counts the images among results.
func made(results []provider.ImageResult) int64 {
	n := int64(0)
	for i := range results {
		if results[i].Failure == nil {
			n++
		}
	}
	return n
}

// one makes one call, and waits for the task that it may have become.
func (c *images) one(ctx context.Context, t *snapshot.Target, in *provider.ImageRequest, step *provider.Step[provider.ImageAnswer]) (provider.ImageAnswer, *provider.Error) {
	by := c.caller(t)
	if in.Base64 {
		by.hold = func(ctx context.Context, resp *http.Response) error {
			return c.hold(ctx, resp, 2, by.maxBytes) // as it comes, and as text
		}
	}
	answer, failure := runSteps(ctx, by, step)
	if failure != nil || answer.Task.ID == "" {
		return answer, failure
	}
	return c.await(ctx, t, in, answer.Task, by)
}

// pollPause is how long to wait between polls of a task. Vendors allow some twenty polls a second for a whole account.
var pollPause = wait.Backoff{Duration: time.Second, Factor: 1.5, Steps: 1 << 20, Cap: 5 * time.Second}

// maxPollFailures is how many polls in a row may fail before a task is given up.
const maxPollFailures = 5

// await polls a task until it has ended. A poll that fails says nothing about the task.
func (c *images) await(ctx context.Context, t *snapshot.Target, in *provider.ImageRequest, task provider.Task, by *caller) (provider.ImageAnswer, *provider.Error) {
	pause, failed := pollPause, 0
	for {
		select {
		case <-ctx.Done():
			c.unsettled.Store(true)
			return provider.ImageAnswer{}, networkError(ctx, ctx.Err())
		case <-time.After(pause.Step()):
		}
		poll := *in
		poll.Now = time.Now()
		step, err := t.Image.PollImages(ctx, &t.Upstream, &poll, task)
		if err != nil {
			c.unsettled.Store(true)
			return provider.ImageAnswer{}, asProviderError(err, provider.ClassBadResponse)
		}
		answer, failure := runSteps(ctx, by, step)
		switch {
		case failure == nil && answer.Task.ID == "":
			return answer, nil
		case failure == nil:
			failed, task = 0, answer.Task
			continue
		}
		if failed++; failed >= maxPollFailures || failure.Class == provider.ClassUnauthorized || failure.Class == provider.ClassForbidden {
			c.unsettled.Store(true)
			return answer, givenUp(failure)
		}
	}
}

// givenUp is the failure of a task whose polls fail. A vendor that wants fewer polls, or has no capacity for them, has not said that the
// task made nothing: the client must not take it for that.
func givenUp(poll *provider.Error) *provider.Error {
	if poll.Class == provider.ClassRateLimited || poll.Class == provider.ClassOverloaded {
		return &provider.Error{Class: provider.ClassNetwork, Code: poll.Code, Cause: poll}
	}
	return poll
}
