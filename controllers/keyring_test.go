package controllers

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/controllers/render"
	"vipcloud.ai/vipcloud/gateway/keyring"
	"vipcloud.ai/vipcloud/gateway/table"
)

// ringSecret names the Secret of a ring, as one would write it by hand.
func (w *world) ringSecret(instance string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "vipcloud-" + instance + "-keyring"}}
}

// ringIn reads the ring of a Secret.
func (w *world) ringIn(secret *corev1.Secret) (keyring.Ring, error) {
	if err := w.Get(w.ctx, client.ObjectKeyFromObject(secret), secret); err != nil {
		return keyring.Ring{}, err
	}
	return keyring.Parse(secret.Data["keyring.json"])
}

// rings waits until an instance has a ring that is as wanted, and its compiled Secret the same.
func (w *world) rings(instance, what string, wanted func(keyring.Ring) bool) keyring.Ring {
	w.t.Helper()
	var ring keyring.Ring
	w.eventually(what, func() error {
		var err error
		if ring, err = w.ringIn(w.ringSecret(instance)); err != nil {
			return err
		}
		if !wanted(ring) {
			return fmt.Errorf("keys %+v", ring.Keys())
		}
		compiled, err := w.compiledRing(instance)
		if err == nil && !compiled.Equal(ring) {
			err = errors.New("the compiled Secret holds another one")
		}
		return err
	})
	return ring
}

// compiledRing reads the ring of the compiled Secret.
func (w *world) compiledRing(instance string) (keyring.Ring, error) {
	return w.ringIn(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "vipcloud-" + instance + "-credentials"}})
}

// ringShape says what the keys of a ring are: p primary, n new, o old.
func ringShape(ring keyring.Ring) string {
	text := ""
	for _, k := range ring.Keys() {
		switch {
		case k.Primary():
			text += "p"
		case k.Pending():
			text += "n"
		default:
			text += "o"
		}
	}
	return text
}

// shaped wants a ring of a shape.
func shaped(want string) func(keyring.Ring) bool {
	return func(r keyring.Ring) bool { return ringShape(r) == want }
}

// rotate asks for a rotation.
func (w *world) rotate(instance *v1alpha1.GatewayInstance, value string) {
	w.t.Helper()
	w.change(instance, func() {
		instance.Annotations = map[string]string{"vipcloud.ai/rotate-keyring": value}
	})
}

func TestKeyRing_IsMadeOnceAndOutlivesItsInstance(t *testing.T) {
	w := newWorld(t)
	instance := w.instance("default")
	w.attend("default", "r1")
	w.ready(instance)
	first := w.rings("default", "the ring", shaped("p"))
	secret := w.ringSecret("default")
	w.get(secret)
	if len(secret.OwnerReferences) > 0 || secret.Type != corev1.SecretTypeOpaque || len(secret.Data) != 1 {
		t.Errorf("owners %v, type %s, %d entries", secret.OwnerReferences, secret.Type, len(secret.Data))
	}
	if diff := cmp.Diff(render.Labels(instance), secret.Labels); diff != "" {
		t.Errorf("labels -want +got:\n%s", diff)
	}

	version := secret.ResourceVersion
	w.restart()
	w.poke(v1alpha1.KindGatewayInstance, instance)
	w.change(instance, func() { instance.Spec.Currency = "CNY" })
	w.ready(instance)
	w.never("writing the Secret again", func() error {
		if got := w.version(secret); got != version {
			return errors.New("it was written")
		}
		return nil
	})

	w.remove(instance)
	compiled := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "vipcloud-default-credentials"}}
	w.remove(compiled) // as the garbage collector does
	w.instance("default")
	if again := w.rings("default", "the ring of the next instance", shaped("p")); !again.Equal(first) {
		t.Error("an instance of the same name has another ring")
	}
}

