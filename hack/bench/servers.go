package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"time"

	"github.com/tidwall/gjson"
)

// streamChunks is the number of content chunks of a stream.
const streamChunks = 200

// slowPause is between the chunks of a slow stream.
const slowPause = 500 * time.Millisecond

// serve runs a server until ctx ends.
func serve(ctx context.Context, address string, h http.Handler) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("listening on %s: %w", address, err)
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving %s: %w", address, err)
	}
	return nil
}

// upstream answers like an OpenAI-compatible vendor, as fast as it can, or slowly if the model is called slow.
func upstream() http.Handler {
	whole := []byte(`{"id":"chatcmpl-bench","object":"chat.completion","created":1,"model":"bench","choices":[{"index":0,"message":{"role":"assistant","content":"Hello! How can I help you today?","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":5000,"completion_tokens":9,"total_tokens":5009}}`)
	chunk := []byte(`data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1,"model":"bench","choices":[{"index":0,"delta":{"content":" token"},"logprobs":null,"finish_reason":null}],"usage":null}` + "\n\n")
	last := []byte(`data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1,"model":"bench","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":null}` + "\n\n" +
		`data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1,"model":"bench","choices":[],"usage":{"prompt_tokens":5000,"completion_tokens":200,"total_tokens":5200}}` + "\n\ndata: [DONE]\n\n")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if !gjson.GetBytes(body, "stream").Bool() {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", strconv.Itoa(len(whole)))
			_, _ = w.Write(whole)
			return
		}
		pause := time.Duration(0)
		if gjson.GetBytes(body, "model").Str == "slow" {
			pause = slowPause
		}
		stream(r.Context(), w, chunk, last, pause)
	})
}

// stream sends the chunks, each with a flush of its own.
func stream(ctx context.Context, w http.ResponseWriter, chunk, last []byte, pause time.Duration) {
	w.Header().Set("Content-Type", "text/event-stream")
	control := http.NewResponseController(w)
	for range streamChunks {
		if _, err := w.Write(chunk); err != nil || control.Flush() != nil {
			return
		}
		if pause > 0 {
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause):
			}
		}
	}
	_, _ = w.Write(last)
}

// reverseProxy is httputil.ReverseProxy with the body read before it is sent, which a quick upstream needs (golang/go#40747).
func reverseProxy(target string) (http.Handler, error) {
	u, err := url.Parse(target)
	if err != nil {
		return nil, fmt.Errorf("reading upstream: %w", err)
	}
	proxy := &httputil.ReverseProxy{
		FlushInterval: -1,
		Transport:     &http.Transport{MaxIdleConnsPerHost: 1024, DisableCompression: true},
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(u) },
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var buf bytes.Buffer
		buf.Grow(int(max(r.ContentLength, 0)) + bytes.MinRead)
		if _, err := buf.ReadFrom(r.Body); err != nil {
			http.Error(w, "body", http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(&buf)
		proxy.ServeHTTP(w, r)
	}), nil
}
