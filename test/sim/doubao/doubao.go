// Package doubao plays Doubao's speech upstream, openspeech of Volcengine, for tests and the demo, from the vendor's public
// reference alone (www.volcengine.com/docs/6561: 1257584 for V1, 1598757 for V3 by HTTP chunks and by SSE, 79823). It refuses
// what the reference does not allow and knows nothing of the gateway.
//
// The text steers a request: [[fail MODE]] with a mode of package studio or a number of the vendor's table of codes, and
// [[bytes N]] for about N bytes of audio.
//
// What the reference leaves open is answered in several ways by turns: what separates the JSON values of a V3 answer (see
// [Simulator.Separate]), the HTTP status of an error and, in V3, the form of its body.
package doubao

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	kjson "sigs.k8s.io/json"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// The addresses.
const (
	pathV1      = "/api/v1/tts"
	pathV3      = "/api/v3/tts/unidirectional"
	pathSSE     = "/api/v3/tts/unidirectional/sse"
	prefixFiles = "/files/"
)

// Separator is what stands between the JSON values of a V3 answer by HTTP chunks.
type Separator int32

// The separators. Alternate takes the other one for every answer.
const (
	Alternate Separator = iota
	Glued
	Newline
)

// Simulator is the upstream. It is an http.Handler, safe for concurrent use.
type Simulator struct {
	*studio.Studio
	handler   http.Handler
	requests  atomic.Int64
	streams   atomic.Int64
	separator atomic.Int32

	mu     sync.Mutex
	reqids map[string]bool // of V1, used
}

var _ http.Handler = (*Simulator)(nil)

// New returns a simulator with one account, which has both an API key and an app.
func New(opts studio.Options) *Simulator {
	s := &Simulator{Studio: studio.New(opts), reqids: map[string]bool{}}
	s.handler = s.Handler(s.serve)
	return s
}

// ServeHTTP answers as the vendor would.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Key is the accepted X-Api-Key, of the new console.
func (s *Simulator) Key() string { return "5e1f0a52-51d0-4f00-9d0b-a0d10b0a0001" }

// AppID is the app of the old console: app.appid in V1, X-Api-App-Id in V3.
func (s *Simulator) AppID() string { return "6900000001" }

// AccessToken is the token of the app: behind "Bearer;" in V1, X-Api-Access-Key in V3.
func (s *Simulator) AccessToken() string { return "sim-doubao-access-token" }

// Separate chooses what stands between the JSON values of a V3 answer. Default: [Alternate], because the reference does not say.
func (s *Simulator) Separate(by Separator) { s.separator.Store(int32(by)) }

// Handles tells whether a path belongs to this simulator; the files of results do.
func Handles(path string) bool {
	switch path {
	case pathV1, pathV3, pathSSE:
		return true
	}
	return strings.HasPrefix(path, prefixFiles)
}

// exchange is one request and its answer.
type exchange struct {
	*studio.Visit
	sim   *Simulator
	logID string
	// turn counts requests: it chooses between the ways of answering that the reference leaves open.
	turn int64
	// newline stands between the JSON values of a V3 answer.
	newline bool
}

func (s *Simulator) serve(v *studio.Visit) {
	x := &exchange{Visit: v, sim: s, logID: fmt.Sprintf("20260101%024x", v.Next()), turn: s.requests.Add(1)}
	var handle func()
	switch v.R.URL.Path {
	case pathV1:
		handle = x.v1
	case pathV3, pathSSE:
		handle = x.v3
	default:
		// The forms of a 404 and a 405 are not documented.
		v.Entry.Reason = "no such path"
		v.Text(http.StatusNotFound, "text/plain", "404 page not found")
		return
	}
	if v.R.Method != http.MethodPost {
		v.Entry.Reason = "method not allowed"
		v.W.Header().Set("Allow", http.MethodPost)
		v.Text(http.StatusMethodNotAllowed, "text/plain", "405 method not allowed")
		return
	}
	v.W.Header().Set("X-Tt-Logid", x.logID)
	handle()
}

// strict reads JSON without unknown and doubled members, with exact types. A null counts as no value.
func strict(data []byte, into any) error {
	unknown, err := kjson.UnmarshalStrict(data, into)
	return errors.Join(append(unknown, err)...)
}

// decode reads the body strictly.
func (x *exchange) decode(into any) error {
	media, _, err := mime.ParseMediaType(x.R.Header.Get("Content-Type"))
	switch {
	case err != nil || media != "application/json":
		return errors.New("Content-Type must be application/json")
	case !utf8.Valid(x.Body):
		return errors.New("the body is not UTF-8")
	}
	return strict(x.Body, into)
}
