// Package kling simulates Kling's video API, strictly: the new generation, with the model in the path, and the legacy one below
// /v1/videos. It knows the vendor's documentation (kling.ai/document-api) and nothing of whoever calls it. Where the
// documentation is silent it takes the stricter reading and says so. It does not list tasks and sends no callbacks.
package kling

import (
	"net/http"
	"strconv"
	"strings"
	"sync"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// Simulator is one Kling account behind an HTTP handler. It is safe for concurrent use.
type Simulator struct {
	*studio.Studio
	handler http.Handler

	mu            sync.Mutex
	external      map[string]string // a task's id by the caller's own id
	submitted     []string          // the ids of all tasks
	limit         int
	refuseUnknown bool
}

// New returns a simulator without a limit of running tasks.
func New(opts studio.Options) *Simulator {
	s := &Simulator{Studio: studio.New(opts), external: map[string]string{}}
	s.handler = s.Handler(s.serve)
	return s
}

// Key returns the API key, which either generation accepts as a Bearer token.
func (s *Simulator) Key() string { return "api-key-sim-kling" }

// AccessKey returns the issuer of the JWTs that the legacy generation accepts.
func (s *Simulator) AccessKey() string { return "sim-kling-access" }

// SecretKey returns the key with which those JWTs are signed.
func (s *Simulator) SecretKey() string { return "sim-kling-secret-0123456789abcdef" }

// LimitConcurrency refuses a task, with code 1303, while n of the same model are queued or running. 0, the default, means no limit.
func (s *Simulator) LimitConcurrency(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit = n
}

// RefuseUnknownTasks makes the new generation answer 404 and code 1203 to an id that it does not know. By default such an id is
// left out of the array. The documentation does not say which holds.
func (s *Simulator) RefuseUnknownTasks(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuseUnknown = on
}

// Handles says whether a path belongs to this simulator, files included.
func Handles(path string) bool {
	for _, prefix := range []string{"/text-to-video/", "/image-to-video/", "/omni-video/", "/v1/videos/", "/files/"} {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return path == "/tasks"
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
	path := x.R.URL.Path
	if path == "/tasks" {
		return x.on(http.MethodGet, false, x.tasks)
	}
	if d, ok := currentDoor(path); ok {
		return x.on(http.MethodPost, false, func() *problem { return x.submitCurrent(d) })
	}
	kind, id, polls := strings.Cut(strings.TrimPrefix(path, "/v1/videos/"), "/")
	d, ok := legacyDoor(kind)
	switch {
	case !ok || !strings.HasPrefix(path, "/v1/videos/"):
		return &problem{1203, "the resource does not exist: " + path}
	case polls:
		return x.on(http.MethodGet, true, func() *problem { return x.task(d, id) })
	}
	return x.on(http.MethodPost, true, func() *problem { return x.submitLegacy(d) })
}

// on serves a request of the right method and with a credential.
func (x *exchange) on(method string, legacy bool, serve func() *problem) *problem {
	if x.R.Method != method {
		return &problem{1202, "the request method is invalid, expected " + method}
	}
	if p := x.authenticate(legacy); p != nil {
		return p
	}
	return serve()
}

// door is one way to submit a task.
type door struct {
	kind, model string
	legacy      bool
}

func (d door) turbo() bool { return strings.HasSuffix(d.model, "-turbo") }

// omni tells that a door takes references of many kinds.
func (d door) omni() bool { return d.kind == "omni-video" }

// currentDoor returns the door at a path of the new generation. The turbo model is taken to have no omni door.
func currentDoor(path string) (door, bool) {
	switch path {
	case "/text-to-video/kling-3.0", "/text-to-video/kling-3.0-turbo", "/image-to-video/kling-3.0", "/image-to-video/kling-3.0-turbo",
		"/omni-video/kling-3.0-omni":
		kind, model, _ := strings.Cut(path[1:], "/")
		return door{kind: kind, model: model}, true
	}
	return door{}, false
}

// legacyDoor returns the door of a legacy kind, with the only model that this simulator documents for it: what other models
// take is not known here, and they are refused.
func legacyDoor(kind string) (door, bool) {
	switch kind {
	case "text2video", "image2video":
		return door{kind: kind, model: "kling-v3", legacy: true}, true
	case "omni-video":
		return door{kind: kind, model: "kling-v3-omni", legacy: true}, true
	}
	return door{}, false
}

// number returns an id as the vendor writes it: digits, more of them than a double holds exactly.
func (x *exchange) number() string { return strconv.FormatInt(870_000_000_000_000_000+x.Next(), 10) }
