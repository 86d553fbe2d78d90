package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

// renderSkeletons fills the skeletons in. Their own marks are [[ ]], so that Helm's {{ }} pass through:
//
//	[[ config "Kind/name" "path.into.it" INDENT ]]   the YAML that config/ has there
//	[[ … | trim ]]                                  without the spaces around it
//	[[ instanceSpecSchema INDENT ]]                  the JSON schema of GatewayInstance.spec
func renderSkeletons(root string, objects objectSet, crds []crdFile) (map[string]string, error) {
	functions := template.FuncMap{
		"config": func(key, path string, indent int) (string, error) {
			value, err := objects.field(key, path)
			if err != nil {
				return "", err
			}
			return block(indent, value)
		},
		"trim":               strings.TrimSpace,
		"instanceSpecSchema": func(indent int) (string, error) { return instanceSpecSchema(crds, indent) },
	}
	source := filepath.Join(root, "hack", "charts", "source")
	files := map[string]string{}
	err := filepath.WalkDir(source, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(source, path)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files[filepath.ToSlash(name)], err = fill(name, string(text), functions)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("rendering chart skeletons: %w", err)
	}
	return files, nil
}

func fill(name, text string, functions template.FuncMap) (string, error) {
	skeleton, err := template.New(name).Delims("[[", "]]").Funcs(functions).Parse(text)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	if err := skeleton.Execute(&out, nil); err != nil {
		return "", err
	}
	return out.String(), nil
}

// replaceCharts writes the files below charts/ and removes what is there besides.
func replaceCharts(root string, files map[string]string) error {
	charts := filepath.Join(root, "charts")
	if err := os.RemoveAll(charts); err != nil {
		return fmt.Errorf("clearing charts: %w", err)
	}
	for name, text := range files {
		path := filepath.Join(charts, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("writing charts: %w", err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return fmt.Errorf("writing charts: %w", err)
		}
	}
	return nil
}
