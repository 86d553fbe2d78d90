package manifests

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// ID identifies an object.
type ID struct{ Kind, Namespace, Name string }

// ID is the identity that a document claims.
func (d *Document) ID() ID {
	return ID{Kind: d.GroupVersionKind().Kind, Namespace: d.Namespace(), Name: d.Name()}
}

// Set is objects from files.
type Set struct{ objects map[ID]*Object }

// NewSet makes a set. Of two objects with one identity the first one counts; the other becomes a problem unless it says the
// same.
func NewSet(objects []*Object) (*Set, []Problem) {
	s := &Set{objects: make(map[ID]*Object, len(objects))}
	var problems []Problem
	for _, o := range objects {
		if first := s.objects[o.ID()]; first != nil {
			if reflect.DeepEqual(first.Typed, o.Typed) {
				continue
			}
			problems = append(problems, o.Problem("", fmt.Sprintf("is declared twice, and differently; first in %s:%d", first.File, first.Line)))
			continue
		}
		s.objects[o.ID()] = o
	}
	return s, problems
}

// Find returns an object, or nil.
func (s *Set) Find(kind, namespace, name string) *Object {
	return s.objects[ID{Kind: kind, Namespace: namespace, Name: name}]
}

// typed returns all objects of a type, by namespace and name.
func typed[T metav1.Object](s *Set) []T {
	var all []T
	for _, o := range s.objects {
		if t, ok := o.Typed.(T); ok {
			all = append(all, t)
		}
	}
	slices.SortFunc(all, func(a, b T) int {
		return cmp.Or(cmp.Compare(a.GetNamespace(), b.GetNamespace()), cmp.Compare(a.GetName(), b.GetName()))
	})
	return all
}

// Routes are all routes, by namespace and name.
func (s *Set) Routes() []*v1alpha1.ModelRoute { return typed[*v1alpha1.ModelRoute](s) }

// Keys are all API keys, by namespace and name.
func (s *Set) Keys() []*v1alpha1.ApiKey { return typed[*v1alpha1.ApiKey](s) }

// Credentials are all credentials, by namespace and name.
func (s *Set) Credentials() []*v1alpha1.ProviderCredential {
	return typed[*v1alpha1.ProviderCredential](s)
}

// ImpliesInstance says that no instance is declared, so that Instances makes one up.
func (s *Set) ImpliesInstance() bool { return len(typed[*v1alpha1.GatewayInstance](s)) == 0 }

// Instances are all gateway instances, by namespace and name. Without any there is one by implication: it lives where all
// routes live, or in namespace default, and serves the routes of all namespaces.
func (s *Set) Instances() []*v1alpha1.GatewayInstance {
	if declared := typed[*v1alpha1.GatewayInstance](s); len(declared) > 0 {
		return declared
	}
	namespace := DefaultNamespace
	if routes := s.Routes(); len(routes) > 0 && routes[0].Namespace == routes[len(routes)-1].Namespace {
		namespace = routes[0].Namespace
	}
	return []*v1alpha1.GatewayInstance{{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "default"},
		Spec: v1alpha1.GatewayInstanceSpec{Serves: &v1alpha1.Serves{Routes: &v1alpha1.AllowedNamespaces{
			Namespaces: v1alpha1.NamespaceSelection{From: v1alpha1.NamespacesFromAll},
		}}},
	}}
}

// errInstance means that it is not clear which instance to serve.
var errInstance = errors.New("no instance to serve")

// Instance returns the instance that pick names, as name or namespace/name, or the only one.
func (s *Set) Instance(pick string) (*v1alpha1.GatewayInstance, error) {
	all := s.Instances()
	names := make([]string, 0, len(all))
	var found []*v1alpha1.GatewayInstance
	for _, i := range all {
		name := i.Namespace + "/" + i.Name
		names = append(names, name)
		if pick == "" || pick == i.Name || pick == name {
			found = append(found, i)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case pick == "":
		return nil, fmt.Errorf("%w: there are %s; choose one with --instance", errInstance, strings.Join(names, ", "))
	case len(found) == 0:
		return nil, fmt.Errorf("%w: there is no GatewayInstance %s, only %s", errInstance, pick, strings.Join(names, ", "))
	default:
		return nil, fmt.Errorf("%w: %s is one of %s; choose one as namespace/name", errInstance, pick, strings.Join(names, ", "))
	}
}

// Namespaces are the labels of all namespaces that are declared or that an object is in.
func (s *Set) Namespaces() map[string]map[string]string {
	all := map[string]map[string]string{}
	for id := range s.objects {
		if id.Namespace != "" && all[id.Namespace] == nil {
			all[id.Namespace] = map[string]string{}
		}
	}
	for _, n := range typed[*corev1.Namespace](s) {
		all[n.Name] = maps.Clone(n.Labels)
	}
	return all
}

// secretEntry returns an entry of a Secret. stringData counts more than data, as in an API server.
func secretEntry(secret *corev1.Secret, name string) ([]byte, bool) {
	if value, ok := secret.StringData[name]; ok {
		return []byte(value), true
	}
	value, ok := secret.Data[name]
	return value, ok
}

// secret returns a Secret, or nil.
func (s *Set) secret(id types.NamespacedName) *corev1.Secret {
	if o := s.Find("Secret", id.Namespace, id.Name); o != nil {
		return o.Typed.(*corev1.Secret)
	}
	return nil
}

// configMapEntry returns an entry of a ConfigMap.
func (s *Set) configMapEntry(id types.NamespacedName, name string) ([]byte, bool) {
	o := s.Find("ConfigMap", id.Namespace, id.Name)
	if o == nil {
		return nil, false
	}
	m := o.Typed.(*corev1.ConfigMap)
	if value, ok := m.Data[name]; ok {
		return []byte(value), true
	}
	value, ok := m.BinaryData[name]
	return value, ok
}
