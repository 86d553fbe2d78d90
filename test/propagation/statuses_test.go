package propagation_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/test/sim"
)

// TestStatuses holds what statuses say of requests against what happened to the requests.
func TestStatuses(t *testing.T) {
	w := newWorld(t)
	t.Run("use of a key that was rotated out shows", func(t *testing.T) { previousKey(w.in(t)) })
	t.Run("a key that the vendor refuses shows until it is rotated", func(t *testing.T) { refusedSecret(w.in(t)) })
}

// previousKey rotates a key and goes on using the old one at one replica.
func previousKey(w *world) {
	key := &v1alpha1.ApiKey{
		ObjectMeta: metav1.ObjectMeta{Namespace: tenant, Name: "rotated"},
		Spec:       v1alpha1.ApiKeySpec{Rotation: &v1alpha1.ApiKeyRotation{Trigger: "one"}},
	}
	w.create(key)
	w.awaitReady(key)
	secret := &corev1.Secret{}
	plain := func() string {
		if err := w.client.Get(w.t.Context(), client.ObjectKeyFromObject(key), secret); err != nil {
			w.t.Fatal(err)
		}
		return string(secret.Data["api-key"])
	}
	old := plain()
	if code, body := w.replicas[0].models(old); code != 200 { // before it is replaced, which says nothing
		w.t.Fatalf("the key is Ready and answered %d %s", code, body)
	}
	change := client.RawPatch(types.MergePatchType, []byte(`{"spec":{"rotation":{"trigger":"two"}}}`))
	if err := w.client.Patch(w.t.Context(), key, change); err != nil {
		w.t.Fatal(err)
	}
	w.within(patience, "another key", func() bool { return plain() != old })
	previous := func(reason string) func() bool {
		return func() bool {
			if err := w.client.Get(w.t.Context(), client.ObjectKeyFromObject(key), key); err != nil {
				w.t.Fatal(err)
			}
			c := meta.FindStatusCondition(key.Status.Conditions, v1alpha1.ConditionPreviousKeyInUse)
			return c != nil && c.Reason == reason
		}
	}
	w.within(patience, "nobody uses the previous key", previous(v1alpha1.ReasonNotUsed))
	w.awaitReady(key)
	for _, replica := range w.replicas {
		if code, body := replica.models(plain()); code != 200 {
			w.t.Fatalf("the new key is answered %d %s", code, body)
		}
	}
	if !previous(v1alpha1.ReasonNotUsed)() {
		w.t.Error("use of the new key counts as use of the previous one")
	}
	if code, body := w.replicas[1].models(old); code != 200 {
		w.t.Fatalf("the previous key is answered %d %s", code, body)
	}
	took := w.within(patience, "somebody uses the previous key", previous(v1alpha1.ReasonUsed))
	if last := key.Status.PreviousKeyLastUsed; last == nil || time.Since(last.Time) > 3*time.Minute {
		w.t.Errorf("last use is %v", last)
	}
	fmt.Printf("use of a previous key in the status after %s\n", took.Round(time.Millisecond))
}

