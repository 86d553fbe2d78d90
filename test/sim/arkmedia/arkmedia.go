// Package arkmedia plays the image and video calls of Volcengine Ark (and of BytePlus ModelArk, which differs in model names): the
// images of Seedream and the video tasks of Seedance. It decides what the vendor accepts, refuses, answers and bills, from the
// public documents alone: docs.byteplus.com ModelArk/1541523, 1824121 and volcengine.com/docs/82379/1541523 (images),
// ModelArk/1520757, 1521309 and 2291680 (videos), ModelArk/1299023 (errors). Where they are silent the stricter reading is
// taken and named beside it. It knows nothing of the gateway.
//
// A prompt steers a request by [[fail MODE]], where MODE is one of package studio's, one of this package's, a documented
// error code in lower case, or "task" and such a code for a task that fails later. Requests without a prompt (polls, lists,
// deletions) meet the failures that tests queue on the studio.
package arkmedia

import (
	"net/http"
	"slices"
	"strings"
	"sync"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// The vendor's paths.
const (
	ImagesPath = "/api/v3/images/generations"
	TasksPath  = "/api/v3/contents/generations/tasks"
)

// key is the accepted API key: a UUID, as Ark's are. It is that of the chat simulator, so that both can share a root.
const key = "0a51c0de-51c0-4a51-8a51-000000000001"

// Order is what the vendor understood of a request that it took on, defaults filled in.
type Order struct {
	// ID is that of the charge: of the task, or of the request for images.
	ID    string
	Kind  studio.Kind
	Model string
	// Prompt is the text as the vendor uses it, without the flags that Seedance reads out of it.
	Prompt string
	// References counts the images, videos and audios given.
	References int
	// Watermark tells whether the result carries a visible mark. Seedream's default is yes, Seedance's no.
	Watermark bool

	// Images is the number of images attempted; Width and Height are the pixels of each as answered.
	Images, Width, Height int
	// Format is jpeg, png, mp4 or mov.
	Format string

	// Seconds is the length billed of a video.
	Seconds           int
	Resolution, Ratio string
	Audio             bool
}

// Simulator is the vendor. It is an http.Handler, safe for concurrent use. Images are encoded with at most 1024 pixels on the
// long side, whatever size is answered, to stay fast; their ratio is right.
type Simulator struct {
	*studio.Studio
	// Alternate takes the other reading wherever the documents leave two open: error codes carry the parameter's name
	// (InvalidParameter.size), seed, guidance_scale and unknown members of an image request are ignored instead of refused,
	// an image answer without any image has a top-level error, a cancelled task is "canceled", unfinished tasks have no
	// content member, and the errors of failed tasks have no message. Set it before serving.
	Alternate bool

	handler http.Handler

	mu     sync.Mutex
	orders []Order
	tasks  []string // in order of submission
}

// New returns a simulator with one account whose models are all activated.
func New(opts studio.Options) *Simulator {
	s := &Simulator{Studio: studio.New(opts)}
	s.handler = s.Handler(s.serve)
	return s
}

// Key returns the accepted API key.
func (s *Simulator) Key() string { return key }

// Handles tells whether a path belongs to this simulator rather than to the vendor's chat calls.
func Handles(path string) bool {
	return strings.HasPrefix(path, "/api/v3/images/") || strings.HasPrefix(path, "/api/v3/contents/") ||
		strings.HasPrefix(path, "/files/")
}

// Orders returns what was taken on so far, also what failed or got lost later, in order of arrival.
func (s *Simulator) Orders() []Order {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.orders)
}

// ServeHTTP answers as the vendor would.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

func (s *Simulator) book(o Order) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.orders = append(s.orders, o)
}

// serve finds the call, checks the caller, and goes on.
func (s *Simulator) serve(v *studio.Visit) {
	call, p := s.route(v.R.Method, v.R.URL.Path)
	if p == nil {
		p = s.authenticate(v)
	}
	if p == nil {
		p = contentType(v.R)
	}
	if p != nil {
		s.refuse(v, p)
		return
	}
	call(v)
}

// route finds the call. The documents show no answer to a wrong path or method: status and type follow HTTP, the codes are
// this simulator's.
func (s *Simulator) route(method, path string) (func(*studio.Visit), *problem) {
	calls := map[string]func(*studio.Visit){}
	id, isTask := strings.CutPrefix(path, TasksPath+"/")
	switch {
	case path == ImagesPath:
		calls[http.MethodPost] = s.images
	case path == TasksPath:
		calls[http.MethodPost], calls[http.MethodGet] = s.submit, s.list
	case isTask && id != "" && !strings.Contains(id, "/"):
		calls[http.MethodGet] = func(v *studio.Visit) { s.poll(v, id) }
		calls[http.MethodDelete] = func(v *studio.Visit) { s.remove(v, id) }
	default:
		return nil, &problem{status: http.StatusNotFound, code: "NotFound", message: "no such path: " + path}
	}
	if call := calls[method]; call != nil {
		return call, nil
	}
	return nil, &problem{status: http.StatusMethodNotAllowed, code: "MethodNotAllowed", message: "method not allowed: " + method}
}

func (s *Simulator) authenticate(v *studio.Visit) *problem {
	if token, ok := v.Bearer("Bearer "); !ok || token != key {
		return known("AuthenticationError", "The API key in the request is missing or invalid.")
	}
	return nil
}
