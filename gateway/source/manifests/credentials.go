package manifests

import (
	"crypto/x509"
	"fmt"

	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

// States says for each credential what the Secrets and ConfigMaps of the set have for it.
func (s *Set) States() map[types.NamespacedName]table.CredentialState {
	states := map[types.NamespacedName]table.CredentialState{}
	for _, c := range s.Credentials() {
		states[types.NamespacedName{Namespace: c.Namespace, Name: c.Name}] = s.state(c)
	}
	return states
}

// state collects what one credential names.
func (s *Set) state(c *v1alpha1.ProviderCredential) table.CredentialState {
	secret := s.secret(types.NamespacedName{Namespace: c.Namespace, Name: string(c.Spec.SecretRef.Name)})
	if secret == nil {
		return absent("secretRef: Secret %q is not among the manifests; add it", c.Spec.SecretRef.Name)
	}
	state := table.CredentialState{Entries: map[string]table.Secret{}}
	for name, value := range secret.Data {
		state.Entries[name] = table.NewSecret(string(value))
	}
	for name, value := range secret.StringData {
		state.Entries[name] = table.NewSecret(value)
	}
	if problem := s.addBundle(&state, c); problem != nil {
		return table.CredentialState{Problem: problem}
	}
	if problem := s.addProxy(&state, c); problem != nil {
		return table.CredentialState{Problem: problem}
	}
	return state
}

// addBundle reads the certificate authorities.
func (s *Set) addBundle(state *table.CredentialState, c *v1alpha1.ProviderCredential) *table.Problem {
	if c.Spec.TLS == nil {
		return nil
	}
	var problem *table.Problem
	state.CABundle, problem = s.bundle("tls.caBundle", c.Namespace, c.Spec.TLS.CABundle)
	return problem
}

// bundle reads certificate authorities, calling them by the name of their field. Nil names none.
func (s *Set) bundle(field, namespace string, from *v1alpha1.CABundleSource) ([]byte, *table.Problem) {
	if from == nil {
		return nil, nil
	}
	kind, ref := "Secret", from.SecretRef
	if ref == nil {
		kind, ref = "ConfigMap", from.ConfigMapRef
	}
	if ref == nil {
		return nil, nil // the schema asks for one of the two
	}
	id := types.NamespacedName{Namespace: namespace, Name: string(ref.Name)}
	var pem []byte
	found := false
	if kind == "ConfigMap" {
		pem, found = s.configMapEntry(id, string(ref.Key))
	} else if secret := s.secret(id); secret != nil {
		pem, found = secretEntry(secret, string(ref.Key))
	}
	if !found {
		return nil, absent("%s: %s %q with entry %q is not among the manifests; add it", field, kind, ref.Name, ref.Key).Problem
	}
	if !x509.NewCertPool().AppendCertsFromPEM(pem) {
		return nil, &table.Problem{Severity: table.Invalid, Reason: v1alpha1.ReasonInvalid,
			Message: fmt.Sprintf("%s: entry %q of %s %q holds no PEM certificate", field, ref.Key, kind, ref.Name)}
	}
	return pem, nil
}

// addProxy reads what a proxy asks for.
func (s *Set) addProxy(state *table.CredentialState, c *v1alpha1.ProviderCredential) *table.Problem {
	if c.Spec.Proxy == nil || c.Spec.Proxy.SecretRef == nil {
		return nil
	}
	name := c.Spec.Proxy.SecretRef.Name
	secret := s.secret(types.NamespacedName{Namespace: c.Namespace, Name: string(name)})
	if secret == nil {
		return absent("proxy.secretRef: Secret %q is not among the manifests; add it", name).Problem
	}
	username, hasName := secretEntry(secret, "username")
	password, hasPassword := secretEntry(secret, "password")
	if !hasName || !hasPassword {
		return &table.Problem{Severity: table.Missing, Reason: v1alpha1.ReasonSecretEntryMissing,
			Message: fmt.Sprintf("proxy.secretRef: Secret %q needs the entries username and password; add them", name)}
	}
	state.ProxyUsername, state.ProxyPassword = string(username), table.NewSecret(string(password))
	return nil
}

// absent is the state of a credential whose objects are not there.
func absent(format string, args ...any) table.CredentialState {
	return table.CredentialState{Problem: &table.Problem{
		Severity: table.Missing, Reason: v1alpha1.ReasonRefNotFound, Message: fmt.Sprintf(format, args...),
	}}
}
