package proxy

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"time"

	"vipcloud.ai/vipcloud/gateway/openai"
	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/snapshot"
	"vipcloud.ai/vipcloud/gateway/tracing"
)

const (
	// maxErrorBody is what is read of an upstream's error.
	maxErrorBody = 64 << 10
	// maxDrain is what is read of a body's rest to keep its connection.
	maxDrain = 16 << 10
	// maxDrainTime is how long that may take.
	maxDrainTime = 100 * time.Millisecond
)

// errResponseTooLarge means that an answer exceeded Options.MaxResponseBytes.
var errResponseTooLarge = errors.New("answer larger than the limit")

// work is what is done at a target once one is chosen. There is one for each modality.
type work interface {
	// at calls a target and relays the answer. An error after the response has begun has been told to the client already.
	at(ctx context.Context, t *snapshot.Target, watch *watchdog) *provider.Error
}

// attempt calls one target. It sets res.Upstream if that failed.
func (c *exchange) attempt(t *snapshot.Target) {
	c.res.Upstream, c.intact = nil, false
	c.reached.Store(false)
	c.sent.Store(false)
	c.unsettled.Store(false)
	defer c.lease.Release() // does nothing unless the work panics
	started := time.Now()
	err := c.try(t)
	if c.sent.Load() {
		c.res.Called = true
	}
	c.res.Unanswered = c.silent(err)
	if !c.res.Committed {
		c.res.Waited += time.Since(started)
	}
	switch {
	case err == nil:
		c.done = true
		c.countAttempt(t, "")
		if !c.res.ClientGone {
			c.lease.Succeeded()
		}
	case c.clientGone():
		c.countAttempt(t, "client_gone")
	default:
		c.res.Upstream = err
		c.countAttempt(t, err.Class.String())
		c.report(err)
	}
}

// countAttempt counts an attempt that turned to its upstream.
func (c *exchange) countAttempt(t *snapshot.Target, outcome string) {
	if c.reached.Load() {
		t.Metrics.Attempt(outcome)
	}
}

// roundTrip sends a request over the connections of a target's credential.
func (c *exchange) roundTrip(t *snapshot.Target, req *http.Request) (*http.Response, error) {
	c.reached.Store(true)
	return t.Endpoint.RoundTrip(req)
}

// silent says that an attempt ended without a word of the upstream's about a request that it has.
func (c *exchange) silent(err *provider.Error) bool {
	return err != nil && (c.ambiguous(err) || (c.sent.Load() && err.Status == 0 && c.clientGone()))
}

// try surrounds the work with its bounds.
func (c *exchange) try(t *snapshot.Target) *provider.Error {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(c.client))
	defer cancel(nil)
	last := &tail{cancel: cancel}
	c.tail = last
	defer last.stop()
	defer context.AfterFunc(c.client, func() { c.ended(last) })()
	watch := startWatch(c, cancel)
	defer watch.stop()
	if c.proxy.opts.Tracer == nil {
		return c.work.at(ctx, t, watch)
	}
	ctx, c.span = c.proxy.opts.Tracer.Attempt(ctx, tracing.Attempt{
		Operation: snapshot.OperationOf(c.res.Served.Route), Model: t.Upstream.Model, Provider: t.Credential.Provider, Target: t.ID,
		Address: t.Credential.URL.Hostname(),
	})
	failure := "panic"
	defer func() { c.span.End(failure) }()
	err := c.work.at(ctx, t, watch)
	failure = c.failureOf(err)
	return err
}

// failureOf is what went wrong with an attempt, in a word; empty for nothing.
func (c *exchange) failureOf(err *provider.Error) string {
	switch {
	case err == nil:
		return ""
	case c.clientGone():
		return "client_gone"
	}
	return err.Class.String()
}

// ended ends the attempt because the call has ended: at once, unless it is the client that left.
func (c *exchange) ended(last *tail) {
	cause := context.Cause(c.client)
	if c.clientGone() {
		last.left(cause)
		return
	}
	last.cancel(cause)
}

