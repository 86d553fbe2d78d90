package packaging

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// project is the PROJECT file as kubebuilder reads it (version 3 of the file, version 4 of the layout).
type project struct {
	CLIVersion  string            `json:"cliVersion"`
	Domain      string            `json:"domain"`
	Layout      []string          `json:"layout"`
	ProjectName string            `json:"projectName"`
	Repo        string            `json:"repo"`
	Resources   []projectResource `json:"resources"`
	Version     string            `json:"version"`
}

type projectResource struct {
	API *struct {
		CRDVersion string `json:"crdVersion"`
		Namespaced bool   `json:"namespaced"`
	} `json:"api"`
	Controller bool   `json:"controller"`
	Domain     string `json:"domain"`
	Group      string `json:"group"`
	Kind       string `json:"kind"`
	Path       string `json:"path"`
	Version    string `json:"version"`
}

// group is the API group that kubebuilder makes of group and domain.
func (r projectResource) group() string {
	if r.Group == "" {
		return r.Domain
	}
	return r.Group + "." + r.Domain
}

func loadProject(t *testing.T) project {
	t.Helper()
	var p project
	if err := yaml.UnmarshalStrict([]byte(read(t, filepath.Join(root, "PROJECT"))), &p); err != nil {
		t.Fatalf("reading PROJECT: %v", err)
	}
	return p
}

func TestProjectHead(t *testing.T) {
	p := loadProject(t)
	p.Resources, p.CLIVersion = nil, ""
	want := project{
		Domain: "vipcloud.ai", Layout: []string{"go.kubebuilder.io/v4"}, ProjectName: "vipcloud",
		Repo: modulePath(t), Version: "3",
	}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Errorf("PROJECT (-want +got):\n%s", diff)
	}
}

// modulePath reads the first line of go.mod.
func modulePath(t *testing.T) string {
	t.Helper()
	line, _, _ := strings.Cut(read(t, filepath.Join(root, "go.mod")), "\n")
	return strings.TrimPrefix(line, "module ")
}

func TestProjectListsTheKindsOfTheTree(t *testing.T) {
	var got []string
	for _, r := range loadProject(t).Resources {
		got = append(got, r.Kind)
	}
	slices.Sort(got)
	if diff := cmp.Diff(rootKinds(t), got); diff != "" {
		t.Errorf("kinds of api/v1alpha1 and of PROJECT (-tree +PROJECT):\n%s", diff)
	}
}

func TestProjectResourcesAreAsTheTreeHasThem(t *testing.T) {
	byKind := map[string]object{}
	for _, crd := range crds(t) {
		byKind[text(crd.at("spec", "names", "kind"))] = crd
	}
	for _, r := range loadProject(t).Resources {
		t.Run(r.Kind, func(t *testing.T) {
			crd, ok := byKind[r.Kind]
			if !ok {
				t.Fatalf("config/crd/bases has no CRD of %s", r.Kind)
			}
			if got := text(crd.at("spec", "group")); got != r.group() {
				t.Errorf("group of the CRD %s, of PROJECT %s", got, r.group())
			}
			if r.API == nil || r.API.CRDVersion != "v1" || text(crd.at("apiVersion")) != "apiextensions.k8s.io/v1" {
				t.Errorf("api = %+v, want crdVersion v1", r.API)
			}
			if namespaced := text(crd.at("spec", "scope")) == "Namespaced"; r.API != nil && r.API.Namespaced != namespaced {
				t.Errorf("api.namespaced = %t, the CRD says %t", r.API.Namespaced, namespaced)
			}
			folder, ok := strings.CutPrefix(r.Path, modulePath(t)+"/")
			if !ok || filepath.Base(folder) != r.Version {
				t.Errorf("path %s is not version %s in this module", r.Path, r.Version)
			}
			if _, err := os.Stat(filepath.Join(root, folder, strings.ToLower(r.Kind)+"_types.go")); err != nil {
				t.Errorf("types: %v", err)
			}
			_, err := os.Stat(filepath.Join(root, "controllers", strings.ToLower(r.Kind)+"_controller.go"))
			if has := err == nil; has != r.Controller {
				t.Errorf("controller = %t, but the tree says %t", r.Controller, has)
			}
		})
	}
}

// rootKinds reads which types of api/v1alpha1 are kinds, from their markers.
func rootKinds(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(root, "api/v1alpha1/*_types.go"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no types in api/v1alpha1: %v", err)
	}
	var kinds []string
	for _, name := range names {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			types, ok := decl.(*ast.GenDecl)
			if !ok || types.Tok != token.TYPE || !marked(types.Doc) {
				continue
			}
			if kind := types.Specs[0].(*ast.TypeSpec).Name.Name; !strings.HasSuffix(kind, "List") {
				kinds = append(kinds, kind)
			}
		}
	}
	slices.Sort(kinds)
	return kinds
}

// marked says whether a doc comment has the marker of a kind. Text() leaves markers out.
func marked(doc *ast.CommentGroup) bool {
	return doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool {
		return strings.Contains(c.Text, "+kubebuilder:object:root=true")
	})
}
