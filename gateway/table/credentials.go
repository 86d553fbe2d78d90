package table

import (
	"bytes"
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// credentialEntry is what routes must know of a credential.
type credentialEntry struct {
	provider v1alpha1.Provider
	// usable is nil if there is a problem.
	usable  *Credential
	problem *Problem
	// grants are the other namespaces whose routes may use it.
	grants namespaceSet
}

// compileCredentials checks all credentials.
func (b *build) compileCredentials() {
	for _, object := range ordered(b.in.Credentials) {
		key := keyOf(object)
		state, looked := b.in.CredentialStates[key]
		if !looked {
			state.Problem = missing(v1alpha1.ReasonRefNotFound, "Secret %q was not read yet", object.Spec.SecretRef.Name)
		}
		usable, findings := CheckCredential(object, state, b.in.Providers)
		entry := &credentialEntry{provider: object.Spec.Provider, usable: usable, problem: firstProblem(findings)}
		entry.grants = b.grants(object)
		b.credentials[key] = entry
		b.findings = append(b.findings, b.withSelectionProblem(object, findings)...)
	}
}

// grants returns the other namespaces that may use a credential; none if it does not say so in a way that can be evaluated.
func (b *build) grants(object *v1alpha1.ProviderCredential) namespaceSet {
	if object.Spec.AllowedNamespaces == nil {
		return namespaceSet{}
	}
	return b.namespaces.set(object.Spec.AllowedNamespaces, object.Namespace)
}

// withSelectionProblem reports a selector that namespaced mode cannot evaluate. The credential still serves its own namespace.
func (b *build) withSelectionProblem(object *v1alpha1.ProviderCredential, findings Findings) Findings {
	p := SelectionProblem("allowedNamespaces", object.Spec.AllowedNamespaces, b.in.WatchedNamespaces)
	for i := range findings {
		if f := &findings[i]; p != nil && f.Type == v1alpha1.ConditionAccepted && f.Status {
			*f = p.finding(f.Object, f.Type)
		}
	}
	return findings
}

// firstProblem returns the first thing that keeps a credential from being used.
func firstProblem(findings Findings) *Problem {
	for _, f := range findings {
		if !f.Status {
			return &Problem{Severity: f.Severity, Reason: f.Reason, Message: f.Message}
		}
	}
	return nil
}

// CheckCredential compiles a credential and says whether its spec is valid (Accepted) and its Secrets are there
// (ResolvedRefs). The credential is nil unless both hold. Entries of the Secret are only looked at where the state has them.
func CheckCredential(cred *v1alpha1.ProviderCredential, state CredentialState, providers Providers) (*Credential, Findings) {
	ref := refOf(KindProviderCredential, cred)
	compiled, invalidSpec := compileSpec(cred, providers)
	unresolved := resolveState(compiled, cred, state, providers)
	findings := Findings{
		holds(ref, v1alpha1.ConditionAccepted, v1alpha1.ReasonAccepted, "endpoint "+compiled.Endpoint),
		holds(ref, v1alpha1.ConditionResolvedRefs, v1alpha1.ReasonResolvedRefs, "everything this credential names is there"),
	}
	if invalidSpec != nil {
		findings[0] = invalidSpec.finding(ref, v1alpha1.ConditionAccepted)
	}
	if unresolved != nil {
		findings[1] = unresolved.finding(ref, v1alpha1.ConditionResolvedRefs)
	}
	if invalidSpec != nil || unresolved != nil {
		return nil, findings
	}
	return compiled, findings
}

// compileSpec compiles what stands in the spec. The result is never nil, but complete only without a problem.
func compileSpec(cred *v1alpha1.ProviderCredential, providers Providers) (*Credential, *Problem) {
	spec := &cred.Spec
	c := &Credential{
		Namespace:    cred.Namespace,
		Name:         cred.Name,
		Provider:     string(spec.Provider),
		AllowPrivate: spec.AllowPrivate,
		Limits:       compileCredentialLimits(spec.Limits),
	}
	var p *Problem
	if c.Endpoint, p = ResolveEndpoint(spec, providers); p != nil {
		return c, p
	}
	c.Region = regionInForce(spec, providers)
	if c.Protocol, p = resolveProtocol(spec, providers); p != nil {
		return c, p
	}
	if c.URL, p = checkEndpoint(c.Endpoint, spec); p != nil {
		return c, p
	}
	if c.Header, p = checkHeaders(spec.Headers); p != nil {
		return c, p
	}
	if spec.TLS != nil {
		c.ServerName = spec.TLS.ServerName
	}
	if c.ProxyURL, p = checkProxy(spec.Proxy); p != nil {
		return c, p
	}
	if p = SelectionProblem("allowedNamespaces", spec.AllowedNamespaces, nil); p != nil {
		return c, p
	}
	return c, nil
}

// resolveProtocol returns the protocol in force: the given one, or the provider's first; none if the provider has but one.
func resolveProtocol(spec *v1alpha1.ProviderCredentialSpec, providers Providers) (string, *Problem) {
	protocols := providers[spec.Provider].Protocols
	switch {
	case spec.Protocol == "" && len(protocols) == 0, slices.Contains(protocols, spec.Protocol):
		return spec.Protocol, nil
	case spec.Protocol == "":
		return protocols[0], nil
	case len(protocols) == 0:
		return "", because(v1alpha1.ReasonUnknownProtocol, "protocol is %q, but provider %s has only one; remove protocol",
			spec.Protocol, spec.Provider)
	}
	return "", because(v1alpha1.ReasonUnknownProtocol, "protocol %q is none of provider %s; use one of %s, or remove it for %s",
		spec.Protocol, spec.Provider, strings.Join(protocols, ", "), protocols[0])
}

// checkHeaders refuses headers that are the gateway's own or no headers at all. Messages do not repeat values.
func checkHeaders(headers map[string]v1alpha1.HeaderValue) (http.Header, *Problem) {
	if len(headers) == 0 {
		return nil, nil
	}
	header := make(http.Header, len(headers))
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		value := string(headers[name])
		switch {
		case len(name) > 64 || !matchHeaderName(name):
			return nil, invalid("headers: name %q must consist of letters, digits and dashes, at most 64 of them", name)
		case reservedHeader(name):
			return nil, invalid("headers must not set %s; the gateway sets it itself", name)
		case header[http.CanonicalHeaderKey(name)] != nil:
			return nil, invalid("headers sets %s twice, in different spellings; remove one", name)
		case len(value) > 512 || !printable(value):
			return nil, invalid("headers: the value of %s must be printable ASCII, at most 512 characters", name)
		}
		header.Set(name, value)
	}
	return header, nil
}

