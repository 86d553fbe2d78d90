package proxy

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"vipcloud.ai/vipcloud/gateway/media"
	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/snapshot"
	"vipcloud.ai/vipcloud/gateway/sse"
	"vipcloud.ai/vipcloud/gateway/table"
)

// Speech serves a speech request, as Chat serves a chat completion. The audio is passed on as it comes. If Result.Broken is set, the
// caller must break the connection: bytes have no place for an error, and a short file must not look whole.
func (p *Proxy) Speech(ctx context.Context, w http.ResponseWriter, call *Call) Result {
	return p.carry(ctx, w, call, func(c *exchange) work { return &speech{exchange: c} })
}

// speech is the work of a speech request.
type speech struct {
	*exchange
	in     media.Speech
	watch  *watchdog
	out    *clientStream
	buffer []byte
}

// at implements work.
func (c *speech) at(ctx context.Context, t *snapshot.Target, watch *watchdog) *provider.Error {
	in, problem := media.ParseSpeech(media.WithDefaults(c.call.Body, t.Upstream.Parameters.Defaults))
	if problem != nil {
		return refusal(problem)
	}
	public := in.Voice
	in.Voice, in.Now, in.ID = voiceID(c.res.Served.Voices, public), time.Now(), uuid.NewString()
	c.in, c.watch = in, watch
	c.res.Estimate = provider.Usage{Characters: int64(utf8.RuneCountInString(in.Input))}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	req, err := t.Speech.NewRequest(httptrace.WithClientTrace(ctx, c.trace()), &t.Upstream, &in.SpeechRequest)
	if err != nil {
		return c.voiceHint(asProviderError(err, provider.ClassInvalidRequest), public)
	}
	c.span.Inject(req.Header)
	resp, err := c.roundTrip(t, req)
	if err != nil {
		return networkError(ctx, err)
	}
	defer func() { c.release(resp.Body, cancel) }()
	c.sent.Store(true)
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		body, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
		c.intact = err == nil
		return c.voiceHint(t.Speech.Error(resp.StatusCode, resp.Header, body), public)
	}
	body := &watchedReader{src: resp.Body, watch: watch}
	return c.voiceHint(c.relay(ctx, t.Speech.Decode(&t.Upstream, &in.SpeechRequest, resp.Header, body)), public)
}

// voiceID translates a public voice; what is not listed is taken for the vendor's own id.
func voiceID(voices []table.Voice, public string) string {
	for i := range voices {
		if voices[i].Name == public {
			return voices[i].ID
		}
	}
	return public
}

// voiceHint says where the voices are listed, if it was the voice that the vendor refused.
func (c *speech) voiceHint(e *provider.Error, public string) *provider.Error {
	if e == nil || e.Param != "voice" || !e.Class.ClientFault() {
		return e
	}
	hint := *e
	hint.Message = "Unknown voice '" + public + "' for model '" + c.res.Served.Model + "'. GET /v1/models/" + c.res.Served.Model +
		"?detail=1 lists its voices."
	return &hint
}

// relay passes the audio on. The response begins with the first piece; until then a failure can still be answered.
func (c *speech) relay(ctx context.Context, stream provider.SpeechStream) *provider.Error {
	piece, err := stream.Next()
	switch {
	case errors.Is(err, io.EOF):
		return provider.BadResponse(http.StatusOK, "no_audio", "the answer has no audio")
	case err != nil:
		return streamError(ctx, err)
	}
	c.begin()
	defer c.out.end()
	for err == nil {
		if err = c.send(piece); err == nil {
			piece, err = stream.Next()
		}
	}
	c.watch.stop()
	c.res.Usage = stream.Usage()
	if errors.Is(err, io.EOF) {
		return c.finish()
	}
	return c.fail(ctx, err)
}

// begin sends the headers.
func (c *speech) begin() {
	contentType := contentTypes[c.in.Format]
	if c.in.Events {
		contentType = "text/event-stream; charset=utf-8"
	}
	c.commit(contentType, c.watch)
	h := c.w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	c.w.WriteHeader(http.StatusOK)
	c.out = newClientStream(c.w, c.proxy.opts.WriteTimeout)
	if c.in.Events {
		c.watch.stream(c.out.keepAlive)
	}
}

// contentTypes are the types of the formats, as OpenAI-compatible servers send them.
var contentTypes = map[string]string{
	provider.FormatMP3: "audio/mpeg", provider.FormatOpus: "audio/opus", provider.FormatAAC: "audio/aac",
	provider.FormatFLAC: "audio/flac", provider.FormatWAV: "audio/wav", provider.FormatPCM: "audio/pcm",
}

// send writes one piece of audio.
func (c *speech) send(piece []byte) error {
	c.res.AnswerBytes += int64(len(piece))
	if !c.in.Events {
		return c.out.write(piece)
	}
	c.buffer = append(c.buffer[:0], `data: {"type":"speech.audio.delta","audio":"`...)
	c.buffer = base64.StdEncoding.AppendEncode(c.buffer, piece)
	c.buffer = append(c.buffer, "\"}\n\n"...)
	return c.out.write(c.buffer)
}

// finish ends whole audio. Vendors count characters, not tokens, which OpenAI's event wants.
func (c *speech) finish() *provider.Error {
	c.intact = true
	if !c.in.Events {
		return nil
	}
	done := `{"type":"speech.audio.done","usage":{"input_tokens":0,"output_tokens":0,"total_tokens":0`
	if c.res.Usage.Known {
		done += `,"characters":` + strconv.FormatInt(c.res.Usage.Characters, 10)
	}
	if c.out.write(sse.AppendEvent(nil, []byte(done+"}}"))) != nil {
		c.res.ClientGone = true
	}
	return nil
}

// fail ends audio that is not whole.
func (c *speech) fail(ctx context.Context, err error) *provider.Error {
	if errors.Is(err, errClientWrite) || c.clientGone() {
		c.res.ClientGone = true
		return nil
	}
	failure := streamError(ctx, err)
	c.res.Upstream = failure
	c.res.Err = publicError(failure, true)
	if errors.Is(context.Cause(ctx), errDraining) {
		c.res.Err = drained()
	}
	if !c.in.Events {
		c.res.Broken = true
	} else if c.out.write(sse.AppendEvent(nil, c.res.Err.AppendJSON(nil))) != nil {
		c.res.ClientGone = true
	}
	return failure
}
