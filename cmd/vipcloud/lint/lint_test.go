package lint

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/config/crd"
	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/source/manifests"
	"vipcloud.ai/vipcloud/gateway/source/manifests/schema"
	"vipcloud.ai/vipcloud/gateway/table"
)

// testProviders are enough for these tests.
func testProviders() table.Providers {
	return table.Providers{
		"DeepSeek": provider.Info{Name: "DeepSeek", Regions: []provider.Region{{Name: "cn", Endpoint: "https://api.deepseek.com"}}, Entries: [][]string{{"api-key"}}, Modalities: []provider.Modality{provider.ModalityChat}},
		"Kling": provider.Info{
			Name: "Kling", Regions: []provider.Region{{Name: "intl", Endpoint: "https://kling.example.com"}}, Protocols: []string{"New", "Legacy"},
			Entries: [][]string{{"api-key"}, {"access-key", "secret-key"}}, Modalities: []provider.Modality{provider.ModalityVideo},
		},
		"OpenAI": provider.Info{Name: "OpenAI", Entries: [][]string{{"api-key"}}, Modalities: []provider.Modality{provider.ModalityChat}},
	}
}

const (
	route = `apiVersion: vipcloud.ai/v1alpha1
kind: ModelRoute
metadata: {name: deepseek-v4-pro, namespace: system}
spec:
  pricing: {currency: USD, perRequest: "0"}
  targets:
  - name: primary
    credential: {name: deepseek}
`
	credential = `---
apiVersion: vipcloud.ai/v1alpha1
kind: ProviderCredential
metadata: {name: deepseek, namespace: system}
spec:
  provider: DeepSeek
  secretRef: {name: deepseek}
`
	secret = `---
apiVersion: v1
kind: Secret
metadata: {name: deepseek, namespace: system}
stringData: {api-key: sk-upstream-secret}
`
	instance = `---
apiVersion: vipcloud.ai/v1alpha1
kind: GatewayInstance
metadata: {name: default, namespace: system}
spec: {}
`
	key = `---
apiVersion: vipcloud.ai/v1alpha1
kind: ApiKey
metadata: {name: shop, namespace: shop}
spec: {}
`
)

// loaded are the schemas, loaded once: they hold no state.
var loaded = sync.OnceValues(loadSchemas)

