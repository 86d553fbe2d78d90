package controllers

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

func TestGatewayInstance_DisruptionBudgetFollowsTheSpec(t *testing.T) {
	w := newWorld(t)
	instance := w.instance("default")
	budget := &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "vipcloud-default"}}
	missing := func(want int) {
		t.Helper()
		w.eventually("the budget", func() error {
			if err := w.Get(w.ctx, client.ObjectKeyFromObject(budget), budget); err != nil {
				return err
			}
			if got := budget.Spec.MaxUnavailable.IntValue(); got != want {
				return fmt.Errorf("maxUnavailable %d, want %d", got, want)
			}
			return nil
		})
	}
	missing(1)
	three, off := int32(3), false
	w.change(instance, func() { instance.Spec.PodDisruptionBudget = &v1alpha1.PodDisruptionBudget{MaxUnavailable: &three} })
	missing(3)
	w.change(instance, func() { instance.Spec.PodDisruptionBudget = &v1alpha1.PodDisruptionBudget{Enabled: &off} })
	w.eventually("the budget goes", func() error { return w.gone(budget) })
	w.change(instance, func() { instance.Spec.PodDisruptionBudget = nil })
	missing(1)
}

// counts are the numbers of replicas that a Deployment was seen to ask for, in order.
type counts struct {
	mu   sync.Mutex
	seen []int32
}

func (c *counts) add(n int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.seen) == 0 || c.seen[len(c.seen)-1] != n {
		c.seen = append(c.seen, n)
	}
}

func (c *counts) all() []int32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.seen)
}

// follow notes every number of replicas that a Deployment asks for from now on.
func (w *world) follow(name string) *counts {
	w.t.Helper()
	watcher, err := apiServer.client.Watch(w.ctx, &appsv1.DeploymentList{}, client.InNamespace(w.ns))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(watcher.Stop)
	seen := &counts{}
	go func() {
		for event := range watcher.ResultChan() {
			if d, ok := event.Object.(*appsv1.Deployment); ok && d.Name == name {
				seen.add(*d.Spec.Replicas)
			}
		}
	}()
	return seen
}

// scaleTo does what a HorizontalPodAutoscaler's controller does.
func (w *world) scaleTo(deployment *appsv1.Deployment, n int32) {
	w.t.Helper()
	scale := &autoscalingv1.Scale{Spec: autoscalingv1.ScaleSpec{Replicas: n}}
	err := w.SubResource("scale").Update(w.ctx, deployment, client.WithSubResourceBody(scale), client.FieldOwner("kube-controller-manager"))
	if err != nil {
		w.t.Fatalf("scaling to %d: %v", n, err)
	}
}

// asksFor waits until a Deployment asks for so many replicas.
func (w *world) asksFor(deployment *appsv1.Deployment, n int32) {
	w.t.Helper()
	w.eventually(fmt.Sprintf("%d replicas", n), func() error {
		if err := w.Get(w.ctx, client.ObjectKeyFromObject(deployment), deployment); err != nil {
			return err
		}
		if got := *deployment.Spec.Replicas; got != n {
			return fmt.Errorf("%d replicas", got)
		}
		return nil
	})
}

func TestGatewayInstance_AutoscalingBeginsWhereReplicasWere(t *testing.T) {
	w := newWorld(t)
	five := int32(5)
	instance := w.instance("default", func(i *v1alpha1.GatewayInstance) { i.Spec.Replicas = &five })
	w.attend("default", "r1")
	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "vipcloud-default"}}
	w.asksFor(deployment, 5)
	seen := w.follow(deployment.Name)

	// The default of replicas comes back, which must not count.
	w.change(instance, func() {
		instance.Spec.Replicas, instance.Spec.Autoscaling = nil, &v1alpha1.Autoscaling{MaxReplicas: 10}
	})
	hpa := &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: deployment.ObjectMeta}
	w.eventually("the autoscaler", func() error { return w.Get(w.ctx, client.ObjectKeyFromObject(hpa), hpa) })
	if *hpa.Spec.MinReplicas != 2 || hpa.Spec.MaxReplicas != 10 || hpa.Spec.ScaleTargetRef.Name != deployment.Name {
		t.Errorf("the autoscaler is %+v", hpa.Spec)
	}
	w.expectConditions(instance, expect{"Autoscaling": "True/Autoscaling"})
	w.change(instance, func() { instance.Spec.Drain = &v1alpha1.Drain{Timeout: "1m"} }) // applied while nobody else owns the number
	w.grace(deployment, 100)
	w.asksFor(deployment, 5)
	w.restart()

	for i, n := range []int32{7, 6} {
		w.get(deployment)
		w.scaleTo(deployment, n)
		w.eventually("the operator lets go", func() error {
			w.get(deployment)
			for _, e := range deployment.ManagedFields {
				if e.Manager == operatorName && replicasTaken([]metav1.ManagedFieldsEntry{{Manager: "x", FieldsV1: e.FieldsV1}}) {
					return errors.New("the operator still owns the number")
				}
			}
			return nil
		})
		timeout := time.Duration(i+2) * time.Minute
		w.change(instance, func() { instance.Spec.Drain.Timeout = v1alpha1.Duration(timeout.String()) })
		w.grace(deployment, int64(timeout/time.Second)+40)
		w.asksFor(deployment, n)
	}
	w.eventually("the status", func() error {
		if w.get(instance); instance.Status.Replicas != "1/6" {
			return errors.New(instance.Status.Replicas)
		}
		return nil
	})
	if got := seen.all(); slices.Min(got) < 5 {
		t.Errorf("the Deployment asked for %v replicas", got)
	}

	t.Run("0 stops all", func(t *testing.T) {
		zero, three := int32(0), int32(3)
		w.change(instance, func() { instance.Spec.Replicas = &zero })
		w.asksFor(deployment, 0)
		w.expectConditions(instance, expect{"Autoscaling": "False/ScalingInactive"})
		w.change(instance, func() { instance.Spec.Replicas = &three })
		w.asksFor(deployment, 3)
	})
	t.Run("somebody else scales", func(t *testing.T) {
		w.change(instance, func() {
			instance.Spec.Autoscaling = &v1alpha1.Autoscaling{Type: v1alpha1.AutoscalingExternal, MaxReplicas: 10}
		})
		w.eventually("the autoscaler goes", func() error { return w.gone(hpa) })
		w.scaleTo(deployment, 4)
		w.poke(v1alpha1.KindGatewayInstance, instance)
		w.never("the number is touched", func() error {
			if w.get(deployment); *deployment.Spec.Replicas != 4 {
				return fmt.Errorf("%d replicas", *deployment.Spec.Replicas)
			}
			return nil
		})
	})
	t.Run("off again", func(t *testing.T) {
		two := int32(2)
		w.change(instance, func() { instance.Spec.Autoscaling, instance.Spec.Replicas = nil, &two })
		w.asksFor(deployment, 2)
		w.expectConditions(instance, expect{"Autoscaling": ""})
	})
}

