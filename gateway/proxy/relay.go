package proxy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/snapshot"
	"vipcloud.ai/vipcloud/gateway/sse"
)

const (
	// maxPending is what is gathered for the client before it is written although more events are at hand.
	maxPending = 32 << 10
	// deadlineSlack is how far the write deadline may lag: moving it for every event would cost more than the event.
	deadlineSlack = 5 * time.Second
	// estimatedBytesPerChunk makes usage.Estimate count one token for a piece of an answer that is no text.
	estimatedBytesPerChunk = 4
)

// relay passes a stream on, event by event. An error before the first byte for the client is returned; later ones become an
// error event.
func (c *exchange) relay(ctx context.Context, in *provider.ChatRequest, t *snapshot.Target, resp *http.Response, watch *watchdog) *provider.Error {
	if !isEventStream(resp.Header) {
		return c.notStream(ctx, in, t, resp, watch)
	}
	s := &stream{exchange: c, in: in, watch: watch, out: newClientStream(c.w, c.proxy.opts.WriteTimeout), decoder: t.Chat.Stream(in), unread: tailBytes}
	defer s.out.end()
	err := s.run(&flushBeforeRead{src: resp.Body, stream: s})
	s.pace()
	watch.stop()
	c.res.Usage = s.decoder.Usage()
	switch {
	case s.delivered:
		return nil
	case s.alone():
		c.res.ClientGone = true
		return nil
	}
	return s.fail(ctx, err)
}

// stream is an event stream under way.
type stream struct {
	*exchange
	in      *provider.ChatRequest
	watch   *watchdog
	out     *clientStream
	decoder provider.ChatStream
	// pending is taken from the pool by the first event after a flush: a slow stream holds none while it waits.
	pending []byte
	// heard says that events have come that the watchdog has not been told of.
	heard bool
	// chunks are those with content since the last read, arrived when it returned; last is when those before them arrived.
	chunks        int
	arrived, last time.Time
	// delivered says that the client has all of it.
	delivered bool
	// unread is how much of the upstream's bytes may still be read for nobody.
	unread int
}

// errClientWrite means that the client could not be written to.
var errClientWrite = errors.New("client does not take what is sent")

// run relays until the stream's end.
func (s *stream) run(body io.Reader) error {
	events := sse.NewReader(body, 0)
	var chunk provider.ChatChunk
	for {
		kind, data, err := events.Next()
		switch {
		case errors.Is(err, io.EOF):
			if err := s.decoder.Close(); err != nil {
				return err
			}
			return s.finish()
		case err != nil:
			return err
		case kind == sse.Comment:
			continue
		}
		s.heard = true
		if s.alone() {
			if s.unread -= len(data); s.unread < 0 {
				return errClientWrite
			}
		}
		chunk = provider.ChatChunk{}
		if err := s.decoder.Event(data, &chunk); err != nil {
			return err
		}
		s.count(&chunk)
		s.add(chunk.Data)
		if chunk.Done {
			return s.finish()
		}
	}
}

// count notes what an event says of the answer's length.
func (s *stream) count(chunk *provider.ChatChunk) {
	if chunk.Finished {
		s.tail.extend(s.proxy.opts.TailUsage)
	}
	if chunk.Content {
		s.chunks++
	}
	switch {
	case chunk.Text > 0:
		s.res.AnswerBytes += int64(chunk.Text)
	case chunk.Content:
		s.res.AnswerBytes += estimatedBytesPerChunk
	}
}

// alone says that the client has left: what comes now is read for its count alone.
func (s *stream) alone() bool { return s.tail.gone.Load() }

// add gathers an event for the client; the first one begins the response.
func (s *stream) add(data []byte) {
	if data == nil || s.alone() {
		return
	}
	if !s.res.Committed {
		s.begin()
	}
	s.gather(data)
	if len(s.pending) >= maxPending {
		s.flush()
	}
}

// begin sends the headers.
func (s *stream) begin() {
	s.commit("text/event-stream; charset=utf-8", s.watch)
	h := s.w.Header()
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Accel-Buffering", "no")
	s.w.WriteHeader(http.StatusOK)
	s.forget(s.in)
	s.watch.stream(s.out.keepAlive)
}

// flush sends what was gathered, and says whether it could. A client that does not take it is one that has left.
func (s *stream) flush() bool {
	if len(s.pending) == 0 {
		return true
	}
	err := s.out.write(s.pending)
	if err != nil {
		s.tail.left(err)
	}
	if cap(s.pending) <= 2*maxPending {
		empty := s.pending[:0]
		gathered.Put(&empty)
	}
	s.pending = nil
	return err == nil
}

// gathered are buffers for events on their way to clients.
var gathered sync.Pool

// gather appends an event to what is sent with the next flush.
func (s *stream) gather(data []byte) {
	if s.pending == nil {
		if b, ok := gathered.Get().(*[]byte); ok {
			s.pending = *b
		}
	}
	s.pending = sse.AppendEvent(s.pending, data)
}

// finish ends a whole stream.
func (s *stream) finish() error {
	s.intact = true
	s.add(s.decoder.Trailer())
	if s.alone() {
		return errClientWrite
	}
	if !s.res.Committed {
		return &provider.Error{Class: provider.ClassBadResponse, Status: http.StatusOK, Cause: errEmptyStream}
	}
	s.gather([]byte(sse.Done))
	if s.delivered = s.flush(); !s.delivered {
		return errClientWrite
	}
	return nil
}

