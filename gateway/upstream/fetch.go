package upstream

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"net/url"

	"vipcloud.ai/vipcloud/gateway/table"
)

// maxRedirects is how often the address of a file may lead elsewhere.
const maxRedirects = 3

// Errors of Fetch.
var (
	errFileScheme    = errors.New("the address of a file must be https")
	errFileRedirects = errors.New("too many redirects to a file")
)

// newFileClient makes the client that fetches results. Files lie at other hosts than the API: what a credential says of the name
// on the API's certificate does not hold there, and public authorities are trusted beside its own.
func newFileClient(c *table.Credential, api *http.Transport) (*http.Client, error) {
	t := api.Clone()
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CABundle != nil {
		pool, err := x509.SystemCertPool()
		if err != nil {
			return nil, fmt.Errorf("reading the system's certificates: %w", err)
		}
		pool.AppendCertsFromPEM(c.CABundle)
		t.TLSClientConfig.RootCAs = pool
	}
	allowPrivate, insecure := c.AllowPrivate, c.URL.Scheme == "http"
	return &http.Client{Transport: t, CheckRedirect: func(req *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects {
			return errFileRedirects
		}
		return checkFile(req.URL, allowPrivate, insecure)
	}}, nil
}

// Fetch gets the file of a result from wherever the vendor keeps it. No credential is sent, and no address is connected to that
// the credential's endpoint might not have: a vendor's answer, which a client may have influenced, leads nowhere else. Header is
// sent as it is. The response's body must be closed.
func (e *Endpoint) Fetch(ctx context.Context, address string, header http.Header) (*http.Response, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errFileScheme // the address may be signed, so it is not quoted
	}
	if err := checkFile(u, e.allowPrivate, e.insecure); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, errFileScheme
	}
	maps.Copy(req.Header, header)
	resp, err := e.files.Do(req)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err
		}
		return nil, fmt.Errorf("fetching a file: %w", err)
	}
	return resp, nil
}

// checkFile says whether the address of a file may be asked. A proxy resolves names itself, so an address that is none is looked
// at here already.
func checkFile(u *url.URL, allowPrivate, insecure bool) error {
	if u.Scheme != "https" && (u.Scheme != "http" || !insecure) {
		return errFileScheme
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil {
		return table.CheckAddr(ip, allowPrivate)
	}
	return nil
}
