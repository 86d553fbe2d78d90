package samples_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// page returns the text of a page of the documentation.
func page(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// kindPage is the page of a kind.
func kindPage(t *testing.T, kind string) string {
	t.Helper()
	return page(t, strings.ToLower(kind)+".md")
}

// schemas returns the schema of each kind.
func schemas(t *testing.T) map[string]*apiextensionsv1.JSONSchemaProps {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root, "config/crd/bases/*.yaml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no CRDs: %v", err)
	}
	kinds := map[string]*apiextensionsv1.JSONSchemaProps{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		crd := &apiextensionsv1.CustomResourceDefinition{}
		if err := yaml.UnmarshalStrict(data, crd); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		kinds[crd.Spec.Names.Kind] = crd.Spec.Versions[0].Schema.OpenAPIV3Schema
	}
	return kinds
}

// foreign says that the members of a field are Kubernetes' own, or in the case of parameters there only to be refused: the page
// names the field and leaves them to others.
func foreign(path string) bool {
	last := strings.TrimSuffix(path[strings.LastIndexByte(path, '.')+1:], "[]")
	switch last {
	case "selector", "namespaceSelector", "podSelector", "conditions", "affinity", "tolerations", "topologySpreadConstraints", "defaults", "overrides":
		return true
	}
	return false
}

// fieldPaths returns every field below a schema as a path such as spec.targets[].name.
func fieldPaths(schema *apiextensionsv1.JSONSchemaProps, prefix string) []string {
	if schema.Items != nil {
		return fieldPaths(schema.Items.Schema, prefix+"[]")
	}
	if foreign(prefix) {
		return nil
	}
	var paths []string
	for name := range schema.Properties {
		path := strings.TrimPrefix(prefix+"."+name, ".")
		sub := schema.Properties[name]
		paths = append(paths, path)
		paths = append(paths, fieldPaths(&sub, path)...)
	}
	return paths
}

func TestDocs_EachFieldIsOnItsKindsPage(t *testing.T) {
	for kind, schema := range schemas(t) {
		t.Run(kind, func(t *testing.T) {
			text := kindPage(t, kind)
			known := map[string]bool{}
			for part := range schema.Properties {
				if part == "apiVersion" || part == "kind" || part == "metadata" {
					continue
				}
				sub := schema.Properties[part]
				paths := fieldPaths(&sub, part)
				if part != "spec" && part != "status" {
					paths = append(paths, part) // a kind that is data alone has its fields here
				}
				for _, path := range paths {
					known[path] = true
					if !strings.Contains(text, "| `"+path+"` |") {
						t.Errorf("field %s is not in a table of the page", path)
					}
				}
			}
			if len(known) < 5 {
				t.Fatalf("only %d fields found", len(known))
			}
			for _, row := range regexp.MustCompile("(?m)^\\| `((?:spec|status)\\.[^`]+)` \\|").FindAllStringSubmatch(text, -1) {
				if !known[row[1]] {
					t.Errorf("the page speaks of %s, which is no field", row[1])
				}
			}
		})
	}
}

// constant is a condition type or reason as conditions.go declares it.
type constant struct {
	name, value string
	// kinds are those whose pages must have it; empty: any page.
	kinds []string
}

// constants reads conditions.go.
func constants(t *testing.T) []constant {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "api/v1alpha1/conditions.go"), nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var found []constant
	for _, decl := range file.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		kinds := kindsIn(`^Reasons of (\w+)`, group.Doc.Text())
		for _, spec := range group.Specs {
			spec := spec.(*ast.ValueSpec)
			value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			own := kindsIn(`^\w+ \(([\w, ]+)\)`, spec.Doc.Text())
			found = append(found, constant{name: spec.Names[0].Name, value: value, kinds: append(own, kinds...)})
		}
	}
	return found
}

// kindsIn returns the kinds that a comment lists.
func kindsIn(pattern, comment string) []string {
	match := regexp.MustCompile(pattern).FindStringSubmatch(comment)
	if match == nil {
		return nil
	}
	return strings.Split(match[1], ", ")
}

func TestDocs_EachConditionAndReasonIsExplained(t *testing.T) {
	pages := map[string]string{}
	for kind := range schemas(t) {
		pages[kind] = kindPage(t, kind)
	}
	all := constants(t)
	if len(all) < 40 {
		t.Fatalf("only %d constants found", len(all))
	}
	for _, c := range all {
		row := "| `" + c.value + "` |"
		for _, kind := range c.kinds {
			if text, ok := pages[kind]; !ok || !strings.Contains(text, row) {
				t.Errorf("%s (%s) is in no table of the page of %s", c.name, c.value, kind)
			}
		}
		anywhere := func(text string) bool { return strings.Contains(text, row) }
		if len(c.kinds) == 0 && !slices.ContainsFunc(slices.Collect(maps.Values(pages)), anywhere) {
			t.Errorf("%s (%s) is in no table of any page", c.name, c.value)
		}
	}
}

