package table

import (
	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/provider"
)

// Input is everything a table is made of. Build reads it and keeps no reference to its objects.
type Input struct {
	// Instance is the one the table is for. Its spec may be zero, which means defaults.
	Instance *v1alpha1.GatewayInstance
	// Routes are all routes that can be seen; those the instance does not serve are left out by Build.
	Routes []*v1alpha1.ModelRoute
	// Keys are all keys that can be seen; those of other instances are left out by Build (by status.gateway). The gateway
	// passes none: it keeps keys in an index of their own, by CompileKey.
	Keys []*v1alpha1.ApiKey
	// Credentials are all credentials that can be seen.
	Credentials []*v1alpha1.ProviderCredential
	// CredentialStates say for each credential whether its Secret can be used. A credential without an entry counts as
	// not looked at yet: missing, not invalid.
	CredentialStates map[types.NamespacedName]CredentialState
	// Redis is what is known of the Secrets of the instance's Redis. Nil: it was not looked at yet, which is well where it has none.
	Redis *RedisState
	// Namespaces are the labels of namespaces, by name. Needed only where a Selector is used; nil in namespaced mode.
	Namespaces map[string]map[string]string
	// WatchedNamespaces is what "All" means in namespaced mode; nil in cluster mode. With it, Selector is refused.
	WatchedNamespaces []string
	// Providers are the vendors that this binary has adapters for.
	Providers Providers
	// NoCreationTimes says that objects come from files: every conflict of names is then an error on each side.
	NoCreationTimes bool
	// Held says which namespace held a public name lately. A route of another namespace does not get that name, unless it is in
	// the instance's own.
	Held map[string]string
}

// Providers are vendors by name.
type Providers map[v1alpha1.Provider]provider.Info

// Secret is a value that prints as a placeholder.
type Secret = provider.Secret

// NewSecret wraps a value.
func NewSecret(value string) Secret { return provider.NewSecret(value) }

// CredentialState is what is known of the Secret of a credential.
type CredentialState struct {
	// Problem says why the Secret, CA bundle or proxy Secret cannot be used. Nil: it can.
	Problem *Problem
	// Entries are the entries of the Secret. The operator's findings and the linter need no values: nil then.
	Entries map[string]Secret
	// CABundle is PEM, nil for the system's authorities.
	CABundle []byte
	// ProxyUsername and ProxyPassword are for the proxy, empty for none.
	ProxyUsername string
	ProxyPassword Secret
}

// Problem is why something cannot be used.
type Problem struct {
	// Severity is Missing for what may still turn up, Invalid for what somebody must change.
	Severity Severity
	// Reason is one of the reasons of v1alpha1.
	Reason string
	// Message says what to do.
	Message string
}