func TestKeyRing_ForeignSecretIsUntouched(t *testing.T) {
	controller := true
	owner := metav1.OwnerReference{APIVersion: "v1", Kind: "ConfigMap", Name: "theirs", UID: "u", Controller: &controller}
	labels := map[string]string{render.LabelManagedBy: render.ManagedBy, v1alpha1.LabelInstance: "default"}
	cases := map[string]func(*corev1.Secret){
		"without labels": func(*corev1.Secret) {},
		"of another instance": func(s *corev1.Secret) {
			s.Labels = map[string]string{render.LabelManagedBy: render.ManagedBy, v1alpha1.LabelInstance: "other"}
		},
		"managed by somebody else": func(s *corev1.Secret) { s.Labels = map[string]string{v1alpha1.LabelInstance: "default"} },
		"with a controller":        func(s *corev1.Secret) { s.Labels, s.OwnerReferences = labels, []metav1.OwnerReference{owner} },
	}
	for name, edit := range cases {
		t.Run(name, func(t *testing.T) {
			w := newQuietWorld(t)
			ring, err := keyring.New()
			if err != nil {
				t.Fatal(err)
			}
			theirs := w.ringSecret("default")
			theirs.Data = map[string][]byte{"keyring.json": ring.Bytes()}
			edit(theirs)
			w.create(theirs)
			before := w.version(theirs)
			w.start(nil)
			instance := w.instance("default")
			w.attend("default", "r1")
			w.credential("deepseek", "sk-1")
			w.route("chat", "deepseek")
			w.expectConditions(instance, expect{"Ready": "False/NameConflict", "Stalled": "True/NameConflict"})
			if text := describeConditions(instance); !strings.Contains(text, "Secret "+w.ns+"/vipcloud-default-keyring") {
				t.Errorf("nothing names the Secret: %s", text)
			}
			w.eventually("credentials all the same", func() error { return w.compiledKey("default", w.ns+"/deepseek", "sk-1") })
			if _, err := w.compiledRing("default"); !errors.Is(err, keyring.ErrFormat) {
				t.Errorf("the compiled Secret has a ring: %v", err)
			}
			if w.version(theirs) != before {
				t.Error("the Secret was written to")
			}
			w.remove(theirs)
			w.poke(v1alpha1.KindGatewayInstance, instance)
			w.ready(instance)
			if made := w.rings("default", "a ring of its own", shaped("p")); made.Equal(ring) {
				t.Error("the other's ring was taken")
			}
		})
	}
}

func TestKeyRing_OneThatWasRestoredIsUsed(t *testing.T) {
	w := newQuietWorld(t)
	ring, err := keyring.New()
	if err != nil {
		t.Fatal(err)
	}
	kept := w.ringSecret("default")
	kept.Labels = map[string]string{render.LabelManagedBy: render.ManagedBy, v1alpha1.LabelInstance: "default"}
	kept.Data = map[string][]byte{"keyring.json": ring.Bytes(), "theirs": []byte("stays")}
	w.create(kept)
	w.start(nil)
	w.instance("default")
	if got := w.rings("default", "the ring", shaped("p")); !got.Equal(ring) {
		t.Error("another ring is in use")
	}
}

func TestKeyRing_OneThatCannotBeReadIsLeftAlone(t *testing.T) {
	for name, broken := range map[string]map[string][]byte{
		"garbage":         {"keyring.json": []byte("garbage")},
		"of a later time": {"keyring.json": []byte(`{"version":2}`)},
		"gone":            {},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			instance := w.instance("default")
			w.attend("default", "r1")
			w.credential("deepseek", "sk-1")
			w.route("chat", "deepseek")
			w.ready(instance)
			ring := w.rings("default", "the ring", shaped("p"))

			secret := w.ringSecret("default")
			w.change(secret, func() { secret.Data = broken })
			w.expectConditions(instance, expect{
				"Ready": "False/KeyRingUnreadable", "Stalled": "True/KeyRingUnreadable", "CredentialsCompiled": "True/Compiled"})
			if text := describeConditions(instance); !strings.Contains(text, "delete the Secret to begin with a new key ring") ||
				!strings.Contains(text, w.ns+"/vipcloud-default-keyring") {
				t.Errorf("nothing says what to do: %s", text)
			}
			version := secret.ResourceVersion
			w.rotate(instance, "now")
			w.secretEntry("deepseek", "sk-2")
			w.eventually("credentials go on", func() error { return w.compiledKey("default", w.ns+"/deepseek", "sk-2") })
			w.restart()
			w.eventually("a new operator agrees", func() error { return w.compiledKey("default", w.ns+"/deepseek", "sk-2") })
			if compiled, err := w.compiledRing("default"); err != nil || !compiled.Equal(ring) {
				t.Errorf("gateways lost the ring: %v", err)
			}
			if w.version(secret) != version {
				t.Error("the Secret was written to")
			}
			w.change(secret, func() { secret.Data = map[string][]byte{"keyring.json": ring.Bytes()} })
			w.ready(instance)
		})
	}
}

// secretEntry changes the key of a credential.
func (w *world) secretEntry(name, key string) {
	w.t.Helper()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: name}}
	w.change(secret, func() { secret.Data = map[string][]byte{"api-key": []byte(key)} })
}

func TestKeyRing_ADeletedOneBeginsAnew(t *testing.T) {
	w := newWorld(t)
	instance := w.instance("default")
	first := w.rings("default", "the ring", shaped("p"))
	w.remove(w.ringSecret("default"))
	second := w.rings("default", "a new ring", func(r keyring.Ring) bool { return !r.Equal(first) })
	if ringShape(second) != "p" {
		t.Errorf("keys %+v", second.Keys())
	}
	w.attend("default", "r1")
	w.ready(instance)
}

