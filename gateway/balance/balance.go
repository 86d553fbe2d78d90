// Package balance chooses among the targets of one tier. It sees only weights and what was tried already.
package balance

import "vipcloud.ai/vipcloud/gateway/table"

// MaxTargets is how many targets a tier may have for Tried to hold; the schema allows no more.
const MaxTargets = 64

// Tried is the set of targets of one tier that an earlier attempt used, by their place in the tier.
type Tried uint64

// Add marks a target as used.
func (t *Tried) Add(i int) { *t |= 1 << i }

// Has says whether a target was used.
func (t Tried) Has(i int) bool { return t&(1<<i) != 0 }

// Random gives a number in [0, n). *rand.Rand and a function over math/rand/v2 fit.
type Random func(n int) int

// Select returns the place of a target that was not tried, at random by weight, or -1 if none is left.
func Select(tier *table.Tier, tried Tried, random Random) int {
	total := tier.TotalWeight
	if tried != 0 {
		total = 0
		for i, t := range tier.Targets {
			if !tried.Has(i) {
				total += t.Weight
			}
		}
	}
	if total <= 0 {
		return -1
	}
	n := random(total)
	for i, t := range tier.Targets {
		if tried.Has(i) {
			continue
		}
		if n -= t.Weight; n < 0 {
			return i
		}
	}
	return -1
}
