package providertest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"vipcloud.ai/vipcloud/gateway/openai"
	"vipcloud.ai/vipcloud/gateway/provider"
)

// settings are what a fixture of a request says of the upstream.
type settings struct {
	Model     string            `json:"model"`
	Endpoint  string            `json:"endpoint"`
	Header    map[string]string `json:"header"`
	Defaults  []parameter       `json:"defaults"`
	Overrides []parameter       `json:"overrides"`
	Drop      []string          `json:"drop"`
}

// parameter is a member that the admin sets.
type parameter struct {
	Name  string          `json:"name"`
	Value json.RawMessage `json:"value"`
}

// upstream makes the upstream that the settings describe.
func (s *suite) upstream(set settings) *provider.Upstream {
	up := &provider.Upstream{
		Endpoint:   s.fx.Endpoint,
		Model:      set.Model,
		Secrets:    map[string]provider.Secret{"api-key": provider.NewSecret(secretKey + "\n")},
		Header:     http.Header{},
		Parameters: provider.Parameters{Drop: set.Drop},
	}
	if set.Endpoint != "" {
		up.Endpoint = set.Endpoint
	}
	for name, value := range set.Header {
		up.Header.Set(name, value)
	}
	for _, p := range set.Defaults {
		up.Parameters.Defaults = append(up.Parameters.Defaults, provider.Parameter(p))
	}
	for _, p := range set.Overrides {
		up.Parameters.Overrides = append(up.Parameters.Overrides, provider.Parameter(p))
	}
	return up
}

// requests checks what is sent for what clients send.
func (s *suite) requests(t *testing.T) {
	s.each(t, "requests", func(t *testing.T, d *document) {
		var set settings
		if err := json.Unmarshal([]byte(d.must(t, "upstream")), &set); err != nil {
			t.Fatalf("reading the settings: %v", err)
		}
		req, body, err := s.send(t, s.upstream(set), d.must(t, "client"))
		if err != nil {
			d.golden(t, "sent", "")
			d.golden(t, "refused", refusal(t, err))
			return
		}
		d.golden(t, "refused", "")
		d.golden(t, "sent", describe(req, body))
	})
}

// send makes the request for a client's body, and checks what holds for all: it can be replayed, its length is right, the
// client's bytes stay as they were, and the key is where it belongs alone.
func (s *suite) send(t *testing.T, up *provider.Upstream, client string) (*http.Request, []byte, error) {
	t.Helper()
	raw := []byte(client)
	before := sha256.Sum256(raw)
	object, err := openai.ParseObject(raw)
	if err != nil {
		t.Fatalf("parsing the client's body: %v", err)
	}
	stream, _ := object.Get("stream")
	req, err := s.chat.NewRequest(t.Context(), up, &provider.ChatRequest{
		Body: object, PublicModel: publicModel, Stream: string(stream) == "true",
	})
	if sha256.Sum256(raw) != before {
		t.Errorf("the client's bytes were changed to %s", raw)
	}
	if err != nil {
		return nil, nil, err
	}
	body := readAll(t, req.Body)
	if !json.Valid(body) {
		t.Errorf("the body is not JSON: %s", body)
	}
	if req.ContentLength != int64(len(body)) {
		t.Errorf("ContentLength = %d, want %d", req.ContentLength, len(body))
	}
	for range 2 {
		again, err := req.GetBody()
		if err != nil {
			t.Fatalf("replaying the body: %v", err)
		}
		if got := readAll(t, again); !bytes.Equal(got, body) {
			t.Errorf("replayed body = %s, want %s", got, body)
		}
	}
	if req.Context() == context.Background() {
		t.Error("the request does not carry the caller's context")
	}
	if strings.Contains(req.URL.String()+string(body), secretKey) {
		t.Error("the key is in the address or the body")
	}
	return req, body, nil
}

// refusal describes the error of a request that the adapter refuses.
func refusal(t *testing.T, err error) string {
	t.Helper()
	e, ok := errors.AsType[*provider.Error](err)
	if !ok || e.Class != provider.ClassInvalidRequest {
		t.Fatalf("error = %v, want one of class invalid_request", err)
	}
	noSecret(t, e)
	return fmt.Sprintf("%s: %s", e.Param, e.Message)
}

// describe renders a request with the key replaced.
func describe(req *http.Request, body []byte) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", req.Method, req.URL)
	names := make([]string, 0, len(req.Header))
	for name := range req.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&b, "%s: %s\n", name, strings.ReplaceAll(strings.Join(req.Header[name], ", "), secretKey, "<key>"))
	}
	fmt.Fprintf(&b, "\n%s", body)
	return b.String()
}

// parameters checks who has the last word on a member: defaults yield to the client, overrides and drops do not.
func (s *suite) parameters(t *testing.T) {
	t.Parallel()
	one, two, three := json.RawMessage("1"), json.RawMessage("2"), json.RawMessage("3")
	up := s.upstream(settings{Model: "upstream-model"})
	up.Parameters = provider.Parameters{
		Defaults: []provider.Parameter{
			{Name: "x_absent", Value: one}, {Name: "x_null", Value: one}, {Name: "x_sent", Value: one}, {Name: "x_default", Value: one},
			{Name: "x_dropped", Value: one},
		},
		Overrides: []provider.Parameter{{Name: "x_override", Value: three}, {Name: "x_default", Value: three}},
		Drop:      []string{"x_dropped", "x_never"},
	}
	client := `{"model":"public-model","messages":[{"role":"user","content":"hi","x_part":{"a":[1,2]}}],` +
		`"x_sent":2,"x_null":null,"x_override":2,"x_dropped":2,"x_unknown":{"deep":[true]}}`
	_, body, err := s.send(t, up, client)
	if err != nil {
		t.Fatalf("NewRequest() error = %v", err)
	}
	got, err := openai.ParseObject(body)
	if err != nil {
		t.Fatalf("parsing the body: %v", err)
	}
	want := map[string]string{
		"model": `"upstream-model"`, "x_absent": string(one), "x_null": string(one), "x_sent": string(two), "x_default": string(three),
		"x_override": string(three), "x_dropped": "", "x_unknown": `{"deep":[true]}`,
		"messages": `[{"role":"user","content":"hi","x_part":{"a":[1,2]}}]`, "stream_options": "",
	}
	for name, value := range want {
		if raw, _ := got.Get(name); string(raw) != value {
			t.Errorf("member %s = %s, want %s", name, raw, value)
		}
	}
}

// readAll reads a body to its end.
func readAll(t *testing.T, r io.ReadCloser) []byte {
	t.Helper()
	body, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("reading a body: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Fatalf("closing a body: %v", err)
	}
	return body
}

// noSecret checks that an error shows the key nowhere.
func noSecret(t *testing.T, e *provider.Error) {
	t.Helper()
	if strings.Contains(fmt.Sprintf("%v %+v %s %s", e, *e, e.Message, e.Code), secretKey) {
		t.Error("the key is in the error")
	}
}
