// Package dashscope plays the image and video calls of Alibaba Cloud Model Studio (DashScope): Wan images at once and as tasks, the
// older text-to-image tasks, Wan videos, and the calls that query and cancel tasks. It decides what the vendor accepts,
// refuses, answers and bills, from the public documents alone: help.aliyun.com/zh/model-studio "wan-image-generation-and-editing-
// api-reference", "developer-reference/error-code" and "image-faq", alibabacloud.com/help/en/model-studio "manage-asynchronous-tasks",
// "text-to-video-api-reference", "wan3-video-generation-api-reference" and "legacy-image-to-video-api-reference". Where they are silent
// the stricter reading is taken and named beside it. It knows nothing of the gateway.
//
// Not played, because the documents at hand do not say enough: wan2.6-image, wan2.7-r2v, wan2.7-videoedit, the list of tasks, and
// other vendors' models on the platform.
//
// A prompt steers a request by [[fail MODE]], where MODE is one of package studio's, a documented error code in lower case, or
// "task" and such a code for a task that fails later. Requests without a prompt (polls, cancellations) meet the failures
// that tests queue on the studio.
package dashscope

import (
	"net/http"
	"slices"
	"strings"
	"sync"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// The vendor's paths.
const (
	// SyncImagesPath makes images at once.
	SyncImagesPath = "/api/v1/services/aigc/multimodal-generation/generation"
	// ImagesPath, SynthesisPath (older models) and VideosPath make tasks.
	ImagesPath    = "/api/v1/services/aigc/image-generation/generation"
	SynthesisPath = "/api/v1/services/aigc/text2image/image-synthesis"
	VideosPath    = "/api/v1/services/aigc/video-generation/video-synthesis"
	// TasksPath is followed by the id of a task, and by /cancel to cancel it.
	TasksPath = "/api/v1/tasks/"
)

// key is the accepted API key. It is that of the chat simulator, so that both can share a root.
const key = "sk-sim-qwen"

// Order is what the vendor understood of a request that it took on, defaults filled in.
type Order struct {
	// ID is that of the charge: of the task, or of the request for images made at once.
	ID    string
	Kind  studio.Kind
	Model string
	// Prompt is the text as far as the vendor reads it.
	Prompt, Negative string
	// References counts the images, videos and audios given.
	References int
	// Watermark tells whether the result carries a visible mark. The default is no.
	Watermark bool
	// Extended tells that the vendor rewrites the prompt first (prompt_extend).
	Extended bool
	// Width and Height are the pixels of each result.
	Width, Height int

	// Images is the number of images attempted: n, whose default is 4, and 12 for a sequence.
	Images int

	// Seconds is the length billed of a video.
	Seconds           int
	Resolution, Ratio string
	Audio             bool
}

// Simulator is the vendor. It is an http.Handler, safe for concurrent use. Images are encoded with at most 1024 pixels on the
// long side, whatever size is answered, to stay fast; their ratio is right.
type Simulator struct {
	*studio.Studio
	// Alternate takes the other reading wherever the documents leave two open: all images come in one choice instead of one
	// choice each, a call that is asynchronous where it must not be (or the reverse) is refused with 403 AccessDenied
	// instead of 400 UnsupportedOperation, moderation says data_inspection_failed, SR is a string and durations are floats,
	// the output of a failed task has no message, media of videos may be images as data URIs, and color_palette goes
	// with a sequence. Set it before serving.
	Alternate bool

	handler http.Handler

	mu     sync.Mutex
	orders []Order
}

// New returns a simulator with one account that may use every model.
func New(opts studio.Options) *Simulator {
	s := &Simulator{Studio: studio.New(opts)}
	s.handler = s.Handler(s.serve)
	return s
}

// Key returns the accepted API key.
func (s *Simulator) Key() string { return key }

// Handles tells whether a path belongs to this simulator rather than to the vendor's chat calls in OpenAI's form.
func Handles(path string) bool {
	return strings.HasPrefix(path, "/api/v1/") || strings.HasPrefix(path, "/files/")
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

// call is one of the vendor's calls.
type call struct {
	method string
	// async demands the header X-DashScope-Async, sync forbids it.
	async, sync bool
	serve       func(*studio.Visit)
}

// serve finds the call, checks the caller, and goes on.
func (s *Simulator) serve(v *studio.Visit) {
	c, p := s.route(v.R)
	if p == nil {
		p = authenticate(v)
	}
	if p == nil {
		p = s.asynchronous(v.R, c)
	}
	if p == nil && (c.sync || c.async) {
		p = contentType(v.R)
	}
	if p != nil {
		s.refuse(v, p)
		return
	}
	c.serve(v)
}

// route finds the call. The documents show no answer to a wrong path or method: the status follows HTTP, the codes are this
// simulator's.
func (s *Simulator) route(r *http.Request) (call, *problem) {
	calls := map[string]call{
		SyncImagesPath: {method: http.MethodPost, sync: true, serve: s.makeImages},
		ImagesPath:     {method: http.MethodPost, async: true, serve: s.submitImages},
		SynthesisPath:  {method: http.MethodPost, async: true, serve: s.submitImages},
		VideosPath:     {method: http.MethodPost, async: true, serve: s.submitVideo},
	}
	c, ok := calls[r.URL.Path]
	if !ok {
		c, ok = s.taskCall(r.URL.Path)
	}
	switch {
	case !ok:
		return c, &problem{status: http.StatusNotFound, code: "NotFound", message: "no such path: " + r.URL.Path}
	case c.method != r.Method:
		return c, &problem{status: http.StatusMethodNotAllowed, code: "MethodNotAllowed", message: "method not allowed: " + r.Method}
	}
	return c, nil
}

// taskCall is the query or the cancellation of a task.
func (s *Simulator) taskCall(path string) (call, bool) {
	rest, _ := strings.CutPrefix(path, TasksPath)
	id, isCancel := strings.CutSuffix(rest, "/cancel")
	c := call{method: http.MethodGet, serve: func(v *studio.Visit) { s.poll(v, id) }}
	if isCancel {
		c = call{method: http.MethodPost, serve: func(v *studio.Visit) { s.cancel(v, id) }}
	}
	return c, id != "" && !strings.Contains(id, "/")
}

func authenticate(v *studio.Visit) *problem {
	if token, ok := v.Bearer("Bearer "); !ok || token != key {
		return known("InvalidApiKey", "Invalid API-key provided.")
	}
	return nil
}

// asynchronous checks the header that makes a call asynchronous. Two codes are documented for a mismatch.
func (s *Simulator) asynchronous(r *http.Request, c call) *problem {
	values := r.Header.Values("X-DashScope-Async")
	isAsync := len(values) == 1 && values[0] == "enable"
	code := "UnsupportedOperation"
	if s.Alternate {
		code = "AccessDenied"
	}
	switch {
	case c.sync && len(values) > 0:
		return known(code, "This API does not support asynchronous calls.")
	case c.async && !isAsync:
		return known(code, "This API does not support synchronous calls.")
	}
	return nil
}
