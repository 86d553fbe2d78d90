package packaging

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestCRDsStaySmallEnoughToApply(t *testing.T) {
	const most = 200_000
	for file := range crds(t) {
		info, err := os.Stat(filepath.Join(root, "config/crd/bases", file))
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() >= most {
			t.Errorf("%s has %d bytes, want fewer than %d", file, info.Size(), most)
		}
	}
}

// A default below a list item never settles under server-side apply: who applies a list without it sees a difference for ever.
func TestNoDefaultBelowAListItem(t *testing.T) {
	for file, crd := range crds(t) {
		for _, schema := range schemas(t, crd) {
			for _, path := range defaultsInLists(schema, "", false) {
				t.Errorf("%s: %s has a default below a list item; let unset mean it in code", file, path)
			}
		}
	}
}

func TestDefaultsInLists(t *testing.T) {
	tests := map[string]struct {
		schema map[string]any
		want   []string
	}{
		"a default beside a list": {
			schema: map[string]any{"properties": map[string]any{"replicas": map[string]any{"default": 2}}},
		},
		"a default of a whole list": {
			schema: map[string]any{"properties": map[string]any{"ports": map[string]any{"default": []any{1}, "items": map[string]any{}}}},
		},
		"a default of an item": {
			schema: map[string]any{"properties": map[string]any{"ports": map[string]any{"items": map[string]any{"default": 80}}}},
			want:   []string{".ports[]"},
		},
		"a default deep in an item": {
			schema: map[string]any{"properties": map[string]any{"targets": map[string]any{"items": map[string]any{
				"properties": map[string]any{"retry": map[string]any{"properties": map[string]any{"times": map[string]any{"default": 1}}}},
			}}}},
			want: []string{".targets[].retry.times"},
		},
		"a property that is called default": {
			schema: map[string]any{"properties": map[string]any{"list": map[string]any{"items": map[string]any{
				"properties": map[string]any{"default": map[string]any{"type": "string"}},
			}}}},
		},
		"a default of a map's value in an item": {
			schema: map[string]any{"items": map[string]any{"additionalProperties": map[string]any{"default": "x"}}},
			want:   []string{"[]{}"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := defaultsInLists(tc.schema, "", false); !slices.Equal(got, tc.want) {
				t.Errorf("defaultsInLists = %v, want %v", got, tc.want)
			}
		})
	}
}

// schemas gives the schema of each version of a CRD.
func schemas(t *testing.T, crd object) []map[string]any {
	t.Helper()
	var found []map[string]any
	versions, _ := crd.at("spec", "versions").([]any)
	for _, version := range versions {
		schema, ok := object(version.(map[string]any)).at("schema", "openAPIV3Schema").(map[string]any)
		if !ok {
			t.Fatalf("%s has a version without a schema", crd.name())
		}
		found = append(found, schema)
	}
	return found
}

// defaultsInLists walks a schema and names what has a default and stands in a list.
func defaultsInLists(schema map[string]any, path string, inList bool) []string {
	var found []string
	if _, ok := schema["default"]; ok && inList {
		found = append(found, path)
	}
	properties, _ := schema["properties"].(map[string]any)
	for name, property := range properties {
		if nested, ok := property.(map[string]any); ok {
			found = append(found, defaultsInLists(nested, path+"."+name, inList)...)
		}
	}
	if items, ok := schema["items"].(map[string]any); ok {
		found = append(found, defaultsInLists(items, path+"[]", true)...)
	}
	if values, ok := schema["additionalProperties"].(map[string]any); ok {
		found = append(found, defaultsInLists(values, path+"{}", inList)...)
	}
	slices.Sort(found)
	return found
}

func TestEveryFieldOfOursIsDescribed(t *testing.T) {
	for file, crd := range crds(t) {
		for _, schema := range schemas(t, crd) {
			for _, path := range undescribed(schema, "") {
				t.Errorf("%s: %s has no description", file, path)
			}
		}
	}
}

// undescribed names properties without a description. Values of maps and items of lists are described by what holds them.
func undescribed(schema map[string]any, path string) []string {
	var found []string
	properties, _ := schema["properties"].(map[string]any)
	for name, property := range properties {
		nested, ok := property.(map[string]any)
		if !ok {
			continue
		}
		at := fmt.Sprintf("%s.%s", path, name)
		if text(nested["description"]) == "" && at != ".metadata" {
			found = append(found, at)
		}
		found = append(found, undescribed(nested, at)...)
	}
	if items, ok := schema["items"].(map[string]any); ok {
		found = append(found, undescribed(items, path+"[]")...)
	}
	return found
}

func TestKindsBelongToOneCategory(t *testing.T) {
	for file, crd := range crds(t) {
		categories, _ := crd.at("spec", "names", "categories").([]any)
		if !slices.Contains(categories, any("vipcloud")) {
			t.Errorf("%s: kubectl get vipcloud does not show it", file)
		}
		if got := text(crd.at("spec", "scope")); got != "Namespaced" {
			t.Errorf("%s: scope %s, want Namespaced", file, got)
		}
		if short, _ := crd.at("spec", "names", "shortNames").([]any); len(short) == 0 {
			t.Errorf("%s has no short name", file)
		}
		if !strings.HasPrefix(file, text(crd.at("spec", "group"))+"_") {
			t.Errorf("%s holds group %s", file, crd.at("spec", "group"))
		}
	}
}
