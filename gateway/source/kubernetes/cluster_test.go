package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/keyring"
	"vipcloud.ai/vipcloud/gateway/source"
	"vipcloud.ai/vipcloud/gateway/table"
)

// cluster is the API server that the tests of this package share.
type cluster struct {
	config *rest.Config
	client client.Client
}

// shared starts the API server once.
var shared = sync.OnceValues(func() (*cluster, error) {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		return nil, errors.New("KUBEBUILDER_ASSETS is not set; run these tests with: make test")
	}
	env := &envtest.Environment{CRDDirectoryPaths: []string{filepath.Join("..", "..", "..", "config", "crd", "bases")}, ErrorIfCRDPathMissing: true}
	config, err := env.Start()
	if err != nil {
		return nil, fmt.Errorf("starting API server: %w", err)
	}
	stopCluster = env.Stop
	s := runtime.NewScheme()
	if err := errors.Join(scheme.AddToScheme(s), v1alpha1.AddToScheme(s)); err != nil {
		return nil, err
	}
	config.QPS, config.Burst = -1, -1
	c, err := client.New(config, client.Options{Scheme: s})
	return &cluster{config: config, client: c}, err
})

// stopCluster ends the API server, if it was started.
var stopCluster = func() error { return nil }

func TestMain(m *testing.M) {
	code := m.Run()
	if err := stopCluster(); err != nil {
		fmt.Fprintln(os.Stderr, "stopping API server:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// bench is a source that runs against the API server, in namespaces of its own.
type bench struct {
	t        *testing.T
	c        client.Client
	instance types.NamespacedName
	source   *Source
	gate     *gate

	mu     sync.Mutex
	input  table.Input
	tables int
	keys   map[string]*table.Key
	calls  int
	loaded source.Versions
	rings  []keyring.Ring
}

// newBench makes the instance's namespace. The source is not started yet.
func newBench(t *testing.T) *bench {
	t.Helper()
	c, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, c: c.client, gate: &gate{}, keys: map[string]*table.Key{}}
	b.instance = types.NamespacedName{Namespace: b.namespace(nil), Name: "default"}
	return b
}

// namespace makes a namespace.
func (b *bench) namespace(labels map[string]string) string {
	b.t.Helper()
	n := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-", Labels: labels}}
	b.create(n)
	return n.Name
}

// create creates an object.
func (b *bench) create(o client.Object) {
	b.t.Helper()
	if err := b.c.Create(b.t.Context(), o); err != nil {
		b.t.Fatalf("creating %T %s: %v", o, o.GetName(), err)
	}
}

// update patches an object.
func update[T client.Object](b *bench, o T, edit func(o T)) {
	b.t.Helper()
	before := o.DeepCopyObject().(client.Object)
	edit(o)
	if err := b.c.Patch(b.t.Context(), o, client.MergeFrom(before)); err != nil {
		b.t.Fatalf("patching %T %s: %v", o, o.GetName(), err)
	}
}

// updateStatus patches the status of an object.
func updateStatus[T client.Object](b *bench, o T, edit func(o T)) {
	b.t.Helper()
	before := o.DeepCopyObject().(client.Object)
	edit(o)
	if err := b.c.Status().Patch(b.t.Context(), o, client.MergeFrom(before)); err != nil {
		b.t.Fatalf("patching status of %T %s: %v", o, o.GetName(), err)
	}
}

// remove deletes an object.
func (b *bench) remove(o client.Object) {
	b.t.Helper()
	if err := b.c.Delete(b.t.Context(), o); err != nil {
		b.t.Fatalf("deleting %T %s: %v", o, o.GetName(), err)
	}
}

// start runs the source until the test ends. Its connections go through the gate.
func (b *bench) start(watched ...string) {
	b.t.Helper()
	c, err := shared()
	if err != nil {
		b.t.Fatal(err)
	}
	config := rest.CopyConfig(c.config)
	config.Dial = b.gate.dial
	b.source, err = New(Options{
		Config: config, Instance: b.instance, WatchNamespaces: watched, Logger: slog.New(slog.DiscardHandler),
		Sink: source.Sink{Table: b.table, Keys: b, KeyRing: b.setRing, Loaded: b.setLoaded},
	})
	if err != nil {
		b.t.Fatalf("New: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.source.Run(ctx) }()
	b.t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				b.t.Errorf("Run: %v", err)
			}
		case <-time.After(10 * time.Second):
			b.t.Error("Run did not end within 10 s")
		}
	})
}

// synced waits for the first publication.
func (b *bench) synced() {
	b.t.Helper()
	select {
	case <-b.source.Synced():
	case <-time.After(20 * time.Second):
		b.t.Fatal("not synced within 20 s")
	}
}

// table implements source.Sink.Table.
func (b *bench) table(in table.Input) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.input, b.tables = in, b.tables+1
}

// setRing implements source.Sink.KeyRing.
func (b *bench) setRing(ring keyring.Ring) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rings = append(b.rings, ring)
}

// setLoaded implements source.Sink.Loaded.
func (b *bench) setLoaded(v source.Versions) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.loaded = v
}

