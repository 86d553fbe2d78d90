// Package tokenhubmedia simulates the image and video calls of Tencent's TokenHub, as described in
// cloud.tencent.com/document/product/1823 (pages 130080, 130081 and 131595). Its chat calls are another simulator's.
//
// What the documentation leaves open is decided against the client: a member that a call's description does not show is
// refused, the limits of the same model at Tencent Cloud hold here too, and a result's address lives an hour. [Rules] has the
// other readings.
package tokenhubmedia

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

const (
	key       = "sk-sim-tokenhub"
	filesPath = "/files/"
	// lifetime is that of a result's address.
	lifetime = time.Hour
)

// Rules are other readings of the documentation. The zero value is the strictest.
type Rules struct {
	// JobFields lets the image calls take the members of Tencent Cloud's own image job in snake_case: seed, revise,
	// negative_prompt, resolution and logo_add, each where its description does not show it.
	JobFields bool
	// InlineImages lets a reference image be a data URI. Default: addresses alone.
	InlineImages bool
	// ResolutionBy stands between the sides of resolution. Default: ":".
	ResolutionBy string
}

// Simulator is one account at TokenHub. It is an [http.Handler].
type Simulator struct {
	*studio.Studio
	handler http.Handler
	routes  map[string]route

	mu    sync.Mutex
	rules Rules
	dead  map[string]time.Time // when the address of a result ends, by path
}

// New returns a simulator.
func New(opts studio.Options) *Simulator {
	s := &Simulator{Studio: studio.New(opts), routes: routes(), dead: map[string]time.Time{}}
	s.handler = s.Handler(s.serve)
	return s
}

// Key returns the one accepted API key. The simulator of TokenHub's chat takes the same.
func (s *Simulator) Key() string { return key }

// Handles reports whether a path belongs to this simulator, those of result files included.
func Handles(path string) bool {
	for _, prefix := range []string{"/v1/api/image/", "/v1/api/video/", "/v1/wand/", filesPath} {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

// SetRules replaces the reading of the documentation.
func (s *Simulator) SetRules(r Rules) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = r
}

func (s *Simulator) currentRules() Rules {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rules
}

// ServeHTTP answers API requests and serves results. How a result is refused after its time is not documented; 403 is what
// the vendor's object storage says.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	end, known := s.dead[r.URL.Path]
	s.mu.Unlock()
	if known && !s.Now().Before(end) {
		http.Error(w, "Request has expired", http.StatusForbidden)
		return
	}
	s.handler.ServeHTTP(w, r)
}

// publish stores a result whose address lives until end.
func (s *Simulator) publish(v *studio.Visit, extension, contentType string, data []byte, end time.Time) string {
	address := v.Publish(extension, contentType, data)
	name, _, _ := strings.Cut(address[strings.LastIndex(address, filesPath):], "?")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dead[name] = end
	return address
}
