package controllers

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

// meta0 is the metadata of an object in pure tests.
func meta0(namespace, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(namespace + "/" + name), Generation: 1,
		CreationTimestamp: metav1.NewTime(noon())}
}

// pureInputs are some routes and keys of one instance, all of which use one credential.
func pureInputs(routes, keys int) (*inputs, map[types.NamespacedName]table.CredentialState) {
	in := &inputs{namespaces: map[string]map[string]string{"sys": nil}}
	in.instances = []*v1alpha1.GatewayInstance{{ObjectMeta: meta0("sys", "default")}}
	in.credentials = []*v1alpha1.ProviderCredential{{ObjectMeta: meta0("sys", "cred"), Spec: v1alpha1.ProviderCredentialSpec{
		Provider: v1alpha1.ProviderDeepSeek, Endpoint: "https://api.example.com", SecretRef: v1alpha1.LocalObjectReference{Name: "cred"}}}}
	for i := range routes {
		in.routes = append(in.routes, &v1alpha1.ModelRoute{ObjectMeta: meta0("sys", fmt.Sprintf("m%d", i)), Spec: v1alpha1.ModelRouteSpec{
			Availability: v1alpha1.AvailabilityLive,
			Targets:      []v1alpha1.Target{{Name: "a", Credential: v1alpha1.ObjectReference{Name: "cred"}}}}})
	}
	for i := range keys {
		in.keys = append(in.keys, &v1alpha1.ApiKey{ObjectMeta: meta0("sys", fmt.Sprintf("k%d", i)), Status: v1alpha1.ApiKeyStatus{
			Gateway: &v1alpha1.ObjectReference{Namespace: "sys", Name: "default"},
			Hashes:  []v1alpha1.KeyHash{{SHA256: fmt.Sprintf("%064x", i+1)}}}})
	}
	states := map[types.NamespacedName]table.CredentialState{
		{Namespace: "sys", Name: "cred"}: {Entries: map[string]table.Secret{"api-key": table.NewSecret("sk-1")}}}
	return in, states
}

func TestInputs_Compile(t *testing.T) {
	in, states := pureInputs(2, 3)
	opts := Options{Providers: testProviders()}
	c, again := in.compile(opts, states, newTenures(&shiftedClock{}))
	if again != 0 {
		t.Errorf("look again after %s", again)
	}
	name := types.NamespacedName{Namespace: "sys", Name: "default"}
	v := c.instances[name]
	if v.routes != 2 || v.keys != 3 || v.problem != nil || v.secretProblem != nil || v.digest == "" {
		t.Errorf("instance %+v", v)
	}
	route := c.verdicts[table.ObjectRef{Kind: "ModelRoute", Namespace: "sys", Name: "m1"}]
	if route.usable != 1 || route.all != 1 || route.model != "m1" || !slices.Equal(route.instances, []types.NamespacedName{name}) {
		t.Errorf("route %+v", route)
	}
	if cred := c.verdicts[table.ObjectRef{Kind: "ProviderCredential", Namespace: "sys", Name: "cred"}]; cred.endpoint != "https://api.example.com" {
		t.Errorf("credential %+v", cred)
	}
	if got := len(c.changed(nil)); got != 2+3+1+1 {
		t.Errorf("%d objects are new", got)
	}

	same, _ := in.compile(opts, states, newTenures(&shiftedClock{}))
	if got := same.changed(c); len(got) > 0 {
		t.Errorf("compiling the same again changes %v", got)
	}

	in.routes[0].Generation = 2
	in.keys[1].Status.Hashes = []v1alpha1.KeyHash{{SHA256: hashA}}
	next, _ := in.compile(opts, states, newTenures(&shiftedClock{}))
	want := []table.ObjectRef{{Kind: "ApiKey", Namespace: "sys", Name: "k1"}, {Kind: "ModelRoute", Namespace: "sys", Name: "m0"}}
	got := next.changed(c)
	slices.SortFunc(got, func(a, b table.ObjectRef) int { return strings.Compare(a.String(), b.String()) })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("changed -want +got:\n%s", diff)
	}

	states[types.NamespacedName{Namespace: "sys", Name: "cred"}] = table.CredentialState{
		Entries: map[string]table.Secret{"api-key": table.NewSecret("sk-2")}}
	rotated, _ := in.compile(opts, states, newTenures(&shiftedClock{}))
	if diff := cmp.Diff([]table.ObjectRef{{Kind: "GatewayInstance", Namespace: "sys", Name: "default"}}, rotated.changed(next)); diff != "" {
		t.Errorf("a rotated Secret concerns the instance alone; -want +got:\n%s", diff)
	}
}

