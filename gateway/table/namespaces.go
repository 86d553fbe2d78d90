package table

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// namespaceSet is a set of namespaces. The zero value is empty.
type namespaceSet struct {
	all   bool
	names map[string]bool
}

// has says whether a namespace is in the set.
func (s namespaceSet) has(namespace string) bool { return s.all || s.names[namespace] }

// setOf returns the set of some namespaces.
func setOf(namespaces ...string) namespaceSet {
	s := namespaceSet{names: make(map[string]bool, len(namespaces))}
	for _, n := range namespaces {
		s.names[n] = true
	}
	return s
}

// namespaces knows which namespaces there are, and so what a selection means.
type namespaces struct {
	labels  map[string]map[string]string
	watched []string // nil in cluster mode
	// selected caches selectors, which many routes of a namespace share.
	selected map[string]namespaceSet
}

// newNamespaces returns an evaluator without cached selectors.
func newNamespaces(labels map[string]map[string]string, watched []string) *namespaces {
	return &namespaces{labels: labels, watched: watched, selected: map[string]namespaceSet{}}
}

// set returns the namespaces that a selection means. Own is the namespace of the object that selects. A selection that cannot
// be evaluated is empty.
func (n *namespaces) set(selection *v1alpha1.NamespaceSelection, own string) namespaceSet {
	if SelectionProblem("", selection, n.watched) != nil {
		return namespaceSet{}
	}
	switch selection.From {
	case v1alpha1.NamespacesFromAll:
		if n.watched != nil {
			return setOf(n.watched...)
		}
		return namespaceSet{all: true}
	case v1alpha1.NamespacesFromSelector:
		return n.matching(selection.Selector)
	default:
		return setOf(own)
	}
}

// matching returns the namespaces whose labels match a selector that is known to be valid.
func (n *namespaces) matching(ls *metav1.LabelSelector) namespaceSet {
	selector, err := metav1.LabelSelectorAsSelector(ls)
	if err != nil {
		return namespaceSet{}
	}
	if s, ok := n.selected[selector.String()]; ok {
		return s
	}
	s := setOf()
	for name, set := range n.labels {
		if selector.Matches(namespaceLabels{name: name, set: set}) {
			s.names[name] = true
		}
	}
	n.selected[selector.String()] = s
	return s
}

// labelMetadataName is on every namespace, with its name.
const labelMetadataName = "kubernetes.io/metadata.name"

// namespaceLabels adds the label that the API server gives every namespace, for those that come from files.
type namespaceLabels struct {
	name string
	set  labels.Set
}

// Has implements labels.Labels.
func (l namespaceLabels) Has(label string) bool {
	return label == labelMetadataName || l.set.Has(label)
}

// Get implements labels.Labels.
func (l namespaceLabels) Get(label string) string {
	value, _ := l.Lookup(label)
	return value
}

// Lookup implements labels.Labels.
func (l namespaceLabels) Lookup(label string) (string, bool) {
	if label == labelMetadataName {
		return l.name, true
	}
	return l.set.Lookup(label)
}

// SelectionProblem says why a selection of namespaces cannot be evaluated, calling it by the name of its field. Watched is nil
// in cluster mode. It returns nil if all is well, and for a nil selection.
func SelectionProblem(field string, selection *v1alpha1.NamespaceSelection, watched []string) *Problem {
	if selection == nil {
		return nil
	}
	switch selection.From {
	case v1alpha1.NamespacesFromAll, v1alpha1.NamespacesFromSame:
		return nil
	case v1alpha1.NamespacesFromSelector:
		return selectorProblem(field, selection.Selector, watched)
	}
	return invalid("%s.from is %q; use Same, All or Selector", field, selection.From)
}

// selectorProblem says why a selector cannot be evaluated.
func selectorProblem(field string, selector *metav1.LabelSelector, watched []string) *Problem {
	if watched != nil {
		return because(v1alpha1.ReasonSelectorNeedsClusterMode,
			"%s.from is Selector, but labels of namespaces cannot be read in namespaced mode; use Same or All, or run in cluster mode", field)
	}
	if selector == nil {
		return invalid("%s.selector is missing; set it, or use from: Same or from: All", field)
	}
	if _, err := metav1.LabelSelectorAsSelector(selector); err != nil {
		return invalid("%s.selector cannot be used: %v", field, err)
	}
	return nil
}

// ServesRoutes says whether an instance serves the routes of a namespace. Namespaces are labels by name, watched is nil in
// cluster mode.
func ServesRoutes(instance *v1alpha1.GatewayInstance, namespace string, namespaces map[string]map[string]string, watched []string) bool {
	return contains(routesSelection(instance), instance.Namespace, namespace, namespaces, watched)
}

// ServesKeys says whether an instance accepts the keys of a namespace. Namespaces are labels by name, watched is nil in cluster
// mode.
func ServesKeys(instance *v1alpha1.GatewayInstance, namespace string, namespaces map[string]map[string]string, watched []string) bool {
	return contains(keysSelection(instance), instance.Namespace, namespace, namespaces, watched)
}

// contains says whether a selection means a namespace, looking at the labels of no other.
func contains(selection *v1alpha1.NamespaceSelection, own, namespace string, all map[string]map[string]string, watched []string) bool {
	one := map[string]map[string]string{}
	if set, ok := all[namespace]; ok {
		one[namespace] = set
	}
	return newNamespaces(one, watched).set(selection, own).has(namespace)
}

// InstanceProblem says what of spec.serves and spec.demo of an instance cannot be evaluated; nil if all can. With a selection that
// cannot, nobody is served; with constraints that cannot, no key is accepted; with a demo that cannot, there is none.
func InstanceProblem(instance *v1alpha1.GatewayInstance, watched []string) *Problem {
	if p := SelectionProblem("serves.routes.namespaces", routesSelection(instance), watched); p != nil {
		return p
	}
	if p := SelectionProblem("serves.keys.namespaces", keysSelection(instance), watched); p != nil {
		return p
	}
	if p := CompileKeyRules(instance).Problem; p != nil {
		return p
	}
	_, p := compileDemo(instance)
	return p
}

// routesSelection returns whose routes an instance serves: those of its own namespace unless it says otherwise.
func routesSelection(instance *v1alpha1.GatewayInstance) *v1alpha1.NamespaceSelection {
	if s := instance.Spec.Serves; s != nil && s.Routes != nil {
		return &s.Routes.Namespaces
	}
	return &v1alpha1.NamespaceSelection{From: v1alpha1.NamespacesFromSame}
}

// keysSelection returns whose keys an instance accepts: all unless it says otherwise.
func keysSelection(instance *v1alpha1.GatewayInstance) *v1alpha1.NamespaceSelection {
	if s := instance.Spec.Serves; s != nil && s.Keys != nil && s.Keys.Namespaces != nil {
		return s.Keys.Namespaces
	}
	return &v1alpha1.NamespaceSelection{From: v1alpha1.NamespacesFromAll}
}
