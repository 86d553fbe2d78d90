package controllers

import (
	"context"
	"fmt"
	"maps"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// contentRef names a Secret or ConfigMap.
type contentRef struct {
	kind string
	name types.NamespacedName
}

const (
	kindSecret    = "Secret"
	kindConfigMap = "ConfigMap"
)

// contents are the entries of a Secret or ConfigMap at one version.
type contents struct {
	version string
	entries map[string][]byte
}

// contentStore holds the contents of the Secrets and ConfigMaps that credentials refer to, and of no others. What changed is
// seen by a watch of metadata; contents are read one by one. Its methods are for one goroutine, but for concerns.
type contentStore struct {
	cached, live client.Reader
	held         map[contentRef]contents
	referenced   atomic.Pointer[map[contentRef]bool]
}

// newContentStore makes an empty one.
func newContentStore(cached, live client.Reader) *contentStore {
	return &contentStore{cached: cached, live: live, held: map[contentRef]contents{}}
}

// concerns says whether a change of an object matters. It is safe for concurrent use.
func (s *contentStore) concerns(ref contentRef) bool {
	refs := s.referenced.Load()
	return refs != nil && (*refs)[ref]
}

// expect says which objects are referred to, before they are read: a change that arrives in between is then not missed.
func (s *contentStore) expect(refs map[contentRef]bool) {
	s.referenced.Store(&refs)
	for ref := range s.held {
		if !refs[ref] {
			delete(s.held, ref)
		}
	}
}

// read returns the entries of an object, nil if there is no such object. An error means that nobody knows.
func (s *contentStore) read(ctx context.Context, ref contentRef) (map[string][]byte, error) {
	meta := &metav1.PartialObjectMetadata{}
	meta.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind(ref.kind))
	if err := s.cached.Get(ctx, ref.name, meta); err != nil {
		if apierrors.IsNotFound(err) {
			delete(s.held, ref)
			return nil, nil
		}
		return nil, fmt.Errorf("looking for %s %s: %w", ref.kind, ref.name, err)
	}
	if held, ok := s.held[ref]; ok && held.version == meta.ResourceVersion {
		return held.entries, nil
	}
	fresh, err := s.fetch(ctx, ref)
	if apierrors.IsNotFound(err) {
		delete(s.held, ref)
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s %s: %w", ref.kind, ref.name, err)
	}
	s.held[ref] = fresh
	return fresh.entries, nil
}

// fetch reads an object from the API server.
func (s *contentStore) fetch(ctx context.Context, ref contentRef) (contents, error) {
	if ref.kind == kindSecret {
		secret := &corev1.Secret{}
		err := s.live.Get(ctx, ref.name, secret)
		return contents{version: secret.ResourceVersion, entries: orEmpty(secret.Data)}, err
	}
	configMap := &corev1.ConfigMap{}
	err := s.live.Get(ctx, ref.name, configMap)
	entries := map[string][]byte{}
	for name, value := range configMap.Data {
		entries[name] = []byte(value)
	}
	maps.Copy(entries, configMap.BinaryData)
	return contents{version: configMap.ResourceVersion, entries: entries}, err
}

// orEmpty tells an object without entries from one that does not exist.
func orEmpty(entries map[string][]byte) map[string][]byte {
	if entries == nil {
		return map[string][]byte{}
	}
	return entries
}