func TestInputs_Compile_TheWorstOfTwoInstancesIsSaidWithItsName(t *testing.T) {
	in, states := pureInputs(0, 0)
	in.instances = append(in.instances, &v1alpha1.GatewayInstance{ObjectMeta: meta0("sys", "other"),
		Spec: v1alpha1.GatewayInstanceSpec{Currency: "CNY"}})
	zero := v1alpha1.Decimal("0")
	in.routes = []*v1alpha1.ModelRoute{{ObjectMeta: meta0("sys", "m"), Spec: v1alpha1.ModelRouteSpec{
		Availability: v1alpha1.AvailabilitySoon, Pricing: &v1alpha1.Pricing{Currency: "USD", Prices: v1alpha1.Prices{PerRequest: &zero}}}}}
	c, _ := in.compile(Options{Providers: testProviders()}, states, newTenures(&shiftedClock{}))
	v := c.verdicts[table.ObjectRef{Kind: "ModelRoute", Namespace: "sys", Name: "m"}]
	if len(v.instances) != 2 {
		t.Errorf("served by %v", v.instances)
	}
	for _, f := range v.findings {
		if !f.Status && f.Reason == v1alpha1.ReasonCurrencyMismatch {
			if !strings.Contains(f.Message, "GatewayInstance sys/other: ") {
				t.Errorf("message %q", f.Message)
			}
			return
		}
	}
	t.Errorf("no instance minds the currency: %+v", v.findings)
}

func TestCompilations_KnowOnlyWhatTheyHaveSeen(t *testing.T) {
	in, states := pureInputs(1, 0)
	cs, ref := &compilations{}, table.ObjectRef{Kind: "ModelRoute", Namespace: "sys", Name: "m0"}
	seen := sightOf(in.routes[0])
	if _, known := cs.verdict(ref, seen); known {
		t.Error("something is known before the first compilation")
	}
	c, _ := in.compile(Options{Providers: testProviders()}, states, newTenures(&shiftedClock{}))
	cs.current.Store(c)
	if _, known := cs.verdict(ref, seen); !known {
		t.Error("what was seen is not known")
	}
	for name, other := range map[string]sight{"generation": {seen.uid, "2"}, "object": {"another", seen.token}} {
		if _, known := cs.verdict(ref, other); known {
			t.Errorf("a verdict on another %s is passed off as one on this", name)
		}
	}
}

func TestTokenOf_AKeyIsAlsoWhatItPublishes(t *testing.T) {
	end := metav1.NewTime(noon())
	base := func() *v1alpha1.ApiKey {
		return &v1alpha1.ApiKey{ObjectMeta: meta0("n", "k"), Status: v1alpha1.ApiKeyStatus{
			Gateway: &v1alpha1.ObjectReference{Namespace: "n", Name: "g"}, Hashes: []v1alpha1.KeyHash{{SHA256: hashA}}}}
	}
	cases := map[string]struct {
		edit func(*v1alpha1.ApiKey)
		want bool
	}{
		"nothing":        {func(*v1alpha1.ApiKey) {}, false},
		"conditions":     {func(k *v1alpha1.ApiKey) { k.Status.Conditions = []metav1.Condition{{Type: "Ready"}} }, false},
		"generation":     {func(k *v1alpha1.ApiKey) { k.Generation = 2 }, true},
		"another hash":   {func(k *v1alpha1.ApiKey) { k.Status.Hashes[0].SHA256 = hashB }, true},
		"a further hash": {func(k *v1alpha1.ApiKey) { k.Status.Hashes = append(k.Status.Hashes, v1alpha1.KeyHash{SHA256: hashB}) }, true},
		"an end":         {func(k *v1alpha1.ApiKey) { k.Status.Hashes[0].NotAfter = &end }, true},
		"gateway":        {func(k *v1alpha1.ApiKey) { k.Status.Gateway.Name = "h" }, true},
		"no gateway":     {func(k *v1alpha1.ApiKey) { k.Status.Gateway = nil }, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			k := base()
			tc.edit(k)
			if got := contentChanged(base(), k); got != tc.want {
				t.Errorf("changed is %v", got)
			}
		})
	}
}

