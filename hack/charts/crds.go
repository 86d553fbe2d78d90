package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

// crdFile is a generated CRD.
type crdFile struct {
	file string
	text string
}

func loadCRDs(root string) ([]crdFile, error) {
	names, err := filepath.Glob(filepath.Join(root, "config", "crd", "bases", "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("listing CRDs: %w", err)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("config/crd/bases is empty: run make manifests")
	}
	crds := make([]crdFile, 0, len(names))
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("reading CRD: %w", err)
		}
		crds = append(crds, crdFile{file: filepath.Base(name), text: string(text)})
	}
	return crds, nil
}

// keptCRD makes a template of a CRD: one that Helm upgrades with its chart and leaves in place when the chart goes.
func keptCRD(text string) string {
	const annotations = "  annotations:\n"
	return strings.Replace(escapeBraces(text), annotations, annotations+"    helm.sh/resource-policy: keep\n", 1)
}

// instanceSpecSchema is the JSON schema of GatewayInstance.spec, as the CRD has it, for values.schema.json: a wrong
// defaultInstance.spec is refused before anything is installed.
func instanceSpecSchema(crds []crdFile, indent int) (string, error) {
	for _, crd := range crds {
		if !strings.HasSuffix(crd.file, "_gatewayinstances.yaml") {
			continue
		}
		var object map[string]any
		if err := yaml.Unmarshal([]byte(crd.text), &object); err != nil {
			return "", fmt.Errorf("parsing %s: %w", crd.file, err)
		}
		spec, ok := dig(object, "spec", "versions", "0", "schema", "openAPIV3Schema", "properties", "spec").(map[string]any)
		if !ok {
			return "", fmt.Errorf("%s has no schema for spec", crd.file)
		}
		text, err := json.MarshalIndent(jsonSchema(spec), strings.Repeat(" ", indent), "  ")
		if err != nil {
			return "", fmt.Errorf("writing the schema of GatewayInstance.spec: %w", err)
		}
		return string(text), nil
	}
	return "", fmt.Errorf("config/crd/bases has no CRD of GatewayInstance")
}

// jsonSchema turns a structural schema into plain JSON schema: without Kubernetes' extensions and prose, and closed, because
// a misspelt field would be pruned without a word.
func jsonSchema(schema map[string]any) map[string]any {
	plain := map[string]any{}
	for key, value := range schema {
		switch {
		case strings.HasPrefix(key, "x-kubernetes-"), key == "description", key == "default", key == "format":
		case key == "properties":
			properties := map[string]any{}
			for name, property := range value.(map[string]any) {
				properties[name] = jsonSchema(property.(map[string]any))
			}
			plain[key] = properties
			plain["additionalProperties"] = false
		case key == "items", key == "additionalProperties":
			if nested, ok := value.(map[string]any); ok {
				value = jsonSchema(nested)
			}
			plain[key] = value
		default:
			plain[key] = value
		}
	}
	return plain
}
