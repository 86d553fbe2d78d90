// Package zhiputts plays Zhipu's speech upstream, GLM-TTS, for tests and the demo, from the vendor's public reference alone
// (docs.bigmodel.cn: "文本转语音", "GLM-TTS", "错误码"; the types of github.com/zai-org/z-ai-sdk-python). It refuses what the
// reference does not allow and knows nothing of the gateway.
//
// The input steers a request: [[fail MODE]] with a mode of package studio or a number of the vendor's table of codes, and
// [[bytes N]] for about N bytes of audio.
//
// What the reference leaves open is answered in both ways by turns: whether the last chunk of a stream has audio, and whether
// [DONE] ends it.
package zhiputts

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
	pathSpeech  = "/api/paas/v4/audio/speech"
	prefixFiles = "/files/"
)

// Simulator is the upstream. It is an http.Handler, safe for concurrent use.
type Simulator struct {
	*studio.Studio
	handler  http.Handler
	streams  atomic.Int64
	unmarked atomic.Bool
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
func (s *Simulator) Key() string { return "sim0zhipu0sim0zhipu.secret" }

// AllowUnmarked says whether the account has completed the vendor's procedure for speech without watermark. Default: no. Then
// watermark_enabled false is refused; the reference says that it does not work, not how.
func (s *Simulator) AllowUnmarked(yes bool) { s.unmarked.Store(yes) }

// Handles tells whether a path belongs to this simulator; the files of results do.
func Handles(path string) bool { return path == pathSpeech || strings.HasPrefix(path, prefixFiles) }

// exchange is one request and its answer.
type exchange struct {
	*studio.Visit
	sim *Simulator
	id  string
}

func (s *Simulator) serve(v *studio.Visit) {
	x := &exchange{Visit: v, sim: s, id: fmt.Sprintf("20261115%018x", v.Next())}
	switch {
	case v.R.URL.Path != pathSpeech:
		// The forms of a 404 and a 405 are not documented.
		v.Entry.Reason = "no such path"
		v.Text(http.StatusNotFound, "text/plain", "404 page not found")
		return
	case v.R.Method != http.MethodPost:
		v.Entry.Reason = "method not allowed"
		v.W.Header().Set("Allow", http.MethodPost)
		v.Text(http.StatusMethodNotAllowed, "text/plain", "405 method not allowed")
		return
	}
	if p := x.authenticate(); p != nil {
		x.refuse(p)
		return
	}
	x.speech()
}

func (x *exchange) authenticate() *problem {
	switch key, ok := x.Bearer("Bearer "); {
	case !ok:
		return coded("1001")
	case key != x.sim.Key():
		return coded("1000")
	}
	return nil
}

// decode reads the body strictly: UTF-8, no unknown and no doubled members, exact types. A null counts as no value.
func (x *exchange) decode(into any) *problem {
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
