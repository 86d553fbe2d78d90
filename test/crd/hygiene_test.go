package crd

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

func TestSchemasAreBoundedAndExplained(t *testing.T) {
	used := map[string]bool{}
	for _, d := range definitions(t) {
		for _, n := range d.nodes() {
			if e := exemptionOf(n); e != nil {
				used[e.under] = true
				continue
			}
			for _, complaint := range slices.Concat(unbounded(n), unexplained(n)) {
				t.Errorf("%s %s %s", d.kind(), n.path, complaint)
			}
		}
	}
	for _, e := range exemptions() {
		if !used[e.under] {
			t.Errorf("exemption %q is no longer needed", e.under)
		}
	}
}

// typeMeta says that every object of Kubernetes has this field, whose schema is not ours.
func typeMeta(path string) bool {
	return path == "apiVersion" || path == "kind" || path == "metadata"
}

// unbounded says what keeps a node from being bounded. A quantity is bounded by its pattern's syntax and the object's size.
func unbounded(n node) []string {
	var complaints []string
	if n.Type == "string" && n.MaxLength == nil && len(n.Enum) == 0 && n.Format != "date-time" && !typeMeta(n.path) {
		complaints = append(complaints, "is a string without maxLength, enum or format date-time")
	}
	if n.Type == "array" && n.MaxItems == nil {
		complaints = append(complaints, "is a list without maxItems")
	}
	if n.Type == "array" && n.XListType == nil {
		complaints = append(complaints, "is a list without x-kubernetes-list-type")
	}
	if n.isMap() && n.MaxProperties == nil {
		complaints = append(complaints, "is a map without maxProperties")
	}
	if n.Type == "integer" && !strings.HasPrefix(n.path, "status") && (n.Minimum == nil || n.Maximum == nil) {
		complaints = append(complaints, "is a number without minimum and maximum")
	}
	if n.XIntOrString && n.Pattern == "" {
		complaints = append(complaints, "is a number or string without pattern")
	}
	if n.XPreserveUnknownFields != nil && !strings.HasSuffix(n.path, "parameters.defaults") && !strings.HasSuffix(n.path, "parameters.overrides") &&
		n.path != "report" {
		complaints = append(complaints, "takes any field; only bodies of requests and a report of usage may")
	}
	return complaints
}

// unexplained says what is wrong with a field's description, which is what kubectl explain shows.
func unexplained(n node) []string {
	if n.field == "" || typeMeta(n.path) {
		return nil
	}
	rest, ok := strings.CutPrefix(n.Description, n.field)
	if !ok || rest == "" || !strings.ContainsAny(rest[:1], " :,") {
		return []string{fmt.Sprintf("has a description that does not begin with its name: %q", n.Description)}
	}
	return nil
}

// TestDefaultsStandWhereGitOpsToolsBearThem: below an item of a list a default is a difference that a tool shows for ever.
func TestDefaultsStandWhereGitOpsToolsBearThem(t *testing.T) {
	for _, d := range definitions(t) {
		status := false
		for _, n := range d.nodes() {
			if n.Default == nil {
				continue
			}
			if n.underItem() {
				t.Errorf("%s %s has a default below an item", d.kind(), n.path)
			}
			if n.path == "status" {
				status = true
				if got, want := string(n.Default.Raw), `{"observedGeneration":-1}`; got != want {
					t.Errorf("%s status has the default %s, want %s", d.kind(), got, want)
				}
			} else if strings.HasPrefix(n.path, "status") {
				t.Errorf("%s %s has a default", d.kind(), n.path)
			}
		}
		if d.dataAlone() {
			continue
		}
		if !status || slices.Contains(d.root().Required, "status") {
			t.Errorf("%s: status must be optional, with a default", d.kind())
		}
	}
}

