package ark

import "vipcloud.ai/vipcloud/gateway/provider"

// Bounds of seeds. The smallest stands for a random one.
const (
	minSeed      = -1
	maxImageSeed = 1<<31 - 1
	maxVideoSeed = 1<<32 - 1
)

// checkSeed refuses a seed that a model does not take.
func checkSeed(model string, seed *int64, takes bool, highest int64) error {
	switch {
	case seed == nil:
		return nil
	case !takes:
		return provider.Invalid("seed", "%s takes no seed. Leave seed out.", model)
	case *seed < minSeed || *seed > highest:
		return provider.Invalid("seed", "%s takes seeds from %d to %d, not %d.", model, minSeed, highest, *seed)
	}
	return nil
}
