package controllers

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/controllers/render"
)

// owned are the objects of an instance in its namespace, by what they are.
func (w *world) owned(instance string) map[string]client.Object {
	meta := metav1.ObjectMeta{Namespace: w.ns, Name: "vipcloud-" + instance}
	reader, secret := meta, meta
	reader.Name += "-reader"
	secret.Name += "-credentials"
	return map[string]client.Object{
		"Deployment":     &appsv1.Deployment{ObjectMeta: meta},
		"Service":        &corev1.Service{ObjectMeta: meta},
		"ServiceAccount": &corev1.ServiceAccount{ObjectMeta: meta},
		"Role":           &rbacv1.Role{ObjectMeta: meta},
		"RoleBinding":    &rbacv1.RoleBinding{ObjectMeta: meta},
		"reader":         &rbacv1.RoleBinding{ObjectMeta: reader},
		"Secret":         &corev1.Secret{ObjectMeta: secret},

		"PodDisruptionBudget": &policyv1.PodDisruptionBudget{ObjectMeta: meta},
	}
}

func TestGatewayInstance_OwnsItsObjectsAndRepairsThem(t *testing.T) {
	w := newWorld(t)
	instance := w.instance("default")
	w.attend("default", "r1")
	w.ready(instance)
	objects := w.owned("default")
	for what, obj := range objects {
		w.get(obj)
		owner := metav1.GetControllerOf(obj)
		if owner == nil || owner.UID != instance.UID || owner.BlockOwnerDeletion != nil {
			t.Errorf("%s has the owner %+v", what, owner)
		}
	}
	deployment := objects["Deployment"].(*appsv1.Deployment)
	if c := deployment.Spec.Template.Spec.Containers[0]; c.Image != testImage || c.Args[1] != "--instance="+w.ns+"/default" {
		t.Errorf("image %s, args %v", c.Image, c.Args)
	}

	for what, obj := range objects {
		t.Run(what+" deleted", func(t *testing.T) {
			uid := obj.GetUID()
			w.remove(obj)
			w.eventually("making it again", func() error {
				if err := w.Get(w.ctx, client.ObjectKeyFromObject(obj), obj); err != nil {
					return err
				}
				if obj.GetUID() == uid {
					return errors.New("it is still the old one")
				}
				return nil
			})
		})
	}

	t.Run("drift", func(t *testing.T) {
		w.change(deployment, func() { deployment.Spec.Template.Spec.Containers[0].Image = "evil:latest" })
		service := objects["Service"].(*corev1.Service)
		w.change(service, func() { service.Spec.Selector = map[string]string{"app": "evil"}; service.Labels["theirs"] = "stays" })
		secret := objects["Secret"].(*corev1.Secret)
		w.change(secret, func() { secret.Data = map[string][]byte{"credentials.json": []byte("{}"), "more": nil} })
		w.eventually("repair", func() error {
			w.get(deployment)
			w.get(service)
			w.get(secret)
			switch {
			case deployment.Spec.Template.Spec.Containers[0].Image != testImage:
				return errors.New("the Deployment runs another image")
			case service.Spec.Selector["app"] != "" && len(service.Spec.Selector) == 1:
				return errors.New("the Service selects other pods")
			case service.Labels["theirs"] != "stays":
				return errors.New("a label of somebody else's was removed")
			case len(secret.Data) != 2 || string(secret.Data["credentials.json"]) == "{}" || len(secret.Data["keyring.json"]) == 0:
				return errors.New("the compiled Secret is somebody else's")
			}
			return nil
		})
	})
	t.Run("our label taken away", func(t *testing.T) {
		w.change(deployment, func() { delete(deployment.Labels, render.LabelManagedBy) })
		w.eventually("repair", func() error {
			if w.get(deployment); deployment.Labels[render.LabelManagedBy] != render.ManagedBy {
				return errors.New("the label is missing")
			}
			return nil
		})
	})
}

