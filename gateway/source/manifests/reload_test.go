package manifests

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// otherRoute is a second route.
var otherRoute = strings.ReplaceAll(routeYAML, "deepseek-v4-pro", "qwen3-max")

func TestRun_followsFiles(t *testing.T) {
	steps := []struct {
		what string
		do   func(f *fixture)
		want []string
	}{
		{"a new file", func(f *fixture) { f.write("more.yaml", otherRoute) }, []string{"deepseek-v4-pro", "qwen3-max"}},
		{"a changed file", func(f *fixture) { f.write("more.yaml", strings.ReplaceAll(otherRoute, "qwen3-max", "glm-5")) }, []string{"deepseek-v4-pro", "glm-5"}},
		{"a file written in place", func(f *fixture) {
			if err := os.WriteFile(filepath.Join(f.dir, "more.yaml"), []byte(otherRoute), 0o644); err != nil {
				f.t.Fatal(err)
			}
		}, []string{"deepseek-v4-pro", "qwen3-max"}},
		{"a deleted file", func(f *fixture) { f.remove("more.yaml") }, []string{"deepseek-v4-pro"}},
		{"a file in a new directory", func(f *fixture) { f.write("deep/er/more.yml", otherRoute) }, []string{"deepseek-v4-pro", "qwen3-max"}},
		{"a change in that directory", func(f *fixture) { f.write("deep/er/more.yml", strings.ReplaceAll(otherRoute, "qwen3-max", "kimi-k3")) }, []string{"deepseek-v4-pro", "kimi-k3"}},
		{"a deleted directory", func(f *fixture) {
			if err := os.RemoveAll(filepath.Join(f.dir, "deep")); err != nil {
				f.t.Fatal(err)
			}
		}, []string{"deepseek-v4-pro"}},
		{"the directory again", func(f *fixture) { f.write("deep/er/more.yml", otherRoute) }, []string{"deepseek-v4-pro", "qwen3-max"}},
		{"JSON", func(f *fixture) {
			f.write("deep/er/json.json", "{\n\t\"apiVersion\": \"vipcloud.ai/v1alpha1\", \"kind\": \"ModelRoute\",\n\t\"metadata\": {\"name\": \"json\"},\n"+
				"\t\"spec\": {\"targets\": [{\"name\": \"a\", \"credential\": {\"name\": \"deepseek\"}}]}\n}\n")
		}, []string{"deepseek-v4-pro", "json", "qwen3-max"}},
	}
	f := newFixture(t, quickstart())
	s := f.run()
	for _, step := range steps {
		step.do(f)
		eventually(t, step.what+" serves "+strings.Join(step.want, ", "), func() bool { return slices.Equal(f.sink.models(), step.want) })
	}
	if got := messages(f, s.Problems()); len(got) != 0 {
		t.Errorf("problems: %q", got)
	}
}

func TestRun_followsLinksOfAMountedConfigMap(t *testing.T) {
	f := newFixture(t, nil)
	version := func(name, text string) {
		dir := filepath.Join(f.dir, "..v"+name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for file, content := range map[string]string{"route.yaml": text, "rest.yaml": credentialYAML + "---\n" + secretYAML} {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		next := filepath.Join(f.dir, "..data_tmp")
		if err := os.Symlink("..v"+name, next); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(next, filepath.Join(f.dir, "..data")); err != nil {
			t.Fatal(err)
		}
	}
	version("1", routeYAML)
	for _, file := range []string{"route.yaml", "rest.yaml"} {
		if err := os.Symlink(filepath.Join("..data", file), filepath.Join(f.dir, file)); err != nil {
			t.Fatal(err)
		}
	}
	f.run()
	if diff := cmp.Diff([]string{"deepseek-v4-pro"}, f.sink.models()); diff != "" {
		t.Fatalf("models, each once (-want +got):\n%s", diff)
	}
	version("2", otherRoute)
	eventually(t, "the new version serves", func() bool { return slices.Equal(f.sink.models(), []string{"qwen3-max"}) })
}

func TestRun_directoryThatGoesAndComes(t *testing.T) {
	f := newFixture(t, quickstart())
	s := f.run()
	away := f.dir + ".away"
	if err := os.Rename(f.dir, away); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is noticed", func() bool {
		return strings.Contains(strings.Join(messages(f, s.Problems()), "\n"), "cannot be listed")
	})
	if got := f.sink.models(); len(got) != 1 {
		t.Errorf("models without the directory: %v, want the one from before", got)
	}
	if err := os.Rename(away, f.dir); err != nil {
		t.Fatal(err)
	}
	f.write("more.yaml", otherRoute)
	eventually(t, "it is followed again", func() bool { return len(f.sink.models()) == 2 && len(s.Problems()) == 0 })
}

