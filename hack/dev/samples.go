package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	sigsyaml "sigs.k8s.io/yaml"

	"vipcloud.ai/vipcloud/test/sim"
)

// writeSamples writes the sample manifests to dir with every credential led to the simulated vendors: its endpoint, and the
// entry of its Secret. Everything else is what the repository ships. An object that stands in several files counts once.
func writeSamples(samples, dir string, simulators *vendors) error {
	objects, err := readObjects(samples)
	if err != nil {
		return err
	}
	known := map[string]sim.Vendor{}
	for _, v := range slices.Concat(sim.Vendors(), sim.MediaVendors()) {
		known[strings.ToLower(string(v))] = v
	}
	for _, o := range objects {
		if o.GetKind() != "ProviderCredential" {
			continue
		}
		provider, _, _ := unstructured.NestedString(o.Object, "spec", "provider")
		secret, _, _ := unstructured.NestedString(o.Object, "spec", "secretRef", "name")
		vendor, ok := known[strings.ToLower(provider)]
		if !ok {
			return fmt.Errorf("%s %s: no simulator for provider %q", o.GetKind(), o.GetName(), provider)
		}
		spec := o.Object["spec"].(map[string]any)
		delete(spec, "region")
		spec["endpoint"], spec["allowInsecure"], spec["allowPrivate"] = endpointFor(simulators.url, vendor), true, true
		objects = setSecret(objects, o.GetNamespace(), secret, simulators.Secrets(vendor))
	}
	return writeObjects(dir, objects)
}

// endpointFor is where a vendor's simulator listens; provider OpenAI wants the base URL as an SDK takes it.
func endpointFor(simulators string, v sim.Vendor) string {
	endpoint := simulators + "/" + strings.ToLower(string(v))
	if v == sim.OpenAI {
		return endpoint + "/v1"
	}
	return endpoint
}

// setSecret puts entries into a Secret, which is made if the samples leave it to the user.
func setSecret(objects []*unstructured.Unstructured, namespace, name string, entries map[string]string) []*unstructured.Unstructured {
	content := map[string]any{}
	for entry, value := range entries {
		content[entry] = value
	}
	for _, o := range objects {
		if o.GetKind() == "Secret" && o.GetNamespace() == namespace && o.GetName() == name {
			o.Object["stringData"] = content
			return objects
		}
	}
	secret := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Secret", "stringData": content}}
	secret.SetNamespace(namespace)
	secret.SetName(name)
	return append(objects, secret)
}

// readObjects reads every manifest below a directory.
func readObjects(root string) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	seen := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".yaml" || entry.Name() == "kustomization.yaml" {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("reading sample: %w", err)
		}
		decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(data), len(data))
		for {
			o := &unstructured.Unstructured{}
			if err := decoder.Decode(o); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return fmt.Errorf("reading %s: %w", path, err)
			}
			id := o.GetKind() + "/" + o.GetNamespace() + "/" + o.GetName()
			if len(o.Object) > 0 && !seen[id] {
				seen[id] = true
				objects = append(objects, o)
			}
		}
	})
	return objects, err
}

// writeObjects writes one file for each object, named so that the order stays.
func writeObjects(dir string, objects []*unstructured.Unstructured) error {
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
			return fmt.Errorf("writing sample: %w", err)
		}
	}
	return nil
}
