package controllers

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/apikey"
)

// keyWorld is an operator with an instance and a replica that loads everything at once.
func keyWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.instance("default")
	w.attend("default", "r1")
	return w
}

// plain reads the key out of a Secret, once it is there.
func (w *world) plain(name string) (*corev1.Secret, string) {
	w.t.Helper()
	secret := &corev1.Secret{}
	w.eventually("Secret "+name, func() error {
		return w.Get(w.ctx, client.ObjectKey{Namespace: w.ns, Name: name}, secret)
	})
	return secret, string(secret.Data["api-key"])
}

// publishes waits until a key publishes exactly the hashes of some keys.
func (w *world) publishes(ak *v1alpha1.ApiKey, keys ...string) {
	w.t.Helper()
	want := []string{}
	for _, key := range keys {
		want = append(want, apikey.Sum(key).String())
	}
	w.eventually("hashes of "+ak.Name, func() error {
		w.get(ak)
		got := []string{}
		for _, h := range ak.Status.Hashes {
			got = append(got, h.SHA256)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			return fmt.Errorf("-want +got:\n%s", diff)
		}
		return nil
	})
}

func TestApiKey_GeneratedSecretIsWhatAPodNeeds(t *testing.T) {
	w := keyWorld(t)
	key := w.key("shop", func(ak *v1alpha1.ApiKey) {
		ak.Labels = map[string]string{"app": "shop"}
		ak.Spec.Project = "checkout"
		ak.Spec.Source = &v1alpha1.ApiKeySource{Type: "Generated", Generated: &v1alpha1.GeneratedKey{SecretName: "shop-llm"}}
	})
	w.ready(key)
	secret, plain := w.plain("shop-llm")
	if !regexp.MustCompile(`^vc-sk-[0-9A-Za-z]{40}$`).MatchString(plain) {
		t.Error("the key has another shape")
	}
	if diff := cmp.Diff(map[string]string{v1alpha1.LabelApiKey: "shop"}, secret.Labels); diff != "" {
		t.Errorf("labels -want +got:\n%s", diff)
	}
	if len(secret.Data) != 3 || secret.Type != corev1.SecretTypeOpaque {
		t.Errorf("entries %v, type %s", mapKeys(secret.Data), secret.Type)
	}
	if owner := metav1.GetControllerOf(secret); owner == nil || owner.UID != key.UID || owner.BlockOwnerDeletion != nil {
		t.Errorf("owner %+v", owner)
	}
	st := key.Status
	if st.Project != w.ns+"/checkout" || st.Prefix != plain[:8] || st.SecretName != "shop-llm" || st.CreatedAt == nil ||
		st.NextRotation != nil || st.Gateway == nil || string(st.Gateway.Namespace) != w.ns || st.Gateway.Name != "default" {
		t.Errorf("status %+v", st)
	}
}

func TestApiKey_KeyAppearsNowhereButInItsSecret(t *testing.T) {
	w := keyWorld(t)
	key := w.key("shop")
	w.ready(key)
	_, plain := w.plain("shop")
	text := fmt.Sprintf("%+v", key)
	events := &eventsv1.EventList{}
	w.eventually("an event", func() error {
		if err := w.List(w.ctx, events, client.InNamespace(w.ns)); err != nil {
			return err
		}
		for _, e := range events.Items {
			if e.Regarding.Kind == "ApiKey" && e.Reason == "Ready" && e.Type == "Normal" {
				return nil
			}
		}
		return errors.New("no event says that the key is Ready")
	})
	text += fmt.Sprintf("%+v", events)
	if strings.Contains(text, plain) || strings.Contains(text, plain[len(plain)-20:]) {
		t.Error("the key is shown in its status or an event")
	}
}

