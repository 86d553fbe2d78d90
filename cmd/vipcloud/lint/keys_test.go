package lint

import (
	"errors"
	"strings"
	"testing"
	"time"

	"vipcloud.ai/vipcloud/gateway/source/manifests"
)

func TestLint_keys(t *testing.T) {
	const system = route + credential + secret + instance
	const brought = "---\napiVersion: vipcloud.ai/v1alpha1\nkind: ApiKey\nmetadata: {name: shop, namespace: shop}\n" +
		"spec: {source: {type: SecretRef, secretRef: {name: mine, key: token}}}\n"
	mine := func(entry, value string) string {
		return "---\napiVersion: v1\nkind: Secret\nmetadata: {name: mine, namespace: shop}\nstringData: {" + entry + ": " + value + "}\n"
	}
	long := strings.Repeat("k", 64)
	cases := map[string]struct {
		text string
		want string // of the one finding; empty for none
	}{
		"a brought key":                     {text: system + brought + mine("token", strings.Repeat("x", 32))},
		"a brought key that is not in Git":  {text: system + brought, want: `warning: ApiKey shop/shop: Secret "mine" is not among the manifests; add it`},
		"a brought key of another entry":    {text: system + brought + mine("key", strings.Repeat("x", 32)), want: `ApiKey shop/shop: Secret mine has no entry token; add it`},
		"a brought key that is too short":   {text: system + brought + mine("token", "short-secret"), want: `ApiKey shop/shop: entry token of Secret mine cannot be a key;`},
		"a name that is no value of labels": {text: system + change(t, key, "name: shop,", "name: "+long+","), want: `ApiKey shop/` + long + `: metadata.name has 64 characters;`},
		"a Secret in the way":               {text: system + key + change(t, mine("token", "x"), "name: mine", "name: shop"), want: `ApiKey shop/shop: Secret shop exists and is not labelled vipcloud.ai/apikey=shop;`},
		"a Secret that was restored":        {text: system + key + change(t, mine("token", "x"), "{name: mine,", "{name: shop, labels: {vipcloud.ai/apikey: shop},")},
		"two keys for one Secret":           {text: system + key + change(t, change(t, key, "name: shop,", "name: other,"), "spec: {}", "spec: {source: {type: Generated, generated: {secretName: shop}}}"), want: `ApiKey shop/shop: Secret shop is also that of ApiKey other;`},
		"a key that has ended":              {text: system + change(t, key, "spec: {}", `spec: {expiresAt: "2020-01-01T00:00:00Z"}`), want: `warning: ApiKey shop/shop: spec.expiresAt has passed;`},
		"a key that will end":               {text: system + change(t, key, "spec: {}", `spec: {expiresAt: "2999-01-01T00:00:00Z"}`)},
		"hashes that have ended": {text: system + change(t, key, "spec: {}",
			`spec: {source: {type: Hashes, hashes: [{sha256: `+strings.Repeat("a", 64)+`, notAfter: "2020-01-01T00:00:00Z"}]}}`), want: `warning: ApiKey shop/shop: every hash of source.hashes has ended;`},
		"a rotation that never rests": {text: system + change(t, key, "spec: {}", `spec: {rotation: {every: 1s}}`), want: `ApiKey shop/shop: rotation.every is "1s";`},
		"an instance whose drain is longer than pods may take": {text: route + credential + secret +
			change(t, instance, "spec: {}", "spec: {drain: {timeout: 100000h}}"), want: `GatewayInstance system/default: `},
		"one record twice, and differently": {text: system + "---\napiVersion: vipcloud.ai/v1alpha1\nkind: GatewayReplica\nmetadata: {name: a}\nspec: {instance: x}\n" +
			"---\napiVersion: vipcloud.ai/v1alpha1\nkind: GatewayReplica\nmetadata: {name: a}\nspec: {instance: z}\n", want: `GatewayReplica default/a: is declared twice, and differently; first in <stdin>:27`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			out, findings := text(t, tc.text)
			if tc.want == "" {
				if len(findings) > 0 {
					t.Errorf("findings:\n%s", out)
				}
				return
			}
			if len(findings) != 1 || !strings.Contains(out, tc.want) {
				t.Errorf("findings:\n%s\nwant one with %q", out, tc.want)
			}
			if strings.Contains(out, "short-secret") {
				t.Error("a secret is printed")
			}
		})
	}
}

