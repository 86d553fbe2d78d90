package manifests

import (
	"cmp"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/utils/clock"

	"vipcloud.ai/vipcloud/gateway/keyring"
	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/source"
	"vipcloud.ai/vipcloud/gateway/table"
)

// sink remembers what was published last.
type sink struct {
	mu     sync.Mutex
	input  table.Input
	tables int
	keys   []*table.Key
	calls  int
	rings  []keyring.Ring
}

// keyRing implements source.Sink.KeyRing.
func (s *sink) keyRing(ring keyring.Ring) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rings = append(s.rings, ring)
}

// Replace implements source.Keys.
func (s *sink) Replace(keys []*table.Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys, s.calls = keys, s.calls+1
}

// Put implements source.Keys.
func (s *sink) Put(*table.Key) { panic("not used") }

// Delete implements source.Keys.
func (s *sink) Delete(string, string) { panic("not used") }

// table implements source.Sink.Table.
func (s *sink) table(in table.Input) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.input, s.tables = in, s.tables+1
}

// models lists the public names that are served.
func (s *sink) models() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	built, _ := table.Build(s.input)
	models := []string{}
	for _, r := range built.Routes() {
		models = append(models, r.Model)
	}
	return models
}

// key returns a key that is served, or nil.
func (s *sink) key(id string) *table.Key {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.keys, func(k *table.Key) bool { return k.ID() == id })
	if i < 0 {
		return nil
	}
	return s.keys[i]
}

// testProviders are enough for the samples of this package.
func testProviders() table.Providers {
	return table.Providers{"DeepSeek": provider.Info{
		Name: "DeepSeek", Regions: []provider.Region{{Name: "cn", Endpoint: "https://api.deepseek.com"}}, Entries: [][]string{{"api-key"}}, Modalities: []provider.Modality{provider.ModalityChat},
	}}
}

// fixture is a directory with manifests, one for state, and what came of them.
type fixture struct {
	t          *testing.T
	dir, state string
	sink       *sink
	log        *logBuffer
}

// newFixture makes the directories. Files map names to contents.
func newFixture(t *testing.T, files map[string]string) *fixture {
	t.Helper()
	f := &fixture{t: t, dir: t.TempDir(), state: filepath.Join(t.TempDir(), "state"), sink: &sink{}, log: &logBuffer{}}
	for name, text := range files {
		f.write(name, text)
	}
	return f
}

// write puts a file in place, as a whole.
func (f *fixture) write(name, text string) {
	f.t.Helper()
	path := filepath.Join(f.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(path+".tmp", []byte(text), 0o644); err != nil {
		f.t.Fatal(err)
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		f.t.Fatal(err)
	}
}

// remove deletes a file.
func (f *fixture) remove(name string) {
	f.t.Helper()
	if err := os.Remove(filepath.Join(f.dir, name)); err != nil {
		f.t.Fatal(err)
	}
}

// options are those of the fixture.
func (f *fixture) options(c clock.WithTicker) Options {
	return Options{
		Dir: f.dir, StateDir: f.state, Providers: testProviders(), Clock: c, Logger: slog.New(slog.NewTextHandler(f.log, nil)),
		Sink: source.Sink{Table: f.sink.table, Keys: f.sink, KeyRing: f.sink.keyRing},
	}
}

// open makes a source and publishes once, without watching.
func (f *fixture) open(c clock.WithTicker) *Source {
	f.t.Helper()
	s, err := open(f.options(c), schemas(f.t))
	if err != nil {
		f.t.Fatalf("opening: %v", err)
	}
	s.publish(nil, true)
	return s
}

// run makes a source and runs it until the test ends.
func (f *fixture) run() *Source {
	f.t.Helper()
	s, err := New(f.options(nil))
	if err != nil {
		f.t.Fatalf("New: %v", err)
	}
	done := make(chan error, 1)
	ctx := f.t.Context()
	go func() { done <- s.Run(ctx) }()
	f.t.Cleanup(func() {
		if err := <-done; err != nil {
			f.t.Errorf("Run: %v", err)
		}
	})
	select {
	case <-s.Synced():
	case <-time.After(10 * time.Second):
		f.t.Fatal("not synced after 10 s")
	}
	return s
}

// eventually polls until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("not within 20 s: %s", what)
		}
		<-ticker.C
	}
}

// messages are problems as text, without the directory.
func messages(f *fixture, problems []Problem) []string {
	out := []string{}
	for _, p := range problems {
		out = append(out, strings.ReplaceAll(strings.TrimPrefix(p.String(), realPath(f.dir)+"/"), realPath(f.dir), "DIR"))
	}
	slices.SortFunc(out, cmp.Compare)
	return out
}

// logBuffer collects log lines.
type logBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

// Write implements io.Writer.
func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String returns everything that was logged.
func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

const (
	routeYAML = `apiVersion: vipcloud.ai/v1alpha1
kind: ModelRoute
metadata: {name: deepseek-v4-pro}
spec:
  targets:
  - name: primary
    credential: {name: deepseek}
`
	credentialYAML = `apiVersion: vipcloud.ai/v1alpha1
kind: ProviderCredential
metadata:
  name: deepseek
spec:
  provider: DeepSeek
  secretRef: {name: deepseek}
`
	secretYAML = `apiVersion: v1
kind: Secret
metadata: {name: deepseek}
stringData: {api-key: sk-upstream-secret}
`
	keyYAML = `apiVersion: vipcloud.ai/v1alpha1
kind: ApiKey
metadata: {name: dev}
spec: {}
`
)

// quickstart is the smallest set that serves.
func quickstart() map[string]string {
	return map[string]string{
		"route.yaml": routeYAML, "credential.yaml": credentialYAML, "secret.yaml": secretYAML, "key.yaml": keyYAML,
	}
}
