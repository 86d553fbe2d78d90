// Package studio is what the simulators of media vendors share: a ledger of what was asked and billed, failures that tests
// switch on, tasks that move with time, and the files that results point to. It knows no vendor's wire format.
package studio

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// Kind is what a vendor makes.
type Kind string

// What is made.
const (
	Image  Kind = "image"
	Video  Kind = "video"
	Speech Kind = "speech"
	Music  Kind = "music"
)

// Options shape a studio. The zero value is a vendor in a hurry.
type Options struct {
	// Step is how long a task is queued, and again how long it runs. Default: 20 ms.
	Step time.Duration
	// Latency is the time a synchronous answer takes. Default: none.
	Latency time.Duration
	// StallFor ends stalls; 0 means only the client's leaving ends them.
	StallFor time.Duration
	// KeepBodies makes the ledger keep request bodies.
	KeepBodies bool
	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// Entry is one request as the vendor saw it.
type Entry struct {
	Time         time.Time
	Method, Path string
	// Query is the raw query string.
	Query string
	Model string
	// Status is what was answered; 0 means that the connection ended without an answer.
	Status int
	// Mode is the failure played, Reason why a request was refused.
	Mode   Mode
	Reason string
	// Header is what arrived; credentials only as "sha256:<hex>".
	Header http.Header
	// Body is kept if Options.KeepBodies is set.
	Body []byte
	// ClientGone tells that the client left before the answer was complete.
	ClientGone bool
	// Leak tells that a key of the gateway's own clients arrived.
	Leak bool
}

// Charge is something that the vendor made and bills.
type Charge struct {
	// ID is the vendor's id of the task or the request.
	ID    string
	Kind  Kind
	Model string
	// Units are images, seconds of video, characters of speech or songs.
	Units int64
}

// Studio is the books of one simulated vendor. It is safe for concurrent use.
type Studio struct {
	opts Options

	mu       sync.Mutex
	sequence int64
	entries  []Entry
	charges  []Charge
	tasks    map[string]*Task
	files    map[string]file
	next     []Mode
	always   Mode
	inFlight int
}

// New returns a studio.
func New(opts Options) *Studio {
	if opts.Step <= 0 {
		opts.Step = 20 * time.Millisecond
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &Studio{opts: opts, tasks: map[string]*Task{}, files: map[string]file{}}
}

// Now is the studio's clock.
func (s *Studio) Now() time.Time { return s.opts.Now() }

// Next returns 1, 2, 3 and so on, for ids.
func (s *Studio) Next() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sequence++
	return s.sequence
}

// Ledger returns all finished requests in the order in which they finished.
func (s *Studio) Ledger() []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.entries)
}

// Bill books something that was made at once. Tasks are billed by themselves when they succeed.
func (s *Studio) Bill(c Charge) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.charges = append(s.charges, c)
}

// Charges returns everything that the vendor bills so far: what was made at once, and the tasks that have succeeded.
func (s *Studio) Charges() []Charge {
	s.mu.Lock()
	defer s.mu.Unlock()
	charges := slices.Clone(s.charges)
	for _, t := range s.tasks {
		if t.state(s.opts.Now(), s.opts.Step) == Succeeded {
			charges = append(charges, t.charge())
		}
	}
	slices.SortFunc(charges, func(a, b Charge) int { return strings.Compare(a.ID, b.ID) })
	return charges
}

// InFlight returns the number of requests being served.
func (s *Studio) InFlight() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inFlight
}

// FailNext makes the next n valid requests fail so; several calls queue up. A directive in a prompt comes first.
func (s *Studio) FailNext(n int, mode Mode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = append(s.next, slices.Repeat([]Mode{mode}, n)...)
}

// FailAlways makes every valid request fail so, until Heal.
func (s *Studio) FailAlways(mode Mode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.always = mode
}

// Heal switches off FailNext and FailAlways.
func (s *Studio) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next, s.always = nil, ""
}

// directive steers a request from within its prompt.
var directive = regexp.MustCompile(`\[\[fail ([a-z0-9_ .-]+)\]\]`)

// mode says how a valid request fails: as its prompt says, as the test has queued, or not at all.
func (s *Studio) mode(prompt string) Mode {
	if m := directive.FindStringSubmatch(prompt); m != nil {
		return Mode(m[1])
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.next) > 0 {
		m := s.next[0]
		s.next = s.next[1:]
		return m
	}
	return s.always
}

// inspect keeps the request's headers without credentials, and looks for what should never have come here.
func inspect(header http.Header) (kept http.Header, leak bool) {
	kept = header.Clone()
	for name, values := range kept {
		for i, v := range values {
			leak = leak || strings.Contains(v, "vc-sk-")
			if name == "Authorization" || strings.Contains(name, "Key") || strings.Contains(name, "Token") {
				sum := sha256.Sum256([]byte(v))
				values[i] = "sha256:" + hex.EncodeToString(sum[:])
			}
		}
	}
	return kept, leak
}

// begin opens the books for a request.
func (s *Studio) begin(r *http.Request, body []byte) Entry {
	e := Entry{Time: s.opts.Now(), Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery}
	e.Header, e.Leak = inspect(r.Header)
	e.Leak = e.Leak || bytes.Contains(body, []byte("vc-sk-"))
	if s.opts.KeepBodies {
		e.Body = bytes.Clone(body)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inFlight++
	return e
}

// end closes them.
func (s *Studio) end(e Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inFlight--
	s.entries = append(s.entries, e)
}
