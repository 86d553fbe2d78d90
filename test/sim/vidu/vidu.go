// Package vidu simulates Vidu's video API for its Q3 models, strictly. It knows the vendor's documentation (platform.vidu.com/docs)
// and nothing of whoever calls it. Where the documentation is silent it takes the stricter reading and says so. It makes no video
// from references and sends no callbacks.
package vidu

import (
	"net/http"
	"strings"
	"sync"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// Simulator is one Vidu account behind an HTTP handler. It is safe for concurrent use.
type Simulator struct {
	*studio.Studio
	handler http.Handler

	mu       sync.Mutex // also makes counting and adding tasks one step
	limit    int
	accepted int
}

// New returns a simulator without a limit of running tasks.
func New(opts studio.Options) *Simulator {
	s := &Simulator{Studio: studio.New(opts)}
	s.handler = s.Handler(s.serve)
	return s
}

// Key returns the API key, which the vendor wants after the word Token.
func (s *Simulator) Key() string { return "vda_sim_0123456789" }

// LimitConcurrency refuses a task, as QuotaExceeded, while n are queued or running. 0, the default, means no limit.
func (s *Simulator) LimitConcurrency(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit = n
}

// Handles says whether a path belongs to this simulator, files included.
func Handles(path string) bool {
	return strings.HasPrefix(path, "/ent/v2/") || strings.HasPrefix(path, "/files/")
}

// ServeHTTP answers as the vendor does.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// exchange is one request and its answer.
type exchange struct {
	*studio.Visit
	sim *Simulator
}

func (s *Simulator) serve(v *studio.Visit) {
	x := &exchange{Visit: v, sim: s}
	if p := x.dispatch(); p != nil {
		x.refuse(p)
	}
}

// dispatch finds what a path means. A path that means nothing is refused before anything else is looked at.
func (x *exchange) dispatch() *problem {
	path := strings.TrimPrefix(x.R.URL.Path, "/ent/v2/") // any other path still begins with a slash, and none below does
	if c, ok := callOf(path); ok {
		return x.on(http.MethodPost, func() *problem { return x.submit(c) })
	}
	task, _ := strings.CutPrefix(path, "tasks/")
	id, action, _ := strings.Cut(task, "/")
	switch {
	case task == path:
	case action == "creations":
		return x.on(http.MethodGet, func() *problem { return x.creations(id) })
	case action == "cancel":
		return x.on(http.MethodPost, func() *problem { return x.cancel(id) })
	}
	return &problem{"NotFound", "no such address: " + path}
}

// on serves a request of the right method and with the key. How the vendor answers a wrong method is not documented: it is taken
// to have no such address.
func (x *exchange) on(method string, serve func() *problem) *problem {
	if x.R.Method != method {
		return &problem{"NotFound", "no such address for " + x.R.Method}
	}
	if token, ok := x.Bearer("Token "); !ok || token != x.sim.Key() {
		return &problem{"Unauthorized", "the Authorization header must be: Token {your API key}"}
	}
	return serve()
}

// call is one way to make a video: from words, from one image, or from the first and the last one.
type call struct {
	path   string
	images int
	models []string
}

// callOf returns the call of a path. Older models have rules of their own, which are not known here, and are not available.
func callOf(path string) (call, bool) {
	switch path {
	case "text2video":
		return call{path, 0, []string{"viduq3-pro", "viduq3-turbo"}}, true
	case "img2video":
		return call{path, 1, []string{"viduq3-pro", "viduq3-turbo", "viduq3-pro-fast"}}, true
	case "start-end2video":
		return call{path, 2, []string{"viduq3-pro", "viduq3-turbo"}}, true
	}
	return call{}, false
}