func TestApiKey_NoSecretWithoutABaseURL(t *testing.T) {
	w := newWorld(t)
	key := w.key("shop")
	w.expectConditions(key, expect{"Accepted": "False/NoGateway", "Reconciling": "True/NoGateway"})
	// With such a Secret an SDK would send the key to its default host.
	w.never("a key without a base URL", func() error {
		return w.gone(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "shop"}})
	})
	w.clock.step(missingGrace)
	w.poke(v1alpha1.KindApiKey, key)
	w.expectConditions(key, expect{"Stalled": "True/NoGateway"})
	w.instance("default")
	w.attend("default", "r1")
	w.ready(key)
}

func TestApiKey_DeletedSecretMeansANewKeyAndTheOldOneIsRefused(t *testing.T) {
	w := keyWorld(t)
	key := w.key("shop")
	w.ready(key)
	secret, old := w.plain("shop")
	w.remove(secret)
	w.eventually("another key", func() error {
		if _, plain := w.plain("shop"); plain == old {
			return errors.New("it is still the old one")
		}
		return nil
	})
	_, fresh := w.plain("shop")
	w.publishes(key, fresh)
	w.ready(key)
}

func TestApiKey_EditedKeyIsAdoptedAndTheOldOneOverlaps(t *testing.T) {
	w := keyWorld(t)
	key := w.key("shop", func(ak *v1alpha1.ApiKey) { ak.Spec.Rotation = &v1alpha1.ApiKeyRotation{Overlap: "1h"} })
	w.ready(key)
	secret, old := w.plain("shop")
	w.change(secret, func() { secret.Data["api-key"] = []byte(validKey) })
	w.publishes(key, validKey, old)
	if end := key.Status.Hashes[1].NotAfter; end == nil || end.Sub(w.clock.Now()) > time.Hour || end.Sub(w.clock.Now()) < 59*time.Minute {
		t.Errorf("the old key ends at %v", end)
	}
	w.eventually("the mirror follows", func() error {
		if secret, _ := w.plain("shop"); string(secret.Data["OPENAI_API_KEY"]) != validKey {
			return errors.New("OPENAI_API_KEY is another key")
		}
		return nil
	})
	w.ready(key)

	w.clock.step(time.Hour)
	w.poke(v1alpha1.KindApiKey, key)
	w.publishes(key, validKey)
	w.eventually("the Secret forgets it too", func() error {
		if secret, _ := w.plain("shop"); secret.Annotations[v1alpha1.AnnotationPreviousHash] != "" {
			return errors.New("the old hash is still there")
		}
		return nil
	})
}

func TestApiKey_OtherEntriesAreRestored(t *testing.T) {
	w := keyWorld(t)
	key := w.key("shop")
	w.ready(key)
	secret, plain := w.plain("shop")
	cases := map[string]func(){
		"the mirror was edited":    func() { secret.Data["OPENAI_API_KEY"] = []byte("sk-something-else") },
		"the base URL was edited":  func() { secret.Data["OPENAI_BASE_URL"] = []byte("https://evil.example.com/v1") },
		"both were removed":        func() { delete(secret.Data, "OPENAI_API_KEY"); delete(secret.Data, "OPENAI_BASE_URL") },
		"api-key itself was lost":  func() { delete(secret.Data, "api-key") },
		"the owner was taken away": func() { secret.OwnerReferences = nil },
		"a stranger's entry stays": func() { secret.Data["theirs"] = []byte("x"); delete(secret.Data, "OPENAI_API_KEY") },
	}
	for name, edit := range cases {
		t.Run(name, func(t *testing.T) {
			w.change(secret, edit)
			w.eventually("restoring", func() error {
				w.get(secret)
				owner := metav1.GetControllerOf(secret)
				if string(secret.Data["api-key"]) != plain || string(secret.Data["OPENAI_API_KEY"]) != plain ||
					string(secret.Data["OPENAI_BASE_URL"]) != key.Status.BaseURL || owner == nil || owner.UID != key.UID {
					return fmt.Errorf("entries %v, owner %v", mapKeys(secret.Data), owner)
				}
				return nil
			})
		})
	}
	if w.get(secret); string(secret.Data["theirs"]) != "x" {
		t.Error("an entry of somebody else's was removed")
	}
	w.publishes(key, plain)
}

