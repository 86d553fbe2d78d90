package controllers

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

func TestApiKey_DuplicateOfAGeneratedOneIsRefused(t *testing.T) {
	w := keyWorld(t)
	w.secret(w.ns, "vault", map[string]string{"token": validKey})
	brought := w.key("early", func(ak *v1alpha1.ApiKey) {
		ak.Spec.Source = &v1alpha1.ApiKeySource{Type: "SecretRef", SecretRef: &v1alpha1.EntryReference{Name: "vault", Key: "token"}}
	})
	w.ready(brought)
	generated := w.key("late")
	w.ready(generated)
	secret, _ := w.plain("late")
	w.change(secret, func() { secret.Data["api-key"] = []byte(validKey) })
	w.expectConditions(brought, expect{"Accepted": "False/DuplicateKey", "Stalled": "True/DuplicateKey"})
	w.expectConditions(generated, expect{"Accepted": "True/Accepted"})
}

func TestApiKey_UnknownModelsDoNotStandInTheWay(t *testing.T) {
	w := keyWorld(t)
	key := w.key("shop", func(ak *v1alpha1.ApiKey) { ak.Spec.Models = []v1alpha1.ModelGlob{"no-such-*"} })
	w.expectConditions(key, expect{"ModelsResolved": "False/UnknownModels", "Ready": "True/Ready"})
	w.credential("deepseek", "sk-1")
	w.route("no-such-model", "deepseek")
	w.expectConditions(key, expect{"ModelsResolved": "True/ModelsResolved", "Ready": "True/Ready"})
}

func TestApiKey_InvalidRotation(t *testing.T) {
	w := keyWorld(t)
	key := w.key("shop", func(ak *v1alpha1.ApiKey) { ak.Spec.Rotation = &v1alpha1.ApiKeyRotation{Every: "1s"} })
	w.expectConditions(key, expect{"Accepted": "False/Invalid", "Stalled": "True/Invalid"})
	w.change(key, func() { key.Spec.Rotation.Every = "24h" })
	w.ready(key)
}

func TestApiKey_ChoosesTheOldestInstanceAndMovesOn(t *testing.T) {
	w := newWorld(t)
	tenant := w.namespace(map[string]string{"tier": "gold"})
	older := w.instance("older", servesAll)
	w.attend("older", "r1")
	w.waitASecond(older)
	w.instance("younger", servesAll)
	w.attend("younger", "r2")
	key := w.key("shop", in[*v1alpha1.ApiKey](tenant))
	named := w.key("named", in[*v1alpha1.ApiKey](tenant), func(ak *v1alpha1.ApiKey) {
		ak.Spec.GatewayRef = &v1alpha1.ObjectReference{Name: "younger", Namespace: v1alpha1.NamespaceName(w.ns)}
	})
	w.acceptedBy(key, "older")
	w.acceptedBy(named, "younger")
	w.ready(key, named)

	w.change(older, func() {
		older.Spec.Serves.Keys.Namespaces = &v1alpha1.NamespaceSelection{From: v1alpha1.NamespacesFromSelector,
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"tier": "silver"}}}
	})
	w.acceptedBy(key, "younger")
	w.ready(key)
	secret := &corev1.Secret{}
	if err := w.Get(w.ctx, client.ObjectKey{Namespace: tenant, Name: "shop"}, secret); err != nil {
		t.Fatal(err)
	}
	if want := "http://vipcloud-younger." + w.ns + ".svc/v1"; string(secret.Data["OPENAI_BASE_URL"]) != want {
		t.Errorf("base URL %s, want %s", secret.Data["OPENAI_BASE_URL"], want)
	}

	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: tenant}}
	w.change(namespace, func() { namespace.Labels["tier"] = "silver" })
	w.acceptedBy(key, "older")
	w.ready(key)

	w.change(named, func() { named.Spec.GatewayRef.Name = "nobody" })
	w.expectConditions(named, expect{"Accepted": "False/RefNotFound", "Reconciling": "True/RefNotFound"})
}

// waitASecond waits until what is created now is younger than an object: creation times are whole seconds.
func (w *world) waitASecond(obj client.Object) {
	w.t.Helper()
	w.eventually("the next second", func() error {
		if time.Since(obj.GetCreationTimestamp().Time) < 1100*time.Millisecond {
			return errors.New("not yet")
		}
		return nil
	})
}

// acceptedBy waits until an instance accepts a key.
func (w *world) acceptedBy(ak *v1alpha1.ApiKey, instance string) {
	w.t.Helper()
	w.eventually(ak.Name+" is accepted by "+instance, func() error {
		w.get(ak)
		if g := ak.Status.Gateway; g == nil || string(g.Name) != instance {
			return fmt.Errorf("gateway is %v", g)
		}
		return nil
	})
}

func TestApiKey_ReadyIsNoEarlierThanTheLastReplica(t *testing.T) {
	w := newWorld(t)
	w.instance("default")
	one, two := w.replica("default", "r1"), w.replica("default", "r2")
	key := w.key("shop")
	w.expectConditions(key, expect{"Accepted": "True/Accepted", "Programmed": "False/Progressing", "Reconciling": "True/Progressing"})
	w.catchUp(one)
	w.never("Ready with one of two", func() error { return w.notReady(key) })
	w.catchUp(two)
	w.ready(key)

	// Revoking and allowing again are new generations.
	w.change(key, func() { key.Spec.Models = []v1alpha1.ModelGlob{"*"} })
	w.expectConditions(key, expect{"Programmed": "False/Progressing"})
	loaded := w.present("default")
	loaded.ApiKeys = "1"
	for _, r := range []*v1alpha1.GatewayReplica{one, two} {
		w.report(r, func(st *v1alpha1.GatewayReplicaStatus) { st.Loaded = loaded })
	}
	w.never("Ready without the keys", func() error { return w.notReady(key) })
	w.catchUp(one)
	w.catchUp(two)
	w.ready(key)
}

func TestApiKey_NameThatIsNoLabel(t *testing.T) {
	w := keyWorld(t)
	key := w.key(strings.Repeat("k", 64))
	w.expectConditions(key, expect{"ResolvedRefs": "False/Invalid", "Stalled": "True/Invalid"})
}

func TestApiKey_ARefusalOfTheAPIServerIsSaid(t *testing.T) {
	w := newWorld(t)
	doomed := w.namespace(nil)
	key := w.key("shop", in[*v1alpha1.ApiKey](doomed))
	w.expectConditions(key, expect{"Accepted": "False/NoGateway"})
	// Nothing can be made in a namespace that is being deleted, and here nobody ends that.
	w.remove(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: doomed}})
	w.instance("default", servesAll)
	w.expectConditions(key, expect{"Ready": "False/ReconcileError", "Reconciling": "True/ReconcileError"})
}