func TestGatewayInstance_SpecReachesTheDeployment(t *testing.T) {
	w := newWorld(t)
	instance := w.instance("default")
	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "vipcloud-default"}}
	w.eventually("the Deployment", func() error { return w.Get(w.ctx, client.ObjectKeyFromObject(deployment), deployment) })
	w.change(instance, func() {
		three := int32(3)
		instance.Spec.Replicas = &three
		instance.Spec.Drain = &v1alpha1.Drain{Timeout: "1m"}
		instance.Spec.PodTemplate = &v1alpha1.PodTemplate{NodeSelector: map[string]v1alpha1.LabelValue{"pool": "edge"}}
	})
	w.eventually("the change", func() error {
		w.get(deployment)
		pod := deployment.Spec.Template.Spec
		if *deployment.Spec.Replicas != 3 || *pod.TerminationGracePeriodSeconds != 100 || pod.NodeSelector["pool"] != "edge" {
			return fmt.Errorf("replicas %d, grace %d, nodes %v", *deployment.Spec.Replicas, *pod.TerminationGracePeriodSeconds, pod.NodeSelector)
		}
		return nil
	})
	w.change(instance, func() { instance.Spec.PodTemplate = nil })
	w.eventually("taking it back", func() error {
		if w.get(deployment); len(deployment.Spec.Template.Spec.NodeSelector) > 0 {
			return errors.New("the node selector is still there")
		}
		return nil
	})
	w.change(instance, func() { instance.Spec.Drain.Timeout = "48h" })
	w.expectConditions(instance, expect{"Ready": "False/Invalid", "Stalled": "True/Invalid"})
}

func TestGatewayInstance_NothingIsAppliedTwice(t *testing.T) {
	w := newWorld(t)
	instance := w.instance("default", servesAll)
	w.attend("default", "r1")
	w.ready(instance)
	objects := w.owned("default")
	delete(objects, "reader")
	objects["ClusterRoleBinding"] = &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "vipcloud-" + w.ns + ".default"}}
	w.eventually("everything is still", func() error { return w.still(objects, calm) })
	w.poke(v1alpha1.KindGatewayInstance, instance)
	w.restart()
	if err := w.still(objects, 5*calm); err != nil {
		t.Error(err)
	}
}

func TestGatewayInstance_ForeignObjectsAreUntouched(t *testing.T) {
	one := int32(1)
	labels := map[string]string{"app": "theirs"}
	pod := corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "theirs"}}}}
	cases := map[string]func(*world) client.Object{
		"Deployment": func(w *world) client.Object {
			return &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "vipcloud-default"}, Spec: appsv1.DeploymentSpec{
				Replicas: &one, Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: pod}}
		},
		"ServiceAccount": func(w *world) client.Object {
			return &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "vipcloud-default"}}
		},
		"Secret": func(w *world) client.Object {
			return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "vipcloud-default-credentials"}}
		},
		"ServiceAccount with our labels": func(w *world) client.Object {
			return &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "vipcloud-default",
				Labels: map[string]string{render.LabelManagedBy: render.ManagedBy, v1alpha1.LabelInstance: "default"}}}
		},
		"ClusterRoleBinding": func(w *world) client.Object {
			return &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "vipcloud-" + w.ns + ".default"},
				RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "view"}}
		},
	}
	for name, begin := range cases {
		t.Run(name, func(t *testing.T) {
			w := newQuietWorld(t)
			theirs := begin(w)
			w.create(theirs)
			before := w.version(theirs)
			w.start(nil)
			instance := w.instance("default", servesAll)
			w.attend("default", "r1")
			w.expectConditions(instance, expect{"Ready": "False/NameConflict", "Stalled": "True/NameConflict"})
			text := describeConditions(instance)
			if !strings.Contains(text, theirs.GetName()) || !strings.Contains(text, strings.Fields(name)[0]) {
				t.Errorf("nothing names the object: %s", text)
			}
			if after := w.version(theirs); after != before {
				t.Error("the object was written to")
			}
			w.remove(theirs)
			w.poke(v1alpha1.KindGatewayInstance, instance)
			w.ready(instance)
		})
	}
}