// grace waits until a change of the drain has reached a Deployment.
func (w *world) grace(deployment *appsv1.Deployment, seconds int64) {
	w.t.Helper()
	w.eventually("the change reaches the Deployment", func() error {
		w.get(deployment)
		if got := *deployment.Spec.Template.Spec.TerminationGracePeriodSeconds; got != seconds {
			return fmt.Errorf("grace %d, want %d", got, seconds)
		}
		return nil
	})
}

func TestGatewayInstance_InFlightRequestsNeedAMetricsAPI(t *testing.T) {
	w := newWorld(t)
	one, target := int32(1), int32(50)
	instance := w.instance("default", func(i *v1alpha1.GatewayInstance) {
		i.Spec.Autoscaling = &v1alpha1.Autoscaling{MinReplicas: &one, MaxReplicas: 4, TargetInFlightRequests: &target}
	})
	w.attend("default", "r1")
	w.expectConditions(instance, expect{"Autoscaling": "False/MetricsAPIMissing", "Ready": "False/MetricsAPIMissing", "Stalled": "", "Reconciling": ""})
	hpa := &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "vipcloud-default"}}
	if err := w.gone(hpa); err != nil {
		t.Error(err)
	}

	api := w.serveCustomMetrics()
	w.later(instance)
	w.expectConditions(instance, expect{"Autoscaling": "True/Autoscaling", "Ready": "True/Ready"})
	w.get(hpa)
	if m := hpa.Spec.Metrics[0].Pods; m == nil || m.Metric.Name != "vipcloud_requests_in_flight" || m.Target.AverageValue.Value() != 50 {
		t.Errorf("metrics %+v", hpa.Spec.Metrics)
	}
	hpa.Status.Conditions = []autoscalingv2.HorizontalPodAutoscalerCondition{{
		Type: autoscalingv2.ScalingActive, Status: corev1.ConditionFalse, Reason: "FailedGetPodsMetric", Message: "no such metric"}}
	if err := w.Status().Update(w.ctx, hpa); err != nil {
		t.Fatal(err)
	}
	w.expectConditions(instance, expect{"Autoscaling": "False/ScalingInactive", "Ready": "True/Ready"})

	w.remove(api)
	w.later(instance)
	w.expectConditions(instance, expect{"Autoscaling": "False/MetricsAPIMissing"})
	w.get(hpa) // what is there stays: adapters come and go
}

// later lets some time pass, so that the operator asks again what the API server serves.
func (w *world) later(instance *v1alpha1.GatewayInstance) {
	w.clock.step(time.Minute)
	w.poke(v1alpha1.KindGatewayInstance, instance)
}

// serveCustomMetrics registers an adapter with the API server until the test ends, and waits until it is known.
func (w *world) serveCustomMetrics() client.Object {
	w.t.Helper()
	const group, version = "custom.metrics.k8s.io", "v1beta2"
	adapter := httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(rw, `{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"%s/%s","resources":[]}`, group, version)
	}))
	w.t.Cleanup(adapter.Close)
	at, err := url.Parse(adapter.URL)
	if err != nil {
		w.t.Fatal(err)
	}
	_, text, _ := net.SplitHostPort(at.Host)
	port, err := strconv.Atoi(text)
	if err != nil {
		w.t.Fatal(err)
	}
	w.create(&corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "adapter"},
		Spec:       corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "localhost"},
	})
	api := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
		"metadata": map[string]any{"name": version + "." + group},
		"spec": map[string]any{
			"group": group, "version": version, "groupPriorityMinimum": int64(100), "versionPriority": int64(100),
			"insecureSkipTLSVerify": true, "service": map[string]any{"namespace": w.ns, "name": "adapter", "port": int64(port)},
		},
	}}
	w.create(api)
	w.t.Cleanup(func() { _ = client.IgnoreNotFound(w.Delete(w.ctx, api)) })
	w.eventually("the API server knows "+group, func() error {
		// Asked past what the operator remembers.
		served, err := newServedAPIs(w.op.apis.client, w.clock).group(group)
		if err == nil && !served {
			err = errors.New("it is not served")
		}
		return err
	})
	return api
}
