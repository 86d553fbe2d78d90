// Package feature_test drives the real table, router, adapters and proxy without a cluster: objects in, HTTP behaviour out. The
// vendors are the strict simulators of test/sim.
package feature_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway"
	"vipcloud.ai/vipcloud/gateway/apikey"
	"vipcloud.ai/vipcloud/gateway/keyring"
	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/provider/all"
	"vipcloud.ai/vipcloud/gateway/table"
	"vipcloud.ai/vipcloud/test/sim"
)

// Namespaces and keys of the tests.
const (
	system    = "vipcloud-system"
	shop      = "shop"
	testKey   = "vc-sk-0123456789abcdefghijklmnopqrstuvwxyzABCD"
	otherKey  = "vc-sk-9876543210abcdefghijklmnopqrstuvwxyzABCD"
	patience  = 10 * time.Second
	shortWait = 5 * time.Millisecond
)

// env is a running gateway with simulated vendors.
type env struct {
	t        *testing.T
	server   *gateway.Server
	registry *prometheus.Registry
	base     string
	vendors  *sim.Server
	log      *logBuffer
	stop     func()

	input    table.Input
	forgiven int
}

// option changes the gateway's options.
type option func(*gateway.Options)

// newEnv starts a gateway that serves nothing yet, and the vendors.
func newEnv(t *testing.T, opts ...option) *env {
	t.Helper()
	return newEnvWith(t, sim.Options{}, opts...)
}

// newEnvWith is newEnv with vendors of another kind.
func newEnvWith(t *testing.T, vendors sim.Options, opts ...option) *env {
	t.Helper()
	e := &env{t: t, vendors: sim.NewServer(vendors), log: &logBuffer{}, registry: prometheus.NewRegistry()}
	upstreams := serveOn(t, e.vendors)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := gateway.Options{
		Listener: l, Adapters: all.Adapters(), Registry: e.registry, DrainDelay: -1, DrainTimeout: patience,
		AccessLog: slog.New(slog.NewJSONHandler(e.log, nil)), Log: slog.New(slog.NewJSONHandler(e.log, nil)),
	}
	for _, opt := range opts {
		opt(&o)
	}
	if e.server, err = gateway.New(o); err != nil {
		t.Fatal(err)
	}
	e.base = "http://" + l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.server.Run(ctx) }()
	var once sync.Once
	e.stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("gateway: %v", err)
			}
		})
	}
	t.Cleanup(e.stop)
	e.input = table.Input{
		Instance:         &v1alpha1.GatewayInstance{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: "default"}},
		CredentialStates: map[types.NamespacedName]table.CredentialState{},
		Providers:        table.Providers{},
	}
	for name, a := range all.Adapters() {
		e.input.Providers[v1alpha1.Provider(name)] = a.Info
	}
	for _, v := range slices.Concat(sim.Vendors(), sim.MediaVendors()) {
		_, served := e.input.Providers[v1alpha1.Provider(v)]
		if name := strings.ToLower(string(v)); served && !slices.ContainsFunc(e.input.Credentials, func(c *v1alpha1.ProviderCredential) bool { return c.Name == name }) {
			e.credential(name, v, upstreams)
		}
	}
	ring, err := keyring.New()
	if err != nil {
		t.Fatal(err)
	}
	e.server.KeyRing().Set(ring)
	return e
}

// serveOn serves the simulators until the test ends.
func serveOn(t *testing.T, vendors *sim.Server) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = sim.Serve(ctx, l, vendors)
	}()
	t.Cleanup(func() { cancel(); <-done })
	return "http://" + l.Addr().String()
}

// credential adds a credential of the system's namespace that leads to a simulator.
func (e *env) credential(name string, v sim.Vendor, vendors string) *v1alpha1.ProviderCredential {
	c := &v1alpha1.ProviderCredential{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: name}}
	c.Spec = v1alpha1.ProviderCredentialSpec{
		Provider: v1alpha1.Provider(v), Endpoint: vendors + e.vendors.Prefix(v), AllowInsecure: true, AllowPrivate: true,
		SecretRef: v1alpha1.LocalObjectReference{Name: v1alpha1.ObjectName(name)},
	}
	if v == sim.OpenAI {
		c.Spec.Endpoint += "/v1"
	}
	e.input.Credentials = append(e.input.Credentials, c)
	entries := map[string]table.Secret{}
	for entry, value := range e.vendors.Secrets(v) {
		entries[entry] = table.NewSecret(value)
	}
	e.input.CredentialStates[types.NamespacedName{Namespace: system, Name: name}] = table.CredentialState{Entries: entries}
	return c
}

