package gateway

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gorilla/mux"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"vipcloud.ai/vipcloud/gateway/openai"
)

// endpoint is a path of the API with its handlers by method. GET serves HEAD too.
type endpoint struct {
	path     string
	handlers map[string]handler
}

// endpoints lists the API, the busiest path first: the router tries them in order. The model's name is data, never a route.
func (s *Server) endpoints() []endpoint {
	video, song := videos(), music()
	return []endpoint{
		{"/v1/chat/completions", map[string]handler{http.MethodPost: s.working(s.chat)}},
		{"/v1/images/generations", map[string]handler{http.MethodPost: s.working(s.images)}},
		{"/v1/audio/speech", map[string]handler{http.MethodPost: s.working(s.speech)}},
		{"/v1/videos/generations", map[string]handler{http.MethodPost: s.authenticated(s.createJob(video))}},
		{"/v1/videos/jobs/{id}", map[string]handler{
			http.MethodGet: s.authenticated(s.getJob(video)), http.MethodDelete: s.authenticated(s.cancelJob(video)),
		}},
		{"/v1/videos/jobs/{id}/content", map[string]handler{http.MethodGet: s.authenticated(s.jobContent(video))}},
		{"/v1/music/generations", map[string]handler{http.MethodPost: s.authenticated(s.createJob(song))}},
		{"/v1/music/jobs/{id}", map[string]handler{http.MethodGet: s.authenticated(s.getJob(song))}},
		{"/v1/music/jobs/{id}/content", map[string]handler{http.MethodGet: s.authenticated(s.jobContent(song))}},
		{"/v1/key", map[string]handler{http.MethodGet: s.tried(s.getKey)}},
		{"/v1/key/usage", map[string]handler{http.MethodGet: s.authenticated(s.getKeyUsage)}},
		{"/v1/models", map[string]handler{http.MethodGet: s.tried(s.listModels)}},
		{"/v1/models/{model:.+}", map[string]handler{http.MethodGet: s.tried(s.getModel)}},
		{"/v1/catalog", map[string]handler{http.MethodGet: s.getCatalog}},
	}
}

// Handler serves the API. The order of what surrounds it: a panic is caught outside of everything, so that even a bug in the
// settlement answers; the settlement sees every request, refused ones included; paths are cleaned before the router would
// redirect.
func (s *Server) Handler() http.Handler {
	router := mux.NewRouter().SkipClean(true)
	for _, e := range s.endpoints() {
		router.Path(e.path).Handler(s.entry(e.dispatch()))
	}
	router.NotFoundHandler = s.entry(unknownURL)
	return cleanPath(router)
}

// dispatch chooses by method, and answers HEAD, OPTIONS and 405 itself: the router's own answers lack Allow and the envelope.
func (e endpoint) dispatch() handler {
	allow := e.allow()
	return func(x *exchange) *openai.Error {
		method := x.r.Method
		if method == http.MethodHead {
			method = http.MethodGet
		}
		if h, ok := e.handlers[method]; ok {
			return h(x)
		}
		x.w.Header().Set("Allow", allow)
		if method == http.MethodOptions {
			preflight(x.w.Header(), x.r, allow)
			x.w.WriteHeader(http.StatusNoContent)
			return nil
		}
		return openai.MethodNotAllowed(x.r.Method, allow)
	}
}

// allow lists the methods of an endpoint.
func (e endpoint) allow() string {
	methods := []string{http.MethodOptions}
	for m := range e.handlers {
		methods = append(methods, m)
		if m == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
	}
	slices.Sort(methods)
	return strings.Join(methods, ", ")
}

// preflight answers a browser's question. Keys travel in a header that only scripts set, so an open origin gives nothing away.
func preflight(h http.Header, r *http.Request, allow string) {
	h.Set("Access-Control-Allow-Methods", allow)
	h.Set("Access-Control-Max-Age", "3600")
	if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
		h.Set("Access-Control-Allow-Headers", asked)
		h.Add("Vary", "Access-Control-Request-Headers")
	}
}

// unknownURL answers paths that are not served.
func unknownURL(x *exchange) *openai.Error { return openai.UnknownURL(x.r.Method, x.r.URL.Path) }

// cleanPath takes doubled and trailing slashes out of the path, and the second of two versions: an SDK whose base URL ends in /v1 makes
// /v1/v1/… of a poll_url. A redirect would cost a POST its body and its key.
func cleanPath(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := r.URL.Path; len(p) > 1 && (p[len(p)-1] == '/' || strings.Contains(p, "//")) {
			r.URL.Path = collapse(p)
			r.URL.RawPath = ""
		}
		if rest, ok := strings.CutPrefix(r.URL.Path, "/v1/v1/"); ok {
			r.URL.Path, r.URL.RawPath = "/v1/"+rest, strings.TrimPrefix(r.URL.RawPath, "/v1")
		}
		next.ServeHTTP(w, r)
	})
}

// collapse joins runs of slashes and drops the trailing one.
func collapse(p string) string {
	var b strings.Builder
	b.Grow(len(p))
	for i := range len(p) {
		if p[i] == '/' && i > 0 && p[i-1] == '/' {
			continue
		}
		b.WriteByte(p[i])
	}
	return "/" + strings.Trim(b.String(), "/")
}

// adminHandler serves health and metrics, on a port of their own.
func (s *Server) adminHandler() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok") })
	m.HandleFunc("GET /readyz", s.readyz)
	m.Handle("GET /metrics", promhttp.HandlerFor(s.opts.Registry, promhttp.HandlerOpts{}))
	return m
}

// readyz is true from the first table until the replica drains.
func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	switch err := s.Readiness(); err {
	case nil:
		plain(w, http.StatusOK, "ok")
	default:
		plain(w, http.StatusServiceUnavailable, err.Error())
	}
}

// plain answers probes.
func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n"))
}
