package controllers

import (
	"cmp"
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/controllers/render"
	"vipcloud.ai/vipcloud/gateway/apikey"
	"vipcloud.ai/vipcloud/gateway/table"
)

// maxLabelValue bounds the name of an ApiKey whose Secret is labelled with it.
const maxLabelValue = 63

// keyMaterial is what the source of a key gave, ready for the status.
type keyMaterial struct {
	secretName   string
	prefix       string
	hashes       []v1alpha1.KeyHash
	createdAt    time.Time
	nextRotation time.Time
	// problem says why there is no key; nothing is published then.
	problem *table.Problem
	// deadline is when all this changes by itself, zero for never.
	deadline time.Time
}

// sourceType is source.type with its default.
func sourceType(ak *v1alpha1.ApiKey) v1alpha1.ApiKeySourceType {
	if ak.Spec.Source == nil {
		return v1alpha1.ApiKeySourceGenerated
	}
	return cmp.Or(ak.Spec.Source.Type, v1alpha1.ApiKeySourceGenerated)
}

// baseURL is the OPENAI_BASE_URL of a key, empty while no instance accepts it.
func baseURL(s *keyScope) string {
	if s.instance == nil {
		return ""
	}
	return render.Address(s.instance)
}

// resolveSource finds the key, and makes, replaces or restores one that is ours to make.
func (r *ApiKeyReconciler) resolveSource(ctx context.Context, s *keyScope) (err error) {
	switch sourceType(s.ak) {
	case v1alpha1.ApiKeySourceHashes:
		s.material = hashesMaterial(s.ak.Spec.Source.Hashes, s.now)
	case v1alpha1.ApiKeySourceSecretRef:
		s.material, err = r.resolveBrought(ctx, s)
	default:
		s.material, err = r.resolveGenerated(ctx, s)
	}
	return err
}

// hashesMaterial is that of a key of which only hashes are known. They are read from the spec, so none are published.
func hashesMaterial(hashes []v1alpha1.KeyHash, now time.Time) keyMaterial {
	var m keyMaterial
	for _, h := range hashes {
		if h.NotAfter != nil && h.NotAfter.After(now) {
			m.deadline = earliest(m.deadline, h.NotAfter.Time)
		}
	}
	return m
}

// resolveBrought reads a key that somebody else put into a Secret.
func (r *ApiKeyReconciler) resolveBrought(ctx context.Context, s *keyScope) (keyMaterial, error) {
	ref := s.ak.Spec.Source.SecretRef
	e := describedEntry{secret: types.NamespacedName{Namespace: s.ak.Namespace, Name: string(ref.Name)}, entry: string(ref.Key)}
	d, err := r.lookAt(ctx, e)
	if err != nil {
		return keyMaterial{}, err
	}
	return broughtMaterial(e, d, &s.ak.Status, s.timing, s.now), nil
}

// broughtMaterial is that of a Secret of somebody else's, nil if it does not exist. The status remembers the key before.
func broughtMaterial(
	e describedEntry, d *keySecret, status *v1alpha1.ApiKeyStatus, timing rotation, now time.Time,
) keyMaterial {
	m := keyMaterial{secretName: e.secret.Name}
	switch {
	case d == nil:
		m.problem = &table.Problem{Severity: table.Missing, Reason: v1alpha1.ReasonSecretNotFound,
			Message: fmt.Sprintf("Secret %s does not exist; create it with entry %s", e.secret.Name, e.entry)}
		return m
	case !d.present:
		m.problem = &table.Problem{Severity: table.Missing, Reason: v1alpha1.ReasonSecretNotFound,
			Message: fmt.Sprintf("Secret %s has no entry %s; add it", e.secret.Name, e.entry)}
		return m
	case !d.valid:
		m.problem = invalidKey(e)
		return m
	}
	record := keyRecord{}
	if status.SecretName == e.secret.Name {
		record = publishedRecord(status)
	}
	record, _ = record.next(d.hash, timing, now)
	m.take(record, d, timing)
	return m
}

// invalidKey is the problem of an entry that cannot be a key. It tells nothing of it.
func invalidKey(e describedEntry) *table.Problem {
	return &table.Problem{Severity: table.Invalid, Reason: v1alpha1.ReasonInvalidKey,
		Message: fmt.Sprintf("entry %s of Secret %s cannot be a key; it must have %d to %d printable ASCII characters and no space",
			e.entry, e.secret.Name, apikey.MinLength, apikey.MaxLength)}
}

// publishedRecord reads the status as a record.
func publishedRecord(status *v1alpha1.ApiKeyStatus) keyRecord {
	var r keyRecord
	if status.CreatedAt != nil {
		r.createdAt = status.CreatedAt.Time
	}
	for i, h := range status.Hashes {
		switch {
		case i == 0:
			r.current = h.SHA256
		case h.NotAfter != nil:
			r.previous, r.previousEnd = h.SHA256, h.NotAfter.Time
		}
	}
	return r
}

// take fills in what follows from a record and the Secret it is about.
func (m *keyMaterial) take(record keyRecord, d *keySecret, timing rotation) {
	m.prefix = d.prefix
	m.hashes = record.hashes()
	m.createdAt = record.createdAt
	m.nextRotation = record.nextRotation(timing)
	m.deadline = earliest(record.previousEnd, m.nextRotation)
}

