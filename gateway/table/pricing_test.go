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

// decimal points to a Decimal; nil for an empty text.
func decimal(text string) *v1alpha1.Decimal {
	if text == "" {
		return nil
	}
	d := v1alpha1.Decimal(text)
	return &d
}

// prices makes prices of texts, of which empty ones are unset.
func prices(in, cached, write, out, request string) v1alpha1.Prices {
	return v1alpha1.Prices{
		InputPerMillionTokens: decimal(in), CachedInputPerMillionTokens: decimal(cached), CacheWritePerMillionTokens: decimal(write),
		OutputPerMillionTokens: decimal(out), PerRequest: decimal(request),
	}
}

// amounts makes compiled prices: per million tokens in millionths, per request in units' millionths.
func amounts(in, cached, write, out, request int64) table.Prices {
	return table.Prices{
		Input: money.Amount(in), CachedInput: money.Amount(cached), CacheWrite: money.Amount(write), Output: money.Amount(out),
		PerRequest: money.Amount(request) * 1_000_000,
	}
}

// fill sets what is for a modality to a price.
func fill(m v1alpha1.Modality, text string) v1alpha1.Prices {
	switch p := decimal(text); m {
	case v1alpha1.ModalityImage:
		return v1alpha1.Prices{PerImage: p}
	case v1alpha1.ModalityVideo:
		return v1alpha1.Prices{PerSecond: p, PerVideo: p}
	case v1alpha1.ModalitySpeech:
		return v1alpha1.Prices{PerMillionCharacters: p}
	case v1alpha1.ModalityMusic:
		return v1alpha1.Prices{PerSong: p}
	default:
		return v1alpha1.Prices{InputPerMillionTokens: p, CachedInputPerMillionTokens: p, CacheWritePerMillionTokens: p, OutputPerMillionTokens: p}
	}
}

// variant makes a variant for long prompts.
func variant(name string, above int64, p v1alpha1.Prices) v1alpha1.PriceVariant {
	return v1alpha1.PriceVariant{Name: name, When: v1alpha1.VariantCondition{InputTokensAbove: &above}, Prices: p}
}

// window makes a window of days, given as one text such as MonTue.
func window(days, start, end, zone, multiplier string) v1alpha1.PriceWindow {
	w := v1alpha1.PriceWindow{Name: "w", Start: start, End: end, TimeZone: zone, Multiplier: v1alpha1.Decimal(multiplier)}
	for ; days != ""; days = days[3:] {
		w.Days = append(w.Days, v1alpha1.Weekday(days[:3]))
	}
	return w
}

// buildPricing builds a route with a pricing.
func buildPricing(pricing *v1alpha1.Pricing) (*table.Table, table.Findings) {
	return buildPricingOf(v1alpha1.ModalityChat, pricing)
}

// buildPricingOf builds a route of a modality with a pricing. It has no targets, since prices do not care for them.
func buildPricingOf(m v1alpha1.Modality, pricing *v1alpha1.Pricing) (*table.Table, table.Findings) {
	route := makeRoute("shop", "r").noTargets().modality(m).with(func(s *v1alpha1.ModelRouteSpec) {
		s.Availability, s.Pricing = v1alpha1.AvailabilitySoon, pricing
	})
	return table.Build(input(route))
}

// mustPrice compiles a pricing that is known to be good.
func mustPrice(t *testing.T, pricing *v1alpha1.Pricing) *table.Pricing {
	t.Helper()
	return mustPriceOf(t, v1alpha1.ModalityChat, pricing)
}

// mustPriceOf is mustPrice for a modality.
func mustPriceOf(t *testing.T, m v1alpha1.Modality, pricing *v1alpha1.Pricing) *table.Pricing {
	t.Helper()
	pricing.Currency = "USD"
	built, findings := buildPricingOf(m, pricing)
	wantFinding(t, findings, "shop", "r", v1alpha1.ConditionPriced, "True Priced")
	p := built.Resolve("r").Pricing
	if p == nil {
		t.Fatal("the route has no price")
	}
	return p
}