// route adds a route with one target for each credential named, in tiers of one.
func (e *env) route(model, upstream string, credentials ...string) *v1alpha1.ModelRoute {
	r := &v1alpha1.ModelRoute{ObjectMeta: metav1.ObjectMeta{
		Namespace: system, Name: strings.ToLower(strings.NewReplacer("/", "-", ".", "-").Replace(model)), CreationTimestamp: metav1.Unix(1, 0),
	}}
	r.Spec.Model = v1alpha1.ModelName(model)
	for i, c := range credentials {
		priority := int32(i)
		r.Spec.Targets = append(r.Spec.Targets, v1alpha1.Target{
			Name: fmt.Sprintf("t%d", i), Credential: v1alpha1.ObjectReference{Name: v1alpha1.ObjectName(c)}, Model: upstream, Priority: &priority,
		})
	}
	e.input.Routes = append(e.input.Routes, r)
	return r
}

// key adds an API key of a namespace, held to what the instance says of all keys now.
func (e *env) key(namespace, name, plaintext string, change func(*v1alpha1.ApiKeySpec)) {
	e.t.Helper()
	k := &v1alpha1.ApiKey{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	if change != nil {
		change(&k.Spec)
	}
	k.Status.Gateway = &v1alpha1.ObjectReference{Namespace: system, Name: "default"}
	k.Status.Prefix = apikey.Prefix(plaintext)
	k.Status.Hashes = []v1alpha1.KeyHash{{SHA256: apikey.Sum(plaintext).String()}}
	compiled := table.CompileKey(k, types.NamespacedName{Namespace: system, Name: "default"})
	if compiled == nil {
		e.t.Fatalf("key %s/%s is not accepted", namespace, name)
	}
	effective, problem := table.CompileKeyRules(e.input.Instance).Apply(compiled)
	if problem != nil {
		e.t.Fatalf("key %s/%s is not accepted: %s", namespace, name, problem.Message)
	}
	e.server.Keys().Put(effective)
}

// apply serves what was declared, and fails if a finding stands in its way.
func (e *env) apply() {
	e.t.Helper()
	for _, f := range e.server.Apply(e.input) {
		if !f.Status && f.Severity != table.Info {
			e.t.Errorf("finding: %s %s %s: %s", f.Object, f.Type, f.Reason, f.Message)
		}
	}
}

// forgive makes the gateway forget what requests showed of its targets: every credential is changed in what does not matter here.
func (e *env) forgive() {
	e.t.Helper()
	e.forgiven++
	for _, c := range e.input.Credentials {
		c.Spec.Headers = map[string]v1alpha1.HeaderValue{"X-Change": v1alpha1.HeaderValue(strconv.Itoa(e.forgiven))}
	}
	e.apply()
}

// simple is an environment with one DeepSeek route, deepseek-v4-pro, and one key that may use everything.
func simple(t *testing.T, opts ...option) *env {
	t.Helper()
	e := newEnv(t, opts...)
	e.route("deepseek-v4-pro", "deepseek-v4-pro", "deepseek")
	e.key(shop, "shop", testKey, nil)
	e.apply()
	return e
}

// do sends a request with the test's key and returns the response, whose body is closed at the test's end.
func (e *env) do(method, path, body string, header ...string) *http.Response {
	e.t.Helper()
	req, err := http.NewRequestWithContext(e.t.Context(), method, e.base+path, strings.NewReader(body))
	if err != nil {
		e.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+testKey)
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		if req.Header.Del(header[i]); header[i+1] != "" {
			req.Header.Set(header[i], header[i+1])
		}
	}
	resp, err := client.Do(req)
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

// client never follows redirects: the gateway must not send any.
var client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// chat is a chat request.
func chat(model, prompt string, extra ...string) string {
	members := append([]string{
		`"model":` + quote(model), `"messages":[{"role":"user","content":` + quote(prompt) + `}]`,
	}, extra...)
	return "{" + strings.Join(members, ",") + "}"
}

// quote is JSON's.
func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// read returns the whole body.
func read(t *testing.T, resp *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("reading body: %v (got %q)", err, b)
	}
	return string(b)
}

