package manifests

import (
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/config/crd"
	"vipcloud.ai/vipcloud/gateway/source/manifests/schema"
)

func TestParse_findsDocuments(t *testing.T) {
	cases := map[string]struct {
		text string
		want []string // line and reference of each document
	}{
		"nothing":                          {text: ""},
		"a comment":                        {text: "# hello\n"},
		"one":                              {text: "kind: A\nmetadata: {name: a}\n", want: []string{"1 A default/a"}},
		"one behind a comment":             {text: "# one\n\nkind: A\nmetadata: {name: a}\n", want: []string{"3 A default/a"}},
		"several":                          {text: "kind: A\n---\nkind: B\n---\n# c\nkind: C\n", want: []string{"1 A", "3 B", "6 C"}},
		"separators without content":       {text: "---\n---\nkind: A\n---\n", want: []string{"3 A"}},
		"a separator with a comment":       {text: "--- # first\nkind: A\n", want: []string{"2 A"}},
		"ends of documents":                {text: "kind: A\n...\n---\nkind: B\n...\n", want: []string{"1 A", "4 B"}},
		"line ends of another system":      {text: "kind: A\r\n---\r\nkind: B\r\n", want: []string{"1 A", "3 B"}},
		"a byte order mark":                {text: "\ufeffkind: A\n", want: []string{"1 A"}},
		"dashes within a text":             {text: "kind: A\nx: |\n  ---\n  y\n---\nkind: B\n", want: []string{"1 A", "6 B"}},
		"JSON":                             {text: "{\n\t\"kind\": \"A\",\n\t\"metadata\": {\"name\": \"a\", \"namespace\": \"n\"}\n}\n", want: []string{"1 A n/a"}},
		"a list":                           {text: "apiVersion: v1\nkind: List\nitems:\n- kind: A\n-\n  kind: B\n- 7\n", want: []string{"4 A", "6 B"}},
		"a namespace, which is in none":    {text: "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n", want: []string{"1 Namespace a"}},
		"what refers to what stands above": {text: "kind: A\nmetadata: &m {name: a}\nother: *m\n", want: []string{"1 A default/a"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			docs, problems := Parse("f.yaml", []byte(tc.text))
			if len(problems) > 0 {
				t.Errorf("problems: %v", problems)
			}
			var got []string
			for _, d := range docs {
				got = append(got, strings.TrimPrefix(Problem{Line: d.Line}.String(), ":")+" "+d.Ref())
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("documents (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDocument_LineOf(t *testing.T) {
	docs, problems := Parse("f.yaml", []byte(`kind: First
---
apiVersion: v1
kind: A
metadata:
  name: a
  annotations:
    plain: x
    dotted.name/x: y
spec:
  list:
  - name: one
    value: 1
  -
    name: two
    inner: {deep: [1,
      2]}
  shared: &s
    x: 1
  again: *s
`))
	if len(problems) > 0 || len(docs) != 2 {
		t.Fatalf("%d documents, problems %v", len(docs), problems)
	}
	cases := map[string]int{
		"": 3, "kind": 4, "metadata.name": 6, "metadata.annotations.dotted.name/x": 9, "metadata.annotations[dotted.name/x]": 9,
		"metadata.missing": 5, "nowhere": 3, "spec.list": 11, "spec.list[0]": 12, "spec.list[0].value": 13, "spec.list[1].name": 15,
		"spec.list[1].inner.deep[1]": 17, "spec.list[7].name": 11, "spec.list[x]": 11, "spec.again.x": 19, "spec.listing": 10,
		"spec.list[0].name.deeper": 12, "[": 3, "spec.list[": 11, "...": 3,
	}
	for path, want := range cases {
		t.Run(path, func(t *testing.T) {
			if got := docs[1].LineOf(path); got != want {
				t.Errorf("line %d, want %d", got, want)
			}
		})
	}
}

func TestDecode_takesOnlyWhatAPersonWrites(t *testing.T) {
	docs, _ := Parse("f.yaml", []byte(`apiVersion: vipcloud.ai/v1alpha1
kind: ModelRoute
metadata:
  name: a
  namespace: shop
  labels: {x: z}
  uid: 1-2-3
  resourceVersion: "7"
  generation: 4
  creationTimestamp: "2026-01-01T00:00:00Z"
  ownerReferences: [{apiVersion: v1, kind: Pod, name: p, uid: u}]
  managedFields: []
spec: {availability: Soon}
status: {conditions: [], nonsense: 7}
`))
	o, problems := Check(docs[0], schemas(t))
	if len(problems) > 0 {
		t.Fatalf("problems: %v", problems)
	}
	if o.Typed.GetUID() != "" || o.Typed.GetResourceVersion() != "" || o.Typed.GetGeneration() != 0 ||
		!o.Typed.GetCreationTimestamp().Time.IsZero() || o.Typed.GetOwnerReferences() != nil || o.Typed.GetLabels()["x"] != "z" {
		t.Errorf("metadata of a cluster was taken along: %+v", o.Typed)
	}
}

func TestDecode_problemsHoldNoValues(t *testing.T) {
	cases := map[string]struct{ text, want string }{
		"a number that should be a text": {"stringData: {api-key: 4815162342}", "f.yaml:4: Secret default/s: stringData"},
		"no base64":                      {"data: {api-key: 4815162342-secret}", "f.yaml:1: Secret default/s: a value has the wrong form"},
		"an unknown field":               {"stringdata: {api-key: 4815162342}", "f.yaml:4: Secret default/s: stringdata: unknown or repeated field"},
		"data that is a text":            {"data: 4815162342-secret", "f.yaml:4: Secret default/s: data: must be of type"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			docs, _ := Parse("f.yaml", []byte("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n"+tc.text+"\n"))
			_, problems := Check(docs[0], schemas(t))
			if len(problems) != 1 {
				t.Fatalf("%d problems: %v", len(problems), problems)
			}
			if got := problems[0].String(); !strings.HasPrefix(got, tc.want) || strings.Contains(got, "4815162342") {
				t.Errorf("problem %q, want one that begins with %q and does not repeat the value", got, tc.want)
			}
		})
	}
}

// loaded are the schemas that the program carries, loaded once.
var loaded = sync.OnceValues(func() (*schema.Set, error) { return schema.Load(crd.Bases, "bases") })

// schemas are those that the program carries.
func schemas(tb testing.TB) *schema.Set {
	tb.Helper()
	s, err := loaded()
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		routeYAML + "---\n" + credentialYAML + "---\n" + secretYAML + "---\n" + keyYAML,
		"{\"kind\": \"List\", \"apiVersion\": \"v1\", \"items\": [{\"kind\": \"A\"}]}", "a: &a [*a]", "a: &x {b: *x}", "? [a]\n: b", "<<: {a: b}", "%YAML 1.2\n---\na",
		"---\n...\n---", "\xff\xfe", "a:\r\r\r\rb: c: d", "a: 1\r\rb:\r\r\r  c", "a: !!binary x", "- - - -", "metadata: {name: [1]}", "apiVersion: vipcloud.ai/v1alpha1\nkind: ModelRoute\nspec: 7",
		"apiVersion: vipcloud.ai/v1alpha1\nkind: ModelRoute\nmetadata: {name: a}\nspec: {targets: [null, 1, {name: a}]}",
		"apiVersion: vipcloud.ai/v1alpha1\nkind: GatewayInstance\nmetadata: {name: a}\nspec: {podTemplate: {affinity: {nodeAffinity: 1e999}}}",
	} {
		f.Add([]byte(text))
	}
	all := schemas(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		docs, problems := Parse("f.yaml", data)
		lines := strings.Count(string(data), "\n") + 1
		var objects []*Object
		for _, d := range docs {
			if d.Line < 1 || d.Line > lines {
				t.Errorf("a document is in line %d of %d", d.Line, lines)
			}
			o, found := Check(d, all)
			problems = append(problems, found...)
			if o != nil {
				objects = append(objects, o)
			}
		}
		for _, p := range problems {
			if p.Line < 0 || p.Line > lines+1 || p.Message == "" {
				t.Errorf("problem %+v of %d lines", p, lines)
			}
		}
		set, _ := NewSet(objects)
		set.States()
		set.Namespaces()
		_, _ = set.Instance("")
	})
}
