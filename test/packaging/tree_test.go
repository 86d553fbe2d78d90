package packaging

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"sigs.k8s.io/yaml"
)

// root is the checkout.
const root = "../.."

// tool gives the path of a pinned tool, and builds it first if need be.
func tool(t *testing.T, name string) string {
	t.Helper()
	return strings.TrimSpace(run(t, nil, filepath.Join(root, "hack", "tool.sh"), "--path", name))
}

// run runs a command that must succeed and gives its standard output.
func run(t *testing.T, stdin []byte, name string, args ...string) string {
	t.Helper()
	out, errOut, err := try(t, stdin, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", filepath.Base(name), strings.Join(args, " "), err, out, errOut)
	}
	return out
}

// try runs a command that may fail.
func try(t *testing.T, stdin []byte, name string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stdin = bytes.NewReader(stdin)
	// Helm keeps repositories and plugins of its user; a test sees none of them.
	home := helmHome()
	cmd.Env = append(os.Environ(), "HELM_CACHE_HOME="+home, "HELM_CONFIG_HOME="+home, "HELM_DATA_HOME="+home)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err = cmd.Run()
	return out.String(), errOut.String(), err
}

func helmHome() string { return filepath.Join(os.TempDir(), "vipcloud-packaging-no-helm-home") }

// object is one decoded manifest.
type object map[string]any

func (o object) at(path ...string) any {
	var value any = map[string]any(o)
	for _, step := range path {
		fields, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = fields[step]
	}
	return value
}

func (o object) kind() string { return text(o.at("kind")) }
func (o object) name() string { return text(o.at("metadata", "name")) }

// key tells objects of one rendering apart.
func (o object) key() string {
	return o.kind() + "/" + text(o.at("metadata", "namespace")) + "/" + o.name()
}

func text(value any) string {
	s, _ := value.(string)
	return s
}

// decode reads a stream of manifests.
func decode(t *testing.T, manifests string) map[string]object {
	t.Helper()
	objects := map[string]object{}
	for doc := range strings.SplitSeq("\n"+manifests, "\n---") {
		var o object
		if err := yaml.Unmarshal([]byte(doc), &o); err != nil {
			t.Fatalf("decoding manifests: %v\n%s", err, doc)
		}
		if len(o) == 0 {
			continue
		}
		if _, twice := objects[o.key()]; twice {
			t.Errorf("%s is rendered twice", o.key())
		}
		objects[o.key()] = o
	}
	return objects
}

// crds reads the generated CRDs, by file name.
func crds(t *testing.T) map[string]object {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(root, "config/crd/bases/*.yaml"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no CRDs in config/crd/bases: %v", err)
	}
	found := map[string]object{}
	for _, name := range names {
		for _, crd := range decode(t, read(t, name)) {
			found[filepath.Base(name)] = crd
		}
	}
	return found
}

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// assets is the directory of the control-plane binaries.
var assets = sync.OnceValues(func() (string, error) {
	if dir := os.Getenv("KUBEBUILDER_ASSETS"); dir != "" {
		return dir, nil
	}
	out, err := exec.Command(filepath.Join(root, "hack", "controlplane", "assets.sh"), "test").Output()
	return strings.TrimSpace(string(out)), err
})
