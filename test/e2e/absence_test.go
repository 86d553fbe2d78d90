package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// operatorDeleted takes the operator away: gateways serve on, take new routes, and refuse a key that was revoked.
func operatorDeleted(t *testing.T, s *suite) {
	l, victim := s.loader(t, "orphan"), s.loader(t, "revoked")
	l.run(t, 50, 20, false)
	s.k(t, "delete", "deployment", "-n", system, "vipcloud-operator")
	s.operatorGone(t)

	s.apply(t, fmt.Sprintf(`{apiVersion: vipcloud.ai/v1alpha1, kind: ModelRoute, metadata: {name: orphan, namespace: %s},
spec: {targets: [{name: primary, credential: {name: deepseek}, model: %s}]}}`, system, model))
	eventually(t, patience, "a route is served without the operator", func() error {
		return s.once(t, "orphan-app", "orphan", "orphan")
	})
	s.k(t, "patch", "apikey", "-n", shop, "revoked", "--type=merge", "-p", `{"spec":{"revoked":true}}`)
	eventually(t, patience, "a key is refused without the operator", func() error {
		if _, err := victim.usage(t); err == nil {
			return errNotYet
		}
		return nil
	})
	l.unharmed(t, l.end(t), 100)
	s.k(t, "delete", "modelroute", "-n", system, "orphan")
	// Helm makes what is missing.
	s.chart(t, "upgrade", path("charts", "vipcloud"), "--reset-then-reuse-values")
	s.operatorReady(t)
	s.settled(t, system, "default", 2, s.imageNow(t))
}

// once makes one call from a pod and says whether it succeeded.
func (s *suite) once(t *testing.T, pod, secret, model string) error {
	t.Helper()
	s.pod(t, shop, pod, envFrom(secret), "chat", model, "Hello!")
	var phase corev1.PodPhase
	eventually(t, patience, "the pod ends", func() error {
		got := &corev1.Pod{}
		if err := s.objects.Get(t.Context(), client.ObjectKey{Namespace: shop, Name: pod}, got); err != nil {
			return err
		}
		if phase = got.Status.Phase; phase != corev1.PodSucceeded && phase != corev1.PodFailed {
			return errNotYet
		}
		return nil
	})
	if phase != corev1.PodSucceeded {
		return fmt.Errorf("the pod %s: %w", phase, errOther)
	}
	return nil
}

// awayFor is how long the API server stays away. Streams of the load take four seconds, so many of them begin and end meanwhile.
const awayFor = 25 * time.Second

// apiServerAway stops the API server: gateways serve on, and nothing restarts.
func apiServerAway(t *testing.T, s *suite) {
	if s.node == "" {
		skip(t, "needs a node that can be reached into, such as the one of make e2e without KUBECONFIG")
	}
	l := s.loader(t, "away")
	l.run(t, 50, 20, false)
	before := s.pods(t, system, "default")
	s.atNode(t, "away", "kube-apiserver")
	gone := time.Now()
	t.Cleanup(func() { _ = s.command(context.WithoutCancel(t.Context()), s.node, "back", "kube-apiserver").Run() })
	during(t, awayFor)
	if _, err := s.cluster.Discovery().ServerVersion(); err == nil {
		t.Fatal("the API server answers, although it was stopped")
	}
	s.atNode(t, "back", "kube-apiserver")
	back := time.Now()
	eventually(t, patience, "the API server is back", func() error {
		return s.objects.Get(t.Context(), client.ObjectKey{Namespace: system, Name: "vipcloud-operator"}, &appsv1.Deployment{})
	})
	eventually(t, patience, "the load can be asked again", func() error {
		_, err := l.try(t, "GET", "stats", nil)
		return err
	})
	l.unharmed(t, l.end(t), 100)
	meanwhile := 0
	for _, e := range s.ledger(t) {
		// The ledger has the beginning of each request.
		if e.Time.After(gone.Add(time.Second)) && e.Time.Before(back.Add(-6*time.Second)) {
			meanwhile++
		}
	}
	if meanwhile < 50 {
		t.Errorf("%d requests began and ended while the API server was away, want at least 50", meanwhile)
	}
	t.Logf("%d requests began and ended while the API server was away", meanwhile)
	for i := range before {
		pod := &corev1.Pod{}
		if err := s.objects.Get(t.Context(), client.ObjectKeyFromObject(&before[i]), pod); err != nil {
			t.Fatal(err)
		}
		if got, was := pod.Status.ContainerStatuses[0].RestartCount, before[i].Status.ContainerStatuses[0].RestartCount; got != was {
			t.Errorf("%s restarted", pod.Name)
		}
	}
	// Changes are heard of again: a new key is served.
	s.key(t, shop, "afterwards")
	s.settled(t, system, "default", 2, s.imageNow(t))
}

