// Package minimaxmedia plays MiniMax's speech (T2A v2) and video (Hailuo) upstream for tests and the demo, from the vendor's
// public reference alone (platform.minimax.io/docs/api-reference: speech-t2a-http, video-generation-t2v, -i2v, -fl2v, -query,
// -download, errorcode). It refuses what the reference does not allow and knows nothing of the gateway.
//
// The text of a speech and the prompt of a video steer a request: [[fail MODE]] with a mode of package studio, with [OddHex] or
// with a number of the vendor's table of status codes; in a text also [[bytes N]] for about N bytes of audio and [[once]] for a
// stream that is nothing but its final event.
//
// What the reference leaves open is answered in both ways by turns: whether [DONE] ends a stream, whether a refused stream is
// a JSON body or an event, whether a success without audio has null or empty data, whether a refused video has a task_id.
package minimaxmedia

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	kjson "sigs.k8s.io/json"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// The addresses.
const (
	pathSpeech   = "/v1/t2a_v2"
	pathVideo    = "/v1/video_generation"
	pathQuery    = "/v1/query/video_generation"
	pathRetrieve = "/v1/files/retrieve"
	prefixFiles  = "/files/"
)

// Simulator is the upstream. It is an http.Handler, safe for concurrent use.
type Simulator struct {
	*studio.Studio
	handler    http.Handler
	requests   atomic.Int64
	newFormats atomic.Bool
}

var _ http.Handler = (*Simulator)(nil)

// New returns a simulator with one account.
func New(opts studio.Options) *Simulator {
	s := &Simulator{Studio: studio.New(opts)}
	s.handler = s.Handler(s.serve)
	return s
}

// ServeHTTP answers as the vendor would.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Key is the accepted API key, the same as that of the chat simulator.
func (s *Simulator) Key() string { return "sk-api-sim-minimax" }

// GroupID is the group of the key. The query parameter GroupId is optional; another group's is refused.
func (s *Simulator) GroupID() string { return "1234567890123456789" }

// AcceptNewFormats says whether opus, pcmu_raw and pcmu_wav are accepted. Default: no, because only the newest copy of the
// schema lists them, and not for which models.
func (s *Simulator) AcceptNewFormats(yes bool) { s.newFormats.Store(yes) }

// Handles tells whether a path belongs to this simulator; the files of results do.
func Handles(path string) bool {
	switch path {
	case pathSpeech, pathVideo, pathQuery, pathRetrieve:
		return true
	}
	return strings.HasPrefix(path, prefixFiles)
}

// exchange is one request and its answer.
type exchange struct {
	*studio.Visit
	sim   *Simulator
	trace string
	// odd is true for every other request: it chooses between two ways of answering that the reference leaves open.
	odd bool
}

func (s *Simulator) serve(v *studio.Visit) {
	x := &exchange{Visit: v, sim: s, trace: fmt.Sprintf("%032x", v.Next()), odd: s.requests.Add(1)%2 == 1}
	method, handle := x.route()
	switch {
	case handle == nil:
		v.Entry.Reason = "no such path"
		v.Text(http.StatusNotFound, "text/plain", "404 page not found")
		return
	case v.R.Method != method:
		v.Entry.Reason = "method not allowed"
		v.W.Header().Set("Allow", method)
		v.Text(http.StatusMethodNotAllowed, "text/plain", "405 method not allowed")
		return
	}
	v.W.Header().Set("Trace-Id", x.trace)
	if p := x.authenticate(); p != nil {
		x.refuse(p, false)
		return
	}
	handle()
}

// route finds what serves the path. The form of a 404 and a 405 is not documented.
func (x *exchange) route() (method string, handle func()) {
	switch x.R.URL.Path {
	case pathSpeech:
		return http.MethodPost, x.speech
	case pathVideo:
		return http.MethodPost, x.submit
	case pathQuery:
		return http.MethodGet, x.query
	case pathRetrieve:
		return http.MethodGet, x.retrieve
	}
	return "", nil
}

func (x *exchange) authenticate() *refusal {
	key, ok := x.Bearer("Bearer ")
	group := x.R.URL.Query().Get("GroupId")
	switch {
	case !ok:
		return &refusal{1004, "login fail: Please carry the API secret key in the 'Authorization' field of the request header"}
	case key != x.sim.Key():
		return refused(2049)
	case group != "" && group != x.sim.GroupID():
		return &refusal{1004, "login fail: token not match group"}
	}
	return nil
}

// decode reads a body strictly: UTF-8, no unknown and no doubled members, exact types. A null counts as no value. The vendor is
// known to ignore some misspelt members silently; here they are refused, because whoever sends one expects an effect.
func (x *exchange) decode(into any) *refusal {
	media, _, err := mime.ParseMediaType(x.R.Header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		return invalid("Content-Type must be application/json")
	}
	if !utf8.Valid(x.Body) {
		return invalid("the body is not UTF-8")
	}
	strict, err := kjson.UnmarshalStrict(x.Body, into)
	if err = errors.Join(append(strict, err)...); err != nil {
		return invalid("%s", err)
	}
	return nil
}
