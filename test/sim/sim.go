// Package sim plays the chat vendors for tests, benchmarks and the demo: one strict HTTP handler per vendor protocol. It decides
// what a vendor accepts, refuses, answers and bills, from the vendors' public documentation alone; it refuses to know how
// the gateway or its adapters work, so that the two can disagree.
//
// The last user message steers a request: [[echo TEXT]], [[tool]], [[tools2]], [[think]], [[split]], [[chunks N]], [[cached N]]
// and [[fail MODE]]; [Simulator.FailNext] and [Simulator.FailAlways] do the last from code. Everything else is the vendor's
// documented behaviour; where documents are silent, the stricter reading was taken and says so beside it.
package sim

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// Vendor names one simulated wire protocol. Its lower-case form is the path prefix under which a [Server] hosts it.
type Vendor string

// The simulated vendors. OpenAI stands for any OpenAI-compatible upstream.
const (
	OpenAI      Vendor = "OpenAI"
	DeepSeek    Vendor = "DeepSeek"
	Qwen        Vendor = "Qwen"
	Moonshot    Vendor = "Moonshot"
	Zhipu       Vendor = "Zhipu"
	MiniMax     Vendor = "MiniMax"
	Ark         Vendor = "Ark"
	TokenHub    Vendor = "TokenHub"
	Qianfan     Vendor = "Qianfan"
	StepFun     Vendor = "StepFun"
	Spark       Vendor = "Spark"
	SiliconFlow Vendor = "SiliconFlow"
	Baichuan    Vendor = "Baichuan"
	Yi          Vendor = "Yi"
	MiMo        Vendor = "MiMo"
)

// Vendors lists every simulated vendor in a fixed order.
func Vendors() []Vendor {
	return []Vendor{OpenAI, DeepSeek, Qwen, Moonshot, Zhipu, MiniMax, Ark, TokenHub, Qianfan, StepFun, Spark, SiliconFlow,
		Baichuan, Yi, MiMo}
}

// maxBody bounds what a simulator reads of a request.
const maxBody = 128 << 20

// Options shape a simulator. The zero value answers at once, with the vendor's default key and current models.
type Options struct {
	// Keys are the accepted API keys; nil means one default key in the vendor's own form, see [Simulator.Key].
	Keys []string
	// Models are the known model ids; nil means the vendor's current ones, an empty non-nil slice any.
	Models []string
	// Latency is the time to the first byte of an answer (refusals come at once).
	Latency time.Duration
	// TaskStep is how long a task of a media vendor is queued, and again how long it runs; 0 means 20 ms.
	TaskStep time.Duration
	// ChunkDelay is the pause between two streamed chunks, and between two keep-alive comments of comments_only.
	ChunkDelay time.Duration
	// Chunks is the number of content chunks of an answer; 0 means 5.
	Chunks int
	// StallFor ends the stalls and endless comments of the failure modes; 0 means only the client's leaving ends them.
	StallFor time.Duration
	// KeepBodies makes the ledger keep a copy of each request body.
	KeepBodies bool
	// KeepEntries bounds the ledger; 0 means 10000. The totals stay complete.
	KeepEntries int
	// Now is the clock of ids' timestamps and ledger times; nil means time.Now.
	Now func() time.Time
}

// Simulator is one vendor's upstream. It is an http.Handler, safe for concurrent use.
type Simulator struct {
	vendor   Vendor
	spec     spec
	opts     Options
	sequence atomic.Int64
	accepted atomic.Int64
	failures failures
	ledger   *ledger
}

// New returns a simulator of vendor. It panics on a vendor that [Vendors] does not list.
func New(vendor Vendor, opts Options) *Simulator {
	known, ok := specs()[vendor]
	if !ok {
		panic(fmt.Sprintf("sim: unknown vendor %q", vendor))
	}
	sp := known()
	if opts.Keys == nil {
		opts.Keys = []string{sp.key}
	}
	if opts.Models == nil {
		opts.Models = sp.models
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &Simulator{vendor: vendor, spec: sp, opts: opts, ledger: newLedger(opts.KeepEntries)}
}

// Vendor returns the simulated vendor.
func (s *Simulator) Vendor() Vendor { return s.vendor }

// Key returns the first accepted API key, or "" when Options.Keys was empty.
func (s *Simulator) Key() string {
	if len(s.opts.Keys) == 0 {
		return ""
	}
	return s.opts.Keys[0]
}

// Accepted returns how many requests were found valid, whatever became of them.
func (s *Simulator) Accepted() int64 { return s.accepted.Load() }

// Models returns the known model ids; empty means any.
func (s *Simulator) Models() []string { return slices.Clone(s.opts.Models) }

// ChatPath returns the vendor's own path of chat completions, for the given model where that matters.
func (s *Simulator) ChatPath(model string) string {
	if s.spec.pathFor != nil {
		return s.spec.pathFor(model)
	}
	return s.spec.chat[0]
}

// ServeHTTP answers as the vendor would and books the request in the ledger.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	n := s.sequence.Add(1)
	e := &Entry{ID: fmt.Sprintf(s.spec.id, n), Vendor: s.vendor, Time: s.opts.Now(), Path: req.URL.Path}
	s.ledger.open()
	// Deferred, because a failure mode may abort the connection by panic.
	defer func() { s.ledger.close(*e) }()
	e.inspect(req.Header)
	x := &exchange{sim: s, spec: &s.spec, w: w, rc: http.NewResponseController(w), req: req, entry: e, number: n}
	if s.spec.headers != nil {
		s.spec.headers(req, e.ID, w.Header())
	}
	x.serve()
	if e.ClientGone {
		// Also the end of Serve cancels requests; none of them may look like a clean end.
		panic(http.ErrAbortHandler)
	}
}

