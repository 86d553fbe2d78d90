package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/template"

	"github.com/google/go-cmp/cmp"
)

func TestJSONSchema(t *testing.T) {
	tests := map[string]struct {
		schema, want map[string]any
	}{
		"prose, defaults and extensions go": {
			schema: map[string]any{"type": "integer", "description": "x", "default": 2, "format": "int32", "x-kubernetes-int-or-string": true, "maximum": 100},
			want:   map[string]any{"type": "integer", "maximum": 100},
		},
		"an object is closed, and so are those below it": {
			schema: map[string]any{"type": "object", "properties": map[string]any{"drain": map[string]any{"properties": map[string]any{}}}},
			want: map[string]any{"type": "object", "additionalProperties": false, "properties": map[string]any{
				"drain": map[string]any{"properties": map[string]any{}, "additionalProperties": false},
			}},
		},
		"a map stays open": {
			schema: map[string]any{"type": "object", "additionalProperties": map[string]any{"type": "string", "description": "x"}},
			want:   map[string]any{"type": "object", "additionalProperties": map[string]any{"type": "string"}},
		},
		"items are treated alike": {
			schema: map[string]any{"items": map[string]any{"description": "x", "properties": map[string]any{}}},
			want:   map[string]any{"items": map[string]any{"properties": map[string]any{}, "additionalProperties": false}},
		},
		"a property may be called like a keyword": {
			schema: map[string]any{"properties": map[string]any{"default": map[string]any{"type": "string"}}},
			want:   map[string]any{"properties": map[string]any{"default": map[string]any{"type": "string"}}, "additionalProperties": false},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, jsonSchema(tc.schema)); diff != "" {
				t.Errorf("jsonSchema (-want +got):\n%s", diff)
			}
		})
	}
}

func TestKeptCRDIsATemplateThatStays(t *testing.T) {
	got := keptCRD("metadata:\n  annotations:\n    a: b\nspec:\n  description: write {{ x }}\n")
	want := "metadata:\n  annotations:\n    helm.sh/resource-policy: keep\n    a: b\nspec:\n  description: write {{ \"{{\" }} x }}\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("keptCRD (-want +got):\n%s", diff)
	}
	if _, err := template.New("").Parse(got); err != nil {
		t.Errorf("the result is no template: %v", err)
	}
}

func TestFieldNamesWhatIsMissing(t *testing.T) {
	objects := objectSet{"Role/a": {"rules": []any{map[string]any{"verbs": []any{"get"}}}}}
	tests := map[string]struct {
		key, path string
		want      any
		wantErr   string
	}{
		"through a list":          {key: "Role/a", path: "rules.0.verbs.0", want: "get"},
		"no such object":          {key: "Role/b", path: "rules", wantErr: "config has no Role/b"},
		"no such field":           {key: "Role/a", path: "rules.0.groups", wantErr: "Role/a has no rules.0.groups"},
		"beyond the end":          {key: "Role/a", path: "rules.1", wantErr: "Role/a has no rules.1"},
		"a name for a list":       {key: "Role/a", path: "rules.first", wantErr: "has no"},
		"below what has no below": {key: "Role/a", path: "rules.0.verbs.0.x", wantErr: "has no"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := objects.field(tc.key, tc.path)
			if tc.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tc.wantErr) {
					t.Errorf("err = %v, want %q", err, tc.wantErr)
				}
				return
			}
			if err != nil || got != tc.want {
				t.Errorf("field = %v, %v, want %v", got, err, tc.want)
			}
		})
	}
}

func TestBlockIsIndentedAndSafeForHelm(t *testing.T) {
	got, err := block(2, map[string]any{"b": "{{ .x }}", "a": []any{"1"}})
	if err != nil {
		t.Fatal(err)
	}
	if want := "  a:\n  - \"1\"\n  b: '{{ \"{{\" }} .x }}'"; got != want {
		t.Errorf("block = %q, want %q", got, want)
	}
}

func TestAddRefusesAnObjectThatIsThereTwice(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.yaml")
	doc := "kind: Role\nmetadata: {name: a}\n"
	if err := os.WriteFile(file, []byte("# first\n---\n"+doc+"---\n"+doc), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (objectSet{}).add(file); err == nil || !strings.Contains(err.Error(), "Role/a is in config twice") {
		t.Errorf("err = %v, want a refusal that names Role/a", err)
	}
}

func TestRunRemovesWhatIsNoLongerMade(t *testing.T) {
	root := t.TempDir()
	for _, folder := range []string{"config", "hack/charts/source"} {
		if err := os.CopyFS(filepath.Join(root, folder), os.DirFS(filepath.Join("../..", folder))); err != nil {
			t.Fatal(err)
		}
	}
	stale := filepath.Join(root, "charts/vipcloud/crds/old.yaml")
	if err := os.MkdirAll(filepath.Dir(stale), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(stale, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(root); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(stale); !os.IsNotExist(err) {
		t.Errorf("a CRD that config does not have is still in the chart: %v", err)
	}
	if _, err := os.Stat(filepath.Join(root, "charts/vipcloud/templates/deployment.yaml")); err != nil {
		t.Error(err)
	}
	// Without the generated role there is nothing to make charts of, and the charts that are there stay.
	if err := os.Remove(filepath.Join(root, "config/rbac/role.yaml")); err != nil {
		t.Fatal(err)
	}
	if err := run(root); err == nil || !strings.Contains(err.Error(), "make manifests") {
		t.Errorf("err = %v, want the remedy", err)
	}
	if _, err := os.Stat(filepath.Join(root, "charts/vipcloud/Chart.yaml")); err != nil {
		t.Error(err)
	}
}
