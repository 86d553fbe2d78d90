package proxy

import (
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"strconv"

	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/snapshot"
)

// chat is the work of a chat completion.
type chat struct{ *exchange }

// at implements work.
func (c *chat) at(ctx context.Context, t *snapshot.Target, watch *watchdog) *provider.Error {
	in := &provider.ChatRequest{
		Body: c.call.Body, PublicModel: c.res.Served.Model, Stream: c.call.Stream, IncludeUsage: c.call.IncludeUsage,
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	req, err := t.Chat.NewRequest(httptrace.WithClientTrace(ctx, c.trace()), &t.Upstream, in)
	if err != nil {
		return asProviderError(err, provider.ClassInvalidRequest)
	}
	c.span.Inject(req.Header)
	resp, err := c.roundTrip(t, req)
	if err != nil {
		return networkError(ctx, err)
	}
	defer func() { c.release(resp.Body, cancel) }()
	c.sent.Store(true)
	req.GetBody = nil // only RoundTrip replays, and it keeps the request until the answer's end
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		body, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
		c.intact = err == nil
		return t.Chat.Error(resp.StatusCode, resp.Header, body)
	}
	c.tail.extend(c.proxy.opts.TailAnswer) // an answer has begun
	if in.Stream {
		return c.relay(ctx, in, t, resp, watch)
	}
	return c.whole(ctx, in, t, resp, watch)
}

// whole reads an answer without stream, translates it and writes it.
func (c *exchange) whole(ctx context.Context, in *provider.ChatRequest, t *snapshot.Target, resp *http.Response, watch *watchdog) *provider.Error {
	body, err := readAll(resp, watch, c.proxy.opts.MaxResponseBytes)
	if err != nil {
		return networkError(ctx, err)
	}
	result, err := t.Chat.Decode(in, body)
	if err != nil {
		return asProviderError(err, provider.ClassBadResponse)
	}
	watch.stop()
	c.intact = true
	c.res.Usage, c.res.AnswerBytes = result.Usage, int64(len(result.Body))
	if !result.Usage.Known {
		c.notePrompt()
	}
	c.res.ClientGone = c.tail.gone.Load()
	c.commit("application/json", watch)
	c.w.Header().Set("Content-Length", strconv.Itoa(len(result.Body)))
	c.w.WriteHeader(http.StatusOK)
	if _, err := c.w.Write(result.Body); err != nil {
		c.res.ClientGone = true
	}
	return nil
}
