package crd

import (
	"maps"
	"slices"
	"testing"

	kstatus "github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// minimal reads <kind>/minimal/ok.yaml.
func minimal(t *testing.T, kind string) *unstructured.Unstructured {
	t.Helper()
	return readManifest(t, kind+"/minimal/ok.yaml").docs[0]
}

// smallest reads the smallest object of every kind that has a status.
func smallest(t *testing.T) map[string]*unstructured.Unstructured {
	t.Helper()
	objects := map[string]*unstructured.Unstructured{}
	for _, file := range ruleFiles(t) {
		if file.rule == "minimal" && !dataAlone(file.docs[0].GetKind()) {
			objects[file.docs[0].GetKind()] = file.docs[0]
		}
	}
	for _, d := range definitions(t) {
		if objects[d.kind()] == nil && !d.dataAlone() {
			t.Fatalf("no minimal/ok.yaml of kind %s", d.kind())
		}
	}
	return objects
}

// statusOf finds the status that every kind has.
func statusOf(t *testing.T, obj client.Object) (conditions *[]metav1.Condition, observedGeneration *int64) {
	t.Helper()
	switch obj := obj.(type) {
	case *v1alpha1.ModelRoute:
		return &obj.Status.Conditions, &obj.Status.ObservedGeneration
	case *v1alpha1.ApiKey:
		return &obj.Status.Conditions, &obj.Status.ObservedGeneration
	case *v1alpha1.ProviderCredential:
		return &obj.Status.Conditions, &obj.Status.ObservedGeneration
	case *v1alpha1.GatewayInstance:
		return &obj.Status.Conditions, &obj.Status.ObservedGeneration
	case *v1alpha1.GatewayReplica:
		return &obj.Status.Conditions, &obj.Status.ObservedGeneration
	}
	t.Fatalf("%T has no status that this test knows", obj)
	return nil, nil
}

// writeStatus writes a status as the operator does: by a merge patch of the typed object. Without conditions it says Ready. It
// returns the object as it is then.
func writeStatus(t *testing.T, live *unstructured.Unstructured, conditions ...metav1.Condition) *unstructured.Unstructured {
	t.Helper()
	if len(conditions) == 0 {
		conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonReady}}
	}
	before := typed(t, live)
	after := before.DeepCopyObject().(client.Object)
	into, observed := statusOf(t, after)
	*observed, *into = live.GetGeneration(), nil
	for _, c := range conditions {
		c.ObservedGeneration, c.LastTransitionTime = live.GetGeneration(), metav1.Now()
		*into = append(*into, c)
	}
	if err := server.Status().Patch(t.Context(), after, client.MergeFrom(before)); err != nil {
		t.Fatalf("patching the status of %s: %v", live.GetName(), err)
	}
	return get(t, live)
}

