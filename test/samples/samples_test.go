package samples_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/provider/all"
	"vipcloud.ai/vipcloud/gateway/table"
	"vipcloud.ai/vipcloud/test/sim"
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
		if err := yaml.UnmarshalStrict(document, object); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		s.files[object] = filepath.Base(path)
	}
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
		in.CredentialStates[types.NamespacedName{Namespace: c.Namespace, Name: c.Name}] = table.CredentialState{
			Entries: map[string]table.Secret{v1alpha1.SecretEntryApiKey: table.NewSecret("made-by-the-admin")},
		}
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

func TestCatalog_HasEveryVendor(t *testing.T) {
	set := readSamples(t, catalog)
	vendorOf := map[string]v1alpha1.Provider{}
	for _, c := range set.credentials {
		vendorOf[c.Namespace+"/"+c.Name] = c.Spec.Provider
	}
	routes := map[v1alpha1.Provider]int{}
	for _, r := range set.routes {
		for _, target := range r.Spec.Targets {
			routes[vendorOf[r.Namespace+"/"+string(target.Credential.Name)]]++
		}
	}
	for name, info := range providers() {
		// OpenAI is a protocol, not a vendor: its upstream is somebody's own.
		if info.Chat && name != v1alpha1.ProviderOpenAI && routes[name] == 0 {
			t.Errorf("provider %s has no route", name)
		}
	}
	if len(set.secrets) > 0 {
		t.Error("the catalog holds Secrets; applying it would overwrite those of the admin")
	}
}

func TestCatalog_NamesAreUniqueAcrossFiles(t *testing.T) {
	set := readSamples(t, catalog)
	objects, names := map[string]string{}, map[string]string{}
	claim := func(claims map[string]string, name, by string) {
		if other, taken := claims[name]; taken {
			t.Errorf("%s: %q is taken by %s", by, name, other)
		}
		claims[name] = by
	}
	for _, r := range set.routes {
		at := set.files[r] + " " + r.Name
		claim(objects, "ModelRoute "+r.Name, at)
		claim(names, publicName(r), at)
		for _, alias := range r.Spec.Aliases {
			claim(names, string(alias), at)
		}
		if r.Namespace != "vipcloud-system" {
			t.Errorf("%s is in namespace %q", at, r.Namespace)
		}
	}
	for _, c := range set.credentials {
		claim(objects, "ProviderCredential "+c.Name, set.files[c]+" "+c.Name)
	}
}

// publicName is the name that clients send.
func publicName(r *v1alpha1.ModelRoute) string {
	if r.Spec.Model != "" {
		return string(r.Spec.Model)
	}
	return r.Name
}

func TestCatalog_ThinkingModelsHaveTimeToThink(t *testing.T) {
	thinking := 0
	for _, r := range readSamples(t, catalog, quickstart).routes {
		if r.Spec.Display == nil || !slices.Contains(r.Spec.Display.Tags, "reasoning") {
			continue
		}
		thinking++
		if r.Spec.Timeouts == nil || r.Spec.Timeouts.Response != "600s" {
			t.Errorf("%s thinks, and timeouts.response is not 600s", r.Name)
		}
	}
	if thinking < 40 {
		t.Errorf("only %d routes are tagged as thinking", thinking)
	}
}

func TestCatalog_PricesAreWholeAndInTheInstancesCurrency(t *testing.T) {
	priced := map[string]bool{}
	for _, r := range readSamples(t, catalog).routes {
		p := r.Spec.Pricing
		if p == nil {
			continue
		}
		priced[r.Name] = true
		if p.Currency != table.DefaultCurrency {
			t.Errorf("%s is priced in %s, which an instance with defaults refuses", r.Name, p.Currency)
		}
		if p.InputPerMillionTokens == nil || p.OutputPerMillionTokens == nil {
			t.Errorf("%s has a price for one direction only", r.Name)
		}
	}
	want := []string{
		"deepseek-flash", "deepseek-v4-pro", "glm-4.5-flash", "glm-4.7-flash", "glm-5.1", "glm-5.2", "glm-5.3", "glm-5.3-flash",
		"minimax-m2.7", "minimax-m2.7-highspeed", "minimax-m3",
	}
	// A price must come from the vendor's own list. Whoever adds one checks that, and adds the name here.
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(priced))); diff != "" {
		t.Errorf("priced routes differ (-want +got):\n%s", diff)
	}
}

func TestCatalog_PriceDependsOnTimeAndLength(t *testing.T) {
	served, _ := table.Build(readSamples(t, catalog).input())
	deepseek, minimax := served.Resolve("deepseek-v4-pro").Pricing, served.Resolve("MiniMax-M3").Pricing
	for name, tc := range map[string]struct {
		pricing    *table.Pricing
		tokens     int64
		at         string
		wantDouble bool
	}{
		"deepseek at nine on a Monday in Shanghai": {deepseek, 1, "2026-11-23T01:00:00Z", true},
		"deepseek at lunch":                        {deepseek, 1, "2026-11-23T04:30:00Z", false},
		"deepseek in the last minute of the day":   {deepseek, 1, "2026-11-23T09:59:00Z", true},
		"deepseek on a Sunday":                     {deepseek, 1, "2026-11-22T01:00:00Z", false},
		"minimax with a prompt at the edge":        {minimax, 512000, "2026-11-22T01:00:00Z", false},
		"minimax with a longer prompt":             {minimax, 512001, "2026-11-22T01:00:00Z", true},
	} {
		t.Run(name, func(t *testing.T) {
			got := tc.pricing.At(tc.tokens, instant(t, tc.at))
			if doubled := got.Output == 2*tc.pricing.Base.Output && got.Input == 2*tc.pricing.Base.Input; doubled != tc.wantDouble {
				t.Errorf("prices are %+v, base is %+v, want doubled: %t", got, tc.pricing.Base, tc.wantDouble)
			}
		})
	}
}

// instant reads a time.
func instant(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestCatalog_SimulatorsServeEveryModel(t *testing.T) {
	// Sold at one of the vendor's two sites only; the simulator knows the others.
	elsewhere := []string{"glm-4-32b-0414-128k", "glm-4.5-x", "glm-5v-turbo"}
	served, _ := table.Build(readSamples(t, catalog).input())
	models := map[string][]string{}
	for _, vendor := range sim.Vendors() {
		models[strings.ToLower(string(vendor))] = sim.New(vendor, sim.Options{}).Models()
	}
	for _, r := range served.Routes() {
		for _, tier := range r.Tiers {
			for _, target := range tier.Targets {
				known := models[strings.ToLower(target.Credential.Provider)]
				if !slices.Contains(known, target.Model) && !slices.Contains(elsewhere, target.Model) {
					t.Errorf("%s: the simulator of %s does not know %s", r.Model, target.Credential.Provider, target.Model)
				}
			}
		}
	}
}
