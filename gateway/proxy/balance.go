package proxy

import (
	"errors"
	"time"

	"vipcloud.ai/vipcloud/gateway/balance"
	"vipcloud.ai/vipcloud/gateway/openai"
	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/snapshot"
)

// noTargetPause is what a client is asked to wait when nobody knows how long it takes.
const noTargetPause = 5 * time.Second

// choice begins to choose among a route's targets.
func (c *exchange) choice(r *snapshot.Route) balance.Choice {
	if r.Affinity == "" || len(r.Targets) < 2 {
		return balance.Choice{}
	}
	conversation, ok := conversationOf(c.call.Body)
	return balance.Choice{Conversation: conversation, Sticky: ok}
}

// report tells how the upstream did, as far as the failure is its own: neither a replica that ends nor an answer that is larger than we
// take says anything of it.
func (c *exchange) report(e *provider.Error) {
	switch {
	case errors.Is(e.Cause, errDraining), errors.Is(e.Cause, errResponseTooLarge), c.outOfTime(e):
		c.lease.Release()
	case e.Class.ClientFault() && e.Status == 0 && !c.sent.Load():
		c.lease.Unsent()
	default:
		c.lease.Failed(e)
	}
}

// outOfTime says that the call's whole time passed, which is the target's doing only if it had all of it and said nothing.
func (c *exchange) outOfTime(e *provider.Error) bool {
	return errors.Is(e.Cause, errTotalTimeout) && (c.res.Committed || c.res.Attempts > 1)
}

// look notes when a route can be called, for a call that has had no attempt yet. What only takes time comes before what somebody must
// mend.
func (c *exchange) look(r *snapshot.Route) {
	if o := r.Balance.Outlook(); o.Before(c.outlook) {
		c.outlook = o
	}
}

// Why a call had no attempt, for the log.
var (
	errNoTarget = errors.New("no target can be called")
	errFull     = errors.New("credentials have as many requests as they may")
	errPaused   = errors.New("vendors asked for a pause")
	errRefused  = errors.New("vendors refuse the credentials or models")
)

// refusalOf is what a client is told of a call that had no attempt.
func refusalOf(o balance.Outlook) *openai.Error {
	var e *openai.Error
	switch o.Obstacle {
	case balance.Full:
		e = openai.Unavailable("overloaded", "This model serves as many requests as it may; try again later.", o.Wait)
		e.Cause = errFull
	case balance.Paused:
		e = publicError(&provider.Error{Class: o.Class, Cause: errPaused}, false)
		e.RetryAfter, e.NoRetry = o.Wait, false
	case balance.Refused:
		e = publicError(&provider.Error{Class: o.Class, Cause: errRefused}, false)
	case balance.NoObstacle, balance.Closed, balance.NoTargets:
		e = openai.Unavailable("no_healthy_target", "No upstream can serve this model at the moment.", noTargetPause)
		if o.Obstacle == balance.Closed {
			e.RetryAfter = o.Wait
		}
		e.Cause = errNoTarget
	}
	return e
}

// upstream is the last failure of an upstream with the pause that a client should make: no longer than until a target of the route that it
// asked for can be called.
func (c *exchange) upstream() *provider.Error {
	e := c.res.Upstream
	if e.Class != provider.ClassRateLimited && e.Class != provider.ClassOverloaded {
		return e
	}
	o := c.call.Route.Balance.Outlook()
	if o.Obstacle >= balance.Refused || o.Wait >= retryAfter(e) {
		return e
	}
	sooner := *e
	sooner.RetryAfter = max(o.Wait, defaultRetryAfter)
	return &sooner
}