func TestReader_brokenFilesKeepWhatWasGood(t *testing.T) {
	unknown := strings.Replace(routeYAML, "spec:\n", "spec:\n  modell: x\n", 1)
	invalid := strings.Replace(routeYAML, "spec:\n", "spec:\n  availability: Sometimes\n", 1)
	cases := map[string]struct {
		before, after string
		want          []string
		wantProblems  []string
	}{
		"no YAML": {
			before: routeYAML, after: "spec: [", want: []string{"deepseek-v4-pro"},
			wantProblems: []string{"f.yaml:1: cannot be read as YAML: did not find expected node content"},
		},
		"an unknown field": {
			before: routeYAML, after: unknown, want: []string{"deepseek-v4-pro"},
			wantProblems: []string{"f.yaml:5: ModelRoute default/deepseek-v4-pro: spec.modell: unknown field"},
		},
		"an invalid value": {
			before: routeYAML, after: invalid, want: []string{"deepseek-v4-pro"},
			wantProblems: []string{"f.yaml:5: ModelRoute default/deepseek-v4-pro: spec.availability: must be one of Live, Preview, Soon"},
		},
		"an unknown version of ours": {
			before: routeYAML, after: strings.Replace(routeYAML, "v1alpha1", "v9", 1), want: []string{"deepseek-v4-pro"},
			wantProblems: []string{"f.yaml:1: ModelRoute default/deepseek-v4-pro: apiVersion: is unknown; use vipcloud.ai/v1alpha1"},
		},
		"a name that is no file": {
			before: routeYAML, after: strings.Replace(routeYAML, "deepseek-v4-pro", "../../escape", 1), want: []string{"deepseek-v4-pro"},
			wantProblems: []string{"f.yaml:3: ModelRoute default/../../escape: metadata.name: must be lower-case letters, digits, dashes and dots, at most 253"},
		},
		"one broken object of two": {
			before: routeYAML, after: unknown + "---\n" + otherRoute, want: []string{"deepseek-v4-pro", "qwen3-max"},
			wantProblems: []string{"f.yaml:5: ModelRoute default/deepseek-v4-pro: spec.modell: unknown field"},
		},
		"broken from the beginning: the good ones serve": {
			after: unknown + "---\n" + otherRoute, want: []string{"qwen3-max"},
			wantProblems: []string{"f.yaml:5: ModelRoute default/deepseek-v4-pro: spec.modell: unknown field"},
		},
		"one document is broken, another was taken out": {
			before: routeYAML + "---\n" + otherRoute, after: otherRoute + "---\n[", want: []string{"deepseek-v4-pro", "qwen3-max"},
			wantProblems: []string{"f.yaml:9: cannot be read as YAML: did not find expected node content"},
		},
		"mended": {before: unknown, after: routeYAML, want: []string{"deepseek-v4-pro"}},
		"empty":  {before: routeYAML, after: "# nothing\n", want: []string{}},
		"no object": {
			before: routeYAML, after: "- a\n- b\n", want: []string{"deepseek-v4-pro"},
			wantProblems: []string{"f.yaml:1: is no object: it needs apiVersion, kind and metadata"},
		},
		"an object without a kind": {
			before: routeYAML, after: "metadata: {name: x}\n", want: []string{"deepseek-v4-pro"},
			wantProblems: []string{"f.yaml:1: is no object: it needs apiVersion and kind"},
		},
		"a name that YAML takes for something else": {
			before: "", after: strings.Replace(routeYAML, "deepseek-v4-pro", "on", 1), want: []string{},
			wantProblems: []string{"f.yaml:3: ModelRoute: metadata.name: must be a text; put it in quotes"},
		},
		"a member that is there twice": {
			before: "", after: routeYAML + "spec: {}\n", want: []string{},
			wantProblems: []string{`f.yaml:8: cannot be read as YAML: key "spec" already set in map`},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, map[string]string{"rest.yaml": credentialYAML + "---\n" + secretYAML})
			if tc.before != "" {
				f.write("f.yaml", tc.before)
			}
			s := f.open(nil)
			f.write("f.yaml", tc.after)
			reloadNow(t, s)
			if diff := cmp.Diff(tc.want, f.sink.models()); diff != "" {
				t.Errorf("models (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(append([]string{}, tc.wantProblems...), messages(f, s.Problems())); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			if len(tc.wantProblems) > 0 && !strings.Contains(f.log.String(), "Manifest is broken") {
				t.Errorf("nothing of it is in the log:\n%s", f.log.String())
			}
		})
	}
}

