package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"strconv"
	"sync"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"golang.org/x/sync/errgroup"
)

// Stats are what the load has seen. The members are those of test/e2e's stats.
type Stats struct {
	// Running is how many streams have brought something and not ended.
	Running int
	// Whole ended as they should. Refused brought nothing but an error, Broken an error after something, and Cut ended like whole ones
	// although something was missing.
	Whole, Refused, Broken, Cut int
	// Prompt and Completion are the tokens of whole streams.
	Prompt, Completion int64
	// Errors are some of what went wrong.
	Errors []string
}

// loader keeps streams running.
type loader struct {
	client openai.Client
	group  sync.WaitGroup

	mu     sync.Mutex
	stats  Stats
	wanted bool
}

// load offers POST /run?streams=100&chunks=40&model=M, which keeps so many streams running until POST /stop, &once=1 each of them once;
// and GET /stats. It repeats nothing, so that it sees every failure, but with &retries=1 what the SDK repeats by itself.
func load(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	if err := flags.Parse(args); err != nil {
		return err
	}
	l := &loader{client: openai.NewClient()}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /run", func(w http.ResponseWriter, r *http.Request) { l.run(ctx, w, r) })
	mux.HandleFunc("POST /stop", func(w http.ResponseWriter, _ *http.Request) {
		l.want(false)
		answer(w, l.seen())
	})
	mux.HandleFunc("GET /stats", func(w http.ResponseWriter, _ *http.Request) { answer(w, l.seen()) })
	mux.HandleFunc("GET /usage", func(w http.ResponseWriter, r *http.Request) {
		var usage any
		if err := l.client.Get(r.Context(), "key/usage", nil, &usage); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		answer(w, usage)
	})
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return serveControl(ctx, mux) })
	err := group.Wait()
	l.group.Wait()
	return err
}

// want says whether streams are to be replaced when they end.
func (l *loader) want(more bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wanted = more
}

// seen is what there is to see now.
func (l *loader) seen() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stats
}

// run begins anew.
func (l *loader) run(ctx context.Context, w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	streams, err := strconv.Atoi(q.Get("streams"))
	if err != nil {
		http.Error(w, "streams: "+err.Error(), http.StatusBadRequest)
		return
	}
	var opts []option.RequestOption
	if q.Get("retries") == "" {
		opts = append(opts, option.WithMaxRetries(0))
	}
	l.mu.Lock()
	l.stats = Stats{}
	l.mu.Unlock()
	once := q.Get("once") != ""
	l.want(!once)
	p := params(q.Get("model"), "[[chunks "+q.Get("chunks")+"]] Hello!")
	for range streams {
		l.group.Go(func() {
			l.stream(ctx, p, opts)
			for !once && l.more() && ctx.Err() == nil {
				l.stream(ctx, p, opts)
			}
		})
	}
	answer(w, l.seen())
}

// more says whether another stream is wanted.
func (l *loader) more() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.wanted
}

// stream runs one stream and counts how it ended.
func (l *loader) stream(ctx context.Context, p openai.ChatCompletionNewParams, opts []option.RequestOption) {
	began := false
	h, err := listenTo(ctx, l.client, p, func(string) {
		if !began {
			began = true
			l.count(func(s *Stats) { s.Running++ })
		}
	}, opts...)
	l.count(func(s *Stats) {
		if began {
			s.Running--
		}
		switch {
		case err == nil && h.finish == "stop" && h.completion > 0:
			s.Whole++
			s.Prompt += h.prompt
			s.Completion += h.completion
			return
		case err == nil:
			s.Cut++
			err = fmt.Errorf("ended after %d chunks without an error: %w", h.chunks, errIncomplete)
		case began:
			s.Broken++
		default:
			s.Refused++
		}
		if len(s.Errors) < 20 {
			s.Errors = append(s.Errors, err.Error())
		}
	})
}

// errIncomplete is a stream that looks whole and is not.
var errIncomplete = errors.New("no finish reason or no usage")

// count changes what was seen.
func (l *loader) count(change func(*Stats)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(&l.stats)
}
