// Package proxy carries a request to an upstream and the answer back: it chooses targets, attempts, retries where nothing was
// sent to the client yet, relays streams as they come and bounds every wait. It does not know who the client is or what
// anything costs.
package proxy

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"vipcloud.ai/vipcloud/gateway/balance"
	"vipcloud.ai/vipcloud/gateway/openai"
	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/route"
	"vipcloud.ai/vipcloud/gateway/snapshot"
	"vipcloud.ai/vipcloud/gateway/table"
	"vipcloud.ai/vipcloud/gateway/tracing"
)

// Defaults of Options.
const (
	defaultMaxResponse   = 64 << 20
	defaultKeepAlive     = 15 * time.Second
	defaultWriteDeadline = 60 * time.Second
)

// Options of a Proxy.
type Options struct {
	// MaxResponseBytes is the largest answer without stream that is taken from an upstream. Default: 64 MiB.
	MaxResponseBytes int64
	// KeepAlive is the silence of a stream after which a comment is sent. Default: 15 s.
	KeepAlive time.Duration
	// WriteTimeout is how long a client may take to read what is sent before it is cut off. Default: 60 s.
	WriteTimeout time.Duration
	// Tracer makes spans of attempts. Nil: nothing is traced.
	Tracer *tracing.Tracer
	// TailAnswer is how long an upstream is read on after its client has left in the middle of a chat's answer, TailUsage the same once
	// the answer was told whole and only the vendor's count is to come. Defaults: 250 ms and 2 s.
	TailAnswer, TailUsage time.Duration
	// Drain ends when requests that still run must end. Nil: never.
	Drain context.Context //nolint:containedctx // a signal of the server's life, not of a request
}

// Proxy carries requests. It is safe for concurrent use.
type Proxy struct {
	opts Options
	// held bounds the answers that are in memory as a whole because they are full of bytes.
	held *budget
}

// New returns a Proxy.
func New(opts Options) *Proxy {
	if opts.MaxResponseBytes <= 0 {
		opts.MaxResponseBytes = defaultMaxResponse
	}
	if opts.KeepAlive <= 0 {
		opts.KeepAlive = defaultKeepAlive
	}
	if opts.WriteTimeout <= 0 {
		opts.WriteTimeout = defaultWriteDeadline
	}
	if opts.TailAnswer <= 0 {
		opts.TailAnswer = defaultTailAnswer
	}
	if opts.TailUsage <= 0 {
		opts.TailUsage = defaultTailUsage
	}
	if opts.Drain == nil {
		opts.Drain = context.Background() //nolint:forbidigo // never ends, as documented
	}
	return &Proxy{opts: opts, held: newBudget(heldBytes)}
}

// Call is a request that was authenticated and resolved.
type Call struct {
	Body         *openai.Object
	Stream       bool
	IncludeUsage bool
	// Route is the route asked for.
	Route *snapshot.Route
	// Key decides which fallbacks may serve.
	Key *table.Key
	// Admit decides on the cost of a job, once that is known and before anything is sent. Nil: whatever it costs.
	Admit func(r *snapshot.Route, b provider.Billing) *openai.Error
	// Start is when the request arrived.
	Start time.Time
	// Release is called once the body is of no more use, which for a stream is long before its end. Nil: not called.
	Release func()
}

// Result is what became of a call.
type Result struct {
	// Served is the route of the last attempt, Target its target; nil if there was no attempt.
	Served   *snapshot.Route
	Target   *snapshot.Target
	Attempts int
	// Called says that an upstream was sent the whole request.
	Called bool
	Usage  provider.Usage
	// Estimate is what was asked for, for calls whose Usage stays unknown. Zero: it is made from bytes.
	Estimate provider.Usage
	// PromptBytes and AnswerBytes are how much text the upstream was given to read and has produced as far as that was seen, for estimates
	// of chats whose Usage stays unknown.
	PromptBytes, AnswerBytes int64
	// Unanswered says that an upstream was sent the whole request and never said what became of it, or that nobody waited for it.
	Unanswered bool
	// Superseded counts further attempts of that kind, after which another target was tried.
	Superseded int
	// FirstByte is the time from Start to the first byte for the client, Waited what of it was spent on upstreams.
	FirstByte, Waited time.Duration
	// Committed says that the response has begun, so that an error can no longer be its status.
	Committed bool
	// ClientGone says that the client left before the end.
	ClientGone bool
	// Broken says that bytes without a place for an error have begun and cannot be ended: the connection must be broken.
	Broken bool
	// Err is what the client is to be told, or was told inside the stream. Nil: the answer is whole.
	Err *openai.Error
	// Upstream is the last failure of an upstream, also if a later attempt succeeded.
	Upstream *provider.Error
}

// Errors that end an attempt from outside, as causes of its context.
var (
	errResponseTimeout = errors.New("no first byte within timeouts.response")
	errIdleTimeout     = errors.New("silence longer than timeouts.idle")
	errTotalTimeout    = errors.New("timeouts.total has passed")
	errDraining        = errors.New("replica is draining")
)

