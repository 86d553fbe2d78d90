package table_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/apikey"
	"vipcloud.ai/vipcloud/gateway/table"
)

// hashOf is the hash of a key called text.
func hashOf(text string) string { return apikey.Sum(text).String() }

// aged makes a key older than epoch.
func aged(minutes int) func(*v1alpha1.ApiKey) {
	return func(k *v1alpha1.ApiKey) {
		k.CreationTimestamp = metav1.NewTime(epoch.Add(-time.Duration(minutes) * time.Minute))
	}
}

// hashes makes a key of source Hashes.
func hashes(texts ...string) func(*v1alpha1.ApiKey) {
	return func(k *v1alpha1.ApiKey) {
		k.Spec.Source, k.Status.Hashes = &v1alpha1.ApiKeySource{Type: v1alpha1.ApiKeySourceHashes}, nil
		for _, text := range texts {
			k.Spec.Source.Hashes = append(k.Spec.Source.Hashes, v1alpha1.KeyHash{SHA256: hashOf(text)})
		}
	}
}

// brought makes a key of source SecretRef with the hash of a text.
func brought(text string) func(*v1alpha1.ApiKey) {
	return func(k *v1alpha1.ApiKey) {
		k.Spec.Source = &v1alpha1.ApiKeySource{Type: v1alpha1.ApiKeySourceSecretRef}
		k.Status.Hashes = []v1alpha1.KeyHash{{SHA256: hashOf(text)}}
	}
}

// generated makes a generated key with the hash of a text.
func generated(text string) func(*v1alpha1.ApiKey) {
	return func(k *v1alpha1.ApiKey) { k.Status.Hashes = []v1alpha1.KeyHash{{SHA256: hashOf(text)}} }
}

// onGateway moves a key to another instance; none for an empty name.
func onGateway(namespace, name string) func(*v1alpha1.ApiKey) {
	return func(k *v1alpha1.ApiKey) {
		k.Status.Gateway = nil
		if name != "" {
			k.Status.Gateway = &v1alpha1.ObjectReference{Namespace: v1alpha1.NamespaceName(namespace), Name: v1alpha1.ObjectName(name)}
		}
	}
}

