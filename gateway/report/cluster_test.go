package report

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/source"
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
	env := &envtest.Environment{CRDDirectoryPaths: []string{filepath.Join("..", "..", "config", "crd", "bases")}, ErrorIfCRDPathMissing: true}
	config, err := env.Start()
	if err != nil {
		return nil, fmt.Errorf("starting API server: %w", err)
	}
	stopCluster = env.Stop
	s := runtime.NewScheme()
	if err := errors.Join(scheme.AddToScheme(s), v1alpha1.AddToScheme(s)); err != nil {
		return nil, err
	}
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

// live is a replica that writes to the API server.
type live struct {
	t       *testing.T
	c       client.Client
	opts    ReplicaOptions
	replica *Replica
	end     func()
}

// newLive makes a namespace and a replica, and runs it.
func newLive(t *testing.T, edit ...func(l *live)) *live {
	t.Helper()
	c, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	n := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}
	if err := c.client.Create(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	l := &live{t: t, c: c.client, opts: ReplicaOptions{
		Config: c.config, Instance: types.NamespacedName{Namespace: n.Name, Name: "default"}, Name: "gateway-0", Version: "v1.2.3",
		Logger: slog.New(slog.DiscardHandler),
	}}
	for _, f := range edit {
		f(l)
	}
	if l.replica, err = NewReplica(l.opts); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.replica.Run(ctx) }()
	l.end = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(10 * time.Second):
			t.Error("Run did not end")
		}
	})
	t.Cleanup(l.end)
	select {
	case <-l.replica.FirstWritten():
	case <-time.After(10 * time.Second):
		t.Fatal("not written within 10 s")
	}
	return l
}

// withPod gives the replica a pod.
func withPod(l *live) {
	l.opts.PodName, l.opts.PodUID = "gateway-0", "5f0b1ee1-1111-2222-3333-444455556666"
}

// object reads the object; nil if there is none.
func (l *live) object() *v1alpha1.GatewayReplica {
	l.t.Helper()
	o := &v1alpha1.GatewayReplica{}
	err := l.c.Get(context.Background(), types.NamespacedName{Namespace: l.opts.Instance.Namespace, Name: l.opts.Name}, o)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		l.t.Fatal(err)
	}
	return o
}

// eventually polls until the object is as it should be.
func (l *live) eventually(what string, holds func(o *v1alpha1.GatewayReplica) bool) *v1alpha1.GatewayReplica {
	l.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		o := l.object()
		if o != nil && holds(o) {
			return o
		}
		if time.Now().After(deadline) {
			l.t.Fatalf("not within 20 s: %s; object %+v", what, o)
		}
		<-tick.C
	}
}

func TestReplica_writesTheObject(t *testing.T) {
	l := newLive(t, withPod)
	o := l.object()
	if diff := cmp.Diff(v1alpha1.GatewayReplicaSpec{Instance: "default", PodName: "gateway-0"}, o.Spec); diff != "" {
		t.Errorf("spec (-want +got):\n%s", diff)
	}
	want := []metav1.OwnerReference{{APIVersion: "v1", Kind: "Pod", Name: "gateway-0", UID: l.opts.PodUID}}
	if diff := cmp.Diff(want, o.OwnerReferences); diff != "" {
		t.Errorf("owners (-want +got):\n%s", diff)
	}
	if o.Labels[v1alpha1.LabelInstance] != "default" || o.Status.Version != "v1.2.3" || o.Status.ObservedGeneration != o.Generation {
		t.Errorf("labels %v, version %q, observed generation %d of %d", o.Labels, o.Status.Version, o.Status.ObservedGeneration, o.Generation)
	}
	if c := meta.FindStatusCondition(o.Status.Conditions, v1alpha1.ConditionReady); c == nil || c.Status != metav1.ConditionFalse || c.ObservedGeneration != o.Generation {
		t.Errorf("before it is ready, Ready is %+v", c)
	}

	l.replica.SetReady(true)
	l.replica.Loaded(source.Versions{ModelRoutes: "11", ApiKeys: "12", Credentials: "13", GatewayInstance: "14"})
	loaded := v1alpha1.LoadedVersions{ModelRoutes: "11", ApiKeys: "12", Credentials: "13", GatewayInstance: "14"}
	o = l.eventually("ready, with what is loaded", func(o *v1alpha1.GatewayReplica) bool {
		return meta.IsStatusConditionTrue(o.Status.Conditions, v1alpha1.ConditionReady) && o.Status.Loaded == loaded
	})
	if o.Status.RenewTime == nil || time.Since(o.Status.RenewTime.Time) > 30*time.Second {
		t.Errorf("renewTime is %v", o.Status.RenewTime)
	}
	l.end()
	l.eventually("not ready at the end", func(o *v1alpha1.GatewayReplica) bool {
		return meta.IsStatusConditionFalse(o.Status.Conditions, v1alpha1.ConditionReady)
	})
}

func TestReplica_withoutPodGoesAtTheEnd(t *testing.T) {
	l := newLive(t)
	if o := l.object(); o == nil || o.OwnerReferences != nil || o.Spec.PodName != "" {
		t.Fatalf("object %+v", o)
	}
	l.end()
	if o := l.object(); o != nil {
		t.Errorf("the object is still there: %+v", o)
	}
}

func TestReplica_isMadeAgainIfSomebodyDeletesIt(t *testing.T) {
	l := newLive(t, withPod)
	first := l.object()
	if err := l.c.Delete(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	l.replica.SetReady(true)
	again := l.eventually("made again and ready", func(o *v1alpha1.GatewayReplica) bool {
		return o.UID != first.UID && meta.IsStatusConditionTrue(o.Status.Conditions, v1alpha1.ConditionReady)
	})
	if len(again.OwnerReferences) != 1 {
		t.Errorf("owners %v", again.OwnerReferences)
	}
}

func TestReplica_takesOverFromTheProcessBefore(t *testing.T) {
	l := newLive(t, withPod, func(l *live) {
		old := &v1alpha1.GatewayReplica{
			ObjectMeta: metav1.ObjectMeta{Namespace: l.opts.Instance.Namespace, Name: l.opts.Name, OwnerReferences: []metav1.OwnerReference{
				{APIVersion: "v1", Kind: "Pod", Name: "gateway-0", UID: "00000000-0000-0000-0000-000000000000"},
			}},
			Spec: v1alpha1.GatewayReplicaSpec{Instance: "former"},
		}
		if err := l.c.Create(t.Context(), old); err != nil {
			t.Fatal(err)
		}
		old.Status = v1alpha1.GatewayReplicaStatus{Version: "v1", Loaded: v1alpha1.LoadedVersions{ModelRoutes: "99999999", ApiKeys: "99999999"}}
		if err := l.c.Status().Update(t.Context(), old); err != nil {
			t.Fatal(err)
		}
	})
	o := l.object()
	if o.Spec.Instance != "default" || len(o.OwnerReferences) != 1 || o.OwnerReferences[0].UID != l.opts.PodUID {
		t.Errorf("spec %+v, owners %v", o.Spec, o.OwnerReferences)
	}
	if diff := cmp.Diff(v1alpha1.LoadedVersions{}, o.Status.Loaded); diff != "" {
		t.Errorf("what the process before had loaded is still claimed (-want +got):\n%s", diff)
	}
}