func TestApiKey_UnusableEditPublishesNothing(t *testing.T) {
	w := keyWorld(t)
	key := w.key("shop")
	w.ready(key)
	secret, _ := w.plain("shop")
	w.change(secret, func() { secret.Data["api-key"] = []byte("too-short") })
	w.expectConditions(key, expect{"ResolvedRefs": "False/InvalidKey", "Stalled": "True/InvalidKey", "Programmed": "False/InvalidKey"})
	w.publishes(key)
}

func TestApiKey_SecretOfSomebodyElseIsUntouched(t *testing.T) {
	w := keyWorld(t)
	cases := map[string]func(*corev1.Secret){
		"no label": func(*corev1.Secret) {},
		"labelled with another key": func(s *corev1.Secret) {
			s.Labels = map[string]string{v1alpha1.LabelApiKey: "another"}
		},
		"labelled, but with a controller": func(s *corev1.Secret) {
			yes := true
			s.Labels = map[string]string{v1alpha1.LabelApiKey: "k3"}
			s.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: "x", UID: "x", Controller: &yes}}
		},
	}
	n := 0
	for name, edit := range cases {
		n++
		t.Run(name, func(t *testing.T) {
			secretName := fmt.Sprintf("theirs%d", n)
			secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: secretName}, StringData: map[string]string{"api-key": validKey}}
			edit(secret)
			w.create(secret)
			before := w.version(secret)
			key := w.key("k3", func(ak *v1alpha1.ApiKey) {
				ak.Spec.Source = &v1alpha1.ApiKeySource{Type: "Generated",
					Generated: &v1alpha1.GeneratedKey{SecretName: v1alpha1.ObjectName(secretName)}}
			})
			w.expectConditions(key, expect{"ResolvedRefs": "False/SecretConflict", "Stalled": "True/SecretConflict"})
			w.publishes(key)
			if after := w.version(secret); after != before {
				t.Error("the Secret was written to")
			}
			w.remove(secret)
			w.ready(key)
			w.remove(key)
			w.eventually("the key is gone", func() error { return w.gone(&v1alpha1.ApiKey{ObjectMeta: key.ObjectMeta}) })
		})
	}
}

func TestApiKey_DeletionPolicy(t *testing.T) {
	w := keyWorld(t)
	retained := func(ak *v1alpha1.ApiKey) {
		ak.Spec.Source = &v1alpha1.ApiKeySource{Type: "Generated", Generated: &v1alpha1.GeneratedKey{DeletionPolicy: "Retain"}}
	}
	key := w.key("shop", retained)
	w.ready(key)
	secret, plain := w.plain("shop")
	if owner := metav1.GetControllerOf(secret); owner != nil {
		t.Errorf("a Secret that is to be kept has the owner %+v", owner)
	}
	w.remove(key)
	w.eventually("the key is gone", func() error { return w.gone(&v1alpha1.ApiKey{ObjectMeta: key.ObjectMeta}) })

	again := w.key("shop", retained)
	w.ready(again)
	w.publishes(again, plain)
	if _, now := w.plain("shop"); now != plain {
		t.Error("the kept Secret was not taken up again")
	}

	w.change(again, func() { again.Spec.Source.Generated.DeletionPolicy = "Delete" })
	w.eventually("it goes with the key from now on", func() error {
		secret, _ := w.plain("shop")
		if owner := metav1.GetControllerOf(secret); owner == nil || owner.UID != again.UID {
			return fmt.Errorf("owner %v", owner)
		}
		return nil
	})
}

