package usage

import (
	"testing"
	"time"

	"vipcloud.ai/vipcloud/gateway/money"
	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/table"
)

// perToken is a price per million tokens, for one.
func perToken(t *testing.T, perMillion string) money.Amount {
	t.Helper()
	a, err := money.PerMillion(perMillion)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestCost_countsEveryTokenOnce(t *testing.T) {
	units := func(decimal string) money.Amount {
		a, err := money.Units(decimal)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	pricing := &table.Pricing{Base: table.Prices{
		Input: perToken(t, "1"), CachedInput: perToken(t, "0.1"), CacheWrite: perToken(t, "2"), Output: perToken(t, "10"), PerRequest: units("0.5"),
	}}
	for name, tc := range map[string]struct {
		usage provider.Usage
		want  string
	}{
		"nothing used costs the request":       {want: "0.5"},
		"plain":                                {usage: provider.Usage{PromptTokens: 1000, CompletionTokens: 100}, want: "0.502"},
		"cached tokens are part of the prompt": {usage: provider.Usage{PromptTokens: 1000, CachedTokens: 400}, want: "0.50064"},
		"cache writes are, too":                {usage: provider.Usage{PromptTokens: 1000, CachedTokens: 400, CacheWriteTokens: 100}, want: "0.50074"},
		"more cached than sent is clamped":     {usage: provider.Usage{PromptTokens: 1000, CachedTokens: 5000}, want: "0.5001"},
		"cache figures that overlap":           {usage: provider.Usage{PromptTokens: 1000, CachedTokens: 800, CacheWriteTokens: 800}, want: "0.50048"},
		"negative figures cost nothing":        {usage: provider.Usage{PromptTokens: -5, CompletionTokens: -7, CachedTokens: -1}, want: "0.5"},
		"reasoning is part of the completion":  {usage: provider.Usage{CompletionTokens: 100, ReasoningTokens: 90}, want: "0.501"},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := Cost(pricing, tc.usage, Media{}, time.Unix(0, 0))
			if !ok || got.Decimal() != tc.want {
				t.Errorf("cost is %s (%v), want %s", got, ok, tc.want)
			}
		})
	}
}

func TestCost_outOfRangeIsSaidAndNotWrapped(t *testing.T) {
	pricing := &table.Pricing{Base: table.Prices{Output: money.Unit}}
	if got, ok := Cost(pricing, provider.Usage{CompletionTokens: 1 << 60}, Media{}, time.Unix(0, 0)); ok || got != money.Max {
		t.Errorf("cost is %s, %v", got, ok)
	}
}

func TestCost_unpricedIsFree(t *testing.T) {
	if got, ok := Cost(nil, provider.Usage{PromptTokens: 5}, Media{}, time.Now()); !ok || got != 0 {
		t.Errorf("cost is %s, %v", got, ok)
	}
}

func TestCost_allocatesNothing(t *testing.T) {
	pricing := &table.Pricing{Base: table.Prices{Input: 1, Output: 2}}
	if n := testing.AllocsPerRun(100, func() { _, _ = Cost(pricing, provider.Usage{PromptTokens: 5}, Media{}, time.Unix(0, 0)) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestEstimate_isNeverZeroForAPromptThatIsNotEmpty(t *testing.T) {
	for bytes, want := range map[int64]int64{0: 0, 1: 1, 4: 1, 5: 2, 4000: 1000} {
		if got := Estimate(bytes, 0).PromptTokens; got != want {
			t.Errorf("%d bytes are %d tokens, want %d", bytes, got, want)
		}
	}
	if Estimate(5, 5).Known {
		t.Error("an estimate claims to be the vendor's")
	}
}
