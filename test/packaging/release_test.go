package packaging

import (
	"debug/buildinfo"
	"debug/elf"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// workflow is the release workflow.
func workflow(t *testing.T) object {
	t.Helper()
	var w object
	if err := yaml.Unmarshal([]byte(read(t, filepath.Join(root, ".github/workflows/release.yaml"))), &w); err != nil {
		t.Fatal(err)
	}
	return w
}

// The workflow calls make and scripts of ours by names that exist, and every job says what it may do.
func TestReleaseWorkflow_callsWhatExists(t *testing.T) {
	makefile := read(t, filepath.Join(root, "Makefile"))
	targets, scripts := 0, 0
	jobs, _ := workflow(t).at("jobs").(map[string]any)
	for name, j := range jobs {
		job := object(j.(map[string]any))
		permissions, _ := job.at("permissions").(map[string]any)
		if len(permissions) == 0 || job.at("timeout-minutes") == nil {
			t.Errorf("job %s says neither what it may do nor how long", name)
		}
		steps, _ := job.at("steps").([]any)
		for _, s := range steps {
			script := text(object(s.(map[string]any)).at("run"))
			for _, match := range regexp.MustCompile(`(?m)^\s*make ([a-z-]+)`).FindAllStringSubmatch(script, -1) {
				targets++
				if !regexp.MustCompile(`(?m)^` + match[1] + `:`).MatchString(makefile) {
					t.Errorf("job %s: there is no target %s", name, match[1])
				}
			}
			for _, match := range regexp.MustCompile(`\bhack/[a-z-]+\.sh`).FindAllString(script, -1) {
				scripts++
				if _, err := os.Stat(filepath.Join(root, match)); err != nil {
					t.Errorf("job %s: %v", name, err)
				}
			}
			if strings.Contains(script, "${{") {
				t.Errorf("job %s: an expression in a script may run what a tag is called; use env", name)
			}
		}
	}
	if targets < 4 || scripts < 2 {
		t.Errorf("%d targets and %d scripts: this test no longer finds them", targets, scripts)
	}
	if got, ok := workflow(t).at("permissions").(map[string]any); !ok || len(got) > 0 {
		t.Errorf("the workflow as a whole may do %v, want nothing", got)
	}
}

// The build arguments that the workflow sets are those of the Dockerfile, and no digest stands in either: it would be out of date,
// or made up.
func TestDockerfile_takesPinnedBases(t *testing.T) {
	dockerfile := read(t, filepath.Join(root, "Dockerfile"))
	for _, arg := range []string{"BUILD_IMAGE", "RUN_IMAGE", "VERSION"} {
		if !strings.Contains(dockerfile, "ARG "+arg+"=") {
			t.Errorf("the Dockerfile has no argument %s", arg)
		}
		if !strings.Contains(read(t, filepath.Join(root, ".github/workflows/release.yaml")), arg+"=${{") {
			t.Errorf("the workflow does not set %s", arg)
		}
	}
	if strings.Contains(dockerfile, "sha256:") && !strings.Contains(dockerfile, "sha256:…") {
		t.Error("a digest stands in the Dockerfile")
	}
	for _, flag := range []string{"CGO_ENABLED=0", "-trimpath", "-buildvcs=false", "-X main.version="} {
		if !strings.Contains(dockerfile, flag) || !strings.Contains(read(t, filepath.Join(root, "Makefile")), flag) {
			t.Errorf("image and make build do not both build with %s", flag)
		}
	}
}

// buildBinary builds as make build does.
func buildBinary(t *testing.T, arch string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "vipcloud")
	run(t, nil, "make", "-s", "-C", root, "build", "OUT="+out, "VERSION=v0.0.0-test", "GOOS=linux", "GOARCH="+arch)
	return out
}

// The binary needs no library, and nothing in it says where it was built: the rest of the proof that it is reproducible takes two
// builds of everything, hack/reproducible.sh.
func TestBinary_isStaticAndSaysNothingOfItsBuilder(t *testing.T) {
	binary := buildBinary(t, "amd64")
	file, err := elf.Open(binary)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	if libraries, err := file.ImportedLibraries(); err != nil || len(libraries) > 0 {
		t.Errorf("libraries %v, error %v; want none", libraries, err)
	}
	if slices.ContainsFunc(file.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		t.Error("it asks for a loader")
	}
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	for _, setting := range info.Settings {
		if strings.HasPrefix(setting.Key, "vcs") {
			t.Errorf("it says %s=%s", setting.Key, setting.Value)
		}
	}
	content, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	here, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	for what, secret := range map[string]string{
		"the checkout":     here + "/",
		"the module cache": strings.TrimSpace(run(t, nil, "go", "env", "GOMODCACHE")) + "/",
		"the toolchain":    strings.TrimSpace(run(t, nil, "go", "env", "GOROOT")) + "/src/",
	} {
		if strings.Contains(string(content), secret) {
			t.Errorf("it says where %s was: %s", what, secret)
		}
	}
	checkSBOM(t, info)
}

// checkSBOM holds the bill of materials against what the linker says it has linked.
func checkSBOM(t *testing.T, info *buildinfo.BuildInfo) {
	t.Helper()
	first := run(t, nil, "env", "--chdir="+root, tool(t, "bom"), "sbom", "v0.0.0-test") // it reads the module that it runs in
	var bom struct {
		BOMFormat  string
		Components []struct {
			Name, Version, PURL string
			Licenses            []any
		}
	}
	if err := json.Unmarshal([]byte(first), &bom); err != nil || bom.BOMFormat != "CycloneDX" {
		t.Fatalf("format %q, error %v", bom.BOMFormat, err)
	}
	listed := map[string]bool{}
	for _, c := range bom.Components {
		listed[c.Name+" "+c.Version] = true
		if len(c.Licenses) == 0 || !strings.HasPrefix(c.PURL, "pkg:golang/"+c.Name+"@") {
			t.Errorf("component %+v", c)
		}
	}
	if len(info.Deps) < 20 {
		t.Fatalf("only %d modules are linked", len(info.Deps))
	}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		if !listed[m.Path+" "+m.Version] {
			t.Errorf("%s %s is linked, and not on the bill", m.Path, m.Version)
		}
	}
}

func TestImages_listsWhatAnInstallationRuns(t *testing.T) {
	tests := map[string]struct {
		args []string
		want string
	}{
		"defaults":               {want: "vipcloud:0.1.0\n"},
		"a mirror":               {args: []string{"--set", "image.registry=mirror.example:5000", "--set", "image.tag=v1"}, want: "mirror.example:5000/vipcloud:v1\n"},
		"another of the gateway": {args: []string{"--set", "gatewayImage=other:2"}, want: "other:2\nvipcloud:0.1.0\n"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := run(t, nil, filepath.Join(root, "hack", "images.sh"), tc.args...); got != tc.want {
				t.Errorf("images:\n%swant:\n%s", got, tc.want)
			}
		})
	}
}

// A release says what its changelog does; a version that it does not know is no release.
func TestReleaseNotes(t *testing.T) {
	notes := run(t, nil, filepath.Join(root, "hack", "release-notes.sh"), "Unreleased")
	if !strings.Contains(notes, "### Added") || !strings.Contains(notes, "## Upgrading") || strings.Contains(notes, "## Unreleased") {
		t.Errorf("notes:\n%s", notes)
	}
	if _, stderr, err := try(t, nil, filepath.Join(root, "hack", "release-notes.sh"), "v99.0.0"); err == nil || !strings.Contains(stderr, "v99.0.0") {
		t.Errorf("a version that nobody wrote of: %v, %s", err, stderr)
	}
}