// errEmptyStream means that an upstream ended its stream without saying anything.
var errEmptyStream = errors.New("stream without events")

// fail tells the client of a failure, if the response has begun, and returns it otherwise.
func (s *stream) fail(ctx context.Context, err error) *provider.Error {
	s.intact = false
	failure := streamError(ctx, err)
	if !s.res.Committed {
		return failure
	}
	s.res.Upstream = failure
	s.res.Err = publicError(failure, true)
	if errors.Is(context.Cause(ctx), errDraining) {
		s.res.Err = drained()
	}
	s.gather(s.res.Err.AppendJSON(nil))
	s.res.ClientGone = !s.flush()
	return failure
}

// streamError classifies what ended a stream.
func streamError(ctx context.Context, err error) *provider.Error {
	var e *provider.Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, sse.ErrEventTooLarge):
		return &provider.Error{Class: provider.ClassBadResponse, Status: http.StatusOK, Cause: err}
	}
	failure := networkError(ctx, err)
	failure.Status = 0
	return failure
}

// notStream deals with a 2xx that is no stream although one was asked for: a failure in disguise, or an answer that cannot be
// passed on as a stream.
func (c *exchange) notStream(ctx context.Context, in *provider.ChatRequest, t *snapshot.Target, resp *http.Response, watch *watchdog) *provider.Error {
	body, err := readAll(resp, watch, c.proxy.opts.MaxResponseBytes)
	if err != nil {
		return networkError(ctx, err)
	}
	if _, err := t.Chat.Decode(in, body); err != nil {
		return asProviderError(err, provider.ClassBadResponse)
	}
	return &provider.Error{Class: provider.ClassBadResponse, Status: resp.StatusCode, Cause: errNotStream}
}

// errNotStream means that an upstream answered a stream request with a whole completion.
var errNotStream = errors.New("answer is no event stream")

// isEventStream looks at the content type. Vendors leave it out or say text/plain now and then; JSON and HTML are no streams.
func isEventStream(h http.Header) bool {
	t := strings.ToLower(h.Get("Content-Type"))
	return t == "" || strings.HasPrefix(t, "text/event-stream") || strings.HasPrefix(t, "text/plain") ||
		strings.HasPrefix(t, "application/octet-stream")
}

// flushBeforeRead sends what was gathered before it waits for more, so that nothing is ever held back. The watchdog is told of
// events here, too: once for each read, not for each event.
type flushBeforeRead struct {
	src    io.Reader
	stream *stream
}

// Read implements io.Reader.
func (r *flushBeforeRead) Read(p []byte) (int, error) {
	if r.stream.heard {
		r.stream.heard = false
		r.stream.watch.alive()
	}
	r.stream.flush()
	r.stream.pace()
	n, err := r.src.Read(p)
	r.stream.arrived = time.Now()
	return n, err
}

// pace observes the time between chunks. The first one has none before it. Those that came with one read came together.
func (s *stream) pace() {
	if s.chunks == 0 {
		return
	}
	if !s.last.IsZero() {
		s.res.Served.Metrics.Chunk(s.arrived.Sub(s.last))
	}
	for range s.chunks - 1 {
		s.res.Served.Metrics.Chunk(0)
	}
	s.chunks, s.last = 0, s.arrived
}

// clientStream writes to the client. The relay and the watchdog both do.
type clientStream struct {
	timeout time.Duration

	// mu guards all that follows.
	mu        sync.Mutex
	w         http.ResponseWriter
	control   *http.ResponseController
	lastWrite time.Time
	deadline  time.Time
	failed    bool
}

// newClientStream returns a clientStream whose silence begins now.
func newClientStream(w http.ResponseWriter, timeout time.Duration) *clientStream {
	return &clientStream{timeout: timeout, w: w, control: http.NewResponseController(w), lastWrite: time.Now()}
}

// write sends bytes at once. An error is errClientWrite.
func (s *clientStream) write(b []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.send(b)
}

// send is write for those who hold mu.
func (s *clientStream) send(b []byte) error {
	if s.failed {
		return errClientWrite
	}
	s.lastWrite = time.Now()
	if s.deadline.Sub(s.lastWrite) < s.timeout-deadlineSlack {
		s.deadline = s.lastWrite.Add(s.timeout)
		_ = s.control.SetWriteDeadline(s.deadline) // not supported by test recorders; the server's own writer does
	}
	if _, err := s.w.Write(b); err != nil {
		s.failed = true
		return errClientWrite
	}
	if err := s.control.Flush(); err != nil {
		s.failed = true
		return errClientWrite
	}
	return nil
}

// end waits for a comment that is being sent, and lets no further one begin: the response belongs to the server again when its
// handler returns.
func (s *clientStream) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = true
}

// keepAlive sends a comment if nothing was sent for limit, and returns how long it has been silent since.
func (s *clientStream) keepAlive(limit time.Duration) time.Duration {
	if !s.mu.TryLock() {
		return 0 // something is being sent right now
	}
	defer s.mu.Unlock()
	silent := time.Since(s.lastWrite)
	if silent < limit {
		return silent
	}
	_ = s.send([]byte(sse.KeepAlive))
	return 0
}
