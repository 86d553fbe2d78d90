package crd

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// published is the part of an OpenAPI v3 schema that kubectl explain reads.
type published struct {
	Description string                    `json:"description"`
	Properties  map[string]published      `json:"properties"`
	Kinds       []schema.GroupVersionKind `json:"x-kubernetes-group-version-kind"`
}

// TestEveryFieldIsExplained reads what the API server publishes, as kubectl explain does.
func TestEveryFieldIsExplained(t *testing.T) {
	all := definitions(t)
	schemas := publishedSchemas(t, len(all))
	for _, d := range all {
		got, ok := schemas[d.kind()]
		if !ok {
			t.Errorf("%s is not published", d.kind())
			continue
		}
		if d.dataAlone() {
			checkExplained(t, d.kind(), got, d.root().Properties)
			continue
		}
		spec := got.Properties["spec"]
		if got.Description == "" || spec.Description == "" || got.Properties["status"].Description == "" {
			t.Errorf("%s, its spec or its status is not explained", d.kind())
		}
		checkExplained(t, d.kind()+" spec", spec, d.root().Properties["spec"].Properties)
	}
}

// checkExplained compares the fields that are published with those of a schema, and asks for a word on each.
func checkExplained(t *testing.T, what string, got published, want map[string]apiextensionsv1.JSONSchemaProps) {
	t.Helper()
	if got.Description == "" {
		t.Errorf("%s is not explained", what)
	}
	if len(want) == 0 || len(got.Properties) != len(want) {
		t.Errorf("fields of %s = %v, want %v", what, slices.Sorted(maps.Keys(got.Properties)), slices.Sorted(maps.Keys(want)))
	}
	for name, field := range got.Properties {
		if field.Description == "" && !typeMeta(name) {
			t.Errorf("%s.%s is not explained", what, name)
		}
	}
}

// publishedSchemas reads the schemas of our kinds, by kind. The API server publishes definitions a moment after it serves them.
func publishedSchemas(t *testing.T, kinds int) map[string]published {
	t.Helper()
	client, err := discovery.NewDiscoveryClientForConfig(server.config)
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.After(20 * time.Second)
	for tick := time.Tick(100 * time.Millisecond); ; {
		schemas, err := readPublished(client)
		if err == nil && len(schemas) >= kinds {
			return schemas
		}
		select {
		case <-tick:
		case <-deadline:
			t.Fatalf("%d kinds published, want %d: %v", len(schemas), kinds, err)
		}
	}
}

func readPublished(client *discovery.DiscoveryClient) (map[string]published, error) {
	paths, err := client.OpenAPIV3().Paths()
	if err != nil {
		return nil, fmt.Errorf("listing paths: %w", err)
	}
	group, ok := paths["apis/"+v1alpha1.GroupVersion.String()]
	if !ok {
		return nil, errors.New("the group is not published")
	}
	text, err := group.Schema("application/json")
	if err != nil {
		return nil, fmt.Errorf("reading the group's schemas: %w", err)
	}
	var document struct {
		Components struct {
			Schemas map[string]published `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		return nil, fmt.Errorf("decoding the group's schemas: %w", err)
	}
	byKind := map[string]published{}
	for _, s := range document.Components.Schemas {
		for _, gvk := range s.Kinds {
			if _, isList := s.Properties["items"]; !isList && len(s.Properties) > 0 && gvk.GroupVersion() == v1alpha1.GroupVersion {
				byKind[gvk.Kind] = s
			}
		}
	}
	return byKind, nil
}
