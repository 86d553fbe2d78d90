package samples

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	sigsyaml "sigs.k8s.io/yaml"
)

// read reads every manifest below the roots.
func read(roots []string) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	seen := map[string]bool{}
	for _, root := range roots {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || filepath.Ext(path) != ".yaml" || entry.Name() == "kustomization.yaml" {
				return err
			}
			found, err := readFile(path)
			for _, o := range found {
				id := o.GetKind() + "/" + o.GetNamespace() + "/" + o.GetName()
				if len(o.Object) > 0 && !seen[id] {
					seen[id] = true
					objects = append(objects, o)
				}
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return objects, nil
}

// readFile reads the objects of one file.
func readFile(path string) ([]*unstructured.Unstructured, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading manifest: %w", err)
	}
	var objects []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(data), len(data))
	for {
		o := &unstructured.Unstructured{}
		if err := decoder.Decode(o); errors.Is(err, io.EOF) {
			return objects, nil
		} else if err != nil {
			return nil, fmt.Errorf("reading %s: %w", path, err)
		}
		objects = append(objects, o)
	}
}

// write writes one file for each object, named so that the order stays.
func write(dir string, objects []*unstructured.Unstructured) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the manifests' directory: %w", err)
	}
	for i, o := range objects {
		data, err := sigsyaml.Marshal(o.Object)
		if err != nil {
			return fmt.Errorf("marshalling %s: %w", o.GetName(), err)
		}
		name := fmt.Sprintf("%03d-%s-%s.yaml", i, strings.ToLower(o.GetKind()), o.GetName())
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return fmt.Errorf("writing manifest: %w", err)
		}
	}
	return nil
}
