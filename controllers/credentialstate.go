package controllers

import (
	"crypto/x509"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

// contentReader returns the entries of a Secret or ConfigMap, nil if it does not exist.
type contentReader func(contentRef) (map[string][]byte, error)

// credentialRefs are the objects whose contents a credential needs.
func credentialRefs(cred *v1alpha1.ProviderCredential) []contentRef {
	refs := []contentRef{localRef(cred, kindSecret, cred.Spec.SecretRef.Name)}
	if ref, _, ok := caBundleRef(cred); ok {
		refs = append(refs, ref)
	}
	if p := cred.Spec.Proxy; p != nil && p.SecretRef != nil {
		refs = append(refs, localRef(cred, kindSecret, p.SecretRef.Name))
	}
	return refs
}

// localRef names an object beside a credential.
func localRef(cred *v1alpha1.ProviderCredential, kind string, name v1alpha1.ObjectName) contentRef {
	return contentRef{kind: kind, name: types.NamespacedName{Namespace: cred.Namespace, Name: string(name)}}
}

// caBundleRef is where the CA bundle of a credential is, and in which entry.
func caBundleRef(cred *v1alpha1.ProviderCredential) (contentRef, string, bool) {
	if cred.Spec.TLS == nil || cred.Spec.TLS.CABundle == nil {
		return contentRef{}, "", false
	}
	switch bundle := cred.Spec.TLS.CABundle; {
	case bundle.ConfigMapRef != nil:
		return localRef(cred, kindConfigMap, bundle.ConfigMapRef.Name), string(bundle.ConfigMapRef.Key), true
	case bundle.SecretRef != nil:
		return localRef(cred, kindSecret, bundle.SecretRef.Name), string(bundle.SecretRef.Key), true
	}
	return contentRef{}, "", false
}

// credentialState reads what a credential refers to; sets are the sets of entries of which its provider wants one. An error means that the API server did not tell; a missing or unusable
// object is a problem of the state.
func credentialState(cred *v1alpha1.ProviderCredential, sets [][]string, read contentReader) (table.CredentialState, error) {
	var state table.CredentialState
	for _, part := range []func(*table.CredentialState) (*table.Problem, error){
		func(s *table.CredentialState) (*table.Problem, error) { return readEntries(s, cred, sets, read) },
		func(s *table.CredentialState) (*table.Problem, error) { return readCABundle(s, cred, read) },
		func(s *table.CredentialState) (*table.Problem, error) { return readProxy(s, cred, read) },
	} {
		problem, err := part(&state)
		if err != nil {
			return table.CredentialState{}, err
		}
		if problem != nil {
			return table.CredentialState{Problem: problem}, nil
		}
	}
	return state, nil
}

// readEntries takes from the Secret the entries that the provider needs, and no others. Whether they are complete and usable
// is for CheckCredential to say.
func readEntries(s *table.CredentialState, cred *v1alpha1.ProviderCredential, sets [][]string, read contentReader) (*table.Problem, error) {
	ref := localRef(cred, kindSecret, cred.Spec.SecretRef.Name)
	entries, err := read(ref)
	if err != nil || entries == nil {
		return notFound(ref, "spec.secretRef"), err
	}
	s.Entries = map[string]table.Secret{}
	for _, name := range slices.Concat(sets...) {
		if value, ok := entries[name]; ok {
			s.Entries[name] = table.NewSecret(string(value))
		}
	}
	return nil, nil
}

// readCABundle takes the certificates to trust.
func readCABundle(s *table.CredentialState, cred *v1alpha1.ProviderCredential, read contentReader) (*table.Problem, error) {
	ref, entry, ok := caBundleRef(cred)
	if !ok {
		return nil, nil
	}
	entries, err := read(ref)
	if err != nil || entries == nil {
		return notFound(ref, "spec.tls.caBundle"), err
	}
	pem, ok := entries[entry]
	if !ok {
		return &table.Problem{Severity: table.Missing, Reason: v1alpha1.ReasonRefNotFound,
			Message: fmt.Sprintf("%s %s has no entry %s, which spec.tls.caBundle names; add it", ref.kind, ref.name, entry)}, nil
	}
	if !x509.NewCertPool().AppendCertsFromPEM(pem) {
		return &table.Problem{Severity: table.Invalid, Reason: v1alpha1.ReasonInvalid,
			Message: fmt.Sprintf("Entry %s of %s %s holds no PEM certificate; put the certificates to trust there",
				entry, ref.kind, ref.name)}, nil
	}
	s.CABundle = pem
	return nil, nil
}

// readProxy takes the user name and password for the proxy.
func readProxy(s *table.CredentialState, cred *v1alpha1.ProviderCredential, read contentReader) (*table.Problem, error) {
	if cred.Spec.Proxy == nil || cred.Spec.Proxy.SecretRef == nil {
		return nil, nil
	}
	ref := localRef(cred, kindSecret, cred.Spec.Proxy.SecretRef.Name)
	entries, err := read(ref)
	if err != nil || entries == nil {
		return notFound(ref, "spec.proxy.secretRef"), err
	}
	for _, name := range []string{"username", "password"} {
		if len(entries[name]) == 0 {
			return &table.Problem{Severity: table.Invalid, Reason: v1alpha1.ReasonSecretEntryMissing,
				Message: fmt.Sprintf("Secret %s has no entry %s, which spec.proxy.secretRef needs; add it", ref.name, name)}, nil
		}
	}
	s.ProxyUsername, s.ProxyPassword = string(entries["username"]), table.NewSecret(string(entries["password"]))
	return nil, nil
}

// notFound is the problem of an object that does not exist (yet).
func notFound(ref contentRef, field string) *table.Problem {
	return &table.Problem{Severity: table.Missing, Reason: v1alpha1.ReasonRefNotFound,
		Message: fmt.Sprintf("%s %s, which %s names, does not exist; create it", ref.kind, ref.name, field)}
}
