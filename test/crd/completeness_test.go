package crd

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// TestEveryRuleHasFiles walks the schemas: whatever they refuse, a bad file must have seen refused, and every rule's folder must
// show what is accepted instead.
func TestEveryRuleHasFiles(t *testing.T) {
	files := ruleFiles(t)
	for _, d := range definitions(t) {
		wants := wantsFor(files, strings.ToLower(d.kind()))
		for _, n := range d.nodes() {
			if strings.HasPrefix(n.path, "status") || exemptionOf(n) != nil {
				continue
			}
			for _, phrase := range refusals(n) {
				if !covered(n.path, phrase, wants) {
					t.Errorf("no bad file of %s wants\n\t%s: %s", d.kind(), orNil(n.path), phrase)
				}
			}
		}
	}
}

// TestEveryFolderIsComplete asks each folder for an ok file and, where it is about a rule, a bad one of a kind that exists.
func TestEveryFolderIsComplete(t *testing.T) {
	var kinds []string
	for _, d := range definitions(t) {
		kinds = append(kinds, strings.ToLower(d.kind()))
	}
	good, bad := map[string]bool{}, map[string]bool{}
	for _, file := range ruleFiles(t) {
		folder := file.kind + "/" + file.rule
		good[folder] = good[folder] || !file.bad()
		bad[folder] = bad[folder] || file.bad()
		if !file.bad() && !strings.HasPrefix(file.name, "ok") {
			t.Errorf("%s: files are called ok*.yaml or bad*.yaml", file.path)
		}
		for _, doc := range file.docs {
			if kind := strings.ToLower(doc.GetKind()); kind != file.kind || !slices.Contains(kinds, kind) {
				t.Errorf("%s holds a %s", file.path, doc.GetKind())
			}
		}
	}
	for folder := range good {
		example := strings.HasSuffix(folder, "/minimal") || strings.HasSuffix(folder, "/full")
		if !good[folder] || (!bad[folder] && !example) {
			t.Errorf("%s needs an ok file and a bad one", folder)
		}
	}
}

func wantsFor(files []*ruleFile, kind string) []want {
	var wants []want
	for _, file := range files {
		if file.kind == kind {
			wants = append(wants, file.wants...)
		}
	}
	return wants
}

// refusals lists how the API server words each refusal of a node; the message itself for a rule.
func refusals(n node) []string {
	var phrases []string
	for _, rule := range n.XValidations {
		phrases = append(phrases, rule.Message)
	}
	for _, name := range n.Required {
		phrases = append(phrases, name+": Required value")
	}
	if n.Pattern != "" && !n.XIntOrString {
		phrases = append(phrases, "should match '"+n.Pattern+"'")
	}
	if len(n.Enum) > 0 {
		phrases = append(phrases, "supported values: ")
	}
	if n.Format == "date-time" {
		phrases = append(phrases, "must be of type date-time")
	}
	return append(phrases, bounds(n)...)
}

// bounds are those of numbers, lists and maps. Lengths of strings are left to the hygiene of the schema.
func bounds(n node) []string {
	var phrases []string
	if n.Minimum != nil {
		phrases = append(phrases, fmt.Sprintf("should be greater than or equal to %v", *n.Minimum))
	}
	if n.Maximum != nil {
		phrases = append(phrases, fmt.Sprintf("should be less than or equal to %v", int64(*n.Maximum)))
	}
	if n.MinItems != nil {
		phrases = append(phrases, fmt.Sprintf("should have at least %d items", *n.MinItems))
	}
	if n.MaxItems != nil {
		phrases = append(phrases, fmt.Sprintf("must have at most %d items", *n.MaxItems))
	}
	if n.MinProperties != nil {
		phrases = append(phrases, fmt.Sprintf("should have at least %d properties", *n.MinProperties))
	}
	if n.MaxProperties != nil {
		phrases = append(phrases, fmt.Sprintf("must have at most %d items", *n.MaxProperties))
	}
	if list := n.XListType; list != nil && *list != "atomic" {
		phrases = append(phrases, "Duplicate value")
	}
	return phrases
}

// covered looks for a want about the node. What is required, or may not come twice, is complained about one level deeper.
func covered(path, phrase string, wants []want) bool {
	field := fieldPattern(path)
	if name, ok := strings.CutSuffix(phrase, ": Required value"); ok {
		field, phrase = fieldPattern(strings.TrimPrefix(path+"."+name, ".")), "Required value"
	}
	if phrase == "Duplicate value" {
		field = fieldPattern(path + "[]")
	}
	return slices.ContainsFunc(wants, func(w want) bool {
		return field.MatchString(w.field) && strings.Contains(w.text, phrase)
	})
}

// fieldPattern matches the fields that the API server may name for a path of the schema.
func fieldPattern(path string) *regexp.Regexp {
	pattern := regexp.QuoteMeta(orNil(path))
	pattern = strings.ReplaceAll(pattern, `\[\]`, `\[\d+\]`)
	pattern = strings.ReplaceAll(pattern, `\{\}`, `[.\[].+`)
	return regexp.MustCompile("^" + pattern + "$")
}

// orNil is how the API server names the whole object.
func orNil(path string) string {
	if path == "" {
		return "<nil>"
	}
	return path
}

// exemption is a part of a schema that keeps no rule of ours, and why.
type exemption struct {
	under, reason string
}

func exemptions() []exemption {
	const podFields = "corev1's own type, checked by the API server when a pod is made; the object's size bounds it"
	return []exemption{
		{"spec.podTemplate.affinity.", podFields},
		{"spec.podTemplate.tolerations[]", podFields},
		{"spec.podTemplate.topologySpreadConstraints[]", podFields},
		{"amespaces.selector.", "metav1's LabelSelector"},
		{"namespaceSelector.", "metav1's LabelSelector"},
		{"podSelector.", "metav1's LabelSelector"},
		{"parameters.defaults.", "members that are only declared so that a rule can refuse them"},
		{"parameters.overrides.", "members that are only declared so that a rule can refuse them"},
	}
}

// exemptionOf returns the exemption under which a node falls; nil for our own nodes.
func exemptionOf(n node) *exemption {
	for _, e := range exemptions() {
		if strings.Contains(n.path, e.under) {
			return &e
		}
	}
	return nil
}

// TestCompletenessNoticesAMissingFile keeps the walk above from passing because it sees nothing.
func TestCompletenessNoticesAMissingFile(t *testing.T) {
	n := node{path: "spec.list[].value", JSONSchemaProps: &apiextensionsv1.JSONSchemaProps{
		Pattern:      "^a$",
		XValidations: apiextensionsv1.ValidationRules{{Message: "do better"}},
	}}
	if got, want := len(refusals(n)), 2; got != want {
		t.Fatalf("refusals = %d, want %d", got, want)
	}
	cases := map[string]struct {
		want want
		ok   bool
	}{
		"the rule at its place": {want{"spec.list[3].value", "do better"}, true},
		"the rule elsewhere":    {want{"spec.list[3].other", "do better"}, false},
		"half the message":      {want{"spec.list[3].value", "do"}, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := covered(n.path, "do better", []want{tc.want}); got != tc.ok {
				t.Errorf("covered = %v, want %v", got, tc.ok)
			}
		})
	}
}