// text checks a text and returns what the command would print.
func text(t *testing.T, text string) (string, Findings) {
	t.Helper()
	all, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	findings, err := (&run{providers: testProviders(), schemas: all, now: time.Now()}).check(t.Context(), []string{"-"}, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := writeText(&out, findings); err != nil {
		t.Fatal(err)
	}
	return out.String(), findings
}

// lint runs the command on standard input.
func lint(t *testing.T, text string, args ...string) (string, error) {
	t.Helper()
	cmd := NewCommand(testProviders())
	var out bytes.Buffer
	cmd.SetIn(strings.NewReader(text))
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SilenceErrors = true
	cmd.SetArgs(append(args, "-"))
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

// change replaces something in a text that has it.
func change(t *testing.T, text, old, replacement string) string {
	t.Helper()
	if !strings.Contains(text, old) {
		t.Fatalf("%q is not in the text", old)
	}
	return strings.Replace(text, old, replacement, 1)
}

func TestLint(t *testing.T) {
	good := route + credential + secret + instance + key
	squatter := change(t, change(t, route, "deepseek-v4-pro", "other"), "spec:\n", "spec:\n  model: deepseek-v4-pro\n")
	cases := map[string]struct {
		text string
		want []string
	}{
		"all is well":                   {text: good},
		"what belongs to somebody else": {text: good + "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec: {nonsense: 1}\n"},
		"a Secret that is not in Git": {text: route + credential + instance, want: []string{
			`<stdin>:10: warning: ProviderCredential system/deepseek: secretRef: Secret "deepseek" is not among the manifests; add it`,
		}},
		"no price": {text: change(t, good, "  pricing: {currency: USD, perRequest: \"0\"}\n", ""), want: []string{
			`<stdin>:1: info: ModelRoute system/deepseek-v4-pro: the route has no price; set pricing, with "0" for a free model`,
		}},
		"an unknown field": {text: change(t, good, "spec:\n  pricing", "spec:\n  modell: x\n  pricing"), want: []string{
			`<stdin>:5: ModelRoute system/deepseek-v4-pro: spec.modell: unknown field`,
		}},
		"a value that is not in the enum": {text: change(t, good, "provider: DeepSeek", "provider: DeepSea"), want: []string{
			`<stdin>:1: ModelRoute system/deepseek-v4-pro: targets[primary].credential: ProviderCredential system/deepseek is not ready`,
			`<stdin>:14: ProviderCredential system/deepseek: spec.provider: must be one of the supported values: "OpenAI", "DeepSeek", `,
		}},
		"a rule that is broken": {text: change(t, good, "provider: DeepSeek", "provider: DeepSeek\n  endpoint: http://x.example.com"), want: []string{
			`<stdin>:1: ModelRoute system/deepseek-v4-pro: targets[primary].credential: ProviderCredential system/deepseek is not ready`,
			`<stdin>:13: ProviderCredential system/deepseek: spec: endpoint is http://, which sends the credential in clear text; use https:// or set allowInsecure: true`,
		}},
		"a rule of the whole object": {text: change(t, good, "metadata: {name: default, namespace: system}", "metadata: {name: 9bad, namespace: system}"), want: []string{
			`<stdin>:22: GatewayInstance system/9bad: metadata.name must be a DNS label that begins with a letter, at most 40 characters; owned objects are called vipcloud-<name>`,
		}},
		"something that is required": {text: change(t, good, "  secretRef: {name: deepseek}\n", ""), want: []string{
			`<stdin>:13: ProviderCredential system/deepseek: spec.secretRef: Required value`,
		}},
		"a pattern, without the value": {text: change(t, good, "secretRef: {name: deepseek}", "secretRef: {name: SK-verysecret}"), want: []string{
			`<stdin>:15: ProviderCredential system/deepseek: spec.secretRef.name: should match '^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$'`,
		}},
		"a list with something twice": {text: change(t, good, "    credential: {name: deepseek}\n", "    credential: {name: deepseek}\n  - {name: primary, credential: {name: deepseek}}\n"), want: []string{
			`<stdin>:9: ModelRoute system/deepseek-v4-pro: spec.targets[1]: appears twice in this list`,
		}},
		"a credential that is not there": {text: route + instance, want: []string{
			`<stdin>:1: ModelRoute system/deepseek-v4-pro: `,
		}},
		"two routes of one name": {text: good + "---\n" + squatter, want: []string{
			`<stdin>:1: ModelRoute system/deepseek-v4-pro: the name "deepseek-v4-pro" is also claimed by ModelRoute system/other`,
			`<stdin>:32: ModelRoute system/other: the name "deepseek-v4-pro" is also claimed by ModelRoute system/deepseek-v4-pro`,
		}},
		"an instance that is not there": {text: change(t, good, "namespace: shop}\nspec: {}", "namespace: shop}\nspec: {gatewayRef: {name: none}}"), want: []string{
			`<stdin>:27: ApiKey shop/shop: gatewayRef: GatewayInstance shop/none does not exist`,
		}},
		"an instance that lives elsewhere": {text: route + credential + secret + change(t, key, "spec: {}", "spec: {gatewayRef: {name: default, namespace: elsewhere}}")},
		"a route that nobody serves": {text: good + "---\n" + change(t, change(t, route, "namespace: system", "namespace: tenant"), "deepseek-v4-pro", "x"), want: []string{
			`<stdin>:32: warning: ModelRoute tenant/x: no GatewayInstance among the manifests serves routes of namespace tenant; extend serves.routes of one`,
		}},
		"the same thing twice": {text: good + secret},
		"two things of one name": {text: good + change(t, secret, "sk-upstream-secret", "sk-other"), want: []string{
			`<stdin>:32: Secret system/deepseek: is declared twice, and differently; first in <stdin>:17`,
		}},
		"no YAML":                    {text: good + "---\n[\n", want: []string{`<stdin>:32: cannot be read as YAML: `}},
		"an object without a kind":   {text: "metadata: {name: x}\n", want: []string{`<stdin>:1: is no object: it needs apiVersion and kind`}},
		"a kind that we do not have": {text: "apiVersion: vipcloud.ai/v1alpha1\nkind: Nothing\nmetadata: {name: x}\n", want: []string{`<stdin>:2: Nothing default/x: kind: Nothing is not served in vipcloud.ai/v1alpha1`}},
		"a name that is none": {text: change(t, key, "name: shop,", "name: Shop,"), want: []string{
			`<stdin>:4: ApiKey shop/Shop: metadata.name: must be lower-case letters, digits, dashes and dots, at most 253`,
		}},
		"a status, which nobody applies": {text: good + "status: {nonsense: 1}\n"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			out, findings := text(t, tc.text)
			var lines []string
			if out != "" {
				lines = strings.Split(strings.TrimSuffix(out, "\n"), "\n")
			}
			if len(lines) != len(tc.want) {
				t.Fatalf("%d findings, want %d:\n%s", len(lines), len(tc.want), out)
			}
			failed := false
			for i, want := range tc.want {
				if !strings.HasPrefix(lines[i], want) {
					t.Errorf("finding %q, want %q", lines[i], want)
				}
				failed = failed || !strings.Contains(want, ": warning: ") && !strings.Contains(want, ": info: ")
			}
			if got := findings.Errors() > 0; got != failed {
				t.Errorf("%d errors, want any: %v", findings.Errors(), failed)
			}
			if strings.Contains(out, "sk-upstream-secret") || strings.Contains(out, "SK-verysecret") {
				t.Errorf("a value that may be secret is printed:\n%s", out)
			}
		})
	}
}

func TestLint_json(t *testing.T) {
	out, err := lint(t, change(t, route, "primary", "Primary")+credential+secret+instance, "-o", "json")
	if !errors.Is(err, ErrFound) {
		t.Errorf("error %v", err)
	}
	var got []Finding
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v in:\n%s", err, out)
	}
	want := []Finding{{
		File: "<stdin>", Line: 7, Object: "ModelRoute system/deepseek-v4-pro", Field: "spec.targets[0].name", Severity: Error,
		Message: "should match '^[a-z0-9]([a-z0-9-]*[a-z0-9])?$'",
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if out, err := lint(t, route+credential+secret+instance); err != nil || out != "" {
		t.Errorf("as text, without findings: %q, error %v", out, err)
	}
	if out, err := lint(t, route+credential+secret+instance, "-o", "json"); err != nil || strings.TrimSpace(out) != "[]" {
		t.Errorf("without findings: %q, error %v", out, err)
	}
	if _, err := lint(t, "", "-o", "xml"); err == nil || errors.Is(err, ErrFound) {
		t.Errorf("an unknown format: error %v", err)
	}
}

func TestRun_paths(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a/route.yaml": route, "b/rest.yml": credential + secret + instance, "kustomization.yaml": "resources: [a]\n"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cases := map[string]struct {
		paths  []string
		errors int
		fails  bool
	}{
		"a directory":                        {paths: []string{dir}},
		"files that belong together":         {paths: []string{filepath.Join(dir, "a"), filepath.Join(dir, "b/rest.yml")}},
		"one file, whose other half is away": {paths: []string{filepath.Join(dir, "a/route.yaml")}, errors: 1},
		"a path that does not exist":         {paths: []string{filepath.Join(dir, "c")}, fails: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			findings, err := Run(t.Context(), tc.paths, nil, testProviders())
			if (err != nil) != tc.fails || (findings.Errors() > 0) != (tc.errors > 0) {
				t.Errorf("findings %v, error %v", findings, err)
			}
		})
	}
}