// envelope is the error envelope.
type envelope struct {
	Error struct {
		Message, Type string
		Code, Param   *string
	}
}

// wantError checks status, type and code of an error.
func wantError(t *testing.T, resp *http.Response, status int, typ, code string) envelope {
	t.Helper()
	body := read(t, resp)
	var e envelope
	if err := json.Unmarshal([]byte(body), &e); err != nil {
		t.Fatalf("status %d, body is no envelope: %q", resp.StatusCode, body)
	}
	gotCode := ""
	if e.Error.Code != nil {
		gotCode = *e.Error.Code
	}
	if resp.StatusCode != status || e.Error.Type != typ || gotCode != code {
		t.Errorf("got %d %s/%s (%s), want %d %s/%s", resp.StatusCode, e.Error.Type, gotCode, e.Error.Message, status, typ, code)
	}
	if resp.Header.Get("X-Request-Id") == "" {
		t.Error("no x-request-id on an error")
	}
	if ct := resp.Header.Get("Content-Type"); ct != "application/json" {
		t.Errorf("content type of an error is %q", ct)
	}
	return e
}

// eventually polls until a condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("not so in time: %s", what)
		}
		<-time.After(shortWait)
	}
}

// events splits a stream into the data of its events; an event that lacks its empty line fails the test.
func events(t *testing.T, stream string) []string {
	t.Helper()
	if stream != "" && !strings.HasSuffix(stream, "\n\n") {
		t.Errorf("stream does not end with an empty line: …%q", stream[max(0, len(stream)-40):])
	}
	var out []string
	for block := range strings.SplitSeq(strings.TrimSuffix(stream, "\n\n"), "\n\n") {
		for line := range strings.SplitSeq(block, "\n") {
			switch {
			case strings.HasPrefix(line, "data: "):
				out = append(out, strings.TrimPrefix(line, "data: "))
			case strings.HasPrefix(line, ":"), line == "":
			default:
				t.Errorf("line %q is neither data nor a comment", line)
			}
		}
	}
	return out
}

// text puts the content of a stream's chunks together.
func text(t *testing.T, stream string) string {
	t.Helper()
	var b strings.Builder
	for _, e := range events(t, stream) {
		var chunk struct {
			Choices []struct{ Delta struct{ Content string } }
		}
		if e == "[DONE]" {
			continue
		}
		if err := json.Unmarshal([]byte(e), &chunk); err != nil {
			t.Errorf("event %q: %v", e, err)
		}
		for _, c := range chunk.Choices {
			b.WriteString(c.Delta.Content)
		}
	}
	return b.String()
}

// logBuffer keeps what was logged.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// String returns everything.
func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// requests returns the access log's lines.
func (b *logBuffer) requests() []map[string]any { return b.lines("Request") }

// lines returns the lines with a message.
func (b *logBuffer) lines(message string) []map[string]any {
	var out []map[string]any
	for line := range strings.SplitSeq(b.String(), "\n") {
		var m map[string]any
		if json.Unmarshal([]byte(line), &m) == nil && m["msg"] == message {
			out = append(out, m)
		}
	}
	return out
}

// ledger waits until a vendor has finished what it works on and returns what it served.
func (e *env) ledger(v sim.Vendor) []sim.Entry {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(e.t.Context(), patience)
	defer cancel()
	if err := e.vendors.Vendor(v).WaitIdle(ctx); err != nil {
		e.t.Fatalf("waiting for %s: %v", v, err)
	}
	return e.vendors.Vendor(v).Ledger()
}

// request waits for the n-th line of the access log and returns it.
func (e *env) request(n int) map[string]any {
	e.t.Helper()
	eventually(e.t, fmt.Sprintf("%d access log lines", n), func() bool { return len(e.log.requests()) >= n })
	return e.log.requests()[n-1]
}

// metrics returns the exposition of all metrics.
func (e *env) metrics() string {
	e.t.Helper()
	var b strings.Builder
	families, err := e.registry.Gather()
	if err != nil {
		e.t.Fatal(err)
	}
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&b, f); err != nil {
			e.t.Fatal(err)
		}
	}
	return b.String()
}

// panicky is an adapter with a bug.
type panicky struct{ provider.Chat }

// NewRequest panics.
func (panicky) NewRequest(context.Context, *provider.Upstream, *provider.ChatRequest) (*http.Request, error) {
	panic("a bug with a secret sk-in-the-panic")
}