// matchHeaderName says that a text consists of letters, digits and dashes.
func matchHeaderName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

// reservedHeader says that a header is the gateway's or the connection's own.
func reservedHeader(name string) bool {
	switch strings.ToLower(name) {
	case "authorization", "x-api-key", "api-key", "cookie", "host", "content-length", "content-type", "connection",
		"transfer-encoding", "accept-encoding", "proxy-authorization", "te", "trailer", "upgrade", "keep-alive":
		return true
	}
	return false
}

// printable says that a text is printable ASCII, spaces included.
func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// checkProxy parses the proxy's URL. A proxy may well be in a private network.
func checkProxy(proxy *v1alpha1.UpstreamProxy) (*url.URL, *Problem) {
	if proxy == nil {
		return nil, nil
	}
	u, p := parseURL("proxy.url", proxy.URL)
	if p != nil {
		return nil, p
	}
	if err := checkHost(u.Hostname(), true); err != nil {
		return nil, because(v1alpha1.ReasonForbiddenEndpoint, "proxy.url %s: %v", u.Host, err)
	}
	return u, nil
}

// resolveState adds what came from Secrets and ConfigMaps.
func resolveState(c *Credential, cred *v1alpha1.ProviderCredential, state CredentialState, providers Providers) *Problem {
	if state.Problem != nil {
		return state.Problem
	}
	if state.Entries != nil {
		if p := checkEntries(cred, state.Entries, providers[cred.Spec.Provider].Entries); p != nil {
			return p
		}
	}
	c.Secrets = maps.Clone(state.Entries)
	c.CABundle = bytes.Clone(state.CABundle)
	c.ProxyUsername, c.ProxyPassword = state.ProxyUsername, state.ProxyPassword
	return nil
}

// ReferencedCredentials returns the credentials that the routes of the instance name and may use, in order. They are the ones
// that the gateway of the instance must get; whether they are ready is another question.
func ReferencedCredentials(in Input) []types.NamespacedName {
	b := newBuild(in)
	b.compileCredentials()
	b.selectRoutes()
	found := map[types.NamespacedName]bool{}
	for _, c := range b.candidates {
		for i := range c.object.Spec.Targets {
			key, entry := b.credentialOf(c, &c.object.Spec.Targets[i])
			if entry != nil {
				found[key] = true
			}
		}
	}
	return slices.SortedFunc(maps.Keys(found), func(a, b types.NamespacedName) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
}
