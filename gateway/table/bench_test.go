package table_test

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

// metropolis is a large input: routes of a hundred namespaces, and a credential for each namespace.
func metropolis(routes, keys int) table.Input {
	var objects []any
	for n := range 100 {
		objects = append(objects, makeCredential(fmt.Sprintf("team-%d", n), "cred"))
	}
	for i := range routes {
		route := makeRoute(fmt.Sprintf("team-%d", i%100), fmt.Sprintf("model-%d", i)).target("backup", "cred", priority(1)).
			aliases(v1alpha1.ModelName(fmt.Sprintf("alias-%d", i))).fallbacks(v1alpha1.ModelName(fmt.Sprintf("model-%d", (i+1)%routes)))
		objects = append(objects, route.with(func(s *v1alpha1.ModelRouteSpec) {
			s.AllowedKeys = allowedKeys(selector("team", fmt.Sprintf("team-%d", i%10)))
			s.Pricing = &v1alpha1.Pricing{
				Currency: "USD", Prices: prices("0.28", "0.028", "", "0.42", ""),
				Windows: []v1alpha1.PriceWindow{window("", "22:00", "06:00", "Asia/Shanghai", "0.5")},
			}
		}))
	}
	for i := range keys {
		objects = append(objects, makeKey(fmt.Sprintf("team-%d", i%100), fmt.Sprintf("key-%d", i), func(k *v1alpha1.ApiKey) {
			k.Spec.Models = []v1alpha1.ModelGlob{"model-1*", "model-99*"}
		}))
	}
	in := input(objects...)
	for n := range 100 {
		in.Namespaces[fmt.Sprintf("team-%d", n)] = map[string]string{"team": fmt.Sprintf("team-%d", n%10)}
	}
	return in
}

// A rebuild stands between an apply and its effect. Allocations, unlike time, do not depend on what else the machine does.
func TestBuild_CostGrowsWithItsInputOnly(t *testing.T) {
	cost := func(routes, keys int) float64 {
		in := metropolis(routes, keys)
		return testing.AllocsPerRun(3, func() { table.Build(in) })
	}
	few, many := cost(100, 0), cost(1000, 0)
	if perRoute := (many - few) / 900; perRoute > 90 {
		t.Errorf("a route costs %.0f allocations", perRoute)
	}
	if perKey := (cost(1000, 2000) - many) / 2000; perKey > 15 {
		t.Errorf("a key costs %.0f allocations", perKey)
	}
	built, _ := table.Build(metropolis(1000, 2000))
	if len(built.Routes()) != 1000 || len(built.Keys()) != 2000 {
		t.Errorf("%d routes and %d keys", len(built.Routes()), len(built.Keys()))
	}
}

func TestTable_ResolveDoesNotAllocate(t *testing.T) {
	built, _ := table.Build(metropolis(10, 0))
	if n := testing.AllocsPerRun(100, func() { built.Resolve("alias-7") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkBuild(b *testing.B) {
	for _, size := range []struct{ routes, keys int }{{100, 0}, {1000, 0}, {1000, 10_000}} {
		b.Run(fmt.Sprintf("%d routes %d keys", size.routes, size.keys), func(b *testing.B) {
			in := metropolis(size.routes, size.keys)
			b.ReportAllocs()
			for b.Loop() {
				table.Build(in)
			}
		})
	}
}

func BenchmarkEqual(b *testing.B) {
	one, _ := table.Build(metropolis(1000, 0))
	two, _ := table.Build(metropolis(1000, 0))
	for b.Loop() {
		if !one.Equal(two) {
			b.Fatal("the tables differ")
		}
	}
}

func BenchmarkCompileKey(b *testing.B) {
	key := makeKey("shop", "k", func(k *v1alpha1.ApiKey) { k.Spec.Models = []v1alpha1.ModelGlob{"deepseek-*", "qwen3-max"} })
	instance := types.NamespacedName{Namespace: "platform", Name: "default"}
	b.ReportAllocs()
	for b.Loop() {
		table.CompileKey(key, instance)
	}
}

func BenchmarkGlobsMatch(b *testing.B) {
	g := table.CompileGlobs([]string{"qwen3-max", "*-thinking", "a*b*c", "deepseek-*"})
	b.ReportAllocs()
	for b.Loop() {
		g.Match("deepseek-v4-pro")
	}
}

func BenchmarkResolve(b *testing.B) {
	built, _ := table.Build(metropolis(1000, 0))
	b.ReportAllocs()
	for b.Loop() {
		built.Resolve("alias-777")
	}
}

func BenchmarkPricingAt(b *testing.B) {
	built, _ := table.Build(metropolis(1, 0))
	pricing := built.Routes()[0].Pricing
	b.ReportAllocs()
	for b.Loop() {
		pricing.At(table.Query{PromptTokens: 1000}, epoch)
	}
}
