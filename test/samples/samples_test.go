package samples_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/cmd/vipcloud/lint"
	"vipcloud.ai/vipcloud/gateway/provider/all"
	"vipcloud.ai/vipcloud/gateway/table"
)

const (
	root       = "../.."
	quickstart = "config/samples/quickstart"
	catalog    = "config/samples/catalog"
)

// sampleSet is what a directory of samples holds, by kind.
type sampleSet struct {
	routes      []*v1alpha1.ModelRoute
	keys        []*v1alpha1.ApiKey
	credentials []*v1alpha1.ProviderCredential
	instances   []*v1alpha1.GatewayInstance
	secrets     []*corev1.Secret
	// files are where the routes and credentials stand.
	files map[metav1.Object]string
}

// readSamples decodes every manifest of the directories, strictly.
func readSamples(t *testing.T, dirs ...string) *sampleSet {
	t.Helper()
	set := &sampleSet{files: map[metav1.Object]string{}}
	for _, dir := range dirs {
		paths, err := filepath.Glob(filepath.Join(root, dir, "*.yaml"))
		if err != nil || len(paths) == 0 {
			t.Fatalf("no manifests in %s: %v", dir, err)
		}
		for _, path := range paths {
			set.readFile(t, path)
		}
	}
	return set
}

// readFile decodes the documents of one file.
func (s *sampleSet) readFile(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		var meta metav1.TypeMeta
		if err := yaml.Unmarshal(document, &meta); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		object := s.add(meta.Kind)
		if object == nil {
			t.Fatalf("%s: kind %q is no kind of a sample", path, meta.Kind)
		}
		if err := decodeStrict(document, object); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		s.files[object] = filepath.Base(path)
	}
}

// decodeStrict decodes as an API server does: names of fields have one spelling, and no other fields are known.
func decodeStrict(document []byte, into any) error {
	data, err := yaml.YAMLToJSONStrict(document)
	if err != nil {
		return err
	}
	unknown, err := kjson.UnmarshalStrict(data, into)
	return errors.Join(append(unknown, err)...)
}

// add makes room for an object of a kind, nil for other kinds.
func (s *sampleSet) add(kind string) metav1.Object {
	switch kind {
	case "ModelRoute":
		return push(&s.routes)
	case "ApiKey":
		return push(&s.keys)
	case "ProviderCredential":
		return push(&s.credentials)
	case "GatewayInstance":
		return push(&s.instances)
	case "Secret":
		return push(&s.secrets)
	case "UsageReport":
		return &v1alpha1.UsageReport{} // only pages show one
	}
	return nil
}

// push appends a new element and returns it.
func push[T any](list *[]*T) *T {
	item := new(T)
	*list = append(*list, item)
	return item
}

// providers is what the table must know of the adapters.
func providers() table.Providers {
	p := table.Providers{}
	for name, a := range all.Adapters() {
		p[v1alpha1.Provider(name)] = a.Info
	}
	return p
}

// input is a set as the instance default sees it once an admin has made every Secret.
func (s *sampleSet) input() table.Input {
	in := table.Input{
		Instance: &v1alpha1.GatewayInstance{ObjectMeta: metav1.ObjectMeta{Namespace: "vipcloud-system", Name: "default"}},
		Routes:   s.routes, Keys: s.keys, Credentials: s.credentials,
		CredentialStates: map[types.NamespacedName]table.CredentialState{},
		Providers:        providers(),
		NoCreationTimes:  true,
	}
	if len(s.instances) > 0 {
		in.Instance = s.instances[0]
	}
	for _, k := range in.Keys {
		k.Status.Gateway = &v1alpha1.ObjectReference{
			Namespace: v1alpha1.NamespaceName(in.Instance.Namespace), Name: v1alpha1.ObjectName(in.Instance.Name),
		}
	}
	for _, c := range s.credentials {
		state := table.CredentialState{Entries: map[string]table.Secret{}}
		if sets := in.Providers[c.Spec.Provider].Entries; len(sets) > 0 {
			for _, entry := range sets[0] {
				state.Entries[entry] = table.NewSecret("made-by-the-admin")
			}
		}
		in.CredentialStates[types.NamespacedName{Namespace: c.Namespace, Name: c.Name}] = state
	}
	return in
}

func TestSamples_AreServedWithoutComplaint(t *testing.T) {
	for name, dirs := range map[string][]string{
		"quickstart alone":                         {quickstart},
		"catalog alone":                            {catalog},
		"quickstart beside what the catalog adds":  {quickstart, catalog},
		"catalog applied before the quickstart is": {catalog, quickstart},
	} {
		t.Run(name, func(t *testing.T) {
			set := readSamples(t, dirs...)
			set.dropTwins()
			served, findings := table.Build(set.input())
			for _, f := range findings {
				unpriced := f.Type == v1alpha1.ConditionPriced && f.Reason == v1alpha1.ReasonUnpriced
				if !f.Status && !unpriced {
					t.Errorf("%s: %s=False, %s (%s): %s", f.Object, f.Type, f.Reason, f.Severity, f.Message)
				}
				if f.Reason == v1alpha1.ReasonPartiallyAccepted {
					t.Errorf("%s loses an alias: %s", f.Object, f.Message)
				}
			}
			for _, r := range set.routes {
				if served.Route(r.Namespace, r.Name) == nil {
					t.Errorf("ModelRoute %s/%s is not served", r.Namespace, r.Name)
				}
			}
		})
	}
}

func TestSamples_PassLint(t *testing.T) {
	for _, dir := range []string{quickstart, catalog, "config/samples"} {
		t.Run(dir, func(t *testing.T) {
			findings, err := lint.Run(t.Context(), []string{filepath.Join(root, dir)}, nil, providers())
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range findings {
				// Secrets are the admin's to make.
				if f.Severity == lint.Error || (f.Severity == lint.Warning && f.Reason != v1alpha1.ReasonRefNotFound) {
					t.Error(f)
				}
			}
		})
	}
}

// dropTwins drops objects that stand in both directories, which an API server sees once.
func (s *sampleSet) dropTwins() {
	s.routes = slices.CompactFunc(sorted(s.routes), sameObject)
	s.credentials = slices.CompactFunc(sorted(s.credentials), sameObject)
}

// sorted returns objects by namespace and name.
func sorted[T metav1.Object](objects []T) []T {
	return slices.SortedStableFunc(slices.Values(objects), func(a, b T) int {
		return slices.Compare([]string{a.GetNamespace(), a.GetName()}, []string{b.GetNamespace(), b.GetName()})
	})
}

// sameObject says that two objects of a kind have one name.
func sameObject[T metav1.Object](a, b T) bool {
	return a.GetNamespace() == b.GetNamespace() && a.GetName() == b.GetName()
}

func TestSamples_NothingDiffersBetweenTheDirectories(t *testing.T) {
	first, second := readSamples(t, quickstart), readSamples(t, catalog)
	shared := 0
	for _, a := range first.routes {
		for _, b := range second.routes {
			if sameObject(a, b) {
				shared++
				if diff := cmp.Diff(a, b); diff != "" {
					t.Errorf("ModelRoute %s differs (-quickstart +catalog):\n%s", a.Name, diff)
				}
			}
		}
	}
	for _, a := range first.credentials {
		for _, b := range second.credentials {
			if sameObject(a, b) {
				shared++
				if diff := cmp.Diff(a, b); diff != "" {
					t.Errorf("ProviderCredential %s differs (-quickstart +catalog):\n%s", a.Name, diff)
				}
			}
		}
	}
	if shared != 2 {
		t.Errorf("%d objects stand in both directories, want the route and the credential of the quickstart", shared)
	}
}