func TestMerge_TheWorstFindingOfAllInstances(t *testing.T) {
	f := func(kind string, ok bool, s table.Severity, reason string) table.Finding {
		return table.Finding{Type: kind, Status: ok, Severity: s, Reason: reason}
	}
	good, bad := f("Accepted", true, table.Info, "Accepted"), f("Accepted", false, table.Invalid, "Invalid")
	lost, partly := f("Accepted", false, table.Invalid, "NameTaken"), f("Accepted", true, table.Info, "PartiallyAccepted")
	partly.Message = "one instance serves this route; another does not: "
	missing, degraded := f("ResolvedRefs", false, table.Missing, "RefNotFound"), f("ResolvedRefs", false, table.Degraded, "X")
	cases := map[string]struct{ a, b, want table.Findings }{
		"first":                          {nil, table.Findings{good}, table.Findings{good}},
		"good and bad":                   {table.Findings{good}, table.Findings{bad}, table.Findings{bad}},
		"bad and good":                   {table.Findings{bad}, table.Findings{good}, table.Findings{bad}},
		"name lost in one instance only": {table.Findings{good}, table.Findings{lost}, table.Findings{partly}},
		"in any order":                   {table.Findings{lost}, table.Findings{good}, table.Findings{partly}},
		"name lost in all":               {table.Findings{lost}, table.Findings{lost}, table.Findings{lost}},
		"name lost in one, bad in other": {table.Findings{lost}, table.Findings{bad}, table.Findings{bad}},
		"worse":                          {table.Findings{degraded}, table.Findings{missing}, table.Findings{missing}},
		"one more type":                  {table.Findings{good}, table.Findings{good, missing}, table.Findings{good, missing}},
		"same condition":                 {table.Findings{good}, table.Findings{good}, table.Findings{good}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			before := slices.Clone(tc.a)
			if diff := cmp.Diff(tc.want, merge(tc.a, tc.b)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if diff := cmp.Diff(before, tc.a); diff != "" {
				t.Error("merging changes its input")
			}
		})
	}
}

func TestCompiledEntries_RefuseWhatDoesNotFit(t *testing.T) {
	of := func(size int) []table.CompiledCredential {
		return []table.CompiledCredential{{Credential: &v1alpha1.ProviderCredential{ObjectMeta: meta0("n", "c")},
			State: table.CredentialState{CABundle: make([]byte, size)}}}
	}
	if entries, digest, p := compiledEntries(of(1<<10), nil); p != nil || len(entries) == 0 || digest == "" {
		t.Errorf("a small one: %+v", p)
	}
	entries, digest, p := compiledEntries(of(maxCompiledBytes), nil)
	if p == nil || p.Reason != v1alpha1.ReasonSecretTooLarge || entries != nil || digest != "" {
		t.Errorf("a large one: %+v", p)
	}
	several := append(of(500<<10), of(1<<10)...)
	several = append(several, append(of(600<<10), append(of(2<<10), of(10)...)...)...)
	for i, name := range []string{"second", "fourth", "first", "third", "fifth"} {
		several[i].Credential = &v1alpha1.ProviderCredential{ObjectMeta: meta0("n", name)}
	}
	_, _, p = compiledEntries(several, nil)
	if p == nil || !regexp.MustCompile(`n/first \(\d+ bytes\), n/second \(\d+ bytes\), n/third \(\d+ bytes\);`).MatchString(p.Message) ||
		strings.Contains(p.Message, "n/fourth") {
		t.Errorf("the largest are not named: %+v", p)
	}
}

