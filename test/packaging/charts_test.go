package packaging

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

func chart(name string) string { return filepath.Join(root, "charts", name) }

// render renders the chart as it would be installed.
func render(t *testing.T, args ...string) string {
	t.Helper()
	return run(t, nil, tool(t, "helm"), append([]string{"template", "vipcloud", chart("vipcloud"), "--namespace", "vipcloud-system"}, args...)...)
}

func TestChartsPassLint(t *testing.T) {
	for _, name := range []string{"vipcloud", "vipcloud-crds"} {
		t.Run(name, func(t *testing.T) {
			run(t, nil, tool(t, "helm"), "lint", "--strict", chart(name))
		})
	}
}

func TestChartsRenderTheSameTwice(t *testing.T) {
	for _, name := range []string{"vipcloud", "vipcloud-crds"} {
		t.Run(name, func(t *testing.T) {
			args := []string{"template", "x", chart(name), "--include-crds"}
			first := run(t, nil, tool(t, "helm"), args...)
			if diff := cmp.Diff(first, run(t, nil, tool(t, "helm"), args...)); diff != "" {
				t.Errorf("two renderings differ:\n%s", diff)
			}
		})
	}
}

// The two ways to install give the same cluster, labels of Helm's own aside.
func TestChartEqualsKustomization(t *testing.T) {
	tests := map[string]struct {
		kustomization string
		args          []string
	}{
		"cluster mode": {
			kustomization: "default",
			args:          []string{"--include-crds", "--set", "image.tag=latest", "--set", "defaultInstance.enabled=false"},
		},
		"namespaced mode": {
			kustomization: "namespaced",
			args:          []string{"--set", "image.tag=latest", "--set", "defaultInstance.enabled=false", "--set", "watchNamespaces={vipcloud-system}"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			want := withoutLabels(decode(t, build(t, tc.kustomization)))
			delete(want, "Namespace//vipcloud-system") // Helm makes the namespace of a release itself
			got := withoutLabels(decode(t, render(t, tc.args...)))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("kustomization and chart (-kustomization +chart):\n%s", diff)
			}
		})
	}
}

func withoutLabels(objects map[string]object) map[string]object {
	for _, o := range objects {
		metadata := o.at("metadata").(map[string]any)
		delete(metadata, "labels")
	}
	return objects
}

func TestCRDsOfTheUpgradeChartStay(t *testing.T) {
	objects := decode(t, run(t, nil, tool(t, "helm"), "template", "x", chart("vipcloud-crds")))
	if len(objects) != len(crds(t)) {
		t.Errorf("%d objects, want the %d CRDs", len(objects), len(crds(t)))
	}
	generated := map[string]object{}
	for _, crd := range crds(t) {
		generated[crd.name()] = crd
	}
	for _, o := range objects {
		annotations, _ := o.at("metadata", "annotations").(map[string]any)
		if annotations["helm.sh/resource-policy"] != "keep" {
			t.Errorf("%s would go with the release, and every object of its kind with it", o.key())
		}
		delete(annotations, "helm.sh/resource-policy")
		if diff := cmp.Diff(generated[o.name()], o); diff != "" {
			t.Errorf("%s (-config +chart):\n%s", o.name(), diff)
		}
	}
}

func TestValuesSchemaRefuses(t *testing.T) {
	tests := map[string]struct {
		set  string
		want string
	}{
		"words for a number of replicas":        {set: `replicas="three"`, want: "replicas"},
		"a key that does not exist":             {set: `replica=3`, want: "replica"},
		"a nested key that does not exist":      {set: `image={"repo":"x"}`, want: "repo"},
		"a registry with a scheme":              {set: `image={"registry":"https://x"}`, want: "registry"},
		"a pull policy that does not exist":     {set: `image.pullPolicy="Sometimes"`, want: "pullPolicy"},
		"a digest that is none":                 {set: `image.digest="abc"`, want: "digest"},
		"a pull secret as a string":             {set: `imagePullSecrets=["registry"]`, want: "imagePullSecrets"},
		"a namespace that cannot be":            {set: `watchNamespaces=["Shop_1"]`, want: "watchNamespaces"},
		"one namespace without a list":          {set: `watchNamespaces="shop"`, want: "watchNamespaces"},
		"a switch that is a string":             {set: `defaultInstance.enabled="false"`, want: "enabled"},
		"an instance's name that is too long":   {set: `defaultInstance.name="` + strings.Repeat("a", 41) + `"`, want: "name"},
		"a misspelt field of the instance":      {set: `defaultInstance.spec={"replica":2}`, want: "replica"},
		"too many replicas of the instance":     {set: `defaultInstance.spec={"replicas":101}`, want: "replicas"},
		"a duration without a unit":             {set: `defaultInstance.spec={"drain":{"delay":"10"}}`, want: "delay"},
		"a misspelt field deep in the instance": {set: `defaultInstance.spec={"podTemplate":{"affinity":{"nodeAfinity":{}}}}`, want: "nodeAfinity"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, stderr, err := try(t, nil, tool(t, "helm"), "template", "x", chart("vipcloud"), "--set-json", tc.set)
			if err == nil {
				t.Fatalf("%s was rendered", tc.set)
			}
			if !strings.Contains(stderr, tc.want) || !strings.Contains(stderr, "schema") {
				t.Errorf("the refusal does not name %s: %s", tc.want, stderr)
			}
		})
	}
}