// resolveGenerated keeps the Secret of a generated key as it should be.
func (r *ApiKeyReconciler) resolveGenerated(ctx context.Context, s *keyScope) (keyMaterial, error) {
	m := keyMaterial{secretName: keySecretName(s.ak)}
	if m.problem = nameProblem(s.ak); m.problem != nil {
		return m, nil
	}
	e := describedEntry{
		secret: types.NamespacedName{Namespace: s.ak.Namespace, Name: m.secretName},
		entry:  v1alpha1.SecretEntryApiKey,
	}
	d, err := r.lookAt(ctx, e)
	if err != nil {
		return m, err
	}
	if d == nil {
		if m.problem = s.mayNotCreate(); m.problem != nil {
			return m, nil
		}
		if d, err = r.createSecret(ctx, s, e); err != nil {
			return m, err
		}
	}
	plan := planKey(s, e, d)
	if plan.write {
		if plan, d, err = r.execute(ctx, s, e); err != nil {
			return m, err
		}
	}
	if m.problem = plan.problem; m.problem == nil {
		m.take(plan.record, d, s.timing)
	}
	return m, nil
}

// mayNotCreate says why no key is made now. Without OPENAI_BASE_URL a Secret would make SDKs send the key elsewhere.
func (s *keyScope) mayNotCreate() *table.Problem {
	switch {
	case s.ak.DeletionTimestamp != nil || s.ak.Spec.Revoked || expired(s.ak, s.now):
		return &table.Problem{Severity: table.Info, Reason: v1alpha1.ReasonSecretNotFound, Message: "no key is made for an ApiKey that is refused"}
	case s.noInstance != nil:
		return &table.Problem{Severity: table.Info, Reason: v1alpha1.ReasonSecretNotFound, Message: "a key is made once a GatewayInstance accepts it"}
	}
	return nil
}

// keyPlan is what is to be done about the Secret of a generated key.
type keyPlan struct {
	problem *table.Problem
	// record that the Secret should have.
	record keyRecord
	// write says that the Secret is not as it should be; rotate that it needs a new key; mirror that its key is to be taken from
	// OPENAI_API_KEY, because api-key was lost.
	write, rotate, mirror bool
}

// planKey decides what is to be done.
func planKey(s *keyScope, e describedEntry, d *keySecret) keyPlan {
	if p := conflict(s.ak, e, d); p != nil {
		return keyPlan{problem: p}
	}
	lost := !d.present && d.record.current != "" && d.mirrorHash == d.record.current
	if !d.valid && !lost {
		return keyPlan{problem: invalidKey(e)}
	}
	hash := d.hash
	if lost {
		hash = d.record.current
	}
	timing := s.timing
	timing.paused = timing.paused || s.invalid != nil || expired(s.ak, s.now)
	record, rotate := d.record.next(hash, timing, s.now)
	url := baseURL(s)
	return keyPlan{
		record: record,
		rotate: rotate,
		mirror: lost,
		write: rotate || lost || record != d.record || !d.mirrored || (url != "" && d.baseURL != url) ||
			ownedBy(d.owner, s.ak) != (deletionPolicy(s.ak) == v1alpha1.DeletionPolicyDelete),
	}
}

// conflict says why a Secret must not be touched.
func conflict(ak *v1alpha1.ApiKey, e describedEntry, d *keySecret) *table.Problem {
	p := &table.Problem{Severity: table.Invalid, Reason: v1alpha1.ReasonSecretConflict}
	switch {
	case d.label != ak.Name:
		p.Message = fmt.Sprintf("Secret %s exists and is not labelled %s=%s; delete it, label it, or choose another source.generated.secretName",
			e.secret.Name, v1alpha1.LabelApiKey, ak.Name)
	case d.owner == nil || ownedBy(d.owner, ak):
		return nil
	case d.owner.Kind == v1alpha1.KindApiKey && d.owner.Name == ak.Name:
		p.Severity = table.Missing
		p.Message = fmt.Sprintf("Secret %s still belongs to an ApiKey of this name that was deleted; it goes with it", e.secret.Name)
	default:
		p.Message = fmt.Sprintf("Secret %s belongs to %s %s; choose another source.generated.secretName", e.secret.Name, d.owner.Kind, d.owner.Name)
	}
	return p
}

// ownedBy says whether an ApiKey is the controller of a Secret.
func ownedBy(owner *metav1.OwnerReference, ak *v1alpha1.ApiKey) bool {
	return owner != nil && owner.UID == ak.UID
}

// execute plans again on the Secret as it is at the API server, and does what the plan says.
func (r *ApiKeyReconciler) execute(ctx context.Context, s *keyScope, e describedEntry) (keyPlan, *keySecret, error) {
	secret, d, err := r.readSecret(ctx, e)
	if err != nil {
		return keyPlan{}, nil, err
	}
	if d == nil {
		return keyPlan{}, nil, fmt.Errorf("reading Secret %s: it was deleted meanwhile", e.secret)
	}
	plan := planKey(s, e, d)
	if plan.problem != nil || !plan.write {
		return plan, d, nil
	}
	key := string(secret.Data[v1alpha1.SecretEntryApiKey])
	if plan.mirror {
		key = string(secret.Data[v1alpha1.SecretEntryOpenAIKey])
	}
	if plan.rotate {
		if key, err = apikey.Generate(r.opts.Random); err != nil {
			return plan, d, fmt.Errorf("making a key: %w", err)
		}
		plan.record = plan.record.replaced(apikey.Sum(key).String(), s.timing, s.now)
	}
	d, err = r.updateSecret(ctx, s, e, secret, key, plan.record)
	return plan, d, err
}
