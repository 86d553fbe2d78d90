package table

import (
	"cmp"
	"slices"
)

// Severity says what a finding means for the object's readiness.
type Severity int

const (
	// Info does not stand in the way.
	Info Severity = iota
	// Missing is a reference to something that does not exist (yet): Reconciling for a grace period, Stalled after it.
	Missing
	// Invalid is something that somebody must change: Stalled at once.
	Invalid
	// Degraded is a part that cannot be used while the rest serves: not Ready, not Stalled.
	Degraded
)

// String returns the word for messages of the linter.
func (s Severity) String() string {
	return [...]string{"info", "missing", "invalid", "degraded"}[s]
}

// ObjectRef names an object of the vipcloud.ai group.
type ObjectRef struct {
	Kind, Namespace, Name string
}

// String returns Kind namespace/name.
func (r ObjectRef) String() string { return r.Kind + " " + r.Namespace + "/" + r.Name }

// Finding is what Build has to say of an object: one condition of it.
type Finding struct {
	Object ObjectRef
	// Type is the condition's type, such as Accepted.
	Type string
	// Status says whether the condition holds.
	Status bool
	// Severity says what Status=false means.
	Severity Severity
	// Reason is one of the reasons of v1alpha1.
	Reason string
	// Message says what to do, or what was found.
	Message string
}

// Findings are ordered by object and type. There is at most one finding for each object and type.
type Findings []Finding

// For returns the findings of one object.
func (f Findings) For(ref ObjectRef) Findings {
	lo, _ := slices.BinarySearchFunc(f, ref, func(a Finding, b ObjectRef) int { return compareRefs(a.Object, b) })
	hi := lo
	for hi < len(f) && f[hi].Object == ref {
		hi++
	}
	return f[lo:hi:hi]
}

// sort brings findings into their order.
func (f Findings) sort() {
	slices.SortFunc(f, func(a, b Finding) int {
		return cmp.Or(compareRefs(a.Object, b.Object), cmp.Compare(a.Type, b.Type))
	})
}

// compareRefs orders objects by kind, namespace and name.
func compareRefs(a, b ObjectRef) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}
