package lint

import (
	"cmp"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/controllers"
	"vipcloud.ai/vipcloud/gateway/apikey"
	"vipcloud.ai/vipcloud/gateway/source/manifests"
)

// checkKeys says of the keys what the operator finds out without the compiler: where they come from, and that they have ended.
func (r *run) checkKeys(set *manifests.Set) {
	makers := map[string]*v1alpha1.ApiKey{} // by namespace/name of the Secret
	for _, key := range set.Keys() {
		if r.broken[manifests.ID{Kind: v1alpha1.KindApiKey, Namespace: key.Namespace, Name: key.Name}] {
			continue
		}
		r.checkEnd(set, key)
		source := key.Spec.Source
		problem := controllers.KeyProblem(key)
		switch {
		case problem != nil:
			r.addKey(set, key, Error, problem.Reason, problem.Message)
		case source != nil && source.Type == v1alpha1.ApiKeySourceHashes:
		case source != nil && source.Type == v1alpha1.ApiKeySourceSecretRef:
			r.checkBrought(set, key)
		default:
			r.checkGenerated(set, key, makers)
		}
	}
}

// checkEnd warns of a key that no longer works. What is right today is wrong tomorrow without a change, so it is no error.
func (r *run) checkEnd(set *manifests.Set, key *v1alpha1.ApiKey) {
	switch {
	case key.Spec.ExpiresAt != nil && !r.now.Before(key.Spec.ExpiresAt.Time):
		r.addKey(set, key, Warning, v1alpha1.ReasonExpired, "spec.expiresAt has passed; extend or remove it")
	case key.Spec.Source != nil && key.Spec.Source.Type == v1alpha1.ApiKeySourceHashes && allEnded(key.Spec.Source.Hashes, r.now):
		r.addKey(set, key, Warning, v1alpha1.ReasonExpired, "every hash of source.hashes has ended; add a new one")
	}
}

// allEnded says that none of the hashes is valid any more.
func allEnded(hashes []v1alpha1.KeyHash, now time.Time) bool {
	for _, h := range hashes {
		if h.NotAfter == nil || now.Before(h.NotAfter.Time) {
			return false
		}
	}
	return len(hashes) > 0
}

// checkBrought looks at the Secret that a key is brought in, if it is among the manifests.
func (r *run) checkBrought(set *manifests.Set, key *v1alpha1.ApiKey) {
	ref := key.Spec.Source.SecretRef
	if ref == nil {
		return
	}
	secret := secretOf(set, key.Namespace, string(ref.Name))
	if secret == nil {
		r.addKey(set, key, Warning, v1alpha1.ReasonSecretNotFound, fmt.Sprintf("Secret %q is not among the manifests; add it", ref.Name))
		return
	}
	value, ok := secret.Data[string(ref.Key)]
	if text, plain := secret.StringData[string(ref.Key)]; plain {
		value, ok = []byte(text), true
	}
	switch {
	case !ok:
		r.addKey(set, key, Error, v1alpha1.ReasonSecretNotFound, fmt.Sprintf("Secret %s has no entry %s; add it", ref.Name, ref.Key))
	case !apikey.Valid(string(value)):
		r.addKey(set, key, Error, v1alpha1.ReasonInvalidKey,
			fmt.Sprintf("entry %s of Secret %s cannot be a key; it must have %d to %d printable ASCII characters and no space",
				ref.Key, ref.Name, apikey.MinLength, apikey.MaxLength))
	}
}

// checkGenerated looks for what stands where the operator will put a key that it makes.
func (r *run) checkGenerated(set *manifests.Set, key *v1alpha1.ApiKey, makers map[string]*v1alpha1.ApiKey) {
	name := key.Name
	if source := key.Spec.Source; source != nil && source.Generated != nil {
		name = cmp.Or(string(source.Generated.SecretName), name)
	}
	if secret := secretOf(set, key.Namespace, name); secret != nil && secret.Labels[v1alpha1.LabelApiKey] != key.Name {
		r.addKey(set, key, Error, v1alpha1.ReasonSecretConflict,
			fmt.Sprintf("Secret %s exists and is not labelled %s=%s; delete it, label it, or choose another source.generated.secretName",
				name, v1alpha1.LabelApiKey, key.Name))
	}
	if first := makers[key.Namespace+"/"+name]; first != nil {
		r.addKey(set, key, Error, v1alpha1.ReasonSecretConflict,
			fmt.Sprintf("Secret %s is also that of ApiKey %s; choose another source.generated.secretName", name, first.Name))
		return
	}
	makers[key.Namespace+"/"+name] = key
}

// secretOf returns a Secret among the manifests, or nil.
func secretOf(set *manifests.Set, namespace, name string) *corev1.Secret {
	o := set.Find("Secret", namespace, name)
	if o == nil {
		return nil
	}
	secret, _ := o.Typed.(*corev1.Secret)
	return secret
}

// addKey adds a finding of a key.
func (r *run) addKey(set *manifests.Set, key *v1alpha1.ApiKey, severity Severity, reason, message string) {
	r.add(set, v1alpha1.KindApiKey, key.Namespace, key.Name, severity, reason, message)
}

// checkInstances says what of the instances' specs the operator cannot use.
func (r *run) checkInstances(set *manifests.Set) {
	if set.ImpliesInstance() {
		return
	}
	for _, instance := range set.Instances() {
		if r.broken[manifests.ID{Kind: v1alpha1.KindGatewayInstance, Namespace: instance.Namespace, Name: instance.Name}] {
			continue
		}
		if p := controllers.InstanceProblem(instance); p != nil {
			r.add(set, v1alpha1.KindGatewayInstance, instance.Namespace, instance.Name, Error, p.Reason, p.Message)
		}
	}
}
