package lint

import (
	"encoding/json"

	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	kjson "sigs.k8s.io/json"

	"vipcloud.ai/vipcloud/gateway/source/manifests"
)

// checkMetadata says what an API server refuses in the metadata of any object, whatever its kind: labels, annotations,
// finalizers, owners. Name and namespace are checked where they are read.
func (r *run) checkMetadata(d *manifests.Document) {
	metadata, ok := d.Value["metadata"].(map[string]any)
	if !ok {
		return
	}
	raw, err := json.Marshal(metadata)
	if err != nil {
		return
	}
	var decoded metav1.ObjectMeta
	strict, err := kjson.UnmarshalStrict(raw, &decoded)
	if err != nil || len(strict) > 0 {
		if !manifests.Read(d.GroupVersionKind()) { // the decoder of those that are read tells more
			r.addError(d, "metadata", "has a field that no object has, or one of another type")
		}
		return
	}
	for _, e := range apivalidation.ValidateObjectMeta(&decoded, true, apivalidation.NameIsDNSSubdomain, field.NewPath("metadata")) {
		if e.Field != "metadata.name" && e.Field != "metadata.namespace" {
			r.addError(d, e.Field, messageOf(e))
		}
	}
}