// codeBlock is a line of an indented block of code, which holds no links.
var codeBlock = regexp.MustCompile(`(?m)^    .*$`)

func TestDocs_LinksLeadSomewhere(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join(root, "docs/*.md"))
	if err != nil || len(pages) < 10 {
		t.Fatalf("pages: %v, %v", pages, err)
	}
	link := regexp.MustCompile(`\]\(([^)#\s]+)(#[^)\s]*)?\)`)
	for _, from := range append(pages, filepath.Join(root, "README.md")) {
		data, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range link.FindAllStringSubmatch(codeBlock.ReplaceAllString(string(data), ""), -1) {
			if strings.Contains(match[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(from), match[1])); err != nil {
				t.Errorf("%s links to %s: %v", filepath.Base(from), match[1], err)
			}
		}
	}
}

func TestDocs_ExamplesAreAccepted(t *testing.T) {
	for kind := range schemas(t) {
		if kind == "GatewayReplica" {
			continue // nobody writes one
		}
		t.Run(kind, func(t *testing.T) {
			fence := regexp.MustCompile("(?s)```yaml\n(.*?)```")
			blocks := fence.FindAllStringSubmatch(kindPage(t, kind), -1)
			if len(blocks) == 0 {
				t.Fatal("the page has no example")
			}
			examples := 0
			for _, block := range blocks {
				for document := range strings.SplitSeq(block[1], "\n---\n") {
					if !strings.Contains(document, "\nkind: ") {
						continue // a fragment
					}
					examples++
					checkExample(t, document)
				}
			}
			if examples == 0 {
				t.Error("no example is a whole object")
			}
		})
	}
}

// checkExample decodes one object strictly.
func checkExample(t *testing.T, document string) {
	t.Helper()
	kind := regexp.MustCompile(`(?m)^kind: (\w+)$`).FindStringSubmatch(document)
	object := (&sampleSet{}).add(kind[1])
	if object == nil {
		t.Errorf("example of an unknown kind:\n%s", document)
		return
	}
	if err := decodeStrict([]byte(document), object); err != nil {
		t.Errorf("example of %s: %v\n%s", kind[1], err, document)
	}
}

func TestDocs_EachRegionOfAProviderIsOnItsPage(t *testing.T) {
	text := page(t, "providers.md")
	for name, info := range providers() {
		_, section, found := strings.Cut(text, "\n## "+string(name)+"\n")
		if !found {
			t.Errorf("provider %s has no section", name)
			continue
		}
		section, _, _ = strings.Cut(section, "\n## ")
		for _, r := range info.Regions {
			if !strings.Contains(section, "| `"+r.Name+"` | `"+r.Endpoint+"` |") {
				t.Errorf("the section of %s lacks region %s with %s", name, r.Name, r.Endpoint)
			}
		}
		for _, entry := range slices.Concat(info.Entries...) {
			if !strings.Contains(text, "`"+entry+"`") {
				t.Errorf("the page does not name entry %s, which %s needs", entry, name)
			}
		}
	}
}

func TestDocs_EachErrorClassIsExplained(t *testing.T) {
	text := page(t, "errors.md")
	for class := provider.ClassServerError; class.String() != "unknown"; class++ {
		if !strings.Contains(text, "| `"+class.String()+"` |") {
			t.Errorf("class %s is not on the page", class)
		}
	}
}

// errorCode matches a code where the gateway makes an error: the first argument of its constructors, or a member.
var errorCode = regexp.MustCompile(`(?:InvalidRequest|Unavailable|unauthorized)\(\s*"([a-z_]+)"|Code:\s+"([a-z_]+)"|Class\w+:\s+"([a-z_]+)"`)

func TestDocs_EachErrorCodeIsExplained(t *testing.T) {
	text, found := page(t, "errors.md"), 0
	for _, pattern := range []string{"gateway/*.go", "gateway/openai/*.go", "gateway/route/*.go", "gateway/proxy/*.go"} {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, match := range errorCode.FindAllStringSubmatch(string(data), -1) {
				found++
				if code := match[1] + match[2] + match[3]; !strings.Contains(text, "`"+code+"`") {
					t.Errorf("%s: code %s is not on the page", path, code)
				}
			}
		}
	}
	if found < 25 {
		t.Fatalf("only %d codes found", found)
	}
}
