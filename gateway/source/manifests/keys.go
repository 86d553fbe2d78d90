package manifests

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/apikey"
	"vipcloud.ai/vipcloud/gateway/table"
)

const (
	// defaultOverlap is how long a replaced key stays valid.
	defaultOverlap = 24 * time.Hour
	// storeRetry is how long after a key could not be kept it is tried again: nothing tells when a disk has room.
	storeRetry = 30 * time.Second
)

// errNotAKey means that what is meant to be a key is none.
var errNotAKey = errors.New("is no key: it needs 32 to 512 printable characters without spaces")

// keyMaker does for the keys of a set what an operator does: it finds out who accepts them, and which hashes are valid.
type keyMaker struct {
	set      *Set
	store    *keyStore
	instance types.NamespacedName
	rules    *table.KeyRules
	now      time.Time

	keys      []*table.Key
	generated []GeneratedKey
	problems  []Problem
	// next is when a key must be looked at again; zero: never.
	next time.Time
}

// run goes through all keys. One that cannot be used is a problem and left out.
func (m *keyMaker) run() {
	instances, namespaces := m.set.Instances(), m.set.Namespaces()
	for _, declared := range m.set.Keys() {
		ak := declared.DeepCopy()
		chosen, problem := table.ChooseInstance(ak, instances, namespaces, nil)
		if problem != nil {
			m.report(ak, problem.Message)
			continue
		}
		if chosen.Namespace != m.instance.Namespace || chosen.Name != m.instance.Name {
			continue // it is another instance's
		}
		ak.Status.Gateway = &v1alpha1.ObjectReference{
			Namespace: v1alpha1.NamespaceName(chosen.Namespace), Name: v1alpha1.ObjectName(chosen.Name),
		}
		if err := m.findHashes(ak); err != nil {
			m.report(ak, err.Error())
			if file := (*fs.PathError)(nil); errors.As(err, &file) {
				m.wakeAt(m.now.Add(storeRetry))
			}
			continue
		}
		if key := table.CompileKey(ak, m.instance); key != nil {
			m.keys = append(m.keys, key)
		}
	}
	m.keys = m.admitted()
}

// admitted are the keys that the rules of the instance accept, with what holds for them. Files have no age, so where there are too
// many keys of a namespace, those that come first by name are served.
func (m *keyMaker) admitted() []*table.Key {
	surplus := m.rules.Surplus(m.keys)
	admitted := make([]*table.Key, 0, len(m.keys))
	for _, declared := range m.keys {
		key, problem := m.rules.Apply(declared)
		if problem == nil && slices.Contains(surplus, declared) {
			problem = m.rules.SurplusProblem(declared.Namespace)
		}
		if problem != nil {
			m.problems = append(m.problems, m.set.Find(v1alpha1.KindApiKey, declared.Namespace, declared.Name).Problem("", problem.Message))
			continue
		}
		admitted = append(admitted, key)
	}
	return admitted
}

// report notes what is wrong with a key.
func (m *keyMaker) report(ak *v1alpha1.ApiKey, message string) {
	m.problems = append(m.problems, m.set.Find(v1alpha1.KindApiKey, ak.Namespace, ak.Name).Problem("", message))
}

// findHashes fills in what a status would say of the hashes.
func (m *keyMaker) findHashes(ak *v1alpha1.ApiKey) error {
	switch sourceOf(ak) {
	case v1alpha1.ApiKeySourceHashes:
		return nil // they are in the spec
	case v1alpha1.ApiKeySourceSecretRef:
		return m.brought(ak)
	default:
		return m.made(ak)
	}
}

// sourceOf says where a key comes from.
func sourceOf(ak *v1alpha1.ApiKey) v1alpha1.ApiKeySourceType {
	if ak.Spec.Source == nil {
		return v1alpha1.ApiKeySourceGenerated
	}
	return cmp.Or(ak.Spec.Source.Type, v1alpha1.ApiKeySourceGenerated)
}

// brought takes a key from a Secret.
func (m *keyMaker) brought(ak *v1alpha1.ApiKey) error {
	ref := ak.Spec.Source.SecretRef
	if ref == nil {
		return errors.New("source.secretRef is missing")
	}
	secret := m.set.secret(types.NamespacedName{Namespace: ak.Namespace, Name: string(ref.Name)})
	if secret == nil {
		return fmt.Errorf("source.secretRef: Secret %q is not among the manifests; add it", ref.Name)
	}
	value, ok := secretEntry(secret, string(ref.Key))
	if !ok {
		return fmt.Errorf("source.secretRef: Secret %q has no entry %q; add it", ref.Name, ref.Key)
	}
	if !apikey.Valid(string(value)) {
		return fmt.Errorf("source.secretRef: entry %q of Secret %q %w", ref.Key, ref.Name, errNotAKey)
	}
	memory, err := m.store.remembered(ak.Namespace, ak.Name)
	if err != nil {
		return err
	}
	return m.settle(ak, string(value), memory)
}