// TestSchemas_agree holds the small checker of the gateway against the API server's own code: whatever the one refuses for
// another reason than a rule, the other must refuse as well, and both must fill in the same defaults.
func TestSchemas_agree(t *testing.T) {
	small, err := schema.Load(crd.Bases, "bases")
	if err != nil {
		t.Fatal(err)
	}
	full, err := loadSchemas()
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, dir := range []string{filepath.Join("test", "crd"), filepath.Join("config", "samples")} {
		files, _, err := manifests.ListFiles(filepath.Join("..", "..", "..", dir))
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, files...)
	}
	checked := 0
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		a, _ := manifests.Parse(path, data)
		b, _ := manifests.Parse(path, data)
		for i := range a {
			v := full[a[i].GroupVersionKind()]
			if v == nil {
				continue
			}
			checked++
			v.rules = nil
			want, got := v.check(t.Context(), a[i].Value), small.Check(b[i].GroupVersionKind(), b[i].Value)
			if (len(want) > 0) != (len(got) > 0) {
				t.Errorf("%s:%d: the API server says %v, the gateway %v", path, a[i].Line, want, got)
			}
			if diff := cmp.Diff(a[i].Value, b[i].Value); diff != "" {
				t.Errorf("%s:%d: defaults (-API server +gateway):\n%s", path, a[i].Line, diff)
			}
		}
	}
	if checked < 100 {
		t.Errorf("only %d objects were checked", checked)
	}
}