func typed(t *testing.T, live *unstructured.Unstructured) client.Object {
	t.Helper()
	obj, err := server.Scheme().New(live.GroupVersionKind())
	if err != nil {
		t.Fatal(err)
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(live.Object, obj); err != nil {
		t.Fatalf("converting %s: %v", live.GetName(), err)
	}
	return obj.(client.Object)
}

func get(t *testing.T, obj *unstructured.Unstructured) *unstructured.Unstructured {
	t.Helper()
	live := obj.DeepCopy()
	if err := server.Get(t.Context(), client.ObjectKeyFromObject(obj), live); err != nil {
		t.Fatalf("reading %s: %v", obj.GetName(), err)
	}
	return live
}

// TestStatusIsASubresource: who may write a spec writes no status, and the other way round.
func TestStatusIsASubresource(t *testing.T) {
	for kind, obj := range smallest(t) {
		t.Run(kind, func(t *testing.T) {
			obj.Object["status"] = map[string]any{"observedGeneration": int64(7)}
			if err := create(t, obj); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(map[string]any{"observedGeneration": int64(-1)}, obj.Object["status"]); diff != "" {
				t.Errorf("status of a new object (-want +got):\n%s", diff)
			}

			written := writeStatus(t, obj)
			if got, want := written.GetGeneration(), obj.GetGeneration(); got != want {
				t.Errorf("generation after a status was written = %d, want %d", got, want)
			}
			if diff := cmp.Diff(obj.Object["spec"], written.Object["spec"]); diff != "" {
				t.Errorf("writing a status changed the spec (-before +after):\n%s", diff)
			}
			checkSpecUpdate(t, written)
		})
	}
}

// checkSpecUpdate changes the spec, and tries to change the status with it.
func checkSpecUpdate(t *testing.T, before *unstructured.Unstructured) {
	t.Helper()
	after := before.DeepCopy()
	after.Object["status"] = map[string]any{"observedGeneration": int64(99)}
	field, value := specChange(before.GetKind())
	if err := unstructured.SetNestedField(after.Object, value, "spec", field); err != nil {
		t.Fatal(err)
	}
	if err := server.Update(t.Context(), after); err != nil {
		t.Fatalf("updating the spec: %v", err)
	}
	if got, want := after.GetGeneration(), before.GetGeneration()+1; got != want {
		t.Errorf("generation after a change of the spec = %d, want %d", got, want)
	}
	if diff := cmp.Diff(before.Object["status"], after.Object["status"]); diff != "" {
		t.Errorf("updating the spec changed the status (-before +after):\n%s", diff)
	}
}

// specChange is a field that the smallest object of a kind leaves out, and a value for it.
func specChange(kind string) (field string, value any) {
	switch kind {
	case v1alpha1.KindGatewayInstance:
		return "replicas", int64(3)
	case v1alpha1.KindGatewayReplica:
		return "podName", "vipcloud-default-0"
	case v1alpha1.KindApiKey:
		return "project", "shop"
	case v1alpha1.KindModelRoute:
		return "model", "another"
	default:
		return "region", "intl"
	}
}

// TestToolsUnderstandTheStatus asks the library by which Flux, Helm and others judge any object.
func TestToolsUnderstandTheStatus(t *testing.T) {
	condition := func(kind string, status metav1.ConditionStatus) metav1.Condition {
		return metav1.Condition{Type: kind, Status: status, Reason: "Test"}
	}
	const (
		ready       = v1alpha1.ConditionReady
		reconciling = v1alpha1.ConditionReconciling
		stalled     = v1alpha1.ConditionStalled
	)
	cases := map[string]struct {
		conditions []metav1.Condition
		want       kstatus.Status
	}{
		"ready":                        {[]metav1.Condition{condition(ready, "True")}, kstatus.CurrentStatus},
		"reconciling":                  {[]metav1.Condition{condition(ready, "False"), condition(reconciling, "True")}, kstatus.InProgressStatus},
		"reconciling while it serves":  {[]metav1.Condition{condition(ready, "True"), condition(reconciling, "True")}, kstatus.InProgressStatus},
		"stalled":                      {[]metav1.Condition{condition(ready, "False"), condition(stalled, "True")}, kstatus.FailedStatus},
		"not ready, and nothing known": {[]metav1.Condition{condition(ready, "False")}, kstatus.InProgressStatus},
	}
	for kind, obj := range smallest(t) {
		t.Run(kind, func(t *testing.T) {
			if err := create(t, obj); err != nil {
				t.Fatal(err)
			}
			checkKstatus(t, "nobody looked at it", get(t, obj), kstatus.InProgressStatus)
			for _, name := range slices.Sorted(maps.Keys(cases)) {
				checkKstatus(t, name, writeStatus(t, get(t, obj), cases[name].conditions...), cases[name].want)
			}

			changed := writeStatus(t, get(t, obj))
			field, value := specChange(kind)
			if err := unstructured.SetNestedField(changed.Object, value, "spec", field); err != nil {
				t.Fatal(err)
			}
			if err := server.Update(t.Context(), changed); err != nil {
				t.Fatal(err)
			}
			checkKstatus(t, "ready, but for the generation before", changed, kstatus.InProgressStatus)
		})
	}
}

func checkKstatus(t *testing.T, when string, obj *unstructured.Unstructured, want kstatus.Status) {
	t.Helper()
	got, err := kstatus.Compute(obj)
	if err != nil {
		t.Fatalf("%s: %v", when, err)
	}
	if got.Status != want {
		t.Errorf("%s: status is %s (%s), want %s", when, got.Status, got.Message, want)
	}
}