// Chat serves a chat completion. It writes the response, except that an error before the first byte is returned in Result.Err
// with Committed false: the caller writes that.
func (p *Proxy) Chat(ctx context.Context, w http.ResponseWriter, call *Call) Result {
	return p.carry(ctx, w, call, func(c *exchange) work { return &chat{c} })
}

// carry does a call's work at one target after the other, until it is done or trying on is not allowed.
func (p *Proxy) carry(ctx context.Context, w http.ResponseWriter, call *Call, newWork func(*exchange) work) Result {
	ctx, cancel := context.WithTimeoutCause(ctx, call.Route.TotalTimeout, errTotalTimeout)
	defer cancel()
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	defer context.AfterFunc(p.opts.Drain, func() { end(errDraining) })()
	c := &exchange{proxy: p, call: call, client: ctx, w: w}
	c.outlook.Obstacle = balance.NoTargets
	c.work = newWork(c)
	c.serve(call.Route)
	for _, fallback := range call.Route.Fallbacks {
		if c.finished() || (c.res.Attempts > 0 && !c.mayRepeat(call.Route)) {
			break
		}
		if route.Usable(call.Key, fallback.Route) && (fallback.Pricing != nil || !call.Key.HasBudget()) {
			c.serve(fallback)
		}
	}
	c.conclude()
	return c.res
}

// exchange is one call under way. It is used by one goroutine.
type exchange struct {
	proxy  *Proxy
	call   *Call
	client context.Context //nolint:containedctx // the exchange is the request, and ends with it
	w      http.ResponseWriter
	work   work
	res    Result
	// span is that of the attempt under way.
	span tracing.Span
	// tail ends the attempt under way if the client leaves.
	tail *tail
	// lease is the attempt under way.
	lease balance.Lease
	// outlook is when a route of a call without any attempt can be called.
	outlook balance.Outlook
	// reached says that the last attempt turned to the upstream at all, be it in vain: what an adapter refuses never leaves the gateway.
	// Several calls of one attempt set it.
	reached atomic.Bool
	// sent says that the last attempt's request went out whole: from then on the upstream may produce a bill. It is set by the
	// transport's goroutine.
	sent atomic.Bool
	// intact says that the answer was read to its end, so that the connection may be used again.
	intact bool
	// unsettled says that a paid call was answered in a way that leaves open whether it made something.
	unsettled atomic.Bool
	done      bool
	// refused is why a job was not admitted.
	refused *openai.Error
}

// serve tries the targets of one route until one has answered, none is left, or trying on is not allowed.
func (c *exchange) serve(r *snapshot.Route) {
	choice := c.choice(r)
	for left := r.Attempts + 1; left > 0; left-- {
		n := r.Balance.Pick(&choice, &c.lease)
		if n < 0 {
			if choice.Exhausted {
				r.Metrics.RetryRefused()
			}
			if c.res.Attempts == 0 {
				c.look(r)
			}
			return
		}
		if r != c.call.Route {
			c.w.Header().Set("X-Vipcloud-Fallback", "1")
		}
		c.res.Served, c.res.Target = r, r.Targets[n]
		c.res.Attempts++
		if c.res.Unanswered {
			c.res.Superseded++
		}
		c.attempt(r.Targets[n])
		if c.finished() || !c.mayRepeat(r) {
			return
		}
	}
}

// finished says that no further attempt makes sense, whatever the route allows.
func (c *exchange) finished() bool {
	return c.done || c.res.Committed || c.client.Err() != nil
}

// mayRepeat says whether the last failure lets another target try: nothing reached the client, the fault is not the client's,
// and no bill can have been produced, unless the route takes that risk.
func (c *exchange) mayRepeat(r *snapshot.Route) bool {
	e := c.res.Upstream
	if e == nil || e.Class.ClientFault() {
		return false
	}
	if c.ambiguous(e) {
		return r.RetryOnTimeout
	}
	return true
}

// ambiguous says that the upstream got the request and never said what became of it.
func (c *exchange) ambiguous(e *provider.Error) bool {
	if c.unsettled.Load() {
		return true
	}
	return c.sent.Load() && e.Status == 0 && (e.Class == provider.ClassTimeout || e.Class == provider.ClassNetwork)
}

// clientGone says that the client left, rather than that time ran out or the replica ends.
func (c *exchange) clientGone() bool {
	cause := context.Cause(c.client)
	return cause != nil && !errors.Is(cause, errTotalTimeout) && !errors.Is(cause, errDraining)
}

// conclude turns what happened into what the client is told.
func (c *exchange) conclude() {
	if c.res.Called && !c.res.Usage.Known {
		c.notePrompt()
	}
	if c.done {
		return
	}
	if c.refused != nil {
		c.res.Err = c.refused
		return
	}
	if c.res.Committed {
		return
	}
	if c.clientGone() {
		c.res.ClientGone = true
		return
	}
	if errors.Is(context.Cause(c.client), errDraining) {
		c.res.Err = drained()
		return
	}
	if c.res.Attempts == 0 {
		c.res.Err = refusalOf(c.outlook)
		return
	}
	c.res.Err = publicError(c.upstream(), c.ambiguous(c.res.Upstream))
}
