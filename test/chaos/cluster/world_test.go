// Package cluster_test runs an API server, the operator and gateways as processes of their own, ends them with SIGKILL under load, and
// compares to the last token what the vendor bills, what the gateways settled, and what the usage reports hold.
package cluster_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/controllers"
	"vipcloud.ai/vipcloud/gateway/apikey"
	"vipcloud.ai/vipcloud/gateway/ledger"
	"vipcloud.ai/vipcloud/test/sim"
)

const (
	system = "vipcloud-system"
	shop   = "shop"
	// model is the public name of the one model, and the vendor's.
	model = "deepseek-v4-pro"
	// patience is how long anything may take that is waited for.
	patience = 90 * time.Second
)

// world is a control plane, the vendor, and the processes that were started.
type world struct {
	t          *testing.T
	env        *envtest.Environment
	api        *apiServer
	client     client.Client
	kubeconfig string
	binary     string
	vendors    *sim.Server
	vendor     *sim.Simulator
	http       *http.Client
	replicas   []*replica
}

// newWorld starts the control plane and the vendor, and declares an instance with a model that costs 1 USD for a million tokens of prompt
// and 2 USD for a million of answer.
func newWorld(t *testing.T, vendor sim.Options) *world {
	t.Helper()
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Fatal("KUBEBUILDER_ASSETS is not set; use make test-chaos")
	}
	log.SetLogger(logr.Discard())
	w := &world{
		t: t, vendors: sim.NewServer(vendor), http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}},
		env: &envtest.Environment{CRDDirectoryPaths: []string{"../../../config/crd/bases"}, ErrorIfCRDPathMissing: true},
	}
	w.vendor = w.vendors.Vendor(sim.DeepSeek)
	w.build()
	cfg, err := w.env.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.env.Stop() }) // its API server may have been killed
	w.api = w.findAPIServer()
	scheme, err := controllers.NewScheme()
	if err != nil {
		t.Fatal(err)
	}
	if w.client, err = client.New(cfg, client.Options{Scheme: scheme}); err != nil {
		t.Fatal(err)
	}
	user, err := w.env.AddUser(envtest.User{Name: "chaos", Groups: []string{"system:masters"}}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	data, err := user.KubeConfig()
	if err != nil {
		t.Fatal(err)
	}
	w.kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(w.kubeconfig, data, 0o600); err != nil {
		t.Fatal(err)
	}
	w.declare(w.serve(w.vendors) + w.vendors.Prefix(sim.DeepSeek))
	return w
}

// build builds the program.
func (w *world) build() {
	w.t.Helper()
	w.binary = filepath.Join(w.t.TempDir(), "vipcloud")
	if out, err := exec.CommandContext(w.t.Context(), "go", "build", "-o", w.binary, "vipcloud.ai/vipcloud/cmd/vipcloud").CombinedOutput(); err != nil {
		w.t.Fatalf("building the gateway: %v\n%s", err, out)
	}
}

// declare makes the objects.
func (w *world) declare(endpoint string) {
	w.t.Helper()
	for _, ns := range []string{system, shop} {
		w.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}})
	}
	w.create(&v1alpha1.GatewayInstance{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: "default"}})
	w.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: "vendor"}, StringData: map[string]string{"api-key": w.vendor.Key()}})
	w.create(&v1alpha1.ProviderCredential{
		ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: "vendor"},
		Spec: v1alpha1.ProviderCredentialSpec{
			Provider: v1alpha1.ProviderDeepSeek, Endpoint: endpoint, AllowInsecure: true, AllowPrivate: true,
			SecretRef: v1alpha1.LocalObjectReference{Name: "vendor"},
		},
	})
	in, out := v1alpha1.Decimal("1"), v1alpha1.Decimal("2")
	w.create(&v1alpha1.ModelRoute{
		ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: model},
		Spec: v1alpha1.ModelRouteSpec{
			Pricing: &v1alpha1.Pricing{Currency: "USD", Prices: v1alpha1.Prices{InputPerMillionTokens: &in, OutputPerMillionTokens: &out}},
			Targets: []v1alpha1.Target{{Name: "only", Credential: v1alpha1.ObjectReference{Name: "vendor"}, Model: model}},
		},
	})
}

// key makes an API key whose plaintext it returns.
func (w *world) key(name string, change func(*v1alpha1.ApiKeySpec)) (plaintext string) {
	w.t.Helper()
	plaintext = fmt.Sprintf("vc-sk-%040s", name)
	k := &v1alpha1.ApiKey{ObjectMeta: metav1.ObjectMeta{Namespace: shop, Name: name}}
	k.Spec.GatewayRef = &v1alpha1.ObjectReference{Namespace: system, Name: "default"}
	k.Spec.Source = &v1alpha1.ApiKeySource{Type: v1alpha1.ApiKeySourceHashes, Hashes: []v1alpha1.KeyHash{{SHA256: apikey.Sum(plaintext).String()}}}
	if change != nil {
		change(&k.Spec)
	}
	w.create(k)
	return plaintext
}

// create makes an object.
func (w *world) create(o client.Object) {
	w.t.Helper()
	if err := w.client.Create(w.t.Context(), o); err != nil {
		w.t.Fatal(err)
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

// view is what all usage reports come to, read as anybody else would.
func (w *world) view() *ledger.View {
	w.t.Helper()
	list := &v1alpha1.UsageReportList{}
	w.eventually("usage reports can be read", func() bool {
		return w.client.List(context.Background(), list, client.InNamespace(system)) == nil // also after the test's own context
	})
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
		merged := make([]string, len(o.Merged))
		for i, uid := range o.Merged {
			merged[i] = string(uid)
		}
		v.SetArchive(page, merged)
	}
	return v
}