func TestKeyRing_RotatesWhenEveryReplicaFollows(t *testing.T) {
	w := newWorld(t)
	instance := w.instance("default")
	swift, slow := w.replica("default", "swift"), w.replica("default", "slow")
	first := w.rings("default", "the ring", shaped("p"))
	w.catchUp(slow)

	w.rotate(instance, "1")
	w.rings("default", "a key that only opens", shaped("pn"))
	w.catchUp(swift)
	behind := func() error {
		w.report(slow, func(*v1alpha1.GatewayReplicaStatus) {}) // it lives, and has not loaded the Secret
		ring, err := w.ringIn(w.ringSecret("default"))
		if err == nil && ringShape(ring) != "pn" {
			err = fmt.Errorf("keys %+v", ring.Keys())
		}
		return err
	}
	w.never("promoting while a replica is behind", behind)
	w.restart()
	w.never("promoting after a restart while a replica is behind", behind)
	w.catchUp(slow)
	second := w.rings("default", "the promotion", shaped("op"))

	sealed, err := first.Seal([]byte("job"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := second.Open(sealed, nil); err != nil {
		t.Errorf("a job from before the rotation cannot be opened: %v", err)
	}
	w.change(instance, func() { instance.Annotations = nil })
	w.catchUp(swift)
	w.catchUp(slow)
	w.never("rotating because the annotation went", func() error {
		if ring, err := w.ringIn(w.ringSecret("default")); err != nil || !ring.Equal(second) {
			return fmt.Errorf("keys %+v, %w", ring.Keys(), err)
		}
		return nil
	})
	asked := time.Now()
	w.rotate(instance, "2")
	w.rings("default", "the next key", shaped("opn"))
	if took := time.Since(asked); took > replicaStale/2 {
		t.Errorf("the rotation began after %s: nothing but a replica's silence woke the operator", took)
	}
}

func TestKeyRing_RotatesWithTime(t *testing.T) {
	w := newWorld(t)
	instance := w.instance("default")
	w.rings("default", "the ring", shaped("p"))
	look := func(d time.Duration) {
		w.clock.step(d)
		w.poke(v1alpha1.KindGatewayInstance, instance)
	}
	look(keyRingEvery - time.Minute)
	w.never("rotating early", func() error {
		if ring, err := w.ringIn(w.ringSecret("default")); err != nil || ringShape(ring) != "p" {
			return fmt.Errorf("keys %+v, %w", ring.Keys(), err)
		}
		return nil
	})
	look(time.Minute)
	added := w.rings("default", "a key that only opens", shaped("pn"))
	look(missingGrace)
	promoted := w.rings("default", "the promotion without any replica", shaped("op"))
	if added.Keys()[1].ID != promoted.Keys()[1].ID {
		t.Error("another key was promoted")
	}
	look(keyRingRetention)
	w.rings("default", "the end of the old key", shaped("p"))
}

func TestKeyRing_RotationWaitsForTheCompiledSecret(t *testing.T) {
	w := newQuietWorld(t)
	theirs := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "vipcloud-default-credentials"}}
	w.create(theirs)
	w.start(nil)
	instance := w.instance("default")
	w.expectConditions(instance, expect{"Ready": "False/NameConflict"})
	w.rotate(instance, "1")
	pending := func() error {
		ring, err := w.ringIn(w.ringSecret("default"))
		if err == nil && ringShape(ring) != "pn" {
			err = fmt.Errorf("keys %+v", ring.Keys())
		}
		return err
	}
	w.eventually("a key that only opens", pending)
	w.clock.step(2 * missingGrace)
	w.poke(v1alpha1.KindGatewayInstance, instance)
	w.never("promoting a key that no gateway can have", pending)
	w.remove(theirs)
	w.poke(v1alpha1.KindGatewayInstance, instance)
	w.rings("default", "the promotion", shaped("op"))
}

func TestKeyRing_NeverStandsInAStatusOrLog(t *testing.T) {
	ring, err := keyring.New()
	if err != nil {
		t.Fatal(err)
	}
	instance := &v1alpha1.GatewayInstance{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "default"}}
	text := strings.TrimSuffix(string(ring.Bytes()), "}")
	_, problem := readKeyRing(instance, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "vipcloud-default-keyring", Labels: render.Labels(instance)},
		Data:       map[string][]byte{"keyring.json": []byte(text)},
	})
	if problem == nil || problem.Severity != table.Invalid || strings.Contains(problem.Message, text[20:40]) {
		t.Errorf("problem %+v", problem)
	}
	held, problem := readKeyRing(instance, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Labels: render.Labels(instance)}, Data: map[string][]byte{"keyring.json": ring.Bytes()},
	})
	if problem != nil {
		t.Fatal(problem.Message)
	}
	if printed := fmt.Sprintf("%+v %#v", *held, held); strings.Contains(printed, "GiA") || strings.Contains(printed, "keyset") {
		t.Errorf("printed %s", printed)
	}
}
