package chaos_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vipcloud.ai/vipcloud/gateway/apikey"
	"vipcloud.ai/vipcloud/gateway/keyring"
	"vipcloud.ai/vipcloud/test/sim"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

// Keys of the one client, before and after its rotation.
const (
	firstKey  = "vc-sk-0123456789abcdefghijklmnopqrstuvwxyzABCD"
	secondKey = "vc-sk-9876543210abcdefghijklmnopqrstuvwxyzABCD"
)

// owner is the ApiKey that all jobs belong to.
const owner = "shop/web"

const (
	// patience is how long anything may take that is waited for.
	patience = 2 * time.Minute
	// taskStep is how long a task is queued, and again how long it runs. It is long beside the time between two calls of one
	// cancellation, as it is at the real vendor.
	taskStep = 500 * time.Millisecond
)

// world is a vendor, the directories that gateways share, and the gateways.
type world struct {
	t        *testing.T
	binary   string
	vendor   *studio.Studio
	weather  *weather
	address  string
	dir      string
	state    string
	replicas []*replica
	http     *http.Client
}

// newWorld starts the vendor and writes the manifests. No gateway runs yet.
func newWorld(t *testing.T, binary string) *world {
	t.Helper()
	vendors := sim.NewServer(sim.Options{TaskStep: taskStep, KeepBodies: true})
	w := &world{
		t: t, binary: binary, vendor: vendors.Media(sim.Ark), dir: filepath.Join(t.TempDir(), "manifests"),
		state: filepath.Join(t.TempDir(), "state"), http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
	}
	w.weather = newWeather(t, vendors, w.vendor)
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: w.weather, ReadHeaderTimeout: patience}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(l) // closed below
	}()
	t.Cleanup(func() { w.http.CloseIdleConnections(); _ = srv.Close(); <-done })
	w.address = "http://" + l.Addr().String()
	if err := os.MkdirAll(w.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	w.write(filepath.Join(w.dir, "models.yaml"), models(w.address+vendors.Prefix(sim.Ark), vendors.Secrets(sim.Ark)["api-key"]))
	w.accept(firstKey)
	return w
}

// models declares a video and an image model. Each has two accounts of the vendor, of which the second one is a trap for what is paid and
// sent twice.
func models(endpoint, key string) string {
	route := func(name, modality, price, upstream string) string {
		return fmt.Sprintf(`---
apiVersion: vipcloud.ai/v1alpha1
kind: ModelRoute
metadata: {name: %[1]s, namespace: vipcloud-system}
spec:
  modality: %[2]s
  pricing: {currency: USD, %[3]s}
  timeouts: {response: 5m, total: 10m} # a busy machine is none of the failures that are looked for
  targets:
  - {name: a, credential: {name: ark-a}, model: %[4]s, priority: 0}
  - {name: b, credential: {name: ark-b}, model: %[4]s, priority: 1}
`, name, modality, price, upstream)
	}
	credential := func(name string) string {
		return fmt.Sprintf(`---
apiVersion: vipcloud.ai/v1alpha1
kind: ProviderCredential
metadata: {name: %s, namespace: vipcloud-system}
spec: {provider: Ark, endpoint: %q, allowInsecure: true, allowPrivate: true, secretRef: {name: ark}}
`, name, endpoint)
	}
	return fmt.Sprintf(`apiVersion: vipcloud.ai/v1alpha1
kind: GatewayInstance
metadata: {name: default, namespace: vipcloud-system}
---
apiVersion: v1
kind: Secret
metadata: {name: ark, namespace: vipcloud-system}
stringData: {api-key: %q}
`, key) + credential("ark-a") + credential("ark-b") +
		route("film", "Video", fmt.Sprintf("perSecond: %q", perSecond), "doubao-seedance-2-0-260128") +
		route("picture", "Image", fmt.Sprintf("perImage: %q", perImage), "doubao-seedream-4-5-251128")
}

// accept declares which keys of the client are valid.
func (w *world) accept(keys ...string) {
	w.t.Helper()
	hashes := make([]string, len(keys))
	for i, k := range keys {
		hashes[i] = "{sha256: " + apikey.Sum(k).String() + "}"
	}
	w.write(filepath.Join(w.dir, "key.yaml"), fmt.Sprintf(`apiVersion: vipcloud.ai/v1alpha1
kind: ApiKey
metadata: {name: web, namespace: shop}
spec:
  gatewayRef: {name: default, namespace: vipcloud-system}
  source: {type: Hashes, hashes: [%s]}
`, strings.Join(hashes, ", ")))
}

// ringFile is where the gateways keep the ring that ids are sealed with.
func (w *world) ringFile() string { return filepath.Join(w.state, keyring.Entry) }

// ring reads it.
func (w *world) ring() keyring.Ring {
	w.t.Helper()
	text, err := os.ReadFile(w.ringFile())
	if err != nil {
		w.t.Fatal(err)
	}
	ring, err := keyring.Parse(text)
	if err != nil {
		w.t.Fatal(err)
	}
	return ring
}

// write puts a file in place as a whole.
func (w *world) write(path, text string) {
	w.t.Helper()
	if err := os.WriteFile(path+".tmp", []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		w.t.Fatal(err)
	}
}

// eventually polls until a condition holds.
func (w *world) eventually(what string, holds func() bool) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			w.t.Fatalf("not so in time: %s", what)
		case <-ticker.C:
		}
	}
}
