// Package upstream holds what outlives tables: the connections to each endpoint. It dials only where a credential may lead,
// and knows nothing of models, requests or vendors' protocols.
package upstream

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"vipcloud.ai/vipcloud/gateway/table"
)

// Limits of connections. Vendors close idle connections early (6 s was seen), which the transport notices; a long time here
// costs little and spares handshakes.
const (
	dialTimeout        = 10 * time.Second
	tlsTimeout         = 10 * time.Second
	idleTimeout        = 90 * time.Second
	maxIdlePerHost     = 256
	maxResponseHeaders = 256 << 10
	// connectionReadBytes is how much is read of a connection at a time. A quick stream comes in many small chunks, and each read
	// that finds but one page of them costs a system call here and one more towards the client.
	connectionReadBytes = 16 << 10
)

// errBadCABundle means that a CA bundle holds no certificate.
var errBadCABundle = errors.New("caBundle holds no PEM certificate")

// Endpoint is a place to send requests to, with its connections. It is shared by all targets that use the same credential and
// by successive tables. Safe for concurrent use.
type Endpoint struct {
	identity  string
	transport *http.Transport
	files     *http.Client
	// allowPrivate and insecure are the credential's word on addresses of files.
	allowPrivate, insecure bool
}

// RoundTrip sends a request. The response's body must be closed.
func (e *Endpoint) RoundTrip(req *http.Request) (*http.Response, error) {
	return e.transport.RoundTrip(req)
}

// Pool keeps one Endpoint for each way to reach an upstream. The zero Pool is ready for use. Safe for concurrent use.
type Pool struct {
	mu        sync.Mutex
	endpoints map[string]*Endpoint
}

// Endpoint returns the endpoint of a credential, the same one as before unless something changed that matters to connections. A
// changed API key does not.
func (p *Pool) Endpoint(c *table.Credential) (*Endpoint, error) {
	id := identity(c)
	p.mu.Lock()
	defer p.mu.Unlock()
	if e := p.endpoints[id]; e != nil {
		return e, nil
	}
	transport, err := newTransport(c)
	if err != nil {
		return nil, fmt.Errorf("preparing connections for %s: %w", c.ID(), err)
	}
	if p.endpoints == nil {
		p.endpoints = map[string]*Endpoint{}
	}
	files, err := newFileClient(c, transport)
	if err != nil {
		return nil, fmt.Errorf("preparing connections for %s: %w", c.ID(), err)
	}
	e := &Endpoint{identity: id, transport: transport, files: files, allowPrivate: c.AllowPrivate, insecure: c.URL.Scheme == "http"}
	p.endpoints[id] = e
	return e, nil
}

// Keep forgets all endpoints but these. Requests under way on a forgotten one finish; its idle connections are closed.
func (p *Pool) Keep(used map[*Endpoint]struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, e := range p.endpoints {
		if _, ok := used[e]; !ok {
			delete(p.endpoints, id)
			e.transport.CloseIdleConnections()
			e.files.CloseIdleConnections()
		}
	}
}

// Close closes all idle connections.
func (p *Pool) Close() { p.Keep(nil) }

// identity says which credentials may share connections: everything that matters to a connection, and the credential itself, so
// that one tenant's traffic never shares a connection with another's.
func identity(c *table.Credential) string {
	h := sha256.New()
	proxy := ""
	if c.ProxyURL != nil {
		proxy = c.ProxyURL.String()
	}
	for _, s := range []string{
		c.ID(), c.URL.Scheme, c.URL.Host, c.ServerName, string(c.CABundle), proxy, c.ProxyUsername, c.ProxyPassword.Reveal(),
		fmt.Sprint(c.AllowPrivate),
	} {
		_, _ = fmt.Fprintf(h, "%d:%s", len(s), s)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// newTransport makes the connections' settings.
func newTransport(c *table.Credential) (*http.Transport, error) {
	t := &http.Transport{
		DialContext:            dialer(c).DialContext,
		TLSHandshakeTimeout:    tlsTimeout,
		IdleConnTimeout:        idleTimeout,
		MaxIdleConnsPerHost:    maxIdlePerHost,
		MaxResponseHeaderBytes: maxResponseHeaders,
		ReadBufferSize:         connectionReadBytes,
		// The upstream's encoding would hide events from the relay; and a compressed stream may be held back.
		DisableCompression: true,
		TLSClientConfig:    &tls.Config{MinVersion: tls.VersionTLS12, ServerName: c.ServerName},
		// HTTP/1.1 gives every stream a connection of its own: no head-of-line blocking, and closing one is a cancellation that
		// every vendor understands.
		Protocols: new(http.Protocols),
	}
	t.Protocols.SetHTTP1(true)
	if c.CABundle != nil {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(c.CABundle) {
			return nil, errBadCABundle
		}
		t.TLSClientConfig.RootCAs = pool
	}
	if c.ProxyURL != nil {
		t.Proxy = http.ProxyURL(proxyURL(c))
	}
	return t, nil
}

// proxyURL adds the user info, which appears nowhere else.
func proxyURL(c *table.Credential) *url.URL {
	u := *c.ProxyURL
	if c.ProxyUsername != "" {
		u.User = url.UserPassword(c.ProxyUsername, c.ProxyPassword.Reveal())
	}
	return &u
}

// dialer connects only to addresses that the credential permits.
func dialer(c *table.Credential) *net.Dialer {
	allowPrivate := c.AllowPrivate || c.ProxyURL != nil
	return &net.Dialer{
		Timeout:   dialTimeout,
		KeepAlive: 30 * time.Second,
		Control:   guard(allowPrivate),
	}
}
