package balance

import (
	"math/rand/v2"
	"testing"

	"vipcloud.ai/vipcloud/gateway/table"
)

// tierOf makes a tier of targets with weights.
func tierOf(weights ...int) *table.Tier {
	t := &table.Tier{}
	for _, w := range weights {
		t.Targets = append(t.Targets, &table.Target{Weight: w})
		t.TotalWeight += w
	}
	return t
}

func TestSelect_sharesFollowWeights(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	tier := tierOf(10, 30, 60)
	var counts [3]int
	const n = 100_000
	for range n {
		counts[Select(tier, 0, random.IntN)]++
	}
	for i, want := range []int{10, 30, 60} {
		if got := float64(counts[i]) / n * 100; got < float64(want)-1 || got > float64(want)+1 {
			t.Errorf("target %d got %.1f %%, want %d", i, got, want)
		}
	}
}

func TestSelect_triesEveryTargetOnceAndThenSaysSo(t *testing.T) {
	tier := tierOf(1, 100, 1, 100)
	for range 100 {
		var tried Tried
		for range tier.Targets {
			i := Select(tier, tried, rand.IntN)
			if i < 0 || tried.Has(i) {
				t.Fatalf("selected %d of %b", i, tried)
			}
			tried.Add(i)
		}
		if i := Select(tier, tried, rand.IntN); i != -1 {
			t.Fatalf("selected %d although all were tried", i)
		}
	}
}

func TestSelect_emptyTierHasNothing(t *testing.T) {
	if i := Select(&table.Tier{}, 0, rand.IntN); i != -1 {
		t.Errorf("selected %d", i)
	}
}

func TestSelect_allocatesNothing(t *testing.T) {
	tier := tierOf(1, 2, 3)
	if n := testing.AllocsPerRun(100, func() { _ = Select(tier, 1, rand.IntN) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
