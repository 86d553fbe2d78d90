package usage

import (
	"testing"
	"time"

	"vipcloud.ai/vipcloud/gateway/money"
	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/table"
)

// perUnit is a price in units of the currency.
func perUnit(t *testing.T, decimal string) money.Amount {
	t.Helper()
	a, err := money.Units(decimal)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestCost_ofMediaIsExact(t *testing.T) {
	yes := true
	pricing := &table.Pricing{
		Base: table.Prices{
			PerImage: perUnit(t, "0.03"), PerSecond: perUnit(t, "0.084"), PerVideo: perUnit(t, "0.1"),
			PerCharacter: perToken(t, "60"), PerSong: perUnit(t, "0.045"), PerRequest: perUnit(t, "0.000001"),
		},
		Variants: []table.PriceVariant{{
			Name: "hd-sound", InputTokensAbove: -1, Resolution: "1080p", Audio: &yes,
			Prices: table.Prices{PerSecond: perUnit(t, "0.168"), PerVideo: perUnit(t, "0.1")},
		}},
	}
	hd := Media{Resolution: "1080p", Audio: true}
	for name, tc := range map[string]struct {
		usage provider.Usage
		media Media
		want  string
	}{
		"nothing made costs the request":                {want: "0.000001"},
		"images, and their tokens cost nothing":         {usage: provider.Usage{Images: 4, CompletionTokens: 16384}, want: "0.120001"},
		"images that were not made are not charged":     {usage: provider.Usage{Known: true}, want: "0.000001"},
		"seconds, and the video once":                   {usage: provider.Usage{Seconds: 10}, want: "0.940001"},
		"a video whose length the vendor does not tell": {media: Media{Video: true}, want: "0.100001"},
		"a video that is told twice is charged once":    {usage: provider.Usage{Seconds: 1}, media: Media{Video: true}, want: "0.184001"},
		"a variant by resolution and sound":             {usage: provider.Usage{Seconds: 10}, media: hd, want: "1.78"},
		"a variant needs all of its conditions":         {usage: provider.Usage{Seconds: 10}, media: Media{Resolution: "1080p"}, want: "0.940001"},
		"characters":                                    {usage: provider.Usage{Characters: 1_234_567}, want: "74.074021"},
		"one character":                                 {usage: provider.Usage{Characters: 1}, want: "0.000061"},
		"songs":                                         {usage: provider.Usage{Songs: 2}, want: "0.090001"},
		"figures below zero cost nothing":               {usage: provider.Usage{Images: -1, Seconds: -1, Characters: -1, Songs: -1}, want: "0.000001"},
		"everything at once adds up, as money does":     {usage: provider.Usage{Images: 1, Seconds: 1, Characters: 1, Songs: 1}, want: "0.259061"},
		"a million videos of a second are not rounded":  {usage: provider.Usage{Seconds: 1_000_000}, want: "84000.100001"},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := Cost(pricing, tc.usage, tc.media, time.Unix(0, 0))
			if !ok || got.Decimal() != tc.want {
				t.Errorf("cost is %s (%v), want %s", got, ok, tc.want)
			}
		})
	}
}

func TestCost_ofMediaOutOfRangeIsSaidAndNotWrapped(t *testing.T) {
	for name, tc := range map[string]struct {
		prices table.Prices
		usage  provider.Usage
	}{
		"images":     {table.Prices{PerImage: money.Unit}, provider.Usage{Images: 1 << 40}},
		"seconds":    {table.Prices{PerSecond: money.Unit}, provider.Usage{Seconds: 1 << 40}},
		"characters": {table.Prices{PerCharacter: money.Unit}, provider.Usage{Characters: 1 << 40}},
		"songs":      {table.Prices{PerSong: money.Unit}, provider.Usage{Songs: 1 << 40}},
		"a sum":      {table.Prices{PerVideo: money.Max, PerRequest: 1}, provider.Usage{Seconds: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			if got, ok := Cost(&table.Pricing{Base: tc.prices}, tc.usage, Media{}, time.Unix(0, 0)); ok || got != money.Max {
				t.Errorf("cost is %s, %v", got, ok)
			}
		})
	}
}

func TestCost_ofMediaAllocatesNothing(t *testing.T) {
	pricing := &table.Pricing{Base: table.Prices{PerSecond: 1}, Variants: []table.PriceVariant{{InputTokensAbove: -1, Resolution: "4k"}}}
	u, m := provider.Usage{Seconds: 5}, Media{Resolution: "720p", Audio: true}
	if n := testing.AllocsPerRun(100, func() { _, _ = Cost(pricing, u, m, time.Unix(0, 0)) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
