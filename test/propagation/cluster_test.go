// Package propagation_test runs the operator and several gateways against a real API server and measures how long a change
// takes from kubectl apply to the last replica, and whether a status ever says more than is so.
package propagation_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/controllers"
	"vipcloud.ai/vipcloud/gateway"
	"vipcloud.ai/vipcloud/gateway/keyring"
	"vipcloud.ai/vipcloud/gateway/provider/all"
	"vipcloud.ai/vipcloud/gateway/report"
	"vipcloud.ai/vipcloud/gateway/source"
	"vipcloud.ai/vipcloud/gateway/source/kubernetes"
	"vipcloud.ai/vipcloud/gateway/table"
	"vipcloud.ai/vipcloud/test/sim"
)

const (
	system   = "vipcloud-system"
	tenant   = "tenant"
	squatter = "squatter"
	patience = 60 * time.Second
)

// world is a control plane, an operator and two gateways.
type world struct {
	t        *testing.T
	config   *rest.Config
	client   client.Client
	vendors  *sim.Server
	url      string
	replicas []*replica
}

// replica is a gateway of its own.
type replica struct {
	name string
	base string
	ring *keyring.Holder
}

// newWorld starts everything and declares the default instance and one credential.
func newWorld(t *testing.T) *world {
	t.Helper()
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Fatal("KUBEBUILDER_ASSETS is not set; use make test-propagation")
	}
	log.SetLogger(logr.Discard())
	env := &envtest.Environment{CRDDirectoryPaths: []string{"../../config/crd/bases"}, ErrorIfCRDPathMissing: true}
	cfg, err := env.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = env.Stop() })
	cfg.QPS, cfg.Burst = 2000, 2000
	scheme, err := controllers.NewScheme()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, config: cfg, vendors: sim.NewServer(sim.Options{})}
	if w.client, err = client.New(cfg, client.Options{Scheme: scheme}); err != nil {
		t.Fatal(err)
	}
	w.serveVendors()
	w.startOperator()
	for _, ns := range []string{system, tenant, squatter} {
		w.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}})
	}
	w.create(&v1alpha1.GatewayInstance{
		ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: "default"},
		Spec: v1alpha1.GatewayInstanceSpec{Serves: &v1alpha1.Serves{
			Routes: &v1alpha1.AllowedNamespaces{Namespaces: v1alpha1.NamespaceSelection{From: v1alpha1.NamespacesFromAll}},
		}},
	})
	w.credential(system, "openai", sim.OpenAI)
	for i := range 2 {
		w.replicas = append(w.replicas, w.startReplica(fmt.Sprintf("replica-%d", i)))
	}
	return w
}

// background runs something until the test ends, and waits for it.
func (w *world) background(run func(ctx context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := run(ctx); err != nil && ctx.Err() == nil {
			w.t.Errorf("background: %v", err)
		}
	})
	w.t.Cleanup(func() { cancel(); wg.Wait() })
}

// serveVendors starts the simulators.
func (w *world) serveVendors() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	w.url = "http://" + l.Addr().String()
	w.background(func(ctx context.Context) error { return sim.Serve(ctx, l, w.vendors) })
}

// providers are those of the adapters.
func providers() table.Providers {
	p := table.Providers{}
	for name, a := range all.Adapters() {
		p[v1alpha1.Provider(name)] = a.Info
	}
	return p
}

