package samples_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/table"
	"vipcloud.ai/vipcloud/test/sim"
)

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
		if info.Serves(provider.ModalityChat) && name != v1alpha1.ProviderOpenAI && routes[name] == 0 {
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
		if r.Spec.Modality == v1alpha1.ModalityChat && (p.InputPerMillionTokens == nil || p.OutputPerMillionTokens == nil) {
			t.Errorf("%s has a price for one direction only", r.Name)
		}
	}
	want := []string{
		"deepseek-flash", "deepseek-v4-pro", "glm-4.5-flash", "glm-4.7-flash", "glm-5.1", "glm-5.2", "glm-5.3", "glm-5.3-flash",
		"hailuo-02", "kling-3", "minimax-m2.7", "minimax-m2.7-highspeed", "minimax-m3", "seedance-2",
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
			got := tc.pricing.At(table.Query{PromptTokens: tc.tokens}, instant(t, tc.at))
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
		if r.Modality != string(v1alpha1.ModalityChat) {
			continue // README's commands, which a test runs, call those
		}
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
