// Package samples leads manifests to simulated vendors. What it writes is what the manifests declare, but for the endpoints of their
// credentials and the entries of those credentials' Secrets.
package samples

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"vipcloud.ai/vipcloud/test/sim"
)

// Vendors are simulated vendors and the address at which they listen, such as http://127.0.0.1:8081.
type Vendors struct {
	*sim.Server
	URL string
}

// Write writes the manifests below the roots to dir, one file for each object, with every credential led to the vendors. An object that stands
// in several files counts once: the first one is taken. A credential of a provider without a simulator is an error.
func Write(dir string, vendors *Vendors, roots ...string) error {
	objects, err := read(roots)
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
		spec["endpoint"], spec["allowInsecure"], spec["allowPrivate"] = endpointFor(vendors.URL, vendor), true, true
		objects = setSecret(objects, o.GetNamespace(), secret, vendors.Secrets(vendor))
	}
	return write(dir, objects)
}

// endpointFor is where a vendor's simulator listens; provider OpenAI wants the base URL as an SDK takes it.
func endpointFor(simulators string, v sim.Vendor) string {
	endpoint := simulators + "/" + strings.ToLower(string(v))
	if v == sim.OpenAI {
		return endpoint + "/v1"
	}
	return endpoint
}

// setSecret puts entries into a Secret, which is made if the manifests leave it to the user.
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
