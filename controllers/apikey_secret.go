package controllers

import (
	"context"
	"fmt"
	"maps"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/apikey"
)

// listPage is how many Secrets are listed at once.
const listPage = 500

// keySecret is what must be known of a Secret with a key. The key itself is not in it.
type keySecret struct {
	version string
	// label is the ApiKey that the Secret is labelled with; owner its controller, nil for none.
	label string
	owner *metav1.OwnerReference
	// record is what the annotations say.
	record keyRecord
	// present says that the entry exists, valid that it can be a key; hash and prefix are those of a valid one.
	present, valid bool
	hash, prefix   string
	// mirrored says that OPENAI_API_KEY is the same key; mirrorHash is the hash of what it is, if that can be a
	// key.
	mirrored   bool
	mirrorHash string
	// baseURL is what OPENAI_BASE_URL says.
	baseURL string
}

// describe looks at a Secret. entry is the one that holds the key.
func describe(secret *corev1.Secret, entry string) *keySecret {
	key, present := secret.Data[entry]
	d := &keySecret{
		version:  secret.ResourceVersion,
		label:    secret.Labels[v1alpha1.LabelApiKey],
		owner:    metav1.GetControllerOfNoCopy(secret),
		record:   recordOf(secret.Annotations),
		present:  present,
		valid:    apikey.Valid(string(key)),
		mirrored: present && string(secret.Data[v1alpha1.SecretEntryOpenAIKey]) == string(key),
		baseURL:  string(secret.Data[v1alpha1.SecretEntryOpenAIBaseURL]),
	}
	if mirror := string(secret.Data[v1alpha1.SecretEntryOpenAIKey]); apikey.Valid(mirror) {
		d.mirrorHash = apikey.Sum(mirror).String()
	}
	if d.valid {
		d.hash, d.prefix = apikey.Sum(string(key)).String(), apikey.Prefix(string(key))
	}
	return d
}

// keySecrets remembers what was found in key Secrets, so that a Secret is read again only when its metadata changed. The zero
// value is ready for use, and safe for concurrent use.
type keySecrets struct {
	mu    sync.Mutex
	known map[describedEntry]*keySecret
}

// describedEntry is an entry of a Secret.
type describedEntry struct {
	secret types.NamespacedName
	entry  string
}

// get returns what is remembered, nil for nothing.
func (k *keySecrets) get(e describedEntry) *keySecret {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.known[e]
}

// put remembers, or with nil forgets.
func (k *keySecrets) put(e describedEntry, d *keySecret) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if d == nil {
		delete(k.known, e)
		return
	}
	if k.known == nil {
		k.known = map[describedEntry]*keySecret{}
	}
	k.known[e] = d
}

// describeAll lists the Secrets of generated keys once: after a restart thousands of them are looked at in one go. What this
// misses is read one by one.
func (r *ApiKeyReconciler) describeAll(ctx context.Context) {
	namespaces := r.opts.WatchNamespaces
	if namespaces == nil {
		namespaces = []string{metav1.NamespaceAll}
	}
	for _, namespace := range namespaces {
		next := ""
		for page := true; page; page = next != "" {
			secrets := &corev1.SecretList{}
			if err := r.live.List(ctx, secrets, client.InNamespace(namespace), client.HasLabels{v1alpha1.LabelApiKey},
				client.Limit(listPage), client.Continue(next)); err != nil {
				log.FromContext(ctx).Error(err, "Listing the Secrets of keys, reading them one by one instead")
				return
			}
			for i := range secrets.Items {
				e := describedEntry{secret: client.ObjectKeyFromObject(&secrets.Items[i]), entry: v1alpha1.SecretEntryApiKey}
				r.described.put(e, describe(&secrets.Items[i], e.entry))
			}
			next = secrets.Continue
		}
	}
}

// lookAt describes a Secret as it is now, nil if there is none.
func (r *ApiKeyReconciler) lookAt(ctx context.Context, e describedEntry) (*keySecret, error) {
	r.warm.Do(func() { r.describeAll(ctx) })
	known := r.described.get(e)
	meta := metadataOf(kindSecret)
	err := r.Get(ctx, e.secret, meta)
	switch {
	case err == nil && known != nil && known.version == meta.ResourceVersion:
		return known, nil
	case apierrors.IsNotFound(err) && known == nil:
		return nil, nil
	case err != nil && !apierrors.IsNotFound(err):
		return nil, fmt.Errorf("looking for Secret %s: %w", e.secret, err)
	}
	_, d, err := r.readSecret(ctx, e)
	return d, err
}

