package controllers

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/yaml"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/table"
)

const (
	// patience is how long a test waits for what must happen.
	patience = 60 * time.Second
	// tick is how often it looks.
	tick = 20 * time.Millisecond
	// calm is how long a test watches that something does not happen.
	calm = 400 * time.Millisecond
	// testImage runs in the Deployments of tests, which nobody starts.
	testImage = "vipcloud:test"
)

// apiServer is the one that all tests of the package share.
var apiServer struct {
	// client may do everything; it is the tests'.
	client client.WithWatch
	// operator and namespaced are the operator's accounts, with the rights of config/rbac and no others: bound in the whole
	// cluster, and bound by each test where it likes.
	operator, namespaced *rest.Config
	// admin may do everything, too.
	admin *rest.Config
}

// TestMain starts a real API server, without which most of this package cannot be told right from wrong.
func TestMain(m *testing.M) {
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		fmt.Fprintln(os.Stderr, "KUBEBUILDER_ASSETS is not set; run these tests by `make test`, which finds or builds a control plane")
		return 1
	}
	ctrl.SetLogger(klog.Background())
	env := &envtest.Environment{
		CRDDirectoryPaths:     []string{filepath.Join("..", "config", "crd", "bases")},
		ErrorIfCRDPathMissing: true,
	}
	cfg, err := env.Start()
	if err != nil {
		fmt.Fprintln(os.Stderr, "starting the API server:", err)
		return 1
	}
	defer func() {
		if err := env.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stopping the API server:", err)
		}
	}()
	if err := prepare(env, cfg); err != nil {
		fmt.Fprintln(os.Stderr, "preparing the API server:", err)
		return 1
	}
	watched, err := watchStates(cfg, apiServer.client.Scheme())
	if err != nil {
		fmt.Fprintln(os.Stderr, "preparing the API server:", err)
		return 1
	}
	code := m.Run()
	if err := watched.end(flag.Lookup("test.run").Value.String() == ""); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	return code
}

// prepare makes the clients, and gives the operator's accounts the rights that are generated from the markers.
func prepare(env *envtest.Environment, cfg *rest.Config) error {
	scheme, err := NewScheme()
	if err != nil {
		return err
	}
	if err := gatewayv1.Install(scheme); err != nil { // tests read routes; the operator knows them by their API alone
		return err
	}
	cfg.QPS, cfg.Burst = 1000, 2000
	apiServer.admin = cfg
	if apiServer.client, err = client.NewWithWatch(cfg, client.Options{Scheme: scheme}); err != nil {
		return err
	}
	for name, account := range map[string]**rest.Config{
		operatorUser: &apiServer.operator, namespacedUser: &apiServer.namespaced} {
		user, err := env.AddUser(envtest.User{Name: name}, cfg)
		if err != nil {
			return err
		}
		*account = user.Config()
	}
	for _, file := range []string{"role.yaml", "gateway_reader.yaml"} {
		role, err := readRole(filepath.Join("..", "config", "rbac", file))
		if err != nil {
			return err
		}
		if err := apiServer.client.Create(context.Background(), role); err != nil {
			return err
		}
	}
	return apiServer.client.Create(context.Background(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: operatorUser},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "vipcloud-operator"},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: operatorUser}},
	})
}

const (
	operatorUser   = "test-operator"
	namespacedUser = "test-operator-namespaced"
)

// readRole reads a ClusterRole of the installation.
func readRole(path string) (*rbacv1.ClusterRole, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	role := &rbacv1.ClusterRole{}
	return role, yaml.Unmarshal(text, role)
}

// shiftedClock is the real clock, some time ahead.
type shiftedClock struct {
	clock.RealClock
	ahead atomic.Int64
}

// Now implements clock.Clock.
func (c *shiftedClock) Now() time.Time { return c.RealClock.Now().Add(time.Duration(c.ahead.Load())) }

// Since implements clock.Clock.
func (c *shiftedClock) Since(t time.Time) time.Duration { return c.Now().Sub(t) }

// step moves the clock.
func (c *shiftedClock) step(d time.Duration) { c.ahead.Add(int64(d)) }

// world is a running operator and a namespace to play in.
type world struct {
	client.Client
	t     *testing.T
	ctx   context.Context
	ns    string
	op    *operator
	clock *shiftedClock
	stop  func()
	// providers are the vendors; nil: those of testProviders.
	providers table.Providers
	// registry has the metrics of the operator that was started last.
	registry *prometheus.Registry
}

// namespaces counts the namespaces that were made.
var namespaces atomic.Int64

// newWorld starts an operator in cluster mode.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := newQuietWorld(t)
	w.start(nil)
	return w
}

// newQuietWorld makes a namespace, without an operator yet.
func newQuietWorld(t *testing.T) *world {
	t.Helper()
	// The test's own context ends before its cleanups, in which replicas are still at work.
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	w := &world{Client: apiServer.client, t: t, ctx: ctx, clock: &shiftedClock{}}
	w.ns = w.namespace(nil)
	t.Cleanup(w.tidy)
	return w
}

