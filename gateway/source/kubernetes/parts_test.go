package kubernetes

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	clocktesting "k8s.io/utils/clock/testing"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/source"
	"vipcloud.ai/vipcloud/gateway/table"
)

func TestNewer(t *testing.T) {
	cases := map[string]struct{ old, candidate, want string }{
		"nothing yet":          {"", "5", "5"},
		"nothing new":          {"5", "", "5"},
		"later":                {"9", "10", "10"},
		"earlier":              {"10", "9", "10"},
		"longer than a number": {"99999999999999999999", "100000000000000000000", "100000000000000000000"},
		"no number: what came": {"abc", "7", "7"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := newer(tc.old, tc.candidate); got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}

func TestHeldNames(t *testing.T) {
	at := func(d time.Duration) time.Time { return time.Unix(1_800_000_000, 0).Add(d) }
	set := func(names ...string) map[string]struct{} {
		all := map[string]struct{}{}
		for _, n := range names {
			all[n] = struct{}{}
		}
		return all
	}
	h := heldNames{namespace: "system"}
	steps := []struct {
		after   time.Duration
		present map[string]struct{}
		want    map[string]string
		next    time.Duration
	}{
		{after: 0, present: set("a", "b")},
		{after: time.Minute, present: set("b"), want: map[string]string{"a": "system"}, next: 11 * time.Minute},
		{after: 2 * time.Minute, present: set(), want: map[string]string{"a": "system", "b": "system"}, next: 11 * time.Minute},
		{after: 3 * time.Minute, present: set("a"), want: map[string]string{"b": "system"}, next: 12 * time.Minute},
		{after: 12*time.Minute - 1, present: set("a"), want: map[string]string{"b": "system"}, next: 12 * time.Minute},
		{after: 12 * time.Minute, present: set("a")},
	}
	for _, s := range steps {
		h.observe(at(s.after), s.present)
		if diff := cmp.Diff(s.want, h.names()); diff != "" {
			t.Errorf("after %v held names (-want +got):\n%s", s.after, diff)
		}
		if got := h.next(); s.next == 0 && !got.IsZero() || s.next != 0 && !got.Equal(at(s.next)) {
			t.Errorf("after %v the next name is free at %v, want %v", s.after, got, at(s.next))
		}
	}
}

func TestNamesOf(t *testing.T) {
	route := func(namespace, name, model string, aliases ...v1alpha1.ModelName) *v1alpha1.ModelRoute {
		return &v1alpha1.ModelRoute{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Spec: v1alpha1.ModelRouteSpec{Model: v1alpha1.ModelName(model), Aliases: aliases},
		}
	}
	got := namesOf("system", []*v1alpha1.ModelRoute{
		route("system", "named", ""), route("system", "x", "model", "alias", "taken"), route("shop", "y", "taken"), route("shop", "z", "theirs", "alias"),
	})
	want := map[string]struct{}{"named": {}, "model": {}, "alias": {}, "taken": {}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

func TestScopes(t *testing.T) {
	selection := func(from v1alpha1.NamespacesFrom) *v1alpha1.AllowedNamespaces {
		return &v1alpha1.AllowedNamespaces{Namespaces: v1alpha1.NamespaceSelection{From: from}}
	}
	cases := map[string]struct {
		serves     *v1alpha1.Serves
		watched    []string
		wantRoutes []string
		wantKeys   []string
	}{
		"defaults":                    {wantRoutes: []string{"system"}, wantKeys: []string{everywhere}},
		"routes of all":               {serves: &v1alpha1.Serves{Routes: selection("All")}, wantRoutes: []string{everywhere}, wantKeys: []string{everywhere}},
		"routes by label, own keys":   {serves: &v1alpha1.Serves{Routes: selection("Selector"), Keys: &v1alpha1.ServedKeys{Namespaces: &selection("Same").Namespaces}}, wantRoutes: []string{everywhere}, wantKeys: []string{"system"}},
		"namespaced mode":             {watched: []string{"b", "a", "b"}, wantRoutes: []string{"system"}, wantKeys: []string{"a", "b"}},
		"namespaced mode, all routes": {serves: &v1alpha1.Serves{Routes: selection("All"), Keys: &v1alpha1.ServedKeys{Namespaces: &selection("Same").Namespaces}}, watched: []string{"b", "a"}, wantRoutes: []string{"a", "b"}, wantKeys: []string{"system"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			i := &v1alpha1.GatewayInstance{ObjectMeta: metav1.ObjectMeta{Namespace: "system"}, Spec: v1alpha1.GatewayInstanceSpec{Serves: tc.serves}}
			if diff := cmp.Diff(tc.wantRoutes, routeScope(i, tc.watched)); diff != "" {
				t.Errorf("routes (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.wantKeys, keyScope(i, tc.watched)); diff != "" {
				t.Errorf("keys (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFeed_reducesWhatItPassesOn(t *testing.T) {
	instance := types.NamespacedName{Namespace: "system", Name: "default"}
	c := clocktesting.NewFakeClock(time.Unix(1_800_000_000, 0))
	out := make(chan change, 8)
	w := &watcher{clock: c}
	f := &feed{ctx: t.Context(), from: w, out: out, reduce: reduceFor(kindKeys, instance)}
	ours := &v1alpha1.ApiKey{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "a", ResourceVersion: "3"}}
	ours.Status.Gateway = &v1alpha1.ObjectReference{Namespace: "system", Name: "default"}
	other := &v1alpha1.ApiKey{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "b", ResourceVersion: "4"}}

	streamed, err := f.Transformer()(ours)
	if err != nil {
		t.Fatal(err)
	}
	for _, do := range []func() error{
		func() error { return f.Replace([]any{streamed, other}, "5") }, // one came as a stream, one in a list
		func() error { return f.Add(ours) },
		func() error { return f.Update(other) },
		func() error { return f.Delete(ours) },
		f.Resync,
	} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
	}
	f.UpdateResourceVersion("6")
	close(out)
	var got []change
	for c := range out {
		got = append(got, c)
	}
	a := item{id: types.NamespacedName{Namespace: "shop", Name: "a"}, value: table.CompileKey(ours, instance)}
	b := item{id: types.NamespacedName{Namespace: "shop", Name: "b"}}
	want := []change{
		{from: w, op: opList, items: []item{a, b}, version: "5"},
		{from: w, op: opPut, items: []item{a}},
		{from: w, op: opPut, items: []item{b}},
		{from: w, op: opRemove, items: []item{a}},
		{from: w, op: opVersion, version: "6"},
	}
	if len(got) != len(want) {
		t.Fatalf("%d changes, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i].op != want[i].op || got[i].version != want[i].version || !equalItems(got[i].items, want[i].items) {
			t.Errorf("change %d is %+v, want %+v", i, got[i], want[i])
		}
	}
	if err := f.Add("nonsense"); err == nil {
		t.Error("an object without metadata was taken")
	}
}

// equalItems compares items by what they mean.
func equalItems(a, b []item) bool {
	equal := equalFor(kindKeys)
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].id != b[i].id || (a[i].value == nil) != (b[i].value == nil) || a[i].value != nil && !equal(a[i].value, b[i].value) {
			return false
		}
	}
	return true
}

func TestFeed_endsWithItsWatch(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f := &feed{ctx: ctx, from: &watcher{clock: clocktesting.NewFakeClock(time.Now())}, out: make(chan change)}
	done := make(chan struct{})
	go func() { defer close(done); f.UpdateResourceVersion("1") }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Error("a change that nobody takes blocks for ever")
	}
}

func TestStaleness_isThatOfTheOldestWatchThatIsNeeded(t *testing.T) {
	c := clocktesting.NewFakeClock(time.Unix(1_800_000_000, 0))
	ws := newWatchers(c, nil)
	if got := ws.staleness(); got != 0 {
		t.Errorf("without watches: %v", got)
	}
	a, b := &watcher{clock: c, cancel: func() {}}, &watcher{clock: c, cancel: func() {}}
	for _, w := range []*watcher{a, b} {
		w.sign()
		ws.running[w] = struct{}{}
	}
	c.Step(time.Minute)
	b.sign()
	c.Step(time.Second)
	if got := ws.staleness(); got != time.Minute+time.Second {
		t.Errorf("with a silent watch: %v", got)
	}
	ws.stop(a)
	if got := ws.staleness(); got != time.Second {
		t.Errorf("without the silent watch: %v", got)
	}
}

func TestNew_refuses(t *testing.T) {
	good := Options{
		Config: &rest.Config{Host: "https://127.0.0.1:1"}, Instance: types.NamespacedName{Namespace: "n", Name: "i"},
		Sink: source.Sink{Table: func(table.Input) {}, Keys: &rig{}},
	}
	if _, err := New(good); err != nil {
		t.Fatalf("good options: %v", err)
	}
	cases := map[string]func(*Options){
		"no config":    func(o *Options) { o.Config = nil },
		"no instance":  func(o *Options) { o.Instance.Name = "" },
		"no namespace": func(o *Options) { o.Instance.Namespace = "" },
		"no table":     func(o *Options) { o.Sink.Table = nil },
		"no keys":      func(o *Options) { o.Sink.Keys = nil },
		"a bad host":   func(o *Options) { o.Config = &rest.Config{Host: "http://[::"} },
	}
	for name, edit := range cases {
		t.Run(name, func(t *testing.T) {
			o := good
			edit(&o)
			if _, err := New(o); err == nil {
				t.Error("no error")
			}
		})
	}
}

func TestEnableHealthPings(t *testing.T) {
	t.Setenv("HTTP2_READ_IDLE_TIMEOUT_SECONDS", "")
	t.Setenv("HTTP2_PING_TIMEOUT_SECONDS", "7")
	if err := os.Unsetenv("HTTP2_READ_IDLE_TIMEOUT_SECONDS"); err != nil {
		t.Fatal(err)
	}
	if err := EnableHealthPings(); err != nil {
		t.Fatal(err)
	}
	if idle, ping := os.Getenv("HTTP2_READ_IDLE_TIMEOUT_SECONDS"), os.Getenv("HTTP2_PING_TIMEOUT_SECONDS"); idle != "10" || ping != "7" {
		t.Errorf("idle %q, ping %q; want 10 and the 7 that somebody chose", idle, ping)
	}
}

func TestPublish_survivesATableThatPanics(t *testing.T) {
	b := &bench{t: t, keys: map[string]*table.Key{}}
	s, err := New(Options{
		Config: &rest.Config{Host: "https://127.0.0.1:1"}, Instance: types.NamespacedName{Namespace: "n", Name: "i"},
		Sink: source.Sink{Table: func(table.Input) { panic("a bad object") }, Keys: b},
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.publish(table.Input{}) {
		t.Error("a table that panicked counts as served")
	}
}