// refusedSecret serves with a key that the vendor refuses beside one that it takes, and then replaces it.
func refusedSecret(w *world) {
	const wrong, right = "sk-refused-by-the-vendor", "sk-accepted-by-the-vendor"
	vendor := sim.New(sim.OpenAI, sim.Options{Keys: []string{right}})
	url := serveHandler(w, vendor)
	w.create(secretOf(system, "refused", wrong))
	w.create(credentialAt(system, "refused", url+"/v1"))
	w.create(hashKey(tenant, "caller", plaintext(1)))
	r := route(system, "chat", "refused")
	r.Spec.Targets = append(r.Spec.Targets, route(system, "chat", "openai").Spec.Targets[0])
	r.Spec.Targets[0].Name, r.Spec.Targets[1].Name = "refused", "spare"
	w.create(r)
	w.awaitReady(r)
	w.awaitTargets(r, "2/2")

	serve := func() {
		for i, replica := range w.replicas {
			if code, body := replica.chat(plaintext(1), "chat"); code != 200 {
				w.t.Fatalf("replica %d answers %d %s although a target serves", i, code, body)
			}
		}
	}
	w.within(patience, "every replica has found out", func() bool {
		serve()
		return w.ejectedBy(system+"/refused") == len(w.replicas)
	})
	w.awaitTargets(r, "1/2")
	if e := r.Status.Ejected; len(e) != 1 || e[0].Target != system+"/chat/refused" || e[0].Credential != system+"/refused" ||
		e[0].Reason != "CredentialRefused" || e[0].Since == nil || e[0].Until != nil {
		w.t.Errorf("ejected: %+v", e)
	}
	if readyAt(r.Status.Conditions) != r.Generation {
		w.t.Error("the route is not Ready although it is served")
	}
	cred := &v1alpha1.ProviderCredential{}
	w.awaitHealthy(cred, "refused", false)
	w.awaitEvent("ProviderCredential", "refused", v1alpha1.ReasonTargetsEjected)
	w.awaitEvent("ModelRoute", "chat", v1alpha1.ReasonTargetsEjected)
	if text := fmt.Sprintf("%+v %+v", r.Status, cred.Status); strings.Contains(text, wrong) {
		w.t.Error("a status shows the key")
	}
	asked := len(vendor.Ledger())
	for range 20 {
		serve()
	}
	if n := len(vendor.Ledger()) - asked; n > len(w.replicas) { // one probe each, if half a minute has passed
		w.t.Errorf("%d requests went to a vendor that refuses the key", n)
	}

	if err := w.client.Update(w.t.Context(), secretOf(system, "refused", right)); err != nil {
		w.t.Fatal(err)
	}
	w.awaitTargets(r, "2/2")
	w.awaitHealthy(cred, "refused", true)
	w.awaitEvent("ProviderCredential", "refused", v1alpha1.ReasonTargetsReturned)
	w.awaitEvent("ModelRoute", "chat", v1alpha1.ReasonTargetsReturned)
	asked = len(vendor.Ledger())
	w.within(patience, "the new key serves", func() bool { serve(); return len(vendor.Ledger()) > asked })
}

// ejectedBy counts the replicas that report a target of a credential.
func (w *world) ejectedBy(credential string) int {
	list := &v1alpha1.GatewayReplicaList{}
	if err := w.client.List(w.t.Context(), list); err != nil {
		w.t.Fatal(err)
	}
	n := 0
	for i := range list.Items {
		for _, e := range list.Items[i].Status.Ejected {
			if e.Credential == credential {
				n++
			}
		}
	}
	return n
}

// awaitTargets waits until a route counts its targets so.
func (w *world) awaitTargets(r *v1alpha1.ModelRoute, want string) {
	w.t.Helper()
	w.within(patience, "targets "+want, func() bool {
		if err := w.client.Get(w.t.Context(), client.ObjectKeyFromObject(r), r); err != nil {
			w.t.Fatal(err)
		}
		return r.Status.Targets == want
	})
}

// awaitHealthy waits until a credential is Healthy, or not.
func (w *world) awaitHealthy(cred *v1alpha1.ProviderCredential, name string, healthy bool) {
	w.t.Helper()
	w.within(patience, fmt.Sprintf("Healthy of %s is %v", name, healthy), func() bool {
		if err := w.client.Get(w.t.Context(), client.ObjectKey{Namespace: system, Name: name}, cred); err != nil {
			w.t.Fatal(err)
		}
		c := meta.FindStatusCondition(cred.Status.Conditions, v1alpha1.ConditionHealthy)
		return c != nil && (c.Status == "True") == healthy && (len(cred.Status.Ejected) == 0) == healthy
	})
}

// awaitEvent waits for an event about an object of the system's namespace.
func (w *world) awaitEvent(kind, name, reason string) {
	w.t.Helper()
	w.within(patience, fmt.Sprintf("event %s about %s %s", reason, kind, name), func() bool {
		events := &eventsv1.EventList{}
		if err := w.client.List(w.t.Context(), events, client.InNamespace(system)); err != nil {
			w.t.Fatal(err)
		}
		for i := range events.Items {
			if e := &events.Items[i]; e.Regarding.Kind == kind && e.Regarding.Name == name && e.Reason == reason {
				return true
			}
		}
		<-time.After(50 * time.Millisecond)
		return false
	})
}
