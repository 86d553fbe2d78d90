package controllers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/controllers/render"
	"vipcloud.ai/vipcloud/gateway/keyring"
	"vipcloud.ai/vipcloud/gateway/table"
)

// heldRing is the key ring of an instance as its Secret holds it.
type heldRing struct {
	ring keyring.Ring
	// digest stands for the ring.
	digest string
	// version of the Secret.
	version string
	// answered is the rotation that was last asked for and begun.
	answered string
}

// heldRings remembers the rings of instances, so that a Secret is read again only when its metadata changed. It is safe for
// concurrent use; what it holds is not changed.
type heldRings struct {
	mu         sync.Mutex
	byInstance map[types.NamespacedName]*heldRing
}

// newHeldRings makes an empty memory.
func newHeldRings() *heldRings {
	return &heldRings{byInstance: map[types.NamespacedName]*heldRing{}}
}

// get returns what is remembered, nil for nothing.
func (h *heldRings) get(instance types.NamespacedName) *heldRing {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.byInstance[instance]
}

// put remembers, or with nil forgets.
func (h *heldRings) put(instance types.NamespacedName, ring *heldRing) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if ring == nil {
		delete(h.byInstance, instance)
		return
	}
	h.byInstance[instance] = ring
}

// rotationAsked tells the change of the annotation, which leaves the generation as it is.
func rotationAsked() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		return e.ObjectOld.GetAnnotations()[v1alpha1.AnnotationRotateKeyRing] != e.ObjectNew.GetAnnotations()[v1alpha1.AnnotationRotateKeyRing]
	}}
}

// ensureKeyRing finds the ring of an instance, or makes it. A Secret that is not ours or holds no ring is left alone, and becomes
// a problem. The ring outlives the instance on purpose: one of the same name opens what was sealed before.
func (r *GatewayInstanceReconciler) ensureKeyRing(ctx context.Context, s *instanceScope) error {
	key := client.ObjectKey{Namespace: s.name.Namespace, Name: render.KeyRingSecretName(s.name.Name)}
	if known := r.rings.get(s.name); known != nil {
		meta := metadataOf(kindSecret)
		if err := r.Get(ctx, key, meta); err == nil && meta.ResourceVersion == known.version {
			s.ring = known
			return nil
		}
	}
	r.rings.put(s.name, nil)
	secret := &corev1.Secret{}
	err := r.live.Get(ctx, key, secret)
	switch {
	case apierrors.IsNotFound(err):
		if secret, err = r.createKeyRing(ctx, s, key); err != nil {
			return err
		}
	case err != nil:
		return fmt.Errorf("reading Secret %s: %w", key, err)
	}
	held, problem := readKeyRing(s.instance, secret)
	if problem != nil {
		s.problems = append(s.problems, problem)
		return nil
	}
	r.rings.put(s.name, held)
	s.ring = held
	return nil
}

// createKeyRing makes a ring and its Secret. It never takes over one that exists.
func (r *GatewayInstanceReconciler) createKeyRing(ctx context.Context, s *instanceScope, key client.ObjectKey) (*corev1.Secret, error) {
	ring, err := keyring.NewAt(r.clock.Now())
	if err != nil {
		return nil, fmt.Errorf("making a key ring: %w", err)
	}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name, Labels: render.Labels(s.instance)},
		Type:       corev1.SecretTypeOpaque,
	}
	fillKeyRing(secret, ring, s.instance.Annotations[v1alpha1.AnnotationRotateKeyRing])
	ctrl.LoggerFrom(ctx).Info("Making a key ring", "Secret", key.String())
	if err := r.Create(ctx, secret); err != nil {
		return nil, fmt.Errorf("creating Secret %s: %w", key, err)
	}
	return secret, nil
}

// fillKeyRing puts a ring into its Secret, and the rotation that it answers (empty: as before). What others added stays.
func fillKeyRing(secret *corev1.Secret, ring keyring.Ring, answered string) {
	secret.Data = orNewMap(secret.Data)
	secret.Data[keyring.Entry] = ring.Bytes()
	if answered != "" {
		secret.Annotations = orNewMap(secret.Annotations)
		secret.Annotations[v1alpha1.AnnotationTrigger] = answered
	}
}

