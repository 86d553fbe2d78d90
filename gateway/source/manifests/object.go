package manifests

import (
	"encoding/json"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"
	kjson "sigs.k8s.io/json"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// DefaultNamespace is that of objects which name none.
const DefaultNamespace = "default"

// coreKind is a kind of the core group.
func coreKind(kind string) schema.GroupVersionKind { return corev1.SchemeGroupVersion.WithKind(kind) }

// Object is a document and the typed object that it became.
type Object struct {
	*Document
	Typed metav1.Object
}

// newTyped returns an empty object of a kind that is read, or nil.
func newTyped(gvk schema.GroupVersionKind) metav1.Object {
	switch gvk {
	case v1alpha1.GroupVersion.WithKind(v1alpha1.KindModelRoute):
		return &v1alpha1.ModelRoute{}
	case v1alpha1.GroupVersion.WithKind(v1alpha1.KindApiKey):
		return &v1alpha1.ApiKey{}
	case v1alpha1.GroupVersion.WithKind(v1alpha1.KindProviderCredential):
		return &v1alpha1.ProviderCredential{}
	case v1alpha1.GroupVersion.WithKind(v1alpha1.KindGatewayInstance):
		return &v1alpha1.GatewayInstance{}
	case coreKind("Secret"):
		return &corev1.Secret{}
	case coreKind("ConfigMap"):
		return &corev1.ConfigMap{}
	case coreKind("Namespace"):
		return &corev1.Namespace{}
	}
	return nil
}

// Read says whether objects of a document's kind are read at all. All others are somebody else's.
func Read(gvk schema.GroupVersionKind) bool { return newTyped(gvk) != nil }

// CheckMetadata returns what an API server would refuse about name and namespace. Both are also names of files.
func (d *Document) CheckMetadata() []Problem {
	var problems []Problem
	metadata, _ := d.Value["metadata"].(map[string]any)
	for _, member := range []string{"name", "namespace"} {
		if _, text := metadata[member].(string); metadata[member] != nil && !text {
			// YAML takes y, no, on and 1.5 for something else than text.
			return []Problem{d.Problem("metadata."+member, "must be a text; put it in quotes")}
		}
	}
	switch name := d.Name(); {
	case name == "":
		problems = append(problems, d.Problem("metadata.name", "is required"))
	case len(validation.IsDNS1123Subdomain(name)) > 0:
		problems = append(problems, d.Problem("metadata.name", "must be lower-case letters, digits, dashes and dots, at most 253"))
	}
	if ns := d.Namespace(); ns != "" && len(validation.IsDNS1123Label(ns)) > 0 {
		problems = append(problems, d.Problem("metadata.namespace", "must be lower-case letters, digits and dashes, at most 63"))
	}
	return problems
}

// Decode makes the typed object of a document of a kind that is read. Of the metadata only name, namespace, labels and
// annotations count, and no status: both belong to a cluster that the file may have been exported from.
func (d *Document) Decode() (*Object, []Problem) {
	typed := newTyped(d.GroupVersionKind())
	if typed == nil {
		return nil, []Problem{d.Problem("", "is of a kind that is not read")}
	}
	value := make(map[string]any, len(d.Value))
	for name, member := range d.Value {
		if name != "status" {
			value[name] = member
		}
	}
	raw, err := json.Marshal(value)
	if err != nil {
		return nil, []Problem{d.Problem("", "cannot be written as JSON")}
	}
	strict, err := kjson.UnmarshalStrict(raw, typed, kjson.DisallowUnknownFields)
	if err != nil {
		return nil, []Problem{d.decodeProblem(err)}
	}
	var problems []Problem
	for _, err := range strict {
		problems = append(problems, d.decodeProblem(err))
	}
	if len(problems) > 0 {
		return nil, problems
	}
	reset(typed, d.Namespace())
	return &Object{Document: d, Typed: typed}, nil
}

// reset leaves of the metadata only what a person writes.
func reset(o metav1.Object, namespace string) {
	o.SetNamespace(namespace)
	o.SetUID("")
	o.SetResourceVersion("")
	o.SetGeneration(0)
	o.SetCreationTimestamp(metav1.Time{})
	o.SetManagedFields(nil)
	o.SetOwnerReferences(nil)
}

// decodeProblem says what a decoder stumbled on, but not on which value.
func (d *Document) decodeProblem(err error) Problem {
	if wrongType, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return d.Problem(wrongType.Field, fmt.Sprintf("must be of type %s", wrongType.Type))
	}
	if field, ok := errors.AsType[kjson.FieldError](err); ok {
		return d.Problem(field.FieldPath(), "unknown or repeated field")
	}
	return d.Problem("", "a value has the wrong form for its field")
}