func TestValuesSchemaAccepts(t *testing.T) {
	tests := map[string]string{
		"several watched namespaces":    `watchNamespaces=["vipcloud-system","shop"]`,
		"a digest":                      `image.digest="sha256:` + strings.Repeat("0", 64) + `"`,
		"a quantity as text":            `defaultInstance.spec={"requestLimits":{"bodyBytes":"64Mi"}}`,
		"a quantity as a number":        `defaultInstance.spec={"requestLimits":{"bodyBytes":1048576}}`,
		"a whole instance":              `defaultInstance.spec={"replicas":3,"currency":"CNY","service":{"type":"LoadBalancer","annotations":{"a/b":"c"}},"drain":{"delay":"15s"},"podTemplate":{"nodeSelector":{"disk":"ssd"},"tolerations":[{"key":"a","operator":"Exists"}]}}`,
		"tolerations of the operator":   `tolerations=[{"key":"a","operator":"Exists"}]`,
		"metrics with a ServiceMonitor": `metrics={"serviceMonitor":{"enabled":true,"labels":{"release":"prometheus"}}}`,
		"labels and annotations":        `{"podLabels":{"team":"platform"},"podAnnotations":{"a":"b"},"serviceAccount":{"annotations":{"role":"x"}},"imagePullSecrets":[{"name":"registry"}],"priorityClassName":"system-cluster-critical"}`,
	}
	for name, set := range tests {
		t.Run(name, func(t *testing.T) {
			decode(t, render(t, "--set-json", set))
		})
	}
}

func TestDefaultInstanceMustBeWatched(t *testing.T) {
	_, stderr, err := try(t, nil, tool(t, "helm"), "template", "x", chart("vipcloud"), "--namespace", "vipcloud-system", "--set", "watchNamespaces={shop}")
	if err == nil || !strings.Contains(stderr, "defaultInstance.enabled=false") {
		t.Errorf("want a refusal that names the remedy, got %v: %s", err, stderr)
	}
}

func TestEveryValueIsDocumentedAndUsed(t *testing.T) {
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(read(t, filepath.Join(chart("vipcloud"), "values.yaml"))), &document); err != nil {
		t.Fatal(err)
	}
	templates := ""
	names, err := filepath.Glob(filepath.Join(chart("vipcloud"), "templates/*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		templates += read(t, name)
	}
	// Given to Kubernetes as they stand.
	whole := []string{"resources", "defaultInstance.spec"}
	walkValues(document.Content[0], "", func(path string, key, value *yaml.Node) bool {
		if key.HeadComment == "" {
			t.Errorf("values.yaml: %s has no comment", path)
		}
		leaf := value.Kind != yaml.MappingNode || len(value.Content) == 0
		for _, w := range whole {
			leaf = leaf || path == w
		}
		if leaf && !regexp.MustCompile(`\.Values\.`+regexp.QuoteMeta(path)+`\b`).MatchString(templates) {
			t.Errorf("values.yaml: no template uses %s", path)
		}
		return !leaf
	})
}

// walkValues visits the keys of a mapping; visit says whether to go below.
func walkValues(mapping *yaml.Node, prefix string, visit func(path string, key, value *yaml.Node) bool) {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key, value := mapping.Content[i], mapping.Content[i+1]
		path := strings.TrimPrefix(prefix+"."+key.Value, ".")
		if visit(path, key, value) {
			walkValues(value, path, visit)
		}
	}
}

