// Package sdk_test calls a gateway with the official Go SDK, in one process: the gateway, its manifests and the simulated vendors
// are the real ones. The cases are those that test/conformance runs with the other languages' SDKs, from the same files.
package sdk_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/ssestream"
	"github.com/prometheus/client_golang/prometheus"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway"
	"vipcloud.ai/vipcloud/gateway/provider/all"
	"vipcloud.ai/vipcloud/gateway/source"
	"vipcloud.ai/vipcloud/gateway/source/manifests"
	"vipcloud.ai/vipcloud/gateway/table"
	"vipcloud.ai/vipcloud/hack/dev/samples"
	"vipcloud.ai/vipcloud/test/sim"
)

const (
	general  = "conformance/general:v1"
	deepseek = "deepseek-v4-pro"
	// canned is what simulated vendors say when a prompt asks for nothing else.
	canned = "Hello! 你好，世界 🌏"
	// patience bounds every wait.
	patience = 20 * time.Second
	// taskStep is how long a simulated video or song is queued, and again how long it is made.
	taskStep = 100 * time.Millisecond
)

// Where manifests are.
const (
	quickstart  = "../../config/samples/quickstart"
	catalog     = "../../config/samples/catalog"
	conformance = "../conformance/manifests"
)

// world is a running gateway with its vendors.
type world struct {
	base     string
	vendors  *sim.Server
	registry *prometheus.Registry
	keys     map[string]string
}

// newWorld starts the vendors, the gateway and its manifests, the quickstart's and what the suites add to it and what lies below more roots,
// and ends all of them with the test.
func newWorld(t *testing.T, more ...string) *world {
	t.Helper()
	w := &world{vendors: sim.NewServer(sim.Options{TaskStep: taskStep}), registry: prometheus.NewRegistry()}
	vendors := listen(t)
	run(t, func(ctx context.Context) error { return sim.Serve(ctx, vendors, w.vendors) })
	api := listen(t)
	w.base = "http://" + api.Addr().String() + "/v1"
	quiet := slog.New(slog.DiscardHandler)
	server, err := gateway.New(gateway.Options{
		Listener: api, Adapters: all.Adapters(), Registry: w.registry, AccessLog: quiet, Log: quiet, DrainDelay: -1, DrainTimeout: patience,
	})
	if err != nil {
		t.Fatal(err)
	}
	providers := table.Providers{}
	for name, a := range all.Adapters() {
		providers[v1alpha1.Provider(name)] = a.Info
	}
	dir := t.TempDir()
	hosted := &samples.Vendors{Server: w.vendors, URL: "http://" + vendors.Addr().String()}
	if err := samples.Write(dir, hosted, append([]string{quickstart, conformance}, more...)...); err != nil {
		t.Fatal(err)
	}
	src, err := manifests.New(manifests.Options{
		Dir: dir, StateDir: t.TempDir(), Providers: providers, Logger: quiet,
		Sink: source.Sink{Table: func(in table.Input) { server.Apply(in) }, Keys: server.Keys(), KeyRing: server.KeyRing().Set},
	})
	if err != nil {
		t.Fatal(err)
	}
	if p := src.Problems(); len(p) > 0 {
		t.Fatalf("manifests have problems: %v", p)
	}
	run(t, src.Run)
	run(t, server.Run)
	select {
	case <-src.Synced():
	case <-time.After(patience):
		t.Fatal("manifests are not served in time")
	}
	w.readKeys(t, src.GeneratedKeys())
	return w
}

// listen opens a port of its own.
func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// run keeps something running until the test ends.
func run(t *testing.T, f func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("ending: %v", err)
		}
	})
}

// readKeys learns the keys that the manifests hold as hashes, and the one that was generated.
func (w *world) readKeys(t *testing.T, generated []manifests.GeneratedKey) {
	t.Helper()
	w.keys = load[map[string]string](t, "keys")
	for _, k := range generated {
		data, err := os.ReadFile(k.Path)
		if err != nil {
			t.Fatal(err)
		}
		w.keys["environment"] = strings.TrimSpace(string(data))
	}
}

// load reads cases that all languages share.
func load[T any](t *testing.T, name string) T {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "conformance", "cases", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// client calls the gateway with a key by its name, and repeats nothing unless asked to.
func (w *world) client(key string, opts ...option.RequestOption) openai.Client {
	if key == "" {
		key = "main"
	}
	opts = append([]option.RequestOption{option.WithBaseURL(w.base), option.WithAPIKey(w.keys[key]), option.WithMaxRetries(0)}, opts...)
	return openai.NewClient(opts...)
}

// calls notes every request that an SDK really makes.
type calls struct {
	mu    sync.Mutex
	at    []time.Time
	retry []string
}

// option puts the notes into a client.
func (c *calls) option() option.RequestOption {
	return option.WithMiddleware(func(r *http.Request, next option.MiddlewareNext) (*http.Response, error) {
		c.mu.Lock()
		c.at = append(c.at, time.Now())
		c.retry = append(c.retry, r.Header.Get("X-Stainless-Retry-Count"))
		c.mu.Unlock()
		return next(r)
	})
}

// ask is a request with one message of a user.
func ask(model, prompt string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{Model: model, Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(prompt)}}
}

// collect reads a stream to its end.
func collect(stream *ssestream.Stream[openai.ChatCompletionChunk]) (chunks []openai.ChatCompletionChunk, err error) {
	for stream.Next() {
		chunks = append(chunks, stream.Current())
	}
	return chunks, errors.Join(stream.Err(), stream.Close())
}

// textOf joins what chunks say.
func textOf(chunks []openai.ChatCompletionChunk) string {
	var b strings.Builder
	for _, c := range chunks {
		if len(c.Choices) > 0 {
			b.WriteString(c.Choices[0].Delta.Content)
		}
	}
	return b.String()
}

// wantIdle waits until nothing is served any more, by the gateway or by a vendor: nothing that a client left behind goes on.
func (w *world) wantIdle(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := w.vendors.WaitIdle(ctx); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for w.gauge(t, "vipcloud_requests_in_flight")+w.gauge(t, "vipcloud_streams_in_flight") > 0 {
		select {
		case <-ctx.Done():
			t.Fatal("requests stay in flight")
		case <-tick.C:
		}
	}
}

// gauge reads a metric without labels.
func (w *world) gauge(t *testing.T, name string) float64 {
	t.Helper()
	families, err := w.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}