func TestCommand_exitCodes(t *testing.T) {
	const system = route + credential + secret + instance
	cases := map[string]struct {
		text      string
		args      []string
		found     bool
		unchecked bool
	}{
		"all is well":                    {text: system},
		"a warning":                      {text: route + credential + instance},
		"a warning that fails":           {text: route + credential + instance, args: []string{"--strict"}, found: true},
		"all is well, strictly":          {text: system, args: []string{"--strict"}},
		"an error":                       {text: route + instance, found: true},
		"no input":                       {text: " \n", unchecked: true},
		"a path that does not exist":     {text: system, args: []string{"/does/not/exist"}, unchecked: true},
		"an unknown flag":                {text: system, args: []string{"--loud"}, unchecked: true},
		"an unknown format":              {text: system, args: []string{"-o", "xml"}, unchecked: true},
		"manifests of other people only": {text: "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\n"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := lint(t, tc.text, tc.args...)
			_, unchecked := errors.AsType[*UncheckedError](err)
			if errors.Is(err, ErrFound) != tc.found || unchecked != tc.unchecked || (err != nil) != (tc.found || tc.unchecked) {
				t.Errorf("error %v", err)
			}
		})
	}
	cmd := NewCommand(testProviders())
	cmd.SetArgs(nil)
	cmd.SilenceErrors = true
	if _, unchecked := errors.AsType[*UncheckedError](cmd.ExecuteContext(t.Context())); !unchecked {
		t.Error("without a path it does not say that nothing was checked")
	}
}

// TestCommand_namespace: what helm template prints names a namespace seldom, and is installed into one all the same.
func TestCommand_namespace(t *testing.T) {
	inNone := strings.ReplaceAll(route+credential+secret+instance, ", namespace: system", "")
	if out, err := lint(t, inNone, "-n", "system"); err != nil {
		t.Errorf("error %v:\n%s", err, out)
	}
	out, _ := lint(t, change(t, inNone, "name: primary", "name: Primary"), "-n", "shop")
	if !strings.Contains(out, "ModelRoute shop/deepseek-v4-pro") {
		t.Errorf("findings do not name the namespace:\n%s", out)
	}
}

// FuzzLint gives the whole check what nobody meant to write. It must come to an end, and every place it names must exist.
func FuzzLint(f *testing.F) {
	for _, seed := range []string{route + credential + secret + instance + key, "a: &a [*a]", "- x", "apiVersion: v1\nkind: List\nitems: [{}, 1, {kind: X}]\n",
		"apiVersion: vipcloud.ai/v1alpha1\nkind: ModelRoute\nmetadata: {name: x}\nspec: {targets: [{name: a}, 7, null]}\n", "--- # x\n...\n---\n{", "{\"a\":\"\\u2028\"}\r---\r",
		"apiVersion: vipcloud.ai/v1alpha1\nkind: ApiKey\nmetadata: null\nspec: {source: {type: SecretRef}}\n", "kind: [\n? x\n: y"} {
		f.Add(seed)
	}
	all, err := loaded()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := &run{providers: testProviders(), schemas: all, now: time.Now(), namespace: manifests.DefaultNamespace}
		r.parse("f.yaml", []byte(text))
		for _, d := range r.docs {
			r.checkDocument(t.Context(), d)
		}
		r.compile()
		last := strings.Count(text, "\n") + 1
		for _, finding := range r.findings.sorted() {
			if finding.File != "f.yaml" || finding.Line < 0 || finding.Line > last || finding.Message == "" {
				t.Errorf("finding %+v in a file of %d lines", finding, last)
			}
		}
	})
}
