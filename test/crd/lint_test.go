package crd

import (
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"vipcloud.ai/vipcloud/cmd/vipcloud/lint"
	"vipcloud.ai/vipcloud/gateway/table"
)

// TestLintAgreesWithTheAPIServer gives both what no file of this folder has: mistakes that our schema knows nothing of. What the
// one refuses the other must refuse.
func TestLintAgreesWithTheAPIServer(t *testing.T) {
	long := strings.Repeat("x", 64)
	key := func(metadata, rest string) string {
		return "apiVersion: vipcloud.ai/v1alpha1\nkind: ApiKey\nmetadata: " + metadata + "\n" + rest
	}
	cases := map[string]string{
		"nothing wrong":                         key("{name: a, labels: {a: b}, annotations: {c: d}}", "spec: {}"),
		"no spec":                               key("{name: a}", ""),
		"a spec that is null":                   key("{name: a}", "spec:"),
		"a spec that is a list":                 key("{name: a}", "spec: []"),
		"no name":                               key("{}", "spec: {}"),
		"no metadata":                           "apiVersion: vipcloud.ai/v1alpha1\nkind: ApiKey\nspec: {}",
		"a name in capitals":                    key("{name: A}", "spec: {}"),
		"a name with an underscore":             key("{name: a_b}", "spec: {}"),
		"a long name":                           key("{name: "+strings.Repeat("x", 254)+"}", "spec: {}"),
		"a label that is too long":              key("{name: a, labels: {a: "+long+"}}", "spec: {}"),
		"a label with a space":                  key("{name: a, labels: {a: b c}}", "spec: {}"),
		"a label's name that is none":           key("{name: a, labels: {a/b/c: d}}", "spec: {}"),
		"a label that is a number":              key("{name: a, labels: {a: 1}}", "spec: {}"),
		"an annotation that is a number":        key("{name: a, annotations: {a: 1}}", "spec: {}"),
		"an annotation that is a boolean":       key("{name: a, annotations: {a: true}}", "spec: {}"),
		"an annotation's name that is none":     key("{name: a, annotations: {a b: c}}", "spec: {}"),
		"labels that are a list":                key("{name: a, labels: [a]}", "spec: {}"),
		"a field of metadata that nobody has":   key("{name: a, labelz: {a: b}}", "spec: {}"),
		"a finalizer without a domain":          key("{name: a, finalizers: [x y]}", "spec: {}"),
		"an owner without a name":               key("{name: a, ownerReferences: [{apiVersion: v1, kind: Pod, uid: x}]}", "spec: {}"),
		"an unknown field":                      key("{name: a}", "spec: {nonsense: 1}"),
		"an unknown field beside the spec":      key("{name: a}", "nonsense: 1\nspec: {}"),
		"another version":                       strings.Replace(key("{name: a}", "spec: {}"), "v1alpha1", "v1", 1),
		"another spelling of the kind":          strings.Replace(key("{name: a}", "spec: {}"), "ApiKey", "APIKey", 1),
		"a text where a number is due":          "apiVersion: vipcloud.ai/v1alpha1\nkind: GatewayInstance\nmetadata: {name: a}\nspec: {replicas: \"2\"}",
		"a fraction where a whole is due":       "apiVersion: vipcloud.ai/v1alpha1\nkind: GatewayInstance\nmetadata: {name: a}\nspec: {replicas: 1.5}",
		"a whole number written as a fraction":  "apiVersion: vipcloud.ai/v1alpha1\nkind: GatewayInstance\nmetadata: {name: a}\nspec: {replicas: 2.0}",
		"a duration of a word":                  "apiVersion: vipcloud.ai/v1alpha1\nkind: GatewayInstance\nmetadata: {name: a}\nspec: {drain: {delay: soon}}",
		"a replica that names no instance":      "apiVersion: vipcloud.ai/v1alpha1\nkind: GatewayReplica\nmetadata: {name: a}\nspec: {}",
		"a date that there is not":              key("{name: a}", "spec: {expiresAt: \"2027-02-30T00:00:00Z\"}"),
		"a date with an offset":                 key("{name: a}", "spec: {expiresAt: \"2999-02-03T00:00:00+08:00\"}"),
		"a null in a list":                      key("{name: a}", "spec: {models: [null]}"),
		"a null that leaves the default":        "apiVersion: vipcloud.ai/v1alpha1\nkind: GatewayInstance\nmetadata: {name: a}\nspec: {replicas: null}",
		"a number where a map's text is due":    "apiVersion: vipcloud.ai/v1alpha1\nkind: ProviderCredential\nmetadata: {name: a}\nspec: {provider: DeepSeek, secretRef: {name: a}, headers: {x: 1}}",
		"a namespace in capitals":               key("{name: a, namespace: NS}", "spec: {}"),
		"a quantity of pods that is none":       "apiVersion: vipcloud.ai/v1alpha1\nkind: GatewayInstance\nmetadata: {name: a}\nspec: {podTemplate: {resources: {limits: {memory: much}}}}",
		"a toleration with an unknown operator": "apiVersion: vipcloud.ai/v1alpha1\nkind: GatewayInstance\nmetadata: {name: a}\nspec: {podTemplate: {tolerations: [{operator: Maybe}]}}",
	}
	for name, text := range cases {
		t.Run(name, func(t *testing.T) {
			refusal := refusalOf(t, text)
			findings, err := lint.Run(t.Context(), []string{"-"}, strings.NewReader(text), table.Providers{})
			if err != nil {
				t.Fatal(err)
			}
			refused := slices.ContainsFunc(findings, func(f lint.Finding) bool { return f.Severity == lint.Error && f.Reason == "" })
			if refused != (refusal != nil) {
				t.Errorf("the API server says %v, lint %v", refusal, findings)
			}
		})
	}
}

// refusalOf is what the API server says to a manifest, nil if it takes it. A namespace that is a name is made.
func refusalOf(t *testing.T, text string) error {
	t.Helper()
	raw, err := yaml.YAMLToJSONStrict([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(raw); err != nil {
		return err
	}
	if object.GetNamespace() == "" {
		if _, ok := object.Object["metadata"].(map[string]any); !ok {
			object.Object["metadata"] = map[string]any{}
		}
		object.SetNamespace(metav1.NamespaceDefault)
	}
	return server.Create(t.Context(), object, client.DryRunAll)
}
