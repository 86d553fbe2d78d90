package table

import (
	"cmp"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// Build compiles a table and what is to be said of the objects it is made of. An object that cannot be used is reported and
// left out; it never stops the build. Equal inputs give equal results, whatever the order of their lists. Objects that the
// instance has nothing to do with get no findings.
func Build(in Input) (*Table, Findings) {
	b := newBuild(in)
	for _, step := range []func(){
		b.checkInstance,
		b.compileCredentials,
		b.selectRoutes,
		b.claimNames,
		b.compileRoutes,
		b.compilePricing,
		b.compileTargets,
		b.publishRoutes,
		b.linkFallbacks,
		b.reportRoutes,
		b.compileKeys,
	} {
		step()
	}
	b.findings.sort()
	return b.table, b.findings
}

// build is the state that the steps share.
type build struct {
	in         Input
	namespaces *namespaces
	// credentials are all of the input, usable or not.
	credentials map[types.NamespacedName]*credentialEntry
	// candidates are the routes that the instance serves if nothing is wrong with them, by namespace and name.
	candidates []*candidate
	zones      zones
	table      *Table
	findings   Findings
}

// newBuild fills in defaults.
func newBuild(in Input) *build {
	if in.Instance == nil {
		in.Instance = &v1alpha1.GatewayInstance{}
	}
	return &build{
		in:          in,
		namespaces:  newNamespaces(in.Namespaces, in.WatchedNamespaces),
		credentials: make(map[types.NamespacedName]*credentialEntry, len(in.Credentials)),
		zones:       zones{},
		table: &Table{
			currency: currencyOf(in.Instance),
			settings: compileSettings(&in),
			byName:   make(map[string]*Route, len(in.Routes)),
			byObject: make(map[types.NamespacedName]*Route, len(in.Routes)),
			holders:  make(map[string]string, len(in.Routes)),
		},
	}
}

// report adds a finding.
func (b *build) report(f Finding) { b.findings = append(b.findings, f) }

// checkInstance reports what an instance says that cannot be served. All other conditions of an instance are its controller's.
func (b *build) checkInstance() {
	ref := refOf(KindGatewayInstance, b.in.Instance)
	if p := InstanceProblem(b.in.Instance, b.in.WatchedNamespaces); p != nil {
		b.report(p.finding(ref, v1alpha1.ConditionReady))
	}
	if r := b.table.settings.Redis; r != nil && r.Problem != nil {
		b.report(r.Problem.finding(ref, v1alpha1.ConditionRedisAvailable))
	}
}

// refOf names an object.
func refOf(kind string, o metav1.Object) ObjectRef {
	return ObjectRef{Kind: kind, Namespace: o.GetNamespace(), Name: o.GetName()}
}

// keyOf is the namespace and name of an object.
func keyOf(o metav1.Object) types.NamespacedName {
	return types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}
}

// ordered returns objects by namespace and name, without those that are nil and without all but the first of the same name.
func ordered[T any, P interface {
	*T
	metav1.Object
}](objects []P) []P {
	sorted := slices.DeleteFunc(slices.Clone(objects), func(o P) bool { return o == nil })
	slices.SortStableFunc(sorted, func(a, b P) int { return compareNames(a, b) })
	return slices.CompactFunc(sorted, func(a, b P) bool { return compareNames(a, b) == 0 })
}

// compareNames orders objects of a kind by namespace and name.
func compareNames(a, b metav1.Object) int {
	return cmp.Or(cmp.Compare(a.GetNamespace(), b.GetNamespace()), cmp.Compare(a.GetName(), b.GetName()))
}

// createdUnix is the creation time in Unix seconds, 0 if unknown.
func createdUnix(o metav1.Object) int64 {
	if t := o.GetCreationTimestamp(); !t.IsZero() {
		return t.Unix()
	}
	return 0
}
