package providertest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// atelierAdapter is an adapter of the fictional vendor. Each of its flaws is a mistake that a real one could have.
type atelierAdapter struct {
	flaw string
	// later makes images by tasks, each makes every image by a call of its own, shelves fetches results by a second call, and raw
	// asks for audio as it is. None of these is a flaw.
	later, each, shelves, raw bool
	// calls is for an adapter that is not pure.
	calls *int
}

// atelierVendor is how the program knows the vendor.
func atelierVendor(a atelierAdapter) provider.Adapter {
	a.calls = new(int)
	if a.has("no modalities") {
		return provider.Adapter{Image: &atelierImage{a}}
	}
	return provider.Adapter{
		Info: provider.Info{Name: "Atelier", Modalities: []provider.Modality{
			provider.ModalityImage, provider.ModalityVideo, provider.ModalityMusic, provider.ModalitySpeech,
		}},
		Image: &atelierImage{a}, Video: &atelierTasks{a}, Music: &atelierTasks{a}, Speech: &atelierSpeech{a},
	}
}

// has says whether the adapter has a flaw.
func (a *atelierAdapter) has(flaw string) bool { return a.flaw == flaw }

// request makes a signed call.
func (a *atelierAdapter) request(
	ctx context.Context, method, path string, up *provider.Upstream, body provider.Body,
) (*http.Request, error) {
	if a.has("another context") {
		ctx = context.Background()
	}
	address := up.Endpoint + path
	if a.has("key in the address") {
		address += "?key=" + up.Secrets["key-id"].Reveal()
	}
	if body != nil {
		a.finishBody(up, body)
	}
	var document any
	if body != nil {
		document = body
	}
	req, err := provider.NewRequest(ctx, method, address, up, document)
	if err != nil {
		return nil, err
	}
	a.sign(req, up)
	a.spoil(req, up)
	return req, nil
}

// finishBody adds what every body has, and lets the admin have the last word.
func (a *atelierAdapter) finishBody(up *provider.Upstream, body provider.Body) {
	body["model"], body["app"] = up.Model, up.Secrets["app"].Reveal()
	if a.has("key in the body") {
		body["key"] = up.Secrets["key-id"].Reveal()
	}
	if a.has("not pure") {
		*a.calls++
		body["nonce"] = *a.calls
	}
	p := up.Parameters
	if a.has("no overrides") {
		p.Overrides = nil
	}
	if a.has("no drop") {
		p.Drop = nil
	}
	p.Override(body)
	if a.has("the last word") {
		body["model"] = up.Model
	}
}

// sign signs a request.
func (a *atelierAdapter) sign(req *http.Request, up *provider.Upstream) {
	mac := hmac.New(sha256.New, []byte(up.Secrets["secret-key"].Reveal()))
	mac.Write([]byte(req.URL.Path))
	if req.GetBody != nil {
		body, _ := req.GetBody()
		_, _ = io.Copy(mac, body)
	}
	req.Header.Set("X-Atelier-Key", up.Secrets["key-id"].Reveal())
	req.Header.Set("X-Atelier-Sign", hex.EncodeToString(mac.Sum(nil)))
}

// spoil is what flawed adapters do to requests.
func (a *atelierAdapter) spoil(req *http.Request, up *provider.Upstream) {
	switch a.flaw {
	case "the secret key travels":
		req.Header.Set("X-Atelier-Secret", up.Secrets["secret-key"].Reveal())
	case "no replay":
		req.GetBody = nil
	case "replays something else":
		if req.GetBody != nil {
			req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("{}")), nil }
		}
	case "no header of the admin's":
		req.Header.Del(conformanceHeader)
	case "no user agent":
		req.Header.Set("User-Agent", "atelier-go")
	case "another length":
		req.ContentLength++
	case "another host":
		req.Host = "atelier.example"
	case "changes the upstream":
		up.Header.Add("X-More", "1")
	}
}

// atelierError is how the vendor tells of failures.
type atelierError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// error translates one; nothing is told of a failure that nothing is told of.
func (a *atelierAdapter) error(status int, e *atelierError) *provider.Error {
	if e == nil {
		e = &atelierError{Code: "oops"}
	}
	classes := map[string]provider.Class{
		"who": provider.ClassUnauthorized, "poor": provider.ClassNoBalance, "often": provider.ClassRateLimited,
		"many": provider.ClassRateLimited, "busy": provider.ClassOverloaded, "oops": provider.ClassServerError,
		"rude": provider.ClassModeration, "model": provider.ClassModelNotFound,
		"voice": provider.ClassInvalidRequest, "task": provider.ClassInvalidRequest,
	}
	out := &provider.Error{Class: classes[e.Code], Status: status, Code: e.Code, Message: e.Message}
	if e.Code == "voice" && !a.has("voice without a param") {
		out.Param = "voice"
	}
	out.Message = out.Message[:min(len(out.Message), 1024)]
	switch a.flaw {
	case "errors without a status":
		out.Status = 0
	case "one class for all":
		out.Class = provider.ClassServerError
	case "secret in the error":
		out.Message += " key " + atelierKey
	case "long messages":
		out.Message = strings.Repeat(out.Message+" ", 99)
	}
	return out
}

// read reads an answer into a document; what tells of a failure is an error.
func (a *atelierAdapter) read(resp *provider.Response, into any) error {
	body := resp.Body
	if a.has("lenient with what is cut off") {
		body = mend(body)
	}
	var failure struct {
		Error *atelierError `json:"error"`
	}
	bad := json.Unmarshal(body, &failure)
	ok := resp.Status/100 == 2 || a.has("ignores the status")
	switch {
	case bad == nil && failure.Error != nil:
		if a.has("plain errors") {
			return io.ErrUnexpectedEOF
		}
		return a.error(resp.Status, failure.Error)
	case !ok:
		return &provider.Error{Class: provider.ClassServerError, Status: resp.Status}
	case bad != nil && a.has("empty is fine"):
		return nil
	case bad != nil && a.has("blames the client"):
		return &provider.Error{Class: provider.ClassInvalidRequest, Status: resp.Status}
	case bad != nil && a.has("a nil error"):
		return (*provider.Error)(nil)
	case bad != nil:
		return provider.BadResponse(resp.Status, "", "not JSON")
	}
	if a.has("panics where something is missing") {
		var loose map[string]any
		_ = json.Unmarshal(body, &loose)
		_ = loose["images"].([]any)[0].(map[string]any)["size"].(string)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return provider.BadResponse(resp.Status, "", "another shape")
	}
	return nil
}

// mend closes what is open, as a lenient parser does.
func mend(body []byte) []byte {
	for _, tail := range []string{"", "}", "]}", "}]}", `"}`, `"}]}`} {
		if whole := append(bytes.Clone(body), tail...); json.Valid(whole) {
			return whole
		}
	}
	return body
}

// lifetime is how long things live at the vendor's.
const lifetime = 24 * time.Hour