func TestCompileKey(t *testing.T) {
	instance := types.NamespacedName{Namespace: "platform", Name: "default"}
	end := metav1.NewTime(epoch.Add(time.Hour).In(time.FixedZone("x", 3600)))
	tests := map[string]struct {
		change func(*v1alpha1.ApiKey)
		want   *table.Key
	}{
		"a generated key, with defaults": {
			func(k *v1alpha1.ApiKey) { k.Status.Prefix = "vc-sk-Ab" },
			&table.Key{Project: "shop/shop", Prefix: "vc-sk-Ab", Hashes: []table.KeyHash{{Sum: apikey.Sum("k")}}, AnyModel: true, Generated: true},
		},
		"everything is set": {
			func(k *v1alpha1.ApiKey) {
				brought("other")(k)
				k.Spec.Project, k.Spec.ExpiresAt, k.Spec.Revoked = "web", &end, true
				k.Spec.Models, k.Spec.PreviewModels = []v1alpha1.ModelGlob{"a*"}, []v1alpha1.ModelGlob{"b"}
				k.Status.Hashes = append(k.Status.Hashes, v1alpha1.KeyHash{SHA256: hashOf("old"), NotAfter: &end})
			},
			&table.Key{
				Project: "shop/web", ExpiresAt: epoch.Add(time.Hour), Revoked: true,
				Hashes: []table.KeyHash{{Sum: apikey.Sum("other")}, {Sum: apikey.Sum("old"), NotAfter: epoch.Add(time.Hour)}},
				Models: table.CompileGlobs([]string{"a*"}), PreviewModels: table.CompileGlobs([]string{"b"}),
			},
		},
		"hashes are read from the spec": {
			func(k *v1alpha1.ApiKey) {
				hashes("one", "two")(k)
				k.Status.Hashes = []v1alpha1.KeyHash{{SHA256: hashOf("stale")}}
			},
			&table.Key{Project: "shop/shop", AnyModel: true, Hashes: []table.KeyHash{{Sum: apikey.Sum("one")}, {Sum: apikey.Sum("two")}}},
		},
		"a hash that is none is left out": {
			func(k *v1alpha1.ApiKey) {
				k.Status.Hashes = append([]v1alpha1.KeyHash{{SHA256: "abc"}, {SHA256: strings.Repeat("x", 64)}}, k.Status.Hashes...)
			},
			&table.Key{Project: "shop/shop", AnyModel: true, Generated: true, Hashes: []table.KeyHash{{Sum: apikey.Sum("k")}}},
		},
		"a key that was not made yet": {
			func(k *v1alpha1.ApiKey) { k.Status.Hashes = nil },
			&table.Key{Project: "shop/shop", AnyModel: true, Generated: true},
		},
		"an empty list of models allows none": {
			func(k *v1alpha1.ApiKey) { k.Spec.Models = []v1alpha1.ModelGlob{} },
			&table.Key{Project: "shop/shop", Generated: true, Hashes: []table.KeyHash{{Sum: apikey.Sum("k")}}},
		},
		"the key of another instance":        {onGateway("platform", "other"), nil},
		"the same name in another namespace": {onGateway("shop", "default"), nil},
		"no namespace means the key's":       {onGateway("", "default"), nil},
		"the key of no instance yet":         {onGateway("", ""), nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := table.CompileKey(makeKey("shop", "k", tc.change), instance)
			if tc.want != nil {
				tc.want.Namespace, tc.want.Name, tc.want.UID, tc.want.Created = "shop", "k", "uid-shop-k", epoch.Unix()
			}
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(table.Globs{}), cmp.Exporter(exportAll)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestKey_MayUse(t *testing.T) {
	built, _ := table.Build(input(append(credentials(),
		makeRoute("shop", "deepseek-v4").aliases("chat"),
		makeRoute("shop", "secret").with(func(s *v1alpha1.ModelRouteSpec) { s.AllowedKeys = allowedKeys(fromSame) }))...))
	models := func(patterns ...v1alpha1.ModelGlob) func(*v1alpha1.ApiKey) {
		return func(k *v1alpha1.ApiKey) { k.Spec.Models, k.Spec.PreviewModels = patterns, patterns }
	}
	tests := map[string]struct {
		key         *v1alpha1.ApiKey
		model       string
		want        bool
		wantPreview bool
	}{
		"anything":                              {makeKey("shop", "k"), "deepseek-v4", true, false},
		"what a pattern matches":                {makeKey("bank", "k", models("deepseek-*")), "deepseek-v4", true, true},
		"what no pattern matches":               {makeKey("shop", "k", models("qwen*")), "deepseek-v4", false, false},
		"an alias counts as its model":          {makeKey("shop", "k", models("deepseek-*")), "chat", true, true},
		"a pattern on an alias matches nothing": {makeKey("shop", "k", models("chat")), "chat", false, false},
		"a route of its own namespace":          {makeKey("shop", "k"), "secret", true, false},
		"a route that is not for its namespace": {makeKey("bank", "k", models("*")), "secret", false, true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			key := table.CompileKey(tc.key, types.NamespacedName{Namespace: "platform", Name: "default"})
			if got := key.MayUse(built.Resolve(tc.model)); got != tc.want {
				t.Errorf("MayUse: %t, want %t", got, tc.want)
			}
			if got := key.MayPreview(built.Resolve(tc.model)); got != tc.wantPreview {
				t.Errorf("MayPreview: %t, want %t", got, tc.wantPreview)
			}
		})
	}
}

func TestKeyLess(t *testing.T) {
	ordered := []*table.Key{
		{Generated: true, Created: 1, Namespace: "z", Name: "z"},
		{Generated: true, Created: 2, Namespace: "a", Name: "b"},
		{Generated: true, Created: 2, Namespace: "a", Name: "c"},
		{Generated: true, Created: 2, Namespace: "b", Name: "a"},
		{Created: 0, Namespace: "a", Name: "a"},
		{Created: 1, Namespace: "a", Name: "a"},
	}
	for i, a := range ordered {
		for j, b := range ordered {
			if got := table.KeyLess(a, b); got != (i < j) {
				t.Errorf("KeyLess(%v, %v) is %t", a.ID(), b.ID(), got)
			}
		}
	}
}

func TestBuild_OneHashBelongsToOneKey(t *testing.T) {
	const accepted, duplicate = "True Accepted", "False/invalid DuplicateKey"
	tests := map[string]struct {
		keys []*v1alpha1.ApiKey
		want map[string]string // findings by namespace/name
		// wantKeys are namespace/name and the number of hashes.
		wantKeys []string
	}{
		"different keys": {
			[]*v1alpha1.ApiKey{makeKey("shop", "a"), makeKey("bank", "b")},
			map[string]string{"shop/a": accepted, "bank/b": accepted}, []string{"bank/b 1", "shop/a 1"},
		},
		"a generated key beats an older brought one": {
			[]*v1alpha1.ApiKey{makeKey("shop", "a", generated("x")), makeKey("bank", "b", brought("x"), aged(9))},
			map[string]string{"shop/a": accepted, "bank/b": duplicate}, []string{"shop/a 1"},
		},
		"of brought keys the oldest wins": {
			[]*v1alpha1.ApiKey{makeKey("shop", "a", brought("x"), aged(9)), makeKey("bank", "b", hashes("x"))},
			map[string]string{"shop/a": accepted, "bank/b": duplicate}, []string{"shop/a 1"},
		},
		"what is not shared stays": {
			[]*v1alpha1.ApiKey{makeKey("shop", "a", hashes("x", "y")), makeKey("bank", "b", generated("x"))},
			map[string]string{"shop/a": duplicate, "bank/b": accepted}, []string{"bank/b 1", "shop/a 1"},
		},
		"the key of another instance counts as well": {
			[]*v1alpha1.ApiKey{makeKey("shop", "a", brought("x")), makeKey("bank", "b", brought("x"), aged(9), onGateway("bank", "other"))},
			map[string]string{"shop/a": duplicate, "bank/b": "none"}, nil,
		},
		"the key of no instance yet counts as well": {
			[]*v1alpha1.ApiKey{makeKey("shop", "a", brought("x")), makeKey("bank", "b", hashes("x"), aged(9), onGateway("", ""))},
			map[string]string{"shop/a": duplicate, "bank/b": "none"}, nil,
		},
		"a revoked key keeps its hash": {
			[]*v1alpha1.ApiKey{makeKey("shop", "a", func(k *v1alpha1.ApiKey) { k.Spec.Revoked = true }, generated("x")), makeKey("bank", "b", hashes("x"))},
			map[string]string{"shop/a": accepted, "bank/b": duplicate}, []string{"shop/a 1"},
		},
		"keys that were not made yet are not alike": {
			[]*v1alpha1.ApiKey{
				makeKey("shop", "a", func(k *v1alpha1.ApiKey) { k.Status.Hashes = nil }), makeKey("shop", "b", func(k *v1alpha1.ApiKey) { k.Status.Hashes = nil }),
			},
			map[string]string{"shop/a": accepted, "shop/b": accepted}, []string{"shop/a 0", "shop/b 0"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var objects []any
			for _, k := range tc.keys {
				objects = append(objects, k)
			}
			built, findings := table.Build(input(objects...))
			for key, want := range tc.want {
				namespace, name, _ := strings.Cut(key, "/")
				got, message := finding(findings, table.KindApiKey, namespace, name, v1alpha1.ConditionAccepted)
				if got != want {
					t.Errorf("%s: %q (%s), want %q", key, got, message, want)
				}
				if strings.Contains(message, hashOf("x")) {
					t.Errorf("the message quotes the hash: %s", message)
				}
			}
			var got []string
			for _, k := range built.Keys() {
				got = append(got, k.ID()+" "+string(rune('0'+len(k.Hashes))))
			}
			if diff := cmp.Diff(tc.wantKeys, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestBuild_SaysWhichPatternsMatchNothing(t *testing.T) {
	tests := map[string]struct {
		models, preview []v1alpha1.ModelGlob
		want            string
		wantPart        string
	}{
		"no patterns":                            {nil, nil, "True ModelsResolved", ""},
		"patterns that match":                    {[]v1alpha1.ModelGlob{"a*", "*"}, []v1alpha1.ModelGlob{"ab"}, "True ModelsResolved", ""},
		"one that does not":                      {[]v1alpha1.ModelGlob{"a*", "zz"}, []v1alpha1.ModelGlob{"zz", "y*"}, "False/info UnknownModels", "matches zz, y*"},
		"an alias is no public name":             {[]v1alpha1.ModelGlob{"alias"}, nil, "False/info UnknownModels", "alias"},
		"a model that the namespace may not see": {[]v1alpha1.ModelGlob{"bankonly"}, nil, "False/info UnknownModels", "bankonly"},
		"a model that is not served":             {[]v1alpha1.ModelGlob{"broken"}, nil, "False/info UnknownModels", "broken"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			key := makeKey("shop", "k", func(k *v1alpha1.ApiKey) { k.Spec.Models, k.Spec.PreviewModels = tc.models, tc.preview })
			_, findings := table.Build(input(append(credentials(), key,
				makeRoute("shop", "ab").aliases("alias"),
				makeRoute("bank", "bankonly").with(func(s *v1alpha1.ModelRouteSpec) { s.AllowedKeys = allowedKeys(fromSame) }),
				makeRoute("bank", "broken").with(func(s *v1alpha1.ModelRouteSpec) { s.Modality = "Smell" }),
			)...))
			got, message := finding(findings, table.KindApiKey, "shop", "k", v1alpha1.ConditionModelsResolved)
			if got != tc.want || !strings.Contains(message, tc.wantPart) {
				t.Errorf("got %q (%s), want %q (%s)", got, message, tc.want, tc.wantPart)
			}
		})
	}
}

func TestChooseInstance(t *testing.T) {
	instance := func(namespace, name string, minutes int, keys *v1alpha1.NamespaceSelection) *v1alpha1.GatewayInstance {
		i := &v1alpha1.GatewayInstance{ObjectMeta: meta(namespace, name, minutes)}
		if keys != nil {
			i.Spec.Serves = &v1alpha1.Serves{Keys: &v1alpha1.ServedKeys{Namespaces: keys}}
		}
		return i
	}
	finance := selector("team", "finance")
	all := []*v1alpha1.GatewayInstance{
		instance("platform", "young", 9, nil), instance("platform", "old", 5, nil), instance("platform", "as-old", 5, &fromAll),
		instance("bank", "own", 0, &fromSame), instance("platform", "finance", 1, &finance),
	}
	ref := func(text string) func(*v1alpha1.ApiKey) {
		return func(k *v1alpha1.ApiKey) { r := reference(text); k.Spec.GatewayRef = &r }
	}
	tests := map[string]struct {
		key         *v1alpha1.ApiKey
		instances   []*v1alpha1.GatewayInstance
		watched     []string
		want        string
		wantProblem string
	}{
		"the oldest that serves the namespace":       {makeKey("shop", "k"), all, nil, "platform/as-old", ""},
		"one that serves its own namespace":          {makeKey("bank", "k"), all, nil, "bank/own", ""},
		"one that selects the namespace":             {makeKey("bank", "k"), all[4:], nil, "platform/finance", ""},
		"none that selects another":                  {makeKey("shop", "k"), all[3:], nil, "", "missing NoGateway"},
		"no instance at all":                         {makeKey("shop", "k"), nil, nil, "", "missing NoGateway"},
		"the one it names":                           {makeKey("shop", "k", ref("platform/young")), all, nil, "platform/young", ""},
		"one of its own namespace that it names":     {makeKey("bank", "k", ref("own")), all, nil, "bank/own", ""},
		"one that does not exist":                    {makeKey("shop", "k", ref("platform/gone")), all, nil, "", "missing RefNotFound"},
		"one of another namespace by its name alone": {makeKey("shop", "k", ref("own")), all, nil, "", "missing RefNotFound"},
		"one that does not want it":                  {makeKey("shop", "k", ref("bank/own")), all, nil, "", "invalid NoGateway"},
		"in namespaced mode all are the watched":     {makeKey("shop", "k"), all, []string{"bank"}, "", "missing NoGateway"},
		"in namespaced mode nobody selects":          {makeKey("bank", "k"), all[4:], []string{"bank"}, "", "missing NoGateway"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			for range 2 {
				got, problem := table.ChooseInstance(tc.key, tc.instances, input().Namespaces, tc.watched)
				gotName, gotProblem := "", ""
				if got != nil {
					gotName = got.Namespace + "/" + got.Name
				}
				if problem != nil {
					gotProblem = problem.Severity.String() + " " + problem.Reason
				}
				if gotName != tc.want || gotProblem != tc.wantProblem {
					t.Errorf("got %q, %q; want %q, %q", gotName, gotProblem, tc.want, tc.wantProblem)
				}
				tc.instances = slices.Clone(tc.instances)
				slices.Reverse(tc.instances)
			}
		})
	}
}