func TestGatewayInstance_BindingsFollowTheSpec(t *testing.T) {
	w := newWorld(t)
	instance := w.instance("default")
	reader := &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "vipcloud-default-reader"}}
	cluster := &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "vipcloud-" + w.ns + ".default"}}
	w.eventually("a binding in its own namespace", func() error {
		return errors.Join(w.Get(w.ctx, client.ObjectKeyFromObject(reader), reader), w.gone(cluster))
	})
	w.change(instance, func() { servesAll(instance) })
	w.eventually("a binding in the cluster", func() error {
		return errors.Join(w.Get(w.ctx, client.ObjectKeyFromObject(cluster), cluster), w.gone(reader))
	})
	want := []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: w.ns, Name: "vipcloud-default"}}
	if diff := cmp.Diff(want, cluster.Subjects); diff != "" || cluster.RoleRef.Name != "vipcloud-gateway-reader" {
		t.Errorf("role %s, subjects -want +got:\n%s", cluster.RoleRef.Name, diff)
	}
	w.change(instance, func() { instance.Spec.Serves = &v1alpha1.Serves{Keys: allowedKeys(v1alpha1.NamespacesFromSame)} })
	w.eventually("back again", func() error {
		return errors.Join(w.Get(w.ctx, client.ObjectKeyFromObject(reader), reader), w.gone(cluster))
	})
}

func TestGatewayInstance_NamespacedMode(t *testing.T) {
	w := newQuietWorld(t)
	tenant, unwatched := w.namespace(nil), w.namespace(nil)
	for _, namespace := range []string{w.ns, tenant} {
		w.create(&rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: namespacedUser},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "vipcloud-operator"},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: namespacedUser}},
		})
	}
	w.start([]string{w.ns, tenant})
	instance := w.instance("default", servesAll)
	w.attend("default", "r1")
	credential := w.credential("deepseek", "sk-1", func(c *v1alpha1.ProviderCredential) {
		c.Spec.AllowedNamespaces = &v1alpha1.NamespaceSelection{From: v1alpha1.NamespacesFromAll}
	})
	route := w.route("chat", "deepseek", in[*v1alpha1.ModelRoute](tenant), func(r *v1alpha1.ModelRoute) {
		r.Spec.Targets[0].Credential.Namespace = v1alpha1.NamespaceName(w.ns)
	})
	key := w.key("shop", in[*v1alpha1.ApiKey](tenant))
	ignored := w.key("ignored", in[*v1alpha1.ApiKey](unwatched))
	w.ready(instance, credential, route, key)
	remote := &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: tenant, Name: "vipcloud-" + w.ns + ".default"}}
	w.get(remote)
	if err := w.gone(&rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "vipcloud-" + w.ns + ".default"}}); err != nil {
		t.Error(err)
	}
	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "vipcloud-default"}}
	w.get(deployment)
	if args := deployment.Spec.Template.Spec.Containers[0].Args; args[len(args)-1] != "--watch-namespaces="+w.ns+","+tenant {
		t.Errorf("args %v", args)
	}
	if w.get(ignored); ignored.Status.ObservedGeneration != -1 {
		t.Errorf("a key of a namespace that is not watched has the status %+v", ignored.Status)
	}

	w.change(instance, func() {
		instance.Spec.Serves.Keys.Namespaces = &v1alpha1.NamespaceSelection{
			From: v1alpha1.NamespacesFromSelector, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"a": "b"}}}
	})
	w.expectConditions(instance, expect{"Ready": "False/SelectorNeedsClusterMode", "Stalled": "True/SelectorNeedsClusterMode"})
	w.change(instance, func() { instance.Spec.Serves = &v1alpha1.Serves{Keys: allowedKeys(v1alpha1.NamespacesFromSame)} })
	w.ready(instance)
	w.eventually("the remote binding goes", func() error { return w.gone(remote) })

	w.change(instance, func() { servesAll(instance) })
	w.eventually("and comes back", func() error { return w.Get(w.ctx, client.ObjectKeyFromObject(remote), remote) })
	w.remove(instance)
	w.eventually("and is swept", func() error { return w.gone(remote) })
}

