package providertest

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// Bounds of a conversation with a simulator.
const (
	maxSteps = 8
	// pollTick is how much time passes between polls, a part of what a studio's task takes for a state.
	pollTick = 5 * time.Millisecond
	// maxPolls makes ten seconds of the clock.
	maxPolls = 2000
	// maxPieces bounds a stream that does not end.
	maxPieces = 1 << 20
)

// Client returns the client that the suite uses: it follows no redirect, repeats nothing and gives up after ten seconds.
func Client() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true}, // a request on a kept connection may be repeated when that breaks
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       30 * time.Second,
	}
}

// Do sends a step, reads the whole answer and hands it to Read, and goes on with the next steps, eight in all at most. A connection
// that fails is an error of class network, as the gateway makes it.
func Do[T any](tb testing.TB, client *http.Client, step *provider.Step[T]) (T, error) {
	tb.Helper()
	return follow(&courier{tb: tb, client: client}, step)
}

// Await polls a task until it has ended or the vendor no longer knows it. It moves the clock between polls, or waits if that is nil,
// and fails the test after ten seconds of it.
func Await(
	tb testing.TB, client *http.Client, tasks provider.Tasks, up *provider.Upstream, task provider.Task, clock *Clock,
) (provider.TaskState, error) {
	tb.Helper()
	for range maxPolls {
		step, err := tasks.Poll(tb.Context(), up, task, clock.orReal())
		if err != nil {
			return provider.TaskState{}, err
		}
		state, err := Do(tb, client, step)
		if err != nil || state.Status.Ended() || state.Gone {
			return state, err
		}
		clock.tick(tb)
	}
	tb.Fatalf("the task has not ended after %s", maxPolls*pollTick)
	return provider.TaskState{}, nil
}

// courier carries requests. What it does besides is up to the hooks, which may be nil.
type courier struct {
	tb     testing.TB
	client *http.Client
	// before sees each request, after each answer to it.
	before func(req *http.Request, paid bool)
	after  func(req *http.Request, paid bool)
	// answers are what came back since follow began.
	answers []*provider.Response
	// paid counts the steps that were paid since follow began.
	paid int
}

// follow goes through a step and those that come after it.
func follow[T any](c *courier, step *provider.Step[T]) (T, error) {
	c.tb.Helper()
	c.answers, c.paid = nil, 0
	var zero T
	for range maxSteps {
		if step == nil || step.Request == nil || step.Read == nil {
			c.tb.Fatalf("there is no step, or it lacks its request or its reader: %+v", step)
		}
		if step.Paid {
			c.paid++
		}
		answer, err := c.send(step.Request, step.Paid)
		if err != nil {
			return zero, err
		}
		c.answers = append(c.answers, answer)
		value, next, err := step.Read(copyAnswer(answer))
		if err != nil || next == nil {
			return value, err
		}
		step = next
	}
	c.tb.Fatalf("there are more than %d steps", maxSteps)
	return zero, nil
}

// send sends a request and reads the whole answer.
func (c *courier) send(req *http.Request, paid bool) (*provider.Response, error) {
	c.tb.Helper()
	resp, err := c.open(req, paid)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, &provider.Error{Class: provider.ClassNetwork, Status: resp.StatusCode, Cause: err}
	}
	return &provider.Response{Status: resp.StatusCode, Header: resp.Header, Body: data}, nil
}

// open sends a request and leaves the body to be read.
func (c *courier) open(req *http.Request, paid bool) (*http.Response, error) {
	c.tb.Helper()
	if c.before != nil {
		c.before(req, paid)
	}
	resp, err := c.client.Do(req)
	if c.after != nil {
		c.after(req, paid)
	}
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // the address may hold what nobody should read
		}
		return nil, &provider.Error{Class: provider.ClassNetwork, Cause: err}
	}
	return resp, nil
}

// copyAnswer lets a reader keep or change what it gets.
func copyAnswer(r *provider.Response) *provider.Response {
	return &provider.Response{Status: r.Status, Header: r.Header.Clone(), Body: bytes.Clone(r.Body)}
}