// exchange is one request on its way through a simulator.
type exchange struct {
	sim    *Simulator
	spec   *spec
	w      http.ResponseWriter
	rc     *http.ResponseController
	req    *http.Request
	entry  *Entry
	number int64
	body   []byte
	r      *request
	answer *answer
	split  bool // writes are cut inside runes and events
	slow   bool // writes trickle
}

func (x *exchange) serve() {
	if x.entry.Leak {
		x.entry.Reason = "a gateway key reached the upstream"
		http.Error(x.w, "panic: "+x.entry.Reason, http.StatusInternalServerError)
		x.entry.Status = http.StatusInternalServerError
		return
	}
	if p := x.door(); p != nil {
		x.refuse(p)
		return
	}
	if x.req.Method == http.MethodGet {
		x.listModels()
		return
	}
	if p := x.read(); p != nil {
		x.refuse(p)
		return
	}
	x.answer = compose(x)
	mode := x.r.fail
	if mode == "" {
		mode = x.sim.failures.take()
	}
	x.sim.accepted.Add(1)
	if mode == "" {
		x.respond("")
		return
	}
	x.entry.Mode = mode
	x.play(mode)
}

// door checks what a vendor checks before it reads a body: the path, the method, the caller.
func (x *exchange) door() *problem {
	isChat := slices.Contains(x.spec.chat, x.req.URL.Path)
	isList := x.spec.list != "" && x.req.URL.Path == x.spec.list
	switch {
	case !isChat && !isList:
		return &problem{mode: badPath, message: "no such path: " + x.req.URL.Path}
	case isChat && x.req.Method != http.MethodPost, isList && x.req.Method != http.MethodGet:
		return &problem{mode: badMethod, message: "method not allowed: " + x.req.Method}
	}
	if x.spec.gate != nil {
		if p := x.spec.gate(x.req); p != nil {
			return p
		}
	}
	return x.authenticate()
}

func (x *exchange) authenticate() *problem {
	if x.spec.keyHeader != "" {
		if key := x.req.Header.Get(x.spec.keyHeader); slices.Contains(x.sim.opts.Keys, key) {
			return nil
		}
	}
	values := x.req.Header.Values("Authorization")
	if len(values) == 0 {
		return &problem{mode: missingAuth}
	}
	key, isBearer := strings.CutPrefix(values[0], "Bearer ")
	if len(values) > 1 || !isBearer || !slices.Contains(x.sim.opts.Keys, key) {
		return &problem{mode: Unauthorized}
	}
	return nil
}

func (x *exchange) listModels() {
	models := make([]object, 0, len(x.sim.opts.Models))
	for _, m := range x.sim.opts.Models {
		models = append(models, obj("id", m, "object", "model", "owned_by", strings.ToLower(string(x.sim.vendor))))
	}
	x.sendJSON(http.StatusOK, encode(obj("object", "list", "data", models)))
}

// read takes the body and applies every rule of the vendor to it.
func (x *exchange) read() *problem {
	raw, err := io.ReadAll(http.MaxBytesReader(x.w, x.req.Body, maxBody))
	x.body, x.entry.BodyBytes = raw, int64(len(raw))
	if x.sim.opts.KeepBodies {
		x.entry.Body = bytes.Clone(raw)
	}
	if err != nil {
		return &problem{mode: badJSON, message: "reading the body: " + err.Error()}
	}
	r, p := parse(raw, x.req.URL.Path)
	if r != nil {
		x.r, x.entry.Model, x.entry.Stream = r, r.model, r.stream
	}
	if p != nil {
		return p
	}
	if models := x.sim.opts.Models; len(models) > 0 && !slices.Contains(models, r.model) &&
		(x.spec.knows == nil || !x.spec.knows(r.model)) {
		p := &problem{mode: unknownModel, param: "model"}
		if _, own := x.spec.problems[unknownModel]; !own {
			p.message = fmt.Sprintf("unknown model %q", r.model)
		}
		return p
	}
	r.thinking = x.spec.thinks != nil && x.spec.thinks(r)
	for _, broken := range append(commonRules(), x.spec.rules...) {
		if p := broken(r); p != nil {
			return p
		}
	}
	r.thinking = r.thinking || r.think
	x.split = r.split
	return nil
}
