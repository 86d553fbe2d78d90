package crd

import (
	"errors"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// TestRules gives every manifest of this folder to the API server.
func TestRules(t *testing.T) {
	for _, file := range ruleFiles(t) {
		t.Run(file.kind+"/"+file.rule+"/"+file.name, func(t *testing.T) {
			err := submit(t, file)
			switch {
			case !file.bad() && err != nil:
				t.Errorf("refused: %v", err)
			case file.bad() && err == nil:
				t.Error("accepted, want it refused")
			case file.bad():
				checkComplaints(t, file.wants, err)
			}
		})
	}
}

// submit creates the first document and updates it with the others. The last answer counts; the others must be good. A single
// document leaves nothing behind.
func submit(t *testing.T, file *ruleFile) error {
	t.Helper()
	first, updates := file.docs[0], file.docs[1:]
	if len(updates) == 0 {
		return server.Create(t.Context(), first, client.DryRunAll)
	}
	if err := create(t, first); err != nil {
		t.Fatalf("the first document is refused: %v", err)
	}
	for i, doc := range updates {
		doc.SetResourceVersion(first.GetResourceVersion())
		err := server.Update(t.Context(), doc)
		if err != nil || i == len(updates)-1 {
			return err
		}
		first = doc
	}
	return nil
}

// checkComplaints compares what the API server says with what the file wants, both ways: a manifest that is refused for a
// second reason proves little about the first.
func checkComplaints(t *testing.T, wants []want, err error) {
	t.Helper()
	complaints := complaintsOf(t, err)
	if len(wants) == 0 {
		t.Error("the file does not begin with `# want: field: message`")
	}
	for _, w := range wants {
		if !slices.ContainsFunc(complaints, w.matches) {
			t.Errorf("nothing is said about\n\t%s: %s", w.field, w.text)
		}
	}
	for _, c := range complaints {
		if !slices.ContainsFunc(wants, func(w want) bool { return w.matches(c) }) {
			t.Errorf("unexpected:\n\t%s: %s", c.field, c.text)
		}
	}
}

func (w want) matches(complaint want) bool {
	return w.field == complaint.field && strings.Contains(complaint.text, w.text)
}

// complaintsOf takes a refusal apart.
func complaintsOf(t *testing.T, err error) []want {
	t.Helper()
	var status *apierrors.StatusError
	if !errors.As(err, &status) || !apierrors.IsInvalid(err) || status.ErrStatus.Details == nil {
		t.Fatalf("refused for another reason than the schema: %v", err)
	}
	var complaints []want
	for _, cause := range status.ErrStatus.Details.Causes {
		// Said beside every complaint that keeps rules from being looked at.
		if !strings.Contains(cause.Message, "some validation rules were not checked") {
			complaints = append(complaints, want{cause.Field, cause.Message})
		}
	}
	return complaints
}
