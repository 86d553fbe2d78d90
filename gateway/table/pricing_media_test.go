package table_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/money"
	"vipcloud.ai/vipcloud/gateway/table"
)

// modalities are all there are.
func modalities() []v1alpha1.Modality {
	return []v1alpha1.Modality{
		v1alpha1.ModalityChat, v1alpha1.ModalityImage, v1alpha1.ModalityVideo, v1alpha1.ModalitySpeech, v1alpha1.ModalityMusic,
	}
}

// units is an amount of so many millionths of a unit.
func units(millionths int64) money.Amount { return money.Amount(millionths) * 1_000_000 }

func TestPricing_MediaIsCountedInUnits(t *testing.T) {
	tests := map[v1alpha1.Modality]struct {
		want         table.Prices
		wantDeclared table.DeclaredPrices
	}{
		v1alpha1.ModalityImage:  {table.Prices{PerImage: units(40_000)}, table.DeclaredPrices{PerImage: "0.040"}},
		v1alpha1.ModalityVideo:  {table.Prices{PerSecond: units(40_000), PerVideo: units(40_000)}, table.DeclaredPrices{PerSecond: "0.040", PerVideo: "0.040"}},
		v1alpha1.ModalitySpeech: {table.Prices{PerCharacter: 40_000}, table.DeclaredPrices{PerMillionCharacters: "0.040"}},
		v1alpha1.ModalityMusic:  {table.Prices{PerSong: units(40_000)}, table.DeclaredPrices{PerSong: "0.040"}},
	}
	for modality, tc := range tests {
		t.Run(string(modality), func(t *testing.T) {
			p := mustPriceOf(t, modality, &v1alpha1.Pricing{
				Prices:  fill(modality, "0.040"),
				Windows: []v1alpha1.PriceWindow{window("", "00:00", "12:00", "", "3")},
			})
			if diff := cmp.Diff(tc.wantDeclared, p.Declared); diff != "" {
				t.Errorf("declared (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.want, p.At(table.Query{}, epoch.Add(12*time.Hour))); diff != "" {
				t.Errorf("outside the window (-want +got):\n%s", diff)
			}
			tripled := table.Prices{
				PerImage: 3 * tc.want.PerImage, PerSecond: 3 * tc.want.PerSecond, PerVideo: 3 * tc.want.PerVideo,
				PerCharacter: 3 * tc.want.PerCharacter, PerSong: 3 * tc.want.PerSong,
			}
			if diff := cmp.Diff(tripled, p.At(table.Query{}, epoch)); diff != "" {
				t.Errorf("within the window (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBuild_EachModalityHasItsPrices(t *testing.T) {
	const base, inVariant = "base", "a variant"
	for _, modality := range modalities() {
		for _, priced := range modalities() {
			for _, place := range []string{base, inVariant} {
				t.Run(string(modality)+" with the prices of "+string(priced)+" in "+place, func(t *testing.T) {
					pricing := &v1alpha1.Pricing{Currency: "USD", Prices: v1alpha1.Prices{PerRequest: decimal("1")}}
					if place == base {
						pricing.Prices = fill(priced, "1")
					} else {
						pricing.Variants = []v1alpha1.PriceVariant{{Name: "v", Prices: fill(priced, "1")}}
					}
					built, findings := buildPricingOf(modality, pricing)
					if fits := modality == priced; fits {
						wantFinding(t, findings, "shop", "r", v1alpha1.ConditionPriced, "True Priced")
						return
					}
					message := wantFinding(t, findings, "shop", "r", v1alpha1.ConditionPriced, "False/invalid Invalid")
					for _, part := range []string{"is for modality " + string(priced), "perRequest for " + string(modality)} {
						if !strings.Contains(message, part) {
							t.Errorf("the message %q does not say %q", message, part)
						}
					}
					if built.Resolve("r").Pricing != nil {
						t.Error("the route has a price")
					}
				})
			}
		}
	}
}

func TestBuild_EachModalityHasItsConditions(t *testing.T) {
	tokens, sound := int64(0), false
	conditions := map[string]struct {
		when v1alpha1.VariantCondition
		fits v1alpha1.Modality
	}{
		"inputTokensAbove": {v1alpha1.VariantCondition{InputTokensAbove: &tokens}, v1alpha1.ModalityChat},
		"resolution":       {v1alpha1.VariantCondition{Resolution: "720p"}, v1alpha1.ModalityVideo},
		"audio":            {v1alpha1.VariantCondition{Audio: &sound}, v1alpha1.ModalityVideo},
	}
	for name, tc := range conditions {
		for _, modality := range modalities() {
			t.Run(name+" of "+string(modality), func(t *testing.T) {
				_, findings := buildPricingOf(modality, &v1alpha1.Pricing{
					Currency: "USD", Prices: v1alpha1.Prices{PerRequest: decimal("1")},
					Variants: []v1alpha1.PriceVariant{{Name: "v", When: tc.when, Prices: v1alpha1.Prices{PerRequest: decimal("2")}}},
				})
				if modality == tc.fits {
					wantFinding(t, findings, "shop", "r", v1alpha1.ConditionPriced, "True Priced")
					return
				}
				message := wantFinding(t, findings, "shop", "r", v1alpha1.ConditionPriced, "False/invalid Invalid")
				want := "variants[v]: when." + name + " is for modality " + string(tc.fits)
				if !strings.Contains(message, want) {
					t.Errorf("the message %q does not say %q", message, want)
				}
			})
		}
	}
}

// kling is a pricing by resolution and sound, as vendors of videos have.
func kling() *v1alpha1.Pricing {
	yes, no := true, false
	variant := func(name, resolution string, audio *bool, price string) v1alpha1.PriceVariant {
		return v1alpha1.PriceVariant{
			Name: name, When: v1alpha1.VariantCondition{Resolution: resolution, Audio: audio}, Prices: v1alpha1.Prices{PerSecond: decimal(price)},
		}
	}
	return &v1alpha1.Pricing{
		Prices: v1alpha1.Prices{PerSecond: decimal("0.084"), PerVideo: decimal("0.01")},
		Variants: []v1alpha1.PriceVariant{
			variant("hd-sound", "1080p", &yes, "0.168"), variant("hd", "1080p", nil, "0.112"), variant("uhd", "4k", nil, "0.42"),
			variant("silent-540p", "540p", &no, "0.05"), variant("sound", "", &yes, "0.126"),
		},
	}
}

func TestPricing_VideosByResolutionAndSound(t *testing.T) {
	p := mustPriceOf(t, v1alpha1.ModalityVideo, kling())
	tests := map[string]struct {
		query table.Query
		want  int64
	}{
		"no variant":                         {table.Query{Resolution: "720p"}, 84_000},
		"a resolution that nobody names":     {table.Query{}, 84_000},
		"both conditions":                    {table.Query{Resolution: "1080p", Audio: true}, 168_000},
		"one condition of two is not enough": {table.Query{Resolution: "1080p"}, 112_000},
		"sound does not matter":              {table.Query{Resolution: "4k", Audio: true}, 420_000},
		"only the sound matters":             {table.Query{Resolution: "720p", Audio: true}, 126_000},
		"silence is a condition":             {table.Query{Resolution: "540p"}, 50_000},
		"silence that does not hold":         {table.Query{Resolution: "540p", Audio: true}, 126_000},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			want := table.Prices{PerSecond: units(tc.want), PerVideo: units(10_000)}
			if diff := cmp.Diff(want, p.At(tc.query, epoch)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestPricing_SharesNoMemoryWithItsInput(t *testing.T) {
	declared := kling()
	p := mustPriceOf(t, v1alpha1.ModalityVideo, declared)
	*declared.Variants[0].When.Audio = false
	if !*p.Variants[0].Audio {
		t.Error("a change of the object changed the table")
	}
}

func TestPricing_AtAllocatesNothing(t *testing.T) {
	declared := kling()
	declared.Windows = []v1alpha1.PriceWindow{window("", "00:00", "24:00", "Asia/Shanghai", "2")}
	p := mustPriceOf(t, v1alpha1.ModalityVideo, declared)
	var got table.Prices
	if n := testing.AllocsPerRun(100, func() { got = p.At(table.Query{Resolution: "720p", Audio: true}, epoch) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
	if got.PerSecond != units(252_000) {
		t.Errorf("the price is %s", got.PerSecond)
	}
}

func TestBuild_RefusesMediaPricesThatCannotBeRead(t *testing.T) {
	for modality, field := range map[v1alpha1.Modality]string{
		v1alpha1.ModalityImage: "perImage", v1alpha1.ModalityVideo: "perSecond", v1alpha1.ModalitySpeech: "perMillionCharacters",
		v1alpha1.ModalityMusic: "perSong",
	} {
		for _, text := range []string{"cheap", "-1"} {
			_, findings := buildPricingOf(modality, &v1alpha1.Pricing{Currency: "USD", Prices: fill(modality, text)})
			message := wantFinding(t, findings, "shop", "r", v1alpha1.ConditionPriced, "False/invalid Invalid")
			if !strings.Contains(message, field+": ") {
				t.Errorf("%s %q: the message %q does not name %s", modality, text, message, field)
			}
		}
	}
	_, findings := buildPricingOf(v1alpha1.ModalityVideo, &v1alpha1.Pricing{Currency: "USD", Prices: v1alpha1.Prices{PerVideo: decimal("99999999")}})
	if message := wantFinding(t, findings, "shop", "r", v1alpha1.ConditionPriced, "False/invalid Invalid"); !strings.Contains(message, "perVideo: ") {
		t.Errorf("a video that costs too much: %q", message)
	}
}
