package crd

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// makeReport makes a report of a gateway.
func makeReport(name, gateway string, role v1alpha1.UsageReportRole, content string) *v1alpha1.UsageReport {
	r := &v1alpha1.UsageReport{
		ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceDefault, Name: name},
		Gateway:    v1alpha1.ObjectName(gateway),
		Role:       role,
	}
	if role == v1alpha1.UsageReportLive {
		r.Replica = "replica-0"
	}
	if content != "" {
		r.Report = runtime.RawExtension{Raw: []byte(content)}
	}
	return r
}

// TestUsageReportKeepsWhatItIsGiven: the API server knows nothing of a report's content and must not drop any of it.
func TestUsageReportKeepsWhatItIsGiven(t *testing.T) {
	const content = `{"v":1,"keys":{"shop/shop":{"lifetime":"12.5","days":[{"day":20261122,"models":{"a/b c":[1,2,3]}}],"empty":{},"none":[]}}}`
	written := makeReport("kept", "default", v1alpha1.UsageReportLive, content)
	if err := create(t, written); err != nil {
		t.Fatal(err)
	}
	read := &v1alpha1.UsageReport{}
	if err := server.Get(t.Context(), client.ObjectKeyFromObject(written), read); err != nil {
		t.Fatal(err)
	}
	var want, got any
	if err := json.Unmarshal([]byte(content), &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(read.Report.Raw, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("content (-written +read):\n%s", diff)
	}
}

// TestUsageReportIsWrittenAsAWhole: what a second write leaves out is gone, and a stale writer is refused.
func TestUsageReportIsWrittenAsAWhole(t *testing.T) {
	report := makeReport("whole", "default", v1alpha1.UsageReportArchive, `{"a":1,"b":2}`)
	if err := create(t, report); err != nil {
		t.Fatal(err)
	}
	stale := report.DeepCopy()
	report.Report.Raw, report.Merged = []byte(`{"a":3}`), []v1alpha1.ReportUID{"one"}
	if err := server.Update(t.Context(), report); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(`{"a":3}`, string(report.Report.Raw)); diff != "" {
		t.Errorf("content (-want +got):\n%s", diff)
	}
	stale.Report.Raw = []byte(`{"a":4}`)
	if err := server.Update(t.Context(), stale); err == nil {
		t.Error("a writer that read an older version is not refused")
	}
}

// TestUsageReportsAreFoundByGatewayAndRole: a gateway watches its own alone, and the API server sorts them out.
func TestUsageReportsAreFoundByGatewayAndRole(t *testing.T) {
	for _, r := range []*v1alpha1.UsageReport{
		makeReport("mine-live", "mine", v1alpha1.UsageReportLive, ""),
		makeReport("mine-archive", "mine", v1alpha1.UsageReportArchive, ""),
		makeReport("theirs-live", "theirs", v1alpha1.UsageReportLive, ""),
	} {
		if err := create(t, r); err != nil {
			t.Fatal(err)
		}
	}
	tests := map[string]struct {
		fields client.MatchingFields
		want   []string
	}{
		"of a gateway":            {client.MatchingFields{"gateway": "mine"}, []string{"mine-archive", "mine-live"}},
		"of a gateway and a role": {client.MatchingFields{"gateway": "mine", "role": "Live"}, []string{"mine-live"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			list := &v1alpha1.UsageReportList{}
			if err := server.List(t.Context(), list, client.InNamespace(metav1.NamespaceDefault), tc.fields); err != nil {
				t.Fatal(err)
			}
			var got []string
			for i := range list.Items {
				got = append(got, list.Items[i].Name)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestNoModelsIsNotAllModels: a key that may use nothing has an empty list in its status, and one that may use everything has none.
func TestNoModelsIsNotAllModels(t *testing.T) {
	key := &v1alpha1.ApiKey{ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceDefault, Name: "no-models"}}
	if err := create(t, key); err != nil {
		t.Fatal(err)
	}
	for name, models := range map[string][]v1alpha1.EffectiveGlob{"none": {}, "all": nil, "two at once": {"a* & *b"}} {
		t.Run(name, func(t *testing.T) {
			before := key.DeepCopy()
			key.Status.Effective = &v1alpha1.EffectiveKey{Models: models}
			if err := server.Status().Patch(t.Context(), key, client.MergeFrom(before)); err != nil {
				t.Fatal(err)
			}
			read := &v1alpha1.ApiKey{}
			if err := server.Get(t.Context(), client.ObjectKeyFromObject(key), read); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(models, read.Status.Effective.Models); diff != "" {
				t.Errorf("models (-written +read):\n%s", diff)
			}
		})
	}
}