func TestGatewayInstance_TooManyCredentialsKeepTheLastSecret(t *testing.T) {
	w := newWorld(t)
	instance := w.instance("default")
	w.attend("default", "r1")
	w.credential("small", "sk-1")
	w.route("chat", "small")
	w.ready(instance)
	w.eventually("the compiled Secret", func() error { return w.compiledKey("default", w.ns+"/small", "sk-1") })

	bundle := strings.Repeat(selfSigned(t), 1) + "\n" + strings.Repeat("#", 700<<10)
	for _, name := range []string{"big1", "big2"} {
		w.create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: name}, Data: map[string]string{"ca.crt": bundle}})
		w.credential(name, "sk-2", func(c *v1alpha1.ProviderCredential) {
			c.Spec.TLS = &v1alpha1.UpstreamTLS{CABundle: &v1alpha1.CABundleSource{
				ConfigMapRef: &v1alpha1.EntryReference{Name: v1alpha1.ObjectName(name), Key: "ca.crt"}}}
		})
	}
	w.route("big-one", "big1", func(r *v1alpha1.ModelRoute) {
		r.Spec.Targets = append(r.Spec.Targets, v1alpha1.Target{Name: "spare", Credential: v1alpha1.ObjectReference{Name: "big2"}})
	})
	w.expectConditions(instance, expect{"CredentialsCompiled": "False/SecretTooLarge", "Stalled": "True/SecretTooLarge"})
	if text := describeConditions(instance); !strings.Contains(text, w.ns+"/big1 (") || !strings.Contains(text, w.ns+"/big2 (") {
		t.Errorf("nothing names the credentials that do not fit: %s", text)
	}
	if err := w.compiledKey("default", w.ns+"/small", "sk-1"); err != nil {
		t.Errorf("the last good Secret is gone: %v", err)
	}
	w.remove(&v1alpha1.ModelRoute{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "big-one"}})
	w.ready(instance)
}

func TestGatewayInstance_Rollout(t *testing.T) {
	w := newWorld(t)
	instance := w.instance("default", func(i *v1alpha1.GatewayInstance) {
		two := int32(2)
		i.Spec.Replicas = &two
	})
	w.expectConditions(instance, expect{"Available": "False/NoReadyReplica", "CredentialsCompiled": "True/Compiled",
		"Ready": "False/NoReadyReplica", "Reconciling": "True/NoReadyReplica"})
	w.attend("default", "r1")
	w.expectConditions(instance, expect{"Available": "True/Available", "Ready": "False/Progressing", "Reconciling": "True/Progressing"})
	if got, want := instance.Status.Replicas, "1/2"; got != want {
		t.Errorf("replicas %q, want %q", got, want)
	}
	w.attend("default", "r2")
	w.ready(instance)

	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "vipcloud-default"}}
	w.deploymentStatus(deployment, appsv1.DeploymentStatus{ObservedGeneration: 1, Replicas: 3, UpdatedReplicas: 1})
	w.expectConditions(instance, expect{"Ready": "False/Progressing"})
	w.deploymentStatus(deployment, appsv1.DeploymentStatus{ObservedGeneration: 1, Replicas: 2, UpdatedReplicas: 2})
	w.ready(instance)

	w.change(instance, func() {
		zero := int32(0)
		instance.Spec.Replicas = &zero
	})
	w.eventually("being scaled to nothing", func() error {
		if w.get(instance); instance.Status.Replicas != "2/0" {
			return errors.New(instance.Status.Replicas)
		}
		return nil
	})
}

// deploymentStatus writes what the Deployment controller would.
func (w *world) deploymentStatus(deployment *appsv1.Deployment, status appsv1.DeploymentStatus) {
	w.t.Helper()
	w.eventually("writing the Deployment's status", func() error {
		w.get(deployment)
		status.ObservedGeneration *= deployment.Generation
		deployment.Status = status
		return w.Status().Update(w.ctx, deployment)
	})
}

