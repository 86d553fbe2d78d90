package crd

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// manifest is a YAML file: objects in their order, and what the comments at its top want the API server to say.
type manifest struct {
	path  string
	docs  []*unstructured.Unstructured
	wants []want
}

// want is one complaint of the API server: the field it is about, and what it says or a part of it.
type want struct {
	field, text string
}

// ruleFile is a manifest at <kind>/<rule>/<name>.yaml, with one document to create, or one to create and further ones to
// update it with.
type ruleFile struct {
	manifest
	kind, rule, name string
}

// bad says that the last document must be refused.
func (f *ruleFile) bad() bool { return strings.HasPrefix(f.name, "bad") }

// ruleFiles reads every manifest of this folder.
func ruleFiles(t *testing.T) []*ruleFile {
	t.Helper()
	paths, err := filepath.Glob("*/*/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no manifests: %v", err)
	}
	var files []*ruleFile
	for _, path := range paths {
		parts := strings.Split(strings.TrimSuffix(filepath.ToSlash(path), ".yaml"), "/")
		files = append(files, &ruleFile{manifest: readManifest(t, path), kind: parts[0], rule: parts[1], name: parts[2]})
	}
	return files
}

// sampleFiles reads every manifest under config/samples, however deep.
func sampleFiles(t *testing.T) []manifest {
	t.Helper()
	var files []manifest
	err := filepath.WalkDir(samplesDir, func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".yaml") {
			files = append(files, readManifest(t, path))
		}
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples in %s: %v", samplesDir, err)
	}
	return files
}

func readManifest(t *testing.T, path string) manifest {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m := manifest{path: path, wants: readWants(string(text))}
	for reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text))); ; {
		doc, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("reading %s: %v", path, err)
		}
		if obj := readObject(t, path, doc); obj != nil {
			m.docs = append(m.docs, obj)
		}
	}
	if len(m.docs) == 0 {
		t.Fatalf("%s holds no object", path)
	}
	return m
}

// readObject decodes one document, strictly; nil for one that holds comments alone.
func readObject(t *testing.T, path string, doc []byte) *unstructured.Unstructured {
	t.Helper()
	asJSON, err := yaml.YAMLToJSONStrict(doc)
	if err != nil {
		t.Fatalf("reading %s: %v", path, err)
	}
	if bytes.Equal(asJSON, []byte("null")) {
		return nil
	}
	obj := &unstructured.Unstructured{}
	if err := obj.UnmarshalJSON(asJSON); err != nil {
		t.Fatalf("reading %s: %v", path, err)
	}
	if obj.GetNamespace() == "" {
		obj.SetNamespace(metav1.NamespaceDefault)
	}
	return obj
}

// readWants reads the "# want: field: text" lines at the top of a file.
func readWants(text string) []want {
	var wants []want
	for line := range strings.Lines(text) {
		line, ok := strings.CutPrefix(strings.TrimSpace(line), "# want: ")
		if !ok {
			break
		}
		field, what, _ := strings.Cut(line, ": ")
		wants = append(wants, want{field, what})
	}
	return wants
}