// made takes the key that was made before, or makes one.
func (m *keyMaker) made(ak *v1alpha1.ApiKey) error {
	defer m.store.lock(ak.Namespace)()
	memory, err := m.store.remembered(ak.Namespace, ak.Name)
	if err != nil {
		return err
	}
	key, err := m.store.key(ak.Namespace, ak.Name)
	if err != nil {
		return err
	}
	if memory.Current == "" {
		memory.Trigger = trigger(ak)
	}
	switch {
	case key == "":
		// Whoever deletes the file wants another key, and the old one to end at once.
		memory.Current, memory.Previous, memory.Trigger = "", "", trigger(ak)
		key, err = m.store.generate(ak.Namespace, ak.Name)
	case !apikey.Valid(key):
		err = fmt.Errorf("%s %w", m.store.keyPath(ak.Namespace, ak.Name), errNotAKey)
	case m.rotationDue(ak, memory):
		key, err = m.store.generate(ak.Namespace, ak.Name)
		memory.Trigger = cmp.Or(trigger(ak), memory.Trigger)
	}
	if err != nil {
		return err
	}
	m.generated = append(m.generated, GeneratedKey{
		Namespace: ak.Namespace, Name: ak.Name, Path: m.store.keyPath(ak.Namespace, ak.Name),
	})
	if err := m.settle(ak, key, memory); err != nil {
		return err
	}
	if every, ok := rotationEvery(ak); ok {
		m.wakeAt(ak.Status.CreatedAt.Add(every))
	}
	return nil
}

// trigger is the rotation.trigger of a key.
func trigger(ak *v1alpha1.ApiKey) string {
	if ak.Spec.Rotation == nil {
		return ""
	}
	return ak.Spec.Rotation.Trigger
}

// rotationEvery is the age at which a key is replaced.
func rotationEvery(ak *v1alpha1.ApiKey) (time.Duration, bool) {
	if ak.Spec.Rotation == nil || ak.Spec.Rotation.Every == "" {
		return 0, false
	}
	every, err := time.ParseDuration(string(ak.Spec.Rotation.Every))
	return every, err == nil && every > 0
}

// rotationDue says whether a key that was seen before is to be replaced now.
func (m *keyMaker) rotationDue(ak *v1alpha1.ApiKey, was memory) bool {
	if was.Current == "" {
		return false
	}
	if t := trigger(ak); t != "" && t != was.Trigger {
		return true
	}
	every, ok := rotationEvery(ak)
	return ok && !m.now.Before(was.CreatedAt.Add(every))
}

// settle fills in the status of a key and remembers what it needs for the next time. A key that differs from the one seen
// last replaces it, and that one stays valid for the overlap.
func (m *keyMaker) settle(ak *v1alpha1.ApiKey, key string, was memory) error {
	now, hash := was, apikey.Sum(key).String()
	switch {
	case now.Current == "":
		now.Current, now.CreatedAt = hash, m.now
	case now.Current != hash:
		now.rotate(hash, m.now, m.now.Add(overlap(ak)))
	}
	if known, err := m.store.remembered(ak.Namespace, ak.Name); err != nil || known != now {
		if err := m.store.remember(ak.Namespace, ak.Name, now); err != nil {
			return err
		}
	}
	created := metav1.NewTime(now.CreatedAt)
	ak.Status.CreatedAt = &created
	ak.Status.Prefix = apikey.Prefix(key)
	ak.Status.Hashes = []v1alpha1.KeyHash{{SHA256: hash}}
	if now.Previous != "" && now.Previous != hash && m.now.Before(now.PreviousNotAfter) {
		end := metav1.NewTime(now.PreviousNotAfter)
		ak.Status.Hashes = append(ak.Status.Hashes, v1alpha1.KeyHash{SHA256: now.Previous, NotAfter: &end})
	}
	return nil
}

// overlap is how long a replaced key stays valid.
func overlap(ak *v1alpha1.ApiKey) time.Duration {
	if ak.Spec.Rotation != nil && ak.Spec.Rotation.Overlap != "" {
		if d, err := time.ParseDuration(string(ak.Spec.Rotation.Overlap)); err == nil {
			return d
		}
	}
	return defaultOverlap
}

// wakeAt asks for another look.
func (m *keyMaker) wakeAt(t time.Time) {
	if m.next.IsZero() || t.Before(m.next) {
		m.next = t
	}
}