// Replace implements source.Keys.
func (b *bench) Replace(keys []*table.Key) {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.keys)
	for _, k := range keys {
		b.keys[k.ID()] = k
	}
	b.calls++
}

// Put implements source.Keys.
func (b *bench) Put(k *table.Key) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.keys[k.ID()] = k
	b.calls++
}

// Delete implements source.Keys.
func (b *bench) Delete(namespace, name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.keys, namespace+"/"+name)
	b.calls++
}

// eventually polls until a condition holds; it is called with the bench locked.
func (b *bench) eventually(what string, holds func() bool) {
	b.t.Helper()
	b.within(20*time.Second, what, holds)
}

// within is eventually with a deadline.
func (b *bench) within(d time.Duration, what string, holds func() bool) {
	b.t.Helper()
	deadline := time.Now().Add(d)
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for {
		b.mu.Lock()
		ok := holds()
		b.mu.Unlock()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			b.mu.Lock() // for good: the test ends here
			b.t.Fatalf("not within %v: %s; routes %v, keys %v, loaded %+v", d, what, routeNames(b.input), keyNames(b.keys), b.loaded)
		}
		<-ticker.C
	}
}

// keyNames lists keys.
func keyNames(keys map[string]*table.Key) []string {
	names := []string{}
	for id := range keys {
		names = append(names, id)
	}
	slices.Sort(names)
	return names
}

// serves says whether the table has exactly these routes; the bench is locked.
func (b *bench) serves(names ...string) bool { return slices.Equal(routeNames(b.input), names) }

// covers says whether one version is at least as late as another.
func covers(version, of string) bool { return version != "" && newer(version, of) == version }

// makeInstance creates the instance.
func (b *bench) makeInstance(edit ...func(*v1alpha1.GatewayInstance)) *v1alpha1.GatewayInstance {
	b.t.Helper()
	i := &v1alpha1.GatewayInstance{ObjectMeta: metav1.ObjectMeta{Namespace: b.instance.Namespace, Name: b.instance.Name}}
	for _, f := range edit {
		f(i)
	}
	b.create(i)
	return i
}

// servesRoutes sets whose routes an instance serves.
func servesRoutes(from v1alpha1.NamespacesFrom) func(*v1alpha1.GatewayInstance) {
	return func(i *v1alpha1.GatewayInstance) {
		i.Spec.Serves = &v1alpha1.Serves{Routes: &v1alpha1.AllowedNamespaces{Namespaces: v1alpha1.NamespaceSelection{From: from}}}
		if from == v1alpha1.NamespacesFromSelector {
			i.Spec.Serves.Routes.Namespaces.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"tier": "gold"}}
		}
	}
}

// makeRoute creates a route that needs nothing else.
func (b *bench) makeRoute(namespace, name string) *v1alpha1.ModelRoute {
	b.t.Helper()
	r := &v1alpha1.ModelRoute{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Spec: v1alpha1.ModelRouteSpec{Availability: v1alpha1.AvailabilitySoon},
	}
	b.create(r)
	return r
}

// makeKey creates a key that the instance accepts.
func (b *bench) makeKey(namespace, name string) *v1alpha1.ApiKey {
	b.t.Helper()
	k := &v1alpha1.ApiKey{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	b.create(k)
	updateStatus(b, k, func(k *v1alpha1.ApiKey) {
		k.Status.Gateway = &v1alpha1.ObjectReference{
			Namespace: v1alpha1.NamespaceName(b.instance.Namespace), Name: v1alpha1.ObjectName(b.instance.Name),
		}
	})
	return k
}

// gate stands between a client and the API server. It can be shut, which breaks connections for everybody to see, and it can
// swallow what goes over the connections there are, as a network does that lost one end.
type gate struct {
	mu    sync.Mutex
	shut  bool
	conns []*gatedConn
}

// errShut is what a client sees of a shut gate.
var errShut = &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused by the test")}

// dial connects unless the gate is shut.
func (g *gate) dial(ctx context.Context, network, address string) (net.Conn, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut {
		return nil, errShut
	}
	inner, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	conn := &gatedConn{Conn: inner}
	g.conns = append(g.conns, conn)
	return conn, nil
}

// set shuts the gate, breaking all connections, or opens it.
func (g *gate) set(shut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = shut
	if shut {
		for _, c := range g.conns {
			_ = c.Close()
		}
		g.conns = nil
	}
}

// swallow makes the connections that there are deaf and dumb. New ones are not.
func (g *gate) swallow() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range g.conns {
		c.dead.Store(true)
	}
}

// gatedConn is a connection that may lose everything.
type gatedConn struct {
	net.Conn
	dead atomic.Bool
}

// Read delivers nothing once the connection is dead.
func (c *gatedConn) Read(p []byte) (int, error) {
	for {
		n, err := c.Conn.Read(p)
		if err != nil || !c.dead.Load() {
			return n, err
		}
	}
}

// Write pretends once the connection is dead.
func (c *gatedConn) Write(p []byte) (int, error) {
	if c.dead.Load() {
		return len(p), nil
	}
	return c.Conn.Write(p)
}
