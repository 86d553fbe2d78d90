// Package tencent simulates the products of Tencent Cloud API 3.0 that make images and videos: aiart 2022-12-29 and vclm
// 2024-05-23. A request is checked from its TC3-HMAC-SHA256 signature to the last member of its body, and refused inside
// HTTP 200, as everything is there.
//
// In production the host says which product is meant. Here both live at one address and the signed credential scope says it;
// the signature still covers the Host header that arrived. The twenty requests per second of an account are not counted,
// because simulated time runs faster than the clock: [studio.RateLimit] plays that refusal.
package tencent

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

const (
	secretID  = "AKIDsim0tencent0media0account0000000"
	secretKey = "sim0tencent0secret0key0000000000"
	filesPath = "/files/"
)

// Rules loosen what an account may do. The zero value is a new account, which is the strictest.
type Rules struct {
	// Jobs are how many jobs a product works on at a time. Default: 1.
	Jobs int
	// ImageAlone lets SubmitHunyuanToVideoJob do without a Prompt if there is an Image; the documentation can be read both ways.
	ImageAlone bool
	// LogoApproved makes LogoAdd 0 effective on videos, for which the vendor wants an application in its console. Without it
	// the 0 is accepted and the mark stays.
	LogoApproved bool
}

// Simulator is one account at Tencent Cloud. It is an [http.Handler].
type Simulator struct {
	*studio.Studio
	handler  http.Handler
	products map[string]*product

	mu      sync.Mutex
	rules   Rules
	running map[string][]string  // ids of a product's jobs that may be unfinished
	dead    map[string]time.Time // when the address of a result ends, by path
}

// New returns a simulator.
func New(opts studio.Options) *Simulator {
	s := &Simulator{
		Studio:   studio.New(opts),
		products: map[string]*product{"aiart": aiart(), "vclm": vclm()},
		running:  map[string][]string{},
		dead:     map[string]time.Time{},
	}
	s.handler = s.Handler(s.serve)
	return s
}

// SecretID returns the id of the one accepted credential.
func (s *Simulator) SecretID() string { return secretID }

// SecretKey returns the key of the one accepted credential.
func (s *Simulator) SecretKey() string { return secretKey }

// Handles reports whether a path belongs to this simulator, those of result files included.
func Handles(path string) bool { return path == "/" || strings.HasPrefix(path, filesPath) }

// SetRules replaces what the account may do.
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

// ServeHTTP answers API requests and serves results. The address of an image lives one hour, that of a video 24 hours, from
// the end of the job; how the vendor refuses it afterwards is not documented, 403 is what its object storage says.
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

// enqueue accepts a job unless its product is busy.
func (s *Simulator) enqueue(product string, t *studio.Task) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running[product] = slices.DeleteFunc(s.running[product], func(id string) bool {
		known, state := s.Task(id)
		return known == nil || state >= studio.Succeeded
	})
	if len(s.running[product]) >= max(s.rules.Jobs, 1) {
		return false
	}
	s.Add(t)
	s.running[product] = append(s.running[product], t.ID)
	return true
}
