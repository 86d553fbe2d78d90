package upstream

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"vipcloud.ai/vipcloud/gateway/table"
)

// credential is one that leads to an address.
func credential(t *testing.T, address string, change func(*table.Credential)) *table.Credential {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	c := &table.Credential{Namespace: "ns", Name: "c", Endpoint: address, URL: u, AllowPrivate: true}
	if change != nil {
		change(c)
	}
	return c
}

// get calls an endpoint.
func get(t *testing.T, e *Endpoint, address string) (string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := e.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

func TestPool_anEndpointOutlivesTablesUnlessItsConnectionsChange(t *testing.T) {
	var pool Pool
	endpoint := func(change func(*table.Credential)) *Endpoint {
		e, err := pool.Endpoint(credential(t, "https://api.example.com/v1", change))
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	first := endpoint(nil)
	for name, tc := range map[string]struct {
		change   func(*table.Credential)
		wantSame bool
	}{
		"nothing changed": {wantSame: true},
		"another API key": {change: func(c *table.Credential) {
			c.Secrets = map[string]table.Secret{"api-key": table.NewSecret("other")}
		}, wantSame: true},
		"another path":       {change: func(c *table.Credential) { c.URL.Path = "/v2" }, wantSame: true},
		"another host":       {change: func(c *table.Credential) { c.URL.Host = "other.example.com" }},
		"another credential": {change: func(c *table.Credential) { c.Name = "d" }},
		"another SNI":        {change: func(c *table.Credential) { c.ServerName = "x" }},
		"private forbidden":  {change: func(c *table.Credential) { c.AllowPrivate = false }},
		"a proxy":            {change: func(c *table.Credential) { c.ProxyURL = &url.URL{Scheme: "http", Host: "proxy:1"} }},
	} {
		t.Run(name, func(t *testing.T) {
			if got := endpoint(tc.change) == first; got != tc.wantSame {
				t.Errorf("same endpoint: %v, want %v", got, tc.wantSame)
			}
		})
	}
	pool.Keep(map[*Endpoint]struct{}{first: {}})
	if len(pool.endpoints) != 1 || endpoint(nil) != first {
		t.Errorf("%d endpoints are kept", len(pool.endpoints))
	}
	pool.Close()
	if len(pool.endpoints) != 0 {
		t.Error("closed pool keeps endpoints")
	}
}

func TestEndpoint_dialsOnlyWhereTheCredentialPermits(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "reached") }))
	defer srv.Close()
	named := strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)
	for name, tc := range map[string]struct {
		address string
		private bool
		want    string
	}{
		"loopback permitted":          {address: srv.URL, private: true, want: "reached"},
		"loopback refused":            {address: srv.URL},
		"a name that leads there":     {address: named},
		"link-local is never allowed": {address: "http://169.254.169.254/", private: true},
		"unspecified":                 {address: strings.Replace(srv.URL, "127.0.0.1", "0.0.0.0", 1), private: true},
	} {
		t.Run(name, func(t *testing.T) {
			var pool Pool
			e, err := pool.Endpoint(credential(t, tc.address, func(c *table.Credential) { c.AllowPrivate = tc.private }))
			if err != nil {
				t.Fatal(err)
			}
			got, err := get(t, e, tc.address)
			if got != tc.want || (err == nil) != (tc.want != "") {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestEndpoint_trustsOnlyTheGivenCABundle(t *testing.T) {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "reached") }))
	defer srv.Close()
	bundle := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})
	var pool Pool
	trusted, err := pool.Endpoint(credential(t, srv.URL, func(c *table.Credential) { c.CABundle = bundle }))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := get(t, trusted, srv.URL); got != "reached" {
		t.Errorf("got %q, %v", got, err)
	}
	system, err := pool.Endpoint(credential(t, srv.URL, nil))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := get(t, system, srv.URL); err == nil {
		t.Error("a certificate of nobody's was trusted")
	}
	if _, err := pool.Endpoint(credential(t, srv.URL, func(c *table.Credential) { c.CABundle = []byte("no PEM") })); !errors.Is(err, errBadCABundle) {
		t.Errorf("error %v", err)
	}
}

func TestEndpoint_goesThroughTheProxyWithItsCredentials(t *testing.T) {
	var user, password string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Authorization", r.Header.Get("Proxy-Authorization"))
		user, password, _ = r.BasicAuth()
		_, _ = fmt.Fprint(w, "through "+r.URL.Host)
	}))
	defer proxy.Close()
	u, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	var pool Pool
	e, err := pool.Endpoint(credential(t, "http://vendor.invalid", func(c *table.Credential) {
		c.AllowPrivate = false
		c.ProxyURL, c.ProxyUsername, c.ProxyPassword = u, "somebody", table.NewSecret("secret")
	}))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := get(t, e, "http://vendor.invalid/"); got != "through vendor.invalid" || user != "somebody" || password != "secret" {
		t.Errorf("got %q, %v as %q", got, err, user)
	}
}