func TestNotesNameTheNextCommand(t *testing.T) {
	tests := map[string]struct {
		args []string
		want []string
	}{
		"with an instance":    {want: []string{"kubectl -n llm get gatewayinstance default --watch", "kubectl -n llm create secret"}},
		"without an instance": {args: []string{"--set", "defaultInstance.enabled=false"}, want: []string{"kind: GatewayInstance"}},
		"in named namespaces": {args: []string{"--set", "watchNamespaces={llm,shop}"}, want: []string{"works in llm, shop"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"install", "x", chart("vipcloud"), "--dry-run=client", "--namespace", "llm"}, tc.args...)
			notes := run(t, nil, tool(t, "helm"), args...)
			for _, want := range tc.want {
				if !strings.Contains(notes, want) {
					t.Errorf("notes lack %q:\n%s", want, notes[max(0, len(notes)-1500):])
				}
			}
		})
	}
}

func TestImageOfGatewaysIsTheOperatorsUnlessChosen(t *testing.T) {
	digest := "sha256:" + strings.Repeat("a", 64)
	tests := map[string]struct {
		args                   []string
		wantImage, wantGateway string
	}{
		"defaults":           {wantImage: "vipcloud:0.1.0", wantGateway: "vipcloud:0.1.0"},
		"a tag":              {args: []string{"image.tag=v9"}, wantImage: "vipcloud:v9", wantGateway: "vipcloud:v9"},
		"a digest beats it":  {args: []string{"image.tag=v9", "image.digest=" + digest}, wantImage: "vipcloud@" + digest, wantGateway: "vipcloud@" + digest},
		"a registry":         {args: []string{"image.registry=mirror.example:5000/ai/", "image.tag=v9"}, wantImage: "mirror.example:5000/ai/vipcloud:v9", wantGateway: "mirror.example:5000/ai/vipcloud:v9"},
		"of everybody":       {args: []string{"global.imageRegistry=mirror.example", "image.digest=" + digest}, wantImage: "mirror.example/vipcloud@" + digest, wantGateway: "mirror.example/vipcloud@" + digest},
		"its own beats that": {args: []string{"global.imageRegistry=mirror.example", "image.registry=own.example"}, wantImage: "own.example/vipcloud:0.1.0", wantGateway: "own.example/vipcloud:0.1.0"},
		"one of the gateway": {args: []string{"gatewayImage=other:v2"}, wantImage: "vipcloud:0.1.0", wantGateway: "other:v2"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var args []string
			for _, set := range tc.args {
				args = append(args, "--set", set)
			}
			container := operatorContainer(t, decode(t, render(t, args...))["Deployment/vipcloud-system/vipcloud-operator"])
			if got := text(container.at("image")); got != tc.wantImage {
				t.Errorf("image = %s, want %s", got, tc.wantImage)
			}
			if got, want := fmt.Sprint(arguments(container)), "--gateway-image="+tc.wantGateway+" "; !strings.Contains(got, want) {
				t.Errorf("args = %s, want %s", got, want)
			}
		})
	}
}

func TestPullSecretsReachTheGateways(t *testing.T) {
	tests := map[string]struct {
		args              []string
		operator, gateway string
	}{
		"none":                     {operator: "<nil>", gateway: "<nil>"},
		"for both":                 {args: []string{"imagePullSecrets[0].name=registry"}, operator: "registry", gateway: "registry"},
		"of everybody":             {args: []string{"global.imagePullSecrets[0].name=shared"}, operator: "shared", gateway: "shared"},
		"its own beats that":       {args: []string{"global.imagePullSecrets[0].name=shared", "imagePullSecrets[0].name=registry"}, operator: "registry", gateway: "registry"},
		"one of the gateway's own": {args: []string{"imagePullSecrets[0].name=registry", "defaultInstance.spec.podTemplate.imagePullSecrets[0].name=other"}, operator: "registry", gateway: "other"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var args []string
			for _, set := range tc.args {
				args = append(args, "--set", set)
			}
			objects := decode(t, render(t, args...))
			secret := func(value any) string {
				list, _ := value.([]any)
				if len(list) == 0 {
					return "<nil>"
				}
				return text(object(list[0].(map[string]any)).at("name"))
			}
			if got := secret(objects["Deployment/vipcloud-system/vipcloud-operator"].at("spec", "template", "spec", "imagePullSecrets")); got != tc.operator {
				t.Errorf("the operator pulls with %s, want %s", got, tc.operator)
			}
			if got := secret(objects["GatewayInstance/vipcloud-system/default"].at("spec", "podTemplate", "imagePullSecrets")); got != tc.gateway {
				t.Errorf("gateways pull with %s, want %s", got, tc.gateway)
			}
		})
	}
}
