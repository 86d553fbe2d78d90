package manifests

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/apikey"
)

func TestSource_quickstartServes(t *testing.T) {
	f := newFixture(t, quickstart())
	s := f.open(nil)
	if diff := cmp.Diff([]string{"deepseek-v4-pro"}, f.sink.models()); diff != "" {
		t.Errorf("models (-want +got):\n%s", diff)
	}
	if got := messages(f, s.Problems()); len(got) != 0 {
		t.Errorf("problems: %q", got)
	}
	generated := s.GeneratedKeys()
	want := []GeneratedKey{{Namespace: "default", Name: "dev", Path: filepath.Join(f.state, "default", "dev.key")}}
	if diff := cmp.Diff(want, generated); diff != "" {
		t.Fatalf("generated keys (-want +got):\n%s", diff)
	}
	plain, err := os.ReadFile(generated[0].Path)
	if err != nil {
		t.Fatal(err)
	}
	key := strings.TrimSpace(string(plain))
	if got := f.sink.key("default/dev"); got == nil || got.Hashes[0].Sum != apikey.Sum(key) || got.Prefix != apikey.Prefix(key) {
		t.Errorf("served key %+v is not that of the file", got)
	}
	if log := f.log.String(); strings.Contains(log, key) || strings.Contains(log, "sk-upstream-secret") {
		t.Errorf("a secret is in the log:\n%s", log)
	}
}

func TestSource_defaultsOfTheSchema(t *testing.T) {
	f := newFixture(t, map[string]string{
		"route.yaml":    routeYAML,
		"instance.yaml": "apiVersion: vipcloud.ai/v1alpha1\nkind: GatewayInstance\nmetadata: {name: default}\n",
	})
	f.open(nil)
	spec := f.sink.input.Routes[0].Spec
	if spec.Modality != v1alpha1.ModalityChat || spec.Availability != v1alpha1.AvailabilityLive || spec.Visibility != v1alpha1.VisibilityPublic {
		t.Errorf("route has modality %q, availability %q, visibility %q", spec.Modality, spec.Availability, spec.Visibility)
	}
	if i := f.sink.input.Instance.Spec; i.Replicas == nil || *i.Replicas != 2 || i.Currency != "USD" {
		t.Errorf("instance has replicas %v and currency %q", i.Replicas, i.Currency)
	}
}

func TestSource_instance(t *testing.T) {
	instance := func(namespace, name string) string {
		return "apiVersion: vipcloud.ai/v1alpha1\nkind: GatewayInstance\nmetadata: {name: " + name + ", namespace: " + namespace + "}\nspec: {}\n"
	}
	inNamespace := func(text, namespace string) string {
		return strings.Replace(text, "metadata: {name: ", "metadata: {namespace: "+namespace+", name: ", 1)
	}
	cases := map[string]struct {
		files    map[string]string
		pick     string
		want     string
		wantErr  string
		wantFrom v1alpha1.NamespacesFrom
	}{
		"none, routes without a namespace":   {files: map[string]string{"r.yaml": routeYAML}, want: "default/default", wantFrom: "All"},
		"none, routes of one namespace":      {files: map[string]string{"r.yaml": inNamespace(routeYAML, "shop")}, want: "shop/default", wantFrom: "All"},
		"none, routes of several namespaces": {files: map[string]string{"r.yaml": inNamespace(routeYAML, "shop"), "s.yaml": inNamespace(routeYAML, "games")}, want: "default/default", wantFrom: "All"},
		"an empty directory":                 {want: "default/default", wantFrom: "All"},
		"one":                                {files: map[string]string{"i.yaml": instance("a", "x")}, want: "a/x"},
		"several, one is picked by name":     {files: map[string]string{"i.yaml": instance("a", "x"), "j.yaml": instance("b", "w")}, pick: "w", want: "b/w"},
		"several, one is picked in full":     {files: map[string]string{"i.yaml": instance("a", "x"), "j.yaml": instance("b", "x")}, pick: "b/x", want: "b/x"},
		"several, none is picked":            {files: map[string]string{"i.yaml": instance("a", "x"), "j.yaml": instance("b", "w")}, wantErr: "there are a/x, b/w; choose one with --instance"},
		"several of the name that is picked": {files: map[string]string{"i.yaml": instance("a", "x"), "j.yaml": instance("b", "x")}, pick: "x", wantErr: "choose one as namespace/name"},
		"another than the one that is there": {files: map[string]string{"i.yaml": instance("a", "x")}, pick: "y", wantErr: "there is no GatewayInstance y, only a/x"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, tc.files)
			opts := f.options(nil)
			opts.Instance = tc.pick
			s, err := open(opts, schemas(t))
			if tc.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tc.wantErr) {
					t.Fatalf("error %v, want one with %q", err, tc.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := s.input.Instance
			if got.Namespace+"/"+got.Name != tc.want {
				t.Errorf("instance %s/%s, want %s", got.Namespace, got.Name, tc.want)
			}
			if tc.wantFrom != "" && got.Spec.Serves.Routes.Namespaces.From != tc.wantFrom {
				t.Errorf("serves routes from %q, want %q", got.Spec.Serves.Routes.Namespaces.From, tc.wantFrom)
			}
		})
	}
}

func TestNew_readsWhatIsThere(t *testing.T) {
	f := newFixture(t, quickstart())
	s, err := New(f.options(nil))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.GeneratedKeys()) != 1 || len(s.Problems()) != 0 || f.sink.tables != 0 {
		t.Errorf("keys %v, problems %v, %d tables; want a key, and nothing published before Run", s.GeneratedKeys(), s.Problems(), f.sink.tables)
	}
}

func TestNew_refuses(t *testing.T) {
	f := newFixture(t, quickstart())
	cases := map[string]struct {
		edit func(*Options)
		want string
	}{
		"no directory":                         {func(o *Options) { o.Dir = "" }, "both needed"},
		"a directory that does not exist":      {func(o *Options) { o.Dir = filepath.Join(f.dir, "nowhere") }, "no such file"},
		"state within the manifests":           {func(o *Options) { o.StateDir = filepath.Join(f.dir, "state", "keys") }, "is within manifests"},
		"state within them, by a link":         {func(o *Options) { o.StateDir = link(t, f.dir) + "/keys" }, "is within manifests"},
		"state that is the manifests":          {func(o *Options) { o.StateDir = f.dir }, "is within manifests"},
		"a sink that takes no table":           {func(o *Options) { o.Sink.Table = nil }, "sink needs"},
		"no directory and no sink, both named": {func(o *Options) { o.Dir, o.Sink.Keys = "", nil }, "sink needs"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			opts := f.options(nil)
			tc.edit(&opts)
			if _, err := open(opts, schemas(t)); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
		})
	}
}

// link makes a symbolic link to a directory.
func link(t *testing.T, target string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
	return path
}
