// Package mureka simulates Mureka's music API, strictly, behind two doors: the vendor's own platform below /v1, and the Skywork
// gateway at /api/v1/music. It knows their documentation (platform.mureka.ai/docs, docs.skyworkmodel.ai/mureka) and nothing of
// whoever calls it. Where the documentation is silent it takes the stricter reading and says so; where it contradicts itself, the
// answers take turns. It makes songs, instrumentals and lyrics; it takes no uploads, and so believes every id of one.
package mureka

import (
	"net/http"
	"strings"
	"sync"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// Lyrics is what the vendor bills for a text. Songs and instrumentals are studio.Music.
const Lyrics studio.Kind = "lyrics"

// Failures of this vendor alone.
const (
	// Region refuses the caller's country.
	Region studio.Mode = "region"
	// TimedOut and Withdrawn let a task end with the words timeouted and cancelled.
	TimedOut  studio.Mode = "timeouted"
	Withdrawn studio.Mode = "cancelled"
)

// O1 is a way to treat the model mureka-o1 on the platform, whose documentation names it no more.
type O1 int

// What may have become of mureka-o1. Skywork always accepts it.
const (
	O1Accepted O1 = iota
	O1Refused
	O1Aliased // to mureka-o2
)

// Simulator is one Mureka account behind an HTTP handler. It is safe for concurrent use.
type Simulator struct {
	*studio.Studio
	handler http.Handler

	mu       sync.Mutex // also makes counting and adding tasks one step
	limit    int
	o1       O1
	unknown  int
	flat     bool
	broke    bool
	accepted int
	envelope map[string]int // how many envelopes Skywork has sent, by action
}

// New returns a simulator that runs one task at a time, as the vendor does for its smallest customers.
func New(opts studio.Options) *Simulator {
	s := &Simulator{Studio: studio.New(opts), limit: 1, unknown: http.StatusNotFound, envelope: map[string]int{}}
	s.handler = s.Handler(s.serve)
	return s
}

// Key returns the API key, which both doors accept as a Bearer token.
func (s *Simulator) Key() string { return "op_sim_mureka_0123456789" }

// LimitConcurrency refuses a task while n are queued or running; n is at least 1, and 1 by default. The vendor counts tasks from
// their submission to their end, not requests.
func (s *Simulator) LimitConcurrency(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit = max(n, 1)
}

// TreatO1 chooses what becomes of mureka-o1 on the platform. Default: O1Accepted.
func (s *Simulator) TreatO1(as O1) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.o1 = as
}

// AnswerUnknownTasks chooses the HTTP status for a task that does not exist, which is not documented. Default: 404.
func (s *Simulator) AnswerUnknownTasks(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unknown = status
}

// FlattenErrors makes Skywork answer errors with HTTP status 200, the code alone telling of them. By default the code is sent as
// the status too. The documentation does not say which holds.
func (s *Simulator) FlattenErrors(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flat = on
}

// Handles says whether a path belongs to this simulator, files included.
func Handles(path string) bool {
	for _, prefix := range []string{"/v1/song/", "/v1/instrumental/", "/v1/lyrics/", "/files/"} {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return path == "/v1/account/billing" || path == skyworkPath
}

// ServeHTTP answers as the vendor does.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

func (s *Simulator) serve(v *studio.Visit) {
	x := &exchange{Visit: v, sim: s, skywork: v.R.URL.Path == skyworkPath}
	serve := x.platform
	if x.skywork {
		serve = x.gateway
	}
	if p := serve(); p != nil {
		x.refuse(p)
	}
}

// exchange is one request and its answer.
type exchange struct {
	*studio.Visit
	sim     *Simulator
	skywork bool
	action  string // at Skywork
}

// platform finds what a path of the vendor's own door means.
func (x *exchange) platform() *problem {
	path := x.R.URL.Path
	switch path {
	case "/v1/song/generate":
		return x.on(http.MethodPost, func() *problem { return x.generate(song) })
	case "/v1/instrumental/generate":
		return x.on(http.MethodPost, func() *problem { return x.generate(instrumental) })
	case "/v1/lyrics/generate":
		return x.on(http.MethodPost, x.lyrics)
	case "/v1/account/billing":
		return x.on(http.MethodGet, x.billing)
	}
	for _, k := range []kind{song, instrumental} {
		if id, ok := strings.CutPrefix(path, "/v1/"+string(k)+"/query/"); ok {
			return x.on(http.MethodGet, func() *problem { return x.query(k, id) })
		}
	}
	return &problem{http.StatusNotFound, "no such address: " + path}
}

// on serves a request of the right method and with the key. How wrong methods are refused is not documented.
func (x *exchange) on(method string, serve func() *problem) *problem {
	if x.R.Method != method {
		return &problem{http.StatusMethodNotAllowed, "the method must be " + method}
	}
	if token, ok := x.Bearer("Bearer "); !ok || token != x.sim.Key() {
		return unauthorized()
	}
	return serve()
}
