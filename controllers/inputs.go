package controllers

import (
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

// inputs are the objects of one compilation. They are shared with the cache: read only.
type inputs struct {
	routes      []*v1alpha1.ModelRoute
	keys        []*v1alpha1.ApiKey
	credentials []*v1alpha1.ProviderCredential
	// instances are ordered by namespace and name.
	instances []*v1alpha1.GatewayInstance
	// namespaces are labels by name, nil in namespaced mode.
	namespaces map[string]map[string]string
	// redis is what is known of the Redis of instances that have one.
	redis map[types.NamespacedName]table.RedisState
}

// compile makes a compilation and says when it is out of date by itself (zero: never).
func (in *inputs) compile(
	opts Options, states map[types.NamespacedName]table.CredentialState, held *tenures,
) (*compilation, time.Duration) {
	c := &compilation{
		verdicts:  make(map[table.ObjectRef]verdict, len(in.routes)+len(in.keys)+len(in.credentials)),
		instances: make(map[types.NamespacedName]instanceVerdict, len(in.instances)),
	}
	for _, route := range in.routes {
		c.verdicts[refOf(v1alpha1.KindModelRoute, route)] = verdict{
			seen: sightOf(route), model: publicModel(route), all: len(route.Spec.Targets)}
	}
	for _, key := range in.keys {
		c.verdicts[refOf(v1alpha1.KindApiKey, key)] = verdict{seen: sightOf(key)}
	}
	for _, cred := range in.credentials {
		c.verdicts[refOf(v1alpha1.KindProviderCredential, cred)] = credentialVerdict(cred, states, opts)
	}
	for _, instance := range in.instances {
		in.compileInstance(c, instance, opts, states, held)
	}
	return c, held.expire(in.instances)
}

// publicModel is the public name of a route.
func publicModel(route *v1alpha1.ModelRoute) string {
	if route.Spec.Model != "" {
		return string(route.Spec.Model)
	}
	return route.Name
}

// credentialVerdict checks a credential, which belongs to no instance.
func credentialVerdict(
	cred *v1alpha1.ProviderCredential, states map[types.NamespacedName]table.CredentialState, opts Options,
) verdict {
	_, findings := table.CheckCredential(cred, states[client.ObjectKeyFromObject(cred)], opts.Providers)
	p := table.SelectionProblem("allowedNamespaces", cred.Spec.AllowedNamespaces, opts.WatchNamespaces)
	for i := range findings {
		if f := &findings[i]; p != nil && f.Type == v1alpha1.ConditionAccepted && f.Status {
			f.Status, f.Severity, f.Reason, f.Message = false, p.Severity, p.Reason, p.Message
		}
	}
	endpoint, problem := table.ResolveEndpoint(&cred.Spec, opts.Providers)
	if problem != nil {
		endpoint = ""
	}
	return verdict{seen: sightOf(cred), findings: findings, endpoint: endpoint}
}

// compileInstance adds what one instance makes of the objects.
func (in *inputs) compileInstance(
	c *compilation, instance *v1alpha1.GatewayInstance, opts Options,
	states map[types.NamespacedName]table.CredentialState, held *tenures,
) {
	name := client.ObjectKeyFromObject(instance)
	input := table.Input{
		Instance:          instance,
		Routes:            in.routes,
		Keys:              in.keys,
		Credentials:       in.credentials,
		CredentialStates:  states,
		Namespaces:        in.namespaces,
		WatchedNamespaces: opts.WatchNamespaces,
		Providers:         opts.Providers,
		Held:              held.of(instance),
	}
	if state, ok := in.redis[name]; ok {
		input.Redis = &state
	}
	built, findings := table.Build(input)
	held.note(instance, built.Holders())
	in.addRoutes(c, instance, built, findings, opts)
	for _, key := range in.keys {
		if g := key.Status.Gateway; g != nil && string(g.Namespace) == name.Namespace && string(g.Name) == name.Name {
			ref := refOf(v1alpha1.KindApiKey, key)
			c.add(ref, findings.For(ref))
		}
	}
	v := instanceVerdict{
		seen:    sightOf(instance),
		routes:  int32(len(built.Routes())),
		keys:    int32(len(built.Keys())),
		problem: table.InstanceProblem(instance, opts.WatchNamespaces),
	}
	if r := built.Redis(); r != nil {
		v.redisProblem = r.Problem
	}
	credentials := in.compiledCredentials(input, states)
	v.entries, v.digest, v.secretProblem = compiledEntries(credentials, input.Redis)
	v.egress = egressOf(credentials, opts.Providers)
	c.instances[name] = v
}

// addRoutes adds what an instance makes of the routes that it serves.
func (in *inputs) addRoutes(
	c *compilation, instance *v1alpha1.GatewayInstance, built *table.Table, findings table.Findings, opts Options,
) {
	serves := map[string]bool{}
	for _, route := range in.routes {
		if _, known := serves[route.Namespace]; !known {
			serves[route.Namespace] = table.ServesRoutes(instance, route.Namespace, in.namespaces, opts.WatchNamespaces)
		}
		if !serves[route.Namespace] {
			continue
		}
		ref := refOf(v1alpha1.KindModelRoute, route)
		c.add(ref, in.attributed(findings.For(ref), instance))
		v := c.verdicts[ref]
		v.instances = append(v.instances, client.ObjectKeyFromObject(instance))
		if r := built.Route(route.Namespace, route.Name); r != nil {
			v.usable = max(v.usable, r.UsableTargets)
			v.active = activeTargets(v.active, r)
		}
		c.verdicts[ref] = v
	}
}

// activeTargets adds the names of targets that a route sends requests to.
func activeTargets(names []string, r *table.Route) []string {
	for _, tier := range r.Tiers {
		for _, t := range tier.Targets {
			names = append(names, t.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// attributed says in the messages of failures which instance they are about, where there are several.
func (in *inputs) attributed(findings table.Findings, instance *v1alpha1.GatewayInstance) table.Findings {
	if len(in.instances) < 2 {
		return findings
	}
	out := slices.Clone(findings)
	for i := range out {
		if !out[i].Status {
			out[i].Message = fmt.Sprintf("GatewayInstance %s: %s", client.ObjectKeyFromObject(instance), out[i].Message)
		}
	}
	return out
}

// add merges findings about an object into its verdict.
func (c *compilation) add(ref table.ObjectRef, findings table.Findings) {
	v := c.verdicts[ref]
	v.findings = merge(v.findings, findings)
	c.verdicts[ref] = v
}

// compiledCredentials are those that the routes of an instance may use, ready or not.
func (in *inputs) compiledCredentials(
	input table.Input, states map[types.NamespacedName]table.CredentialState,
) []table.CompiledCredential {
	byName := make(map[types.NamespacedName]*v1alpha1.ProviderCredential, len(in.credentials))
	for _, cred := range in.credentials {
		byName[client.ObjectKeyFromObject(cred)] = cred
	}
	var compiled []table.CompiledCredential
	for _, name := range table.ReferencedCredentials(input) {
		if cred := byName[name]; cred != nil {
			compiled = append(compiled, table.CompiledCredential{Credential: cred, State: states[name]})
		}
	}
	return compiled
}
