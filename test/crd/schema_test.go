package crd

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// definition is a resource definition as it stands in config/crd/bases.
type definition struct {
	apiextensionsv1.CustomResourceDefinition
	path string
	size int
}

func (d *definition) kind() string { return d.Spec.Names.Kind }

func (d *definition) root() *apiextensionsv1.JSONSchemaProps {
	return d.Spec.Versions[0].Schema.OpenAPIV3Schema
}

// dataAlone says that objects of the kind have neither spec nor status: they are records that programs keep.
func (d *definition) dataAlone() bool { return dataAlone(d.kind()) }

// dataAlone says that objects of a kind have neither spec nor status.
func dataAlone(kind string) bool { return kind == v1alpha1.KindUsageReport }

// definitions reads every definition.
func definitions(t *testing.T) []*definition {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(crdDir, "*.yaml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no definitions in %s: %v", crdDir, err)
	}
	var all []*definition
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		d := &definition{path: path, size: len(text)}
		if err := yaml.UnmarshalStrict(text, &d.CustomResourceDefinition); err != nil {
			t.Fatalf("reading %s: %v", path, err)
		}
		all = append(all, d)
	}
	return all
}

// node is a place in a schema. Its path is written as spec.targets[].name, spec.headers{} for the values of a map.
type node struct {
	*apiextensionsv1.JSONSchemaProps
	path string
	// field is the name of the field; empty for items of lists and values of maps.
	field string
}

// underItem says that the node stands below an item of a list or a value of a map.
func (n node) underItem() bool { return strings.ContainsAny(n.path, "[{") }

func (n node) isMap() bool { return n.AdditionalProperties != nil }

// nodes lists the schema's places, the root first.
func (d *definition) nodes() []node {
	return walk(node{JSONSchemaProps: d.root()})
}

func walk(n node) []node {
	found := []node{n}
	for _, name := range slices.Sorted(maps.Keys(n.Properties)) {
		child := n.Properties[name]
		found = append(found, walk(node{&child, strings.TrimPrefix(n.path+"."+name, "."), name})...)
	}
	if n.Items != nil && n.Items.Schema != nil {
		found = append(found, walk(node{n.Items.Schema, n.path + "[]", ""})...)
	}
	if n.isMap() && n.AdditionalProperties.Schema != nil {
		found = append(found, walk(node{n.AdditionalProperties.Schema, n.path + "{}", ""})...)
	}
	return found
}