func TestRulesSayWhatToDo(t *testing.T) {
	for _, d := range definitions(t) {
		for _, n := range d.nodes() {
			for _, rule := range n.XValidations {
				if len(rule.Message) < 20 || rule.MessageExpression != "" || strings.ContainsAny(rule.Message, "\n") {
					t.Errorf("%s %s: rule %q has the message %q, want one line that says what to do", d.kind(), n.path, rule.Rule, rule.Message)
				}
			}
		}
	}
}

func TestDefinitionsAreSmall(t *testing.T) {
	const limit = 200_000
	for _, d := range definitions(t) {
		if d.size >= limit {
			t.Errorf("%s has %d bytes, want less than %d: kubectl apply keeps all of it in an annotation", d.path, d.size, limit)
		}
	}
}

// TestDefinitionsAreListedWell pins what kubectl get shows, and by which names.
func TestDefinitionsAreListedWell(t *testing.T) {
	cases := map[string]struct {
		short   string
		columns []string
	}{
		"ModelRoute":         {"mr", []string{"MODEL", "MODALITY", "AVAILABILITY", "TARGETS", "READY", "AGE"}},
		"ApiKey":             {"ak", []string{"PROJECT", "PREFIX", "SPENT", "BUDGET", "LAST-USED", "READY", "AGE"}},
		"ProviderCredential": {"pcred", []string{"PROVIDER", "ENDPOINT", "READY", "AGE"}},
		"GatewayInstance":    {"gwi", []string{"READY", "ROUTES", "KEYS", "ADDRESS", "AGE"}},
		"GatewayReplica":     {"gwr", []string{"INSTANCE", "READY", "VERSION", "AGE"}},
		"UsageReport":        {"usage", []string{"GATEWAY", "REPLICA", "SHARD", "ROLE", "AGE"}},
	}
	all := definitions(t)
	if len(all) != len(cases) {
		t.Errorf("%d definitions, want %d", len(all), len(cases))
	}
	for _, d := range all {
		t.Run(d.kind(), func(t *testing.T) {
			tc, version := cases[d.kind()], d.Spec.Versions[0]
			if diff := cmp.Diff(tc.columns, columns(version)); diff != "" {
				t.Errorf("columns (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{tc.short}, d.Spec.Names.ShortNames); diff != "" {
				t.Errorf("short names (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{"vipcloud"}, d.Spec.Names.Categories); diff != "" {
				t.Errorf("categories (-want +got):\n%s", diff)
			}
			if d.Spec.Scope != apiextensionsv1.NamespaceScoped || version.Name != "v1alpha1" || len(d.Spec.Versions) != 1 {
				t.Errorf("scope %s, versions %d, the first %s; want a namespaced v1alpha1 alone", d.Spec.Scope, len(d.Spec.Versions), version.Name)
			}
			if hasStatus := version.Subresources != nil && version.Subresources.Status != nil; hasStatus == d.dataAlone() {
				t.Errorf("the status is a subresource: %t", hasStatus)
			}
		})
	}
}

// columns are those that kubectl get shows without -o wide.
func columns(version apiextensionsv1.CustomResourceDefinitionVersion) []string {
	var names []string
	for _, column := range version.AdditionalPrinterColumns {
		if column.Priority == 0 {
			names = append(names, column.Name)
		}
	}
	return names
}

// condition picks one of the conditions in the path of a column.
var condition = regexp.MustCompile(`\[\?\(@\.type=="(Ready|Healthy)"\)\]`)

// TestColumnsShowFieldsThatExist: the API server shows nothing for a path that leads nowhere, and says nothing either.
func TestColumnsShowFieldsThatExist(t *testing.T) {
	for _, d := range definitions(t) {
		paths := map[string]bool{"metadata.creationTimestamp": true}
		for _, n := range d.nodes() {
			paths[n.path] = true
		}
		for _, column := range d.Spec.Versions[0].AdditionalPrinterColumns {
			path := strings.TrimPrefix(column.JSONPath, ".")
			path = condition.ReplaceAllString(path, "[]")
			if !paths[path] {
				t.Errorf("%s: column %s shows %s, which is no field", d.kind(), column.Name, column.JSONPath)
			}
		}
	}
}
