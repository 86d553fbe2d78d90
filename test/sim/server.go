package sim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// Server hosts every vendor under one handler, each below its lower-case name: /deepseek, /qwen, and so on.
type Server struct {
	vendors map[Vendor]*Simulator
	media   map[Vendor]mediaSim
	mux     *http.ServeMux
}

// NewServer returns a server of all vendors. Options.Keys and Options.Models apply to each of them.
func NewServer(opts Options) *Server {
	s := &Server{vendors: map[Vendor]*Simulator{}, media: newMedia(opts), mux: http.NewServeMux()}
	for _, v := range Vendors() {
		own := opts
		if key := s.media[v].secrets["api-key"]; key != "" && own.Keys == nil {
			own.Keys = []string{key}
		}
		vendor := New(v, own)
		s.vendors[v] = vendor
		if m, ok := s.media[v]; ok {
			s.host(v, m.mount(vendor))
		} else {
			s.host(v, vendor)
		}
	}
	for _, v := range MediaVendors() {
		if s.vendors[v] == nil {
			s.host(v, s.media[v].mount(nil))
		}
	}
	return s
}

// host serves a vendor below its prefix.
func (s *Server) host(v Vendor, h http.Handler) {
	s.mux.Handle(s.Prefix(v)+"/", http.StripPrefix(s.Prefix(v), h))
}

// Prefix returns the path below which a vendor is hosted, without a trailing slash.
func (s *Server) Prefix(v Vendor) string { return "/" + strings.ToLower(string(v)) }

// Vendor returns the simulator of a vendor; nil for one that [Vendors] does not list.
func (s *Server) Vendor(v Vendor) *Simulator { return s.vendors[v] }

// ServeHTTP dispatches by the first path segment.
func (s *Server) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	// The mux would redirect an unclean path; a vendor's server says 404 to it.
	if strings.Contains(req.URL.Path, "//") {
		http.NotFound(w, req)
		return
	}
	s.mux.ServeHTTP(w, req)
}

// InFlight returns the number of requests being served by all vendors.
func (s *Server) InFlight() int {
	n := 0
	for _, v := range s.vendors {
		n += v.InFlight()
	}
	for _, m := range s.media {
		n += m.InFlight()
	}
	return n
}

// WaitIdle waits until each vendor has been seen idle; it returns the context's error if that ends first.
func (s *Server) WaitIdle(ctx context.Context) error {
	for _, v := range s.vendors {
		if err := v.WaitIdle(ctx); err != nil {
			return fmt.Errorf("waiting for %s: %w", v.vendor, err)
		}
	}
	return nil
}

// Serve answers on ln until ctx ends, then closes ln, ends what is in flight and waits up to 5 s for it. It returns nil after
// such an end.
func Serve(ctx context.Context, ln net.Listener, s *Server) error {
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving the vendor simulators: %w", err)
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return s.WaitIdle(last)
}
