package sim

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Entry is one request as the vendor saw it. Answer ids equal entry ids.
type Entry struct {
	ID     string
	Vendor Vendor
	Time   time.Time
	Path   string
	Model  string
	Stream bool
	// Status is the HTTP status sent; 0 means the connection ended before a response.
	Status int
	// Mode is the failure played, "" for none; Reason the message of a refusal.
	Mode   Mode
	Reason string
	// PromptTokens, CompletionTokens, CachedTokens and ReasoningTokens are what is billed. No vendor documents what it bills when its client
	// leaves or its answer breaks off; what is taken here is the prompt of every request that was accepted, and of the answer what had gone out
	// until the vendor saw that nobody reads. A call without stream sends nothing before its answer is complete, and bills that whole from then on.
	PromptTokens, CompletionTokens, CachedTokens, ReasoningTokens int
	// Chunks is the number of stream chunks written.
	Chunks int
	// ClientGone tells that the client had left before the answer was complete.
	ClientGone bool
	BodyBytes  int64
	// Header is what arrived; credentials only as "sha256:<hex>".
	Header http.Header
	// Body is a copy of the request body if Options.KeepBodies is set, else nil.
	Body []byte
	// Leak tells that a key of the gateway's own clients arrived; Violations names headers that no proxy may forward.
	Leak       bool
	Violations []string

	output int
}

// Totals count every request since the start, also those the ledger has let go of.
type Totals struct {
	Requests, Refused, ClientGone, Leaks, Violations              int
	PromptTokens, CompletionTokens, CachedTokens, ReasoningTokens int
}

// inspect keeps the request's headers and looks for what should never have come here.
func (e *Entry) inspect(header http.Header) {
	e.Header = header.Clone()
	for name, values := range e.Header {
		for i, v := range values {
			e.Leak = e.Leak || strings.Contains(v, "vc-sk-")
			switch name {
			case "Authorization", "Api-Key", "X-Api-Key", "Proxy-Authorization", "Cookie":
				sum := sha256.Sum256([]byte(v))
				values[i] = "sha256:" + hex.EncodeToString(sum[:])
			}
		}
		if isHopByHop(name) && !(name == "Connection" && isPlainConnection(header)) {
			e.Violations = append(e.Violations, name)
		}
	}
	slices.Sort(e.Violations)
}

func isHopByHop(name string) bool {
	switch name {
	case "Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "Proxy-Authenticate", "Te", "Trailer", "Upgrade",
		"Cookie", "Forwarded", "X-Forwarded-For", "X-Real-Ip":
		return true
	}
	return false
}

// isPlainConnection accepts what an HTTP client itself may say about its connection.
func isPlainConnection(header http.Header) bool {
	v := strings.ToLower(header.Get("Connection"))
	return v == "close" || v == "keep-alive"
}

// bill books the prompt and, once the answer is complete, all of its output.
func (e *Entry) bill(a *answer, complete bool) {
	e.PromptTokens, e.CachedTokens = a.usage.prompt, a.usage.cached
	if complete {
		e.CompletionTokens, e.ReasoningTokens = a.usage.completion, a.usage.reasoning
	}
}

// addOutput books output as it goes out, reasoning first.
func (e *Entry) addOutput(size int, a *answer) {
	e.output += size
	e.CompletionTokens = min(tokens(e.output), a.usage.completion)
	e.ReasoningTokens = min(e.CompletionTokens, a.usage.reasoning)
}

// ledger keeps the last entries, all totals and the number of requests in flight.
type ledger struct {
	mu       sync.Mutex
	keep     int
	entries  []Entry // a ring once full
	oldest   int
	totals   Totals
	inFlight int
	idle     chan struct{} // closed when nothing is in flight
}

func newLedger(keep int) *ledger {
	if keep <= 0 {
		keep = 10000
	}
	idle := make(chan struct{})
	close(idle)
	return &ledger{keep: keep, idle: idle}
}

func (l *ledger) open() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.inFlight == 0 {
		l.idle = make(chan struct{})
	}
	l.inFlight++
}

func (l *ledger) close(e Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.entries) < l.keep {
		l.entries = append(l.entries, e)
	} else {
		l.entries[l.oldest] = e
		l.oldest = (l.oldest + 1) % l.keep
	}
	l.totals.add(&e)
	if l.inFlight--; l.inFlight == 0 {
		close(l.idle)
	}
}

func (t *Totals) add(e *Entry) {
	t.Requests++
	t.PromptTokens += e.PromptTokens
	t.CompletionTokens += e.CompletionTokens
	t.CachedTokens += e.CachedTokens
	t.ReasoningTokens += e.ReasoningTokens
	t.Violations += len(e.Violations)
	for counter, holds := range map[*int]bool{&t.Refused: e.Reason != "", &t.ClientGone: e.ClientGone, &t.Leaks: e.Leak} {
		if holds {
			*counter++
		}
	}
}

// Ledger returns the finished requests still kept, in the order in which they finished. The slice is the caller's.
func (s *Simulator) Ledger() []Entry {
	l := s.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	return append(slices.Clone(l.entries[l.oldest:]), l.entries[:l.oldest]...)
}

// Totals returns the sums over all finished requests.
func (s *Simulator) Totals() Totals {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	return s.ledger.totals
}

// InFlight returns the number of requests being served.
func (s *Simulator) InFlight() int {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	return s.ledger.inFlight
}

// WaitIdle waits until no request is in flight; it returns the context's error if that ends first.
func (s *Simulator) WaitIdle(ctx context.Context) error {
	s.ledger.mu.Lock()
	idle := s.ledger.idle
	s.ledger.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
