package packaging

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/cmd/vipcloud/lint"
	"vipcloud.ai/vipcloud/gateway/provider/all"
	"vipcloud.ai/vipcloud/gateway/table"
)

// gitOpsFolders are the set-ups of docs/gitops.md.
func gitOpsFolders() []string {
	return []string{"argocd", "gitops/argocd", "gitops/flux", "gitops/flux/operator", "gitops/platform"}
}

// foreignKinds are the kinds of other people that the set-ups may use, by the version that their maintainers serve. What they
// mean is not checked here: their schemas are theirs.
func foreignKinds() []string {
	return []string{
		"argoproj.io/v1alpha1 Application", "argoproj.io/v1alpha1 AppProject",
		"external-secrets.io/v1 ExternalSecret", "external-secrets.io/v1 SecretStore",
		"helm.toolkit.fluxcd.io/v2 HelmRelease", "kustomize.toolkit.fluxcd.io/v1 Kustomization",
		"source.toolkit.fluxcd.io/v1 GitRepository",
		"v1 ConfigMap", "v1 Namespace", "v1 ServiceAccount",
	}
}

func TestGitOpsSetUps_renderAndLint(t *testing.T) {
	providers := table.Providers{}
	for name, adapter := range all.Adapters() {
		providers[v1alpha1.Provider(name)] = adapter.Info
	}
	for _, folder := range gitOpsFolders() {
		t.Run(folder, func(t *testing.T) {
			manifests := build(t, folder)
			if manifests != build(t, folder) {
				t.Error("two renderings differ")
			}
			for key, o := range decode(t, manifests) {
				kind := fmt.Sprintf("%s %s", o.at("apiVersion"), o.kind())
				if own := o.at("apiVersion") == "vipcloud.ai/v1alpha1"; !own && !slices.Contains(foreignKinds(), kind) {
					t.Errorf("%s is a %s, which is in no list of kinds that exist", key, kind)
				}
				if o.kind() == "Secret" {
					t.Errorf("%s: no Secret belongs into Git", key)
				}
			}
			findings, err := lint.Run(t.Context(), []string{"-"}, strings.NewReader(manifests), providers)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range findings {
				// The Secret is External Secrets' to make.
				if f.Severity == lint.Error || (f.Severity == lint.Warning && !strings.Contains(f.Message, `Secret "deepseek" is not among the manifests`)) {
					t.Errorf("%s", f)
				}
			}
		})
	}
}

// TestGitOpsSetUps_pointAtWhatExists: a path or a value that a set-up names is there.
func TestGitOpsSetUps_pointAtWhatExists(t *testing.T) {
	application := decode(t, build(t, "gitops/argocd"))["Application/argocd/vipcloud"]
	project := decode(t, build(t, "gitops/argocd"))["AppProject/argocd/vipcloud"]
	repositories, _ := project.at("spec", "sourceRepos").([]any)
	sources, _ := application.at("spec", "sources").([]any)
	if len(sources) != 4 {
		t.Fatalf("%d sources", len(sources))
	}
	for _, source := range sources {
		s := object(source.(map[string]any))
		if !slices.Contains(repositories, s.at("repoURL")) {
			t.Errorf("the project does not allow %v", s.at("repoURL"))
		}
		path := text(s.at("path"))
		if !strings.HasPrefix(path, "config/") && !strings.HasPrefix(path, "charts/") {
			continue // in the admin's repository
		}
		if matches, err := filepath.Glob(filepath.Join(root, path, "*.yaml")); err != nil || len(matches) == 0 {
			t.Errorf("there is nothing at %s", path)
		}
		checkValues(t, s.at("helm", "valuesObject"))
	}
	for key, o := range decode(t, build(t, "gitops/flux")) {
		if path := text(o.at("spec", "path")); strings.HasPrefix(path, "./config/") {
			if matches, err := filepath.Glob(filepath.Join(root, path, "*.yaml")); err != nil || len(matches) == 0 {
				t.Errorf("%s: there is nothing at %s", key, path)
			}
		}
	}
	release := decode(t, build(t, "gitops/flux/operator"))["HelmRelease/vipcloud-system/vipcloud"]
	checkValues(t, release.at("spec", "values"))
}

// checkValues gives values to the chart, whose schema knows every one.
func checkValues(t *testing.T, values any) {
	t.Helper()
	if values == nil {
		return
	}
	out, err := yaml.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "values.yaml")
	if err := os.WriteFile(file, out, 0o644); err != nil {
		t.Fatal(err)
	}
	if objects := decode(t, render(t, "--values", file)); objects["GatewayInstance/vipcloud-system/default"] != nil {
		t.Error("the chart makes an instance beside the one in Git")
	}
}

// TestSyncWaves_putWhatIsNamedFirst: an object waits for those that it names.
func TestSyncWaves_putWhatIsNamedFirst(t *testing.T) {
	waves := map[string]string{}
	for _, o := range decode(t, build(t, "gitops/platform")) {
		wave := text(o.at("metadata", "annotations", "argocd.argoproj.io/sync-wave"))
		if wave == "" {
			t.Errorf("%s has no sync wave", o.key())
		}
		waves[o.kind()] = max(waves[o.kind()], wave)
	}
	order := []string{"Namespace", "ExternalSecret", "ProviderCredential", "ModelRoute", "ApiKey"}
	for i := range order[1:] {
		if waves[order[i]] > waves[order[i+1]] {
			t.Errorf("%s is in wave %s, after %s in %s", order[i], waves[order[i]], order[i+1], waves[order[i+1]])
		}
	}
	if waves["ApiKey"] <= waves["ModelRoute"] {
		t.Error("keys are not in the last wave: one that was revoked would hold up what comes after it")
	}
}

// TestArgoHealth_isConfiguredForEveryKind: the ConfigMap has every script, whole.
func TestArgoHealth_isConfiguredForEveryKind(t *testing.T) {
	configMap := decode(t, build(t, "argocd"))["ConfigMap/argocd/argocd-cm"]
	entries, _ := configMap.at("data").(map[string]any)
	scripts, err := filepath.Glob(filepath.Join(root, "config/argocd/resource_customizations/vipcloud.ai/*/health.lua"))
	if err != nil || len(scripts) == 0 || len(scripts) != len(entries) {
		t.Errorf("%d entries for %d scripts: %v", len(entries), len(scripts), err)
	}
	for _, script := range scripts {
		kind := filepath.Base(filepath.Dir(script))
		if entries["resource.customizations.health.vipcloud.ai_"+kind] != read(t, script) {
			t.Errorf("%s is not what argocd-cm has", script)
		}
	}
	// Every kind with a status has one.
	for _, crd := range crds(t) {
		versions, _ := crd.at("spec", "versions").([]any)
		_, status := object(versions[0].(map[string]any)).at("subresources", "status").(map[string]any)
		kind := text(crd.at("spec", "names", "kind"))
		if _, ok := entries["resource.customizations.health.vipcloud.ai_"+kind]; ok != status {
			t.Errorf("%s: has a status %t, has a health check %t", kind, status, ok)
		}
	}
}
