package controllers

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/controllers/render"
	"vipcloud.ai/vipcloud/gateway/table"
)

// instance makes a GatewayInstance of one replica that serves keys of its own namespace, so that tests do not meet.
func (w *world) instance(name string, edits ...func(*v1alpha1.GatewayInstance)) *v1alpha1.GatewayInstance {
	w.t.Helper()
	one := int32(1)
	obj := &v1alpha1.GatewayInstance{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: name},
		Spec: v1alpha1.GatewayInstanceSpec{
			Replicas: &one,
			Serves:   &v1alpha1.Serves{Keys: allowedKeys(v1alpha1.NamespacesFromSame)},
		},
	}
	for _, edit := range edits {
		edit(obj)
	}
	w.create(obj)
	return obj
}

// allowed selects namespaces.
func allowed(from v1alpha1.NamespacesFrom) *v1alpha1.AllowedNamespaces {
	return &v1alpha1.AllowedNamespaces{Namespaces: v1alpha1.NamespaceSelection{From: from}}
}

// allowedKeys is allowed for the keys that an instance serves.
func allowedKeys(from v1alpha1.NamespacesFrom) *v1alpha1.ServedKeys {
	return &v1alpha1.ServedKeys{Namespaces: &v1alpha1.NamespaceSelection{From: from}}
}

// servesAll makes an instance serve everybody.
func servesAll(obj *v1alpha1.GatewayInstance) {
	obj.Spec.Serves = &v1alpha1.Serves{Keys: allowedKeys(v1alpha1.NamespacesFromAll), Routes: allowed(v1alpha1.NamespacesFromAll)}
}

// credential makes a ProviderCredential and, unless it is empty, its Secret.
func (w *world) credential(name, key string, edits ...func(*v1alpha1.ProviderCredential)) *v1alpha1.ProviderCredential {
	w.t.Helper()
	obj := &v1alpha1.ProviderCredential{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: name},
		Spec: v1alpha1.ProviderCredentialSpec{
			Provider:  v1alpha1.ProviderDeepSeek,
			Endpoint:  "https://api.example.com",
			SecretRef: v1alpha1.LocalObjectReference{Name: v1alpha1.ObjectName(name)},
		},
	}
	for _, edit := range edits {
		edit(obj)
	}
	if key != "" {
		w.secret(obj.Namespace, name, map[string]string{"api-key": key})
	}
	w.create(obj)
	return obj
}

// secret makes a Secret.
func (w *world) secret(namespace, name string, entries map[string]string) *corev1.Secret {
	w.t.Helper()
	obj := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, StringData: entries}
	w.create(obj)
	return obj
}

// route makes a ModelRoute with one target.
func (w *world) route(name, credential string, edits ...func(*v1alpha1.ModelRoute)) *v1alpha1.ModelRoute {
	w.t.Helper()
	zero := v1alpha1.Decimal("0")
	obj := &v1alpha1.ModelRoute{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: name},
		Spec: v1alpha1.ModelRouteSpec{
			Pricing: &v1alpha1.Pricing{Currency: "USD", Prices: v1alpha1.Prices{PerRequest: &zero}},
			Targets: []v1alpha1.Target{{Name: "primary", Credential: v1alpha1.ObjectReference{Name: v1alpha1.ObjectName(credential)}}},
		},
	}
	for _, edit := range edits {
		edit(obj)
	}
	w.create(obj)
	return obj
}

// key makes an ApiKey.
func (w *world) key(name string, edits ...func(*v1alpha1.ApiKey)) *v1alpha1.ApiKey {
	w.t.Helper()
	obj := &v1alpha1.ApiKey{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: name}}
	for _, edit := range edits {
		edit(obj)
	}
	w.create(obj)
	return obj
}

// pod makes the pod of a gateway.
func (w *world) pod(instance, name string) *corev1.Pod {
	w.t.Helper()
	labels := render.Labels(&v1alpha1.GatewayInstance{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: instance}})
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: name, Labels: labels},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "gateway", Image: testImage}}},
	}
	w.create(pod)
	return pod
}

// replica makes a GatewayReplica, outside the cluster if nothing else is said, that has loaded nothing yet but is ready.
func (w *world) replica(instance, name string, edits ...func(*v1alpha1.GatewayReplica)) *v1alpha1.GatewayReplica {
	w.t.Helper()
	obj := &v1alpha1.GatewayReplica{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: name},
		Spec:       v1alpha1.GatewayReplicaSpec{Instance: v1alpha1.ObjectName(instance)},
	}
	for _, edit := range edits {
		edit(obj)
	}
	w.create(obj)
	w.report(obj, func(st *v1alpha1.GatewayReplicaStatus) {
		meta.SetStatusCondition(&st.Conditions, metav1.Condition{
			Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonReady})
	})
	return obj
}

// report writes the status of a replica as a gateway does.
func (w *world) report(obj *v1alpha1.GatewayReplica, edit func(*v1alpha1.GatewayReplicaStatus)) {
	w.t.Helper()
	w.eventually("reporting", func() error {
		if err := w.Get(w.ctx, client.ObjectKeyFromObject(obj), obj); err != nil {
			return err
		}
		now := metav1.NewMicroTime(w.clock.Now())
		obj.Status.RenewTime = &now
		edit(&obj.Status)
		return w.Status().Update(w.ctx, obj)
	})
}