// readSecret reads a Secret from the API server, nil if there is none.
func (r *ApiKeyReconciler) readSecret(ctx context.Context, e describedEntry) (*corev1.Secret, *keySecret, error) {
	secret := &corev1.Secret{}
	if err := r.live.Get(ctx, e.secret, secret); err != nil {
		r.described.put(e, nil)
		if apierrors.IsNotFound(err) {
			return nil, nil, nil
		}
		return nil, nil, fmt.Errorf("reading Secret %s: %w", e.secret, err)
	}
	d := describe(secret, e.entry)
	r.described.put(e, d)
	return secret, d, nil
}

// createSecret makes a Secret with a new key. It never takes over one that exists.
func (r *ApiKeyReconciler) createSecret(ctx context.Context, s *keyScope, e describedEntry) (*keySecret, error) {
	key, err := apikey.Generate(r.opts.Random)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: e.secret.Namespace, Name: e.secret.Name}}
	record := keyRecord{}.replaced(apikey.Sum(key).String(), s.timing, s.now)
	fillSecret(secret, s.ak, key, baseURL(s), record)
	if err := r.Create(ctx, secret); err != nil {
		return nil, fmt.Errorf("creating Secret %s: %w", e.secret, err)
	}
	d := describe(secret, e.entry)
	r.described.put(e, d)
	return d, nil
}

// updateSecret writes a key and its record into a Secret that is ours, if nobody else has changed it since it was read.
func (r *ApiKeyReconciler) updateSecret(
	ctx context.Context, s *keyScope, e describedEntry, secret *corev1.Secret, key string, record keyRecord,
) (*keySecret, error) {
	fillSecret(secret, s.ak, key, baseURL(s), record)
	if err := r.Update(ctx, secret); err != nil {
		r.described.put(e, nil)
		return nil, fmt.Errorf("updating Secret %s: %w", e.secret, err)
	}
	d := describe(secret, e.entry)
	r.described.put(e, d)
	return d, nil
}

// fillSecret makes a Secret what it should be. Entries, labels and annotations of others stay. The labels of the ApiKey are
// not copied: what selects an ApiKey must not come to select its Secret. An empty url leaves OPENAI_BASE_URL alone.
func fillSecret(secret *corev1.Secret, ak *v1alpha1.ApiKey, key, url string, record keyRecord) {
	secret.Labels = orNewMap(secret.Labels)
	secret.Labels[v1alpha1.LabelApiKey] = ak.Name
	secret.Annotations = orNewMap(secret.Annotations)
	record.annotate(secret.Annotations)
	secret.Data = orNewMap(secret.Data)
	secret.Data[v1alpha1.SecretEntryApiKey] = []byte(key)
	secret.Data[v1alpha1.SecretEntryOpenAIKey] = []byte(key)
	if url != "" {
		secret.Data[v1alpha1.SecretEntryOpenAIBaseURL] = []byte(url)
	}
	setKeyOwner(secret, ak)
}

// setKeyOwner lets the Secret go with the ApiKey, or not.
func setKeyOwner(secret *corev1.Secret, ak *v1alpha1.ApiKey) {
	var refs []metav1.OwnerReference
	for _, ref := range secret.OwnerReferences {
		if ref.UID != ak.UID {
			refs = append(refs, ref)
		}
	}
	if deletionPolicy(ak) == v1alpha1.DeletionPolicyDelete {
		isController := true
		refs = append(refs, metav1.OwnerReference{
			APIVersion: v1alpha1.GroupVersion.String(),
			Kind:       v1alpha1.KindApiKey,
			Name:       ak.Name,
			UID:        ak.UID,
			Controller: &isController,
		})
	}
	secret.OwnerReferences = refs
}

// deletionPolicy is source.generated.deletionPolicy with its default.
func deletionPolicy(ak *v1alpha1.ApiKey) v1alpha1.DeletionPolicy {
	if s := ak.Spec.Source; s != nil && s.Generated != nil && s.Generated.DeletionPolicy != "" {
		return s.Generated.DeletionPolicy
	}
	return v1alpha1.DeletionPolicyDelete
}

// orNewMap returns a map that can be written.
func orNewMap[M ~map[K]V, K comparable, V any](m M) M {
	if m == nil {
		return M{}
	}
	return maps.Clone(m)
}