func TestDigestOf_TellsEntriesApart(t *testing.T) {
	digests := map[string]bool{}
	for _, entries := range []map[string][]byte{
		{}, {"a": nil}, {"a": []byte("b")}, {"ab": nil}, {"a": []byte("b"), "c": []byte("d")}, {"a": []byte("bc"), "": []byte("d")},
	} {
		digests[digestOf(entries)] = true
	}
	if len(digests) != 6 {
		t.Errorf("%d digests of 6 contents", len(digests))
	}
}

func TestTenures(t *testing.T) {
	c := &shiftedClock{}
	tenures, instance := newTenures(c), &v1alpha1.GatewayInstance{ObjectMeta: meta0("sys", "default")}
	all := []*v1alpha1.GatewayInstance{instance}
	tenures.note(instance, map[string]string{"chat": "sys", "image": "tenant"})
	if diff := cmp.Diff(map[string]string{"chat": "sys"}, tenures.of(instance)); diff != "" {
		t.Errorf("names of the platform, and only its (-want +got):\n%s", diff)
	}
	if again := tenures.expire(all); again != 0 {
		t.Errorf("names that are held end after %s", again)
	}
	tenures.note(instance, nil)
	if diff := cmp.Diff(map[string]string{"chat": "sys"}, tenures.of(instance)); diff != "" {
		t.Errorf("names just given up by the platform, and only by it (-want +got):\n%s", diff)
	}
	if again := tenures.expire(all); again <= 0 || again > table.NameTenure {
		t.Errorf("look again after %s", again)
	}
	c.step(table.NameTenure / 2)
	tenures.note(instance, nil)
	c.step(table.NameTenure / 2)
	if got := tenures.of(instance); len(got) != 0 {
		t.Errorf("kept for longer than the tenure: %v", got)
	}
	tenures.expire(all)
	tenures.note(instance, map[string]string{"chat": "sys"})
	tenures.note(instance, nil)
	tenures.note(instance, map[string]string{"chat": "tenant"})
	if got := tenures.of(instance); len(got) != 0 {
		t.Errorf("a name that has a new holder is kept: %v", got)
	}
	tenures.expire(nil)
	if len(tenures.byUID) != 0 {
		t.Error("an instance that is gone is remembered")
	}
}

// fakeReader answers as a test wants.
type fakeReader struct {
	get   func(client.Object) error
	calls int
}

// Get implements client.Reader.
func (f *fakeReader) Get(_ context.Context, _ client.ObjectKey, obj client.Object, _ ...client.GetOption) error {
	f.calls++
	return f.get(obj)
}

// List implements client.Reader.
func (f *fakeReader) List(context.Context, client.ObjectList, ...client.ListOption) error {
	return errors.New("unexpected list")
}

func TestContentStore_ReadsOnlyWhatChanged(t *testing.T) {
	ref := contentRef{kind: kindSecret, name: types.NamespacedName{Namespace: "n", Name: "s"}}
	notFound := apierrors.NewNotFound(schema.GroupResource{Resource: "secrets"}, "s")
	version, value := "1", "one"
	var failure error
	cached := &fakeReader{get: func(obj client.Object) error {
		if version == "" {
			return notFound
		}
		obj.SetResourceVersion(version)
		return nil
	}}
	live := &fakeReader{get: func(obj client.Object) error {
		secret := obj.(*corev1.Secret)
		secret.ResourceVersion, secret.Data = version, map[string][]byte{"k": []byte(value)}
		return failure
	}}
	s := newContentStore(cached, live)
	if s.concerns(ref) {
		t.Error("an object is of concern that nobody refers to")
	}
	s.expect(map[contentRef]bool{ref: true})
	if !s.concerns(ref) {
		t.Error("an object is of no concern that somebody refers to")
	}
	read := func(want string, wantCalls int) {
		t.Helper()
		entries, err := s.read(t.Context(), ref)
		if got := string(entries["k"]); err != nil || got != want || live.calls != wantCalls {
			t.Errorf("got %q, want %q; %d reads, want %d; %v", got, want, live.calls, wantCalls, err)
		}
	}
	read("one", 1)
	read("one", 1)
	version, value = "2", "two"
	read("two", 2)
	version = ""
	read("", 2)
	version, failure = "3", errors.New("timeout")
	if _, err := s.read(t.Context(), ref); err == nil {
		t.Error("an object that could not be read counts as absent")
	}
	failure = notFound
	read("", 4)
	failure = nil
	read("two", 5)
	s.expect(nil)
	if len(s.held) > 0 {
		t.Error("contents are held that nobody refers to")
	}
}

