package tencent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"vipcloud.ai/vipcloud/gateway/provider"
)

const (
	// rootHost is the domain of all products.
	rootHost = "tencentcloudapi.com"
	// defaultRegion is the region that the models are known to be in.
	defaultRegion = "ap-guangzhou"
	// maxRequest is the largest body in bytes.
	maxRequest = 10 << 20
)

// Headers of a call.
const (
	headerAction    = "X-TC-Action"
	headerVersion   = "X-TC-Version"
	headerRegion    = "X-TC-Region"
	headerLanguage  = "X-TC-Language"
	headerTimestamp = "X-TC-Timestamp"
)

// action is an operation of a product.
type action struct{ service, version, name string }

// address is where an action is called at an endpoint.
func (a action) address(endpoint string) string {
	base := strings.TrimRight(endpoint, "/")
	if u, err := url.Parse(base); err == nil && strings.EqualFold(u.Hostname(), rootHost) {
		u.Host = a.service + "." + u.Host
		base = u.String()
	}
	return base + "/"
}

// newCall makes a signed request. An empty region is the default one.
func newCall(ctx context.Context, up *provider.Upstream, a action, region string, body provider.Body, at time.Time) (*http.Request, error) {
	req, err := provider.NewRequest(ctx, http.MethodPost, a.address(up.Endpoint), up, body)
	if err != nil {
		return nil, err
	}
	h := req.Header
	h.Set(headerAction, a.name)
	h.Set(headerVersion, a.version)
	switch {
	case region != "":
		h.Set(headerRegion, region)
	case h.Get(headerRegion) == "":
		h.Set(headerRegion, defaultRegion)
	}
	if h.Get(headerLanguage) == "" {
		h.Set(headerLanguage, "en-US") // of messages, which are Chinese otherwise
	}
	return req, signerOf(up, a).sign(req, at)
}

// signer signs requests to a product.
type signer struct {
	service string
	id, key provider.Secret
}

// signerOf returns the signer for calls of an action.
func signerOf(up *provider.Upstream, a action) *signer {
	return &signer{service: a.service, id: up.Secrets[idEntry], key: up.Secrets[keyEntry]}
}

// sign signs a request, whatever signature it had. Without a whole credential there is none.
func (s *signer) sign(req *http.Request, at time.Time) error {
	// Secrets made by hand often end with a line feed.
	id, key := strings.TrimSpace(s.id.Reveal()), strings.TrimSpace(s.key.Reveal())
	body, err := req.GetBody()
	if err != nil {
		return &provider.Error{Class: provider.ClassServerError, Cause: err}
	}
	digest := sha256.New()
	if _, err := io.Copy(digest, body); err != nil {
		return &provider.Error{Class: provider.ClassServerError, Cause: err}
	}
	req.Header.Set(headerTimestamp, timestamp(at))
	if id == "" || key == "" {
		return nil
	}
	what := &signing{
		service: s.service, digest: hex.EncodeToString(digest.Sum(nil)), at: at,
		headers: [][2]string{
			{"content-type", req.Header.Get("Content-Type")}, {"host", req.Host}, {"x-tc-action", req.Header.Get(headerAction)},
		},
	}
	req.Header.Set("Authorization", what.authorization(id, key))
	return nil
}

// again copies a request; the copy shares the body's bytes.
func again(req *http.Request) (*http.Request, error) {
	body, err := req.GetBody()
	if err != nil {
		return nil, &provider.Error{Class: provider.ClassServerError, Cause: err}
	}
	c := req.Clone(req.Context())
	c.Body = body
	return c, nil
}