// startOperator runs the controllers as cmd/vipcloud does.
func (w *world) startOperator() {
	skip := true
	mgr, err := ctrl.NewManager(w.config, ctrl.Options{
		Scheme: w.client.Scheme(), Cache: controllers.CacheOptions(nil), Metrics: metricsserver.Options{BindAddress: "0"},
		Controller: config.Controller{SkipNameValidation: &skip},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := controllers.SetupWithManager(mgr, controllers.Options{Providers: providers(), GatewayImage: "vipcloud:test"}); err != nil {
		w.t.Fatal(err)
	}
	w.background(mgr.Start)
}

// startReplica runs a gateway as cmd/vipcloud does, and returns once it is ready.
func (w *world) startReplica(name string) *replica {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	server, err := gateway.New(gateway.Options{
		Listener: l, Adapters: all.Adapters(), AccessLog: quiet, Log: quiet, DrainDelay: -1, DrainTimeout: time.Second,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	instance := types.NamespacedName{Namespace: system, Name: "default"}
	reporter, err := report.NewReplica(report.ReplicaOptions{Config: w.config, Instance: instance, Name: name, Version: "test", Logger: quiet, Ejected: server.Ejected})
	if err != nil {
		w.t.Fatal(err)
	}
	src, err := kubernetes.New(kubernetes.Options{
		Config: w.config, Instance: instance, Providers: providers(), Logger: quiet,
		Sink: source.Sink{Table: func(in table.Input) { server.Apply(in) }, Keys: server.Keys(), KeyRing: server.KeyRing().Set, Loaded: reporter.Loaded},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	usage, err := report.NewLedger(report.LedgerOptions{
		Config: w.config, Instance: instance, Replica: name, Books: server.Books(), Logger: quiet,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.background(src.Run)
	w.background(reporter.Run)
	w.background(usage.Run)
	w.background(server.Run)
	for _, ready := range []<-chan struct{}{src.Synced(), usage.Synced(), reporter.FirstWritten()} {
		select {
		case <-ready:
		case <-time.After(patience):
			w.t.Fatalf("%s is not ready in time", name)
		}
		reporter.SetReady(true)
	}
	return &replica{name: name, base: "http://" + l.Addr().String(), ring: server.KeyRing()}
}

// create makes an object.
func (w *world) create(o client.Object) {
	w.t.Helper()
	if err := w.client.Create(w.t.Context(), o); err != nil {
		w.t.Fatal(err)
	}
}

// credential makes a credential that leads to a simulator, with its Secret.
func (w *world) credential(namespace, name string, v sim.Vendor) {
	w.t.Helper()
	w.create(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		StringData: map[string]string{"api-key": w.vendors.Vendor(v).Key()},
	})
	endpoint := w.url + w.vendors.Prefix(v)
	if v == sim.OpenAI {
		endpoint += "/v1"
	}
	w.create(&v1alpha1.ProviderCredential{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.ProviderCredentialSpec{
			Provider: v1alpha1.Provider(v), Endpoint: endpoint, AllowInsecure: true, AllowPrivate: true,
			SecretRef: v1alpha1.LocalObjectReference{Name: v1alpha1.ObjectName(name)},
		},
	})
}

// route is a route of a namespace with one target.
func route(namespace, name, credential string) *v1alpha1.ModelRoute {
	return &v1alpha1.ModelRoute{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.ModelRouteSpec{Targets: []v1alpha1.Target{{
			Name: "only", Credential: v1alpha1.ObjectReference{Name: v1alpha1.ObjectName(credential)}, Model: "upstream-model",
		}}},
	}
}

// hashKey is a key whose plaintext the test knows.
func hashKey(namespace, name, plaintext string) *v1alpha1.ApiKey {
	return &v1alpha1.ApiKey{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.ApiKeySpec{Source: &v1alpha1.ApiKeySource{
			Type: v1alpha1.ApiKeySourceHashes, Hashes: []v1alpha1.KeyHash{{SHA256: hashOf(plaintext)}},
		}},
	}
}

// chat asks a replica for a completion.
func (r *replica) chat(key, model string) (int, string) {
	body := fmt.Sprintf(`{"model":%q,"messages":[{"role":"user","content":"hi"}]}`, model)
	return r.send(key, http.MethodPost, "/v1/chat/completions", body)
}

// models asks for the models of a key, which touches no upstream.
func (r *replica) models(key string) (int, string) {
	return r.send(key, http.MethodGet, "/v1/models", "")
}

// within polls until a condition holds and returns how long that took.
func (w *world) within(limit time.Duration, what string, condition func() bool) time.Duration {
	w.t.Helper()
	started := time.Now()
	for !condition() {
		if time.Since(started) > limit {
			w.t.Fatalf("not within %s: %s", limit, what)
		}
		<-time.After(5 * time.Millisecond)
	}
	return time.Since(started)
}

// readyAt returns the generation for which an object is Ready, or 0.
func readyAt(conditions []metav1.Condition) int64 {
	for _, c := range conditions {
		if c.Type == v1alpha1.ConditionReady && c.Status == metav1.ConditionTrue {
			return c.ObservedGeneration
		}
	}
	return 0
}

// metav1Condition shortens a type that closures name often.
type metav1Condition = metav1.Condition

// send sends a request with a key and returns the status and the body; 0 and the error if there is no answer.
func (r *replica) send(key, method, path, body string) (int, string) {
	req, err := http.NewRequest(method, r.base+path, strings.NewReader(body))
	if err != nil {
		return 0, err.Error()
	}
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b)
}

// detail asks for the models with their display metadata.
func (r *replica) detail(key string) (int, string) {
	return r.send(key, http.MethodGet, "/v1/models?detail=1", "")
}

// model asks for one model, which touches no upstream.
func (r *replica) model(key, name string) (int, string) {
	return r.send(key, http.MethodGet, "/v1/models/"+name, "")
}

// serveHandler serves a simulator of its own until the test ends.
func serveHandler(w *world, h http.Handler) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	w.background(func(ctx context.Context) error {
		defer context.AfterFunc(ctx, func() { _ = srv.Close() })()
		if err := srv.Serve(l); ctx.Err() == nil {
			return err
		}
		return nil
	})
	return "http://" + l.Addr().String()
}

// credentialAt is a credential of provider OpenAI whose Secret has its name.
func credentialAt(namespace, name, endpoint string) *v1alpha1.ProviderCredential {
	return &v1alpha1.ProviderCredential{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.ProviderCredentialSpec{
			Provider: v1alpha1.ProviderOpenAI, Endpoint: endpoint, AllowInsecure: true, AllowPrivate: true,
			SecretRef: v1alpha1.LocalObjectReference{Name: v1alpha1.ObjectName(name)},
		},
	}
}