// readKeyRing takes the ring out of a Secret, or says why that cannot be.
func readKeyRing(instance *v1alpha1.GatewayInstance, secret *corev1.Secret) (*heldRing, *table.Problem) {
	if !ringOf(instance, secret) {
		return nil, &table.Problem{Severity: table.Invalid, Reason: v1alpha1.ReasonNameConflict, Message: fmt.Sprintf(
			"Secret %s exists and is not the key ring of this GatewayInstance; delete or rename it, or give the GatewayInstance another "+
				"name; if it is the key ring, give it no controller and the labels %s=%s and %s=%s", client.ObjectKeyFromObject(secret),
			render.LabelManagedBy, render.ManagedBy, v1alpha1.LabelInstance, instance.Name)}
	}
	ring, err := keyring.Parse(secret.Data[keyring.Entry])
	if err != nil {
		return nil, &table.Problem{Severity: table.Invalid, Reason: v1alpha1.ReasonKeyRingUnreadable, Message: fmt.Sprintf(
			"entry %s of Secret %s: %v; gateways go on with the last key ring they had, if any; put the entry back as it was, or delete "+
				"the Secret to begin with a new key ring: jobs that run now can then no longer be asked for",
			keyring.Entry, client.ObjectKeyFromObject(secret), err)}
	}
	return &heldRing{
		ring:     ring,
		digest:   ringDigest(ring.Bytes()),
		version:  secret.ResourceVersion,
		answered: secret.Annotations[v1alpha1.AnnotationTrigger],
	}, nil
}

// ringOf says whether a Secret of the right name is the key ring of an instance. It has no owner: labels tell.
func ringOf(instance *v1alpha1.GatewayInstance, secret *corev1.Secret) bool {
	return metav1.GetControllerOfNoCopy(secret) == nil &&
		secret.Labels[render.LabelManagedBy] == render.ManagedBy && secret.Labels[v1alpha1.LabelInstance] == instance.Name
}

// ringDigest stands for the bytes of a ring; empty for none.
func ringDigest(text []byte) string {
	if len(text) == 0 {
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// rotateKeyRing does the step of a rotation that is due, if any. The look that follows brings its outcome to the gateways.
func (r *GatewayInstanceReconciler) rotateKeyRing(ctx context.Context, s *instanceScope) error {
	if s.ring == nil {
		return nil
	}
	now, trigger := r.clock.Now(), s.instance.Annotations[v1alpha1.AnnotationRotateKeyRing]
	plan := ringView{
		keys: s.ring.ring.Keys(), trigger: trigger, answered: s.ring.answered, pickup: r.pickup(s), now: now,
	}.plan()
	s.ringDue = plan.again
	if plan.step == stepNone {
		return nil
	}
	next, err := plan.apply(s.ring.ring, now)
	if err != nil {
		return fmt.Errorf("rotating the key ring: %w", err)
	}
	if plan.step != stepAdd {
		trigger = ""
	}
	s.ringDue = now
	return r.writeKeyRing(ctx, s, plan, next, trigger)
}

// writeKeyRing writes the outcome of a step, unless somebody has changed the Secret since it was read.
func (r *GatewayInstanceReconciler) writeKeyRing(
	ctx context.Context, s *instanceScope, plan ringPlan, next keyring.Ring, answered string,
) error {
	key := client.ObjectKey{Namespace: s.name.Namespace, Name: render.KeyRingSecretName(s.name.Name)}
	r.rings.put(s.name, nil)
	secret := &corev1.Secret{}
	if err := r.live.Get(ctx, key, secret); err != nil {
		return fmt.Errorf("reading Secret %s: %w", key, err)
	}
	if secret.ResourceVersion != s.ring.version {
		return nil // the next look decides on what is there now
	}
	fillKeyRing(secret, next, answered)
	ctrl.LoggerFrom(ctx).Info("Rotating the key ring", "Secret", key.String(), "step", plan.step.String(), "keys", len(next.Keys()))
	if err := r.Update(ctx, secret); err != nil {
		return fmt.Errorf("updating Secret %s: %w", key, err)
	}
	return nil
}

// pickup asks how far the replicas are with the ring that the compiled Secret holds.
func (r *GatewayInstanceReconciler) pickup(s *instanceScope) pickup {
	written := r.secrets.get(s.name)
	if written.uid != s.instance.UID || written.ring != s.ring.digest {
		return pickupUnknown
	}
	a, counted := acknowledge([]need{{
		instance: s.name, loaded: v1alpha1.LoadedVersions{Credentials: written.version},
	}}, r.fleets.ready)
	switch {
	case !counted:
		return pickupUnknown
	case a.ready == 0:
		return pickupNobody
	case a.complete():
		return pickupComplete
	}
	return pickupBehind
}
