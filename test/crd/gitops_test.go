package crd

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/jsonmergepatch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// gitOpsCases are the objects of the samples, and those of this folder that a single document makes: they use what the samples
// leave out.
func gitOpsCases(t *testing.T) map[string][]*unstructured.Unstructured {
	t.Helper()
	cases := map[string][]*unstructured.Unstructured{}
	for _, file := range sampleFiles(t) {
		for _, doc := range file.docs {
			if doc.GroupVersionKind().GroupVersion() == v1alpha1.GroupVersion {
				cases[file.path] = append(cases[file.path], doc)
			}
		}
	}
	for _, file := range ruleFiles(t) {
		if !file.bad() && len(file.docs) == 1 && !dataAlone(file.docs[0].GetKind()) {
			cases[file.path] = file.docs
		}
	}
	return cases
}

// TestClientSideApplySeesNoDifference does what kubectl apply and Argo CD's client-side comparison do.
func TestClientSideApplySeesNoDifference(t *testing.T) {
	for path, docs := range gitOpsCases(t) {
		t.Run(path, func(t *testing.T) {
			for _, desired := range docs {
				live := desired.DeepCopy()
				if err := create(t, live); err != nil {
					t.Fatalf("creating %s: %v", desired.GetName(), err)
				}
				if patch := threeWayPatch(t, desired, live); patch != "{}" {
					t.Errorf("%s: a tool that just applied it wants to patch %s", desired.GetName(), patch)
				}
				if patch := threeWayPatch(t, desired, writeStatus(t, live)); patch != "{}" {
					t.Errorf("%s: after the operator looked at it, a tool wants to patch %s", desired.GetName(), patch)
				}
				remove(t, live)
			}
		})
	}
}

// threeWayPatch is what leads from live to desired, where what was applied last is desired too.
func threeWayPatch(t *testing.T, desired, live *unstructured.Unstructured) string {
	t.Helper()
	patch, err := jsonmergepatch.CreateThreeWayJSONMergePatch(asJSON(t, desired), asJSON(t, desired), asJSON(t, live))
	if err != nil {
		t.Fatalf("comparing: %v", err)
	}
	return string(patch)
}

func asJSON(t *testing.T, obj *unstructured.Unstructured) []byte {
	t.Helper()
	text, err := json.Marshal(obj.Object)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestServerSideApplySeesNoDifference does what Flux and Argo CD's server-side comparison do.
func TestServerSideApplySeesNoDifference(t *testing.T) {
	for path, docs := range gitOpsCases(t) {
		t.Run(path, func(t *testing.T) {
			for _, desired := range docs {
				ensureNamespace(t, desired.GetNamespace())
				deleteAtEnd(t, desired)
				live := apply(t, desired)
				checkDryRun(t, desired, live, "just applied")
				checkDryRun(t, desired, live, "asked again")
				live = writeStatus(t, live)
				checkDryRun(t, desired, live, "after the operator looked")
				checkSettled(t, desired)
				remove(t, live)
			}
		})
	}
}

// apply is a server-side apply by a tool; the manifest itself stays as it is.
func apply(t *testing.T, desired *unstructured.Unstructured, opts ...client.ApplyOption) *unstructured.Unstructured {
	t.Helper()
	obj := desired.DeepCopy()
	err := server.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(obj), append(opts, client.FieldOwner("gitops-tool"))...)
	if err != nil {
		t.Fatalf("applying %s: %v", desired.GetName(), err)
	}
	return obj
}

// checkSettled applies an object over and over, which must come to rest. Not at the first time: a manifest without any field
// owns nothing, so that the API server begins to note who owns what only then.
func checkSettled(t *testing.T, desired *unstructured.Unstructured) {
	t.Helper()
	once, twice := apply(t, desired), apply(t, desired)
	if diff := cmp.Diff(once, twice); diff != "" {
		t.Errorf("%s: applying it once more changes it (-before +after):\n%s", desired.GetName(), diff)
	}
}

func checkDryRun(t *testing.T, desired, live *unstructured.Unstructured, when string) {
	t.Helper()
	if diff := cmp.Diff(compared(live), compared(apply(t, desired, client.DryRunAll))); diff != "" {
		t.Errorf("%s, %s: a dry run differs from the live object (-live +dry run):\n%s", desired.GetName(), when, diff)
	}
}

// compared leaves out what tools leave out.
func compared(obj *unstructured.Unstructured) map[string]any {
	obj = obj.DeepCopy()
	obj.SetManagedFields(nil)
	obj.SetResourceVersion("")
	return obj.Object
}

// remove deletes an object at once: the next document may use its name.
func remove(t *testing.T, obj *unstructured.Unstructured) {
	t.Helper()
	if err := server.Delete(t.Context(), obj); err != nil {
		t.Fatalf("deleting %s: %v", obj.GetName(), err)
	}
	if err := server.Get(t.Context(), client.ObjectKeyFromObject(obj), obj.DeepCopy()); !apierrors.IsNotFound(err) {
		t.Fatalf("%s is still there: %v", obj.GetName(), err)
	}
}

// TestToolsSeeRealDifferences keeps the tests above from passing because they compare nothing.
func TestToolsSeeRealDifferences(t *testing.T) {
	desired := minimal(t, "modelroute")
	live := desired.DeepCopy()
	if err := create(t, live); err != nil {
		t.Fatal(err)
	}
	if err := unstructured.SetNestedField(desired.Object, "Preview", "spec", "availability"); err != nil {
		t.Fatal(err)
	}
	if got, want := threeWayPatch(t, desired, live), `{"spec":{"availability":"Preview"}}`; got != want {
		t.Errorf("patch = %s, want %s", got, want)
	}
	changed := apply(t, desired, client.DryRunAll, client.ForceOwnership)
	if cmp.Equal(compared(live), compared(changed)) {
		t.Error("a dry run of a changed manifest equals the live object")
	}
}