// reloadNow reads the files again, as Run does after an event.
func reloadNow(t *testing.T, s *Source) {
	t.Helper()
	w, err := newWatch(s.opts, s.dirs)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	s.reload(w)
}

func TestReload_instanceThatGetsUnclear(t *testing.T) {
	instance := "apiVersion: vipcloud.ai/v1alpha1\nkind: GatewayInstance\nmetadata: {name: one}\nspec: {}\n"
	files := quickstart()
	files["instance.yaml"] = instance
	f := newFixture(t, files)
	s := f.open(nil)
	f.write("other.yaml", strings.Replace(instance, "one", "two", 1))
	f.remove("route.yaml")
	reloadNow(t, s)
	if got := f.sink.models(); len(got) != 1 {
		t.Errorf("models %v, want those from before", got)
	}
	want := []string{"DIR: no instance to serve: there are default/one, default/two; choose one with --instance"}
	if diff := cmp.Diff(want, messages(f, s.Problems())); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	f.remove("other.yaml")
	reloadNow(t, s)
	if got := f.sink.models(); len(got) != 0 || len(s.Problems()) != 0 {
		t.Errorf("after it is clear again: models %v, problems %v", got, s.Problems())
	}
}

func TestReader_passesOver(t *testing.T) {
	f := newFixture(t, map[string]string{
		"route.yaml":           routeYAML,
		"kustomization.yaml":   "resources: [route.yaml]\n",
		"deployment.yaml":      "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\n",
		"README.md":            "apiVersion: nonsense",
		".hidden.yaml":         "[",
		".git/config.yaml":     "[",
		"replica.yaml":         "apiVersion: vipcloud.ai/v1alpha1\nkind: GatewayReplica\nmetadata: {name: x}\nspec: {instance: x}\n",
		"sub/dir/nothing.txt":  "[",
		"list.yaml":            "apiVersion: v1\nkind: List\nitems:\n- " + strings.ReplaceAll(strings.TrimSpace(credentialYAML), "\n", "\n  ") + "\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: c}}\n",
		"secret.yaml":          "---\n# a comment\n---\n" + secretYAML + "...\n---\n",
		"route-once-more.yaml": routeYAML,
	})
	s := f.open(nil)
	if got := messages(f, s.Problems()); len(got) != 0 {
		t.Errorf("problems: %q", got)
	}
	if diff := cmp.Diff([]string{"deepseek-v4-pro"}, f.sink.models()); diff != "" {
		t.Errorf("models (-want +got):\n%s", diff)
	}
	for _, want := range []string{"kind=Deployment", "kind=GatewayReplica", "kustomization.yaml"} {
		if !strings.Contains(f.log.String(), want) {
			t.Errorf("the log does not say that %s is ignored:\n%s", want, f.log.String())
		}
	}
}

func TestNewSet_objectsDeclaredTwice(t *testing.T) {
	f := newFixture(t, map[string]string{
		"a.yaml": routeYAML, "b.yaml": "\n" + strings.Replace(routeYAML, "name: primary", "name: other", 1), "c.yaml": credentialYAML + "---\n" + secretYAML,
	})
	s := f.open(nil)
	want := []string{"b.yaml:2: ModelRoute default/deepseek-v4-pro: is declared twice, and differently; first in DIR/a.yaml:1"}
	if diff := cmp.Diff(want, messages(f, s.Problems())); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if got := f.sink.input.Routes[0].Spec.Targets[0].Name; got != "primary" {
		t.Errorf("target %q serves, want that of the first file", got)
	}
}
