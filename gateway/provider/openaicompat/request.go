package openaicompat

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"vipcloud.ai/vipcloud/gateway/openai"
	"vipcloud.ai/vipcloud/gateway/provider"
)

// userAgent names the gateway. A content delivery network in front of one vendor refuses the default names of libraries.
const userAgent = "vipcloud"

// NewRequest implements provider.Chat. Members are changed in this order: the admin's defaults, the vendor's quirks, the
// admin's overrides and drops; then the vendor's refusals are checked, so that the admin can avoid them.
func (a *adapter) NewRequest(ctx context.Context, up *provider.Upstream, in *provider.ChatRequest) (*http.Request, error) {
	d := &draft{Edit: in.Body.Edit(), model: up.Model, public: in.PublicModel, endpoint: up.Endpoint}
	for _, p := range up.Parameters.Defaults {
		if !d.given(p.Name) {
			d.Set(p.Name, p.Value)
		}
	}
	if a.quirks.prepare != nil {
		a.quirks.prepare(d)
	}
	for _, p := range up.Parameters.Overrides {
		d.Set(p.Name, p.Value)
	}
	for _, name := range up.Parameters.Drop {
		d.Delete(name)
	}
	if a.quirks.check != nil {
		if err := a.quirks.check(d); err != nil {
			return nil, err
		}
	}
	d.SetString("model", d.model)
	a.setStream(d, in.Stream)
	return a.newCall(ctx, up, d, in.Stream)
}

// setStream makes stream and stream_options what the call needs, whatever the client sent.
func (a *adapter) setStream(d *draft, stream bool) {
	if raw, ok := d.Get("stream"); (ok && string(raw) == "true") != stream {
		if stream {
			d.Set("stream", []byte("true"))
		} else {
			d.Delete("stream")
		}
	}
	if !stream || a.quirks.usageUnasked {
		// Vendors refuse stream_options without a stream.
		d.Delete("stream_options")
		return
	}
	d.Set("stream_options", streamOptions(d, a.quirks.paddingPasses))
}

// streamOptions asks for usage and keeps what else the client wants of its stream.
func streamOptions(d *draft, padding bool) []byte {
	raw, _ := d.Get("stream_options")
	options, err := openai.ParseObject(raw)
	if err != nil {
		return []byte(`{"include_usage":true}`)
	}
	e := options.Edit()
	e.Set("include_usage", []byte("true"))
	if !padding {
		e.Delete("include_obfuscation")
	}
	return e.Body().Bytes()
}

// newCall wraps the body into a request that can be replayed.
func (a *adapter) newCall(ctx context.Context, up *provider.Upstream, d *draft, stream bool) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.quirks.url(up.Endpoint, d.model), nil)
	if err != nil {
		return nil, &provider.Error{Class: provider.ClassNetwork, Code: "invalid_endpoint", Cause: withoutURL(err)}
	}
	body := d.Body()
	req.ContentLength = body.Len()
	req.Body = body.NewReader()
	req.GetBody = func() (io.ReadCloser, error) { return body.NewReader(), nil }
	a.setHeader(req.Header, up, stream)
	return req, nil
}

// setHeader fills the header: what the admin adds, what the protocol needs, and the key, which nothing replaces.
func (a *adapter) setHeader(h http.Header, up *provider.Upstream, stream bool) {
	h.Set("User-Agent", userAgent)
	for name, values := range up.Header {
		h[http.CanonicalHeaderKey(name)] = values
	}
	h.Set("Content-Type", "application/json")
	if stream {
		h.Set("Accept", "text/event-stream")
	} else {
		h.Set("Accept", "application/json")
	}
	// Secrets made by hand often end with a line feed. Upstreams of one's own may need no key at all.
	key := strings.TrimSpace(up.Secrets[keyEntry].Reveal())
	switch {
	case key == "":
	case a.quirks.keyHeader != "":
		h.Set(a.quirks.keyHeader, key)
	default:
		h.Set("Authorization", "Bearer "+key)
	}
}

// url is the address of the vendor's chat completions. An endpoint that leads to an API already, such as that of a plan, keeps
// its path.
func (q *quirks) url(endpoint, model string) string {
	endpoint = strings.TrimRight(endpoint, "/")
	base := ""
	if !q.hasBase(endpoint) {
		base = q.base(model)
	}
	return endpoint + base + "/chat/completions"
}

// hasBase says whether an endpoint ends with the path of an API: a version like /v1, or an ending that the vendor is known for.
func (q *quirks) hasBase(endpoint string) bool {
	for _, b := range q.bases {
		if strings.HasSuffix(endpoint, b) {
			return true
		}
	}
	_, address, _ := strings.Cut(endpoint, "://")
	slash := strings.LastIndexByte(address, '/')
	if slash < 0 {
		return false
	}
	last := address[slash+1:]
	return len(last) > 1 && last[0] == 'v' && skipDigits([]byte(last), 1) == len(last)
}

// withoutURL unwraps an error that quotes an address.
func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
