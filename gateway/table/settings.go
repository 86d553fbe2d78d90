package table

import (
	"cmp"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

const (
	// DefaultReplicas is the number of replicas of instances that name none.
	DefaultReplicas = 2
	// DefaultDemoRequestsPerMinute is that of each demo client.
	DefaultDemoRequestsPerMinute = 5
	// DefaultDemoMaxClients is the number of demo clients that a replica serves within a minute.
	DefaultDemoMaxClients = 1000
)

// FailurePolicy is what happens to requests while Redis is away.
type FailurePolicy string

const (
	// FailurePolicyAllow goes on with each replica's share of limits and budgets.
	FailurePolicyAllow = FailurePolicy(v1alpha1.LimitsFailurePolicyAllow)
	// FailurePolicyDeny refuses the requests of keys with a limit or a budget.
	FailurePolicyDeny = FailurePolicy(v1alpha1.LimitsFailurePolicyDeny)
)

// Settings are what an instance says beside its routes and keys, with defaults filled in. Read only.
type Settings struct {
	// Scope tells the instance from all others, also from those of other clusters where it is known to one.
	Scope string
	// KeyRules are what the instance says of all its keys. Never nil.
	KeyRules *KeyRules
	// Replicas is the wanted number of replicas, with autoscaling the greatest that may be; how many there are is for others to see.
	Replicas int
	// Demo is what anybody may try without a key; nil: nothing.
	Demo *Demo
	// Redis is nil if there is none.
	Redis *Redis
	// LimitsFailurePolicy is FailurePolicyAllow unless the instance says otherwise.
	LimitsFailurePolicy FailurePolicy
	// TrustedProxyHops is how many entries from the end of X-Forwarded-For the client's address is; 0: the header does not count.
	TrustedProxyHops int
}

// Demo is what anybody may try without a key. Read only.
type Demo struct {
	// Namespace is the instance's: clients may use routes that allow its keys.
	Namespace string
	// Models are patterns of what may be tried.
	Models Globs
	// RequestsPerMinute of each client; 0: none.
	RequestsPerMinute int64
	// Budget is what all clients may spend together; nil: no bound.
	Budget *Budget
	// MaxClients is how many clients a replica serves within a minute, above 0.
	MaxClients int
}

// MayUse says whether a route may be tried without a key: it is Live and Public, allows keys of the instance's namespace, and a
// pattern matches it. What is made by jobs cannot: a job belongs to a key. Nil allows nothing.
func (d *Demo) MayUse(r *Route) bool {
	return d != nil && r.Availability == AvailabilityLive && !r.Private && r.AllowsNamespace(d.Namespace) && d.Models.Match(r.Model) &&
		r.Modality != string(v1alpha1.ModalityVideo) && r.Modality != string(v1alpha1.ModalityMusic)
}

// DemoOwner is what the spend of the demo is counted under. No ApiKey can be called so.
const DemoOwner = "/demo"

// Key stands in for the key of those who have none.
func (d *Demo) Key() *Key {
	k := &Key{
		Namespace: d.Namespace, Project: d.Namespace + DemoOwner, Demo: d,
		Limits: Limits{RequestsPerMinute: LimitOf(d.RequestsPerMinute)},
	}
	if d.Budget != nil {
		k.Budgets = []Budget{*d.Budget}
	}
	return k
}

// Settings of the instance. They must not be changed.
func (t *Table) Settings() *Settings { return &t.settings }

// KeyRules are what the instance says of all its keys. Never nil.
func (t *Table) KeyRules() *KeyRules { return t.settings.KeyRules }

// MaxKeys is how many keys of a namespace are accepted, the oldest.
func (t *Table) MaxKeys() Limit { return t.settings.KeyRules.MaxKeys }

// NamespaceBudget is what all keys of a namespace may spend together; nil: no bound.
func (t *Table) NamespaceBudget() *Budget { return t.settings.KeyRules.NamespaceBudget }

// Demo is what anybody may try without a key; nil: nothing.
func (t *Table) Demo() *Demo { return t.settings.Demo }

// Redis is nil if there is none.
func (t *Table) Redis() *Redis { return t.settings.Redis }

// LimitsFailurePolicy is what happens to requests while Redis is away.
func (t *Table) LimitsFailurePolicy() FailurePolicy { return t.settings.LimitsFailurePolicy }

// Replicas is the wanted number of replicas, with autoscaling the greatest that may be.
func (t *Table) Replicas() int { return t.settings.Replicas }

// TrustedProxyHops is how many entries from the end of X-Forwarded-For the client's address is; 0: the header does not count.
func (t *Table) TrustedProxyHops() int { return t.settings.TrustedProxyHops }

// compileSettings compiles what an instance says beside its routes and keys. What cannot be used is left out.
func compileSettings(in *Input) Settings {
	spec := &in.Instance.Spec
	s := Settings{
		Scope:               scopeOf(in.Instance),
		KeyRules:            CompileKeyRules(in.Instance),
		Replicas:            DefaultReplicas,
		Redis:               compileRedis(spec.Redis, in.Redis),
		LimitsFailurePolicy: FailurePolicy(cmp.Or(spec.LimitsFailurePolicy, v1alpha1.LimitsFailurePolicyAllow)),
		TrustedProxyHops:    int(max(spec.TrustedProxyHops, 0)),
	}
	if spec.Replicas != nil {
		s.Replicas = int(*spec.Replicas)
	}
	if a := spec.Autoscaling; a != nil {
		s.Replicas = max(s.Replicas, int(a.MaxReplicas))
	}
	s.Demo, _ = compileDemo(in.Instance)
	return s
}

// scopeOf tells an instance from all others.
func scopeOf(i *v1alpha1.GatewayInstance) string {
	scope := i.Namespace + "/" + i.Name
	if i.UID != "" {
		scope += "/" + string(i.UID)
	}
	return scope
}

// compileDemo compiles the demo of an instance. One with a budget that cannot be held is none.
func compileDemo(instance *v1alpha1.GatewayInstance) (*Demo, *Problem) {
	declared := instance.Spec.Demo
	if declared == nil {
		return nil, nil
	}
	budget, p := compileBudgetIn("demo.budget", declared.Budget, currencyOf(instance))
	if p != nil {
		return nil, p
	}
	d := &Demo{
		Namespace:         instance.Namespace,
		Models:            CompileGlobs(declared.Models),
		RequestsPerMinute: DefaultDemoRequestsPerMinute,
		Budget:            budget,
		MaxClients:        DefaultDemoMaxClients,
	}
	if declared.RequestsPerMinute != nil {
		d.RequestsPerMinute = *declared.RequestsPerMinute
	}
	if declared.MaxClients != nil {
		d.MaxClients = int(*declared.MaxClients)
	}
	return d, nil
}