// namespace makes a namespace with some labels.
func (w *world) namespace(labels map[string]string) string {
	w.t.Helper()
	name := fmt.Sprintf("t%d", namespaces.Add(1))
	w.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}})
	return name
}

// testProviders are the vendors of tests.
func testProviders() table.Providers {
	return table.Providers{
		v1alpha1.ProviderOpenAI:   {Name: "OpenAI", Entries: [][]string{{"api-key"}}, Modalities: []provider.Modality{provider.ModalityChat}},
		v1alpha1.ProviderDeepSeek: {Name: "DeepSeek", Entries: [][]string{{"api-key"}}, Modalities: []provider.Modality{provider.ModalityChat}},
	}
}

// start runs an operator, in namespaced mode if namespaces are named.
func (w *world) start(watch []string) {
	w.t.Helper()
	skip := true
	account := apiServer.operator
	if watch != nil {
		account = apiServer.namespaced
	}
	mgr, err := ctrl.NewManager(account, ctrl.Options{
		Scheme:     w.Scheme(),
		Cache:      CacheOptions(watch),
		Metrics:    metricsserver.Options{BindAddress: "0"},
		Controller: config.Controller{SkipNameValidation: &skip},
	})
	if err != nil {
		w.t.Fatalf("making a manager: %v", err)
	}
	w.registry = prometheus.NewRegistry()
	if w.providers == nil {
		w.providers = testProviders()
	}
	w.op, err = setup(mgr, Options{
		Providers: w.providers, GatewayImage: testImage, WatchNamespaces: watch, Clock: w.clock, Metrics: w.registry,
	})
	if err != nil {
		w.t.Fatalf("setting up: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- mgr.Start(ctx) }()
	w.stop = func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Errorf("running the manager: %v", err)
		}
		w.stop = nil
	}
}

// restart runs a new operator that remembers nothing.
func (w *world) restart() {
	w.t.Helper()
	w.stop()
	w.start(nil)
}

// tidy checks the invariants of every status, stops the operator and removes what the test made.
func (w *world) tidy() {
	w.checkInvariants()
	if w.stop != nil {
		w.stop()
	}
	ctx := context.Background()
	var all corev1.NamespaceList
	if err := w.List(ctx, &all); err != nil {
		w.t.Fatalf("listing namespaces: %v", err)
	}
	for _, ns := range all.Items {
		for _, obj := range []client.Object{&v1alpha1.ModelRoute{}, &v1alpha1.ApiKey{}, &v1alpha1.ProviderCredential{},
			&v1alpha1.GatewayInstance{}, &v1alpha1.GatewayReplica{}} {
			if err := w.DeleteAllOf(ctx, obj, client.InNamespace(ns.Name)); err != nil {
				w.t.Errorf("deleting %T: %v", obj, err)
			}
		}
	}
}

// create makes an object or ends the test.
func (w *world) create(obj client.Object) {
	w.t.Helper()
	if err := w.Create(w.ctx, obj); err != nil {
		w.t.Fatalf("creating %T %s: %v", obj, obj.GetName(), err)
	}
}

// remove deletes an object or ends the test.
func (w *world) remove(obj client.Object) {
	w.t.Helper()
	if err := w.Delete(w.ctx, obj); err != nil {
		w.t.Fatalf("deleting %T %s: %v", obj, obj.GetName(), err)
	}
}

// get reads an object or ends the test.
func (w *world) get(obj client.Object) {
	w.t.Helper()
	if err := w.Get(w.ctx, client.ObjectKeyFromObject(obj), obj); err != nil {
		w.t.Fatalf("reading %T %s: %v", obj, obj.GetName(), err)
	}
}

// change edits an object, however often others do at the same time.
func (w *world) change(obj client.Object, edit func()) {
	w.t.Helper()
	w.eventually("editing "+obj.GetName(), func() error {
		if err := w.Get(w.ctx, client.ObjectKeyFromObject(obj), obj); err != nil {
			return err
		}
		edit()
		return w.Update(w.ctx, obj)
	})
}

// eventually waits until check returns nil.
func (w *world) eventually(what string, check func() error) {
	w.t.Helper()
	var last error
	for end := time.Now().Add(patience); time.Now().Before(end); <-time.After(tick) {
		if last = check(); last == nil {
			return
		}
	}
	w.t.Fatalf("%s: %v", what, last)
}

// never watches for a while that check does not return an error.
func (w *world) never(what string, check func() error) {
	w.t.Helper()
	for end := time.Now().Add(calm); time.Now().Before(end); <-time.After(tick) {
		if err := check(); err != nil {
			w.t.Fatalf("%s: %v", what, err)
		}
	}
}
