package proxy

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"

	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/snapshot"
	"vipcloud.ai/vipcloud/gateway/tracing"
)

// maxSteps bounds how many calls one thing may take.
const maxSteps = 6

// errTooManySteps means an adapter that never comes to an end.
var errTooManySteps = errors.New("too many calls for one answer")

// caller is what a step is sent through, and what it reports to.
type caller struct {
	// roundTrip sends a request over the connections of a credential.
	roundTrip func(*http.Request) (*http.Response, error)
	// span tells the upstream which trace a request belongs to.
	span tracing.Span
	// maxBytes is the largest answer.
	maxBytes int64
	// paid is called when a request has gone out that may be billed.
	paid func()
	// unsettled is called if it stays open whether such a request made something.
	unsettled func()
	// hold waits for room in memory before a large answer is read. Nil: there is no need to.
	hold func(context.Context, *http.Response) error
}

// caller returns what the steps of an attempt are sent through.
func (c *exchange) caller(t *snapshot.Target) *caller {
	return &caller{
		roundTrip: func(req *http.Request) (*http.Response, error) { return c.roundTrip(t, req) },
		span:      c.span, maxBytes: c.proxy.opts.MaxResponseBytes,
		paid: func() { c.sent.Store(true) }, unsettled: func() { c.unsettled.Store(true) },
	}
}

// runSteps makes the calls that lead to a result.
func runSteps[T any](ctx context.Context, by *caller, step *provider.Step[T]) (T, *provider.Error) {
	var zero T
	made := false // something that is billed, on the way to the result
	for range maxSteps {
		var sent atomic.Bool
		result, next, err := send(ctx, by, step, &sent)
		if err != nil {
			if made || (step.Paid && sent.Load() && !definite(err)) {
				by.unsettled()
			}
			return zero, err
		}
		if next == nil {
			return result, nil
		}
		made = made || step.Paid
		step = next
	}
	return zero, &provider.Error{Class: provider.ClassBadResponse, Cause: errTooManySteps}
}

// send makes one call.
func send[T any](ctx context.Context, by *caller, step *provider.Step[T], sent *atomic.Bool) (T, *provider.Step[T], *provider.Error) {
	var zero T
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	written := func(info httptrace.WroteRequestInfo) {
		if info.Err == nil && step.Paid {
			sent.Store(true)
			by.paid()
		}
	}
	req := step.Request.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteRequest: written}))
	by.span.Inject(req.Header)
	resp, err := by.roundTrip(req)
	if err != nil {
		return zero, nil, networkError(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }()
	written(httptrace.WroteRequestInfo{})
	if by.hold != nil {
		if err := by.hold(ctx, resp); err != nil {
			return zero, nil, networkError(ctx, err)
		}
	}
	body, err := readBounded(resp, by.maxBytes)
	if err != nil {
		return zero, nil, networkError(ctx, err)
	}
	result, next, err := step.Read(&provider.Response{Status: resp.StatusCode, Header: resp.Header, Body: body})
	if err != nil {
		return zero, nil, asProviderError(err, provider.ClassBadResponse)
	}
	return result, next, nil
}

// readBounded reads a whole body under a limit.
func readBounded(resp *http.Response, limit int64) ([]byte, error) {
	var buf bytes.Buffer
	if resp.ContentLength > 0 && resp.ContentLength <= limit {
		buf.Grow(int(resp.ContentLength) + bytes.MinRead)
	}
	n, err := buf.ReadFrom(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, err
	}
	if n > limit {
		return nil, errResponseTooLarge
	}
	return buf.Bytes(), nil
}

// definite says that an error is the vendor's own word that nothing was made: not a broken connection, not a page of some proxy in
// between, not an answer that cannot be understood.
func definite(e *provider.Error) bool {
	switch e.Class {
	case provider.ClassTimeout, provider.ClassNetwork, provider.ClassBadResponse:
		return false
	case provider.ClassServerError:
		return e.Status != 0 && e.Code != ""
	default:
		return true
	}
}