func TestApiKey_BroughtKey(t *testing.T) {
	w := keyWorld(t)
	key := w.key("mine", func(ak *v1alpha1.ApiKey) {
		ak.Spec.Source = &v1alpha1.ApiKeySource{Type: "SecretRef", SecretRef: &v1alpha1.EntryReference{Name: "vault", Key: "token"}}
		ak.Spec.Rotation = &v1alpha1.ApiKeyRotation{Overlap: "1h"}
	})
	w.expectConditions(key, expect{"ResolvedRefs": "False/SecretNotFound", "Reconciling": "True/SecretNotFound"})
	secret := w.secret(w.ns, "vault", map[string]string{"other": "x"})
	w.never("an entry that is not there", func() error {
		w.get(key)
		return matchConditions(key, expect{"ResolvedRefs": "False/SecretNotFound"})
	})
	w.change(secret, func() { secret.Data["token"] = []byte("short") })
	w.expectConditions(key, expect{"ResolvedRefs": "False/InvalidKey", "Stalled": "True/InvalidKey"})
	w.publishes(key)

	w.change(secret, func() { secret.Data["token"] = []byte(validKey) })
	w.ready(key)
	w.publishes(key, validKey)
	if key.Status.Prefix != "" || key.Status.SecretName != "vault" {
		t.Errorf("prefix %q, Secret %q", key.Status.Prefix, key.Status.SecretName)
	}

	w.change(secret, func() { secret.Data["token"] = []byte(validKey + "-2") })
	w.publishes(key, validKey+"-2", validKey)
	w.clock.step(time.Hour)
	w.poke(v1alpha1.KindApiKey, key)
	w.publishes(key, validKey+"-2")
	if len(secret.Labels) > 0 || len(secret.OwnerReferences) > 0 || len(secret.Annotations) > 0 {
		t.Error("a Secret that somebody brought was written to")
	}

	w.remove(secret)
	w.publishes(key)
	w.expectConditions(key, expect{"Ready": "False/SecretNotFound"})
}

func TestApiKey_Hashes(t *testing.T) {
	w := keyWorld(t)
	end := metav1.NewTime(w.clock.Now().Add(time.Hour).Truncate(time.Second))
	key := w.key("offline", func(ak *v1alpha1.ApiKey) {
		ak.Spec.Source = &v1alpha1.ApiKeySource{Type: "Hashes", Hashes: []v1alpha1.KeyHash{{SHA256: hashA, NotAfter: &end}}}
	})
	w.ready(key)
	if key.Status.SecretName != "" || len(key.Status.Hashes) != 0 || key.Status.CreatedAt != nil {
		t.Errorf("status %+v", key.Status)
	}
	secrets := &corev1.SecretList{}
	if err := w.List(w.ctx, secrets, client.InNamespace(w.ns), client.HasLabels{v1alpha1.LabelApiKey}); err != nil || len(secrets.Items) > 0 {
		t.Errorf("%d Secrets, %v", len(secrets.Items), err)
	}
	w.clock.step(time.Hour)
	w.poke(v1alpha1.KindApiKey, key)
	w.expectConditions(key, expect{"Accepted": "False/Expired", "Stalled": "True/Expired"})
}

func TestApiKey_ExpiredAndRevoked(t *testing.T) {
	w := keyWorld(t)
	end := metav1.NewTime(w.clock.Now().Add(time.Hour).Truncate(time.Second))
	key := w.key("shop", func(ak *v1alpha1.ApiKey) { ak.Spec.ExpiresAt = &end })
	w.ready(key)
	w.clock.step(time.Hour)
	w.poke(v1alpha1.KindApiKey, key)
	w.expectConditions(key, expect{"Accepted": "False/Expired", "Ready": "False/Expired", "Stalled": "True/Expired"})
	w.change(key, func() { key.Spec.ExpiresAt = nil })
	w.ready(key)
	w.change(key, func() { key.Spec.Revoked = true })
	w.expectConditions(key, expect{"Accepted": "False/Revoked", "Ready": "False/Revoked", "Stalled": "True/Revoked"})

	// A key that is refused is not made anew.
	secret, _ := w.plain("shop")
	w.remove(secret)
	w.never("a new key", func() error {
		return w.gone(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "shop"}})
	})
}