func TestCompiler_AnUnreadableSecretKeepsItsLastState(t *testing.T) {
	failing := false
	op := &operator{opts: Options{Providers: testProviders()}}
	cached := &fakeReader{get: func(obj client.Object) error { obj.SetResourceVersion(fmt.Sprint(failing)); return nil }}
	live := &fakeReader{get: func(obj client.Object) error {
		if failing {
			return apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "s", errors.New("no"))
		}
		secret := obj.(*corev1.Secret)
		secret.ResourceVersion, secret.Data = fmt.Sprint(failing), map[string][]byte{"api-key": []byte("sk")}
		return nil
	}}
	c := &compiler{op: op, contents: newContentStore(cached, live)}
	in, _ := pureInputs(0, 0)
	states, err := c.credentialStates(t.Context(), in.credentials)
	if err != nil {
		t.Fatal(err)
	}
	c.states, failing = states, true
	in.credentials = append(in.credentials, &v1alpha1.ProviderCredential{ObjectMeta: meta0("sys", "new"), Spec: in.credentials[0].Spec})
	again, err := c.credentialStates(t.Context(), in.credentials)
	if err == nil || strings.Contains(err.Error(), "sk") {
		t.Errorf("error %v", err)
	}
	if old := again[types.NamespacedName{Namespace: "sys", Name: "cred"}]; old.Problem != nil || len(old.Entries) != 1 {
		t.Errorf("the known one: %+v", old.Problem)
	}
	if fresh := again[types.NamespacedName{Namespace: "sys", Name: "new"}]; fresh.Problem == nil || fresh.Problem.Severity != table.Missing {
		t.Errorf("the new one: %+v", fresh.Problem)
	}
}

func TestCompiler_DebounceWaitsForQuietButNotForEver(t *testing.T) {
	c := &compiler{nudge: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	stop, done := make(chan struct{}), make(chan struct{})
	var pause time.Duration // the longest between two pokes, which a busy machine may stretch
	go func() {
		defer close(done)
		last := time.Now()
		for {
			select {
			case <-stop:
				return
			case <-time.After(compileQuiet / 25):
				c.poke()
				pause, last = max(pause, time.Since(last)), time.Now()
			}
		}
	}()
	began := time.Now()
	if !c.debounce(ctx) {
		t.Error("it does not go on")
	}
	took := time.Since(began)
	close(stop)
	<-done
	if took < compileCeiling-compileQuiet && pause < compileQuiet/2 {
		t.Errorf("it waited %s although events kept coming, at most %s apart", took, pause)
	}
	cancel()
	for c.debounce(ctx) {
		t.Log("a nudge that was left over")
	}
}

func TestCompiler_APanicIsAnError(t *testing.T) {
	c := &compiler{op: &operator{}}
	if _, err := c.run(t.Context()); err == nil || !strings.Contains(err.Error(), "panic") {
		t.Errorf("got %v", err)
	}
}

// BenchmarkInputs_Compile shows what an event costs with many routes and keys.
func BenchmarkInputs_Compile(b *testing.B) {
	in, states := pureInputs(1000, 10000)
	opts, tenures := Options{Providers: testProviders()}, newTenures(&shiftedClock{})
	last, _ := in.compile(opts, states, tenures)
	for b.Loop() {
		next, _ := in.compile(opts, states, tenures)
		if n := len(next.changed(last)); n > 0 {
			b.Fatal(n)
		}
		last = next
	}
}
