package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"
)

// objectSet is the objects of config/, by "Kind/name".
type objectSet map[string]map[string]any

// loadObjects reads the objects of the folders that the charts are made from.
func loadObjects(root string) (objectSet, error) {
	objects := objectSet{}
	for _, folder := range []string{"rbac", "manager", "prometheus"} {
		names, err := filepath.Glob(filepath.Join(root, "config", folder, "*.yaml"))
		if err != nil {
			return nil, fmt.Errorf("listing config/%s: %w", folder, err)
		}
		for _, name := range names {
			if filepath.Base(name) == "kustomization.yaml" {
				continue
			}
			if err := objects.add(name); err != nil {
				return nil, err
			}
		}
	}
	if objects["ClusterRole/vipcloud-operator"] == nil {
		return nil, errors.New("config/rbac holds no ClusterRole vipcloud-operator: run make manifests")
	}
	return objects, nil
}

func (s objectSet) add(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("reading config: %w", err)
	}
	for doc := range strings.SplitSeq("\n"+string(text), "\n---") {
		var object map[string]any
		if err := yaml.Unmarshal([]byte(doc), &object); err != nil {
			return fmt.Errorf("parsing %s: %w", file, err)
		}
		if len(object) == 0 {
			continue
		}
		key := fmt.Sprintf("%v/%v", object["kind"], dig(object, "metadata", "name"))
		if s[key] != nil {
			return fmt.Errorf("%s: %s is in config twice", file, key)
		}
		s[key] = object
	}
	return nil
}

// field gives what stands at a dotted path of an object; a number is an index.
func (s objectSet) field(key, path string) (any, error) {
	object, ok := s[key]
	if !ok {
		return nil, fmt.Errorf("config has no %s", key)
	}
	value := dig(object, strings.Split(path, ".")...)
	if value == nil {
		return nil, fmt.Errorf("%s has no %s", key, path)
	}
	return value, nil
}

// dig walks into a tree and gives nil where there is nothing.
func dig(value any, path ...string) any {
	for _, step := range path {
		switch at := value.(type) {
		case map[string]any:
			value = at[step]
		case []any:
			index, err := strconv.Atoi(step)
			if err != nil || index < 0 || index >= len(at) {
				return nil
			}
			value = at[index]
		default:
			return nil
		}
	}
	return value
}

// block writes a value as YAML lines indented by some spaces, without a final newline, so that it can stand in a skeleton.
// Braces that Helm would read as its own are escaped.
func block(indent int, value any) (string, error) {
	text, err := yaml.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("writing YAML: %w", err)
	}
	pad := strings.Repeat(" ", indent)
	lines := strings.Split(strings.TrimRight(escapeBraces(string(text)), "\n"), "\n")
	return pad + strings.Join(lines, "\n"+pad), nil
}

// escapeBraces keeps Helm from reading text as a template.
func escapeBraces(text string) string {
	return strings.ReplaceAll(text, "{{", `{{ "{{" }}`)
}