func TestGatewayInstance_TwoSideBySideKeepOutOfEachOthersWay(t *testing.T) {
	w := newWorld(t)
	everything := func(i *v1alpha1.GatewayInstance) {
		servesAll(i)
		i.Spec.Autoscaling = &v1alpha1.Autoscaling{MinReplicas: i.Spec.Replicas, MaxReplicas: 3}
		i.Spec.NetworkPolicy = &v1alpha1.NetworkPolicy{}
		i.Spec.Expose = &v1alpha1.Expose{Ingress: &v1alpha1.ExposeIngress{Host: v1alpha1.Hostname(i.Name + ".example.com")}}
	}
	a, b := w.instance("a", everything), w.instance("b", everything)
	w.attend("a", "r1")
	w.attend("b", "r2")
	credential, key := w.credential("shared", "sk-1"), w.key("shop")
	route := w.route("chat", "shared")
	w.ready(a, b, credential, route, key)
	holder := string(key.Status.Gateway.Name)
	if a.Status.Keys+b.Status.Keys != 1 || a.Status.Routes != 1 || b.Status.Routes != 1 {
		t.Errorf("a has %d keys and %d routes, b %d and %d; want one key in all, the route in both",
			a.Status.Keys, a.Status.Routes, b.Status.Keys, b.Status.Routes)
	}
	all := func(name string) map[string]client.Object {
		objects := w.owned(name)
		delete(objects, "reader")
		meta := metav1.ObjectMeta{Namespace: w.ns, Name: "vipcloud-" + name}
		objects["ClusterRoleBinding"] = &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "vipcloud-" + w.ns + "." + name}}
		objects["HorizontalPodAutoscaler"] = &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: meta}
		objects["NetworkPolicy"] = &networkingv1.NetworkPolicy{ObjectMeta: meta}
		objects["Ingress"] = &networkingv1.Ingress{ObjectMeta: meta}
		return objects
	}
	for name, uid := range map[string]types.UID{"a": a.UID, "b": b.UID} {
		for what, obj := range all(name) {
			w.get(obj)
			if owner := metav1.GetControllerOf(obj); owner != nil && owner.UID != uid {
				t.Errorf("%s of %s is owned by %s", what, name, owner.Name)
			}
		}
	}

	gone, stays := a, b
	if holder == "b" {
		gone, stays = b, a
	}
	kept := all(stays.Name)
	w.eventually("everything is still", func() error { return w.still(kept, calm) })
	w.remove(gone)
	w.acceptedBy(key, stays.Name) // a key belongs to one at a time
	w.ready(stays, route, key)
	w.eventually("the binding of the other goes", func() error { return w.gone(all(gone.Name)["ClusterRoleBinding"]) })
	for what, obj := range all(stays.Name) {
		if w.get(obj); obj.GetDeletionTimestamp() != nil {
			t.Errorf("%s goes with the other instance", what)
		}
	}
}

func TestGatewayInstance_DeletingNeverHangs(t *testing.T) {
	w := newWorld(t)
	instance, route, key := w.instance("default"), w.route("chat", "none"), w.key("shop")
	w.attend("default", "r1")
	w.ready(instance, key)
	for _, obj := range []client.Object{instance, route, key} {
		if len(obj.GetFinalizers()) > 0 {
			t.Errorf("%T has finalizers", obj)
		}
		w.stopAndDelete(obj)
	}
}

// stopAndDelete deletes an object and expects it to be gone at once, whether an operator runs or not.
func (w *world) stopAndDelete(obj client.Object) {
	w.t.Helper()
	if w.stop != nil {
		w.stop()
	}
	w.remove(obj)
	if err := w.Get(w.ctx, client.ObjectKeyFromObject(obj), obj); !apierrors.IsNotFound(err) {
		w.t.Errorf("%T is still there: %v", obj, err)
	}
}
