// Package schema checks objects of the vipcloud.ai group against the OpenAPI part of their CustomResourceDefinitions, and
// fills in their defaults: types, required and unknown fields, enums, patterns, bounds and keys of lists. It refuses to know
// CEL, whose machinery would cost every start of the gateway more than all else it does; vipcloud lint evaluates the rules,
// and the table leaves out what breaks them.
package schema

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

// Set is the schemas of a group. It is immutable and safe for concurrent use.
type Set struct {
	kinds map[schema.GroupVersionKind]*node
}

// Problem is a field that breaks the schema.
type Problem struct {
	// Path is the field, such as spec.targets[0].name; empty for the object itself.
	Path string
	// Message says what is wrong. It never repeats the value, which may be a secret in the wrong place.
	Message string
}

// definition is what is needed of a CustomResourceDefinition.
type definition struct {
	Spec struct {
		Group    string
		Names    struct{ Kind string }
		Versions []struct {
			Name   string
			Served bool
			Schema struct{ OpenAPIV3Schema *node }
		}
	}
}

// Load reads every *.yaml of a directory of CustomResourceDefinitions.
func Load(fsys fs.FS, dir string) (*Set, error) {
	entries, err := fs.Glob(fsys, path.Join(dir, "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("listing definitions: %w", err)
	}
	s := &Set{kinds: map[schema.GroupVersionKind]*node{}}
	for _, name := range entries {
		raw, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("reading definition: %w", err)
		}
		var d definition
		if err := yaml.Unmarshal(raw, &d); err != nil {
			return nil, fmt.Errorf("reading definition %s: %w", name, err)
		}
		for _, v := range d.Spec.Versions {
			root := v.Schema.OpenAPIV3Schema
			if !v.Served || root == nil {
				continue
			}
			if err := root.prepare(); err != nil {
				return nil, fmt.Errorf("reading definition %s: %w", name, err)
			}
			s.kinds[schema.GroupVersionKind{Group: d.Spec.Group, Version: v.Name, Kind: d.Spec.Names.Kind}] = root
		}
	}
	return s, nil
}

// Has says whether there is a schema for a kind.
func (s *Set) Has(gvk schema.GroupVersionKind) bool { return s.kinds[gvk] != nil }

// Check fills the defaults of an object in, in place, and returns what is wrong with it, in the order of the fields' names.
// Metadata is not looked at. A kind without a schema has no problems.
func (s *Set) Check(gvk schema.GroupVersionKind, object map[string]any) []Problem {
	root := s.kinds[gvk]
	if root == nil {
		return nil
	}
	root.fill(object)
	c := &checker{}
	c.check(root, object, "")
	return c.problems
}

// node is a schema of one value, as far as it is checked.
type node struct {
	Type                 string
	Properties           map[string]*node
	AdditionalProperties *additional
	Items                *node
	Required             []string
	Enum                 []any
	Pattern              string
	Format               string
	MinLength            *int
	MaxLength            *int
	Minimum              *float64
	Maximum              *float64
	MinItems             *int
	MaxItems             *int
	MinProperties        *int
	MaxProperties        *int
	Default              json.RawMessage
	Nullable             bool
	PreserveUnknown      bool     `json:"x-kubernetes-preserve-unknown-fields"`
	IntOrString          bool     `json:"x-kubernetes-int-or-string"`
	ListType             string   `json:"x-kubernetes-list-type"`
	ListMapKeys          []string `json:"x-kubernetes-list-map-keys"`

	pattern pattern
}

// additional is the schema of values of a map, or whether there may be any.
type additional struct {
	allowed bool
	schema  *node
}

// UnmarshalJSON takes a boolean or a schema.
func (a *additional) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, &a.allowed) == nil {
		return nil
	}
	a.allowed = true
	return json.Unmarshal(data, &a.schema)
}

// prepare compiles patterns, in this schema and those below.
func (n *node) prepare() error {
	if n == nil {
		return nil
	}
	if err := n.pattern.compile(n.Pattern); err != nil {
		return err
	}
	for _, p := range n.Properties {
		if err := p.prepare(); err != nil {
			return err
		}
	}
	if n.AdditionalProperties != nil {
		if err := n.AdditionalProperties.schema.prepare(); err != nil {
			return err
		}
	}
	return n.Items.prepare()
}

// fill adds defaults and takes away nulls that are not allowed, which mean unset.
func (n *node) fill(value any) {
	switch v := value.(type) {
	case map[string]any:
		for name, p := range n.Properties {
			if old, set := v[name]; set && old == nil && !p.Nullable {
				delete(v, name)
			}
			if _, set := v[name]; !set && p.Default != nil {
				var d any
				if json.Unmarshal(p.Default, &d) == nil {
					v[name] = normal(d)
				}
			}
			if member, set := v[name]; set {
				p.fill(member)
			}
		}
		if n.AdditionalProperties != nil && n.AdditionalProperties.schema != nil {
			for _, member := range v {
				n.AdditionalProperties.schema.fill(member)
			}
		}
	case []any:
		if n.Items != nil {
			for _, item := range v {
				n.Items.fill(item)
			}
		}
	}
}

// normal makes whole numbers integers, as they are in objects that were read.
func normal(v any) any {
	switch x := v.(type) {
	case float64:
		if x == float64(int64(x)) {
			return int64(x)
		}
	case map[string]any:
		for k := range x {
			x[k] = normal(x[k])
		}
	case []any:
		for i := range x {
			x[i] = normal(x[i])
		}
	}
	return v
}
