package tencent

import (
	"fmt"
	"mime"
	"net/http"
	"slices"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// maxRequest is what a request signed with TC3 may weigh, in bytes.
const maxRequest = 10_000_000

// product is one API of the cloud.
type product struct {
	name, version string
	actions       map[string]action
	// failures are the codes of the general failures, codes all that are documented.
	failures map[studio.Mode]string
	codes    []string
}

// action is one operation.
type action struct {
	fields []field
	serve  func(*Simulator, *call)
}

// serve answers one API request.
func (s *Simulator) serve(v *studio.Visit) {
	c := &call{Visit: v, id: fmt.Sprintf("5143eaa5-0000-4000-8000-%012x", v.Next())}
	act, p := s.admit(c)
	if p == nil {
		c.in, p = read(v.Body, act.fields)
	}
	if p != nil {
		c.refuse(p)
		return
	}
	act.serve(s, c)
}

// admit checks everything about a request but its body's members.
func (s *Simulator) admit(c *call) (action, *problem) {
	if p := transport(c.R, len(c.Body)); p != nil {
		return action{}, p
	}
	name, p := account{secretID, secretKey}.verify(c.R, c.Body, s.Now())
	if p != nil {
		return action{}, p
	}
	if c.product = s.products[name]; c.product == nil {
		return action{}, refusal(badSignature, "the credential scope names the service %q, which is not at this host", name)
	}
	c.Entry.Model = c.R.Header.Get("X-TC-Action")
	return c.product.choose(c.R.Header)
}

// choose finds the action that the headers name. Whether these products need a region is not documented; their siblings need
// one, and know ap-guangzhou alone.
func (p *product) choose(header http.Header) (action, *problem) {
	for _, name := range []string{"X-TC-Action", "X-TC-Version", "X-TC-Region"} {
		if len(header.Values(name)) != 1 {
			return action{}, refusal(missing, "the header %s is needed once", name)
		}
	}
	name, version, region := header.Get("X-TC-Action"), header.Get("X-TC-Version"), header.Get("X-TC-Region")
	act, ok := p.actions[name]
	switch {
	case version != p.version:
		return action{}, refusal("NoSuchVersion", "%s has no version %q", p.name, version)
	case !ok:
		return action{}, refusal("InvalidAction", "%s %s has no action %q", p.name, version, name)
	case region != "ap-guangzhou":
		return action{}, refusal("UnsupportedRegion", "%s is not in %q", p.name, region)
	case !slices.Contains([]string{"", "zh-CN", "en-US"}, header.Get("X-TC-Language")):
		return action{}, refusal(badParameter, "X-TC-Language is zh-CN or en-US")
	}
	return act, nil
}

// transport checks method, path, content type and size. What the vendor says to another path, or to a query on a POST, is not
// documented: both leave the canonical request that a signature covers, so they are refused.
func transport(r *http.Request, size int) *problem {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case r.Method != http.MethodPost:
		return refusal("UnsupportedProtocol", "the method must be POST")
	case r.URL.Path != "/" || r.URL.RawQuery != "":
		return refusal(badParameter, "the address must be / without a query")
	case err != nil || mediaType != "application/json":
		return refusal(badParameter, "the Content-Type must be application/json")
	case size > maxRequest:
		return refusal("FailedOperation.RequestEntityTooLarge", "the request is larger than 10 MB")
	}
	return nil
}