// sweepWithin is when the operator has taken away what an instance left that was deleted without it, after it started.
const sweepWithin = 10 * time.Second

// bindingsOf counts the bindings that an instance needs outside of its namespace.
func (s *suite) bindingsOf(t *testing.T, instance string) int {
	t.Helper()
	cluster, roles := &rbacv1.ClusterRoleBindingList{}, &rbacv1.RoleBindingList{}
	for _, list := range []client.ObjectList{cluster, roles} {
		if err := s.objects.List(t.Context(), list, client.MatchingLabels{v1alpha1.LabelInstance: instance}); err != nil {
			t.Fatal(err)
		}
	}
	return len(cluster.Items) + len(roles.Items)
}

// instanceDeletedUnseen deletes an instance while the operator is away. Once it is back, no right of the instance's is left.
func instanceDeletedUnseen(t *testing.T, s *suite) {
	s.namespace(t, "edge")
	s.apply(t, `{apiVersion: vipcloud.ai/v1alpha1, kind: GatewayInstance, metadata: {name: edge, namespace: edge},
spec: {replicas: 1, drain: {delay: 0s}, serves: {keys: {namespaces: {from: Selector, selector: {matchLabels: {team: edge}}}}}}}`)
	s.settled(t, "edge", "edge", 1, s.imageNow(t))
	if s.bindingsOf(t, "edge") < 2 {
		t.Fatal("an instance that serves other namespaces has no binding outside of its own")
	}
	s.k(t, "scale", "deployment", "-n", system, "vipcloud-operator", "--replicas=0")
	s.operatorGone(t)
	s.k(t, "delete", "gatewayinstance", "-n", "edge", "edge", "--timeout=30s")
	eventually(t, patience, "what the instance owned goes without the operator", func() error {
		err := s.objects.Get(t.Context(), client.ObjectKey{Namespace: "edge", Name: "vipcloud-edge"}, &appsv1.Deployment{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return errNotYet
	})
	if s.bindingsOf(t, "edge") == 0 {
		t.Fatal("the binding outside of the namespace went by itself: there is nothing to prove")
	}
	s.k(t, "scale", "deployment", "-n", system, "vipcloud-operator", "--replicas=1")
	var started time.Time
	eventually(t, patience, "the operator starts", func() error {
		list := &corev1.PodList{}
		if err := s.objects.List(t.Context(), list, client.InNamespace(system), client.MatchingLabels{"app.kubernetes.io/component": "operator"}); err != nil {
			return err
		}
		for i := range list.Items {
			for _, c := range list.Items[i].Status.ContainerStatuses {
				if c.State.Running != nil {
					started = c.State.Running.StartedAt.Time
					return nil
				}
			}
		}
		return errNotYet
	})
	eventually(t, patience, "the bindings go", func() error {
		if n := s.bindingsOf(t, "edge"); n > 0 {
			return fmt.Errorf("%d left: %w", n, errNotYet)
		}
		return nil
	})
	took := time.Since(started)
	t.Logf("no binding was left %s after the operator's start", took.Round(100*time.Millisecond))
	if took > sweepWithin {
		t.Errorf("bindings were left for %s after the operator's start, want at most %s", took, sweepWithin)
	}
	s.operatorReady(t)
	s.k(t, "delete", "namespace", "edge", "--timeout=6m")
}
