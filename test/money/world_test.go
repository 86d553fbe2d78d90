// Package money_test runs gateways, the operator and simulated vendors against a real API server, and compares what was counted with
// what the vendors bill.
package money_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/controllers"
	"vipcloud.ai/vipcloud/gateway/apikey"
	"vipcloud.ai/vipcloud/gateway/ledger"
	"vipcloud.ai/vipcloud/gateway/provider/all"
	"vipcloud.ai/vipcloud/gateway/table"
)

const (
	system = "vipcloud-system"
	shop   = "shop"
	// model is the public name of the one model.
	model = "deepseek-v4-pro"
	// patience is how long anything may take that is waited for.
	patience = 5 * time.Minute
)

// world is a control plane with an operator.
type world struct {
	t      *testing.T
	env    *envtest.Environment
	config *rest.Config
	client client.Client
}

// newWorld starts the control plane and the operator, and declares the default instance.
func newWorld(t *testing.T) *world {
	t.Helper()
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Fatal("KUBEBUILDER_ASSETS is not set; use make test-money")
	}
	log.SetLogger(logr.Discard())
	w := &world{t: t, env: &envtest.Environment{CRDDirectoryPaths: []string{"../../config/crd/bases"}, ErrorIfCRDPathMissing: true}}
	cfg, err := w.env.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.env.Stop(); err != nil {
			t.Error(err)
		}
	})
	cfg.QPS, cfg.Burst = 2000, 2000
	scheme, err := controllers.NewScheme()
	if err != nil {
		t.Fatal(err)
	}
	w.config = cfg
	if w.client, err = client.New(cfg, client.Options{Scheme: scheme}); err != nil {
		t.Fatal(err)
	}
	w.startOperator()
	for _, ns := range []string{system, shop} {
		w.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}})
	}
	w.create(&v1alpha1.GatewayInstance{
		ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: "default"},
		Spec: v1alpha1.GatewayInstanceSpec{Serves: &v1alpha1.Serves{
			Keys: &v1alpha1.ServedKeys{Namespaces: &v1alpha1.NamespaceSelection{From: v1alpha1.NamespacesFromAll}},
		}},
	})
	return w
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

// providers are those of the adapters.
func providers() table.Providers {
	p := table.Providers{}
	for name, a := range all.Adapters() {
		p[v1alpha1.Provider(name)] = a.Info
	}
	return p
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

// create makes an object.
func (w *world) create(o client.Object) {
	w.t.Helper()
	if err := w.client.Create(w.t.Context(), o); err != nil {
		w.t.Fatal(err)
	}
}

// eventually polls until a condition holds.
func (w *world) eventually(what string, holds func() bool) {
	w.t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for end := time.Now().Add(patience); !holds(); <-ticker.C {
		if time.Now().After(end) {
			w.t.Fatalf("not so in time: %s", what)
		}
	}
}

// serve serves a handler until the test ends and returns its address.
func (w *world) serve(h http.Handler) string {
	w.t.Helper()
	l, err := (&net.ListenConfig{}).Listen(w.t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: patience}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(l) // closed below
	}()
	w.t.Cleanup(func() { _ = srv.Close(); <-done })
	return "http://" + l.Addr().String()
}

// hashKey is a key whose plaintext the test knows.
func hashKey(name, plaintext string) *v1alpha1.ApiKey {
	return &v1alpha1.ApiKey{
		ObjectMeta: metav1.ObjectMeta{Namespace: shop, Name: name},
		Spec: v1alpha1.ApiKeySpec{
			GatewayRef: &v1alpha1.ObjectReference{Namespace: system, Name: "default"},
			Source: &v1alpha1.ApiKeySource{
				Type: v1alpha1.ApiKeySourceHashes, Hashes: []v1alpha1.KeyHash{{SHA256: apikey.Sum(plaintext).String()}},
			},
		},
	}
}

// declare makes the model, served by a simulated vendor.
func (w *world) declare(endpoint, key string) {
	w.t.Helper()
	w.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: "deepseek"}, StringData: map[string]string{"api-key": key}})
	w.create(&v1alpha1.ProviderCredential{
		ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: "deepseek"},
		Spec: v1alpha1.ProviderCredentialSpec{
			Provider: v1alpha1.ProviderDeepSeek, Endpoint: endpoint, AllowInsecure: true, AllowPrivate: true,
			SecretRef: v1alpha1.LocalObjectReference{Name: "deepseek"},
		},
	})
	in, out := v1alpha1.Decimal("1"), v1alpha1.Decimal("2")
	w.create(&v1alpha1.ModelRoute{
		ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: model},
		Spec: v1alpha1.ModelRouteSpec{
			Pricing: &v1alpha1.Pricing{Currency: "USD", Prices: v1alpha1.Prices{InputPerMillionTokens: &in, OutputPerMillionTokens: &out}},
			Targets: []v1alpha1.Target{{Name: "only", Credential: v1alpha1.ObjectReference{Name: "deepseek"}, Model: model}},
		},
	})
}

// view is what all reports come to, read as anybody else would.
func (w *world) view() *ledger.View {
	w.t.Helper()
	list := &v1alpha1.UsageReportList{}
	if err := w.client.List(context.Background(), list, client.InNamespace(system)); err != nil {
		w.t.Fatal(err)
	}
	v := ledger.NewView()
	for i := range list.Items {
		o := &list.Items[i]
		page, err := ledger.Decode(o.Report.Raw)
		if err != nil {
			w.t.Fatalf("%s: %v", o.Name, err)
		}
		if o.Role == v1alpha1.UsageReportLive {
			v.SetLive(string(o.UID), page)
			continue
		}
		var merged []string
		for _, uid := range o.Merged {
			merged = append(merged, string(uid))
		}
		v.SetArchive(page, merged)
	}
	return v
}

// build builds the gateway.
func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "vipcloud")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "vipcloud.ai/vipcloud/cmd/vipcloud").CombinedOutput(); err != nil {
		t.Fatalf("building the gateway: %v\n%s", err, out)
	}
	return binary
}

// kubeconfig writes a file that leads to the API server.
func (w *world) kubeconfig() string {
	w.t.Helper()
	user, err := w.env.AddUser(envtest.User{Name: "gateway", Groups: []string{"system:masters"}}, w.config)
	if err != nil {
		w.t.Fatal(err)
	}
	data, err := user.KubeConfig()
	if err != nil {
		w.t.Fatal(err)
	}
	path := filepath.Join(w.t.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		w.t.Fatal(err)
	}
	return path
}

// plaintext is the n-th key's.
func plaintext(n int) string { return fmt.Sprintf("vc-sk-%040d", n) }