func TestPricing_UnsetPrices(t *testing.T) {
	tests := map[string]struct {
		base     v1alpha1.Prices
		variant  *v1alpha1.Prices
		want     table.Prices
		wantLong table.Prices
	}{
		"everything is set":                     {base: prices("1", "0.1", "1.25", "2", "0.5"), want: amounts(1e6, 1e5, 1.25e6, 2e6, 5e5)},
		"cached prompts cost what prompts cost": {base: prices("1", "", "", "2", ""), want: amounts(1e6, 1e6, 1e6, 2e6, 0)},
		"cached prompts may be free":            {base: prices("1", "0", "0", "2", ""), want: amounts(1e6, 0, 0, 2e6, 0)},
		"only requests cost":                    {base: prices("", "", "", "", "0.000001"), want: amounts(0, 0, 0, 0, 1)},
		"free":                                  {base: prices("0", "", "", "0", ""), want: amounts(0, 0, 0, 0, 0)},
		"a variant takes the rest from the base": {
			base: prices("1", "0.1", "3", "2", "0.5"), variant: new(prices("10", "", "", "", "")),
			want: amounts(1e6, 1e5, 3e6, 2e6, 5e5), wantLong: amounts(1e7, 1e5, 3e6, 2e6, 5e5),
		},
		"a variant's cached prompts cost what its prompts cost if nobody says more": {
			base: prices("1", "", "", "2", ""), variant: new(prices("10", "", "", "", "")),
			want: amounts(1e6, 1e6, 1e6, 2e6, 0), wantLong: amounts(1e7, 1e7, 1e7, 2e6, 0),
		},
		"a variant may change one thing": {
			base: prices("1", "0.1", "", "2", ""), variant: new(prices("", "", "", "20", "")),
			want: amounts(1e6, 1e5, 1e6, 2e6, 0), wantLong: amounts(1e6, 1e5, 1e6, 2e7, 0),
		},
		"a variant may be free": {
			base: prices("1", "", "", "2", "1"), variant: new(prices("0", "", "", "0", "0")),
			want: amounts(1e6, 1e6, 1e6, 2e6, 1e6), wantLong: amounts(0, 0, 0, 0, 0),
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			declared := &v1alpha1.Pricing{Prices: tc.base}
			wantLong := tc.want
			if tc.variant != nil {
				declared.Variants = []v1alpha1.PriceVariant{variant("long", 1000, *tc.variant)}
				wantLong = tc.wantLong
			}
			p := mustPrice(t, declared)
			if diff := cmp.Diff(tc.want, p.At(table.Query{PromptTokens: 1000}, epoch)); diff != "" {
				t.Errorf("short prompts (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(wantLong, p.At(table.Query{PromptTokens: 1001}, epoch)); diff != "" {
				t.Errorf("long prompts (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPricing_TheFirstMatchWins(t *testing.T) {
	p := mustPrice(t, &v1alpha1.Pricing{
		Prices: prices("1", "", "", "", ""),
		Variants: []v1alpha1.PriceVariant{
			variant("huge", 128_000, prices("4", "", "", "", "")), variant("large", 32_000, prices("2", "", "", "", "")),
			variant("never reached", 200_000, prices("9", "", "", "", "")), variant("anything", 0, prices("1.5", "", "", "", "")),
		},
		Windows: []v1alpha1.PriceWindow{window("", "09:00", "12:00", "", "2"), window("", "00:00", "24:00", "", "0.5")},
	})
	morning, night := epoch.Add(9*time.Hour), epoch
	for tokens, want := range map[int64]money.Amount{0: 1e6, 1: 1.5e6, 32_000: 1.5e6, 32_001: 2e6, 128_000: 2e6, 128_001: 4e6, 300_000: 4e6} {
		if got := p.At(table.Query{PromptTokens: tokens}, morning).Input; got != 2*want {
			t.Errorf("%d tokens in the morning: %d, want %d", tokens, got, 2*want)
		}
		if got := p.At(table.Query{PromptTokens: tokens}, night).Input; got != want/2 {
			t.Errorf("%d tokens at night: %d, want %d", tokens, got, want/2)
		}
	}
	if got := (*table.Pricing)(nil).At(table.Query{PromptTokens: 1}, night); got != (table.Prices{}) {
		t.Errorf("no pricing costs %v", got)
	}
}

func TestPricing_KeepsWhatWasDeclared(t *testing.T) {
	p := mustPrice(t, &v1alpha1.Pricing{
		Prices:   prices("0.280", "", "0", "1", ""),
		Variants: []v1alpha1.PriceVariant{variant("long", 5, prices("", "", "", "2.50", ""))},
	})
	want := table.DeclaredPrices{InputPerMillionTokens: "0.280", CacheWritePerMillionTokens: "0", OutputPerMillionTokens: "1"}
	if diff := cmp.Diff(want, p.Declared); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff(table.DeclaredPrices{OutputPerMillionTokens: "2.50"}, p.Variants[0].Declared); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if p.Currency != "USD" || p.Variants[0].Name != "long" {
		t.Errorf("got %+v", p)
	}
}

func TestPriceWindow_Contains(t *testing.T) {
	shanghai, berlin, newYork := "Asia/Shanghai", "Europe/Berlin", "America/New_York"
	tests := map[string]struct {
		window v1alpha1.PriceWindow
		// times are UTC, as 2006-01-02 15:04:05. 2026-11-02 is a Monday.
		in, out []string
	}{
		"every day": {
			window("", "09:00", "18:00", "", "2"),
			[]string{"2026-11-02 09:00:00", "2026-11-02 17:59:59", "2026-11-08 12:00:00"},
			[]string{"2026-11-02 08:59:59", "2026-11-02 18:00:00", "2026-11-02 00:00:00"},
		},
		"working days by a clock elsewhere": {
			window("MonTueWedThuFri", "09:00", "18:00", shanghai, "2"),
			[]string{"2026-11-02 01:00:00", "2026-11-02 09:59:59", "2026-11-06 09:59:00"},
			[]string{"2026-11-02 00:59:59", "2026-11-02 10:00:00", "2026-11-01 01:00:00", "2026-11-07 01:00:00"},
		},
		"a day elsewhere is another day here": {
			window("Mon", "00:00", "24:00", shanghai, "2"),
			[]string{"2026-11-01 16:00:00", "2026-11-02 15:59:59"},
			[]string{"2026-11-01 15:59:59", "2026-11-02 16:00:00"},
		},
		"a night belongs to the day on which it starts": {
			window("Fri", "22:00", "06:00", "", "2"),
			[]string{"2026-11-06 22:00:00", "2026-11-06 23:59:59", "2026-11-07 00:00:00", "2026-11-07 05:59:59"},
			[]string{"2026-11-06 05:00:00", "2026-11-06 21:59:59", "2026-11-07 06:00:00", "2026-11-07 22:00:00"},
		},
		"a night over the end of the week": {
			window("Sat", "23:00", "01:00", "", "2"),
			[]string{"2026-11-07 23:30:00", "2026-11-08 00:59:00"},
			[]string{"2026-11-07 00:30:00", "2026-11-08 01:00:00", "2026-11-08 23:30:00", "2026-11-09 00:30:00"},
		},
		"a night over Sunday to Monday": {
			window("Sun", "23:00", "01:00", "", "2"),
			[]string{"2026-11-08 23:30:00", "2026-11-09 00:59:00"},
			[]string{"2026-11-08 00:30:00", "2026-11-09 01:00:00"},
		},
		"until midnight, written as the next day's first minute": {
			window("Mon", "18:00", "00:00", "", "2"),
			[]string{"2026-11-02 18:00:00", "2026-11-02 23:59:59"},
			[]string{"2026-11-03 00:00:00", "2026-11-02 00:00:00", "2026-11-02 17:59:59"},
		},
		"a whole day": {
			window("Mon", "00:00", "24:00", "", "2"),
			[]string{"2026-11-02 00:00:00", "2026-11-02 23:59:59"},
			[]string{"2026-11-01 23:59:59", "2026-11-03 00:00:00"},
		},
		// On 2026-03-29 clocks in Berlin go from 02:00 to 03:00, at 01:00 UTC.
		"the skipped hour in spring does not exist": {
			window("Sun", "02:00", "03:00", berlin, "2"),
			[]string{"2026-03-22 01:30:00", "2026-04-05 00:30:00"},
			[]string{"2026-03-29 00:59:59", "2026-03-29 01:00:00", "2026-03-29 01:30:00", "2026-03-29 02:00:00"},
		},
		"a window around the skipped hour is an hour shorter": {
			window("Sun", "01:00", "04:00", berlin, "2"),
			[]string{"2026-03-29 00:00:00", "2026-03-29 01:59:59"},
			[]string{"2026-03-28 23:59:59", "2026-03-29 02:00:00"},
		},
		// On 2026-11-01 clocks in New York go from 02:00 back to 01:00, at 06:00 UTC.
		"the repeated hour in autumn counts twice": {
			window("Sun", "01:00", "02:00", newYork, "2"),
			[]string{"2026-11-01 05:00:00", "2026-11-01 05:59:59", "2026-11-01 06:00:00", "2026-11-01 06:59:59"},
			[]string{"2026-11-01 04:59:59", "2026-11-01 07:00:00"},
		},
		"summer and winter have the same clock": {
			window("", "09:00", "10:00", berlin, "2"),
			[]string{"2026-07-01 07:30:00", "2026-12-01 08:30:00"},
			[]string{"2026-07-01 08:30:00", "2026-12-01 07:30:00"},
		},
		"a zone of three quarters of an hour": {
			window("", "00:00", "00:01", "Asia/Kathmandu", "2"),
			[]string{"2026-11-01 18:15:00"},
			[]string{"2026-11-01 18:14:59", "2026-11-01 18:16:00"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			p := mustPrice(t, &v1alpha1.Pricing{Prices: prices("1", "", "", "", ""), Windows: []v1alpha1.PriceWindow{tc.window}})
			for want, times := range map[bool][]string{true: tc.in, false: tc.out} {
				for _, text := range times {
					at, err := time.Parse(time.DateTime, text)
					if err != nil {
						t.Fatal(err)
					}
					if got := p.Windows[0].Contains(at); got != want {
						t.Errorf("%s: %t, want %t", text, got, want)
					}
					if got := p.At(table.Query{PromptTokens: 1}, at.In(time.FixedZone("elsewhere", -7*3600))).Input == 2e6; got != want {
						t.Errorf("%s, told by another clock: %t, want %t", text, got, want)
					}
				}
			}
		})
	}
}

func TestBuild_RefusesPrices(t *testing.T) {
	windows := func(w ...v1alpha1.PriceWindow) *v1alpha1.Pricing {
		return &v1alpha1.Pricing{Currency: "USD", Prices: prices("1", "", "", "", "1"), Windows: w}
	}
	tests := map[string]struct {
		pricing  *v1alpha1.Pricing
		wantPart string
	}{
		"a price that is no number":              {&v1alpha1.Pricing{Currency: "USD", Prices: prices("cheap", "", "", "", "")}, "inputPerMillionTokens"},
		"a price below zero":                     {&v1alpha1.Pricing{Currency: "USD", Prices: prices("1", "", "", "-1", "")}, "outputPerMillionTokens"},
		"a request that costs too much":          {&v1alpha1.Pricing{Currency: "USD", Prices: prices("", "", "", "", "99999999")}, "perRequest"},
		"a variant's price that is no number":    {&v1alpha1.Pricing{Currency: "USD", Prices: prices("1", "", "", "", ""), Variants: []v1alpha1.PriceVariant{variant("v", 1, prices("", "x", "", "", ""))}}, "variants[v]: cachedInputPerMillionTokens"},
		"an unknown zone":                        {windows(window("", "09:00", "18:00", "Mars/Olympus", "2")), `windows[w]: timeZone "Mars/Olympus"`},
		"the zone of whatever machine":           {windows(window("", "09:00", "18:00", "Local", "2")), `timeZone "Local"`},
		"a zone that is a path":                  {windows(window("", "09:00", "18:00", "../../etc/passwd", "2")), "timeZone"},
		"an unknown day":                         {windows(window("Day", "09:00", "18:00", "", "2")), `"Day"`},
		"half of two days":                       {windows(window("unM", "09:00", "18:00", "", "2")), `"unM"`},
		"a start after midnight's end":           {windows(window("", "24:00", "12:00", "", "2")), "make no window"},
		"no time between start and end":          {windows(window("", "12:00", "12:00", "", "2")), "make no window"},
		"an hour that does not exist":            {windows(window("", "25:00", "12:00", "", "2")), `start: "25:00"`},
		"a minute that does not exist":           {windows(window("", "12:00", "13:60", "", "2")), `end: "13:60"`},
		"a minute after the day's end":           {windows(window("", "12:00", "24:01", "", "2")), `end: "24:01"`},
		"a time without a colon":                 {windows(window("", "0900", "18:00", "", "2")), `start: "0900"`},
		"a time with signs":                      {windows(window("", "+9:-1", "18:00", "", "2")), `start: "+9:-1"`},
		"a multiplier that is no number":         {windows(window("", "09:00", "18:00", "", "double")), "multiplier"},
		"a multiplier that nobody could pay for": {windows(window("", "09:00", "18:00", "", "999999999")), "multiplier: amount too large"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			built, findings := buildPricing(tc.pricing)
			message := wantFinding(t, findings, "shop", "r", v1alpha1.ConditionPriced, "False/invalid Invalid")
			if !strings.Contains(message, tc.wantPart) {
				t.Errorf("the message %q does not say %q", message, tc.wantPart)
			}
			wantFinding(t, findings, "shop", "r", v1alpha1.ConditionAccepted, "True Accepted")
			if r := built.Resolve("r"); r == nil || r.Pricing != nil {
				t.Errorf("got %v; the route is served, but unpriced", r)
			}
		})
	}
}

func TestBuild_CurrenciesMustAgree(t *testing.T) {
	route := makeRoute("shop", "r").with(func(s *v1alpha1.ModelRouteSpec) {
		s.Pricing = &v1alpha1.Pricing{Currency: "USD", Prices: prices("1", "", "", "", "")}
	})
	in := input(route, makeCredential("shop", "cred"), makeInstance(func(s *v1alpha1.GatewayInstanceSpec) { s.Currency = "CNY" }))
	built, findings := table.Build(in)
	message := wantFinding(t, findings, "shop", "r", v1alpha1.ConditionAccepted, "False/invalid CurrencyMismatch")
	wantFinding(t, findings, "shop", "r", v1alpha1.ConditionPriced, "False/invalid CurrencyMismatch")
	if !strings.Contains(message, "USD") || !strings.Contains(message, "CNY") || built.Resolve("r") != nil || built.Currency() != "CNY" {
		t.Errorf("the message is %q, the table has %v in %s", message, served(built), built.Currency())
	}
	route.route.Spec.Pricing.Currency = "CNY"
	if built, _ := table.Build(in); built.Resolve("r") == nil {
		t.Error("a route of the instance's currency is not served")
	}
}