// trace notes whether the request went out whole: from then on the upstream may produce a bill.
func (c *exchange) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{WroteRequest: func(info httptrace.WroteRequestInfo) {
		if info.Err == nil {
			c.sent.Store(true)
		}
	}}
}

// commit sets the headers of a success. From here on an error can no longer be the status.
func (c *exchange) commit(contentType string, watch *watchdog) {
	c.res.Committed = true
	c.lease.Answered()
	now := time.Now()
	c.res.FirstByte = now.Sub(c.call.Start)
	c.res.Waited += now.Sub(watch.started)
	h := c.w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Server-Timing", serverTiming(c.res.FirstByte-c.res.Waited))
}

// forget lets go of the request's body: nothing is repeated once the response has begun. What an estimate needs of it is kept.
func (c *exchange) forget(in *provider.ChatRequest) {
	c.notePrompt()
	in.Body, c.call.Body = nil, nil
	if c.call.Release != nil {
		c.call.Release()
		c.call.Release = nil
	}
}

// notePrompt measures the prompt while it is there.
func (c *exchange) notePrompt() {
	if c.call.Body != nil {
		c.res.PromptBytes = openai.PromptText(c.call.Body)
	}
}

// serverTiming reports the gateway's own share of the time to the first byte, in milliseconds.
func serverTiming(own time.Duration) string {
	return "gateway;dur=" + strconv.FormatFloat(max(own.Seconds()*1000, 0), 'f', 3, 64)
}

// readAll reads a body under a limit. White space in front of the answer keeps a waiting connection alive at some vendors and
// does not count as the first byte.
func readAll(resp *http.Response, watch *watchdog, limit int64) ([]byte, error) {
	var buf bytes.Buffer
	if resp.ContentLength > 0 && resp.ContentLength <= limit {
		buf.Grow(int(resp.ContentLength) + bytes.MinRead)
	}
	reader := &watchedReader{src: resp.Body, watch: watch}
	n, err := buf.ReadFrom(io.LimitReader(reader, limit+1))
	if err != nil {
		return nil, err
	}
	if n > limit {
		return nil, errResponseTooLarge
	}
	return buf.Bytes(), nil
}

// watchedReader tells the watchdog of bytes that are more than white space.
type watchedReader struct {
	src   io.Reader
	watch *watchdog
}

// Read implements io.Reader.
func (r *watchedReader) Read(p []byte) (int, error) {
	n, err := r.src.Read(p)
	if len(bytes.TrimLeft(p[:n], " \t\r\n")) > 0 {
		r.watch.alive()
	}
	return n, err
}

// release gives the connection back. After a whole answer a little of what is left is read, for a short time, so that the
// connection can serve again; after anything else it is closed, which ends the upstream's work.
func (c *exchange) release(body io.ReadCloser, cancel context.CancelCauseFunc) {
	if c.intact {
		timer := time.AfterFunc(maxDrainTime, func() { cancel(nil) })
		_, _ = io.CopyN(io.Discard, body, maxDrain)
		timer.Stop()
	}
	_ = body.Close()
}

// networkError classifies a failure of the connection, or why the attempt was ended from outside.
func networkError(ctx context.Context, err error) *provider.Error {
	cause := context.Cause(ctx)
	switch {
	case errors.Is(cause, errResponseTimeout), errors.Is(cause, errIdleTimeout), errors.Is(cause, errTotalTimeout):
		return &provider.Error{Class: provider.ClassTimeout, Cause: cause}
	case errors.Is(cause, errDraining):
		return &provider.Error{Class: provider.ClassNetwork, Cause: cause}
	case errors.Is(err, errResponseTooLarge):
		return &provider.Error{Class: provider.ClassBadResponse, Cause: err}
	}
	return &provider.Error{Class: provider.ClassNetwork, Cause: redactURL(err)}
}

// asProviderError returns err as the type it should have.
func asProviderError(err error, class provider.Class) *provider.Error {
	if e, ok := errors.AsType[*provider.Error](err); ok {
		return e
	}
	return &provider.Error{Class: class, Cause: err}
}

// drained is the public error of a stream that outlived the drain.
func drained() *openai.Error {
	return openai.Unavailable("draining", "This replica is shutting down; send the request again.", time.Second)
}