// catchUp lets a replica report that it has loaded everything there is by now.
func (w *world) catchUp(obj *v1alpha1.GatewayReplica) {
	w.t.Helper()
	loaded := w.present(string(obj.Spec.Instance))
	w.report(obj, func(st *v1alpha1.GatewayReplicaStatus) { st.Loaded = loaded })
}

// present is how far a replica is that has loaded everything.
func (w *world) present(instance string) v1alpha1.LoadedVersions {
	w.t.Helper()
	var routes v1alpha1.ModelRouteList
	var keys v1alpha1.ApiKeyList
	var instances v1alpha1.GatewayInstanceList
	for _, list := range []client.ObjectList{&routes, &keys, &instances} {
		if err := w.List(w.ctx, list); err != nil {
			w.t.Fatalf("listing %T: %v", list, err)
		}
	}
	secret := &corev1.Secret{}
	_ = w.Get(w.ctx, client.ObjectKey{Namespace: w.ns, Name: "vipcloud-" + instance + "-credentials"}, secret)
	return v1alpha1.LoadedVersions{
		ModelRoutes:     routes.ResourceVersion,
		ApiKeys:         keys.ResourceVersion,
		Credentials:     secret.ResourceVersion,
		GatewayInstance: instances.ResourceVersion,
	}
}

// attend keeps a replica caught up until the test ends, as a gateway does. It has a pod, so that a test that moves the clock does
// not make it look dead before it reports again.
func (w *world) attend(instance, name string) *v1alpha1.GatewayReplica {
	w.t.Helper()
	w.podReady(w.pod(instance, name), corev1.ConditionTrue)
	obj := w.replica(instance, name, func(r *v1alpha1.GatewayReplica) { r.Spec.PodName = v1alpha1.ObjectName(name) })
	own := obj.DeepCopy() // the test has the other one
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Millisecond):
				w.catchUp(own)
			}
		}
	}()
	w.t.Cleanup(func() { close(stop); <-done })
	return obj
}

// conditionsOf are the conditions of any of our objects.
func conditionsOf(obj client.Object) []metav1.Condition {
	switch o := obj.(type) {
	case *v1alpha1.ModelRoute:
		return o.Status.Conditions
	case *v1alpha1.ApiKey:
		return o.Status.Conditions
	case *v1alpha1.ProviderCredential:
		return o.Status.Conditions
	case *v1alpha1.GatewayInstance:
		return o.Status.Conditions
	}
	panic(fmt.Sprintf("%T has no conditions", obj))
}

// expect is a condition as a test wants it: status and reason, such as True/Ready.
type expect map[string]string

// expectConditions waits until conditions are as wanted at the object's present generation; an empty string wants none.
func (w *world) expectConditions(obj client.Object, want expect) {
	w.t.Helper()
	w.eventually(fmt.Sprintf("conditions of %T %s", obj, obj.GetName()), func() error {
		if err := w.Get(w.ctx, client.ObjectKeyFromObject(obj), obj); err != nil {
			return err
		}
		return matchConditions(obj, want)
	})
}

// matchConditions compares conditions with what is wanted.
func matchConditions(obj client.Object, want expect) error {
	for kind, wanted := range want {
		got := ""
		if c := meta.FindStatusCondition(conditionsOf(obj), kind); c != nil {
			got = string(c.Status) + "/" + c.Reason
			if c.ObservedGeneration != obj.GetGeneration() {
				return fmt.Errorf("%s is of generation %d, the object is at %d", kind, c.ObservedGeneration, obj.GetGeneration())
			}
		}
		if got != wanted {
			return fmt.Errorf("%s is %q, want %q; all: %s", kind, got, wanted, describeConditions(obj))
		}
	}
	return nil
}

// describeConditions prints conditions for people.
func describeConditions(obj client.Object) string {
	text := ""
	for _, c := range conditionsOf(obj) {
		text += fmt.Sprintf("\n  %s=%s/%s: %s", c.Type, c.Status, c.Reason, c.Message)
	}
	return text
}

// ready waits until an object is Ready.
func (w *world) ready(objs ...client.Object) {
	w.t.Helper()
	for _, obj := range objs {
		w.expectConditions(obj, expect{"Ready": "True/Ready", "Stalled": "", "Reconciling": ""})
	}
}

// poke lets the operator look at an object although nothing happened.
func (w *world) poke(kind string, obj client.Object) {
	w.op.wake.objects(table.ObjectRef{Kind: kind, Namespace: obj.GetNamespace(), Name: obj.GetName()})
}

// in puts an object into another namespace.
func in[T client.Object](namespace string) func(T) {
	return func(obj T) { obj.SetNamespace(namespace) }
}

// version is the resource version of an object as it is now.
func (w *world) version(obj client.Object) string {
	w.t.Helper()
	w.get(obj)
	return obj.GetResourceVersion()
}

// compiled decodes the compiled Secret of an instance.
func (w *world) compiled(instance string) (map[string]table.CredentialState, error) {
	secret := &corev1.Secret{}
	key := client.ObjectKey{Namespace: w.ns, Name: "vipcloud-" + instance + "-credentials"}
	if err := w.Get(w.ctx, key, secret); err != nil {
		return nil, err
	}
	_, states, err := table.DecodeCredentials(secret.Data)
	out := map[string]table.CredentialState{}
	for name, state := range states {
		out[name.String()] = state
	}
	return out, err
}
